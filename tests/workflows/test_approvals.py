"""Approvals as people meet them: who may decide what, when it is stale, and what a deadline does."""

import pytest

from elohim_kernel.errors import Denied, NotFound, Stale
from elohim_kernel.model.approval import ApprovalStatus
from elohim_kernel.model.work_item import Status
from elohim_kernel.testing import FakeClock, ScriptedStage, memory_workbench, worker_with
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.approvals import ExpireApprovals, GetApproval
from elohim_kernel.workflows.details import UnlinkItem

PEOPLE = {"ann": "maintainer", "bo": "approver", "cy": "approver", "di": "analyst", "eva": "admin"}
FLOW = """
name: Change
stages:
- key: write
  requires_approval: {{{rule}}}
- key: agree
  type: APPROVAL
- key: ship
"""


def bench(rule: str = "", clock: FakeClock | None = None) -> Workbench:
    ann = memory_workbench(clock, people=PEOPLE)
    ann.define(FLOW.format(rule=rule), visibility="global")
    ann.open_item("Change", "x", data={"risk": 3})
    return ann


def test_whoever_asked_does_not_decide_not_even_an_administrator():
    eva = bench().acting_as("eva")
    asked = eva.complete("EL-1").approval

    with pytest.raises(Denied, match="four eyes: eva asked"):
        eva.approve(asked)

    assert eva.item("EL-1").status is Status.WAITING


def test_whoever_last_changed_what_is_shown_does_not_decide():
    ann = bench()
    ann.acting_as("bo").change("EL-1", data={"risk": 8})
    asked = ann.complete("EL-1").approval

    with pytest.raises(Denied, match="four eyes: bo was the last to change"):
        ann.acting_as("bo").approve(asked)

    assert ann.acting_as("cy").approve(asked).status is ApprovalStatus.APPROVED


@pytest.mark.parametrize("edit", ["title", "link", "unlink", "attachment"])
def test_every_kind_of_edit_makes_its_author_the_last_editor(edit: str, tmp_path):
    ann = bench()
    bo = ann.acting_as("bo")
    ann.link("EL-1", "https://example.org/first")
    ann.complete("EL-1")
    (tmp_path / "log.txt").write_text("x")

    if edit == "title":
        bo.change("EL-1", title="another")
    elif edit == "link":
        bo.link("EL-1", "https://example.org/second")
    elif edit == "unlink":
        bo.do(UnlinkItem(item="EL-1", target="https://example.org/first"))
    else:
        bo.attach("EL-1", str(tmp_path / "log.txt"))

    with pytest.raises(Denied, match="bo was the last to change"):
        bo.approve("EL-1")


def test_an_edit_by_another_does_not_let_the_first_asker_decide():
    ann = bench()
    first = ann.complete("EL-1").approval

    renewed = ann.acting_as("bo").change("EL-1", data={"risk": 9}).approval

    assert renewed != first
    for name, why in (("ann", "ann asked"), ("bo", "bo was the last")):
        with pytest.raises(Denied, match=why):
            ann.acting_as(name).approve(renewed)


def test_a_changed_item_makes_its_approval_stale_with_the_difference_and_asks_anew():
    ann = bench("need: 2")
    first = ann.complete("EL-1").approval
    ann.acting_as("bo").approve(first)

    renewed = ann.change("EL-1", data={"risk": 9}).approval

    old, new = ann.approvals("EL-1")
    assert (old.id, old.status, len(old.votes)) == (first, ApprovalStatus.STALE, 1)
    assert (new.id, new.status, new.replaces, new.votes) == (renewed, ApprovalStatus.OPEN, first, ())
    closed = ann.sql("select data from events where kind = 'approval.closed'").rows()[0]["data"]
    assert "data.risk: 3 → 9" in closed
    with pytest.raises(Stale):
        ann.acting_as("cy").approve(first)


def test_a_vote_on_something_else_than_what_is_asked_is_refused():
    ann = bench()
    asked = ann.complete("EL-1").approval
    seen = ann.ask(GetApproval(approval=asked)).digest
    bo = ann.acting_as("bo")

    with pytest.raises(Stale, match="what you were shown"):
        bo.approve(asked, digest="sha256:" + "0" * 64)

    assert bo.approve(asked, digest=seen).status is ApprovalStatus.APPROVED


