"""SECURITY_REVIEW: the security engines over the item's change, for a person who decides.

It proposes nothing and applies nothing; a definition that would let an item go on from here without a person is
refused (see `model.definition_text`).
"""

from elohim_kernel.model.category import is_security
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.reports import by_severity, counted, facts_of, new_findings, not_run, summary_of
from elohim_kernel.ports import EngineRequest, Purpose, StageResult, StageWork, Tools

TYPE = "SECURITY_REVIEW"

_ENGINES = ("policy", "ruff")  # asked even where they are not installed, so that their silence is told


def run(work: StageWork, tools: Tools) -> StageResult:
    """Run the engines and report what they said. Raises `Invalid` when the item names no usable repository."""
    tools.progress("Reading the change", 0, 2)
    change = work.change(tools)
    names = tuple(dict.fromkeys((*_ENGINES, *tools.usual(Purpose.SECURITY))))
    tools.progress(f"Running {', '.join(names)}", 1, 2)
    reports = tools.engines(names, EngineRequest.about(change))
    tools.progress("Done", 2, 2)
    new = [finding for finding in new_findings(reports) if is_security(finding.category)]
    missing = not_run(reports)
    told = [f"{number} {severity}" for severity, number in by_severity(new).items() if number]
    worst = min((finding.severity for finding in new), key=lambda severity: severity.rank, default=Severity.INFO)
    note = counted(len(new), "new security finding") + (f" ({', '.join(told)})" if told else "")
    return StageResult(
        note=note + "".join(f"; {line}" for line in missing),
        data={"security_findings": {**summary_of(change, reports), "worst_new": worst.value, "not_run": list(missing)}},
        reports=reports,
        change=change,
        facts=facts_of(reports),
    )
