"""`elohim inbox`: what you were told."""

from typing import Annotated

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command
from elohim_kernel.surfaces.cli.layout import table, when, width

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@command(app, "inbox")
def inbox(
    call: Call,
    all: Annotated[bool, typer.Option("--all", help="What you have read, too.")] = False,  # noqa: A002
    read: Annotated[bool, typer.Option("--read", help="Mark everything as read.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 50,
) -> None:
    """Show what you were told, newest first."""
    found = call.ask("get_inbox", unread=not all, limit=limit)
    if read:
        call.do("read_inbox")
    head = ("when", "item", "kind", "by", "text")
    rows = [(when(one["when"]), one["reference"], one["kind"], one["by"], one["text"]) for one in found]
    call.show(found, lambda: list(table(head, rows, room=width())) or ["nothing new"])
