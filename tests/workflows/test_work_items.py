"""Work items on their way: claimed, completed, routed, sent back, given up, timed."""

from datetime import timedelta

import pytest

from elohim_kernel.errors import Conflict, Denied, Invalid, NotFound
from elohim_kernel.model.work_item import Priority, Status
from elohim_kernel.testing import FakeClock, ScriptedStage, memory_workbench, worker_with
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.approvals import ExpireApprovals
from elohim_kernel.workflows.definitions import ArchiveWorkflow
from elohim_kernel.workflows.work_items import PauseSla, ResumeSla

PEOPLE = {"ann": "maintainer", "bo": "analyst", "cy": "approver", "vi": "viewer"}
FLOW = """
name: Change
stages:
- key: write
  sla_minutes: 60
  form:
  - {name: risk, type: integer, required: true, minimum: 0, maximum: 10}
  - {name: why, shown_if: risk > 5, required: true}
  routes:
  - {to: careful, when: data.risk > 5}
  - {to: never, when: findings.new.high > 0}
- {key: quick, next: end}
- {key: careful, assignment: {to: role, who: approver}}
- {key: never}
"""


def bench(clock: FakeClock | None = None, flow: str = FLOW) -> Workbench:
    ann = memory_workbench(clock, people=PEOPLE, teams={"red": {"bo": "analyst", "cy": "analyst"}})
    ann.define(flow, visibility="global")
    return ann


def test_an_item_starts_in_the_first_stage_of_the_newest_revision_and_keeps_it():
    ann = bench()
    opened = ann.open_item("Change", "Cache routes", priority="high", tags=("a", "a"), data={"n": 1})
    ann.define(FLOW.replace("key: write", "key: intake"), visibility="global")

    item = ann.item(opened.reference)

    assert (item.reference, item.stage, item.revision, item.status) == ("EL-1", "write", 1, Status.PENDING)
    assert (item.priority, item.tags, item.data, item.opened_by) == (Priority.HIGH, ("a",), {"n": 1}, "ann")
    assert ann.open_item("Change", "y").stage == "intake"
    assert ann.complete("EL-1", risk=1).stage == "quick", "it goes on as its own revision says"


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({}, "risk: is required"),
        ({"risk": "3"}, "must be of type integer"),
        ({"risk": 11}, "must be at most 10"),
        ({"risk": 8}, "why: is required"),
        ({"risk": 3, "why": "x"}, "is only asked when risk > 5"),
        ({"risk": 3, "color": "x"}, "color: not a field"),
    ],
)
def test_a_form_that_is_not_right_is_refused_and_changes_nothing(answers, why: str):
    ann = bench()
    ann.open_item("Change", "x")

    with pytest.raises(Invalid, match=why):
        ann.complete("EL-1", **answers)

    assert (ann.item("EL-1").stage, ann.item("EL-1").data) == ("write", {})


def test_a_guard_that_is_true_chooses_the_route_and_is_kept_as_the_reason():
    ann = bench()
    ann.open_item("Change", "x")

    moved = ann.complete("EL-1", risk=8, why="touches money", note="careful please")

    assert moved.stage == "careful"
    why = ann.sql("select data->>'$.why' as why from events where kind = 'work_item.advanced'").rows()
    assert why == [{"why": "data.risk > 5"}]
    assert ann.item("EL-1").history[-1].note == "careful please"


def test_a_guard_that_cannot_be_answered_never_moves_an_item():
    ann = bench()
    ann.open_item("Change", "x")

    assert ann.complete("EL-1", risk=1).stage == "quick", "findings are unknown: not the route that asks for them"


def test_a_queue_is_for_those_who_hold_its_role():
    ann = bench()
    ann.complete(ann.open_item("Change", "x").id, risk=8, why="x")
    bo, cy = ann.acting_as("bo"), ann.acting_as("cy")

    for act in (bo.claim, bo.complete, lambda item: ann.reassign(item, "bo")):
        with pytest.raises(Conflict, match="waits for somebody of 'approver', and bo is not"):
            act("EL-1")

    assert cy.claim("EL-1").status is Status.CLAIMED


