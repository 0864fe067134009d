"""The log: what is written reads back the same, and the chain fits only what was written."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.events import Event
from elohim_kernel.model.record import InboxRead
from elohim_kernel.model.work_item import WorkItemChanged, WorkItemCommented
from elohim_kernel.store.database import Database
from elohim_kernel.store.log import (
    GENESIS,
    event_of,
    micros_of,
    read_events,
    read_records,
    record_hash,
    to_rows,
    verify,
)

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=5,
)
TIMES = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
DATA = st.one_of(
    st.builds(WorkItemCommented, text=TEXT, mentions=st.lists(TEXT, max_size=2).map(tuple)),
    st.builds(WorkItemChanged, title=st.none() | TEXT, data=st.none() | st.dictionaries(TEXT, JSON, max_size=2)),
    st.builds(InboxRead, read_to=st.integers(0, 2**62)),
)
EVENTS = st.lists(
    st.builds(
        Event, seq=st.just(0), when=TIMES, subject=TEXT, scope=TEXT, actor=TEXT, data=DATA, request=TEXT, behalf=TEXT,
        cause=TEXT, depth=st.integers(0, 8), result=TEXT,
    ),
    min_size=1,
    max_size=4,
).map(lambda events: [_numbered(event, seq) for seq, event in enumerate(events, start=1)])  # fmt: skip


def _numbered(event: Event, seq: int) -> Event:
    return Event(**{**{field: getattr(event, field) for field in event.__struct_fields__}, "seq": seq})


@given(EVENTS)
def test_events_read_back_as_they_were_written(events: list[Event]):
    rows, _ = to_rows(events, GENESIS)

    assert [event_of(row) for row in rows.to_pylist()] == events


@given(EVENTS)
def test_anybody_can_check_the_chain_from_the_columns_alone(events: list[Event]):
    rows, head = to_rows(events, GENESIS)
    before = GENESIS

    for row in rows.to_pylist():
        texts = (str(row["seq"]), *(row[name] for name in ("kind", "subject", "scope", "actor", "request", "body")))
        before = record_hash(before, micros_of(row["ts"]), texts)
        assert before == row["hash"]
    assert before == head


@given(st.lists(TEXT, min_size=2, max_size=4), st.data())
def test_fields_cannot_flow_into_each_other(fields: list[str], data: st.DataObject):
    """Moving a character over the border between two fields is another record."""
    place = data.draw(st.integers(0, len(fields) - 2))
    moved = list(fields)
    if moved[place + 1]:
        moved[place] += moved[place + 1][0]
        moved[place + 1] = moved[place + 1][1:]
        assert record_hash(GENESIS, 0, fields) != record_hash(GENESIS, 0, moved)
    assert record_hash(GENESIS, 0, fields) != record_hash(GENESIS, 1, fields)
    assert record_hash(GENESIS, 0, fields) != record_hash("1" * 64, 0, fields)


def test_times_are_kept_to_the_microsecond():
    early = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    assert micros_of(early) == -1
    assert micros_of(datetime(2026, 11, 22, tzinfo=UTC) + timedelta(microseconds=7)) % 1_000_000 == 7


def test_reading_in_chunks_misses_nothing_and_keeps_the_order():
    database = Database(":memory:")
    when = datetime(2026, 11, 22, tzinfo=UTC)
    events = [
        Event(seq=n, when=when, subject="s", scope="g", actor="a", data=InboxRead(read_to=n)) for n in range(1, 26)
    ]
    rows, head = to_rows(events, GENESIS)
    database.insert("events", rows)

    for chunk in (1, 7, 25, 100):
        assert [event.seq for event in read_events(database, after=3, chunk=chunk)] == list(range(4, 26))
        told = verify(database, chunk=chunk)
        assert (told.ok, told.events, told.head) == (True, 25, head)
    assert [event.seq for event in read_events(database, after=0, upto=5, chunk=2)] == [1, 2, 3, 4, 5]
    assert [record.seq for record in read_records(database, after=20, limit=3)] == [21, 22, 23]
