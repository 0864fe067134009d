"""What `review` and `demo` share: a review with progress, its report notebook, and the lines it ends with."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from elohim_kernel.errors import KernelError
from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.item import stage_of
from elohim_kernel.surfaces.cli.item_page import findings_table, form_of, live, next_calls, severities, verdict
from elohim_kernel.surfaces.cli.layout import pairs, until, width
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.cli.progress import progress
from elohim_kernel.surfaces.cli.stopping import stoppable
from elohim_kernel.surfaces.text import text

REPORT: Final = "review_report"
SEVERITIES: Final = ("critical", "high", "medium", "low", "info")
_TOP: Final = 3


class Report(NamedTuple):
    """Where the executed report is, or why there is none: one of the two is "". Both are when none was wanted."""

    path: str = ""
    problem: str = ""


class Reviewed(NamedTuple):
    """A review as far as no person is needed."""

    item: Mapping[str, Any]  # an answer as plain data: JSON, hence Any
    report: Report


def reviewed(
    call: Call, repository: str, *, base: str | None, head: str | None, template: str, report: bool
) -> Reviewed:
    """Review a change and, when wanted, run the report on it; an item that failed gets no report.

    Raises `Invalid` before anything is recorded when the repository or a revision is not there.
    """
    with progress(json=call.given.json) as told:
        opened = call.workbench.open_review(repository, base=base, head=head, template=template)
        worker = call.workbench.worker(
            on_progress=lambda work, words, done, total: told.tell(f"{work.reference} {work.stage}", words, done, total)
        )
        with stoppable(worker):
            worker.drain(item=opened.id)
        item = call.ask("get_item", item=opened.id)
        made = Report()
        if report and item["status"] != "failed":
            made = _report(call, item["reference"], lambda cell, cells, _: told.tell("report", "notebook", cell, cells))
        return Reviewed(call.ask("get_item", item=opened.id), made)


def _report(call: Call, reference: str, on_cell: Any) -> Report:  # a callable that mypy checks at its use
    if call.connection.status()["owner"] == "inline":
        return Report(problem="this process holds the store for itself, so a notebook cannot reach it")
    try:
        run = call.workbench.run_playbook(REPORT, {"item": reference}, item=reference, on_progress=on_cell)
    except KernelError as wrong:
        # The review stands without its report; what is missing is said.
        return Report(problem=str(wrong))
    return Report(path=run.notebook.output) if run.ok else Report(path=run.notebook.output, problem=run.problem)


def closing(call: Call, done: Reviewed) -> Iterator[str]:
    """The lines a review ends with: what was found, where the report is, what waits for whom, and what to type next."""
    item, room = done.item, width()
    there = live(item["findings"])
    changed = [one for one in there if one["on_changed_line"]]
    yield f"{painted(text(item['reference']), 'strong')}  {text(item['title'])}"
    advice = item["recommendation"]
    yield from pairs(
        [
            ("found", _found(there, changed)),
            ("advice", f"{verdict(advice)}, risk {_risk(item)}" if advice else ""),
            ("not run", "; ".join(advice["not_run"]) if advice else ""),
            ("report", _where(done.report)),
            ("waits", _waits(item)),
        ]
    )
    if changed:
        yield ""
        yield from findings_table(changed[:_TOP], room)
        if len(changed) > _TOP:
            yield f"… and {len(changed) - _TOP} more"
    yield ""
    yield painted("Next", "strong")
    stage = stage_of(call, dict(item))
    for each in [f"elohim item show {text(item['reference'])}", *next_calls(item, stage)][:_TOP]:
        yield f"  {each}"
    if form_of(item, stage):
        yield f"  {painted(form_of(item, stage), 'faint')}"


def over_policy(item: Mapping[str, Any], level: str) -> bool:
    """Whether an unsettled finding on a changed line is as bad as `level` or worse; "never" is never."""
    if level == "never":
        return False
    worst = SEVERITIES[: SEVERITIES.index(level) + 1]
    return any(one["on_changed_line"] and one["severity"] in worst for one in live(item["findings"]))


def _found(there: list[Any], changed: list[Any]) -> str:
    told = f"{len(changed)} on changed lines ({severities(changed)})" if changed else "nothing on changed lines"
    others = len(there) - len(changed)
    return f"{told}, {others} elsewhere in the changed files" if others else told


def _risk(item: Mapping[str, Any]) -> str:
    risk = item["data"].get("change", {}).get("risk", {})
    return f"{risk['score']:g} of 100 ({risk['level']})" if risk else "unknown"


def _where(report: Report) -> str:
    if report.problem:
        return f"{report.problem}; see {report.path}" if report.path else f"not run, because {report.problem}"
    return report.path


def _waits(item: Mapping[str, Any]) -> str:
    if item["status"] in ("completed", "cancelled"):
        return f"nothing: {item['status']}"
    if item["status"] == "failed":
        return f"stage {item['stage']} failed: {item['history'][-1]['note']}"
    who = item["assignee"] or "whoever claims it"
    due = until(item["sla_due"])
    return f"{item['stage']}, for {who}{f', due {due}' if due else ''}"
