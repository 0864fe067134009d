"""Turning facts about a change into ranked steps and risks, each with evidence checked against the commit.

A fact enters the bundle only through `_finding`, `_metric` or `_change`; a finding whose line is not in the commit as
the engine quoted it is not cited, and the recommendation says how many there were.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from elohim_kernel.errors import TooLarge
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Metric, Severity
from elohim_kernel.model.fingerprint import MASKED_CATEGORY
from elohim_kernel.model.recommendation import Evidence, PlanStep, Risk, RiskNote
from elohim_kernel.model.reports import counted
from elohim_kernel.model.risk import ChangeRisk
from elohim_kernel.ports import Repository

MAX_STEPS: Final = 8
_MAX_CITED: Final = 10
_MAX_GROWN: Final = 3
_BRANCHES: Final = 10  # paths from which a function is hard to test
_GROWTH: Final = 5
_NEW_BRANCHES: Final = 15

_RISKS: Final = {Severity.CRITICAL: Risk.HIGH, Severity.HIGH: Risk.HIGH, Severity.MEDIUM: Risk.MEDIUM}
_MINUTES: Final = {Risk.HIGH: 15, Risk.MEDIUM: 10, Risk.LOW: 3}
_ORDER: Final = (Risk.HIGH, Risk.MEDIUM, Risk.LOW)


def risky_areas(metrics: Iterable[Metric]) -> dict[str, list[Metric]]:
    """Why a path deserves a second look, with the paths."""
    areas: dict[str, list[Metric]] = defaultdict(list)
    for metric in metrics:
        if metric.name in ("risky_path", "lock_without_manifest"):
            areas[metric.symbol].append(metric)
    return dict(sorted(areas.items()))


def grown(metrics: Iterable[Metric]) -> list[tuple[Metric, float]]:
    """Functions that became hard to test in this change, with the paths they gained, most first."""
    rises = []
    for metric in metrics:
        if metric.name != "cyclomatic_complexity":
            continue
        rise = metric.value - (metric.before or 0.0)
        limit = (_BRANCHES, _GROWTH) if metric.before is not None else (_NEW_BRANCHES, _NEW_BRANCHES)
        if metric.value > limit[0] and rise >= limit[1]:
            rises.append((metric, rise))
    return sorted(rises, key=lambda each: (-each[1], each[0].path, each[0].symbol))


class Advice:
    """Collects steps and risks for one change."""

    def __init__(self, change: Change, repository: Repository) -> None:
        self._change = change
        self._repository = repository
        self._evidence: dict[str, Evidence] = {}
        self._steps: list[tuple[int, PlanStep]] = []
        self._risks: list[RiskNote] = []
        self._lines: dict[str, list[bytes]] = {}
        self._unchecked = 0

    def on_findings(self, found: Sequence[Finding]) -> None:
        """One step per rule from medium up; everything low in one step; information is not worth a step."""
        groups: dict[tuple[int, str], list[Finding]] = defaultdict(list)
        for finding in found:
            if finding.severity is not Severity.INFO:
                low = finding.severity is Severity.LOW
                groups[finding.severity.rank, "" if low else finding.rule].append(finding)
        for (rank, rule), members in sorted(groups.items()):
            cited = [name for name in map(self._finding, members[:_MAX_CITED]) if name]
            if not cited:
                continue
            first = members[0]
            risk = _RISKS.get(first.severity, Risk.LOW)
            many = f"{len(members)} × {rule}: {first.message}" if len(members) > 1 else f"{rule}: {first.message}"
            self._add(
                rank,
                title=many if rule else f"Tidy up {counted(len(members), 'small thing')} on changed lines",
                detail=_places(members) + (f". {first.remediation}" if rule and first.remediation else ""),
                risk=risk,
                minutes=min(60, _MINUTES[risk] * len(members)),
                evidence=cited,
            )

    def on_complexity(self, metrics: Iterable[Metric]) -> None:
        """A step for each of the functions that grew most."""
        for metric, _ in grown(metrics)[:_MAX_GROWN]:
            before = f"{metric.before:g} → " if metric.before is not None else "new, "
            self._add(
                Severity.MEDIUM.rank,
                title=f"Split {metric.symbol}, or test its branches: {before}{metric.value:g} paths",
                detail=metric.path,
                risk=Risk.MEDIUM,
                minutes=30,
                evidence=[self._metric(metric)],
            )

    def on_risky_areas(self, metrics: Iterable[Metric]) -> None:
        """One step to read them first, one risk for each area."""
        areas = {area: found for area, found in risky_areas(metrics).items() if found[0].name == "risky_path"}
        cited = {area: [self._metric(metric) for metric in found[:_MAX_CITED]] for area, found in areas.items()}
        for area, found in areas.items():
            self._risks.append(
                RiskNote(
                    title=f"Touches {area}",
                    detail=", ".join(metric.path for metric in found[:_MAX_CITED]),
                    level=Risk.MEDIUM,
                    evidence=tuple(cited[area]),
                )
            )
        if areas:
            paths = [metric.path for found in areas.values() for metric in found]
            self._add(
                Severity.MEDIUM.rank,
                title=f"Read {counted(len(paths), 'sensitive file')} first: {', '.join(areas)}",
                detail=", ".join(paths[:_MAX_CITED]),
                risk=Risk.MEDIUM,
                minutes=min(60, 5 * len(paths)),
                evidence=[name for names in cited.values() for name in names][:_MAX_CITED],
            )

    def on_lock_files(self, metrics: Iterable[Metric]) -> None:
        """A lock file and its manifest belong together."""
        for metric in metrics:
            if metric.name in ("lock_without_manifest", "manifest_without_lock"):
                self._add(
                    Severity.LOW.rank,
                    title=f"Ask why {metric.path} changed alone: {metric.symbol}",
                    risk=Risk.MEDIUM if metric.name == "lock_without_manifest" else Risk.LOW,
                    minutes=5,
                    evidence=[self._metric(metric)],
                )

    def on_missing_test(self, metrics: Iterable[Metric]) -> None:
        """A note of its own: it raises no risk."""
        for metric in metrics:
            if metric.name == "source_without_test":
                self._add(
                    Severity.INFO.rank,
                    title="Name the test that covers this change, or add one",
                    detail=f"{counted(int(metric.value), 'source file')} changed and no test, first {metric.path}",
                    risk=Risk.LOW,
                    minutes=20,
                    evidence=[self._metric(metric)],
                )

    def on_what_is_missing(self, reports: Iterable[EngineReport]) -> None:
        """What was left out of the change, and files a tool could not read, are risks: nobody looked."""
        if self._change.truncated:
            detail = self._change.truncated
            cited = (self._fact("the change is not complete", detail),)
            self._risks.append(RiskNote(title="Part of it was not looked at", detail=detail, evidence=cited))
        for report in reports:
            if report.status is EngineStatus.PARTIAL and report.skipped:
                detail = ", ".join(report.skipped[:_MAX_CITED])
                cited = (self._fact(f"{report.engine} skipped files", report.reason),)
                title = f"{report.engine} could not analyse {counted(len(report.skipped), 'file')}"
                self._risks.append(RiskNote(title=title, detail=detail, level=Risk.LOW, evidence=cited))

    def on_risk(self, risk: ChangeRisk) -> None:
        """The score is worth a word from medium up."""
        if risk.level != "low":
            reasons = ", ".join(each.text for each in risk.contributions)
            cited = (self._fact(f"risk {risk.score:g} of 100", reasons),)
            level = Risk.HIGH if risk.level == "high" else Risk.MEDIUM
            title = "A large or wide change: easy to miss something" if level is Risk.HIGH else "Not a small change"
            self._risks.insert(0, RiskNote(title=title, detail=reasons, level=level, evidence=cited))

    def steps(self) -> tuple[PlanStep, ...]:
        """The first `MAX_STEPS`, riskiest first."""
        ranked = sorted(self._steps, key=lambda each: (_ORDER.index(each[1].risk), each[0]))
        return tuple(step for _, step in ranked[:MAX_STEPS])

    def risks(self) -> tuple[RiskNote, ...]:
        """All risks, highest first."""
        return tuple(sorted(self._risks, key=lambda each: _ORDER.index(each.level)))

    def evidence(self, steps: Iterable[PlanStep], risks: Iterable[RiskNote]) -> tuple[Evidence, ...]:
        """The facts that these steps and risks cite, each once, in the order they are first cited."""
        parts: tuple[PlanStep | RiskNote, ...] = (*steps, *risks)
        cited = dict.fromkeys(name for part in parts for name in part.evidence)
        return tuple(self._evidence[name] for name in cited if name in self._evidence)

    def unchecked(self) -> tuple[str, ...]:
        """A sentence about findings that could not be checked against the commit; empty when there were none."""
        if not self._unchecked:
            return ()
        return (f"{counted(self._unchecked, 'finding')} not cited, because the quoted line is not in the commit",)

    def _add(
        self, rank: int, *, title: str, risk: Risk, minutes: int, evidence: Sequence[str], detail: str = ""
    ) -> None:
        step = PlanStep(title=title[:200], detail=detail, risk=risk, minutes=minutes, evidence=tuple(evidence))
        self._steps.append((rank, step))

    def _finding(self, finding: Finding) -> str:
        if not self._is_there(finding):
            self._unchecked += 1
            return ""
        text = f"{finding.severity.value} {finding.tool} {finding.rule}: {finding.message}"
        return self._keep("finding", f"{finding.path}:{finding.line}@{self._change.head[:12]}", text)

    def _is_there(self, finding: Finding) -> bool:
        if finding.path not in self._lines:
            try:
                content = self._repository.read(self._change.head, finding.path)
            except TooLarge:
                content = None
            self._lines[finding.path] = (content or b"").splitlines()
        lines = self._lines[finding.path]
        if not 0 < finding.line <= len(lines):
            return False
        masked = finding.category == MASKED_CATEGORY or "…" in finding.snippet
        return masked or lines[finding.line - 1].decode(errors="replace").strip().startswith(finding.snippet)

    def _metric(self, metric: Metric) -> str:
        before = f" (before {metric.before:g})" if metric.before is not None else ""
        place = f"{metric.path}@{self._change.head[:12]}" if metric.path else self._range()
        about = f" {metric.symbol}" if metric.symbol else ""
        return self._keep("metric", place, f"{metric.name}{about} = {metric.value:g}{before}")

    def _fact(self, text: str, detail: str) -> str:
        return self._keep("change", self._range(), f"{text}: {detail}" if detail else text)

    def _range(self) -> str:
        return f"{self._change.merge_base[:12] or 'nothing'}..{self._change.head[:12]}"

    def _keep(self, kind: str, source: str, text: str) -> str:
        name = "ev:" + hashlib.sha256("\0".join((kind, source, text)).encode(errors="replace")).hexdigest()[:12]
        self._evidence[name] = Evidence(id=name, kind=kind, source=source, text=text)
        return name


def _places(findings: Sequence[Finding]) -> str:
    shown = ", ".join(f"{each.path}:{each.line}" for each in findings[:_MAX_CITED])
    more = len(findings) - _MAX_CITED
    return f"{shown} and {more} more" if more > 0 else shown
