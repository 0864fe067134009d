"""`elohim run`: runs of stages and playbooks."""

from typing import Annotated

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import pairs, table, when, width
from elohim_kernel.surfaces.text import text

app = noun("Runs of stages and playbooks.")

Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id; see run list.")]


@command(app, "list")
def list_runs(
    call: Call,
    item: Annotated[str, typer.Option(help="Only of this item.")] = "",
    status: Annotated[str, typer.Option(help="Only these: running, done, failed …")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 50,
) -> None:
    """List runs, newest first."""
    found = call.ask("list_runs", item=item, status=status, limit=limit)
    head = ("run", "kind", "name", "status", "steps", "started", "error")
    rows = [
        (one["id"], one["kind"], one["name"], one["status"], one["steps"], when(one["started_at"]), one["error"])
        for one in found
    ]
    call.show(found, lambda: list(table(head, rows, room=width(), paint={"status": ""})) or ["no runs"])


@command(app, "show")
def show(call: Call, run: Run) -> None:
    """Show one run."""
    found = call.ask("get_run", run=run)
    shown = [
        (name, when(value) if name.endswith("_at") else value)
        for name, value in found.items()
        if name not in ("digest", "cancel_asked")
    ]
    call.show(found, lambda: pairs(shown))


@command(app, "cancel")
def cancel(
    call: Call, run: Run, note: Annotated[str, typer.Option("--note", "--reason", "-m", help="Why.")] = ""
) -> None:
    """Ask a run to stop; it does at its next step, and its item waits for a person."""
    call.do("cancel_run", run=run, reason=note)
    call.show({"run": run, "cancel_asked": True}, lambda: [text(f"{run} was asked to stop")])
