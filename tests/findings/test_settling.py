"""What becomes of decisions: undone as one, refused, expired; and the tables are those that the log says."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from elohim_kernel.errors import Conflict, NotFound
from elohim_kernel.findings.settling import ExpireDecisions
from elohim_kernel.model.finding import FindingState


def decided(scans: Any, **given: Any) -> Any:
    plain = {"outcome": "accepted", "reason": "accepted risk", "text": "x", "workflow": "Scan", "severity": "low"}
    return scans.ann.findings.decide(**{**plain, **given})


def test_undo_takes_back_all_that_one_command_decided(scans: Any):
    scans.see_all()
    made = decided(scans)
    scans.bo.findings.confirm(made.undo)
    assert set(scans.states().values()) == {"accepted"}

    settled = scans.bo.findings.undo(made.decisions[-1], note="wrong rule")

    assert set(settled.decisions) == set(made.decisions)
    assert set(scans.states().values()) == {"new"}
    with pytest.raises(Conflict, match="already undone"):
        scans.ann.findings.undo(made.undo)


def test_a_refused_decision_has_no_effect_and_is_asked_no_more(scans: Any):
    scans.see(scans.grave)
    made = decided(scans)

    scans.bo.findings.refuse(made.undo, note="it comes from the request")

    assert scans.states() == {"S1": "new"}
    (told,) = scans.ann.findings.decisions()
    assert (told.status, told.asked_by, told.closed_by, told.note) == (
        "refused",
        "ann",
        "bo",
        "it comes from the request",
    )
    with pytest.raises(Conflict, match="already refused"):
        scans.bo.findings.confirm(made.undo)


def test_an_acceptance_that_ran_out_opens_the_finding_and_starts_its_clock_anew(scans: Any):
    scans.see(scans.test)
    decided(scans, expires_days=3)
    scans.clock.advance(days=4)

    count = scans.ann.do(ExpireDecisions())

    (found,) = scans.ann.findings()
    assert count == 1
    assert found.state is FindingState.NEW
    assert found.sla_due == scans.clock.now() + timedelta(days=180)
    assert scans.ann.do(ExpireDecisions()) == 0


def test_what_ran_out_before_anybody_confirmed_it_never_stopped_the_clock(scans: Any):
    scans.see(scans.grave)
    due = scans.ann.findings()[0].sla_due
    decided(scans, expires_days=3)
    scans.clock.advance(days=4)

    scans.ann.worker().housekeeping()

    assert scans.ann.findings()[0].sla_due == due
    assert scans.ann.findings.decisions(status="expired")


def test_decisions_that_end_soon_can_be_asked_for(scans: Any):
    scans.see_all()
    decided(scans, severity=None, rule="S311", expires_days=10)
    decided(scans, severity=None, rule="S602", expires_days=100)

    (soon,) = scans.ann.findings.decisions(expiring=True)

    assert (soon.findings, soon.expires_at) == (1, scans.clock.now() + timedelta(days=10))


def test_a_decision_one_cannot_see_is_not_there(scans: Any):
    scans.ann.define("name: Mine\nstages: [{key: look}]")
    scans.see(scans.test, workflow="Mine")
    made = decided(scans, workflow="Mine")

    for name in (made.undo, made.undo[:-2] + "zz", "fd_x"):
        with pytest.raises(NotFound, match=f"no decision '{name}'"):
            scans.bo.findings.undo(name)
    assert scans.bo.findings.decisions() == ()


def test_the_tables_are_those_that_the_log_says_however_often_they_are_flushed(scans: Any):
    store = scans.ann.session.gate.store
    scans.see_all()
    made = decided(scans)
    scans.bo.findings.confirm(made.undo)
    scans.see(scans.one, head="h2")
    decided(scans, severity=None, reach="path", path="src/**", expires_days=2)
    scans.clock.advance(days=3)
    scans.ann.do(ExpireDecisions())
    scans.ann.define("name: Scan\nstages: [{key: look}]\nfindings: {sla_days: {high: 5}}", visibility="global")
    scans.see(head="h3")
    scans.bo.findings.undo(made.undo)
    step_by_step = scans.tables()

    store.rebuild()

    assert scans.tables() == step_by_step


def test_new_days_in_the_policy_move_what_is_due_and_leave_what_is_fixed(scans: Any):
    scans.see(scans.one, scans.test)
    scans.see(scans.test)
    before = {one.rule: one.sla_due for one in scans.ann.findings(state="")}

    scans.ann.define("name: Scan\nstages: [{key: look}]\nfindings: {sla_days: {high: 1, low: 2}}", visibility="global")

    after = {one.rule: one.sla_due for one in scans.ann.findings(state="")}
    assert after["S602"] == before["S602"]
    assert after["S311"] == scans.clock.now() + timedelta(days=2)


def test_whether_it_was_fixed_in_time_is_kept(scans: Any):
    scans.see(scans.one, scans.grave)
    scans.clock.advance(days=10)

    scans.see()

    told = scans.ann.sql("select rule, sla_met, overdue from findings order by rule").rows()
    assert told == [
        {"rule": "S1", "sla_met": False, "overdue": False},
        {"rule": "S602", "sla_met": True, "overdue": False},
    ]


def test_what_a_comment_silences_is_dismissed_unless_the_change_itself_brought_the_comment(scans: Any):
    old = replace(scans.one, suppressed="noqa: S602")
    scans.see(old, replace(scans.test, suppressed="noqa", suppression_is_new=True))

    found = {one.rule: (one.state.value, one.reason) for one in scans.ann.findings(state="")}

    assert found == {"S602": ("dismissed", "in_source"), "S311": ("new", "")}
    assert scans.ann.findings.decisions() == ()
