"""The identity map: what the writer knows by heart, so that a command is decided without asking the database.

It holds the newest state of everything it has touched, with the number of the event that made it, and finds things by
id or by the key people use. What is not here is loaded once; what was changed and not yet projected stays.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from elohim_kernel.model.access import Role
from elohim_kernel.model.events import Entity
from elohim_kernel.model.run import Delivery, DeliveryStatus
from elohim_kernel.model.work_item import WorkItem
from elohim_kernel.store.tables import TABLE_OF, TABLES, Table

E = TypeVar("E")

Loader = Callable[[Table, str, str], tuple[Entity, int] | None]  # table, "id" or "key", value


class Memory:
    """States by id and by key. One writer changes it; readers may read it at any time."""

    def __init__(self, load: Loader, *, capacity: int = 100_000) -> None:
        self._load = load
        self._capacity = capacity
        self.states: dict[str, tuple[Entity, int]] = {}
        self._keys: dict[tuple[type[Entity], str], str] = {}
        self.dirty: dict[type[Entity], dict[str, None]] = {table.entity: {} for table in TABLES}
        self.born: set[str] = set()  # dirty ones that no table holds yet
        self.deliveries: dict[str, Delivery] = {}
        self.pinned: dict[type[Entity], dict[str, Any]] = {table.entity: {} for table in TABLES if table.pinned}
        self.roles: dict[str, Role] = {}  # by name: every operation asks for them
        self.last_number = 0

    def get(self, kind: type[E], identifier: str) -> E | None:
        """The newest state with that id; `None` when there is none of that kind."""
        found = self.states.get(identifier) or self._fetch(TABLE_OF[kind], "id", identifier)  # type: ignore[index]
        return found[0] if found and isinstance(found[0], kind) else None

    def find(self, kind: type[E], key: str) -> E | None:
        """The newest state people call `key`; `None` when there is none."""
        identifier = self._keys.get((kind, key))  # type: ignore[arg-type]
        if identifier is not None:
            return self.get(kind, identifier)
        table = TABLE_OF[kind]  # type: ignore[index]
        found = None if table.pinned else self._fetch(table, "key", key)
        return found[0] if found and isinstance(found[0], kind) else None

    def every(self, kind: type[E]) -> list[E]:
        """All states of a pinned kind."""
        return list(self.pinned[kind].values())  # type: ignore[index]

    def seq(self, identifier: str) -> int:
        """The number of the event that last changed it; 0 when it is not here."""
        found = self.states.get(identifier)
        return found[1] if found else 0

    def put(self, state: Entity, seq: int, *, dirty: bool = True) -> None:
        """Take a newer state."""
        kind = type(state)
        table = TABLE_OF[kind]
        before = self.states.get(state.id)
        key = table.key(state)
        if before is not None and table.pinned:  # of the others no key ever changes
            old = table.key(before[0])
            # The old name may be another's by now.
            if old != key and self._keys.get((kind, old)) == state.id:
                del self._keys[kind, old]
        self.states[state.id] = (state, seq)
        self._keys[kind, key] = state.id
        if dirty:
            self.dirty[kind][state.id] = None
            if before is None:
                self.born.add(state.id)
        if table.pinned:
            self.pinned[kind][state.id] = state
            if isinstance(state, Role):
                self.roles = {**self.roles, state.name: state}
        elif isinstance(state, Delivery):
            self._track(state)
        elif isinstance(state, WorkItem):
            self.last_number = max(self.last_number, state.number)

    def take_dirty(self) -> dict[type[Entity], list[tuple[Entity, int]]]:
        """What was changed since the last projection, by kind. `settled` ends its being dirty."""
        return {kind: [self.states[one] for one in ids] for kind, ids in self.dirty.items() if ids}

    def settled(self) -> None:
        """Everything dirty is now in the tables; forget what is neither needed nor recent."""
        for ids in self.dirty.values():
            ids.clear()
        self.born.clear()
        if len(self.states) > self._capacity:
            self._forget(len(self.states) - self._capacity // 2)

    def _forget(self, count: int) -> None:
        # A copy, because readers may load something meanwhile.
        loose = (name for name, (state, _) in list(self.states.items()) if not TABLE_OF[type(state)].pinned)
        for name in [one for one, _ in zip(loose, range(count), strict=False) if one not in self.deliveries]:
            state, _ = self.states.pop(name)
            self._keys.pop((type(state), TABLE_OF[type(state)].key(state)), None)

    def load_all(self, rows: Iterable[tuple[Entity, int]]) -> None:
        """Take states that are already in the tables."""
        for state, seq in rows:
            self.put(state, seq, dirty=False)

    def _fetch(self, table: Table, by: str, value: str) -> tuple[Entity, int] | None:
        if table.pinned:
            return None
        found = self._load(table, by, value)
        if found is None:
            return None
        # A writer may have been quicker: what is already here is never older than what was just read.
        kept = self.states.setdefault(found[0].id, found)
        self._keys.setdefault((table.entity, table.key(kept[0])), kept[0].id)
        return kept

    def _track(self, delivery: Delivery) -> None:
        if delivery.status in (DeliveryStatus.DUE, DeliveryStatus.CLAIMED):
            self.deliveries[delivery.id] = delivery
        else:
            self.deliveries.pop(delivery.id, None)
