"""A real notebook as a stage of a workflow, in a process of its own, with a token of its own."""

from pathlib import Path

import pytest

import elohim_kernel as ek
from elohim_kernel.access.tokens import ListTokens
from elohim_kernel.errors import Invalid, NotFound, NotRun
from elohim_kernel.model.work_item import Status
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workflows.runs import ListRuns

FLOW = """
name: Report
stages:
- {key: report, type: AUTOMATION, playbook: review_report, parameters: {item: reference}}
- {key: read}
"""


def test_a_store_in_memory_cannot_be_reached_from_a_notebook_and_the_stage_says_so():
    with memory_workbench() as ann:
        ann.define(FLOW)
        ann.open_item("Report", "x")

        ann.drain()

        assert ann.item("EL-1").status is Status.FAILED
        assert "was not run, because a store in memory" in ann.item("EL-1").resolution


def test_a_playbook_that_is_not_there_or_asked_wrongly_starts_nothing(home: Path):
    with ek.open(home) as wb:
        wb.define("name: T\nstages: [{key: a}]")
        wb.open_item("T", "x")

        with pytest.raises(NotFound, match="no playbook 'nothing'; there is review_report"):
            wb.run_playbook("nothing", {}, item="EL-1")
        with pytest.raises(Invalid, match="nope"):
            wb.run_playbook("review_report", {"item": "EL-1", "nope": 1}, item="EL-1")

        assert [run.status for run in wb.ask(ListRuns()) if run.status == "running"] == []


def test_an_automation_stage_runs_its_notebook_and_keeps_the_executed_copy(home: Path):
    with ek.open(home) as wb:
        wb.define(FLOW)
        wb.open_item("Report", "x")

        wb.drain("EL-1")

        item = wb.item("EL-1")
        assert (item.stage, item.history[-1].note) == ("read", "playbook review_report done"), item.resolution
        told = item.data["automation"]
        assert Path(told["output"]).is_relative_to(home)
        assert Path(told["output"]).stat().st_size > 1_000
        assert {(run.kind, run.status) for run in wb.ask(ListRuns(item="EL-1"))} == {
            ("stage", "done"),
            ("playbook", "done"),
        }
        assert [token.state for token in wb.ask(ListTokens())] == ["revoked"], "its token ended with it"


def test_a_store_in_memory_is_told_before_anything_starts():
    with memory_workbench() as ann:
        ann.define("name: T\nstages: [{key: a}]")
        ann.open_item("T", "x")

        with pytest.raises(NotRun):
            ann.run_playbook("review_report", {"item": "EL-1"}, item="EL-1")

        assert ann.ask(ListRuns()) == ()
