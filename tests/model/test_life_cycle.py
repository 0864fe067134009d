"""Where an item goes and what may be done to it now: decisions without a store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from elohim_kernel.errors import Conflict, Invalid
from elohim_kernel.model.definition_text import parse_definition
from elohim_kernel.model.life_cycle import (
    check_claim,
    check_complete,
    check_release,
    check_send_back,
    choose,
    enter,
    facts_for,
    goes_on,
    stage_before,
)
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.work_item import Status, WorkItem
from elohim_kernel.model.workflow import END, Definition, Stage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FLOW = parse_definition("""
name: Change
stages:
- key: write
  routes: [{to: check, when: data.risk > 5}, {to: end, when: "outcome == 'drop'"}]
- {key: scan, type: CODE_REVIEW, sla_minutes: 5}
- {key: agree, type: APPROVAL}
- {key: check, assignment: {to: person, who: bo}}
- {key: last, assignment: {to: role, who: approver}}
""")
ITEM = WorkItem(
    id="wi_1", number=1, workflow="wf_1", revision=1, title="x", stage="write", stage_type="HUMAN",
    status=Status.PENDING, opened_by="us_a", opened_at=NOW, changed_at=NOW, entered_at=NOW,
)  # fmt: skip


def going(item: WorkItem, outcome: str = "", **data: Any) -> tuple[str, str]:
    stage = FLOW.stage(item.stage)
    chosen = choose(FLOW, stage, facts_for(item, now=NOW, outcome=outcome, data=data))
    return chosen.to, chosen.why


def test_the_first_guard_that_is_true_wins_and_none_gives_the_next_stage():
    assert going(ITEM, risk=8) == ("check", "data.risk > 5")
    assert going(ITEM, "drop", risk=8) == ("check", "data.risk > 5")
    assert going(ITEM, "drop", risk=1) == (END, "outcome == 'drop'")
    assert going(ITEM, risk=1) == ("scan", "")
    assert going(replace(ITEM, stage="last")) == (END, "")


@given(
    st.one_of(st.none(), st.text(max_size=3), st.booleans(), st.lists(st.integers(), max_size=2), st.integers(-9, 9))
)
def test_only_a_number_over_five_passes_a_guard_that_asks_for_it(risk: object):
    """Unknown, and of another type, never moves an item."""
    assert (going(ITEM, risk=risk)[0] == "check") is (type(risk) is int and risk > 5)


@pytest.mark.parametrize(
    ("stage", "status", "assignee", "queue", "run", "due"),
    [
        ("write", Status.PENDING, "", "", False, None),
        ("scan", Status.PENDING, "", "", True, NOW + timedelta(minutes=5)),
        ("agree", Status.WAITING, "", "", False, None),
        ("check", Status.CLAIMED, "us_bo", "", False, None),
        ("last", Status.PENDING, "", "approver", False, None),
        (END, Status.COMPLETED, "", "", False, None),
    ],
)
def test_how_an_item_arrives_depends_on_the_stage(stage, status, assignee, queue, run, due):
    entry = enter(FLOW, stage, number=1, now=NOW, resolve=lambda kind, name, turn: f"us_{name}")

    assert (entry.status, entry.assignee, entry.queue, entry.run, entry.sla_due) == (status, assignee, queue, run, due)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"assignee": "us_a", "status": Status.CLAIMED}, "already yours"),
        ({"assignee": "us_b", "status": Status.CLAIMED}, "already taken"),
        ({"status": Status.COMPLETED}, "is completed"),
        ({"stage_type": StageType.CODE_REVIEW}, "nothing here waits for a person"),
        ({"status": Status.WAITING}, "nothing here waits for a person"),
    ],
)
def test_what_cannot_be_claimed(changed: dict[str, Any], why: str):
    with pytest.raises(Conflict, match=why):
        check_claim(replace(ITEM, **changed), "us_a")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"status": Status.CANCELLED}, "is cancelled"),
        ({"approval": "ap_1"}, "waits for an approval"),
        ({"stage": "scan", "stage_type": "CODE_REVIEW"}, "done by the workbench"),
        ({"stage": "scan", "stage_type": "CODE_REVIEW", "status": Status.IN_PROGRESS}, "done by the workbench"),
        ({"assignee": "us_b"}, "taken by somebody else"),
    ],
)
def test_what_cannot_be_completed(changed: dict[str, Any], why: str):
    item = replace(ITEM, **changed)

    with pytest.raises(Conflict, match=why):
        check_complete(item, FLOW.stage(item.stage), "us_a")


@pytest.mark.parametrize("status", [Status.FAILED, Status.WAITING])
def test_a_person_may_complete_an_automated_stage_that_failed_or_waits(status: Status):
    check_complete(replace(ITEM, stage="scan", stage_type="CODE_REVIEW", status=status), FLOW.stage("scan"), "us_a")


def test_only_a_taken_item_is_released():
    check_release(replace(ITEM, assignee="us_a", status=Status.CLAIMED))
    for changed in ({}, {"assignee": "us_a", "status": Status.FAILED}, {"status": Status.CANCELLED}):
        with pytest.raises(Conflict):
            check_release(replace(ITEM, **changed))


@given(
    stage=st.sampled_from([stage.key for stage in FLOW.stages]),
    came_from=st.sampled_from(["", *(stage.key for stage in FLOW.stages)]),
    to=st.sampled_from(["", "nowhere", *(stage.key for stage in FLOW.stages)]),
)
def test_sending_back_always_leads_to_an_earlier_stage(stage: str, came_from: str, to: str):
    keys = [one.key for one in FLOW.stages]
    item = replace(ITEM, stage=stage, came_from=came_from)

    try:
        target = check_send_back(item, FLOW, to)
    except (Conflict, Invalid):
        assert to not in keys[: keys.index(stage)]
        assert to or stage == keys[0]
    else:
        assert target in keys[: keys.index(stage)]
        assert target == (to or stage_before(item, FLOW))


def test_back_is_where_it_came_from_unless_that_lies_ahead():
    assert stage_before(replace(ITEM, stage="check", came_from="write"), FLOW) == "write"
    assert stage_before(replace(ITEM, stage="check", came_from="last"), FLOW) == "agree"
    assert stage_before(replace(ITEM, stage="write", came_from="last"), FLOW) == ""


@pytest.mark.parametrize(
    ("after", "stays"), [(StageType.HUMAN, False), (StageType.APPROVAL, False), (StageType.CODE_REVIEW, True)]
)
def test_an_old_definition_does_not_let_a_security_review_end_without_a_person(after: StageType, stays: bool):
    """Definitions that were saved before they were checked for this still mean what they should."""
    scan = Stage(key="scan", name="Scan", type=StageType.SECURITY_REVIEW)
    flow = Definition(name="x", stages=(scan, Stage(key="next", name="Next", type=after)))

    assert goes_on(flow, scan) is not stays
    assert not goes_on(replace(flow, stages=(scan,)), scan)
