"""Work items: opening them and taking them through their stages."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from elohim_kernel.errors import Conflict
from elohim_kernel.model.access import Principal, Team
from elohim_kernel.model.command import Command
from elohim_kernel.model.form import answers
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.life_cycle import (
    check_claim,
    check_complete,
    check_not_final,
    check_release,
    check_send_back,
)
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.value import Value
from elohim_kernel.model.work_item import (
    Priority,
    SlaPaused,
    SlaResumed,
    Status,
    WorkItem,
    WorkItemCancelled,
    WorkItemChanged,
    WorkItemClaimed,
    WorkItemOpened,
    WorkItemReassigned,
    WorkItemReleased,
    WorkItemRetried,
    WorkItemSentBack,
)
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, on_item, on_workflow, workflow_named
from elohim_kernel.store.unit import Unit, item_named
from elohim_kernel.workflows.moves import (
    advance,
    arrived,
    ask_approval,
    definition_of,
    entry_into,
    person_in,
    withdraw_approval,
)


class Moved(Value, frozen=True):
    """Where an item is after a command."""

    id: str
    reference: str
    stage: str
    status: Status
    approval: str = ""


def moved(unit: Unit, item_id: str) -> Moved:
    """The result of a command on an item."""
    item = unit.get(WorkItem, item_id)
    return Moved(id=item.id, reference=item.reference, stage=item.stage, status=item.status, approval=item.approval)


class OpenWorkItem(Command, frozen=True):
    """Open a work item in a workflow; it starts in the first stage, on the newest revision."""

    result = Moved
    example = {"workflow": "Standard Code Review", "title": "Cache routes", "data": {"repository": "/src/service"}}

    workflow: str
    title: str
    data: Mapping[str, Any] = {}
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()


def open_work_item(command: OpenWorkItem, unit: Unit) -> Moved:
    """Handle `OpenWorkItem`."""
    flow = workflow_named(unit, command.workflow)
    if flow.archived:
        raise Conflict(f"workflow {flow.name!r} is archived: no new items may be opened in it")
    revision = flow.current
    first = revision.definition.stages[0]
    number = unit.next_number()
    item_id = new_id("wi")
    unit.emit(
        WorkItemOpened(
            number=number,
            workflow=flow.id,
            revision=revision.number,
            title=command.title.strip() or revision.definition.name,
            entry=entry_into(unit, flow, revision.definition, first.key, number),
            priority=command.priority,
            data=command.data,
            tags=tuple(dict.fromkeys(command.tags)),
        ),
        subject=item_id,
        scope=flow.id,
    )
    arrived(unit, item_id)
    return moved(unit, item_id)


class ClaimItem(Command, frozen=True):
    """Take an item from its queue."""

    result = Moved
    example = {"item": "EL-1"}

    item: str


def claim_item(command: ClaimItem, unit: Unit) -> Moved:
    """Handle `ClaimItem`."""
    item = item_named(unit, command.item)
    check_claim(item, unit.principal.id)
    _check_queue(unit, item, unit.principal)
    unit.emit(WorkItemClaimed(assignee=unit.principal.id), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


def _check_queue(unit: Unit, item: WorkItem, who: Principal) -> None:
    """Raise `Conflict` unless `who` holds the role, or is in the team, that the item's queue is named after."""
    flow = unit.get(Workflow, item.workflow)
    if not item.queue or flow.tenant == who.id or item.queue in who.roles_in(flow.tenant):
        return
    team = unit.by_key(Team, item.queue)
    if team is None or team.id not in who.teams:
        raise Conflict(
            f"{item.reference} waits for somebody of {item.queue!r}, and {who.name} is not",
            hint="a queue is the name of a role held there, or of a team",
        )


class ReleaseItem(Command, frozen=True):
    """Give an item back to its queue."""

    result = Moved
    example = {"item": "EL-1", "note": "on leave tomorrow"}

    item: str
    note: str = ""


