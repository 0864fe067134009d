"""What a scan gives: its problems, and an account of each engine. `Scan.df` needs pandas."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from elohim_kernel.model.assembling import counts
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport, Finding, FindingState, Severity
from elohim_kernel.model.reports import SILENT
from elohim_kernel.model.value import Value

if TYPE_CHECKING:
    import pandas as pd

SETTLED: Final = frozenset({FindingState.DISMISSED, FindingState.ACCEPTED})
"""States in which a finding is a problem to nobody."""


class Problem(Value, frozen=True):
    """One problem of a scan: its best finding, under the identity it is kept by."""

    finding: Finding
    id: str  # "" when nothing was recorded
    identity: str
    state: FindingState
    new: bool  # brought by the change; without one, seen for the first time
    also_seen_by: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it is a problem to somebody: no mere note, not silenced before, not settled."""
        return counts(self.finding) and self.state not in SETTLED

    def row(self) -> dict[str, Any]:
        """Its plain data under stable names: JSON, hence `Any`."""
        finding = self.finding
        return {
            "id": self.id,
            "fingerprint": self.identity,
            "state": self.state.value,
            "severity": finding.severity.value,
            "confidence": finding.confidence.value,
            "category": finding.category,
            "cwe": finding.cwe,
            "rule": finding.rule,
            "tool": finding.tool,
            "path": finding.path,
            "line": finding.line,
            "message": finding.message,
            "remediation": finding.remediation,
            "also_seen_by": list(self.also_seen_by),
            "new": self.new,
            "counts": self.counts,
            "column": finding.column,
            "end_line": finding.end_line,
            "symbol": finding.symbol,
            "snippet": finding.snippet,
            "evidence": finding.evidence,
            "advisories": list(finding.advisories),
            "suppressed": finding.suppressed,
            "suppression_is_new": finding.suppression_is_new,
            "on_changed_line": finding.on_changed_line,
            "owners": list(finding.owners),
            "problem": finding.problem,
        }


class Scan(NamedTuple):
    """What a scan found and what it did. Problems come worst first, what is only told last."""

    repository: str
    head: str  # full commit id
    ref: str
    change: Change | None
    runs: tuple[EngineReport, ...]
    problems: tuple[Problem, ...]
    workflow: str = ""  # id of the workflow that keeps the findings; "" when nothing was recorded
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counted = Counter(each.finding.severity for each in self.problems if each.counts)
        told = ", ".join(f"{counted[level]} {level.value}" for level in Severity if counted[level]) or "nothing found"
        silent = sum(report.status in SILENT for report in self.runs)
        missing = f", {silent} not run" if silent else ""
        return f"<Scan {self.repository}@{self.head[:12]}: {told}; {len(self.runs)} engines{missing}>"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every row of every engine."""
        return tuple(finding for report in self.runs for finding in report.findings)

    def over(self, level: Severity, *, only_new: bool) -> tuple[Problem, ...]:
        """The problems that count and are as bad as `level` or worse."""
        return tuple(
            each
            for each in self.problems
            if each.counts and each.finding.severity.rank <= level.rank and (each.new or not only_new)
        )

    def df(self) -> "pd.DataFrame":
        """The problems as a table, one row each."""
        import pandas as pd

        return pd.DataFrame([each.row() for each in self.problems])


def run_rows(runs: Iterable[EngineReport]) -> list[dict[str, Any]]:
    """The account of each engine as plain data: JSON, hence `Any`."""
    return [
        {
            "engine": report.engine,
            "status": report.status.value,
            "reason": report.reason,
            "files": report.files,
            "seconds": report.seconds,
            "findings": len(report.findings),
            "version": report.version,
            "cached": report.cached,
            "skipped": list(report.skipped),
            "cpu_seconds": report.cpu_seconds,
            "isolation": report.isolation,
            "notes": list(report.notes),
        }
        for report in runs
    ]
