"""The fold of a work item: what each event leaves, and who is named for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elohim_kernel.model import work_item as wi
from elohim_kernel.model.work_item import Entry, Link, Priority, Status, WorkItem, apply_work_item, due_after

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE = Entry(stage="a", stage_type="HUMAN", status=Status.PENDING, queue="approver", sla_due=NOW)
THERE = Entry(stage="b", stage_type="CODE_REVIEW", status=Status.PENDING, run=True)
END = Entry(stage="end", stage_type="", status=Status.COMPLETED)


def fold(*events: Any) -> WorkItem:
    """By one person after another, a minute apart, from event 1 on."""
    opened = wi.WorkItemOpened(number=7, workflow="wf_1", revision=2, title="x", entry=HERE, data={"n": 1}, tags=("t",))
    state: WorkItem | None = None
    for number, data in enumerate((opened, *events), start=1):
        when = NOW + timedelta(minutes=number)
        state = apply_work_item(state, "wi_1", data, actor=f"us_{number}", when=when, seq=number)
    assert state is not None
    return state


def test_an_opened_item_is_where_its_entry_says():
    item = fold()

    assert (item.reference, item.stage, item.queue, item.sla_due, item.data) == ("EL-7", "a", "approver", NOW, {"n": 1})
    assert (item.opened_by, item.last_editor, item.entered_by, item.entered) == ("us_1", "us_1", "us_1", 1)


def test_advancing_merges_data_and_facts_and_remembers_whence():
    item = fold(wi.WorkItemAdvanced(from_stage="a", entry=THERE, data={"m": 2}, facts={"tests": {"passed": 3}}))

    assert (item.stage, item.came_from, item.data, item.facts) == ("b", "a", {"n": 1, "m": 2}, {"tests": {"passed": 3}})
    assert (item.entered, item.entered_by, item.last_editor) == (2, "us_2", "us_2")


def test_moving_an_item_without_changing_what_is_shown_makes_nobody_its_editor():
    item = fold(wi.WorkItemAdvanced(from_stage="a", entry=THERE))

    assert (item.last_editor, item.entered_by) == ("us_1", "us_2")


@pytest.mark.parametrize(
    ("data", "edits"),
    [
        (wi.WorkItemChanged(title="y"), True),
        (wi.WorkItemChanged(data={"m": 1}), True),
        (wi.WorkItemChanged(data={}), False),
        (wi.WorkItemChanged(facts={"x": 1}), False),
        (wi.WorkItemChanged(tags=("u",)), False),
        (wi.WorkItemChanged(priority=Priority.LOW), False),
        (wi.WorkItemLinked(link=Link(kind="relates", target="EL-1")), True),
        (wi.WorkItemUnlinked(link=Link(kind="relates", target="EL-1")), True),
        (wi.WorkItemAttached(attachment=wi.Attachment(name="a", location="/a")), True),
        (wi.WorkItemCommented(text="hello"), False),
        (wi.WorkItemClaimed(assignee="us_2"), False),
    ],
)
def test_an_editor_is_whoever_changed_what_approvers_are_shown(data: Any, edits: bool):
    assert (fold(data).last_editor == "us_2") is edits


def test_the_end_keeps_the_last_stage_and_says_how_it_ended():
    item = fold(wi.WorkItemAdvanced(from_stage="a", entry=END, outcome="accepted"))

    assert (item.stage, item.status, item.resolution, item.closed_at) == (
        "a", Status.COMPLETED, "accepted", NOW + timedelta(minutes=2),
    )  # fmt: skip


def test_a_retry_is_the_same_stage_with_the_same_run_and_the_same_way_back():
    item = fold(
        wi.WorkItemAdvanced(from_stage="a", entry=THERE),
        wi.WorkItemStarted(run="run_1"),
        wi.WorkItemFailed(from_stage="b", reason="no disk"),
        wi.WorkItemRetried(entry=THERE, run="run_1"),
    )

    assert (item.stage, item.run, item.came_from, item.resolution, item.entered) == ("b", "run_1", "a", "", 5)


def test_another_stage_has_another_run():
    item = fold(
        wi.WorkItemAdvanced(from_stage="a", entry=THERE),
        wi.WorkItemStarted(run="run_1"),
        wi.WorkItemSentBack(from_stage="b", entry=HERE),
    )

    assert (item.stage, item.run, item.came_from) == ("a", "", "b")


def test_failing_ends_the_wait_for_an_approval():
    item = fold(wi.WorkItemWaiting(approval="ap_1"), wi.WorkItemFailed(from_stage="a", reason="no"))

    assert (item.approval, item.status) == ("", Status.FAILED)


def test_a_cancelled_item_has_no_clock():
    item = fold(wi.SlaPaused(left_s=5.0), wi.WorkItemCancelled(from_stage="a", reason="x"))

    assert (item.sla_due, item.sla_left_s, item.closed_at is not None) == (None, None, True)


def test_pausing_and_resuming_take_the_place_of_each_other():
    paused = fold(wi.SlaPaused(left_s=5.0))
    resumed = fold(wi.SlaPaused(left_s=5.0), wi.SlaResumed(due=NOW))

    assert (paused.sla_due, paused.sla_left_s) == (None, 5.0)
    assert (resumed.sla_due, resumed.sla_left_s) == (NOW, None)


def test_no_minutes_are_no_deadline():
    assert due_after(0, NOW) is None
    assert due_after(90, NOW) == NOW + timedelta(minutes=90)


def test_priorities_are_ranked_from_the_most_urgent():
    assert sorted(Priority, key=lambda one: one.rank) == [Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW]
