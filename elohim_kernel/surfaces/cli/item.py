"""`elohim item`: look at work items and take them through their stages."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import counted, table, until, width
from elohim_kernel.surfaces.text import text

app = noun("Work items: look, claim, complete, approve, send back.")

Item = Annotated[str, typer.Argument(metavar="ITEM", help="Reference or id, such as EL-1.")]
Note = Annotated[str, typer.Option("--note", "-m", help="Why, in your words.")]
Why = Annotated[str, typer.Option("--note", "--reason", "-m", help="Why, in your words.")]
Set = Annotated[list[str], typer.Option("--set", "-f", metavar="NAME=VALUE", help="A field; repeat for more.")]
Level = Literal["low", "normal", "high", "urgent"]


@command(app, "list")
def list_items(
    call: Call,
    status: Annotated[str, typer.Option(help="Only these: pending, claimed, waiting …")] = "",
    stage: Annotated[str, typer.Option(help="Only in this stage.")] = "",
    workflow: Annotated[str, typer.Option(help="Only of this workflow.")] = "",
    assignee: Annotated[str, typer.Option(help="Only of this person; `me` is you.")] = "",
    tag: Annotated[str, typer.Option(help="Only with this tag.")] = "",
    words: Annotated[str, typer.Option("--text", help="Only with this in the title.")] = "",
    unfinished: Annotated[bool, typer.Option("--open", help="Only those that are not finished.")] = False,
    order: Annotated[Literal["priority", "age", "sla", "number"], typer.Option(help="What comes first.")] = "number",
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 100,
) -> None:
    """List the items you can see, newest first, or in the order of a queue."""
    found = call.ask(
        "list_items",
        status=status,
        stage=stage,
        workflow=workflow,
        assignee=assignee,
        tag=tag,
        text=words,
        open=unfinished,
        order=order,
        limit=limit,
    )
    head = ("item", "priority", "status", "stage", "assignee", "due", "title")
    rows = [
        (one["reference"], one["priority"], one["status"], one["stage"], one["assignee"], _due(one), one["title"])
        for one in found
    ]
    paint = {"priority": "", "status": ""}
    call.show(found, lambda: list(table(head, rows, room=width(), paint=paint)) or ["no items: elohim review PATH"])


def _due(item: dict[str, Any]) -> str:
    return until(item["sla_due"])


@command(app, "show")
def show(call: Call, item: Item) -> None:
    """Show one item: where it stands, what was found, what is advised, and what you can do."""
    from elohim_kernel.surfaces.cli.item_page import page

    found = call.ask("get_item", item=item)
    call.show(found, lambda: page(found, stage_of(call, found), room=width()))


def stage_of(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    """The definition of the stage that an item is in, at the item's own revision; empty when it is in none."""
    told = call.ask("get_workflow", workflow=item["workflow_id"], revision=item["revision"])
    stages: list[dict[str, Any]] = told["definition"]["stages"]
    return next((stage for stage in stages if stage["key"] == item["stage"]), {})


@command(app, "open")
def open_item(
    call: Call,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Name or id.")],
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is about.")],
    data: Set = [],  # noqa: B006 - Typer copies it
    priority: Annotated[Level, typer.Option(help="How urgent.")] = "normal",
    tag: Annotated[list[str], typer.Option(help="A tag; repeat for more.")] = [],  # noqa: B006
) -> None:
    """Open an item in a workflow."""
    from elohim_kernel.surfaces.cli.values import literal, named

    fields = {name: literal(word) for name, word in named(data).items()}
    _moved(call, call.do("open_work_item", workflow=workflow, title=title, data=fields, priority=priority, tags=tag))


@command(app, "claim")
def claim(call: Call, item: Item) -> None:
    """Take an item from its queue."""
    _moved(call, call.do("claim_item", item=item))


@command(app, "release")
def release(call: Call, item: Item, note: Note = "") -> None:
    """Give an item back to its queue."""
    _moved(call, call.do("release_item", item=item, note=note))


