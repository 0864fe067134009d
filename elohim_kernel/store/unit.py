"""The unit of work: what one command may read, and the events by which alone it changes anything.

A unit sees the states as its own events leave them. Nothing reaches the store before the command is done; a refused
command's unit is thrown away.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

import pyarrow as pa

from elohim_kernel.errors import NotFound
from elohim_kernel.model.access import Principal, Role
from elohim_kernel.model.events import BIRTHS, Entity, Event, EventData, deliveries, entity_of, fold
from elohim_kernel.model.ids import PREFIXES, prefix_of
from elohim_kernel.model.run import Delivery
from elohim_kernel.model.work_item import WorkItem, reference
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.log import Checkpoint, Record, Verification
from elohim_kernel.store.memory import Memory
from elohim_kernel.store.queries import Read
from elohim_kernel.store.tables import TABLE_OF

E = TypeVar("E")


class Trail(Protocol):
    """The log as a whole, whoever may see what: for operations of the audit room, which need a right of their own."""

    def verify(self, checkpoint: Checkpoint | None = None) -> Verification:
        """Check the hash chain, and that it still holds the checkpoint."""

    def checkpoint(self) -> Checkpoint:
        """The newest record."""

    def records(self, *, after: int, limit: int) -> Sequence[Record]:
        """At most `limit` records with a number greater than `after`, in order."""


class Reader:
    """Reading states and named queries for one principal; rows they may not see are not there."""

    def __init__(self, memory: Memory, read: Read, *, principal: Principal, now: datetime, trail: Trail) -> None:
        self._memory = memory
        self._read = read
        self.trail = trail
        self.principal = principal
        self.now = now

    def find(self, kind: type[E], identifier: str) -> E | None:
        """The state with that id; `None` when there is none."""
        return self._memory.get(kind, identifier)

    def get(self, kind: type[E], identifier: str) -> E:
        """The state with that id; raises `NotFound`."""
        found = self.find(kind, identifier)
        if found is None:
            raise NotFound(f"there is no {_noun(identifier)} {identifier!r}")
        return found

    def by_key(self, kind: type[E], key: str) -> E | None:
        """The state people call `key`; `None` when there is none."""
        return self._memory.find(kind, key)

    def every(self, kind: type[E]) -> list[E]:
        """All of a small kind: principals, teams, roles, tokens, templates, workflows."""
        return self._memory.every(kind)

    def roles(self) -> Mapping[str, Role]:
        """Every role by name."""
        return self._memory.roles

    def scopes(self) -> list[str]:
        """The scopes whose rows exist for the principal: bound to every named query."""
        return scopes_of(self.principal, self.every(Workflow), self.roles())

    def rows(self, name: str, **parameters: object) -> list[dict[str, Any]]:
        """Rows of a named query, within the principal's scopes. Values are SQL values, hence `Any`."""
        found: list[dict[str, Any]] = self.table(name, **parameters).to_pylist()
        return found

    def table(self, name: str, **parameters: object) -> pa.Table:
        """The same as Arrow."""
        return self._read(name, {**parameters, "scopes": self.scopes()})


class Mark(NamedTuple):
    """A point in a unit's work."""

    events: int
    bulk: int
    next: int
    changed: dict[str, tuple[Entity, int]]
    keys: dict[tuple[type, str], str]
    last_number: int


