"""Looking: one item with everything about it, queues in their order, one's own inbox."""

import pytest

from elohim_kernel.errors import NotFound
from elohim_kernel.testing import FakeClock, ScriptedStage, memory_workbench, worker_with
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.inspection import ReadInbox

FLOW = "name: Triage\nstages: [{key: look, sla_minutes: 60}, {key: scan, type: CODE_REVIEW}, {key: read}]"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ann(clock: FakeClock) -> Workbench:
    wb = memory_workbench(clock, people={"ann": "maintainer", "bo": "analyst"})
    wb.define(FLOW, visibility="global")
    return wb


def test_the_history_says_every_move_by_whom_and_why(ann: Workbench):
    ann.open_item("Triage", "x")
    ann.acting_as("bo").complete("EL-1", note="looks odd")
    broken = ScriptedStage("CODE_REVIEW", ValueError("no"), ValueError("no"))
    worker_with(ann, stages=[broken]).drain()
    ann.retry("EL-1", note="again")
    ann.send_back("EL-1", note="too early")
    ann.cancel("EL-1", reason="superseded")

    told = [(entry.from_, entry.to, entry.by, entry.note) for entry in ann.item("EL-1").history]

    assert told == [
        ("", "look", "ann", "opened"),
        ("look", "scan", "bo", "looks odd"),
        ("scan", "failed", "worker", "CODE_REVIEW failed: ValueError: no"),
        ("failed", "scan", "ann", "again"),
        ("scan", "look", "ann", "too early"),
        ("look", "cancelled", "ann", "superseded"),
    ]


def test_an_item_is_found_by_id_reference_and_number(ann: Workbench):
    opened = ann.open_item("Triage", "x")

    assert {ann.item(name).id for name in (opened.id, "EL-1", "el-1", "1", "001")} == {opened.id}
    for name in ("EL-2", "2", "x", "", "9" * 5_000, "wi_nothing", "EL-١"):
        with pytest.raises(NotFound):
            ann.item(name)


def test_queues_are_in_the_order_asked_for(ann: Workbench, clock: FakeClock):
    for title, priority in (("a", "low"), ("b", "urgent"), ("c", "normal"), ("d", "urgent")):
        ann.open_item("Triage", title, priority=priority)
        clock.advance(minutes=1)
    ann.complete("EL-1")

    orders = {
        order: "".join(item.title for item in ann.items(order=order)) for order in ("priority", "age", "sla", "number")
    }

    assert orders == {"priority": "bdca", "age": "abcd", "sla": "bcda", "number": "dcba"}


def test_filters_narrow_the_list(ann: Workbench):
    ann.define("name: Other\nstages: [{key: a}]")
    ann.open_item("Triage", "slow routes", tags=("backend",))
    ann.open_item("Triage", "x")
    ann.open_item("Other", "y")
    ann.claim("EL-2")
    ann.cancel("EL-3", reason="no")

    found = {
        name: [item.reference for item in ann.items(**wanted)]
        for name, wanted in {
            "workflow": {"workflow": "Triage"},
            "assignee": {"assignee": "me"},
            "tag": {"tag": "backend"},
            "text": {"text": "ROUTES"},
            "status": {"status": "cancelled"},
            "open": {"open": True},
            "limit": {"limit": 1},
        }.items()
    }

    assert found == {
        "workflow": ["EL-2", "EL-1"],
        "assignee": ["EL-2"],
        "tag": ["EL-1"],
        "text": ["EL-1"],
        "status": ["EL-3"],
        "open": ["EL-2", "EL-1"],
        "limit": ["EL-3"],
    }


def test_an_inbox_holds_what_one_was_told_until_it_is_read(ann: Workbench):
    ann.open_item("Triage", "x")
    bo = ann.acting_as("bo")
    ann.reassign("EL-1", "bo")
    assert [told.kind for told in bo.inbox()] == ["assigned", "arrived"]

    bo.do(ReadInbox())
    ann.comment("EL-1", "@bo hello")

    assert [(told.kind, told.text, told.by) for told in bo.inbox()] == [("commented", "@bo hello", "ann")]
    assert [told.unread for told in bo.inbox(unread=False)] == [True, False, False]


@pytest.mark.parametrize("upto", [10**6, 2**62])
def test_reading_further_than_what_happened_does_not_hide_what_will(ann: Workbench, upto: int):
    bo = ann.acting_as("bo")

    bo.do(ReadInbox(upto=upto))
    ann.open_item("Triage", "x")

    assert [told.kind for told in bo.inbox()] == ["arrived"]


def test_reading_never_goes_backwards(ann: Workbench):
    ann.open_item("Triage", "x")
    bo = ann.acting_as("bo")
    bo.do(ReadInbox())

    bo.do(ReadInbox(upto=1))

    assert bo.inbox() == ()