def test_a_queue_may_be_a_team():
    ann = bench(flow="name: Change\nstages: [{key: do, assignment: {to: queue, who: red}}]")
    ann.open_item("Change", "x")

    with pytest.raises(Conflict, match="'red', and ann is not"):
        ann.claim("EL-1")

    assert [told.reference for told in ann.acting_as("bo").inbox()] == ["EL-1"]
    assert ann.acting_as("bo").claim("EL-1").status is Status.CLAIMED


def test_a_claimed_item_is_its_holders_until_released_or_reassigned():
    ann = bench()
    bo = ann.acting_as("bo")
    ann.open_item("Change", "x")
    bo.claim("EL-1")

    for act in (ann.claim, lambda item: ann.complete(item, risk=1)):
        with pytest.raises(Conflict, match="taken"):
            act("EL-1")
    with pytest.raises(Conflict, match="already yours"):
        bo.claim("EL-1")

    assert ann.reassign("EL-1", "cy").status is Status.CLAIMED
    assert ann.release("EL-1", note="on leave").status is Status.PENDING
    with pytest.raises(Conflict, match="not taken by anybody"):
        ann.release("EL-1")


def test_an_item_can_only_be_given_to_somebody_who_sees_it():
    ann = bench()
    ann.define("name: Mine\nstages: [{key: a}]")
    ann.open_item("Mine", "x")

    told = []
    for name in ("bo", "zed"):
        with pytest.raises(Invalid) as refused:
            ann.reassign("EL-1", name)
        told.append(str(refused.value).replace(repr(name), "…"))

    assert told[0] == told[1]


def test_who_may_only_look_changes_nothing():
    ann = bench()
    ann.open_item("Change", "x")
    vi = ann.acting_as("vi")

    for act in (vi.claim, vi.complete, lambda item: vi.cancel(item, reason="x"), lambda item: vi.comment(item, "x")):
        with pytest.raises(Denied, match=r"vi lacks workflows\.run"):
            act("EL-1")

    assert len(vi.item("EL-1").history) == 1


def test_send_back_goes_to_the_stage_it_came_from_or_the_one_named_but_never_forward():
    ann = bench()
    ann.complete(ann.open_item("Change", "x").id, risk=8, why="x")
    cy = ann.acting_as("cy")

    with pytest.raises(Conflict, match="never is not before careful"):
        cy.send_back("EL-1", note="x", to="never")
    with pytest.raises(Invalid, match="no stage 'nowhere'"):
        cy.send_back("EL-1", note="x", to="nowhere")

    assert cy.send_back("EL-1", note="tests are missing").stage == "write", "it came past quick, not through it"
    with pytest.raises(Conflict, match="first stage"):
        ann.send_back("EL-1", note="x")


def test_send_back_after_a_retry_still_knows_where_the_item_came_from():
    flow = "name: Change\nstages: [{key: a, next: scan}, {key: b}, {key: scan, type: CODE_REVIEW}]"
    ann = bench(flow=flow)
    ann.complete(ann.open_item("Change", "x").id)
    worker = worker_with(ann, stages=[ScriptedStage("CODE_REVIEW", ValueError("no"))])
    worker.drain()
    ann.retry("EL-1")
    worker.drain()

    assert ann.send_back("EL-1", note="x").stage == "a"


def test_a_finished_item_stays_finished():
    ann = bench()
    ann.open_item("Change", "x")
    ann.cancel("EL-1", reason="superseded")

    for act in (
        ann.claim,
        ann.release,
        ann.retry,
        lambda item: ann.complete(item, risk=1),
        lambda item: ann.cancel(item, reason="x"),
        lambda item: ann.send_back(item, note="x"),
        lambda item: ann.reassign(item, "bo"),
        lambda item: ann.change(item, title="y"),
        lambda item: ann.do(PauseSla(item=item, reason="x")),
        lambda item: ann.do(ResumeSla(item=item)),
    ):
        with pytest.raises(Conflict):
            act("EL-1")
    assert (ann.item("EL-1").status, ann.item("EL-1").resolution) == (Status.CANCELLED, "superseded")


