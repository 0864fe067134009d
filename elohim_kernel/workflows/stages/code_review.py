"""CODE_REVIEW: what a careful reviewer would look at first, from a few fast engines and no model.

Every step and risk cites facts that are checked here against the commit itself; what cannot be checked is not said.
Nothing to say is a valid answer. The same change gives the same recommendation.
"""

from collections.abc import Iterable, Sequence

from elohim_kernel.errors import Fault
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport, EngineStatus, Severity
from elohim_kernel.model.recommendation import Recommendation
from elohim_kernel.model.reports import by_severity, counted, facts_of, new_findings, not_run, summary_of
from elohim_kernel.model.risk import ChangeRisk, change_risk, shape_of
from elohim_kernel.model.value import plain
from elohim_kernel.ports import EngineRequest, Purpose, Repository, StageResult, StageWork, Tools
from elohim_kernel.workflows.stages._code_review_advice import Advice, grown, risky_areas

TYPE = "CODE_REVIEW"

_ENGINES = ("ruff", "complexity", "spread")  # without these there is no review: what is missing is said


def run(work: StageWork, tools: Tools) -> StageResult:
    """Review the item's change. Raises `Invalid` when the item names no usable repository."""
    total = 3
    tools.progress("Reading the change", 0, total)
    change = work.change(tools)
    names = tuple(dict.fromkeys((*_ENGINES, *tools.usual(Purpose.REVIEW))))
    tools.progress(f"Running {', '.join(names)}", 1, total)
    reports = tools.engines(names, EngineRequest.about(change))
    tools.progress("Writing the recommendation", total - 1, total)
    risk = _risk(change, reports)
    recommendation = _recommend(change, reports, risk, tools.repository(change.repository))
    tools.progress("Done", total, total)
    return StageResult(
        note=f"{recommendation.verdict}: {_found(reports)}; risk {risk.score:g} of 100",
        data={
            "agent_recommendation": plain(recommendation),
            "static_analysis": summary_of(change, reports),
            "change": _told(change, risk),
        },
        reports=reports,
        change=change,
        recommendation=recommendation,
        facts={
            **facts_of(reports),
            "change": {"risk": risk.score, "level": risk.level, "files": len(change.files)},
            "recommendation": {"verdict": recommendation.verdict},
        },
    )


def _risk(change: Change, reports: Iterable[EngineReport]) -> ChangeRisk:
    metrics = [metric for report in reports for metric in report.metrics]
    areas = {area: len(found) for area, found in risky_areas(metrics).items()}
    return change_risk(shape_of(change), risky=areas, complexity_rise=[rise for _, rise in grown(metrics)])


def _recommend(
    change: Change, reports: Sequence[EngineReport], risk: ChangeRisk, repository: Repository
) -> Recommendation:
    metrics = [metric for report in reports for metric in report.metrics]
    found = new_findings(reports)
    advice = Advice(change, repository)
    advice.on_findings(found)
    advice.on_complexity(metrics)
    advice.on_risky_areas(metrics)
    advice.on_lock_files(metrics)
    advice.on_missing_test(metrics)
    advice.on_what_is_missing(reports)
    advice.on_risk(risk)
    steps, risks = advice.steps(), advice.risks()
    recommendation = Recommendation(
        summary=_summary(change, reports, risk),
        verdict=_verdict(change, reports, risk, bool(steps or risks)),
        steps=steps,
        risks=risks,
        evidence=advice.evidence(steps, risks),
        engine="built-in review",
        not_run=(*not_run(reports), *advice.unchecked()),
    )
    if recommendation.uncited():
        raise Fault(f"the review cites evidence it does not have: {', '.join(recommendation.uncited())}")
    return recommendation


def _verdict(change: Change, reports: Sequence[EngineReport], risk: ChangeRisk, has_advice: bool) -> str:
    bad = any(finding.severity.rank <= Severity.HIGH.rank for finding in new_findings(reports))
    if bad or change.truncated or risk.level == "high":
        return "look closely"
    failed = any(report.status in (EngineStatus.FAILED, EngineStatus.PARTIAL) for report in reports)
    return "comment" if has_advice or failed else "nothing to say"


def _summary(change: Change, reports: Sequence[EngineReport], risk: ChangeRisk) -> str:
    who = ", ".join(change.authors[:3]) + (" and others" if len(change.authors) > 3 else "")
    parts = [
        f"{counted(change.commits, 'commit')} by {who or 'nobody named'} on {change.head_name} against"
        f" {change.base_name}: {counted(len(change.files), 'file')},"
        f" {counted(change.lines_added, 'line')} added, {change.lines_deleted:,} deleted.",
        f"Risk {risk.score:g} of 100 ({risk.level})" + _because(risk) + ".",
        f"{_found(reports).capitalize()}.",
    ]
    if change.truncated:
        parts.append(f"Not everything was looked at: {change.truncated}.")
    silent = not_run(reports)
    if silent:
        parts.append(f"{'; '.join(silent)}.")
    return " ".join(parts)


def _because(risk: ChangeRisk) -> str:
    return ": " + ", ".join(each.text for each in risk.contributions) if risk.contributions else ""


def _found(reports: Sequence[EngineReport]) -> str:
    found = new_findings(reports)
    if not found:
        return "no new finding"
    counts = [f"{number} {severity}" for severity, number in by_severity(found).items() if number]
    return f"{counted(len(found), 'new finding')} ({', '.join(counts)})"


def _told(change: Change, risk: ChangeRisk) -> dict[str, object]:
    return {
        "title": change.title,
        "files": len(change.files),
        "lines_added": change.lines_added,
        "lines_deleted": change.lines_deleted,
        "risk": {"score": risk.score, "level": risk.level, "contributions": plain(risk.contributions)},
        "base": change.base,
        "base_name": change.base_name,
        "head": change.head,
        "head_name": change.head_name,
        "merge_base": change.merge_base,
        "truncated": change.truncated,
    }
