"""Doubles for people who write parts: a workbench in memory with people in it, a clock to set, parts with lines to say.

Nothing of ours is replaced: commands, rights, log and projections are the real ones, only on a store that is not kept.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from elohim_kernel import registry
from elohim_kernel.access.people import AddPrincipal, GrantRole
from elohim_kernel.access.teams import AddTeam
from elohim_kernel.config import load
from elohim_kernel.gate import Gate
from elohim_kernel.model.finding import EngineReport, EngineStatus
from elohim_kernel.ports import Engine, EngineRequest, EngineTraits, Scope, Stage, StageResult, StageWork, Tools
from elohim_kernel.runtime.inline import InlineSession, Parts, open_gate, system_time
from elohim_kernel.runtime.worker import Worker
from elohim_kernel.store.database import MEMORY
from elohim_kernel.workbench import Workbench

FOUNDER: Final = "founder"  # the administrator every double's store begins with
_ANN: Final[Mapping[str, str]] = MappingProxyType({"ann": "admin"})
_NOBODY: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({})

StageLine = StageResult | Exception | Callable[[StageWork, Tools], StageResult]
EngineLine = EngineReport | Exception | Callable[[EngineRequest, Tools], EngineReport]


class FakeClock:
    """A clock that only moves when told to.

    >>> clock = FakeClock()
    >>> clock.advance(hours=2).isoformat()
    '2026-11-22T14:00:00+00:00'
    """

    def __init__(self, start: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)) -> None:
        """`start` is aware."""
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return self._now

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0, microseconds: float = 0
    ) -> datetime:
        """Move on, and return the new time."""
        self._now += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)
        return self._now


def memory_workbench(
    clock: FakeClock | None = None,
    *,
    people: Mapping[str, str] = _ANN,
    teams: Mapping[str, Mapping[str, str]] = _NOBODY,
) -> Workbench:
    """A workbench in memory as the first of `people`; `acting_as` makes it somebody else's.

    `people` maps names to the role held everywhere, "" for none; `teams` maps the names of teams to their members'
    roles there. The administrator `FOUNDER` is there too. `clock=None` takes the machine's time.

    >>> with memory_workbench(people={"ann": "admin", "bo": ""}, teams={"payments": {"bo": "analyst"}}) as ann:
    ...     made = ann.acting_as("bo").define("name: Triage\\nstages: [{key: look}]")
    ...     [flow.name for flow in ann.workflows()]
    []
    """
    parts = Parts(registry.catalogue, partial(registry.prepare, user=FOUNDER))
    gate = open_gate(MEMORY, parts, now=clock.now if clock is not None else system_time)
    founder = workbench_on(gate, FOUNDER)
    for name, role in people.items():
        _add(founder, name)
        if role and name != FOUNDER:
            founder.do(GrantRole(principal=name, role=role))
    for team, members in teams.items():
        founder.do(AddTeam(name=team))
        for name, role in members.items():
            if name not in people:
                _add(founder, name)
            founder.do(GrantRole(principal=name, role=role, team=team))
    first = next(iter(people), FOUNDER)
    settings = load({"home": None, "user": first}).settings
    return Workbench(InlineSession(gate, first, close=gate.store.close), settings, home=None)


def workbench_on(gate: Gate, name: str, *, home: Path | None = None) -> Workbench:
    """A workbench for `name` on a store that is open already, and stays open after it."""
    return Workbench(InlineSession(gate, name), load({"home": None, "user": name}).settings, home=home)


def _add(founder: Workbench, name: str) -> None:
    if name != FOUNDER:
        founder.do(AddPrincipal(name=name))


class ScriptedStage:
    """A stage type that answers its lines in turn, the last one for ever: a result, an error to raise, or a function.

    >>> stage = ScriptedStage("CODE_REVIEW", StageResult(note="nothing to say"))
    >>> stage.TYPE, stage.works
    ('CODE_REVIEW', [])
    """

    def __init__(self, type: str, *lines: StageLine) -> None:  # noqa: A002 - the word of `Stage.TYPE`
        """No lines: a result with nothing in it."""
        self.TYPE = type
        self.works: list[StageWork] = []
        self._lines = lines or (StageResult(note="done"),)

    def run(self, work: StageWork, tools: Tools) -> StageResult:
        """Note the work and say the next line."""
        line = self._lines[min(len(self.works), len(self._lines) - 1)]
        self.works.append(work)
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, StageResult) else line(work, tools)


class ScriptedEngine:
    """An engine that answers its lines in turn, the last one for ever; `missing` says why it cannot run here.

    >>> ScriptedEngine("lint", missing="lint is not installed").available()
    'lint is not installed'
    """

    def __init__(self, name: str, *lines: EngineLine, missing: str = "") -> None:
        """No lines: clean."""
        self.NAME = name
        self.LABEL = name.capitalize()
        self.TRAITS = EngineTraits(scope=Scope.CHANGE, cost=1)
        self.requests: list[EngineRequest] = []
        self._missing = missing
        self._lines = lines or (EngineReport(engine=name, status=EngineStatus.CLEAN, reason="scripted"),)

    def available(self) -> str | None:
        """`None`, or what was given as `missing`."""
        return self._missing or None

    def version(self) -> str:
        """It has none."""
        return ""

    def wants(self, path: str) -> bool:
        """Every file."""
        return bool(path)

    def run(self, request: EngineRequest, tools: Tools) -> EngineReport:
        """Note the request and say the next line."""
        line = self._lines[min(len(self.requests), len(self._lines) - 1)]
        self.requests.append(request)
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, EngineReport) else line(request, tools)


def worker_with(
    workbench: Workbench,
    *,
    stages: Sequence[Stage] = (),
    engines: Sequence[Engine] = (),
    clock: FakeClock | None = None,
    lease_s: float = 60.0,
) -> Worker:
    """A worker on the workbench's store that has these parts and no others."""
    return Worker(
        workbench.session,
        stages={stage.TYPE: stage for stage in stages},
        engines={engine.NAME: engine for engine in engines},
        home=None,
        lease_s=lease_s,
        clock=clock,
    )
