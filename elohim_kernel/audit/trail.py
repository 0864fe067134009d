"""The trail: what happened, for whoever may see it; whether the log is whole; and a copy of it for another place.

Checking, and copying, look at the log as a whole. The copy shows every tenant's records, hence it takes ADMIN.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from elohim_kernel.errors import Conflict, Invalid, NotFound
from elohim_kernel.model.access import ACCESS, GLOBAL, Level, Need, Permission, Principal, Team
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.events import EVENTS, Event, event_id, seq_of
from elohim_kernel.model.record import AuditExported
from elohim_kernel.model.token import TokenCreated
from elohim_kernel.model.value import Value, plain
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, anywhere, everywhere
from elohim_kernel.store.log import Checkpoint, Record, Verification, event_of
from elohim_kernel.store.unit import Reader, Unit, item_named

READ: Final = Need(permission=Permission.AUDIT_READ)
EXPORT: Final = Need(permission=Permission.AUDIT_READ, level=Level.ADMIN)
_MOST_SHOWN: Final = 1_000
_MOST_EXPORTED: Final = 100_000


class EventShown(Value, frozen=True):
    """An event as shown to people: names in place of ids where there are names."""

    id: str
    seq: int
    happened_at: datetime
    kind: str
    actor: str  # name of who did it
    on_behalf_of: str  # name of whom the actor acted for; "" when for themselves
    subject: str  # id of what it is about
    scope: str  # workflow, team or person whose viewers may see it; "global": everybody's, "access": access management
    data: Mapping[str, Any]  # JSON, hence Any


class EventDetails(Value, frozen=True):
    """One event with its place in the log."""

    event: EventShown
    cause: str  # id of the event that led to it; "" when none did
    depth: int  # how many causes lie before it
    hash: str


class Exported(Value, frozen=True):
    """What was noted about an export."""

    upto: int
    head: str


class ListEvents(Query, frozen=True):
    """What happened, newest first, as far as the caller may see it."""

    result = tuple[EventShown, ...]
    example = {"item": "EL-1", "limit": 20}

    kind: str = ""  # "work_item.claimed", or just "work_item"
    subject: str = ""  # id
    item: str = ""  # id or reference: its events, those of its approvals and of its runs
    after: int = 0  # only events with a greater number
    limit: int = 50


def list_events(query: ListEvents, reader: Reader) -> tuple[EventShown, ...]:
    """Answer `ListEvents`."""
    _check_limit(query.limit, _MOST_SHOWN)
    _check_kind(query.kind)
    rows = reader.rows(
        "events",
        kind=query.kind,
        subject=query.subject,
        item=item_named(reader, query.item).id if query.item else "",
        after=query.after,
        limit=query.limit,
    )
    return tuple(_shown(reader, event_of(row)) for row in rows)


class ShowEvent(Query, frozen=True):
    """One event, with what led to it and its hash."""

    result = EventDetails
    example = {"event": "ev_000000000001"}

    event: str  # id, or number


def show_event(query: ShowEvent, reader: Reader) -> EventDetails:
    """Answer `ShowEvent`."""
    try:
        seq = int(query.event) if query.event.isdecimal() else seq_of(query.event)
    except ValueError:
        raise Invalid(
            f"{query.event[:80]!r} is no event", hint="an id such as ev_00000000002a, or its number"
        ) from None
    rows = reader.rows("event", seq=seq) if 0 < seq < 2**63 else []
    if not rows:
        raise NotFound(f"there is no event {query.event!r}", hint="see `elohim event list`")
    event = event_of(rows[0])
    return EventDetails(event=_shown(reader, event), cause=event.cause, depth=event.depth, hash=rows[0]["hash"])


def _shown(reader: Reader, event: Event) -> EventShown:
    data = plain(event.data)
    data.pop("type", None)
    if isinstance(event.data, TokenCreated):
        del data["digest"]
    return EventShown(
        id=event.id,
        seq=event.seq,
        happened_at=event.when,
        kind=event.kind,
        actor=_name(reader, event.actor),
        on_behalf_of=_name(reader, event.behalf),
        subject=event.subject,
        scope=_scope_name(reader, event.scope),
        data=data,
    )


def _name(reader: Reader, identifier: str) -> str:
    found = reader.find(Principal, identifier) if identifier else None
    return found.name if found else identifier


def _scope_name(reader: Reader, scope: str) -> str:
    if scope in (GLOBAL, ACCESS):
        return scope
    found = reader.find(Workflow, scope) or reader.find(Team, scope) or reader.find(Principal, scope)
    return found.name if found else scope


def _check_limit(limit: int, most: int) -> None:
    if not 1 <= limit <= most:
        raise Invalid(f"limit must be 1 to {most}, got {limit}")


def _check_kind(kind: str) -> None:
    nouns = {known.partition(".")[0] for known in EVENTS}
    if kind and kind not in EVENTS and kind not in nouns:
        near = sorted(known for known in EVENTS if known.startswith(kind.partition(".")[0] + "."))
        raise Invalid(f"there is no kind of event {kind!r}", hint=f"there is {', '.join(near or sorted(nouns))}")


class TrailHead(Query, frozen=True):
    """The newest record's number and hash: keep them elsewhere, and `VerifyTrail` notices a cut or a rewritten log."""

    need = READ
    result = Checkpoint
    example = {}


