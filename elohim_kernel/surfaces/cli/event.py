"""`elohim event`: what happened."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import pairs, table, when, width
from elohim_kernel.surfaces.cli.output import as_json
from elohim_kernel.surfaces.text import text

app = noun("What happened.")


@command(app, "list")
def list_events(
    call: Call,
    item: Annotated[str, typer.Option(help="Of this item, its approvals and its runs.")] = "",
    kind: Annotated[str, typer.Option(help="Of this kind, such as work_item or work_item.claimed.")] = "",
    subject: Annotated[str, typer.Option(help="About this id.")] = "",
    after: Annotated[int, typer.Option(help="Only those with a greater number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 50,
) -> None:
    """List what happened, newest first, as far as you may see it."""
    found = call.ask("list_events", item=item, kind=kind, subject=subject, after=after, limit=limit)
    head = ("event", "when", "kind", "by", "for", "where", "subject")
    rows = [
        (
            one["id"],
            when(one["happened_at"]),
            one["kind"],
            one["actor"],
            one["on_behalf_of"],
            one["scope"],
            one["subject"],
        )
        for one in found
    ]
    call.show(found, lambda: list(table(head, rows, room=width())) or ["no events"])


@command(app, "show")
def show(call: Call, event: Annotated[str, typer.Argument(metavar="EVENT", help="Id or number.")]) -> None:
    """Show one event with its data, what led to it, and its hash."""
    found = call.ask("show_event", event=event)
    call.show(found, lambda: _page(found))


def _page(found: dict[str, Any]) -> Iterator[str]:
    event = found["event"]
    yield from pairs(
        [
            ("event", f"{event['id']} (number {event['seq']})"),
            ("kind", event["kind"]),
            ("when", when(event["happened_at"])),
            ("by", event["actor"]),
            ("for", event["on_behalf_of"]),
            ("subject", event["subject"]),
            ("where", event["scope"]),
            ("cause", found["cause"]),
            ("hash", found["hash"]),
        ]
    )
    yield ""
    yield from text(as_json(event["data"]), lines=True).split("\n")
