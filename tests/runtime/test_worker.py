"""The worker does what is due with the rights of whoever caused it; nothing is lost or done twice when it dies."""

import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from elohim_kernel import registry
from elohim_kernel.access.people import RevokeRole
from elohim_kernel.errors import Cancelled, Conflict, Unavailable
from elohim_kernel.model.finding import EngineReport, EngineStatus
from elohim_kernel.model.run import RunStatus
from elohim_kernel.model.work_item import Status
from elohim_kernel.ports import StageResult, StageWork, Tools
from elohim_kernel.runtime.inline import Parts, open_gate
from elohim_kernel.testing import FakeClock, ScriptedStage, memory_workbench, workbench_on, worker_with
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.runs import ATTEMPTS, TAKES, CancelRun, ClaimDelivery, FinishStage, ListRuns

PROGRAM = Path(__file__).with_name("worker_program.py")
FLOW = "name: Scan\nstages: [{key: ask}, {key: scan, type: CODE_REVIEW}, {key: read}]"


def bench(clock: FakeClock | None = None) -> Workbench:
    ann = memory_workbench(clock, people={"ann": "maintainer", "bo": "analyst"})
    ann.define(FLOW, visibility="global")
    ann.complete(ann.open_item("Scan", "x", data={"n": 1}).id)
    return ann


def run_of(ann: Workbench) -> Any:
    return ann.ask(ListRuns(item="EL-1"))[0]


def test_a_due_stage_is_run_and_its_result_takes_the_item_on():
    ann = bench()
    report = EngineReport(engine="lint", status=EngineStatus.CLEAN, reason="3 files, nothing found", files=3)
    stage = ScriptedStage("CODE_REVIEW", StageResult(note="all clean", data={"seen": 3}, reports=(report,)))

    assert worker_with(ann, stages=[stage]).drain() == 1

    item = ann.item("EL-1")
    assert (item.stage, item.data, item.history[-1].note) == ("read", {"n": 1, "seen": 3}, "all clean")
    assert (stage.works[0].reference, stage.works[0].data) == ("EL-1", {"n": 1})
    assert run_of(ann).status is RunStatus.DONE
    told = ann.sql("select engine, status, findings from engine_runs").rows()
    assert told == [{"engine": "lint", "status": "clean", "findings": 0}]


def test_what_the_worker_does_for_somebody_says_both():
    ann = bench()
    worker_with(ann, stages=[ScriptedStage("CODE_REVIEW")]).drain()

    moved = ann.sql(
        "select actor, on_behalf_of from events where kind = 'work_item.advanced' order by seq desc limit 1"
    ).rows()

    assert moved == [{"actor": "worker", "on_behalf_of": "ann"}] or moved == [
        {"actor": "us_worker", "on_behalf_of": "ann"}
    ]
    assert [entry.by for entry in ann.item("EL-1").history] == ["ann", "ann", "ann"]


def test_a_run_may_do_what_whoever_caused_it_may_and_no_more():
    ann = bench()
    ann.acting_as("bo").complete(ann.open_item("Scan", "y").id)
    _founder(ann).do(RevokeRole(principal="bo", role="analyst"))

    worker_with(ann, stages=[ScriptedStage("CODE_REVIEW")]).drain()

    assert ann.item("EL-1").stage == "read"
    assert (ann.item("EL-2").status, "lacks workflows" in ann.item("EL-2").resolution) == (Status.FAILED, True)


def _founder(wb: Workbench) -> Workbench:
    return wb.acting_as("founder")


def test_a_part_with_a_defect_fails_its_item_and_a_person_can_try_again():
    ann = bench()
    stage = ScriptedStage("CODE_REVIEW", ZeroDivisionError("oh"), StageResult(note="fine now"))
    worker = worker_with(ann, stages=[stage])

    worker.drain()

    item = ann.item("EL-1")
    assert (item.status, item.resolution) == (Status.FAILED, "CODE_REVIEW failed: ZeroDivisionError: oh")
    assert [told.kind for told in ann.inbox()] == ["failed"]
    ann.retry("EL-1")
    worker.drain()
    assert (ann.item("EL-1").stage, run_of(ann).attempt) == ("read", 2)


def test_finished_steps_are_not_repeated_when_a_person_tries_again():
    ann, done = bench(), []

    def stage(work: StageWork, tools: Tools) -> StageResult:
        tools.step("slow", 1, str, lambda: done.append("slow") or "x")
        if len(done) < 2:
            done.append("broken")
            raise ValueError("not yet")
        return StageResult(note="done")

    worker = worker_with(ann, stages=[ScriptedStage("CODE_REVIEW", stage)])
    worker.drain()
    ann.retry("EL-1")
    worker.drain()

    assert done == ["slow", "broken"]
    assert ann.item("EL-1").stage == "read"


def test_what_may_pass_is_tried_again_later_and_then_left_to_a_person():
    clock = FakeClock()
    ann = bench(clock)
    stage = ScriptedStage("CODE_REVIEW", Unavailable("the disk is full"))
    worker = worker_with(ann, stages=[stage], clock=clock)

    tries = [worker.drain()]
    for seconds in (4, 1, 19, 1, 3_600):
        clock.advance(seconds=seconds)
        tries.append(worker.drain())

    assert tries == [1, 0, 1, 0, 1, 0]
    assert len(stage.works) == ATTEMPTS
    assert ann.item("EL-1").status is Status.FAILED


