"""What engine reports add up to: how much is new, which names guards see, which tools gave no answer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity

SILENT = (EngineStatus.NOT_RUN, EngineStatus.FAILED)
"""Ways to end without an answer."""


def new_findings(reports: Iterable[EngineReport]) -> list[Finding]:
    """Findings on changed lines, worst first, then in file order."""
    every = (finding for report in reports for finding in report.findings if finding.on_changed_line)
    return sorted(every, key=lambda each: (each.severity.rank, each.path, each.line, each.rule, each.column))


def by_severity(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each severity, the ones with none included, so that guards never meet a missing name.

    >>> by_severity([])["high"]
    0
    """
    counted = Counter(finding.severity for finding in findings)
    return {severity.value: counted[severity] for severity in Severity}


def summary_of(change: Change, reports: Sequence[EngineReport]) -> dict[str, object]:
    """What goes under `static_analysis` in the item's data."""
    return {
        "engines": [_account(report) for report in reports],
        "findings": by_severity(finding for report in reports for finding in report.findings),
        "new_on_changed_lines": by_severity(new_findings(reports)),
        "repository": change.repository,
        "base": change.base,
        "base_name": change.base_name,
        "head": change.head,
        "head_name": change.head_name,
    }


def facts_of(reports: Sequence[EngineReport]) -> dict[str, Mapping[str, object]]:
    """Names for guards. `tools.not_run` counts engines that gave no answer, whether they never ran or failed."""
    counted = Counter(report.status for report in reports)
    return {
        "findings": {
            "total": sum(len(report.findings) for report in reports),
            "new": by_severity(new_findings(reports)),
        },
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


def _account(report: EngineReport) -> dict[str, object]:
    return {
        "engine": report.engine,
        "status": report.status.value,
        "reason": report.reason,
        "version": report.version,
        "files": report.files,
        "skipped": len(report.skipped),
        "findings": len(report.findings),
        "seconds": report.seconds,
    }
