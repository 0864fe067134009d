"""Projections: the tables people query, brought up to the log in large set-based steps with a watermark.

Anything here can be thrown away and made again from the events and the bulk facts beside them: `rebuild` does that.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from elohim_kernel.model.events import Entity, Event, deliveries, entity_of, fold
from elohim_kernel.model.notification import notifications
from elohim_kernel.store.database import Database
from elohim_kernel.store.findings import project_findings
from elohim_kernel.store.log import read_events
from elohim_kernel.store.memory import Memory
from elohim_kernel.store.tables import NOTIFICATIONS, TABLE_OF, TABLES

_REBUILT: Final = (*(table.name for table in TABLES), "notifications", "findings")


class Pending(NamedTuple):
    """An event whose projections are not in the tables yet, and the state it left."""

    event: Event
    after: Entity | None


def flush(database: Database, memory: Memory, pending: Sequence[Pending]) -> None:
    """Write everything that is dirty, and move the watermark, in one transaction."""
    if not pending:
        return
    with database.transaction():
        for kind, states in memory.take_dirty().items():
            table = TABLE_OF[kind]
            born = [one for one in states if one[0].id in memory.born]
            known = [one for one in states if one[0].id not in memory.born]
            if born:
                database.insert(table.name, table.arrow(born))
            if known:
                database.replace(table.name, table.arrow(known))
        told = _notification_rows(pending)
        if told is not None:
            database.insert("notifications", told)
        project_findings(database, pending)
        database.execute("update watermark set seq = $1", [pending[-1].event.seq])
    memory.settled()


def _notification_rows(pending: Sequence[Pending]) -> pa.Table | None:
    rows = [
        (event.seq, one.recipient, event.actor, one.kind, one.item, one.reference, event.scope, one.text, event.when)
        for event, after in pending
        for one in notifications(event, after)
    ]
    if not rows:
        return None
    columns = zip(NOTIFICATIONS, zip(*rows, strict=True), strict=True)
    return pa.table({field.name: pa.array(column, field.type) for field, column in columns})


def catch_up(database: Database, memory: Memory) -> list[Pending]:
    """Load what is always needed and fold the events after the watermark; returns what is still to be flushed."""
    for table in TABLES:
        if table.pinned or table.name == "deliveries":
            where = "" if table.pinned else " where status in ('due', 'claimed')"
            rows = database.rows(f"select body, seq from {table.name}{where}")
            memory.load_all((table.load(row["body"]), row["seq"]) for row in rows)
    highest = database.rows("select coalesce(max(number), 0) as n from work_items")[0]["n"]
    memory.last_number = max(memory.last_number, highest)
    mark = database.rows("select seq from watermark")[0]["seq"]
    return [replay(memory, event) for event in read_events(database, after=mark)]


def replay(memory: Memory, event: Event) -> Pending:
    """Fold one recorded event into memory."""
    kind = entity_of(event.data)
    after: Entity | None = None
    if kind is not None:
        after = fold(memory.get(kind, event.subject), event)
        memory.put(after, event.seq)
    for delivery in deliveries(event):
        memory.put(delivery, event.seq)
    return Pending(event, after)


def rebuild(database: Database, memory: Memory, *, chunk: int = 20_000) -> int:
    """Empty every projection and make it again from the log; `memory` must be fresh. Returns the number of events.

    All in one transaction: readers see the old tables or the new ones, and a crash leaves the old ones.
    """
    count = 0
    with database.transaction():
        for name in _REBUILT:
            database.execute(f"delete from {name}")
        told: list[Pending] = []
        for event in read_events(database, after=0, chunk=chunk):
            told.append(replay(memory, event))
            count += 1
        for kind, states in memory.take_dirty().items():
            table = TABLE_OF[kind]
            database.insert(table.name, table.arrow(states))
        rows = _notification_rows(told)
        if rows is not None:
            database.insert("notifications", rows)
        project_findings(database, told)
        database.execute("update watermark set seq = $1", [count])
    memory.settled()
    return count
