"""Runs, steps and deliveries: what the worker may say about them, and when it is too late to say it."""

import pytest

from elohim_kernel.errors import Conflict, Invalid, NotFound
from elohim_kernel.model.recommendation import PlanStep, Recommendation
from elohim_kernel.model.run import RunStatus
from elohim_kernel.model.work_item import Status
from elohim_kernel.testing import FakeClock, memory_workbench
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.playbooks import EndRun, StartPlaybook
from elohim_kernel.workflows.runs import (
    CancelRun,
    ClaimDelivery,
    ExtendLease,
    FailStage,
    FinishStage,
    GetRun,
    GetStep,
    ListRuns,
    RecordStep,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ann(clock: FakeClock) -> Workbench:
    wb = memory_workbench(clock, people={"ann": "maintainer", "bo": "analyst"})
    wb.define("name: Scan\nstages: [{key: scan, type: CODE_REVIEW}, {key: read}]")
    wb.open_item("Scan", "x", data={"n": 1})
    return wb


def claim(wb: Workbench, worker: str = "w1"):
    return wb.session.working_for("").do(ClaimDelivery(worker=worker, lease_s=30))


def test_an_assignment_says_what_is_to_be_done_and_for_whom(ann: Workbench):
    told = claim(ann)

    assert (told.reference, told.stage, told.data, told.attempt) == ("EL-1", "scan", {"n": 1}, 1)
    assert told.behalf == ann.session.gate.principal_named("ann").id
    assert "Review the change" in told.prompt
    assert ann.item("EL-1").status is Status.IN_PROGRESS
    assert claim(ann, "w2") is None


def test_a_run_acts_for_whoever_brought_the_item_there_not_for_who_edits_it_meanwhile(ann: Workbench):
    ann.define("name: Shared\nstages: [{key: ask}, {key: scan, type: CODE_REVIEW}]", visibility="global")
    claim(ann)
    ann.complete(ann.open_item("Shared", "y").id)
    ann.acting_as("bo").change("EL-2", data={"n": 2})

    assert claim(ann).behalf == ann.session.gate.principal_named("ann").id


def test_a_lease_is_extended_by_its_holder_and_tells_when_to_stop(ann: Workbench, clock: FakeClock):
    told = claim(ann)
    worker = ann.session.working_for("")
    extend = ExtendLease(delivery=told.delivery, worker="w1", lease_s=30)

    clock.advance(seconds=20)
    assert worker.do(extend) is False
    clock.advance(seconds=20)
    assert claim(ann, "w2") is None, "it was extended"
    ann.do(CancelRun(run=told.run))

    assert worker.do(extend) is True
    with pytest.raises(Conflict, match="no longer held by w2"):
        worker.do(ExtendLease(delivery=told.delivery, worker="w2"))


def test_the_holder_is_told_to_stop_when_the_item_is_elsewhere(ann: Workbench):
    told = claim(ann)

    ann.cancel("EL-1", reason="superseded")

    assert ann.session.working_for("").do(ExtendLease(delivery=told.delivery, worker="w1")) is True


def test_steps_are_kept_by_name_and_inputs(ann: Workbench):
    told = claim(ann)
    assert ann.ask(GetStep(run=told.run, step="lint")) is None

    ann.do(RecordStep(run=told.run, step="lint", inputs="sha256:1", output="{}", seconds=0.1))

    assert ann.ask(GetStep(run=told.run, step="lint")).inputs == "sha256:1"
    assert ann.ask(GetRun(run=told.run)).steps == 1


def test_nothing_is_added_to_a_run_that_ended(ann: Workbench):
    told = claim(ann)
    ann.session.working_for("").do(FinishStage(delivery=told.delivery, worker="w1"))

    for late in (
        RecordStep(run=told.run, step="s", inputs="i", output="{}", seconds=0.1),
        CancelRun(run=told.run),
        FinishStage(delivery=told.delivery, worker="w1"),
        FailStage(delivery=told.delivery, worker="w1", error="x"),
    ):
        with pytest.raises(Conflict):
            ann.session.working_for("").do(late)


def test_advice_that_cites_what_is_not_there_is_refused(ann: Workbench):
    told = claim(ann)
    advice = Recommendation(summary="look", steps=(PlanStep(title="read", evidence=("e9",)),))

    with pytest.raises(Invalid, match="cites evidence that is not in it: e9"):
        ann.session.working_for("").do(FinishStage(delivery=told.delivery, worker="w1", recommendation=advice))

    assert ann.item("EL-1").recommendation is None


def test_a_stages_run_is_ended_by_its_worker_only(ann: Workbench):
    told = claim(ann)

    with pytest.raises(Conflict, match="is of a stage, which its worker ends"):
        ann.do(EndRun(run=told.run))

    assert ann.ask(GetRun(run=told.run)).status is RunStatus.RUNNING


def test_a_playbooks_run_begins_and_ends_once(ann: Workbench):
    run = ann.do(StartPlaybook(item="EL-1", playbook="report"))

    ann.do(EndRun(run=run, status=RunStatus.FAILED, error="cell 3", output="/x.ipynb"))

    shown = ann.ask(GetRun(run=run))
    assert (shown.status, shown.error, shown.output) == (RunStatus.FAILED, "cell 3", "/x.ipynb")
    with pytest.raises(Conflict, match="already failed"):
        ann.do(EndRun(run=run))


def test_runs_of_items_one_cannot_see_are_not_there(ann: Workbench):
    told, bo = claim(ann), ann.acting_as("bo")

    assert bo.ask(ListRuns()) == ()
    for ask in (GetRun(run=told.run), GetStep(run=told.run, step="s"), ListRuns(item="EL-1")):
        with pytest.raises(NotFound):
            bo.ask(ask)
    assert bo.do(ClaimDelivery(worker="w2")) is None
