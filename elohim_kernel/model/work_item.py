"""Work items: their state and the events that change it. Which event may happen when is decided in `life_cycle`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec.structs import replace

from elohim_kernel.model.value import Value


class Status(StrEnum):
    """Where an item stands."""

    PENDING = "pending"
    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it."""
        return self in _FINAL


_FINAL: Final = frozenset({Status.COMPLETED, Status.CANCELLED})


class Priority(StrEnum):
    """How urgent; a queue shows the urgent first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return _RANKS[self]


_RANKS: Final = {priority: rank for rank, priority in enumerate(Priority)}


class Link(Value, frozen=True):
    """A relation to another item or an address outside."""

    kind: str  # "relates", "blocks", "duplicates", "url" …
    target: str
    title: str = ""


class Attachment(Value, frozen=True):
    """A file by reference: where it lies and what it was when attached. The bytes stay where they are."""

    name: str
    location: str
    digest: str = ""
    size: int = 0  # bytes; 0: unknown


class WorkItem(Value, frozen=True, gc=False):
    """One piece of work on its way through a workflow."""

    id: str
    number: int
    workflow: str
    revision: int
    title: str
    stage: str  # key of the stage it is in; the last one when it is finished
    stage_type: str
    status: Status
    opened_by: str
    opened_at: datetime
    changed_at: datetime
    entered_at: datetime  # into the current stage
    entered_by: str = ""  # id of whoever brought it there: a run in the stage does what they may do
    entered: int = 0  # number of the event that brought it there
    priority: Priority = Priority.NORMAL
    assignee: str = ""  # id of a principal; "" is nobody
    queue: str = ""  # role or team that may claim it; "" is anybody
    # JSON, hence Any
    data: Mapping[str, Any] = {}
    facts: Mapping[str, Any] = {}
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    sla_due: datetime | None = None
    sla_left_s: float | None = None  # seconds left when the clock was paused; None: running or none
    overdue: bool = False
    approval: str = ""  # the open approval
    run: str = ""  # of the stage it is in
    came_from: str = ""  # the stage before
    last_editor: str = ""  # id of whoever last changed what approvers are shown
    closed_at: datetime | None = None
    resolution: str = ""

    @property
    def reference(self) -> str:
        """What people call it."""
        return f"EL-{self.number}"


def reference(number: int) -> str:
    """`EL-12` for 12.

    >>> reference(12)
    'EL-12'
    """
    return f"EL-{number}"


class Entry(Value, frozen=True):
    """How an item arrives in a stage: decided once, written into the event, never computed again."""

    stage: str  # key, or "end"
    stage_type: str
    status: Status
    assignee: str = ""
    queue: str = ""
    sla_due: datetime | None = None
    run: bool = False  # the worker has something to do here


class WorkItemOpened(Value, frozen=True, tag="work_item.opened"):
    """An item was opened in a workflow."""

    number: int
    workflow: str
    revision: int
    title: str
    entry: Entry
    priority: Priority = Priority.NORMAL
    data: Mapping[str, Any] = {}
    tags: tuple[str, ...] = ()


class WorkItemClaimed(Value, frozen=True, tag="work_item.claimed"):
    """Somebody took the item."""

    assignee: str


class WorkItemReleased(Value, frozen=True, tag="work_item.released"):
    """Whoever had the item gave it back to its queue."""

    note: str = ""


class WorkItemReassigned(Value, frozen=True, tag="work_item.reassigned"):
    """The item was given to somebody else."""

    assignee: str
    note: str = ""


class WorkItemAdvanced(Value, frozen=True, tag="work_item.advanced"):
    """A stage was completed and the item moved on."""

    from_stage: str
    entry: Entry
    note: str = ""
    outcome: str = ""
    data: Mapping[str, Any] = {}  # merged into the item's data
    facts: Mapping[str, Any] = {}
    why: str = ""  # the guard that chose the route
    tried: tuple[str, ...] = ()  # every guard that was asked, with its clauses' values


class WorkItemSentBack(Value, frozen=True, tag="work_item.sent_back"):
    """The item was sent back to an earlier stage."""

    from_stage: str
    entry: Entry
    note: str = ""


class WorkItemCancelled(Value, frozen=True, tag="work_item.cancelled"):
    """The item was given up."""

    from_stage: str
    reason: str = ""


class WorkItemStarted(Value, frozen=True, tag="work_item.started"):
    """An automated stage began, or a person began working."""

    run: str = ""


class WorkItemFailed(Value, frozen=True, tag="work_item.failed"):
    """The automated stage could not be done; a person may retry, send back or cancel."""

    from_stage: str
    reason: str
    run: str = ""


class WorkItemRetried(Value, frozen=True, tag="work_item.retried"):
    """A failed automated stage is to be tried again."""

    entry: Entry
    note: str = ""
    run: str = ""  # the run that goes on


class WorkItemChanged(Value, frozen=True, tag="work_item.changed"):
    """Fields of the item were set; `None` leaves a field as it was."""

    title: str | None = None
    priority: Priority | None = None
    data: Mapping[str, Any] | None = None  # merged
    facts: Mapping[str, Any] | None = None
    tags: tuple[str, ...] | None = None


class WorkItemCommented(Value, frozen=True, tag="work_item.commented"):
    """Somebody said something about the item."""

    text: str
    mentions: tuple[str, ...] = ()  # ids of principals


class WorkItemLinked(Value, frozen=True, tag="work_item.linked"):
    """The item was related to something."""

    link: Link


class WorkItemUnlinked(Value, frozen=True, tag="work_item.unlinked"):
    """A relation was removed."""

    link: Link


class WorkItemAttached(Value, frozen=True, tag="work_item.attached"):
    """A file was attached by reference."""

    attachment: Attachment


class WorkItemWaiting(Value, frozen=True, tag="work_item.waiting"):
    """The item waits for an approval."""

    approval: str


class WorkItemResumed(Value, frozen=True, tag="work_item.resumed"):
    """The approval is closed without a move, and the item is back with its person."""

    note: str = ""


class SlaPaused(Value, frozen=True, tag="sla.paused"):
    """The clock of the stage was stopped."""

    left_s: float
    reason: str = ""


class SlaResumed(Value, frozen=True, tag="sla.resumed"):
    """The clock of the stage runs again."""

    due: datetime


class SlaMissed(Value, frozen=True, tag="sla.missed"):
    """The stage was not done in time."""

    due: datetime


WorkItemEvent = (
    WorkItemOpened
    | WorkItemClaimed
    | WorkItemReleased
    | WorkItemReassigned
    | WorkItemAdvanced
    | WorkItemSentBack
    | WorkItemCancelled
    | WorkItemStarted
    | WorkItemFailed
    | WorkItemRetried
    | WorkItemChanged
    | WorkItemCommented
    | WorkItemLinked
    | WorkItemUnlinked
    | WorkItemAttached
    | WorkItemWaiting
    | WorkItemResumed
    | SlaPaused
    | SlaResumed
    | SlaMissed
)


def apply_work_item(
    state: WorkItem | None, subject: str, data: WorkItemEvent, *, actor: str, when: datetime, seq: int
) -> WorkItem:
    """Fold one event, number `seq` of the log, into a work item."""
    if isinstance(data, WorkItemOpened):
        entry = data.entry
        return WorkItem(
            id=subject,
            number=data.number,
            workflow=data.workflow,
            revision=data.revision,
            title=data.title,
            stage=entry.stage,
            stage_type=entry.stage_type,
            status=entry.status,
            opened_by=actor,
            opened_at=when,
            changed_at=when,
            entered_at=when,
            entered_by=actor,
            entered=seq,
            priority=data.priority,
            assignee=entry.assignee,
            queue=entry.queue,
            data=data.data,
            tags=data.tags,
            sla_due=entry.sla_due,
            last_editor=actor,
        )
    assert state is not None
    if isinstance(data, WorkItemAdvanced):
        known = replace(
            state,
            data={**state.data, **data.data},
            facts={**state.facts, **data.facts},
            last_editor=actor if data.data else state.last_editor,
        )
        return _entered(known, data.entry, actor, when, seq, resolution=data.outcome)
    if isinstance(data, WorkItemSentBack | WorkItemRetried):
        run = data.run if isinstance(data, WorkItemRetried) else ""
        return _entered(state, data.entry, actor, when, seq, run=run)
    return _changed(state, data, actor, when)


def _entered(
    state: WorkItem, entry: Entry, actor: str, when: datetime, seq: int, *, resolution: str = "", run: str = ""
) -> WorkItem:
    final = entry.status.is_final
    return replace(
        state,
        stage=state.stage if final else entry.stage,
        stage_type=state.stage_type if final else entry.stage_type,
        status=entry.status,
        assignee=entry.assignee,
        queue=entry.queue,
        sla_due=entry.sla_due,
        sla_left_s=None,
        overdue=False,
        approval="",
        run=run,
        came_from=state.came_from if entry.stage == state.stage else state.stage,
        entered_at=when,
        entered_by=actor,
        entered=seq,
        changed_at=when,
        closed_at=when if final else None,
        resolution=resolution if final else "",
    )


def _changed(state: WorkItem, data: WorkItemEvent, actor: str, when: datetime) -> WorkItem:
    match data:
        case WorkItemClaimed():
            return replace(state, status=Status.CLAIMED, assignee=data.assignee, changed_at=when)
        case WorkItemReleased():
            return replace(state, status=Status.PENDING, assignee="", changed_at=when)
        case WorkItemReassigned():
            return replace(state, status=Status.CLAIMED, assignee=data.assignee, changed_at=when)
        case WorkItemStarted():
            return replace(state, status=Status.IN_PROGRESS, run=data.run or state.run, changed_at=when)
        case WorkItemFailed():
            return replace(state, status=Status.FAILED, approval="", changed_at=when, resolution=data.reason)
        case WorkItemCancelled():
            return replace(
                state,
                status=Status.CANCELLED,
                changed_at=when,
                closed_at=when,
                resolution=data.reason,
                approval="",
                sla_due=None,
                sla_left_s=None,
            )
        case WorkItemWaiting():
            return replace(state, status=Status.WAITING, approval=data.approval, changed_at=when)
        case WorkItemResumed():
            status = Status.CLAIMED if state.assignee else Status.PENDING
            return replace(state, status=status, approval="", changed_at=when)
        case WorkItemChanged():
            return _set_fields(state, data, actor, when)
        case WorkItemLinked():
            return replace(state, links=(*state.links, data.link), last_editor=actor, changed_at=when)
        case WorkItemUnlinked():
            left = tuple(link for link in state.links if link != data.link)
            return replace(state, links=left, last_editor=actor, changed_at=when)
        case WorkItemAttached():
            attached = (*state.attachments, data.attachment)
            return replace(state, attachments=attached, last_editor=actor, changed_at=when)
        case SlaPaused():
            return replace(state, sla_left_s=data.left_s, sla_due=None, changed_at=when)
        case SlaResumed():
            return replace(state, sla_left_s=None, sla_due=data.due, changed_at=when)
        case SlaMissed():
            return replace(state, overdue=True, changed_at=when)
        case _:
            return replace(state, changed_at=when)


def _set_fields(state: WorkItem, data: WorkItemChanged, actor: str, when: datetime) -> WorkItem:
    return replace(
        state,
        title=state.title if data.title is None else data.title,
        priority=data.priority or state.priority,
        data={**state.data, **(data.data or {})},
        facts={**state.facts, **(data.facts or {})},
        tags=state.tags if data.tags is None else data.tags,
        last_editor=actor if data.data or data.title is not None else state.last_editor,
        changed_at=when,
    )


def due_after(minutes: int, now: datetime) -> datetime | None:
    """When a stage with an SLA of `minutes` entered `now` is due; `None` for 0."""
    return now + timedelta(minutes=minutes) if minutes else None
