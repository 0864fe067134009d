"""STATIC_ANALYSIS: the analysers over the item's change. All findings are recorded; those the change brings are new."""

from elohim_kernel.model.reports import SILENT, counted, facts_of, new_findings, summary_of
from elohim_kernel.ports import EngineRequest, Purpose, StageResult, StageWork, Tools

TYPE = "STATIC_ANALYSIS"

_ENGINES = ("ruff",)  # asked even where it is not installed, so that its silence is told


def run(work: StageWork, tools: Tools) -> StageResult:
    """Run the engines and report what they said. Raises `Invalid` when the item names no usable repository."""
    tools.progress("Reading the change", 0, 2)
    change = work.change(tools)
    names = tuple(dict.fromkeys((*_ENGINES, *tools.usual(Purpose.STATIC))))
    tools.progress(f"Running {', '.join(names)}", 1, 2)
    reports = tools.engines(names, EngineRequest.about(change))
    tools.progress("Done", 2, 2)
    found = new_findings(reports)
    silent = [report for report in reports if report.status in SILENT]
    note = f"{counted(len(found), 'new finding')} in {counted(len(change.files), 'changed file')}"
    return StageResult(
        note=note + "".join(f"; {report.engine} {report.status.value}: {report.reason}" for report in silent),
        data={"static_analysis": summary_of(change, reports)},
        reports=reports,
        change=change,
        facts=facts_of(reports),
    )