class Unit(Reader):
    """One command's view of the store and its events."""

    def __init__(
        self,
        memory: Memory,
        read: Read,
        *,
        principal: Principal,
        now: datetime,
        trail: Trail,
        first_seq: int,
        earlier: Mapping[str, tuple[Entity, int]],
        earlier_keys: Mapping[tuple[type, str], str],
        roles_changed: bool,
        last_number: int,
        actor: str = "",
        request: str = "",
        cause: str = "",
        depth: int = 0,
    ) -> None:
        super().__init__(memory, read, principal=principal, now=now, trail=trail)
        self._earlier = earlier
        self._states = memory.states
        self._earlier_keys = earlier_keys
        self.roles_changed = roles_changed
        self._next = first_seq
        self._actor = actor or principal.id
        self._behalf = principal.id if actor and actor != principal.id else ""
        self._request = request
        self._cause = cause
        self._depth = depth
        self.events: list[Event] = []
        self.changed: dict[str, tuple[Entity, int]] = {}
        self.changes: list[tuple[Event, Entity | None, Entity | None]] = []
        self.keys: dict[tuple[type, str], str] = {}
        self.bulk: list[tuple[str, pa.Table]] = []
        self.last_number = last_number

    @property
    def actor(self) -> str:
        """Id of who acts: the principal, or the service that acts for it."""
        return self._actor

    def find(self, kind: type[E], identifier: str) -> E | None:
        """The state with that id as this unit and those before it in the batch leave it."""
        found = self.changed.get(identifier) or self._earlier.get(identifier) or self._states.get(identifier)
        if found is None:
            return super().find(kind, identifier)
        return found[0] if isinstance(found[0], kind) else None

    def by_key(self, kind: type[E], key: str) -> E | None:
        """The state people call `key`, new ones of this batch included."""
        identifier = self.keys.get((kind, key)) or self._earlier_keys.get((kind, key))
        if identifier is None:
            identifier = getattr(super().by_key(kind, key), "id", "")
        found = self.find(kind, identifier) if identifier else None
        # Whoever was given another name meanwhile does not answer to this one any more.
        return found if found is not None and TABLE_OF[kind].key(found) == key else None  # type: ignore[index]

    def every(self, kind: type[E]) -> list[E]:
        """All of a small kind, new ones of this batch included."""
        found = {getattr(state, "id", ""): state for state in super().every(kind)}
        for states in (self._earlier, self.changed):
            found.update({name: state for name, (state, _) in states.items() if isinstance(state, kind)})
        return list(found.values())

    def roles(self) -> Mapping[str, Role]:
        """Every role by name, new ones of this batch included."""
        if not self.roles_changed:
            return super().roles()
        return {role.name: role for role in self.every(Role)}

    def open_deliveries(self) -> list[Delivery]:
        """Deliveries that are due or claimed, oldest first."""
        known = dict(self._memory.deliveries)
        for states in (self._earlier, self.changed):
            known.update({name: state for name, (state, _) in states.items() if isinstance(state, Delivery)})
        return sorted(known.values(), key=lambda delivery: delivery.id)

    def next_number(self) -> int:
        """The next work item's number."""
        self.last_number += 1
        return self.last_number

    def emit(self, data: EventData, *, subject: str, scope: str) -> Event:
        """Record that something happened; the state it is about is folded at once."""
        event = Event(
            seq=self._next,
            when=self.now,
            subject=subject,
            scope=scope,
            actor=self._actor,
            data=data,
            request=self._request,
            behalf=self._behalf,
            cause=self._cause,
            depth=self._depth,
        )
        self._next += 1
        self.events.append(event)
        kind = entity_of(data)
        before = self.find(kind, subject) if kind and type(data) not in BIRTHS else None
        after = fold(before, event) if kind else None
        self.changes.append((event, before, after))
        if after is not None:
            self._take(after, event.seq)
        for delivery in deliveries(event):
            self._take(delivery, event.seq)
        return event

    def insert(self, table: str, rows: pa.Table) -> None:
        """Bulk facts beside the events, in the same transaction; `seq` is the number of the next event."""
        self.bulk.append((table, rows))

    def mark(self) -> "Mark":
        """Where this unit stands, to come back to."""
        return Mark(len(self.events), len(self.bulk), self._next, dict(self.changed), dict(self.keys), self.last_number)

    def back_to(self, mark: "Mark") -> None:
        """Take back what was emitted since `mark`: one of many things was refused, and the others go on."""
        del self.events[mark.events :], self.changes[mark.events :], self.bulk[mark.bulk :]
        self._next, self.changed, self.keys, self.last_number = mark.next, mark.changed, mark.keys, mark.last_number

    def forget(self) -> None:
        """Take everything back: a dry run."""
        self.back_to(Mark(0, 0, self._next - len(self.events), {}, {}, self.last_number))

    @property
    def next_seq(self) -> int:
        """The number the next event will have."""
        return self._next

    def _take(self, state: Entity, seq: int) -> None:
        self.changed[state.id] = (state, seq)
        kind = type(state)
        self.keys[kind, TABLE_OF[kind].key(state)] = state.id
        if kind is Role:
            self.roles_changed = True


def scopes_of(principal: Principal, workflows: Sequence[Workflow], roles: Mapping[str, Role]) -> list[str]:
    """The scopes whose rows exist for `principal`."""
    from_model = principal.scopes(roles)
    return [*from_model, *(flow.id for flow in workflows if principal.sees(flow.tenant))]


def _noun(identifier: str) -> str:
    return PREFIXES.get(prefix_of(identifier), "thing")


def item_named(reader: Reader, name: str) -> WorkItem:
    """A work item by id or reference, `EL-12` or just `12`; raises `NotFound`, also for a hidden one."""
    found = reader.find(WorkItem, name) if name.startswith("wi_") else None
    if found is None:
        key = reference(int(name)) if name.isascii() and name.isdigit() and len(name) < 19 else name.upper()
        found = reader.by_key(WorkItem, key)
    flow = reader.find(Workflow, found.workflow) if found else None
    if found is None or flow is None or not reader.principal.sees(flow.tenant):
        raise NotFound(f"there is no work item {name!r}", hint="see `elohim item list`")
    return found