def test_a_stage_that_no_part_does_says_so():
    ann = bench(clock := FakeClock())
    worker = worker_with(ann, stages=[ScriptedStage("DOC_UPDATE")], clock=clock)

    for _ in range(ATTEMPTS):
        worker.drain()
        clock.advance(hours=1)

    assert "no part does CODE_REVIEW" in ann.item("EL-1").resolution


def test_a_stage_that_kills_its_worker_each_time_is_parked():
    clock = FakeClock()
    ann = bench(clock)
    victim = ann.session.working_for("")

    takes = 0
    while victim.do(ClaimDelivery(worker=f"w{takes}", lease_s=1)) is not None:
        takes += 1
        clock.advance(seconds=2)

    assert takes == TAKES
    assert (ann.item("EL-1").status, "worker was lost" in ann.item("EL-1").resolution) == (Status.FAILED, True)


def test_a_lease_that_ran_out_belongs_to_whoever_took_it_up():
    clock = FakeClock()
    ann = bench(clock)
    worker = ann.session.working_for("")
    first = worker.do(ClaimDelivery(worker="w1", lease_s=10))
    assert worker.do(ClaimDelivery(worker="w2", lease_s=10)) is None

    clock.advance(seconds=10)
    second = worker.do(ClaimDelivery(worker="w2", lease_s=10))

    assert (second.run, second.attempt) == (first.run, 2)
    with pytest.raises(Conflict, match="no longer held by w1"):
        worker.do(FinishStage(delivery=first.delivery, worker="w1"))
    worker.do(FinishStage(delivery=second.delivery, worker="w2"))
    assert ann.item("EL-1").stage == "read"


def test_a_worker_that_lost_its_lease_goes_on_with_other_work():
    clock = FakeClock()
    ann = bench(clock)
    ann.complete(ann.open_item("Scan", "y").id)

    def slow(work: StageWork, tools: Tools) -> StageResult:
        if work.reference == "EL-1":
            clock.advance(minutes=5)
            assert ann.session.working_for("").do(ClaimDelivery(worker="another")).reference == "EL-1"
            raise Cancelled("somebody else has it")
        return StageResult(note="done")

    assert worker_with(ann, stages=[ScriptedStage("CODE_REVIEW", slow)], clock=clock).drain() == 2
    assert (ann.item("EL-1").status, ann.item("EL-2").stage) == (Status.IN_PROGRESS, "read")


@pytest.mark.parametrize("what", ["cancel", "send_back"])
def test_a_result_that_comes_when_its_item_is_elsewhere_moves_nothing(what: str):
    ann = bench()

    def meanwhile(work: StageWork, tools: Tools) -> StageResult:
        if what == "cancel":
            ann.cancel("EL-1", reason="superseded")
        else:
            ann.send_back("EL-1", note="wrong branch")
        return StageResult(note="done", data={"late": True})

    worker_with(ann, stages=[ScriptedStage("CODE_REVIEW", meanwhile)]).drain()

    item = ann.item("EL-1")
    assert (item.stage, item.status) == (("scan", "cancelled") if what == "cancel" else ("ask", "pending"))
    assert "late" not in item.data
    assert (run_of(ann).status, run_of(ann).error) == (RunStatus.CANCELLED, "the item has moved on")


def test_a_running_stage_stops_soon_after_somebody_asked():
    ann, began = bench(), threading.Event()

    def long(work: StageWork, tools: Tools) -> StageResult:
        began.set()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            tools.progress("still at it")
            time.sleep(0.01)
        return StageResult(note="never stopped")

    stage = ScriptedStage("CODE_REVIEW", long)
    worker = threading.Thread(target=worker_with(ann, stages=[stage], lease_s=0.3).drain)
    worker.start()
    assert began.wait(10)
    ann.do(CancelRun(run=run_of(ann).id, reason="wrong branch"))
    worker.join(15)

    assert (ann.item("EL-1").status, run_of(ann).status) == (Status.FAILED, RunStatus.CANCELLED)
    stage = ScriptedStage("CODE_REVIEW")
    ann.retry("EL-1")
    worker_with(ann, stages=[stage]).drain()
    assert ann.item("EL-1").stage == "read", "who tries again takes the wish to stop back"


def test_a_killed_worker_loses_nothing_and_repeats_nothing_that_was_finished(tmp_path: Path):
    store, effects = tmp_path / "store.duckdb", tmp_path / "effects"
    _opened(store)
    victim = subprocess.Popen([sys.executable, str(PROGRAM), str(store), str(effects), "0", "hang"])
    deadline = time.monotonic() + 60
    while not (effects.exists() and effects.read_text().endswith("two\n")):
        assert time.monotonic() < deadline
        assert victim.poll() is None
        time.sleep(0.02)

    victim.kill()
    victim.wait(10)
    too_early = _work(store, effects, later_s=0)
    in_time = _work(store, effects, later_s=60)

    assert (too_early, in_time) == ("scan", "read")
    assert effects.read_text().split() == ["one", "two", "two", "three"], "only the step it died in is done again"


def _opened(store: Path) -> None:
    gate = open_gate(store, Parts(registry.catalogue, partial(registry.prepare, user="ann")))
    ann = workbench_on(gate, "ann")
    ann.define(FLOW)
    ann.complete(ann.open_item("Scan", "x").id)
    gate.store.close()


def _work(store: Path, effects: Path, *, later_s: int) -> str:
    told = subprocess.run(
        [sys.executable, str(PROGRAM), str(store), str(effects), str(later_s)],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return told.stdout.strip()
