"""The store keeps its word: what a command costs, what a group shares, and what one failure does to the others."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from elohim_kernel.errors import Conflict, Fault, Invalid, KernelError, NotFound, Unauthenticated
from elohim_kernel.model.work_item import WorkItem, WorkItemCommented
from elohim_kernel.store.store import Caller
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.definitions import ReviseWorkflow
from elohim_kernel.workflows.runs import ClaimDelivery, FinishStage
from elohim_kernel.workflows.work_items import ClaimItem, CompleteStage, OpenWorkItem

FLOW = "name: Triage\nstages: [{key: look, sla_minutes: 5}, {key: decide}, {key: scan, type: CODE_REVIEW}]"


@pytest.fixture
def ann() -> Iterator[Workbench]:
    with memory_workbench() as wb:
        wb.define(FLOW)
        wb.session.gate.store.flush()
        yield wb


class Meter:
    """Statements and commits since the last look."""

    def __init__(self, wb: Workbench) -> None:
        self._database = wb.session.gate.store.database
        self.spent()

    def spent(self) -> tuple[int, int]:
        now = (self._database.statements, self._database.commits)
        before = getattr(self, "_before", now)
        self._before = now
        return now[0] - before[0], now[1] - before[1]


def submit(wb: Workbench, *commands: Any) -> list[Any]:
    """Results or errors of commands that are decided as one group."""
    gate, told = wb.session.gate, {}
    me = gate.principal_named(wb.settings.user).id
    for number, command in enumerate(commands):
        note = lambda result, error, number=number: told.__setitem__(number, error or result)  # noqa: E731
        gate.submit(command, Caller(principal=me), note)
    gate.store.drain()
    return [told[number] for number in range(len(commands))]


def test_one_analysts_transition_is_one_statement_and_one_commit_before_the_reply(ann: Workbench):
    ann.open_item("Triage", "x")
    meter = Meter(ann)

    spent = []
    for act in (ann.claim, ann.complete, ann.release, ann.claim, ann.complete):
        try:
            act("EL-1")
        except Conflict:
            continue
        finally:
            spent.append(meter.spent())

    assert set(spent) == {(1, 1)}


def test_the_statements_of_a_group_do_not_depend_on_its_size(ann: Workbench):
    meter, spent = Meter(ann), []

    for size in (1, 8, 64, 200):
        submit(ann, *(OpenWorkItem(workflow="Triage", title=str(n)) for n in range(size)))
        spent.append(meter.spent())

    assert spent == [(1, 1)] * 4


def test_reading_flushes_once_and_then_costs_no_write(ann: Workbench):
    submit(ann, *(OpenWorkItem(workflow="Triage", title=str(n)) for n in range(50)))
    meter = Meter(ann)

    assert len(ann.items()) == 50
    first, _, again = meter.spent(), ann.items(), meter.spent()

    assert first[1] == 1
    assert first[0] <= 6
    assert again == (0, 0)


def test_what_changes_nothing_writes_nothing(ann: Workbench):
    meter = Meter(ann)

    ann.session.working_for("").do(ClaimDelivery(worker="w"))
    ann.define(FLOW)

    assert meter.spent() == (0, 0)


def test_a_command_sees_what_those_before_it_in_its_group_did(ann: Workbench):
    ann.open_item("Triage", "x")

    first, second, third, fourth = submit(
        ann,
        ClaimItem(item="EL-1"),
        ClaimItem(item="EL-1"),
        CompleteStage(item="EL-1"),
        OpenWorkItem(workflow="Triage", title="y"),
    )

    assert first.status == "claimed"
    assert isinstance(second, Conflict)
    assert third.stage == "decide"
    assert fourth.reference == "EL-2"


def test_a_new_name_holds_within_the_group_and_the_old_one_no_more(ann: Workbench):
    flow = ann.workflow("Triage")
    renamed = ann.workflow("Triage").definition.__class__(name="Review", stages=flow.definition.stages)

    told = submit(
        ann,
        ReviseWorkflow(workflow="Triage", definition=renamed),
        OpenWorkItem(workflow="Triage", title="x"),
        OpenWorkItem(workflow="Review", title="y"),
    )

    assert isinstance(told[1], NotFound)
    assert told[2].reference == "EL-1"
    assert ann.workflow("Review").revision == 2


def test_a_key_used_twice_in_one_group_has_one_effect(ann: Workbench):
    gate, told = ann.session.gate, []
    caller = Caller(principal=gate.principal_named("ann").id, request="same")
    for title in ("first", "second"):
        gate.submit(OpenWorkItem(workflow="Triage", title=title), caller, lambda result, error: told.append(result))

    gate.store.drain()

    assert told[0] == told[1]
    assert [item.title for item in ann.items()] == ["first"]


def test_a_refused_command_in_a_group_leaves_the_others_alone(ann: Workbench):
    told = submit(
        ann,
        OpenWorkItem(workflow="Triage", title="a"),
        OpenWorkItem(workflow="nothing", title="b"),
        OpenWorkItem(workflow="Triage", title="c"),
    )

    assert [type(one).__name__ for one in told] == ["Moved", "NotFound", "Moved"]
    assert [item.title for item in ann.items()] == ["c", "a"]
    assert ann.session.gate.store.verify().ok


def test_a_handler_with_a_defect_fails_alone_and_says_that_it_is_ours(ann: Workbench):
    store = ann.session.gate.store

    class Broken:
        caller = Caller(principal=ann.session.gate.principal_named("ann").id)

        def run(self, unit: Any) -> object:
            raise ZeroDivisionError

        def refuse(self, unit: Any, error: KernelError) -> None: ...

        def recall(self, result: str) -> None: ...

    with pytest.raises(Fault, match="a defect of ours; nothing was changed"):
        store.do(Broken())
    assert ann.open_item("Triage", "still here").reference == "EL-1"


def test_what_cannot_be_written_leaves_nobody_waiting(ann: Workbench):
    """A value that passed every check and still has no JSON must not take the others of its group with it."""
    store = ann.session.gate.store
    me = ann.session.gate.principal_named("ann").id

    class Odd:
        caller = Caller(principal=me)

        def run(self, unit: Any) -> object:
            item = unit.by_key(WorkItem, "EL-1")
            unit.emit(WorkItemCommented(text="half \ud800"), subject=item.id, scope=item.workflow)
            return None

        def refuse(self, unit: Any, error: KernelError) -> None: ...

        def recall(self, result: str) -> None: ...

    ann.open_item("Triage", "x")
    told: list[Any] = []
    store.submit(Odd(), lambda result, error: told.append(error))
    ann.session.gate.submit(ClaimItem(item="EL-1"), Caller(principal=me), lambda result, error: told.append(result))
    store.drain()

    assert isinstance(told[0], Fault)
    assert told[1].status == "claimed"
    assert store.verify().ok


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"n": (1, [float("nan")])}, "no number that can be kept"),
        ({"n": 2**63}, "too large a number|is too large"),
        ({"t": "half \ud800"}, "half a character"),
        ({"half \ud800": 1}, "half a character"),
        ({"b": b"bytes"}, "bytes among the data"),
        ({"o": object()}, "OpenWorkItem"),
    ],
)
def test_what_the_log_cannot_hold_is_refused_at_the_gate(ann: Workbench, data: dict[str, Any], why: str):
    with pytest.raises(Invalid, match=why):
        ann.open_item("Triage", "x", data=data)

    assert ann.items() == ()


def test_data_too_deep_is_refused(ann: Workbench):
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    with pytest.raises(Invalid, match="nested too deep"):
        ann.open_item("Triage", "x", data={"deep": deep})


def test_free_data_is_in_the_state_as_it_is_in_the_log(ann: Workbench):
    ann.open_item("Triage", "x", data={"keys": {1: "one"}, "pair": (1, 2)})
    store = ann.session.gate.store

    held = store.memory.find(WorkItem, "EL-1").data
    store.rebuild()

    assert store.memory.find(WorkItem, "EL-1").data == held == {"keys": {"1": "one"}, "pair": [1, 2]}


def test_threads_get_their_own_results(ann: Workbench):
    told: dict[int, str] = {}

    def work(number: int) -> None:
        told[number] = ann.item(ann.open_item("Triage", f"item {number}").id).title

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)

    assert told == {number: f"item {number}" for number in range(32)}
    assert sorted(item.reference for item in ann.items()) == sorted(f"EL-{n}" for n in range(1, 33))


def test_nobody_is_nobody(ann: Workbench):
    gate = ann.session.gate

    with pytest.raises(Unauthenticated):
        gate.store.reader("us_nobody")
    with pytest.raises(Unauthenticated):
        gate.do(ClaimItem(item="EL-1"), Caller(principal="us_nobody"))


def test_a_delivery_is_claimed_once_within_a_group(ann: Workbench):
    ann.complete(ann.open_item("Triage", "x").id)
    ann.complete("EL-1")
    worker = ann.session.gate.principal_with_id("us_worker").id
    gate, told = ann.session.gate, []
    for name in ("w1", "w2"):
        gate.submit(ClaimDelivery(worker=name), Caller(principal=worker), lambda r, e: told.append(r))

    gate.store.drain()

    assert [one is not None for one in told] == [True, False]
    done = FinishStage(delivery=told[0].delivery, worker="w1")
    gate.do(done, Caller(principal=worker))
    assert ann.item("EL-1").status == "completed"
