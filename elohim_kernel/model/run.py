"""Runs: an automated stage or a playbook being done, with a journal of finished steps; and deliveries of events."""

from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from elohim_kernel.model.value import Value


class RunKind(StrEnum):
    """What is being run."""

    STAGE = "stage"
    PLAYBOOK = "playbook"


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its worker died; another one may take it up

    @property
    def is_final(self) -> bool:
        """Whether it will not go on by itself."""
        return self in (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)


class Run(Value, frozen=True):
    """One execution; its steps are rows of their own, found by its id."""

    id: str
    kind: RunKind
    name: str  # stage key or playbook name
    workflow: str
    item: str
    by: str  # who started it
    status: RunStatus
    started_at: datetime
    attempt: int = 1
    steps: int = 0
    progress: str = ""
    cancel_asked: bool = False
    finished_at: datetime | None = None
    error: str = ""
    output: str = ""  # where the executed notebook lies
    digest: str = ""  # of what was run


class RunStarted(Value, frozen=True, tag="run.started"):
    """A run began."""

    run_kind: RunKind
    name: str
    workflow: str
    item: str = ""
    digest: str = ""


class RunResumed(Value, frozen=True, tag="run.resumed"):
    """A run went on, after its worker was lost or when it is tried again; finished steps are not repeated."""

    attempt: int


class RunStepFinished(Value, frozen=True, tag="run.step_finished"):
    """A step is done: what went in, what came out. Recorded before the next step starts."""

    step: str
    inputs: str  # digest
    output: str  # JSON
    seconds: float


class RunFinished(Value, frozen=True, tag="run.finished"):
    """A run ended well."""

    seconds: float
    output: str = ""


class RunFailed(Value, frozen=True, tag="run.failed"):
    """A run ended badly; `error` is the short message for people."""

    error: str
    seconds: float = 0.0
    output: str = ""
    status: RunStatus = RunStatus.FAILED


class RunCancelAsked(Value, frozen=True, tag="run.cancel_asked"):
    """Somebody asked a run to stop."""

    reason: str = ""


RunEvent = RunStarted | RunResumed | RunStepFinished | RunFinished | RunFailed | RunCancelAsked


def apply_run(state: Run | None, subject: str, data: RunEvent, *, actor: str, when: datetime) -> Run:
    """Fold one event into a run."""
    if isinstance(data, RunStarted):
        return Run(
            id=subject,
            kind=data.run_kind,
            name=data.name,
            workflow=data.workflow,
            item=data.item,
            by=actor,
            status=RunStatus.RUNNING,
            started_at=when,
            digest=data.digest,
        )
    assert state is not None
    match data:
        case RunResumed():
            # A person who tries again after it ended takes back that somebody wanted it to stop.
            return replace(
                state,
                status=RunStatus.RUNNING,
                attempt=data.attempt,
                cancel_asked=state.cancel_asked and not state.status.is_final,
                finished_at=None,
                error="",
            )
        case RunStepFinished():
            return replace(state, steps=state.steps + 1, progress=data.step)
        case RunFinished():
            return replace(state, status=RunStatus.DONE, finished_at=when, output=data.output)
        case RunFailed():
            return replace(state, status=data.status, finished_at=when, error=data.error, output=data.output)
        case RunCancelAsked():
            return replace(state, cancel_asked=True)


class DeliveryStatus(StrEnum):
    """Where a delivery of an event to a subscriber stands."""

    DUE = "due"
    CLAIMED = "claimed"
    DONE = "done"
    PARKED = "parked"  # tried too often; a person decides


class Delivery(Value, frozen=True, gc=False):
    """An event that a subscriber still has to deal with. At least once; the event's id is the idempotency key."""

    id: str
    event: str
    subscriber: str
    subject: str  # the event's subject
    scope: str
    status: DeliveryStatus
    due_at: datetime
    attempts: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    run: str = ""  # the run that serves it, so that a second try resumes it
    error: str = ""


class DeliveryClaimed(Value, frozen=True, tag="delivery.claimed"):
    """A worker took a delivery for the time of its lease."""

    worker: str
    lease_until: datetime
    run: str = ""


class DeliveryExtended(Value, frozen=True, tag="delivery.extended"):
    """The worker is still at it."""

    lease_until: datetime


class DeliveryDone(Value, frozen=True, tag="delivery.done"):
    """The subscriber dealt with the event."""

    note: str = ""


class DeliveryRetried(Value, frozen=True, tag="delivery.retried"):
    """It did not work and will be tried again at `due_at`."""

    error: str
    due_at: datetime


class DeliveryParked(Value, frozen=True, tag="delivery.parked"):
    """It did not work too often; it waits for a person."""

    error: str


DeliveryEvent = DeliveryClaimed | DeliveryExtended | DeliveryDone | DeliveryRetried | DeliveryParked


def apply_delivery(state: Delivery, data: DeliveryEvent) -> Delivery:
    """Fold one event into a delivery; the delivery itself is born with the event it delivers."""
    match data:
        case DeliveryClaimed():
            return replace(
                state,
                status=DeliveryStatus.CLAIMED,
                worker=data.worker,
                lease_until=data.lease_until,
                attempts=state.attempts + 1,
                run=data.run or state.run,
            )
        case DeliveryExtended():
            return replace(state, lease_until=data.lease_until)
        case DeliveryDone():
            return replace(state, status=DeliveryStatus.DONE, lease_until=None)
        case DeliveryRetried():
            return replace(state, status=DeliveryStatus.DUE, due_at=data.due_at, error=data.error, lease_until=None)
        case DeliveryParked():
            return replace(state, status=DeliveryStatus.PARKED, error=data.error, lease_until=None)
