"""The event log: rows in, events out, and the hash chain that shows when somebody changed it.

A record's hash covers the hash before it and every column of the record, so an edit, a deletion, a swap or an insertion
breaks the chain at its place; a truncation shows against a checkpoint kept elsewhere.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pyarrow as pa

from elohim_kernel.model.events import Event, EventData, kind_of
from elohim_kernel.model.value import Value
from elohim_kernel.store.database import Database

GENESIS: Final = "0" * 64

_SCHEMA: Final = pa.schema(
    [
        ("seq", pa.int64()),
        ("ts", pa.timestamp("us", "UTC")),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("scope", pa.string()),
        ("actor", pa.string()),
        ("request", pa.string()),
        ("body", pa.string()),
        ("hash", pa.string()),
    ]
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode: Final = msgspec.json.Encoder().encode


class _Written(msgspec.Struct, omit_defaults=True, gc=False):
    data: EventData
    behalf: str = ""
    cause: str = ""
    depth: int = 0
    result: str = ""


class _Read(msgspec.Struct):
    data: EventData
    behalf: str = ""
    cause: str = ""
    depth: int = 0
    result: str = ""


_decode_body: Final = msgspec.json.Decoder(_Read).decode


def record_hash(before: str, micros: int, fields: Sequence[str]) -> str:
    """SHA-256 over a JSON list of the hash before, the time in microseconds and the record's fields."""
    return hashlib.sha256(_encode((before, micros, *fields))).hexdigest()


def micros_of(when: datetime) -> int:
    """Microseconds since 1970, exactly."""
    apart = when - _EPOCH
    return (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds


def to_rows(events: Sequence[Event], head: str) -> tuple[pa.Table, str]:
    """Arrow rows for events that follow the record with hash `head`, and the hash of the last one."""
    columns: list[list[Any]] = [[] for _ in _SCHEMA]  # columns of several types, hence Any
    for event in events:
        micros = micros_of(event.when)
        body = _encode(_Written(event.data, event.behalf, event.cause, event.depth, event.result)).decode()
        kind = kind_of(event.data)
        fields = (str(event.seq), kind, event.subject, event.scope, event.actor, event.request, body)
        head = record_hash(head, micros, fields)
        row = (event.seq, micros, kind, event.subject, event.scope, event.actor, event.request, body, head)
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=_SCHEMA), head


def event_of(row: dict[str, Any]) -> Event:
    """The event in a row of the `events` table."""
    body = _decode_body(row["body"])
    return Event(
        seq=row["seq"],
        when=row["ts"].replace(tzinfo=UTC),
        subject=row["subject"],
        scope=row["scope"],
        actor=row["actor"],
        data=body.data,
        request=row["request"],
        behalf=body.behalf,
        cause=body.cause,
        depth=body.depth,
        result=body.result,
    )


def read_events(database: Database, *, after: int, upto: int | None = None, chunk: int = 20_000) -> Iterator[Event]:
    """Events with a number greater than `after`, in order, read in chunks."""
    while True:
        rows = database.read(
            "select * exclude (hash) from events where seq > $after and seq <= $upto order by seq",
            {"after": after, "upto": min(after + chunk, upto if upto is not None else after + chunk)},
        ).to_pylist()
        yield from map(event_of, rows)
        if not rows:
            return
        after = rows[-1]["seq"]


class Record(Value, frozen=True):
    """A record exactly as it was written: all that another program needs to check the chain with `record_hash`."""

    seq: int
    micros: int  # microseconds since 1970, UTC
    kind: str
    subject: str
    scope: str
    actor: str
    request: str
    body: str  # JSON
    hash: str


def read_records(database: Database, *, after: int, limit: int) -> list[Record]:
    """At most `limit` records with a number greater than `after`, in order."""
    rows = database.read(
        "select seq, epoch_us(ts) as micros, kind, subject, scope, actor, request, body, hash from events"
        " where seq > $after order by seq limit $limit",
        {"after": after, "limit": limit},
    ).to_pylist()
    return [Record(**row) for row in rows]


class Checkpoint(Value, frozen=True):
    """A record's number and hash, to be kept outside the store."""

    seq: int
    head: str
    taken_at: datetime


class Verification(Value, frozen=True):
    """What checking the chain found."""

    ok: bool
    events: int
    head: str
    first_bad: int = 0  # number of the first record that does not fit; 0: none
    problem: str = ""


def verify(database: Database, checkpoint: Checkpoint | None = None, *, chunk: int = 20_000) -> Verification:
    """Walk the chain from the first record; with a checkpoint also notice truncation and a chain made anew.

    Records that are written meanwhile are left to the next time.
    """
    upto: int = database.rows("select coalesce(max(seq), 0) as last from events")[0]["last"]
    head, count = GENESIS, 0
    anchored = checkpoint is None
    while count < upto:
        rows = database.read(_CHAIN, {"first": count + 1, "last": min(count + chunk, upto)})
        for record in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            wanted, problem = _next_hash(head, count + 1, record)
            if problem:
                return _bad(count, head, problem)
            if checkpoint is not None and count + 1 == checkpoint.seq:
                anchored = wanted == checkpoint.head
                if not anchored:
                    return _bad(
                        count, head, f"record {count + 1} is not the one the checkpoint saw: the log was rewritten"
                    )
            head, count = wanted, count + 1
        if not len(rows):
            break
    return _end(database, checkpoint, anchored=anchored, head=head, count=count, upto=upto)


_CHAIN: Final = (
    "select seq, epoch_us(ts), kind, subject, scope, actor, request, body, hash from events"
    " where seq between $first and $last order by seq"
)


def _next_hash(head: str, expected: int, record: tuple[Any, ...]) -> tuple[str, str]:
    seq, micros, *texts, stored = record  # of the columns of `_CHAIN`, hence `Any`
    if seq != expected:
        return "", f"record {expected} is missing or doubled: found {seq} in its place"
    wanted = "" if None in texts else record_hash(head, micros, (str(seq), *texts))
    if wanted != stored or not wanted:
        return "", f"record {expected} does not fit its hash: it or one before was changed"
    return wanted, ""


def _end(
    database: Database, checkpoint: Checkpoint | None, *, anchored: bool, head: str, count: int, upto: int
) -> Verification:
    sql = "select count(*) as n from events where seq is null or seq <= $upto"
    total: int = database.rows(sql, {"upto": upto})[0]["n"]
    if total != count:
        return _bad(count, head, f"{total - count} records lie outside the chain after record {count}")
    if checkpoint is not None and not anchored:
        return _bad(count, head, f"the log ends at record {count}, the checkpoint saw {checkpoint.seq}: it was cut")
    return Verification(ok=True, events=count, head=head)


def _bad(count: int, head: str, problem: str) -> Verification:
    return Verification(ok=False, events=count, head=head, first_bad=count + 1, problem=problem)
