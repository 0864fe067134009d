"""Real stores with a log of some length, in memory or in a file that somebody can tamper with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from elohim_kernel import registry
from elohim_kernel.access.people import AddPrincipal, GrantRole, bootstrap
from elohim_kernel.access.teams import AddTeam
from elohim_kernel.errors import KernelError
from elohim_kernel.gate import Gate
from elohim_kernel.model.access import WORKER, Principal, PrincipalKind
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.value import convert
from elohim_kernel.store.store import Caller, Store
from elohim_kernel.store.unit import Unit
from elohim_kernel.workflows.definitions import CreateWorkflow
from elohim_kernel.workflows.work_items import OpenWorkItem

LOOK = {"name": "Look", "stages": [{"key": "look", "name": "Look"}]}


class Foundation:
    """What makes an empty store somebody's."""

    caller = Caller(principal=WORKER)

    def run(self, unit: Unit) -> None:
        bootstrap(unit, "root", "")

    def refuse(self, unit: Unit, error: KernelError) -> None: ...

    def recall(self, result: str) -> None: ...


@dataclass
class Acting:
    """Somebody at the gate."""

    gate: Gate
    id: str

    def do(self, command: Command, *, actor: str = "") -> Any:
        return self.gate.do(command, Caller(principal=self.id, actor=actor))

    def ask(self, query: Query) -> Any:
        return self.gate.ask(query, self.id)


class Bench:
    """An open store with a gate, a clock that ticks by itself, and `root` who founded it."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self._clock = datetime(2026, 11, 22, 8, tzinfo=UTC)
        self.store = Store(path, now=self._tick)
        self.gate = Gate(self.store, registry.catalogue(), now=self._tick)
        if self.store.last_seq == 0:
            self.store.memory.put(Principal(id=WORKER, name="worker", kind=PrincipalKind.SERVICE), 0, dirty=False)
            self.store.do(Foundation())
        self.root = self.acting("root")

    def _tick(self) -> datetime:
        self._clock += timedelta(milliseconds=7)
        return self._clock

    def acting(self, name: str) -> Acting:
        principal = self.store.memory.find(Principal, name)
        assert principal is not None
        return Acting(self.gate, principal.id)

    def add(self, name: str, role: str = "", team: str = "") -> Acting:
        self.root.do(AddPrincipal(name=name))
        if role:
            self.root.do(GrantRole(principal=name, role=role, team=team))
        return self.acting(name)

    def team(self, name: str) -> None:
        self.root.do(AddTeam(name=name))
        self.root.do(GrantRole(principal="root", role="admin", team=name))

    def workflow(self, who: Acting, visibility: str = "global", team: str = "") -> str:
        """Make a workflow with one stage for people; returns its id."""
        made: str = who.do(convert({"definition": LOOK, "visibility": visibility, "team": team}, CreateWorkflow)).id
        return made

    def definition(self, *stages: dict[str, Any]) -> CreateWorkflow:
        """The command that makes a personal workflow of these stages."""
        return convert({"definition": {"name": stages[0]["name"], "stages": stages}}, CreateWorkflow)

    def fill(self, count: int) -> None:
        """Open so many items in a workflow of their own."""
        flow = self.root.do(convert({"definition": {**LOOK, "name": f"Look {count}"}}, CreateWorkflow)).id
        for number in range(count):
            self.root.do(OpenWorkItem(workflow=flow, title=f"item {number}"))


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def bench_factory() -> Callable[..., Bench]:
    """For stores in files, and several at once."""
    return Bench
