"""What the automated stages share: which change an item is about, and how engine reports become data and facts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from elohim_kernel.errors import Invalid
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.value import convert
from elohim_kernel.ports import StageWork, Tools

SILENT = (EngineStatus.NOT_RUN, EngineStatus.FAILED)


class Target(msgspec.Struct, frozen=True):
    """The part of an item's data these stages read; empty text counts as absent."""

    repository: str = ""
    base: str | None = None
    head: str | None = None


def change_of(work: StageWork, tools: Tools) -> Change:
    """The item's change, journalled: a branch that moves while the stage runs does not change what is looked at.

    Raises `Invalid` when the item names no repository, or one that cannot be opened or compared.
    """
    target = convert(dict(work.data), Target, what=f"data of {work.reference}")
    path = target.repository or work.target_path
    if not path:
        raise Invalid(f"{work.reference} names no repository", hint="set `repository` in the item's data to its path")
    return tools.step(
        "change",
        {"repository": path, "base": target.base, "head": target.head},
        Change,
        lambda: tools.repository(path).change(target.base or None, target.head or None),
    )


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
