"""A small world: people, teams and workflows in one store, and a model of who may see what in it.

Each workflow's, team's and person's words carry a canary, so that whatever anybody is shown can be searched for what
they may not see. The model knows nothing of how the store decides: it follows the commands that were done.
"""

import random
import re
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from elohim_kernel import registry
from elohim_kernel.access.people import AddPrincipal, GrantRole, RevokeRole
from elohim_kernel.access.teams import AddTeam
from elohim_kernel.access.tokens import CreateToken
from elohim_kernel.errors import KernelError
from elohim_kernel.model.access import Visibility
from elohim_kernel.model.command import Command
from elohim_kernel.model.work_item import WorkItem
from elohim_kernel.model.workflow import Template, Workflow
from elohim_kernel.runtime.inline import InlineSession, Parts, open_gate
from elohim_kernel.testing import FakeClock
from elohim_kernel.workflows.definitions import CreateWorkflow, ShareWorkflow
from elohim_kernel.workflows.playbooks import StartPlaybook
from elohim_kernel.workflows.runs import ClaimDelivery
from elohim_kernel.workflows.templates import InstantiateTemplate, SaveTemplate
from elohim_kernel.workflows.work_items import OpenWorkItem

CANARY = re.compile("zq[a-z0-9]+qz")
FOUNDER, WORKER = "root", "the worker"
PEOPLE = (FOUNDER, "ann", "bob", "cyd", "dan", "eve")
TEAMS: Mapping[str, Mapping[str, str]] = {
    "red": {"ann": "maintainer", "bob": "approver"},
    "blue": {"bob": "analyst", "cyd": "maintainer"},
}


