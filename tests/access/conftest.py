"""A workbench in memory with people in it, for tests that ask who may do what."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elohim_kernel import registry
from elohim_kernel.access.people import AddPrincipal, GrantRole, bootstrap
from elohim_kernel.access.teams import AddTeam
from elohim_kernel.errors import KernelError
from elohim_kernel.gate import Gate
from elohim_kernel.model.access import WORKER, Principal, PrincipalKind
from elohim_kernel.model.command import Command, Query
from elohim_kernel.store.store import Caller, Store
from elohim_kernel.store.unit import Unit


class Foundation:
    """What makes an empty store somebody's."""

    caller = Caller(principal=WORKER)

    def __init__(self, name: str, title: str = "") -> None:
        self._name = name
        self._title = title

    def run(self, unit: Unit) -> None:
        bootstrap(unit, self._name, self._title)

    def refuse(self, unit: Unit, error: KernelError) -> None: ...

    def recall(self, result: str) -> None: ...


@dataclass
class Acting:
    """Somebody at the gate."""

    gate: Gate
    id: str

    def do(self, command: Command, request: str = "") -> Any:
        return self.gate.do(command, Caller(principal=self.id, request=request))

    def ask(self, query: Query) -> Any:
        return self.gate.ask(query, self.id)


class Bench:
    """An open store with a gate and a clock; `root` founded it."""

    def __init__(self, founder: str = "root") -> None:
        self.now = datetime(2026, 11, 22, 8, tzinfo=UTC)
        self.store = Store(":memory:", now=lambda: self.now)
        self.gate = Gate(self.store, registry.catalogue(), now=lambda: self.now)
        self.found(founder)
        self.root = self.acting(founder)

    def found(self, name: str, title: str = "") -> None:
        if self.store.memory.get(Principal, WORKER) is None:
            worker = Principal(id=WORKER, name="worker", kind=PrincipalKind.SERVICE)
            self.store.memory.put(worker, 0, dirty=False)
        self.store.do(Foundation(name, title))

    def acting(self, name: str) -> Acting:
        principal = self.store.memory.find(Principal, name)
        assert principal is not None
        return Acting(self.gate, principal.id)

    def add(self, name: str, role: str = "", team: str = "") -> Acting:
        """Add somebody, with a role when one is given."""
        self.root.do(AddPrincipal(name=name))
        if role:
            self.root.do(GrantRole(principal=name, role=role, team=team))
        return self.acting(name)

    def team(self, name: str) -> str:
        """Found a team; returns its id."""
        team: str = self.root.do(AddTeam(name=name)).id
        return team

    def principal(self, name: str) -> Principal:
        found = self.store.memory.find(Principal, name)
        assert found is not None
        return found

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def texts(self) -> str:
        """Everything that is kept, as one text: the log and every projected table."""
        self.store.flush()
        tables = [row["table_name"] for row in self.store.database.rows("select table_name from duckdb_tables()")]
        return "\n".join(str(self.store.database.rows(f'from "{name}"')) for name in tables)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def bench_factory() -> type[Bench]:
    """For property tests, which need a new workbench for each example."""
    return Bench
