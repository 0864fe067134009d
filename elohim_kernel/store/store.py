"""The store in one process: commands become events, durably, in groups; projections follow; readers see both.

Whoever comes first commits for all that wait (a leader and its followers), so one analyst pays one insert and one
commit, and sixty-four at once pay hardly more.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec
import pyarrow as pa
from msgspec.structs import replace

from elohim_kernel.errors import Fault, KernelError, NotFound, Unauthenticated
from elohim_kernel.model.access import Principal
from elohim_kernel.model.events import Entity
from elohim_kernel.store import projection
from elohim_kernel.store.database import Database
from elohim_kernel.store.findings import AFFECTING
from elohim_kernel.store.log import (
    GENESIS,
    Checkpoint,
    Record,
    Verification,
    event_of,
    read_records,
    to_rows,
    verify,
)
from elohim_kernel.store.memory import Memory
from elohim_kernel.store.queries import PROJECTED, QUERIES
from elohim_kernel.store.tables import Table
from elohim_kernel.store.unit import Reader, Unit

_log: Final = logging.getLogger("elohim.store")
_MAX_BATCH: Final = 256
_FLUSH_AT: Final = 4_096  # events
_FINDINGS_ALONE: Final = frozenset({"findings", "decisions"})
_REMEMBERED: Final = 10_000  # requests


class Caller(msgspec.Struct, frozen=True):
    """On whose authority something is done: the principal, the service acting for it, and the request's identity."""

    principal: str  # id
    actor: str = ""  # id of the service that acts for the principal; "" when it acts itself
    request: str = ""  # idempotency key; "" makes no promise
    look_back: bool = False  # the key may have been used before: look it up in the log
    cause: str = ""
    depth: int = 0


class Work(Protocol):
    """A command on its way to the log."""

    caller: Caller

    def run(self, unit: Unit) -> object:
        """Decide; the unit's events are the effect. Raises `KernelError` to refuse."""

    def refuse(self, unit: Unit, error: KernelError) -> None:
        """Record the refusal in a fresh unit."""

    def recall(self, result: str) -> object:
        """The first result of the same request, from its JSON."""


Done = Callable[[object, KernelError | None], None]

_Key = tuple[str, str]  # principal and request: a key means something only for whoever used it


class _Waiting:
    __slots__ = ("done", "error", "finished", "result", "work")

    def __init__(self, work: Work, done: Done | None) -> None:
        self.work = work
        self.done = done
        self.result: object = None
        self.error: KernelError | None = None
        self.finished = False


