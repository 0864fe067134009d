"""Runs and deliveries: taking up what an event asks for, journalling steps, ending well or badly.

These commands are the worker's. It acts for whoever caused the event, so what a run may do is what they may do.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from elohim_kernel.errors import Conflict, Invalid
from elohim_kernel.model.access import WORKER, Level, Need, Permission, Role, Verdict, decide
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.events import seq_of
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.life_cycle import goes_on
from elohim_kernel.model.recommendation import Recommendation
from elohim_kernel.model.record import RecommendationMade
from elohim_kernel.model.run import (
    Delivery,
    DeliveryClaimed,
    DeliveryDone,
    DeliveryExtended,
    DeliveryParked,
    DeliveryRetried,
    DeliveryStatus,
    Run,
    RunCancelAsked,
    RunFailed,
    RunFinished,
    RunKind,
    RunResumed,
    RunStarted,
    RunStatus,
    RunStepFinished,
)
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.value import Value, from_json
from elohim_kernel.model.work_item import (
    WorkItem,
    WorkItemChanged,
    WorkItemFailed,
    WorkItemStarted,
    WorkItemWaiting,
)
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import (
    CommandEntry,
    QueryEntry,
    anywhere,
    on_delivery,
    on_run,
    run_named,
)
from elohim_kernel.store.log import event_of
from elohim_kernel.store.unit import Reader, Unit, item_named
from elohim_kernel.workflows.moves import advance, ask_approval, definition_of

ATTEMPTS: Final = 3  # tries that end badly before a delivery is parked
TAKES: Final = 10  # times it is taken up in all: what kills its worker each time must not go on for ever
_MOVED_ON: Final = "the item has moved on"
_STEP_CAP: Final = 64 * 1024 * 1024  # characters of one step's output

_RUN = Need(permission=Permission.WORKFLOWS_RUN, level=Level.WRITE)


class Assignment(Value, frozen=True):
    """A stage to be run: what the worker needs to know."""

    delivery: str
    run: str
    item: str
    reference: str
    workflow: str
    stage: str
    stage_type: StageType
    prompt: str
    target_path: str
    playbook: str
    parameters: Mapping[str, str]
    data: Mapping[str, Any]  # JSON, hence Any
    title: str
    behalf: str  # id of whom the run acts for
    attempt: int  # of the run: from 2 on it has steps to recall
    event: int


class ClaimDelivery(Command, frozen=True):
    """Take the oldest due delivery one may run, for the time of a lease; `None` when there is nothing to do.

    One whose worker let the lease run out is taken up again: its run resumes, and finished steps are not repeated.
    """

    need = _RUN
    internal = True
    result = Assignment | None
    example = {"worker": "host-1/4711", "lease_s": 60}

    worker: str
    lease_s: float = 60.0
    item: str = ""  # only this item's


def claim_delivery(command: ClaimDelivery, unit: Unit) -> Assignment | None:
    """Handle `ClaimDelivery`."""
    wanted = item_named(unit, command.item).id if command.item else ""
    for delivery in unit.open_deliveries():
        if wanted and delivery.subject != wanted:
            continue
        if _is_due(delivery, unit.now) and _may_run(unit, delivery):
            item = unit.get(WorkItem, delivery.subject)
            if _is_past(delivery, item):
                _leave(unit, delivery, item)
            elif delivery.attempts >= TAKES:
                _park(unit, delivery, item, f"its worker was lost, {delivery.attempts} times in all")
            else:
                return _take(command, unit, delivery, item)
    return None


def _may_run(unit: Unit, delivery: Delivery) -> bool:
    """Whether the caller may run it where it belongs: the command itself asks only for the right in some place."""
    flow = unit.find(Workflow, delivery.scope)
    roles = {role.name: role for role in unit.every(Role)}
    return flow is not None and decide(unit.principal, _RUN, flow.tenant, roles) is Verdict.ALLOWED


def _is_due(delivery: Delivery, now: datetime) -> bool:
    if delivery.status is DeliveryStatus.DUE:
        return delivery.due_at <= now
    return delivery.lease_until is not None and delivery.lease_until <= now


def _is_past(delivery: Delivery, item: WorkItem) -> bool:
    """Whether the item was finished or moved since the event that asked for this; entering again makes a new one."""
    return item.status.is_final or seq_of(delivery.event) != item.entered


def _leave(unit: Unit, delivery: Delivery, item: WorkItem, *, seconds: float = 0.0) -> None:
    """Let go of work that nobody waits for any more: what it would have said must not move the item."""
    unit.emit(DeliveryDone(note=_MOVED_ON), subject=delivery.id, scope=delivery.scope)
    run = unit.find(Run, delivery.run) if delivery.run else None
    if run is not None and not run.status.is_final:
        left = RunFailed(error=_MOVED_ON, seconds=seconds, status=RunStatus.CANCELLED)
        unit.emit(left, subject=run.id, scope=item.workflow)


def _park(
    unit: Unit,
    delivery: Delivery,
    item: WorkItem,
    error: str,
    *,
    status: RunStatus = RunStatus.FAILED,
    seconds: float = 0.0,
) -> None:
    unit.emit(
        RunFailed(error=error, seconds=seconds, status=status),
        subject=delivery.run,
        scope=item.workflow,
    )
    unit.emit(DeliveryParked(error=error), subject=delivery.id, scope=delivery.scope)
    failed = WorkItemFailed(from_stage=item.stage, reason=error, run=delivery.run)
    unit.emit(failed, subject=item.id, scope=item.workflow)


def _take(command: ClaimDelivery, unit: Unit, delivery: Delivery, item: WorkItem) -> Assignment:
    stage = definition_of(unit, item).stage(item.stage)
    known = unit.find(Run, delivery.run) if delivery.run else None
    run = known.id if known else new_id("run")
    unit.emit(
        DeliveryClaimed(worker=command.worker, lease_until=unit.now + timedelta(seconds=command.lease_s), run=run),
        subject=delivery.id,
        scope=delivery.scope,
    )
    if known is not None:
        unit.emit(RunResumed(attempt=known.attempt + 1), subject=run, scope=item.workflow)
    else:
        started = RunStarted(run_kind=RunKind.STAGE, name=stage.key, workflow=item.workflow, item=item.id)
        unit.emit(started, subject=run, scope=item.workflow)
    unit.emit(WorkItemStarted(run=run), subject=item.id, scope=item.workflow)
    return Assignment(
        delivery=delivery.id,
        run=run,
        item=item.id,
        reference=item.reference,
        workflow=item.workflow,
        stage=stage.key,
        stage_type=stage.type,
        prompt=stage.prompt,
        target_path=stage.agent_target_path,
        playbook=stage.playbook,
        parameters=stage.parameters,
        data=item.data,
        title=item.title,
        behalf=_originator(item),
        attempt=known.attempt + 1 if known else 1,
        event=seq_of(delivery.event),
    )


def _originator(item: WorkItem) -> str:
    return item.opened_by if item.entered_by == WORKER else item.entered_by


class ExtendLease(Command, frozen=True):
    """Say that the worker is still at it; the answer tells whether somebody asked the run to stop."""

    need = _RUN
    internal = True
    result = bool
    example = {"delivery": "dl_00000000000c_stage", "worker": "host-1/4711", "lease_s": 60}

    delivery: str
    worker: str
    lease_s: float = 60.0


def extend_lease(command: ExtendLease, unit: Unit) -> bool:
    """Handle `ExtendLease`; returns True when the run is to stop, because somebody said so or the item is elsewhere."""
    delivery = _held(unit, command.delivery, command.worker)
    until = unit.now + timedelta(seconds=command.lease_s)
    unit.emit(DeliveryExtended(lease_until=until), subject=delivery.id, scope=delivery.scope)
    run = unit.find(Run, delivery.run)
    past = _is_past(delivery, unit.get(WorkItem, delivery.subject))
    return past or (run is not None and run.cancel_asked)


def _held(unit: Unit, delivery_id: str, worker: str) -> Delivery:
    delivery = unit.get(Delivery, delivery_id)
    if delivery.status is not DeliveryStatus.CLAIMED or delivery.worker != worker:
        raise Conflict(
            f"delivery {delivery_id} is no longer held by {worker}: its lease ran out and it was taken up again"
        )
    return delivery


class RecordStep(Command, frozen=True):
    """Journal a finished step of a run, before the next one starts."""

    need = _RUN
    internal = True
    example = {"run": "run_01", "step": "engine ruff", "inputs": "sha256:00", "output": "{}", "seconds": 0.4}

    run: str
    step: str
    inputs: str
    output: str
    seconds: float


def record_step(command: RecordStep, unit: Unit) -> None:
    """Handle `RecordStep`."""
    run = run_named(unit, command.run)
    if run.status.is_final:
        raise Conflict(f"run {run.id} is {run.status.value}: nothing can be added to it")
    if len(command.output) > _STEP_CAP:
        raise Invalid(f"the output of step {command.step!r} is over {_STEP_CAP} characters")
    finished = RunStepFinished(step=command.step, inputs=command.inputs, output=command.output, seconds=command.seconds)
    unit.emit(finished, subject=run.id, scope=run.workflow)


class FinishStage(Command, frozen=True):
    """End an automated stage well: its result goes to the item, which moves on or waits for a person to look."""

    need = _RUN
    internal = True
    result = str
    example = {"delivery": "dl_00000000000c_stage", "worker": "host-1/4711", "note": "3 findings"}

    delivery: str
    worker: str
    note: str = ""
    data: Mapping[str, Any] = {}
    facts: Mapping[str, Any] = {}
    recommendation: Recommendation | None = None
    seconds: float = 0.0
    output: str = ""


def finish_stage(command: FinishStage, unit: Unit) -> str:
    """Handle `FinishStage`; returns the stage the item is in now."""
    delivery = _held(unit, command.delivery, command.worker)
    item = unit.get(WorkItem, delivery.subject)
    if _is_past(delivery, item):
        _leave(unit, delivery, item, seconds=command.seconds)
        return item.stage
    definition = definition_of(unit, item)
    stage = definition.stage(item.stage)
    _recommend(command, unit, item, run=delivery.run)
    unit.emit(RunFinished(seconds=command.seconds, output=command.output), subject=delivery.run, scope=item.workflow)
    unit.emit(DeliveryDone(note=command.note), subject=delivery.id, scope=delivery.scope)
    if stage.requires_approval is not None:
        unit.emit(WorkItemChanged(data=command.data, facts=command.facts), subject=item.id, scope=item.workflow)
        ask_approval(unit, unit.get(WorkItem, item.id), stage, stage.requires_approval, note=command.note)
    elif goes_on(definition, stage):
        advance(unit, item, note=command.note, data=command.data, facts=command.facts)
    else:
        unit.emit(WorkItemChanged(data=command.data, facts=command.facts), subject=item.id, scope=item.workflow)
        unit.emit(WorkItemWaiting(approval=""), subject=item.id, scope=item.workflow)
    return unit.get(WorkItem, item.id).stage


def _recommend(command: FinishStage, unit: Unit, item: WorkItem, *, run: str) -> None:
    advice = command.recommendation
    if advice is None:
        return
    uncited = advice.uncited()
    if uncited:
        raise Invalid(f"the recommendation cites evidence that is not in it: {', '.join(uncited[:5])}")
    made = RecommendationMade(item=item.id, workflow=item.workflow, stage=item.stage, recommendation=advice, run=run)
    unit.emit(made, subject=item.id, scope=item.workflow)


class FailStage(Command, frozen=True):
    """End a try of an automated stage badly: it is tried again later, or the item fails and waits for a person."""

    need = _RUN
    internal = True
    result = DeliveryStatus
    example = {"delivery": "dl_00000000000c_stage", "worker": "host-1/4711", "error": "the disk is full"}

    delivery: str
    worker: str
    error: str
    retryable: bool = False
    cancelled: bool = False
    seconds: float = 0.0


def fail_stage(command: FailStage, unit: Unit) -> DeliveryStatus:
    """Handle `FailStage`."""
    delivery = _held(unit, command.delivery, command.worker)
    item = unit.get(WorkItem, delivery.subject)
    if _is_past(delivery, item):
        _leave(unit, delivery, item, seconds=command.seconds)
        return DeliveryStatus.DONE
    if command.retryable and delivery.attempts < ATTEMPTS:
        due = unit.now + timedelta(seconds=5 * 4 ** (delivery.attempts - 1))
        unit.emit(DeliveryRetried(error=command.error, due_at=due), subject=delivery.id, scope=delivery.scope)
        return DeliveryStatus.DUE
    status = RunStatus.CANCELLED if command.cancelled else RunStatus.FAILED
    _park(unit, delivery, item, command.error, status=status, seconds=command.seconds)
    return DeliveryStatus.PARKED


class CancelRun(Command, frozen=True):
    """Ask a run to stop. It stops at its next step, and its item waits for a person."""

    need = _RUN
    example = {"run": "run_01", "reason": "wrong branch"}

    run: str
    reason: str = ""


def cancel_run(command: CancelRun, unit: Unit) -> None:
    """Handle `CancelRun`."""
    run = run_named(unit, command.run)
    if run.status.is_final:
        raise Conflict(f"run {run.id} is already {run.status.value}")
    unit.emit(RunCancelAsked(reason=command.reason), subject=run.id, scope=run.workflow)


class Step(Value, frozen=True):
    """A journalled step."""

    inputs: str
    output: str


class GetStep(Query, frozen=True):
    """The journalled result of a step; `None` when it was not finished."""

    internal = True
    result = Step | None
    example = {"run": "run_01", "step": "engine ruff"}

    run: str
    step: str


def get_step(query: GetStep, reader: Reader) -> Step | None:
    """Answer `GetStep`."""
    rows = reader.rows("step_of", run=query.run, step=query.step)
    data = event_of(rows[0]).data if rows else None
    return Step(inputs=data.inputs, output=data.output) if isinstance(data, RunStepFinished) else None


class ListRuns(Query, frozen=True):
    """Runs you can see, newest first."""

    result = tuple[Run, ...]
    example = {"item": "EL-1"}

    item: str = ""
    status: str = ""
    limit: int = 50


def list_runs(query: ListRuns, reader: Reader) -> tuple[Run, ...]:
    """Answer `ListRuns`."""
    item = item_named(reader, query.item).id if query.item else ""
    rows = reader.rows("runs", item=item, status=query.status, limit=query.limit)
    return tuple(from_json(row["body"], Run) for row in rows)


class GetRun(Query, frozen=True):
    """One run."""

    result = Run
    example = {"run": "run_01"}

    run: str


def get_run(query: GetRun, reader: Reader) -> Run:
    """Answer `GetRun`."""
    return run_named(reader, query.run)


COMMANDS = (
    CommandEntry(ClaimDelivery, claim_delivery, anywhere),
    CommandEntry(ExtendLease, extend_lease, on_delivery),
    CommandEntry(RecordStep, record_step, on_run),
    CommandEntry(FinishStage, finish_stage, on_delivery),
    CommandEntry(FailStage, fail_stage, on_delivery),
    CommandEntry(CancelRun, cancel_run, on_run),
)
QUERIES = (
    QueryEntry(GetStep, get_step, on_run),
    QueryEntry(ListRuns, list_runs, anywhere),
    QueryEntry(GetRun, get_run, on_run),
)
