"""`elohim work`: run the automated stages that are due."""

from typing import Annotated, Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command
from elohim_kernel.surfaces.cli.layout import counted
from elohim_kernel.surfaces.text import text

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@command(app, "work")
def work(
    call: Call,
    once: Annotated[bool, typer.Option("--once", help="Do what is due and end; the default.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Go on until stopped.")] = False,
    item: Annotated[str, typer.Option(help="Only for this item.")] = "",
) -> None:
    """Run the automated stages that are due, close what has expired, and mark what is overdue.

    Several may run at a time, on one home: each piece of work is done by one of them.
    """
    from elohim_kernel.errors import Invalid
    from elohim_kernel.surfaces.cli.progress import progress
    from elohim_kernel.surfaces.cli.stopping import stoppable, until_told

    if loop and (once or item):
        raise Invalid("--loop goes alone", hint="elohim work --loop, or elohim work --once --item EL-1")
    with progress(json=call.given.json) as told:
        worker = call.workbench.worker(
            on_progress=lambda job, words, done, total: told.tell(f"{job.reference} {job.stage}", words, done, total)
        )
        if loop:
            worker.serve(until_told())
            return
        due = worker.housekeeping()
        identifier = call.ask("get_item", item=item)["id"] if item else ""
        ran: list[dict[str, Any]] = []
        with stoppable(worker) as asked:
            while not asked.is_set() and (job := worker.run_next(item=identifier)) is not None:
                ran.append({"item": job.reference, "stage": job.stage, "run": job.run})
    for one in ran:
        one["status"] = call.ask("get_run", run=one["run"])["status"]
    lines = [text(f"{one['item']} {one['stage']}: {one['status']}") for one in ran]
    summary = f"{counted(len(ran), 'stage')} run, {counted(due, 'thing')} expired or overdue"
    call.show({"stages": ran, "expired": due}, lambda: [*lines, summary])