class Store:
    """One open store. Thread-safe; `do` returns when the effect is durable."""

    def __init__(self, path: Path | str, *, now: Callable[[], datetime]) -> None:
        self.database = Database(path)
        self._now = now
        self._lock = threading.RLock()
        self._queue: deque[_Waiting] = deque()
        self._recent: OrderedDict[_Key, str] = OrderedDict()
        self._open()

    def _open(self) -> None:
        self.memory = Memory(self._load)
        self._pending = projection.catch_up(self.database, self.memory)
        last = self.database.rows("select seq, hash from events order by seq desc limit 1")
        self._next_seq = last[0]["seq"] + 1 if last else 1
        self._head: str = last[0]["hash"] if last else GENESIS

    @property
    def last_seq(self) -> int:
        """The number of the newest event; 0 in an empty store."""
        return self._next_seq - 1

    @property
    def head(self) -> str:
        """The hash of the newest event."""
        return self._head

    def do(self, work: Work) -> object:
        """Decide one command and make it durable; returns its result or raises its refusal."""
        waiting = _Waiting(work, None)
        self._queue.append(waiting)
        with self._lock:
            while not waiting.finished:
                self._drain()
        if waiting.error is not None:
            raise waiting.error
        return waiting.result

    def submit(self, work: Work, done: Done) -> None:
        """Queue one command; `done(result, error)` is called, from `drain`'s thread, when it is durable or refused."""
        self._queue.append(_Waiting(work, done))

    def drain(self) -> int:
        """Commit what is queued, as one group; returns how many commands that were."""
        with self._lock:
            return self._drain()

    def _drain(self) -> int:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_BATCH))]
        if batch:
            self._commit(batch)
            for waiting in batch:
                waiting.finished = True
            for waiting in batch:
                if waiting.done is not None:
                    waiting.done(waiting.result, waiting.error)
            if len(self._pending) >= _FLUSH_AT:
                self._flush_quietly()
        return len(batch)

    def _flush_quietly(self) -> None:
        # The batch is durable already: a flush that fails now must not look like a failed command. It is tried again
        # before the next read, which reports it.
        try:
            self.flush()
        except Exception:  # noqa: BLE001 - an outer door: whatever it was, nobody's command failed by it
            _log.exception("the projections could not be brought up to date")

    def _commit(self, batch: list[_Waiting]) -> None:
        group = _Group(self)
        for waiting in batch:
            group.decide(waiting)
        try:
            group.write()
        except KernelError as failed:
            self._one_by_one(batch, failed)
        except Exception:  # noqa: BLE001 - an outer door: what cannot be written must leave nobody waiting
            _log.exception("a group of commands could not be written")
            self._one_by_one(batch, _defect())

    def _one_by_one(self, batch: list[_Waiting], failed: KernelError) -> None:
        if len(batch) == 1:
            batch[0].result, batch[0].error = None, failed
            return
        for waiting in batch:
            waiting.result, waiting.error = None, None
            self._commit([waiting])

    def reader(self, principal: str) -> Reader:
        """A view for one principal, by id, that sees everything committed so far. Raises `Unauthenticated`."""
        found = self.memory.get(Principal, principal)
        if found is None:
            raise Unauthenticated(f"nobody here has the id {principal!r}")
        return Reader(self.memory, self.read, principal=found, now=self._now(), trail=self)

    def read(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        """Rows of a named query; the projections it reads are first brought up to the log."""
        sql = QUERIES.get(name)
        if sql is None:
            raise NotFound(f"there is no query {name!r}")
        if self._lags(PROJECTED[name]):
            self.flush()
        used = {key: value for key, value in parameters.items() if f"${key}" in sql}
        return self.database.read(sql, used)

    def _lags(self, tables: frozenset[str]) -> bool:
        """Whether some of these projected tables may be behind the log."""
        if tables and tables <= _FINDINGS_ALONE:
            return any(isinstance(event.data, AFFECTING) for event, _ in list(self._pending))
        return bool(tables)

    def flush(self) -> None:
        """Bring the projections up to the log; nothing to do costs nothing."""
        if self._pending:
            with self._lock:
                pending = self._pending
                projection.flush(self.database, self.memory, pending)
                self._pending = []

    def rebuild(self) -> int:
        """Make every projection again from the log; returns the number of events."""
        with self._lock:
            self.flush()
            fresh = Memory(self._load_nothing)
            count = projection.rebuild(self.database, fresh)
            self._open()
            return count

    def verify(self, checkpoint: Checkpoint | None = None) -> Verification:
        """Check the hash chain."""
        return verify(self.database, checkpoint)

    def checkpoint(self) -> Checkpoint:
        """The newest record, to be kept outside the store."""
        with self._lock:
            return Checkpoint(seq=self.last_seq, head=self._head, taken_at=self._now())

    def records(self, *, after: int, limit: int) -> list[Record]:
        """At most `limit` records with a number greater than `after`, in order."""
        return read_records(self.database, after=after, limit=limit)

    def idle(self) -> None:
        """Housekeeping for quiet moments: flush, then fold the write-ahead log into the file."""
        with self._lock:
            self.flush()
            self.database.checkpoint()

    def close(self) -> None:
        """Flush and close; a failure to flush is logged, since the log can replay it."""
        with self._lock:
            self._flush_quietly()
            self.database.close()

    def _load(self, table: Table, by: str, value: str) -> tuple[Entity, int] | None:
        rows = self.database.rows(f"select body, seq from {table.name} where {by} = $value limit 1", {"value": value})
        return (table.load(rows[0]["body"]), rows[0]["seq"]) if rows else None

    def _load_nothing(self, table: Table, by: str, value: str) -> None:
        return None

    def recall(self, principal: str, request: str, *, in_log: bool) -> str | None:
        """The JSON result of the principal's earlier command with this key; `None` when there was none."""
        if not request:
            return None
        known = self._recent.get((principal, request))
        if known is not None or not in_log:
            return known
        rows = self.database.rows(
            "select * exclude (hash) from events where request = $request"
            " and coalesce(body ->> '$.behalf', actor) = $principal order by seq limit 1",
            {"request": request, "principal": principal},
        )
        return event_of(rows[0]).result if rows else None

    def remember(self, principal: str, request: str, result: str) -> None:
        """Keep a request's result at hand."""
        self._recent[principal, request] = result
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)