class World:
    """`home` None keeps it in memory."""

    def __init__(self, chance: random.Random, home: Path | None = None) -> None:
        self.chance = chance
        self.clock = FakeClock()
        self.home = home
        self._parts = Parts(registry.catalogue, partial(registry.prepare, user=FOUNDER))
        self.gate = open_gate(home / "0.duckdb" if home else ":memory:", self._parts, now=self.clock.now)
        self.steps: list[tuple[str, Command, Any]] = []
        self.done: set[str] = set()
        self.known: dict[str, list[str]] = {
            "item": [],
            "approval": [],
            "run": [],
            "delivery": [],
            "token": [],
            "template": [],
        }
        self.holders: dict[str, tuple[str, str]] = {}  # delivery → its worker, and whom it works for
        self.owners: dict[str, set[str]] = {}  # canary → where it stands: a flow, a team, a person, "global"
        self.typed: dict[str, set[str]] = {}  # person → canaries they wrote themselves
        self.tenants: dict[str, str] = {}  # flow → "global", a team's name or a person's
        self.members: dict[str, set[tuple[str, str]]] = {}  # team → member and role
        self._marks = 0
        self._aim: tuple[str, str] = ("", "")  # item and workflow that the next step is about
        self._found()

    def _found(self) -> None:
        for name in PEOPLE[1:]:
            self.do(FOUNDER, AddPrincipal(name=name, title=self.fresh("person " + name)))
        self.do(FOUNDER, GrantRole(principal="eve", role="maintainer"))
        for team, members in TEAMS.items():
            self.do(FOUNDER, AddTeam(name=team, title=self.fresh("team " + team)))
            for name, role in members.items():
                self.do(FOUNDER, GrantRole(principal=name, role=role, team=team))

    @property
    def store(self) -> Any:
        """The store, for looking into it."""
        return self.gate.store

    def session(self, who: str) -> InlineSession:
        """A session as a person, as the worker, or as the worker for somebody: `for us_…`."""
        if who == WORKER or who.startswith("for "):
            return InlineSession(self.gate, who.removeprefix(WORKER).removeprefix("for "), working=True)
        return InlineSession(self.gate, who)

    def do(self, who: str, command: Command, key: str = "") -> Any:
        """The result, or the error it was refused with."""
        self.typed.setdefault(who, set()).update(CANARY.findall(repr(command)))
        result: Any
        try:
            result = self.session(who).do(command, key=key)
        except KernelError as refused:
            result = refused
        else:
            self.done.add(type(command).__name__)
            if not key:
                self._learn(who, command, result)
        self.steps.append((who, command, result))
        return result

    def _learn(self, who: str, command: Command, result: Any) -> None:
        match command:
            case OpenWorkItem():
                self.known["item"].append(result.id)
            case ClaimDelivery() if result is not None:
                self.holders[result.delivery] = (command.worker, f"for {result.behalf}")
                self.known["delivery"].append(result.delivery)
                self.known["run"].append(result.run)
            case StartPlaybook():
                self.known["run"].append(result)
            case CreateToken():
                self.known["token"].append(result.id)
            case CreateWorkflow() | InstantiateTemplate() | ShareWorkflow():
                self.tenants[result.id] = self._tenant(who, command)
                flow = self.store.memory.get(Workflow, result.id)
                for mark in CANARY.findall(repr(flow)):
                    self.owners.setdefault(mark, set()).add(result.id)
            case SaveTemplate():
                self.known["template"].append(result)
                found = self.store.memory.get(Template, result)
                for mark in CANARY.findall(repr(found)):
                    self.owners.setdefault(mark, set()).add(f"tenant {self._tenant(who, command)}")
            case GrantRole() if command.team:
                self.members.setdefault(command.team, set()).add((command.principal, command.role))
            case RevokeRole() if command.team:
                self.members[command.team].discard((command.principal, command.role))
        if getattr(result, "approval", "").startswith("ap_"):
            self.known["approval"].append(result.approval)

    def _tenant(self, who: str, command: CreateWorkflow | InstantiateTemplate | ShareWorkflow | SaveTemplate) -> str:
        if command.visibility is Visibility.TEAM:
            return command.team
        return "global" if command.visibility is Visibility.GLOBAL else who

    def fresh(self, owner: str = "") -> str:
        """A new canary; without an owner it is only known to whoever types it, until it stands somewhere."""
        self._marks += 1
        mark = f"zq{self._marks}x{self.chance.getrandbits(40):x}qz"
        self.owners[mark] = {owner} if owner else set()
        return mark

    def mark(self, who: str, flow: str) -> str:
        """What `who` writes in a flow: its canary if they see it, else one of their own."""
        if flow not in self.tenants or not self._sees_tenant(who, self.tenants[flow]):
            return self.fresh()
        return self.fresh(flow)

    def _sees_tenant(self, who: str, tenant: str) -> bool:
        named = who == WORKER or who.startswith("for ") or tenant in ("global", who)
        return named or any(name == who for name, _ in self.members.get(tenant, ()))

    def may_know(self, who: str, mark: str) -> bool:
        """Whether the canary may be in anything `who` is shown."""
        return mark in self.typed.get(who, ()) or any(self._sees(who, owner) for owner in self.owners[mark])

    def _sees(self, who: str, owner: str) -> bool:
        kind, _, name = owner.partition(" ")
        if owner in self.tenants:
            return self._sees_tenant(who, self.tenants[owner])
        if kind == "tenant":
            return self._sees_tenant(who, name)
        if who == FOUNDER:
            return kind in ("person", "team", "token")
        if kind == "person":
            return who == name or any(
                {who, name} <= {member for member, _ in members} for members in self.members.values()
            )
        return self._sees_tenant(who, name) if kind == "team" else who == name

    def sees_flow(self, who: str, flow: str) -> bool:
        """Whether a workflow, by id, exists for `who`."""
        return self._sees_tenant(who, self.tenants[flow])

    @staticmethod
    def canaries_in(text: str) -> list[str]:
        """Every canary in a text."""
        return CANARY.findall(text)

    def leaks(self, who: str, shown: object) -> list[str]:
        """What stands in `shown` that `who` may not know."""
        text = f"{shown!r} {shown} {getattr(shown, 'hint', '')}"
        return [f"{mark} of {self.owners[mark]}" for mark in CANARY.findall(text) if not self.may_know(who, mark)]

    def crash(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """End without closing and go on with the files as they lie; the tables as they should be, and as they are."""
        assert self.home is not None
        old = Path(self.store.database.path)
        new = old.with_stem(str(int(old.stem) + 1))
        for path in self.home.glob(f"{old.name}*"):
            shutil.copy(path, path.with_name(path.name.replace(old.name, new.name)))
        should = self.tables()
        self.store.close()
        self.gate = open_gate(new, self._parts, now=self.clock.now)
        return should, self.tables()

    def tables(self) -> dict[str, list[str]]:
        """Every table, brought up to the log, row by row."""
        self.store.flush()
        database = self.store.database
        names = [row["table_name"] for row in database.rows("select table_name from duckdb_tables()")]
        return {name: sorted(map(repr, database.rows(f"from {name}"))) for name in names if name != "migrations"}

    def aim(self, fits: Callable[[WorkItem], bool]) -> list[str]:
        """Choose what the next step is about, something that `fits` if there is any; returns who sees it."""
        there = [self.store.memory.get(WorkItem, name) for name in self.known["item"]]
        found = self.chance.choice([item for item in there if fits(item)] or there or [None])
        flow = found.workflow if found and self.chance.random() < 0.8 else self.chance.choice([*self.tenants, ""])
        self._aim = (found.id if found else "", flow)
        return [name for name in PEOPLE if flow and self._sees_tenant(name, self.tenants[flow])] or list(PEOPLE)

    def flow(self) -> str:
        """A workflow that is, or is not."""
        return self._aim[1] if self._aim[1] and self.chance.random() < 0.95 else "wf_nothing"

    def pick(self, kind: str) -> str:
        """Something of that kind that is, or is not."""
        there = self.known[kind][-12:]
        return self.chance.choice(there) if there and self.chance.random() < 0.95 else f"{kind}_nothing"

    def item(self) -> tuple[str, str]:
        """An item by id or reference, and its workflow."""
        name = self._aim[0] if self.chance.random() < 0.9 else self.pick("item")
        found = self.store.memory.get(WorkItem, name)
        return (self.chance.choice((found.id, found.reference)), found.workflow) if found else ("EL-99999", "")
