"""The front door for Python: verbs that decide nothing, and short looks at what there is."""

from pathlib import Path

import pytest

import elohim_kernel as ek
from elohim_kernel.errors import NotFound, Unauthenticated, Unavailable
from elohim_kernel.testing import ScriptedStage, memory_workbench, worker_with
from elohim_kernel.workbench import Workbench

FLOW = "name: Triage\nstages: [{key: look}, {key: scan, type: CODE_REVIEW}, {key: read}]"


@pytest.fixture
def ann() -> Workbench:
    wb = memory_workbench(people={"ann": "maintainer", "bo": "analyst"})
    wb.define(FLOW, visibility="global")
    wb.open_item("Triage", "x")
    return wb


def test_opening_needs_no_more_than_a_name():
    with ek.open(":memory:") as wb:
        assert wb.workflows() == ()
        assert repr(wb) == f"<Workbench memory as {wb.settings.user}>"


def test_acting_as_somebody_else_is_with_their_rights(ann: Workbench):
    bo = ann.acting_as("bo")

    bo.claim("EL-1")

    assert repr(bo) == "<Workbench memory as bo>"
    assert ann.item("EL-1").assignee == "bo"
    with pytest.raises(Unauthenticated, match="nobody here is called 'zed'"):
        ann.acting_as("zed").items()


def test_defining_again_revises_what_is_there(ann: Workbench):
    saved = ann.define(FLOW + "\nicon: star")

    assert (saved.revision, saved.visibility) == (2, "global")


def test_sql_binds_its_parameters(ann: Workbench):
    hostile = "x' or true --"
    ann.open_item("Triage", hostile)

    assert ann.sql("select reference from work_items where title = $title", title=hostile).rows() == [
        {"reference": "EL-2"}
    ]


def test_waiting_ends_when_a_person_is_needed_or_the_time_is_over(ann: Workbench):
    assert ann.wait("EL-1", timeout_s=0).stage == "look"
    ann.complete("EL-1")

    with pytest.raises(Unavailable, match=r"EL-1 is still pending in scan after 0 s"):
        ann.wait("EL-1", timeout_s=0)

    worker_with(ann, stages=[ScriptedStage("CODE_REVIEW")]).drain()
    assert ann.wait("EL-1", timeout_s=0).stage == "read"


def test_draining_runs_what_is_due_of_one_item_or_of_all(ann: Workbench):
    ann.open_item("Triage", "y")
    ann.complete("EL-1")
    ann.complete("EL-2")

    told: list[str] = []
    count = ann.drain("EL-2", on_progress=lambda assignment, text, done, total: told.append(assignment.reference))

    assert count == 1
    assert set(told) <= {"EL-2"}
    assert ann.item("EL-1").status == "pending"
    assert ann.item("EL-2").status == "failed", "it names no repository"


def test_a_review_of_what_is_no_repository_records_nothing(ann: Workbench, tmp_path: Path):
    before = ann.status()["events"]

    with pytest.raises(ek.KernelError, match="repository"):
        ann.review(tmp_path)

    assert ann.status()["events"] == before


def test_what_is_not_there_is_named(ann: Workbench):
    for look in (lambda: ann.item("EL-9"), lambda: ann.workflow("Nothing"), lambda: ann.approve("EL-1")):
        with pytest.raises(NotFound):
            look()
