"""Who is told what, and at which address: derived from events alone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from elohim_kernel.model import work_item as wi
from elohim_kernel.model.access import GLOBAL, Grant, Principal, Team, Visibility
from elohim_kernel.model.approval import Approval, ApprovalClosed, ApprovalEscalated, ApprovalRequested, ApprovalStatus
from elohim_kernel.model.events import Event
from elohim_kernel.model.notification import addresses, notifications
from elohim_kernel.model.work_item import Entry, Status, WorkItem
from elohim_kernel.model.workflow import ApprovalRule, Workflow

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ITEM = WorkItem(
    id="wi_1", number=1, workflow="wf_1", revision=1, title="x", stage="a", stage_type="HUMAN", status=Status.PENDING,
    opened_by="us_ann", opened_at=NOW, changed_at=NOW, entered_at=NOW, assignee="us_bo",
)  # fmt: skip
ASKED = Approval(
    id="ap_1", item="wi_1", workflow="wf_1", stage="a", rule=ApprovalRule(), subject={}, digest="d",
    requested_by="us_ann", last_editor="us_ann", requested_at=NOW,
)  # fmt: skip
HEARD = ("us_bo", "us_ann", "us_cy")


def told(data: Any, after: Any) -> list[tuple[str, str]]:
    happened = Event(seq=1, when=NOW, subject=after.id, scope="wf_1", actor="us_x", data=data)
    return [(one.recipient, one.kind.value) for one in notifications(happened, after)]


def entry(**fields: Any) -> wi.WorkItemAdvanced:
    base = {"stage": "a", "stage_type": "HUMAN", "status": Status.PENDING}
    return wi.WorkItemAdvanced(from_stage="z", entry=Entry(**{**base, **fields}))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (entry(), [("wf_1|", "arrived")]),
        (entry(queue="approver"), [("wf_1|approver", "arrived")]),
        (entry(status=Status.CLAIMED, assignee="us_cy"), [("us_cy", "assigned")]),
        (entry(run=True), []),
        (entry(status=Status.COMPLETED, stage="end"), []),
        (wi.WorkItemReassigned(assignee="us_cy"), [("us_cy", "assigned")]),
        (wi.WorkItemCommented(text="hi", mentions=("us_cy", "us_bo")), [(who, "commented") for who in HEARD]),
        (wi.SlaMissed(due=NOW), [("us_bo", "overdue")]),
        (wi.WorkItemFailed(from_stage="a", reason="no disk"), [("us_ann", "failed")]),
        (wi.WorkItemClaimed(assignee="us_cy"), []),
    ],
)  # fmt: skip
def test_what_happens_to_an_item_is_told_to_whom_it_concerns(data: Any, expected: list[tuple[str, str]]):
    assert told(data, ITEM) == expected


def test_an_approval_is_asked_of_those_its_rule_names_or_of_all_and_later_of_more():
    rule = ApprovalRule(people=("cy",), roles=("approver",), teams=("red",))
    request = ApprovalRequested(
        item="wi_1", workflow="wf_1", stage="a", rule=rule, subject={}, digest="d", requested_by="us_a", last_editor=""
    )

    assert told(request, ASKED) == [("wf_1|", "approval_asked")]
    named = [("name:cy", "approval_asked"), ("wf_1|approver", "approval_asked"), ("team:red", "approval_asked")]
    assert told(request, replace(ASKED, rule=rule)) == named
    assert told(ApprovalEscalated(people=("di",)), ASKED) == [("name:di", "approval_asked")]
    assert told(ApprovalClosed(status=ApprovalStatus.APPROVED), ASKED) == []


def test_ones_addresses_are_ones_name_teams_and_what_one_holds_where():
    flows = [
        Workflow(id=name, name=name, visibility=Visibility.GLOBAL, tenant=tenant, owner="us_x", revisions=())
        for name, tenant in (("wf_all", GLOBAL), ("wf_red", "tm_red"), ("wf_blue", "tm_blue"), ("wf_mine", "us_cy"))
    ]
    teams = [Team(id="tm_red", name="red"), Team(id="tm_blue", name="blue")]
    cy = Principal(
        id="us_cy", name="cy", grants=(Grant(role="approver", scope="tm_red"), Grant(role="viewer", scope=GLOBAL))
    )

    assert set(addresses(cy, flows, teams)) == {
        "us_cy", "name:cy", "team:red", "wf_all|", "wf_all|viewer", "wf_all|red", "wf_red|", "wf_red|approver",
        "wf_red|red", "wf_mine|", "wf_mine|red",
    }  # fmt: skip