@command(app, "reassign")
def reassign(
    call: Call, item: Item, to: Annotated[str, typer.Argument(metavar="NAME", help="Who gets it.")], note: Note = ""
) -> None:
    """Give an item to somebody else."""
    _moved(call, call.do("reassign_item", item=item, to=to, note=note))


@command(app, "complete")
def complete(
    call: Call,
    item: Item,
    fields: Set = [],  # noqa: B006
    note: Note = "",
    outcome: Annotated[str, typer.Option(help="A word that routes may ask for.")] = "",
) -> None:
    """Complete the stage an item is in. Answers to its form are given as `-f name=value`."""
    from elohim_kernel.surfaces.cli.form import answers

    found = call.ask("get_item", item=item)
    form = answers(stage_of(call, found).get("form", []), fields)
    _moved(call, call.do("complete_stage", item=item, note=note, outcome=outcome, form=form))


@command(app, "back")
def back(
    call: Call,
    item: Item,
    note: Annotated[str, typer.Option("--note", "-m", help="Why; whoever gets it reads this.")],
    to: Annotated[str, typer.Option(help="An earlier stage; else the one it came from.")] = "",
) -> None:
    """Send an item back to an earlier stage."""
    _moved(call, call.do("send_back", item=item, note=note, to=to))


@command(app, "cancel")
def cancel(call: Call, item: Item, note: Why) -> None:
    """Give an item up; what is known about it stays."""
    _moved(call, call.do("cancel_item", item=item, reason=note))


@command(app, "retry")
def retry(call: Call, item: Item, note: Note = "") -> None:
    """Try a failed automated stage again; `elohim work --once` then runs it."""
    _moved(call, call.do("retry_stage", item=item, note=note))


@command(app, "pause")
def pause(call: Call, item: Item, note: Why) -> None:
    """Stop the clock of the stage."""
    _moved(call, call.do("pause_sla", item=item, reason=note))


@command(app, "resume")
def resume(call: Call, item: Item) -> None:
    """Let the clock of the stage run again."""
    _moved(call, call.do("resume_sla", item=item))


@command(app, "comment")
def comment(call: Call, item: Item, words: Annotated[str, typer.Argument(metavar="TEXT")]) -> None:
    """Say something about an item; `@name` tells that person."""
    _moved(call, call.do("comment_item", item=item, text=words))


@command(app, "tag")
def tag(
    call: Call,
    item: Item,
    add: Annotated[list[str], typer.Argument(metavar="[TAG]...")] = [],  # noqa: B006
    remove: Annotated[list[str], typer.Option("--remove", "-r", metavar="TAG", help="Take this one off.")] = [],  # noqa: B006
) -> None:
    """Add and remove tags."""
    _moved(call, call.do("tag_item", item=item, add=add, remove=remove))


@command(app, "link")
def link(
    call: Call,
    item: Item,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Another item, or an http(s) address.")],
    kind: Annotated[str, typer.Option(help="How they are related.")] = "relates",
    title: Annotated[str, typer.Option(help="What stands at the address.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the link away.")] = False,
) -> None:
    """Relate an item to another one, or to an address."""
    if remove:
        _moved(call, call.do("unlink_item", item=item, target=target))
    else:
        _moved(call, call.do("link_item", item=item, target=target, kind=kind, title=title))


