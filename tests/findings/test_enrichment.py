"""Proposals of tests: recorded once, read by those who see the workflow, a row of the ledger for each attempt."""

from typing import Any

import pytest

from elohim_kernel.errors import Denied, Invalid, NotFound, TooLarge
from elohim_kernel.findings import enrichment
from elohim_kernel.findings.enrichment import GetTestProposal, ListTestProposals, RecordTestProposal, proposal_of
from elohim_kernel.model.enrichment import Attempt, Enrichment, ProposedFile, Score, Verdict, patch_of
from elohim_kernel.model.finding import EngineReport, EngineStatus
from elohim_kernel.model.value import plain
from elohim_kernel.testing import FakeClock, memory_workbench
from elohim_kernel.workbench import Workbench

FLOW = "name: Fix\nstages: [{key: look}]\n"
FILE = ProposedFile(path="tests/test_a_proposed.py", text="def test_a():\n    assert f(1) == 2\n", tests=("test_a",))
CHANGES = ProposedFile(path="tests/test_a_changes.py", text="x = 1\n", tests=("test_b",), changes=True)
MADE = Enrichment(
    repository="/src",
    base="1",
    head="2",
    files=(FILE, CHANGES),
    attempts=(
        Attempt(
            function="a.f", verdict=Verdict.ACCEPTED, reason="kills 2", call="f(1)", expected="2", test="t", kills=2
        ),
        Attempt(function="a.g", verdict=Verdict.REJECTED, reason="sleeps", count=7),
    ),
    score=Score(lines=3, covered_before=None, covered_after=3, mutants=4, killed_after=2),
)


@pytest.fixture
def ann() -> Any:
    workbench = memory_workbench(FakeClock(), people={"ann": "admin", "vic": "viewer"})
    workbench.define(FLOW, visibility="global")
    yield workbench
    workbench.close()


def record(who: Workbench, **changed: Any) -> str:
    made: str = who.do(RecordTestProposal(**{"workflow": "Fix", "enrichment": MADE, **changed}))
    return made


def test_a_proposal_is_read_again_as_it_was_recorded(ann: Workbench):
    item = ann.open_item("Fix", "half is wrong")

    made = record(ann, item=item.id, run="run_1")
    found = ann.ask(GetTestProposal(proposal=made))

    assert (found.id, found.workflow, found.item, found.run) == (made, "Fix", item.reference, "run_1")
    assert found.enrichment == MADE
    assert found.patch == patch_of(FILE), "changed behaviour is taken only when somebody asks for it"


def test_proposals_are_listed_newest_first_and_by_item(ann: Workbench):
    item = ann.open_item("Fix", "half is wrong")
    first, second = record(ann), record(ann, item=item.reference)

    everything = ann.ask(ListTestProposals())
    of_item = ann.ask(ListTestProposals(item=item.reference, workflow="Fix"))

    assert [one.id for one in everything] == [second, first]
    assert [(one.id, one.accepted, one.item) for one in of_item] == [(second, 1, item.reference)]


def test_the_ledger_has_a_row_for_each_attempt(ann: Workbench):
    made = record(ann)

    rows = ann.sql("select proposal, function, verdict, test, kills, calls from test_attempts order by function").rows()

    assert rows == [
        {"proposal": made, "function": "a.f", "verdict": "accepted", "test": "t", "kills": 2, "calls": 1},
        {"proposal": made, "function": "a.g", "verdict": "rejected", "test": None, "kills": 0, "calls": 7},
    ]


def test_who_only_looks_may_read_and_not_record_and_others_see_nothing(ann: Workbench):
    vic = ann.acting_as("vic")
    public = record(ann)
    ann.define(FLOW.replace("Fix", "Mine"))
    hidden = record(ann, workflow="Mine")

    assert vic.tests.show(public).id == public
    assert [one.id for one in vic.tests.list()] == [public]
    with pytest.raises(Denied):
        record(vic)
    with pytest.raises(NotFound, match="there is no proposal"):
        vic.tests.show(hidden)


def test_an_item_of_another_workflow_and_a_ledger_too_long_are_refused(ann: Workbench, monkeypatch):
    ann.define(FLOW.replace("Fix", "Other"))
    item = ann.open_item("Other", "x")
    monkeypatch.setattr(enrichment, "MOST_ATTEMPTS", 1)

    with pytest.raises(Invalid, match="is not in workflow 'Fix'"):
        record(ann, item=item.id)
    with pytest.raises(TooLarge, match="2 attempts in one proposal; the cap is 1"):
        record(ann)


def test_an_id_of_something_else_is_no_proposal(ann: Workbench):
    item = ann.open_item("Fix", "x")

    with pytest.raises(NotFound, match="there is no proposal of tests"):
        ann.tests.show(item.id)


def test_a_report_tells_whether_there_is_something_to_record():
    silent = EngineReport(engine="tests", status=EngineStatus.NOT_RUN, reason="no Python functions in the change")
    told = EngineReport(engine="tests", status=EngineStatus.CLEAN, reason="", data={enrichment.DATA: plain(MADE)})

    assert proposal_of(silent, workflow="Fix") is None
    assert proposal_of(told, workflow="Fix", item="EL-1") == RecordTestProposal(
        workflow="Fix", enrichment=MADE, item="EL-1"
    )


def test_a_patch_is_written_once_and_never_over_a_file(ann: Workbench, tmp_path):
    made = record(ann)
    place = tmp_path / "tests.patch"

    text = ann.tests.export(made, place, changes=True)

    assert place.read_text() == text == patch_of(FILE) + patch_of(CHANGES)
    with pytest.raises(Invalid, match="exists already"):
        ann.tests.export(made, place)
    with pytest.raises(Invalid, match="proposes no tests"):
        ann.tests.export(record(ann, enrichment=Enrichment(repository="/src", base="1", head="2")))