def _defect() -> Fault:
    return Fault("the command failed because of a defect of ours; nothing was changed", hint="see the log")


class _Group:
    """The commands of one commit: decided in turn, each on what those before it left, then written together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._now = store._now()
        self._states: dict[str, tuple[Entity, int]] = {}
        self._keys: dict[tuple[type, str], str] = {}
        self._roles_changed = False
        self._units: list[Unit] = []
        self._results: dict[_Key, str] = {}
        self._next = store._next_seq
        self._last_number = store.memory.last_number

    def decide(self, waiting: _Waiting) -> None:
        """Run one command; its unit joins the group, or that of its refusal does."""
        work = waiting.work
        try:
            caller = work.caller
            earlier = self._results.get((caller.principal, caller.request)) if caller.request else None
            if earlier is None:
                earlier = self._store.recall(caller.principal, caller.request, in_log=caller.look_back)
            if earlier is not None:
                waiting.result = work.recall(earlier)
                return
            unit = self._unit(caller)
            result = work.run(unit)
            self._accept(unit, (caller.principal, caller.request), result)
            waiting.result = result
        except KernelError as refused:
            waiting.error = refused
            self._refuse(work, refused)
        except Exception:  # noqa: BLE001 - an outer door: one command's defect must not take its group with it
            _log.exception("a command failed")
            waiting.error = _defect()
            self._refuse(work, waiting.error)

    def _unit(self, caller: Caller) -> Unit:
        principal = self._principal(caller.principal)
        return Unit(
            self._store.memory,
            self._read,
            principal=principal,
            now=self._now,
            trail=self._store,
            first_seq=self._next,
            earlier=self._states,
            earlier_keys=self._keys,
            roles_changed=self._roles_changed,
            last_number=self._last_number,
            actor=caller.actor,
            request=caller.request,
            cause=caller.cause,
            depth=caller.depth,
        )

    def _principal(self, identifier: str) -> Principal:
        found = self._states.get(identifier)
        state = found[0] if found else self._store.memory.get(Principal, identifier)
        if not isinstance(state, Principal):
            raise Unauthenticated(f"nobody here has the id {identifier!r}")
        return state

    def _read(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        return self._store.read(name, parameters)

    def _accept(self, unit: Unit, key: _Key, result: object) -> None:
        if not unit.events:
            return
        text = msgspec.json.encode(result).decode() if result is not None else "null"
        unit.events[0] = replace(unit.events[0], result=text)
        if key[1]:
            self._results[key] = text
        self._states.update(unit.changed)
        self._keys.update(unit.keys)
        self._roles_changed |= unit.roles_changed
        self._units.append(unit)
        self._next += len(unit.events)
        self._last_number = unit.last_number

    def _refuse(self, work: Work, error: KernelError) -> None:
        # The refused request's key stays free: trying again after the cause is gone must be possible.
        caller = replace(work.caller, request="")
        try:
            unit = self._unit(caller)
        except Unauthenticated:
            return
        work.refuse(unit, error)
        self._accept(unit, ("", ""), None)

    def write(self) -> None:
        """Make the group durable, then let memory know it."""
        store = self._store
        events = [event for unit in self._units for event in unit.events]
        if not events:
            return
        rows, head = to_rows(events, store._head)
        bulk = [facts for unit in self._units for facts in unit.bulk]
        if bulk:
            with store.database.transaction():
                store.database.insert("events", rows)
                for table, facts in bulk:
                    store.database.insert(table, facts)
        else:
            store.database.insert("events", rows)
        store._head, store._next_seq = head, self._next
        for state, seq in self._states.values():
            store.memory.put(state, seq)
        for unit in self._units:
            store._pending.extend(projection.Pending(event, after) for event, _, after in unit.changes)
        for (principal, request), result in self._results.items():
            store.remember(principal, request, result)
