"""A unit of work sees what it did, can take back a part, and leaves nothing when it is thrown away."""

from typing import Any

import pytest

from elohim_kernel.errors import KernelError, NotFound
from elohim_kernel.model.access import Principal, Role
from elohim_kernel.model.work_item import WorkItem, WorkItemChanged, WorkItemCommented
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.store import Caller
from elohim_kernel.store.unit import Unit, item_named
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench


@pytest.fixture
def ann() -> Workbench:
    wb = memory_workbench()
    wb.define("name: Triage\nstages: [{key: look}]")
    wb.open_item("Triage", "x")
    return wb


def inside(wb: Workbench, act: Any) -> Any:
    """What `act(unit)` returns, inside a command of the workbench's person."""
    me = wb.session.gate.principal_named(wb.settings.user).id

    class Work:
        caller = Caller(principal=me)

        def run(self, unit: Unit) -> object:
            return act(unit)

        def refuse(self, unit: Unit, error: KernelError) -> None: ...

        def recall(self, result: str) -> None: ...

    return wb.session.gate.store.do(Work())


def change(unit: Unit, title: str) -> None:
    item = item_named(unit, "EL-1")
    unit.emit(WorkItemChanged(title=title), subject=item.id, scope=item.workflow)


def test_a_unit_sees_its_own_events_at_once(ann: Workbench):
    def act(unit: Unit) -> tuple[str, int]:
        change(unit, "y")
        return unit.by_key(WorkItem, "EL-1").title, len(unit.events)

    assert inside(ann, act) == ("y", 1)
    assert ann.item("EL-1").title == "y"


def test_what_is_taken_back_never_was(ann: Workbench):
    def act(unit: Unit) -> list[str]:
        change(unit, "kept")
        mark = unit.mark()
        change(unit, "dropped")
        unit.next_number()
        unit.back_to(mark)
        unit.emit(WorkItemCommented(text="after"), subject=item_named(unit, "EL-1").id, scope="wf")
        return [unit.get(WorkItem, item_named(unit, "EL-1").id).title, *(str(event.seq) for event in unit.events)]

    before = ann.status()["events"]
    title, *numbers = inside(ann, act)

    assert title == "kept"
    assert numbers == [str(before + 1), str(before + 2)], "numbers have no gap"
    assert ann.open_item("Triage", "y").reference == "EL-2"
    assert ann.session.gate.store.verify().ok


def test_forgetting_everything_writes_nothing(ann: Workbench):
    before = ann.status()["events"]

    def act(unit: Unit) -> None:
        change(unit, "y")
        unit.forget()

    inside(ann, act)

    assert (ann.status()["events"], ann.item("EL-1").title) == (before, "x")


def test_a_unit_that_fails_leaves_the_state_as_it_was(ann: Workbench):
    def act(unit: Unit) -> None:
        change(unit, "y")
        raise NotFound("no")

    with pytest.raises(NotFound):
        inside(ann, act)

    assert ann.item("EL-1").title == "x"


def test_events_of_a_command_carry_who_for_whom_and_when(ann: Workbench):
    store = ann.session.gate.store
    seen: list[Any] = []

    class Work:
        caller = Caller(
            principal=ann.session.gate.principal_named("ann").id, actor="us_worker", request="r", cause="ev_1", depth=2
        )

        def run(self, unit: Unit) -> None:
            change(unit, "y")
            seen.extend(unit.events)

        def refuse(self, unit: Unit, error: KernelError) -> None: ...

        def recall(self, result: str) -> None: ...

    store.do(Work())

    (event,) = seen
    assert (event.actor, event.behalf, event.request, event.cause, event.depth) == (
        "us_worker", Work.caller.principal, "r", "ev_1", 2,
    )  # fmt: skip


def test_what_is_not_there_is_named_by_its_noun(ann: Workbench):
    reader = ann.session.gate.store.reader(ann.session.gate.principal_named("ann").id)

    with pytest.raises(NotFound, match="there is no workflow 'wf_9'"):
        reader.get(Workflow, "wf_9")
    assert reader.find(WorkItem, "wf_9") is None
    assert {role.name for role in reader.every(Role)} >= {"viewer", "admin"}
    assert reader.by_key(Principal, "ann").name == "ann"


def test_scopes_are_ones_own_ones_teams_everybodys_and_the_workflows_one_sees():
    wb = memory_workbench(people={"ann": "admin", "bo": ""}, teams={"red": {"bo": "maintainer"}})
    bo = wb.acting_as("bo")
    mine = bo.define("name: Mine\nstages: [{key: a}]")
    ours = bo.define("name: Ours\nstages: [{key: a}]", visibility="team", team="red")
    gate = wb.session.gate
    me = gate.principal_named("bo")

    assert set(gate.store.reader(me.id).scopes()) == {"global", me.id, *me.teams, mine.id, ours.id}
    assert "access" in gate.store.reader(gate.principal_named("ann").id).scopes()
