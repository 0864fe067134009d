"""STATIC_ANALYSIS: ruff over the item's change. All findings are recorded; those on changed lines are new."""

from elohim_kernel.model.change import Change
from elohim_kernel.model.reports import SILENT, counted, facts_of, new_findings, summary_of
from elohim_kernel.model.target import target_of
from elohim_kernel.ports import EngineRequest, StageResult, StageWork, Tools

TYPE = "STATIC_ANALYSIS"

_ENGINES = ("ruff",)


def run(work: StageWork, tools: Tools) -> StageResult:
    """Run the engines and report what they said. Raises `Invalid` when the item names no usable repository."""
    tools.progress("Reading the change", 0, len(_ENGINES) + 1)
    target = target_of(work.data, path=work.target_path, reference=work.reference)
    # Journalled: a branch that moves while the stage runs does not change what is looked at.
    change = tools.step(
        "change", target, Change, lambda: tools.repository(target.repository).change(target.base, target.head)
    )
    request = EngineRequest(repository=change.repository, head=change.head, change=change)
    tools.progress(f"Running {', '.join(_ENGINES)}", 1, len(_ENGINES) + 1)
    reports = tools.engines(_ENGINES, request)
    tools.progress("Done", len(_ENGINES) + 1, len(_ENGINES) + 1)
    found = new_findings(reports)
    silent = [report for report in reports if report.status in SILENT]
    note = f"{counted(len(found), 'finding')} on changed lines of {counted(len(change.files), 'file')}"
    return StageResult(
        note=note + "".join(f"; {report.engine} {report.status.value}: {report.reason}" for report in silent),
        data={"static_analysis": summary_of(change, reports)},
        reports=reports,
        change=change,
        facts=facts_of(reports),
    )
