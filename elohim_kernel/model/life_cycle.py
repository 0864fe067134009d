"""The life of a work item, decided: where it goes next, who gets it, and what may be done to it now. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from elohim_kernel.errors import Conflict, Invalid
from elohim_kernel.model.guards import Guard, explain, parse
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.value import Value
from elohim_kernel.model.work_item import Entry, Status, WorkItem, due_after
from elohim_kernel.model.workflow import END, AssignTo, Definition, Stage

# What a guard on a route may read. Everything below `data` is the item's own and free.
GUARD_NAMES: Final = frozenset(
    {
        "data.*",
        "outcome",
        "now",
        "item.reference",
        "item.title",
        "item.priority",
        "item.tags",
        "item.stage",
        "item.overdue",
        "item.age_minutes",
        "item.opened_by",
        "findings.total",
        *(
            f"findings.{part}.{level}"
            for part in ("new", "open")
            for level in ("critical", "high", "medium", "low", "info")
        ),
        "tests.passed",
        "tests.failed",
        "tests.skipped",
        "tools.not_run",
        "tools.failed",
        "tools.partial",
        "secrets.new",
        "policy.new",
        "change.files",
        "change.lines_added",
        "change.lines_deleted",
        "change.risk",
        "change.level",
        "recommendation.verdict",
        "approvals.approved",
        "approvals.rejected",
    }
)

Resolve = Callable[[AssignTo, str, int], str]  # kind, name, item number → id of a principal; "" when it names a queue


@lru_cache(maxsize=4096)
def guard(text: str) -> Guard:
    """The parsed guard; parsing is done once for each text."""
    return parse(text)


class Chosen(Value, frozen=True):
    """The route an item takes, and the guard that was true for it ("" for the default)."""

    to: str
    why: str = ""
    tried: tuple[str, ...] = ()  # each guard that was asked: its clauses with their values, in words


def facts_for(
    item: WorkItem, *, now: datetime, outcome: str = "", data: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The names a guard may read about an item. JSON, hence `Any`."""
    return {
        **item.facts,
        "data": {**item.data, **(data or {})},
        "outcome": outcome,
        "now": now,
        "item": {
            "reference": item.reference,
            "title": item.title,
            "priority": item.priority.value,
            "tags": list(item.tags),
            "stage": item.stage,
            "overdue": item.overdue,
            "age_minutes": int((now - item.opened_at).total_seconds() // 60),
            "opened_by": item.opened_by,
        },
    }


def choose(definition: Definition, stage: Stage, facts: Mapping[str, Any]) -> Chosen:
    """The first route whose guard is true; else the default. An unknown or failing guard never moves an item."""
    tried: list[str] = []
    for route in stage.routes:
        if not route.when:
            return Chosen(to=route.to, tried=tuple(tried))
        tried.append(f"to {route.to}: {explain(guard(route.when), facts)}")
        if guard(route.when).evaluate(facts).passed:
            return Chosen(to=route.to, why=route.when, tried=tuple(tried))
    return Chosen(to=definition.after(stage), tried=tuple(tried))


def goes_on(definition: Definition, stage: Stage) -> bool:
    """Whether an item leaves an automated stage by itself when the stage is done.

    It does not leave a stage that must not complete by itself for anything but a stage of people.
    """
    return stage.auto_advance and (stage.type.traits.may_auto_complete or not past_people(definition, stage))


def past_people(definition: Definition, stage: Stage) -> tuple[str, ...]:
    """Where an item may go from a stage without coming to a person first: keys of stages, or `END`."""
    ways = dict.fromkeys([*(route.to for route in stage.routes), definition.after(stage)])
    types = {each.key: each.type for each in definition.stages}
    return tuple(way for way in ways if way == END or (way in types and types[way].traits.automated))


def enter(definition: Definition, key: str, *, number: int, now: datetime, resolve: Resolve) -> Entry:
    """How item `number` arrives in the stage `key`, or at `END`."""
    if key == END:
        return Entry(stage=END, stage_type="", status=Status.COMPLETED)
    stage = definition.stage(key)
    due = due_after(stage.sla_minutes, now)
    if stage.type.traits.automated:
        return Entry(stage=key, stage_type=stage.type, status=Status.PENDING, sla_due=due, run=True)
    if stage.type is StageType.APPROVAL:
        return Entry(stage=key, stage_type=stage.type, status=Status.WAITING, sla_due=due)
    to = stage.assignment.to
    if to in (AssignTo.PERSON, AssignTo.ROUND_ROBIN):
        who = resolve(to, stage.assignment.who, number)
        return Entry(stage=key, stage_type=stage.type, status=Status.CLAIMED, assignee=who, sla_due=due)
    return Entry(stage=key, stage_type=stage.type, status=Status.PENDING, queue=stage.assignment.who, sla_due=due)


def check_not_final(item: WorkItem, verb: str) -> None:
    """Raise `Conflict` when the item is finished."""
    if item.status.is_final:
        raise Conflict(f"{item.reference} is {item.status.value}: it cannot be {verb}")


def check_claim(item: WorkItem, who: str) -> None:
    """Raise `Conflict` unless the item waits for somebody to take it."""
    check_not_final(item, "claimed")
    if item.assignee == who:
        raise Conflict(f"{item.reference} is already yours")
    if item.assignee:
        raise Conflict(f"{item.reference} is already taken", hint="ask for it to be released or reassigned")
    if item.status is not Status.PENDING or StageType(item.stage_type).traits.automated:
        raise Conflict(
            f"{item.reference} is {item.status.value} in stage {item.stage}: nothing here waits for a person"
        )


def check_release(item: WorkItem) -> None:
    """Raise `Conflict` unless somebody has the item."""
    check_not_final(item, "released")
    if not item.assignee or item.status not in (Status.CLAIMED, Status.IN_PROGRESS):
        raise Conflict(f"{item.reference} is not taken by anybody", hint="only a claimed item can be released")


def check_complete(item: WorkItem, stage: Stage, who: str) -> None:
    """Raise `Conflict` unless `who` may complete the stage as it stands."""
    check_not_final(item, "completed")
    if item.approval:
        raise Conflict(f"{item.reference} waits for an approval", hint=f"elohim item approve {item.reference}")
    if stage.type.traits.automated and item.status not in (Status.FAILED, Status.WAITING):
        raise Conflict(
            f"stage {stage.key} of {item.reference} is done by the workbench, not by a person",
            hint="elohim work --once",
        )
    if item.assignee and item.assignee != who:
        raise Conflict(f"{item.reference} is taken by somebody else", hint="ask for it to be released or reassigned")


def check_send_back(item: WorkItem, definition: Definition, to: str) -> str:
    """The stage an item goes back to: `to`, or where it came from. Raises `Conflict` or `Invalid`."""
    check_not_final(item, "sent back")
    keys = [stage.key for stage in definition.stages]
    here = keys.index(item.stage)
    target = to or stage_before(item, definition)
    if not target:
        raise Conflict(f"{item.reference} is in its first stage: there is nothing to send it back to")
    if target not in keys:
        raise Invalid(f"there is no stage {target!r} in this workflow; it has {', '.join(keys)}")
    if keys.index(target) >= here:
        raise Conflict(f"stage {target} is not before {item.stage}: {item.reference} can only be sent back")
    return target


def stage_before(item: WorkItem, definition: Definition) -> str:
    """Where an item that is turned away goes back to: the earlier stage it came from, else the one written before.

    "" in the first stage. A stage it was sent back from lies ahead, and is not where it goes back to.
    """
    keys = [stage.key for stage in definition.stages]
    earlier = keys[: keys.index(item.stage)]
    if item.came_from in earlier:
        return item.came_from
    return earlier[-1] if earlier else ""
