"""Schedules at work: which slots are due, and the item that one opens, with the rights of the workflow's owner.

A slot is dealt with once, whatever process sees it: its command carries the schedule and the slot as idempotency key,
and the workflow remembers the last one.
"""

from datetime import datetime

from elohim_kernel.errors import Conflict
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.schedule import Schedule, due
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import ScheduleFired, Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, anywhere, on_workflow, workflow_named
from elohim_kernel.store.unit import Reader, Unit
from elohim_kernel.workflows.work_items import OpenWorkItem, open_work_item


class DueSlot(Value, frozen=True):
    """A slot that fires now."""

    workflow: str  # id
    owner: str  # id of whom it acts for
    schedule: str
    slot: datetime
    skipped: int = 0

    @property
    def key(self) -> str:
        """The idempotency key of whatever deals with it."""
        return f"{self.workflow}/{self.schedule}/{self.slot.isoformat()}"


class DueSchedules(Query, frozen=True):
    """The slots that are due, oldest first. Asked by the worker."""

    internal = True
    result = tuple[DueSlot, ...]
    example = {}


def due_schedules(query: DueSchedules, reader: Reader) -> tuple[DueSlot, ...]:
    """Answer `DueSchedules`."""
    found: list[DueSlot] = []
    for flow in reader.every(Workflow):
        if flow.archived or not reader.principal.sees(flow.tenant):
            continue
        for schedule in flow.current.definition.schedules:
            found += _due(flow, schedule, reader.now)
    return tuple(sorted(found, key=lambda one: (one.slot, one.key)))


def _due(flow: Workflow, schedule: Schedule, now: datetime) -> list[DueSlot]:
    # A schedule begins with the revision that brought it: what lay before that was never promised.
    begun = next(
        one.saved_at for one in flow.revisions if any(each.name == schedule.name for each in one.definition.schedules)
    )
    firing = due(schedule, after=flow.fired.get(schedule.name, begun), now=now)
    return [
        DueSlot(
            workflow=flow.id,
            owner=flow.owner,
            schedule=schedule.name,
            slot=slot,
            skipped=0 if place else firing.skipped,
        )
        for place, slot in enumerate(firing.slots)
    ]


class FireSchedule(Command, frozen=True):
    """Open the item that a slot of a schedule asks for. Done by the worker, for the workflow's owner."""

    internal = True
    result = str
    example = {"workflow": "Nightly scan", "schedule": "nightly", "slot": "2026-11-23T02:00:00Z"}

    workflow: str
    schedule: str
    slot: datetime
    skipped: int = 0


def fire_schedule(command: FireSchedule, unit: Unit) -> str:
    """Handle `FireSchedule`; returns the item's id."""
    flow = workflow_named(unit, command.workflow)
    schedule = next((one for one in flow.current.definition.schedules if one.name == command.schedule), None)
    if schedule is None:
        raise Conflict(f"workflow {flow.name!r} has no schedule {command.schedule!r} any more")
    _check_passed(command.slot, unit)
    if flow.fired.get(schedule.name, command.slot) > command.slot:
        raise Conflict(f"slot {command.slot.isoformat()} of {schedule.name!r} was dealt with")
    title = schedule.title or f"{flow.name}, {command.slot:%Y-%m-%d %H:%M} UTC"
    opened = open_work_item(OpenWorkItem(workflow=flow.id, title=title, data=schedule.data), unit)
    fired = ScheduleFired(schedule=schedule.name, slot=command.slot, item=opened.id, skipped=command.skipped)
    unit.emit(fired, subject=flow.id, scope=flow.id)
    return opened.id


def _check_passed(slot: datetime, unit: Unit) -> None:
    # A slot in the future would silence the schedule until then.
    if slot > unit.now:
        raise Conflict(f"slot {slot.isoformat()} has not come yet")


class SkipSlot(Command, frozen=True):
    """Deal with a slot that could not fire: it is not tried again, and the log says why."""

    internal = True
    example = {"workflow": "Nightly scan", "schedule": "nightly", "slot": "2026-11-23T02:00:00Z", "problem": "archived"}

    workflow: str
    schedule: str
    slot: datetime
    problem: str


def skip_slot(command: SkipSlot, unit: Unit) -> None:
    """Handle `SkipSlot`."""
    _check_passed(command.slot, unit)
    flow = workflow_named(unit, command.workflow)
    fired = ScheduleFired(schedule=command.schedule, slot=command.slot, skipped=1, problem=command.problem)
    unit.emit(fired, subject=flow.id, scope=flow.id)


COMMANDS = (
    CommandEntry(FireSchedule, fire_schedule, on_workflow),
    CommandEntry(SkipSlot, skip_slot, on_workflow),
)
QUERIES = (QueryEntry(DueSchedules, due_schedules, anywhere),)