def test_words_that_approvers_are_not_shown_leave_the_approval_as_it_is():
    ann = bench()
    asked = ann.complete("EL-1").approval

    ann.comment("EL-1", "please look")
    ann.tag("EL-1", "urgent")

    assert ann.acting_as("bo").approve(asked).status is ApprovalStatus.APPROVED


def test_a_second_answer_returns_the_first_outcome_and_records_nothing():
    ann = bench()
    asked = ann.complete("EL-1").approval
    ann.acting_as("bo").approve(asked)
    before = ann.status()["events"]

    told = ann.acting_as("cy").reject(asked, comment="too late")

    assert (told.status, len(told.votes)) == (ApprovalStatus.APPROVED, 1)
    assert ann.status()["events"] == before


def test_a_later_vote_replaces_ones_own_while_it_is_open():
    ann = bench("need: 2, quorum: true")
    asked = ann.complete("EL-1").approval
    bo = ann.acting_as("bo")

    bo.reject(asked)
    told = bo.approve(asked)

    assert [(vote.decision, told.status) for vote in told.votes] == [("approve", "open")]
    assert ann.acting_as("cy").approve(asked).status is ApprovalStatus.APPROVED


@pytest.mark.parametrize(
    ("rule", "may", "may_not"),
    [
        ("roles: [approver]", "bo", "eva"),
        ("people: [eva]", "eva", "bo"),
        ("teams: [red]", "cy", "bo"),
        ("roles: [nobody_holds_this]", "", "bo"),
    ],
)
def test_only_those_whom_the_rule_names_decide(rule: str, may: str, may_not: str):
    ann = memory_workbench(people=PEOPLE, teams={"red": {"cy": "viewer"}})
    ann.define(FLOW.format(rule=rule), visibility="global")
    asked = ann.complete(ann.open_item("Change", "x").id).approval

    with pytest.raises(Denied, match="not among those who decide"):
        ann.acting_as(may_not).approve(asked)

    if may:
        assert ann.acting_as(may).approve(asked).status is ApprovalStatus.APPROVED


def test_without_the_permission_nobody_decides_even_when_named():
    ann = bench("people: [di]")
    asked = ann.complete("EL-1").approval

    with pytest.raises(Denied, match=r"approvals\.decide"):
        ann.acting_as("di").approve(asked)


def test_a_refused_item_is_back_with_its_person_and_can_be_asked_about_again():
    ann = bench()
    ann.complete("EL-1")

    ann.acting_as("bo").reject("EL-1", comment="tests are missing")

    item = ann.item("EL-1")
    assert (item.stage, item.status, item.history[-1].note) == ("write", Status.PENDING, "tests are missing")
    assert ann.complete("EL-1").approval != item.approvals[0].id


def test_a_refusal_never_takes_an_item_forward():
    """An item sent back into an APPROVAL stage came from behind it; refusing it must not put it there again."""
    ann = bench()
    ann.complete("EL-1")
    ann.acting_as("bo").approve("EL-1")
    ann.acting_as("cy").approve("EL-1")
    assert ann.item("EL-1").stage == "ship"

    ann.send_back("EL-1", note="look again")
    ann.acting_as("cy").reject("EL-1")

    assert ann.item("EL-1").stage == "write"


def test_an_approval_at_the_very_start_that_is_refused_ends_the_item():
    ann = memory_workbench(people=PEOPLE)
    ann.define("name: Gate\nstages: [{key: agree, type: APPROVAL}, {key: do}]", visibility="global")
    ann.open_item("Gate", "x")

    ann.acting_as("bo").reject("EL-1", comment="no")

    assert (ann.item("EL-1").status, ann.item("EL-1").resolution) == (Status.CANCELLED, "no")