@command(app, "attach")
def attach(call: Call, item: Item, file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Attach a file by reference, with its digest; the file stays where it is."""
    from elohim_kernel.surfaces.cli.files import measured

    location, size, digest = measured(file)
    _moved(call, call.do("attach_file", item=item, name=file.name, location=location, size=size, digest=digest))


@command(app, "change")
def change(
    call: Call,
    item: Item,
    title: Annotated[str | None, typer.Option(help="A new title.")] = None,
    priority: Annotated[Level | None, typer.Option(help="A new priority.")] = None,
    data: Set = [],  # noqa: B006
) -> None:
    """Set the title, the priority, or values of the data."""
    from elohim_kernel.surfaces.cli.values import literal, named

    fields = {name: literal(word) for name, word in named(data).items()} or None
    _moved(call, call.do("change_item", item=item, title=title, priority=priority, data=fields))


Digest = Annotated[
    str | None, typer.Option(help="What you were shown; refused when it has changed since. See item show.")
]


@command(app, "approve")
def approve(call: Call, item: Item, note: Note = "", digest: Digest = None) -> None:
    """Say yes to what is asked: to an approval by id, or to the open one of an item."""
    _decided(call, call.do("approve", approval=item, comment=note, digest=digest))


@command(app, "reject")
def reject(call: Call, item: Item, note: Note = "", digest: Digest = None) -> None:
    """Say no to what is asked."""
    _decided(call, call.do("reject", approval=item, comment=note, digest=digest))


@command(app, "approvals")
def approvals(
    call: Call, item: Annotated[str, typer.Argument(metavar="[ITEM]", help="Of this item; else all open ones.")] = ""
) -> None:
    """List approvals that are asked for, and those of an item."""
    found = call.ask("list_approvals", item=item)
    head = ("approval", "item", "stage", "status", "votes", "asked by", "expires", "title")
    rows = [
        (
            one["id"],
            one["reference"],
            one["stage"],
            one["status"],
            f"{len(one['votes'])} of {one['need']}",
            one["requested_by"],
            until(one["expires_at"]),
            one["title"],
        )
        for one in found
    ]
    call.show(found, lambda: list(table(head, rows, room=width(), paint={"status": ""})) or ["nothing is asked"])


Verb = Literal["claim", "release", "reassign", "send_back", "cancel", "tag", "comment", "priority"]


@command(app, "bulk")
def bulk(
    call: Call,
    verb: Annotated[Verb, typer.Argument(metavar="VERB", help="claim, release, reassign, send_back, cancel, tag …")],
    argument: Annotated[str, typer.Argument(metavar="[ARGUMENT]", help="The verb's: a reason, person, tag …")] = "",
    workflow: Annotated[str, typer.Option(help="Items of this workflow.")] = "Standard Code Review",
    where: Annotated[str, typer.Option(help="Those for which this guard is true.")] = "true",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")] = False,
    skip_refused: Annotated[bool, typer.Option("--skip-refused", help="Leave out items that refuse.")] = False,
) -> None:
    """Do one verb to every open item of a workflow that a guard picks: all of them, or none.

    elohim item bulk tag stale --where "item.age_minutes > 1440" --dry-run
    """
    found = call.do(
        "bulk_items",
        workflow=workflow,
        verb=verb,
        argument=argument,
        where=where,
        dry_run=dry_run,
        skip_refused=skip_refused,
    )
    rows = [(line["reference"], line["problem"] or "fine", line["title"]) for line in found["lines"]]
    done = "nothing was changed" if found["dry_run"] else f"{found['done']:,} done"
    closing = f"{counted(found['matched'], 'item')} matched, {done}"
    call.show(found, lambda: [*table(("item", verb, "title"), rows, room=width()), closing])


def _moved(call: Call, moved: dict[str, Any]) -> None:
    waits = f", waits for approval {moved['approval']}" if moved["approval"] else ""
    status = moved["status"].replace("_", " ")
    line = f"{moved['reference']} is {status}{waits}"
    if moved["status"] not in ("completed", "cancelled"):
        line = f"{moved['reference']} is {status} in {moved['stage']}{waits}"
    call.show(moved, lambda: [text(line)])


def _decided(call: Call, decided: dict[str, Any]) -> None:
    votes = f"{counted(len(decided['votes']), 'vote')} of {decided['need']} needed"
    stands = f"{decided['reference']} is {decided['item_status'].replace('_', ' ')} in {decided['stage']}"
    call.show(decided, lambda: [text(f"{decided['status']}: {votes}; {stands}")])
