"""Workers end when they are told to, and what they cannot end in time goes back to be resumed."""

import threading
from collections.abc import Iterator

import pytest

import elohim_kernel as ek
from elohim_kernel.audit.trail import ListEvents
from elohim_kernel.ports import StageResult, StageWork, Tools
from elohim_kernel.runtime.worker import OnProgress, Worker
from elohim_kernel.surfaces.crew import Crew
from elohim_kernel.surfaces.http.door import Counts

FLOW = "Standard Code Review"


class Slow:
    """A stage that looks until it is told that it has seen enough."""

    TYPE = "CODE_REVIEW"

    def __init__(self) -> None:
        self.looking = threading.Event()
        self.enough = threading.Event()

    def run(self, work: StageWork, tools: Tools) -> StageResult:
        tools.progress("looking")
        self.looking.set()
        self.enough.wait(30)
        return StageResult(note="seen")


class SlowBench(ek.Workbench):
    """A workbench whose workers know the slow stage only."""

    def __init__(self, bench: ek.Workbench, slow: Slow) -> None:
        super().__init__(bench.session, bench.settings, home=None)
        self._slow = slow

    def worker(self, *, on_progress: OnProgress) -> Worker:
        stages = {self._slow.TYPE: self._slow}
        return Worker(self.session, stages=stages, engines={}, home=None, on_progress=on_progress)


@pytest.fixture
def bench() -> Iterator[ek.Workbench]:
    with ek.open(":memory:") as bench:
        bench.instantiate(FLOW)
        bench.complete(bench.open_item(FLOW, "Look at this").id, repository="/src/service")
        yield bench


def retries(bench: ek.Workbench) -> list[str]:
    return [event.data["error"] for event in bench.ask(ListEvents(kind="delivery.retried"))]


@pytest.mark.parametrize("size", [0, 1, 3])
def test_every_hand_ends_when_there_is_nothing_under_way(bench: ek.Workbench, size: int):
    slow = Slow()
    slow.enough.set()
    crew = Crew(SlowBench(bench, slow), size)

    crew.start()
    during = crew.counts()
    crew.stop(grace_s=20)

    assert during == Counts(size, size)
    assert crew.counts() == Counts(size, 0)


def test_a_stage_that_ends_in_time_is_finished(bench: ek.Workbench):
    slow = Slow()
    crew = Crew(SlowBench(bench, slow), 1)
    crew.start()
    assert slow.looking.wait(20)

    threading.Timer(0.2, slow.enough.set).start()
    crew.stop(grace_s=20)

    assert bench.item("EL-1").stage == "reviewer_review"
    assert retries(bench) == []


def test_a_stage_that_does_not_end_in_time_is_given_back(bench: ek.Workbench):
    slow = Slow()
    crew = Crew(SlowBench(bench, slow), 1)
    crew.start()
    assert slow.looking.wait(20)

    crew.stop(grace_s=0.2)
    given_back = retries(bench), bench.item("EL-1").stage
    slow.enough.set()
    crew.stop(grace_s=20)

    assert given_back == (["the server was ended"], "agent_review")
    assert bench.item("EL-1").stage == "agent_review", "who gave it back may not finish it any more"


def test_no_two_workers_share_a_name(bench: ek.Workbench):
    names = {bench.worker().name for _ in range(10)}

    assert len(names) == 10