def trail_head(query: TrailHead, reader: Reader) -> Checkpoint:
    """Answer `TrailHead`."""
    return reader.trail.checkpoint()


class VerifyTrail(Query, frozen=True):
    """Check every record of the log against its hash, and against a checkpoint kept elsewhere when one is given.

    Without a checkpoint a log that was cut at its end, or made anew as a whole, cannot be told from an honest one.
    """

    need = READ
    result = Verification
    example = {"seq": 1, "head": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}

    seq: int = 0  # the checkpoint's record; 0: no checkpoint
    head: str = ""  # the checkpoint's hash


def verify_trail(query: VerifyTrail, reader: Reader) -> Verification:
    """Answer `VerifyTrail`."""
    if query.seq < 0 or bool(query.seq) != bool(query.head):
        raise Invalid("a checkpoint is a record's number and its hash, both", hint="give seq and head, or neither")
    kept = Checkpoint(seq=query.seq, head=query.head, taken_at=reader.now) if query.seq else None
    return reader.trail.verify(kept)


class ExportTrail(Query, frozen=True):
    """Records of the log exactly as written, with their hashes, for a copy in another place.

    They are every tenant's records, whoever asks: hence ADMIN. `json_line` makes a line of each.
    """

    need = EXPORT
    result = tuple[Record, ...]
    example = {"after": 0, "limit": 1000}

    after: int = 0
    limit: int = 10_000


def export_trail(query: ExportTrail, reader: Reader) -> tuple[Record, ...]:
    """Answer `ExportTrail`, oldest first."""
    _check_limit(query.limit, _MOST_EXPORTED)
    return tuple(reader.trail.records(after=query.after, limit=query.limit))


def json_line(record: Record) -> str:
    """The record as one line of printable ASCII, without its end of line: nothing in it can act on a terminal.

    >>> told = Record(seq=1, micros=0, kind="", subject="", scope="", actor="", request="", body="a\\n\\x7f", hash="")
    >>> json_line(told).isprintable(), json.loads(json_line(told))["body"] == told.body
    (True, True)
    """
    return json.dumps(plain(record)).replace("\x7f", "\\u007f")


class RecordExport(Command, frozen=True):
    """Note in the log that it was copied up to a record; from then on the note cannot be changed unseen either."""

    need = EXPORT
    result = Exported
    example = {"upto": 1, "head": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}

    upto: int  # number of the last record copied
    head: str  # its hash


def record_export(command: RecordExport, unit: Unit) -> Exported:
    """Handle `RecordExport`."""
    there = unit.trail.records(after=command.upto - 1, limit=1)
    if not there or there[0].seq != command.upto:
        raise NotFound(f"there is no record {command.upto}", hint="see `elohim audit export`")
    if there[0].hash != command.head:
        raise Conflict(
            f"record {command.upto} has another hash than the copy", hint="check the log with `elohim audit verify`"
        )
    noted = AuditExported(upto=command.upto, head=command.head, when=unit.now)
    unit.emit(noted, subject=event_id(command.upto), scope=ACCESS)
    return Exported(upto=command.upto, head=command.head)


COMMANDS = (CommandEntry(RecordExport, record_export, everywhere),)

QUERIES = (
    QueryEntry(ListEvents, list_events, anywhere),
    QueryEntry(ShowEvent, show_event, anywhere),
    QueryEntry(TrailHead, trail_head, everywhere),
    QueryEntry(VerifyTrail, verify_trail, everywhere),
    QueryEntry(ExportTrail, export_trail, everywhere),
)
