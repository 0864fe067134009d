"""Putting engine reports together: what only the whole of them and the change can say about a finding. Pure.

In this order: what the change touched, what comments silence, what another engine refutes, who owns it, and which
findings are one problem. Engines and caches know none of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from elohim_kernel.model.category import DEMOTED
from elohim_kernel.model.change import Change, FileChange
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.linking import linked
from elohim_kernel.model.owners import Owners
from elohim_kernel.model.suppression import SILENCED, Suppression, silencing, suppressions
from elohim_kernel.model.value import Value

REFUTED: Final = "refuted"
"""The key of `EngineReport.data` under which an engine says what is not so: [{path, line, category, why}]."""

POLICY: Final = "policy"
"""The engine, and the category, of changes to the judge of a change."""

_NOTE: Final = "note"


class Surroundings(Value, frozen=True):
    """What is known beside the reports. `sources` maps the paths of findings to the content that was analysed."""

    sources: Mapping[str, bytes]
    owners: Mapping[str, tuple[str, ...]] = {}
    change: Change | None = None


def owners_of(findings: Iterable[Finding], owners: Owners) -> dict[str, tuple[str, ...]]:
    """The owners of every file that has a finding."""
    return {path: owners.of(path) for path in {finding.path for finding in findings}}


def placed(report: EngineReport, change: Change | None) -> EngineReport:
    """The report with `on_changed_line` as the change says; a finding about a whole file is on one when it changed."""
    files = {file.path: file for file in (change.files if change else ())}
    return with_findings(report, [_placed(finding, files.get(finding.path)) for finding in report.findings])


def assembled(reports: Sequence[EngineReport], around: Surroundings) -> tuple[EngineReport, ...]:
    """The reports with everything filled in that only their whole and the change can say."""
    comments: dict[str, tuple[Suppression, ...]] = {}
    silent = [_silenced(report, around, comments) for report in reports]
    said = _refuted(silent)
    judged = [with_findings(each, [_doubted(finding, said) for finding in each.findings]) for each in silent]
    told = [_policy_told(report, judged) for report in judged]
    owned = [with_findings(each, [_owned(finding, around.owners) for finding in each.findings]) for each in told]
    every = iter(linked((finding for report in owned for finding in report.findings), around.sources))
    return tuple(with_findings(report, [next(every) for _ in report.findings]) for report in owned)


def with_findings(report: EngineReport, findings: Sequence[Finding]) -> EngineReport:
    """The report with these findings, one for one."""
    return replace(report, findings=tuple(findings)) if report.findings else report


def counts(finding: Finding) -> bool:
    """Whether a finding is counted as a problem: not a mere note, and not silenced by a comment that was there before.

    >>> counts(Finding(rule="E1", severity=Severity.INFO, message="", path="a", line=1, tool="t", category="style"))
    False
    """
    return finding.category not in DEMOTED and (not finding.suppressed or finding.suppression_is_new)


def _placed(finding: Finding, file: FileChange | None) -> Finding:
    touched = file is not None and (finding.line == 0 or file.touches(finding.line, finding.end_line))
    return finding if touched == finding.on_changed_line else replace(finding, on_changed_line=touched)


def _silenced(report: EngineReport, around: Surroundings, comments: dict[str, tuple[Suppression, ...]]) -> EngineReport:
    files = {file.path: file for file in (around.change.files if around.change else ())}
    found: list[Finding] = []
    for finding in report.findings:
        path = finding.path
        if path not in comments:
            comments[path] = suppressions(path, around.sources.get(path, b""))
        found.append(_heard(finding, silencing(finding, comments[path]), files.get(path)))
    return with_findings(report, found)


def _heard(finding: Finding, comment: Suppression | None, file: FileChange | None) -> Finding:
    suppressed = finding.suppressed or (comment.text if comment is not None else "")
    if not suppressed or finding.tool == POLICY:
        return finding
    is_new = file is not None and file.touches(comment.line) if comment is not None else finding.on_changed_line
    return replace(finding, suppressed=suppressed, suppression_is_new=is_new)


def _refuted(reports: Iterable[EngineReport]) -> dict[tuple[str, int, str], tuple[str, str]]:
    """Place and category to the reason and the engine, less what that engine finds there itself."""
    said: dict[tuple[str, int, str], tuple[str, str]] = {}
    for report in reports:
        own = {(finding.path, finding.line, finding.category) for finding in report.findings}
        for entry in _entries(report.data.get(REFUTED)):
            place = (str(entry.get("path", "")), int(entry.get("line", 0)), str(entry.get("category", "")))
            if place not in own:
                said[place] = (str(entry.get("why", "")), report.engine)
    return said


def _entries(value: object) -> list[Mapping[str, Any]]:  # JSON, hence Any
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def _doubted(finding: Finding, said: Mapping[tuple[str, int, str], tuple[str, str]]) -> Finding:
    why, engine = said.get((finding.path, finding.line, finding.category), ("", ""))
    # A refutation is a proof over the whole function, which patterns are not, however sure they are.
    if not why or engine == finding.tool or finding.suppressed:
        return finding
    number = f" (CWE-{finding.cwe})" if finding.cwe else ""
    return replace(
        finding,
        severity=Severity.INFO,
        confidence=Confidence.LOW,
        category=_NOTE,
        cwe=0,
        evidence=f"{why} ({engine})",
        message=f"{finding.rule}{number} is not reported: {finding.message}",
    )


def _policy_told(report: EngineReport, every: Iterable[EngineReport]) -> EngineReport:
    """A comment that the change adds is as bad as the worst finding it silences."""
    if report.engine != POLICY:
        return report
    silenced = [each for other in every for each in other.findings if each.suppression_is_new and _matters(each)]
    return with_findings(report, [_raised(finding, silenced) for finding in report.findings])


def _raised(finding: Finding, silenced: Sequence[Finding]) -> Finding:
    if finding.rule != SILENCED:
        return finding
    near = [
        each
        for each in silenced
        if each.path == finding.path
        and each.tool in finding.message
        and ("whole file" in finding.message or each.line - 1 <= finding.line <= max(each.line, each.end_line))
    ]
    if not near:
        return finding
    worst = min(near, key=lambda each: (each.severity.rank, each.line))
    what = f"{worst.tool} {worst.rule} at line {worst.line}: {worst.message}"
    severity = min(finding.severity, worst.severity, key=lambda severity: severity.rank)
    return replace(finding, severity=severity, evidence=f"it silences {what}")


def _matters(finding: Finding) -> bool:
    return finding.severity.rank <= Severity.MEDIUM.rank and finding.category not in DEMOTED


def _owned(finding: Finding, owners: Mapping[str, tuple[str, ...]]) -> Finding:
    who = owners.get(finding.path, ())
    return replace(finding, owners=who) if who != finding.owners else finding


def conclusive(report: EngineReport) -> bool:
    """Whether an engine finished, so that what it did not see is not there."""
    return report.status in (EngineStatus.FINDINGS, EngineStatus.CLEAN)