def release_item(command: ReleaseItem, unit: Unit) -> Moved:
    """Handle `ReleaseItem`."""
    item = item_named(unit, command.item)
    check_release(item)
    unit.emit(WorkItemReleased(note=command.note), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


class ReassignItem(Command, frozen=True):
    """Give an item to somebody else."""

    result = Moved
    example = {"item": "EL-1", "to": "bo"}

    item: str
    to: str
    note: str = ""


def reassign_item(command: ReassignItem, unit: Unit) -> Moved:
    """Handle `ReassignItem`."""
    item = item_named(unit, command.item)
    check_not_final(item, "reassigned")
    if StageType(item.stage_type).traits.automated or item.status is Status.WAITING:
        raise Conflict(
            f"{item.reference} is {item.status.value} in stage {item.stage}: nothing here waits for a person"
        )
    who = person_in(unit, unit.get(Workflow, item.workflow), command.to)
    _check_queue(unit, item, who)
    unit.emit(WorkItemReassigned(assignee=who.id, note=command.note), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


class CompleteStage(Command, frozen=True):
    """Complete the stage an item is in: form answers become data, and the item goes where its routes lead.

    A stage that requires an approval asks for it first, and the item waits.
    """

    result = Moved
    example = {"item": "EL-1", "note": "looks good", "outcome": "accepted"}

    item: str
    note: str = ""
    outcome: str = ""
    form: Mapping[str, Any] = {}


def complete_stage(command: CompleteStage, unit: Unit) -> Moved:
    """Handle `CompleteStage`."""
    item = item_named(unit, command.item)
    stage = definition_of(unit, item).stage(item.stage)
    check_complete(item, stage, unit.principal.id)
    _check_queue(unit, item, unit.principal)
    data = answers(stage.form, command.form)
    if stage.requires_approval is not None:
        item = _with_data(unit, item, data, command.outcome)
        ask_approval(unit, item, stage, stage.requires_approval, note=command.note)
    else:
        advance(unit, item, note=command.note, outcome=command.outcome, data=data)
    return moved(unit, item.id)


def _with_data(unit: Unit, item: WorkItem, data: Mapping[str, Any], outcome: str) -> WorkItem:
    from_form = {**data, **({"outcome": outcome} if outcome else {})}
    if from_form:
        unit.emit(WorkItemChanged(data=from_form), subject=item.id, scope=item.workflow)
    return unit.get(WorkItem, item.id)


class SendBack(Command, frozen=True):
    """Send an item back to an earlier stage: the one it came from, or the one named."""

    result = Moved
    example = {"item": "EL-1", "note": "tests are missing", "to": "intake"}

    item: str
    note: str
    to: str = ""


def send_back(command: SendBack, unit: Unit) -> Moved:
    """Handle `SendBack`."""
    item = item_named(unit, command.item)
    flow = unit.get(Workflow, item.workflow)
    definition = definition_of(unit, item)
    target = check_send_back(item, definition, command.to)
    withdraw_approval(unit, item, f"sent back to {target}")
    entry = entry_into(unit, flow, definition, target, item.number)
    unit.emit(
        WorkItemSentBack(from_stage=item.stage, entry=entry, note=command.note), subject=item.id, scope=item.workflow
    )
    arrived(unit, item.id)
    return moved(unit, item.id)


class CancelItem(Command, frozen=True):
    """Give an item up. What is known about it stays."""

    result = Moved
    example = {"item": "EL-1", "reason": "superseded"}

    item: str
    reason: str


def cancel_item(command: CancelItem, unit: Unit) -> Moved:
    """Handle `CancelItem`."""
    item = item_named(unit, command.item)
    check_not_final(item, "cancelled")
    withdraw_approval(unit, item, "the item was cancelled")
    unit.emit(WorkItemCancelled(from_stage=item.stage, reason=command.reason), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


class RetryStage(Command, frozen=True):
    """Try a failed automated stage again; its finished steps are not repeated."""

    result = Moved
    example = {"item": "EL-1"}

    item: str
    note: str = ""


def retry_stage(command: RetryStage, unit: Unit) -> Moved:
    """Handle `RetryStage`."""
    item = item_named(unit, command.item)
    if item.status is not Status.FAILED:
        raise Conflict(f"{item.reference} is {item.status.value}: only a failed stage can be tried again")
    flow = unit.get(Workflow, item.workflow)
    entry = entry_into(unit, flow, definition_of(unit, item), item.stage, item.number)
    again = WorkItemRetried(entry=entry, note=command.note, run=item.run)
    unit.emit(again, subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


class PauseSla(Command, frozen=True):
    """Stop the clock of the item's stage, for a reason that is not its worker's to end."""

    result = Moved
    example = {"item": "EL-1", "reason": "waits for the vendor"}

    item: str
    reason: str


def pause_sla(command: PauseSla, unit: Unit) -> Moved:
    """Handle `PauseSla`."""
    item = item_named(unit, command.item)
    check_not_final(item, "paused")
    if item.sla_due is None:
        raise Conflict(f"{item.reference} has no running clock in stage {item.stage}")
    left = (item.sla_due - unit.now).total_seconds()
    unit.emit(SlaPaused(left_s=left, reason=command.reason), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


class ResumeSla(Command, frozen=True):
    """Let the clock run again with the time that was left."""

    result = Moved
    example = {"item": "EL-1"}

    item: str


def resume_sla(command: ResumeSla, unit: Unit) -> Moved:
    """Handle `ResumeSla`."""
    item = item_named(unit, command.item)
    check_not_final(item, "resumed")
    if item.sla_left_s is None:
        raise Conflict(f"the clock of {item.reference} is not paused")
    due = unit.now + timedelta(seconds=item.sla_left_s)
    unit.emit(SlaResumed(due=due), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


COMMANDS = (
    CommandEntry(OpenWorkItem, open_work_item, on_workflow),
    CommandEntry(ClaimItem, claim_item, on_item),
    CommandEntry(ReleaseItem, release_item, on_item),
    CommandEntry(ReassignItem, reassign_item, on_item),
    CommandEntry(CompleteStage, complete_stage, on_item),
    CommandEntry(SendBack, send_back, on_item),
    CommandEntry(CancelItem, cancel_item, on_item),
    CommandEntry(RetryStage, retry_stage, on_item),
    CommandEntry(PauseSla, pause_sla, on_item),
    CommandEntry(ResumeSla, resume_sla, on_item),
)
