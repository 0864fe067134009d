"""Writing SARIF 2.1.0: one run per tool, with identities, suppressions, data flow, and what did not run.

Code-scanning hosts refuse files past their limits, or drop what is over them in silence. So the limits are kept here,
the most urgent first, and every cut is said in the file and to the caller.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from elohim_kernel.model.category import CATEGORIES, is_security
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, FindingState, Place, Severity
from elohim_kernel.model.fingerprint import IMPORTED
from elohim_kernel.model.sarif import (
    FINGERPRINT_KEY,
    VERSION,
    ArtifactLocation,
    CodeFlow,
    Component,
    Configuration,
    Invocation,
    Location,
    Log,
    LogicalLocation,
    Message,
    Notification,
    PhysicalLocation,
    Region,
    Result,
    Rule,
    Run,
    Suppression,
    ThreadFlow,
    ThreadFlowLocation,
    Tool,
)
from elohim_kernel.model.value import Value

RESULTS_PER_RUN: Final = 25_000
SHOWN_PER_RUN: Final = 5_000
RUNS_PER_FILE: Final = 20
STEPS_PER_RESULT: Final = 1_000
LOCATIONS_PER_RESULT: Final = 100
"""What the strictest of the known hosts takes; `SHOWN_PER_RUN` is what it shows of that."""

Baseline = Literal["", "new", "unchanged", "updated", "absent"]

_LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_NUMBERS: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}
_PRECISIONS: Final = {"high": "high", "medium": "medium", "low": "low"}
_WELL: Final = (EngineStatus.FINDINGS, EngineStatus.CLEAN)


class Exported(Value, frozen=True):
    """A finding as it leaves: with its state, why it is in it, and how it compares with a baseline."""

    finding: Finding
    id: str = ""
    state: FindingState = FindingState.OPEN
    justification: str = ""  # of a decision: its reason and text
    baseline: Baseline = ""
    also_seen_by: tuple[str, ...] = ()


class Written(NamedTuple):
    """The file, and what did not go into it."""

    content: bytes
    notes: tuple[str, ...]


def sarif_of(findings: Sequence[Exported], reports: Sequence[EngineReport] = (), *, automation: str = "") -> Written:
    """The findings as SARIF, most urgent first as they come; `reports` say which tools ran, and which did not and why.

    `automation` names the kind of scan for hosts that keep several apart, for example "elohim/nightly".

    >>> sarif_of([]).content[:18]
    b'{"version":"2.1.0"'
    """
    by_tool: dict[str, list[Exported]] = defaultdict(list)
    for each in findings:
        by_tool[each.finding.tool].append(each)
    accounts = {report.engine: report for report in reports}
    names = sorted(by_tool.keys() | accounts.keys(), key=lambda name: (-len(by_tool.get(name, ())), name))
    notes: list[str] = []
    if len(names) > RUNS_PER_FILE:
        notes.append(f"{len(names)} tools, of which the {RUNS_PER_FILE} with the most findings are in the file")
    runs = [_run(name, by_tool.get(name, []), accounts.get(name), notes, automation) for name in names[:RUNS_PER_FILE]]
    return Written(msgspec.json.encode(Log(version=VERSION, runs=runs)), tuple(notes))


def _run(
    name: str, findings: Sequence[Exported], report: EngineReport | None, notes: list[str], automation: str
) -> Run:
    cuts = list(_cuts(name, findings))
    notes.extend(cuts)
    kept = findings[:RESULTS_PER_RUN]
    rules: dict[str, int] = {}
    for each in kept:
        rules.setdefault(each.finding.rule, len(rules))
    examples = {each.finding.rule: each.finding for each in reversed(kept)}
    return Run(
        tool=Tool(
            driver=Component(
                name=name.removeprefix(IMPORTED),
                version=report.version if report else "",
                rules=[_rule(rule, examples[rule]) for rule in rules],
            )
        ),
        results=[_result(each, rules[each.finding.rule]) for each in kept],
        invocations=[_invocation(report, cuts)] if report is not None or cuts else None,
        automation_details=Message(id=f"{automation}/{name}") if automation else None,
        column_kind="unicodeCodePoints",
    )


def _cuts(name: str, findings: Sequence[Exported]) -> Iterator[str]:
    if len(findings) > RESULTS_PER_RUN:
        yield f"{name}: {len(findings):,} findings, of which the {RESULTS_PER_RUN:,} most urgent are in the file"
    elif len(findings) > SHOWN_PER_RUN:
        yield f"{name}: {len(findings):,} findings; some hosts show only the {SHOWN_PER_RUN:,} most severe"
    steps = sum(sum(place.flow for place in each.finding.related) > STEPS_PER_RESULT for each in findings)
    if steps:
        yield f"{name}: the data flow of {steps:,} findings was cut to {STEPS_PER_RESULT:,} steps"


def _rule(rule: str, example: Finding) -> Rule:
    category = CATEGORIES.get(example.category)
    tags = [*(["security"] if is_security(example.category) else []), example.category]
    if example.cwe:
        tags.append(f"external/cwe/cwe-{example.cwe:03d}")
    properties: dict[str, object] = {"tags": tags, "precision": _PRECISIONS[example.confidence.value]}
    if is_security(example.category):
        properties["security-severity"] = _NUMBERS[example.severity]
    return Rule(
        id=rule,
        short_description=Message(text=category.label if category else example.category),
        help=Message(text=example.remediation or "See the message of the finding."),
        default_configuration=Configuration(level=_LEVELS[example.severity]),
        properties=properties,
    )


def _result(exported: Exported, index: int) -> Result:
    finding = exported.finding
    flow = [place for place in finding.related if place.flow][:STEPS_PER_RESULT]
    near = [place for place in finding.related if not place.flow][:LOCATIONS_PER_RESULT]
    properties: dict[str, object] = {
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "state": exported.state.value,
    }
    told: Mapping[str, object] = {
        "id": exported.id,
        "evidence": finding.evidence,
        "alsoSeenBy": list(exported.also_seen_by),
        "advisories": list(finding.advisories),
        "owners": list(finding.owners),
        "problem": finding.problem,
    }
    properties.update({key: value for key, value in told.items() if value})
    if is_security(finding.category):
        properties["security-severity"] = _NUMBERS[finding.severity]
    return Result(
        rule_id=finding.rule,
        rule_index=index,
        level=_LEVELS[finding.severity],
        message=Message(text=finding.message or finding.rule),
        locations=[_location(finding)],
        related_locations=[_near(place) for place in near] or None,
        code_flows=[CodeFlow([ThreadFlow([ThreadFlowLocation(_near(place)) for place in flow])])] if flow else None,
        partial_fingerprints={FINGERPRINT_KEY: finding.fingerprint} if finding.fingerprint else None,
        suppressions=list(_suppressions(exported)) or None,
        baseline_state=exported.baseline,
        properties=properties,
    )


def _suppressions(exported: Exported) -> Iterator[Suppression]:
    if exported.finding.suppressed:
        yield Suppression(kind="inSource", status="accepted", justification=exported.finding.suppressed)
    if exported.state in (FindingState.DISMISSED, FindingState.ACCEPTED) and exported.justification:
        yield Suppression(kind="external", status="accepted", justification=exported.justification)


def _location(finding: Finding) -> Location:
    region = _region(finding.line, finding.column, finding.end_line)
    if region is not None and finding.snippet:
        region.snippet = Message(text=finding.snippet)
    return Location(
        physical_location=PhysicalLocation(_artifact(finding.path), region),
        logical_locations=[LogicalLocation(fully_qualified_name=finding.symbol)] if finding.symbol else None,
    )


def _near(place: Place) -> Location:
    physical = PhysicalLocation(_artifact(place.path), _region(place.line, place.column, 0))
    return Location(physical_location=physical, message=Message(text=place.message) if place.message else None)


def _artifact(path: str) -> ArtifactLocation:
    return ArtifactLocation(uri=quote(path, safe="/") or ".")


def _region(line: int, column: int, end_line: int) -> Region | None:
    if line < 1:
        return None
    return Region(start_line=line, start_column=max(0, column), end_line=end_line if end_line >= line else 0)


def _invocation(report: EngineReport | None, cuts: Iterable[str]) -> Invocation:
    told = [Notification(Message(text=words), "warning") for words in (*cuts, *(report.notes if report else ()))]
    if report is None:
        return Invocation(execution_successful=True, tool_execution_notifications=told)
    if report.status not in _WELL:
        words = {EngineStatus.NOT_RUN: "not run", EngineStatus.FAILED: "failed", EngineStatus.PARTIAL: "partly run"}
        level = "warning" if report.status is EngineStatus.PARTIAL else "error"
        told.insert(0, Notification(Message(text=f"{words[report.status]}, because {report.reason}"), level))
    ended_well = report.status in (*_WELL, EngineStatus.PARTIAL)
    return Invocation(execution_successful=ended_well, tool_execution_notifications=told or None)