def test_a_cancelled_items_paused_clock_cannot_be_started_again():
    ann = bench()
    ann.open_item("Change", "x")
    ann.do(PauseSla(item="EL-1", reason="waits"))
    ann.cancel("EL-1", reason="x")

    with pytest.raises(Conflict, match="cancelled: it cannot be resumed"):
        ann.do(ResumeSla(item="EL-1"))


def test_a_pause_moves_the_deadline_by_exactly_as_long_as_it_lasted():
    clock = FakeClock()
    ann = bench(clock)
    due = ann.item(ann.open_item("Change", "x").id).sla_due
    assert due == clock.now() + timedelta(minutes=60)

    clock.advance(minutes=20, microseconds=7)
    ann.do(PauseSla(item="EL-1", reason="waits for the vendor"))
    clock.advance(days=3, microseconds=11)
    assert (ann.item("EL-1").sla_due, ann.do(ExpireApprovals())) == (None, 0)
    ann.do(ResumeSla(item="EL-1"))

    assert ann.item("EL-1").sla_due == due + timedelta(days=3, microseconds=11)


def test_a_stage_that_is_not_done_in_time_is_overdue_once_and_its_person_is_told():
    clock = FakeClock()
    ann = bench(clock)
    ann.acting_as("bo").claim(ann.open_item("Change", "x").id)

    clock.advance(minutes=60)

    assert (ann.do(ExpireApprovals()), ann.do(ExpireApprovals())) == (1, 0)
    assert ann.item("EL-1").overdue
    assert [told.kind for told in ann.acting_as("bo").inbox()] == ["overdue", "arrived"]
    ann.acting_as("bo").complete("EL-1", risk=1)
    assert not ann.item("EL-1").overdue


def test_turns_are_taken_by_the_members_of_a_team_in_order_of_their_names():
    ann = bench(flow="name: Change\nstages: [{key: do, assignment: {to: round_robin, who: red}}]")

    given = [ann.item(ann.open_item("Change", "x").id).assignee for _ in range(4)]

    assert given == ["cy", "bo", "cy", "bo"]


@pytest.mark.parametrize("team", ["blue", "nowhere"])
def test_naming_a_team_one_is_not_in_does_not_tell_who_is(team: str):
    ann = memory_workbench(people=PEOPLE, teams={"blue": {"bo": "analyst"}})
    ann.define(f"name: Mine\nstages: [{{key: do, assignment: {{to: round_robin, who: {team}}}}}]")

    with pytest.raises(Invalid, match=f"team '{team}' has nobody to take turns"):
        ann.open_item("Mine", "x")


def test_an_automated_stage_that_does_not_advance_by_itself_waits_for_a_person_to_look():
    ann = bench(flow="name: Change\nstages: [{key: scan, type: CODE_REVIEW, auto_advance: false}, {key: read}]")
    ann.open_item("Change", "x")
    with pytest.raises(Conflict, match="done by the workbench"):
        ann.complete("EL-1")

    worker_with(ann, stages=[ScriptedStage("CODE_REVIEW")]).drain()

    assert ann.item("EL-1").status is Status.WAITING
    assert ann.complete("EL-1").stage == "read"


def test_an_archived_workflow_takes_no_new_items_and_an_absent_one_names_those_there_are():
    ann = bench()
    with pytest.raises(NotFound, match=r"no workflow 'Chance'; there is Change"):
        ann.open_item("Chance", "x")
    ann.open_item("Change", "x")

    ann.do(ArchiveWorkflow(workflow="Change", reason="replaced"))

    with pytest.raises(Conflict, match="archived"):
        ann.open_item("Change", "y")
    assert ann.complete("EL-1", risk=1).stage == "quick", "what is open goes on"