def test_what_nobody_decides_in_time_gets_the_declared_outcome_once():
    clock = FakeClock()
    ann = bench("expires_minutes: 10", clock)
    asked = ann.complete("EL-1").approval

    clock.advance(minutes=10)

    assert (ann.do(ExpireApprovals()), ann.do(ExpireApprovals())) == (1, 0)
    assert (ann.approvals("EL-1")[0].status, ann.item("EL-1").stage) == (ApprovalStatus.EXPIRED, "write")
    assert ann.acting_as("bo").approve(asked).status is ApprovalStatus.EXPIRED


def test_the_deadline_holds_even_when_no_worker_saw_it_pass():
    clock = FakeClock()
    ann = bench("expires_minutes: 10", clock)
    asked = ann.complete("EL-1").approval

    clock.advance(minutes=11)
    told = ann.acting_as("bo").approve(asked)

    assert (told.status, told.votes, told.stage) == (ApprovalStatus.EXPIRED, (), "write")


def test_escalating_asks_more_people_tells_them_and_keeps_four_eyes():
    clock = FakeClock()
    ann = bench("people: [bo], expires_minutes: 10, on_expiry: escalate, escalate_to: [cy, ann]", clock)
    asked = ann.complete("EL-1").approval
    with pytest.raises(Denied):
        ann.acting_as("cy").approve(asked)

    clock.advance(minutes=10)
    ann.do(ExpireApprovals())

    assert ann.acting_as("cy").inbox()[0].kind == "approval_asked"
    with pytest.raises(Denied, match="four eyes"):
        ann.approve(asked)
    assert ann.acting_as("cy").approve(asked).status is ApprovalStatus.APPROVED


def test_escalating_a_rule_that_names_nobody_does_not_narrow_it():
    clock = FakeClock()
    ann = bench("expires_minutes: 10, on_expiry: escalate, escalate_to: [cy]", clock)
    asked = ann.complete("EL-1").approval

    clock.advance(minutes=10)
    ann.do(ExpireApprovals())

    assert ann.acting_as("bo").approve(asked).status is ApprovalStatus.APPROVED


def test_one_item_that_cannot_go_where_it_is_sent_does_not_keep_others_from_expiring():
    clock = FakeClock()
    ann = bench("expires_minutes: 10", clock)
    stuck = FLOW.format(rule="expires_minutes: 5").replace("Change", "Stuck").replace(
        "- key: write\n", "- key: write\n  on_reject: turns\n"
    ) + "- {key: turns, assignment: {to: round_robin, who: nobody}}\n"  # fmt: skip
    ann.define(stuck, visibility="global")
    ann.complete(ann.open_item("Stuck", "x").id)
    ann.complete("EL-1")

    clock.advance(minutes=20)

    assert ann.do(ExpireApprovals()) == 1
    assert [one.status for item in ("EL-1", "EL-2") for one in ann.approvals(item)] == ["expired", "open"]


def test_leaving_the_stage_withdraws_what_was_asked():
    ann = bench()
    ann.complete("EL-1")
    ann.acting_as("bo").approve("EL-1")

    ann.send_back("EL-1", note="wait", to="write")

    assert [one.status for one in ann.approvals("EL-1")] == [ApprovalStatus.APPROVED, ApprovalStatus.WITHDRAWN]


def test_the_result_of_an_automated_stage_that_is_refused_waits_for_a_person_instead_of_running_for_ever():
    ann = memory_workbench(people=PEOPLE)
    ann.define(
        "name: Auto\nstages: [{key: scan, type: CODE_REVIEW, requires_approval: {}}, {key: read}]", visibility="global"
    )
    ann.open_item("Auto", "x")
    stage = ScriptedStage("CODE_REVIEW")
    worker_with(ann, stages=[stage]).drain()

    ann.acting_as("bo").reject("EL-1", comment="look deeper")

    assert (worker_with(ann, stages=[stage]).drain(), len(stage.works)) == (0, 1)
    assert (ann.item("EL-1").status, ann.item("EL-1").resolution) == (Status.FAILED, "look deeper")
    ann.retry("EL-1")
    assert worker_with(ann, stages=[stage]).drain() == 1


def test_an_item_that_never_was_asked_about_has_no_approval():
    ann = bench()

    with pytest.raises(NotFound, match="no approval 'EL-1'"):
        ann.acting_as("bo").approve("EL-1")
