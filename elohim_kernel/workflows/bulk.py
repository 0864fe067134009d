"""One verb on many items, chosen by a query: shown first, then done in one transaction, all or nothing."""

from typing import Literal

from elohim_kernel.errors import Invalid, KernelError
from elohim_kernel.model.command import Command
from elohim_kernel.model.guards import check_names
from elohim_kernel.model.life_cycle import GUARD_NAMES, facts_for, guard
from elohim_kernel.model.value import Value
from elohim_kernel.model.work_item import Priority, WorkItem
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, on_workflow, workflow_named
from elohim_kernel.store.unit import Unit
from elohim_kernel.workflows.details import ChangeItem, CommentItem, TagItem, change_item, comment_item, tag_item
from elohim_kernel.workflows.work_items import (
    CancelItem,
    ClaimItem,
    ReassignItem,
    ReleaseItem,
    SendBack,
    cancel_item,
    claim_item,
    reassign_item,
    release_item,
    send_back,
)

_CAP = 10_000

BulkVerb = Literal["claim", "release", "reassign", "send_back", "cancel", "tag", "comment", "priority"]


class BulkLine(Value, frozen=True):
    """What happened, or would happen, to one item. `problem` is "" when it is fine."""

    reference: str
    title: str
    problem: str = ""


class BulkResult(Value, frozen=True):
    """The items that matched. With `dry_run`, or when one has a problem, nothing was changed."""

    dry_run: bool
    matched: int
    done: int
    lines: tuple[BulkLine, ...]


class BulkItems(Command, frozen=True):
    """Apply one verb to every open item of a workflow for which the guard `where` is true.

    `argument` is the verb's: the note or reason, the person to reassign to, the tag, the priority. `skip_refused`
    leaves out items that refuse the verb; without it one refusal changes nothing at all.
    """

    result = BulkResult
    example = {
        "workflow": "Standard Code Review",
        "verb": "tag",
        "argument": "stale",
        "where": "item.age_minutes > 1440",
    }

    workflow: str
    verb: BulkVerb
    where: str = "true"
    argument: str = ""
    dry_run: bool = False
    skip_refused: bool = False


def bulk_items(command: BulkItems, unit: Unit) -> BulkResult:
    """Handle `BulkItems`."""
    flow = workflow_named(unit, command.workflow)
    if command.verb not in ("claim", "release") and not command.argument:
        raise Invalid(f"{command.verb} needs an argument: a reason, a person, a tag, a text or a priority")
    items = _matching(unit, flow, command.where)
    lines = [_try(command, unit, item) for item in items]
    refused = [line for line in lines if line.problem]
    if command.dry_run:
        unit.forget()
    elif refused and not command.skip_refused:
        first = refused[0]
        raise Invalid(
            f"{len(refused)} of {len(lines)} items refuse {command.verb}, nothing was changed;"
            f" {first.reference}: {first.problem}",
            hint="look with a dry run, or skip those that refuse",
        )
    done = 0 if command.dry_run else len(lines) - len(refused)
    return BulkResult(dry_run=command.dry_run, matched=len(items), done=done, lines=tuple(lines))


def _matching(unit: Unit, flow: Workflow, where: str) -> list[WorkItem]:
    condition = guard(where)
    check_names(condition, GUARD_NAMES)
    rows = unit.rows(
        "items_by_number", status="", stage="", workflow=flow.id, assignee="", tag="", text="", open=True, limit=_CAP
    )
    items = [unit.get(WorkItem, row["id"]) for row in rows]
    return [
        item for item in items if not item.status.is_final and condition.evaluate(facts_for(item, now=unit.now)).passed
    ]


def _try(command: BulkItems, unit: Unit, item: WorkItem) -> BulkLine:
    mark = unit.mark()
    try:
        _apply(command, unit, item.id)
    except KernelError as refused:
        unit.back_to(mark)
        return BulkLine(reference=item.reference, title=item.title, problem=str(refused))
    return BulkLine(reference=item.reference, title=item.title)


def _apply(command: BulkItems, unit: Unit, item: str) -> None:
    text = command.argument
    match command.verb:
        case "claim":
            claim_item(ClaimItem(item=item), unit)
        case "release":
            release_item(ReleaseItem(item=item, note=text), unit)
        case "reassign":
            reassign_item(ReassignItem(item=item, to=text), unit)
        case "send_back":
            send_back(SendBack(item=item, note=text), unit)
        case "cancel":
            cancel_item(CancelItem(item=item, reason=text), unit)
        case "tag":
            tag_item(TagItem(item=item, add=(text,)), unit)
        case "comment":
            comment_item(CommentItem(item=item, text=text), unit)
        case "priority":
            if text not in list(Priority):
                raise Invalid(f"{text!r} is no priority; there is {', '.join(Priority)}")
            change_item(ChangeItem(item=item, priority=Priority(text)), unit)


COMMANDS = (CommandEntry(BulkItems, bulk_items, on_workflow),)
