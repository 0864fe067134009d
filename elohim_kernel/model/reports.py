"""What engine reports add up to: how much is new, which names guards see, which tools gave no answer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from elohim_kernel.model.assembling import POLICY, counts
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.linking import Shown, shown

SILENT: Final = (EngineStatus.NOT_RUN, EngineStatus.FAILED)
"""Ways to end without an answer."""

TOP: Final = 50
"""Problems that a summary names one by one."""

_SECRET: Final = "secret"  # noqa: S105 - the name of a category
_MOST_FILES: Final = 20


def problems(reports: Iterable[EngineReport]) -> tuple[Shown, ...]:
    """What the reports found, one entry per problem, the worst first; what is only told, never counted, left out."""
    return tuple(each for each in shown(_findings(reports)) if counts(each.finding))


def new_findings(reports: Iterable[EngineReport]) -> list[Finding]:
    """What the change brings: the best finding of each new problem, the worst first."""
    return [each.finding for each in problems(reports) if each.finding.is_new]


def by_severity(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each severity, the ones with none included, so that guards never meet a missing name.

    >>> by_severity([])["high"]
    0
    """
    counted = Counter(finding.severity for finding in findings)
    return {severity.value: counted[severity] for severity in Severity}


def summary_of(change: Change, reports: Sequence[EngineReport]) -> dict[str, object]:
    """What goes into the item's data for engines that looked at a change; see `summary`."""
    return {
        **summary(reports),
        "repository": change.repository,
        "base": change.base,
        "base_name": change.base_name,
        "head": change.head,
        "head_name": change.head_name,
    }


def summary(reports: Sequence[EngineReport]) -> dict[str, object]:
    """Counts and references, never the rows: those are recorded as findings.

    `findings` counts rows, everything else problems.
    """
    found = problems(reports)
    new = [each.finding for each in found if each.finding.is_new]
    every = [each.finding for each in found]
    return {
        "engines": [_account(report) for report in reports],
        "findings": by_severity(_findings(reports)),
        "problems": by_severity(every),
        "new": by_severity(new),
        "by_category": _most(Counter(finding.category for finding in every)),
        "by_file": _most(Counter(finding.path for finding in every)),
        "by_owner": _most(Counter(owner for finding in every for owner in finding.owners or ("",))),
        "top": [_reference(each) for each in found[:TOP]],
        "more": max(0, len(found) - TOP),
    }


def facts_of(reports: Sequence[EngineReport]) -> dict[str, Mapping[str, object]]:
    """Names for guards. `tools.not_run` counts engines that gave no answer, whether they never ran or failed."""
    counted = Counter(report.status for report in reports)
    new = new_findings(reports)
    return {
        "findings": {
            "total": sum(len(report.findings) for report in reports),
            "new": by_severity(new),
        },
        "secrets": {"new": sum(finding.category == _SECRET for finding in new)},
        "policy": {"new": sum(finding.category == POLICY and finding.severity is not Severity.INFO for finding in new)},
        "tools": {
            "not_run": sum(counted[status] for status in SILENT),
            "failed": counted[EngineStatus.FAILED],
            "partial": counted[EngineStatus.PARTIAL],
        },
    }


def not_run(reports: Iterable[EngineReport]) -> tuple[str, ...]:
    """Each engine that gave no answer, or not the whole one, and why."""
    words = {EngineStatus.NOT_RUN: "not run", EngineStatus.FAILED: "failed", EngineStatus.PARTIAL: "partly run"}
    return tuple(
        f"{report.engine}: {words[report.status]}, because {report.reason}"
        for report in reports
        if report.status in words
    )


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _findings(reports: Iterable[EngineReport]) -> Iterable[Finding]:
    return (finding for report in reports for finding in report.findings)


def _most(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:_MOST_FILES])


def _reference(each: Shown) -> dict[str, object]:
    finding = each.finding
    return {
        "fingerprint": finding.fingerprint,
        "problem": finding.problem,
        "tool": finding.tool,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "category": finding.category,
        "path": finding.path,
        "line": finding.line,
        "new": finding.is_new,
    }


def _account(report: EngineReport) -> dict[str, object]:
    return {
        "engine": report.engine,
        "status": report.status.value,
        "reason": report.reason,
        "version": report.version,
        "files": report.files,
        "skipped": len(report.skipped),
        "findings": len(report.findings),
        "cached": report.cached,
        "seconds": report.seconds,
        "isolation": report.isolation,
        "notes": list(report.notes),
    }
