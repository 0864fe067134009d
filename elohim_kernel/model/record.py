"""Facts that are events but no state machine of their own: refusals, recorded findings, recommendations, the inbox."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from elohim_kernel.model.ratchet import RatchetCount
from elohim_kernel.model.recommendation import Recommendation
from elohim_kernel.model.sla import SlaDays
from elohim_kernel.model.value import Value


class StoreCreated(Value, frozen=True, tag="store.created"):
    """The store was made; its id tells it from every other."""

    store: str
    version: str


class CommandRefused(Value, frozen=True, tag="command.refused"):
    """A command or a query was refused and changed nothing."""

    command: str
    code: str
    message: str


class CommandFailed(Value, frozen=True, tag="command.failed"):
    """A command or a query hit a defect of ours and changed nothing; the log of the process has the details."""

    command: str
    error: str


class FindingsRecorded(Value, frozen=True, tag="findings.recorded"):
    """An engine's result was recorded; the sightings are rows beside this event.

    `covered` are the files it really analysed: a known finding of `tool` in one of them that was not seen again is
    fixed, if its rule is one of `rules` (empty: all of them). No file covered means that absence says nothing.
    """

    workflow: str
    repository: str
    tool: str
    status: str
    reason: str
    head: str
    ref: str  # branch or other name that was looked at; absence counts only on the same one
    item: str = ""
    run: str = ""
    version: str = ""
    files: int = 0
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0
    count: int = 0
    covered: tuple[str, ...] = ()
    digest: str = ""  # of the sightings
    rules: tuple[str, ...] = ()
    sla: SlaDays = SlaDays()  # of the workflow as it was


class RecommendationMade(Value, frozen=True, tag="recommendation.made"):
    """An engine or the agent advised something; its evidence was checked."""

    item: str
    workflow: str
    stage: str
    recommendation: Recommendation
    run: str = ""


class RatchetSet(Value, frozen=True, tag="ratchet.set"):
    """How many findings there may be, by rule and folder, from now on."""

    workflow: str
    repository: str
    counts: tuple[RatchetCount, ...]
    risen: tuple[str, ...] = ()  # what may be more than before, in words
    reason: str = ""  # why it may


class Inbox(Value, frozen=True):
    """How far a principal has read their notifications: the number of the last event read."""

    id: str
    read_to: int = 0


class InboxRead(Value, frozen=True, tag="inbox.read"):
    """A principal has read their notifications up to an event."""

    read_to: int


class NotificationKind(StrEnum):
    """Why somebody is told something."""

    ASSIGNED = "assigned"
    ARRIVED = "arrived"
    APPROVAL_ASKED = "approval_asked"
    OVERDUE = "overdue"
    COMMENTED = "commented"
    FAILED = "failed"


class SettingsChanged(Value, frozen=True, tag="settings.changed"):
    """Settings kept in the store were changed."""

    values: Mapping[str, Any]  # JSON, hence Any


class AuditExported(Value, frozen=True, tag="audit.exported"):
    """The trail was exported up to a record."""

    upto: int
    head: str
    when: datetime


def apply_inbox(state: Inbox | None, subject: str, data: InboxRead) -> Inbox:
    """Fold one event into an inbox: reading never goes backwards."""
    known = state or Inbox(id=subject)
    return replace(known, read_to=max(known.read_to, data.read_to))
