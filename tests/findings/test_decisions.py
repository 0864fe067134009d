"""Deciding about findings: what it is bound to, how far it reaches, when it ends, and who else has to agree."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from elohim_kernel.errors import Denied, Invalid, NotFound, TooLarge
from elohim_kernel.findings import decisions as module
from elohim_kernel.model.finding import Severity


def test_a_decision_is_about_what_other_tools_see_of_the_same_problem_too(scans: Any):
    scans.see_all()

    made = scans.ann.findings.decide(scans.id_of("B602"), outcome="dismissed", reason="false positive", text="constant")

    assert scans.states() == {"S602": "dismissed", "B602": "dismissed", "S311": "new", "S1": "new"}
    assert (made.matched, made.changes, made.asked) == (2, 2, 0)
    assert made.expires_at == scans.clock.now() + timedelta(days=180)


def test_a_tool_that_sees_the_problem_later_finds_it_decided(scans: Any):
    scans.see(scans.one)
    scans.ann.findings.decide(rule="S602", outcome="dismissed", reason="false positive", text="constant")
    scans.clock.advance(hours=1)

    scans.see(scans.linked, tool="bandit")

    assert scans.states() == {"S602": "dismissed", "B602": "dismissed"}


def test_a_decision_does_not_pass_to_what_was_there_and_was_not_meant(scans: Any):
    """The name of a problem may pass to its equal next to it; the decision stays."""
    scans.see(scans.one)
    other = replace(scans.linked, problem="p1:z")
    scans.see(other, tool="bandit")
    scans.clock.advance(hours=1)
    scans.ann.findings.decide(rule="S602", outcome="dismissed", reason="false positive", text="constant")

    scans.see(replace(other, problem="p1:x"), tool="bandit")

    assert scans.states() == {"S602": "dismissed", "B602": "new"}


def test_a_decision_stays_through_fixing_coming_back_and_another_branch(scans: Any):
    scans.see(scans.one)
    scans.ann.findings.decide(rule="S602", outcome="accepted", reason="accepted risk", text="internal")

    lives = []
    for findings, ref in (((scans.one,), "feature"), ((), "feature"), ((scans.one,), "main")):
        scans.see(*findings, ref=ref, head=ref)
        lives.append(scans.states()["S602"])

    assert lives == ["accepted", "fixed", "accepted"]
    assert scans.ann.findings.get(scans.id_of("S602")).seen == "regressed"


def test_a_decision_by_rule_and_path_is_about_what_comes_later_too(scans: Any):
    scans.see(scans.test)
    scans.ann.findings.decide(
        outcome="dismissed", reason="test code", reach="rule", rule="S311", path="tests/**", workflow="Scan", text="x"
    )

    scans.see(
        scans.test,
        replace(scans.test, path="tests/a.py", fingerprint="v1:5", line=9, problem="p1:5"),
        replace(scans.test, path="src/a.py", fingerprint="v1:6", problem="p1:6"),
    )

    found = scans.ann.findings(state="", rule="S311")
    assert sorted((one.path, one.state.value) for one in found) == [
        ("src/a.py", "new"),
        ("tests/a.py", "dismissed"),
        ("tests/a.py", "dismissed"),
    ]


@pytest.mark.parametrize(
    ("reach", "where", "settled"),
    [
        ("path", {"path": "src/**"}, {"S602", "B602"}),
        ("repository", {"repository": "/src"}, {"S602", "B602", "S311"}),
        ("rule", {"rule": "S602", "tool": "ruff"}, {"S602"}),
        ("rule", {"rule": "S602", "repository": "/elsewhere"}, set()),
    ],
)
def test_a_decision_reaches_as_far_as_it_says(scans: Any, reach: str, where: dict[str, str], settled: set[str]):
    scans.see_all()

    scans.ann.findings.decide(outcome="accepted", reason="wont fix", text="x", reach=reach, workflow="Scan", **where)

    assert {rule for rule, state in scans.states().items() if state == "accepted"} == settled


def test_what_is_said_of_one_finding_counts_before_what_is_said_of_a_path(scans: Any):
    scans.see_all()
    scans.ann.findings.decide(rule="S602", outcome="dismissed", reason="false positive", text="x")

    scans.ann.findings.decide(
        outcome="accepted", reason="wont fix", text="x", reach="path", path="src/**", workflow="Scan"
    )

    assert scans.states()["S602"] == "dismissed"


def test_a_dry_run_says_what_would_change_and_records_nothing(scans: Any):
    scans.see_all()
    before = scans.ann.session.gate.store.last_seq

    made = scans.ann.findings.decide(
        severity="low", state="live", outcome="dismissed", reason="test code", text="x", workflow="Scan", dry_run=True
    )

    assert (made.matched, made.changes, made.asked, made.undo) == (4, 3, 1, "")
    assert {line.rule: line.asked for line in made.lines} == {"S602": False, "B602": False, "S311": False, "S1": True}
    assert scans.ann.session.gate.store.last_seq == before
    assert set(scans.states().values()) == {"new"}


def test_four_eyes_are_wanted_only_for_the_severities_of_the_policy(scans: Any):
    scans.see_all()

    made = scans.ann.findings.decide(
        severity="low", outcome="dismissed", reason="false positive", text="x", workflow="Scan"
    )

    assert scans.states() == {"S602": "dismissed", "B602": "dismissed", "S311": "dismissed", "S1": "new"}
    with pytest.raises(Denied, match="four eyes: ann asked"):
        scans.ann.findings.confirm(made.undo)
    scans.bo.findings.confirm(made.undo, note="seen")
    assert scans.states()["S1"] == "dismissed"


def test_what_one_person_decided_says_nothing_about_a_finding_that_became_grave(scans: Any):
    scans.see(scans.test)
    scans.ann.findings.decide(rule="S311", outcome="dismissed", reason="test code", text="x")

    scans.see(replace(scans.test, severity=Severity.CRITICAL), head="h2")

    assert scans.states() == {"S311": "open"}


def test_a_rule_decided_by_one_person_does_not_silence_grave_findings_to_come(scans: Any):
    scans.see(scans.test)
    scans.ann.findings.decide(outcome="accepted", reason="wont fix", text="x", reach="path", path="**", workflow="Scan")

    scans.see(scans.test, scans.grave)

    assert scans.states() == {"S311": "accepted", "S1": "new"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"reason": "because"}, "'because' is no reason"),
        ({"outcome": "accepted"}, "accepted does not go with 'false_positive'"),
        ({"text": ""}, "severity high need a text"),
        ({"never": True}, "allows no decision without an end"),
        ({"expires_days": 99_999}, "lasts 1 to 3,660 days"),
        ({"expires_days": -1}, "lasts 1 to 3,660 days"),
        ({"expires_days": 3, "never": True}, "has one end"),
        ({"reach": "path", "rule": "S602"}, "names the path"),
        ({"reach": "rule", "severity": "high"}, "not narrowed by 'severity'"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_leaves_nothing(scans: Any, given: dict[str, Any], why: str):
    scans.see_all()
    plain = {"outcome": "dismissed", "reason": "false positive", "text": "x", "workflow": "Scan"}
    chosen = {} if "reach" in given else {"rule": "S602"}

    with pytest.raises(Invalid, match=why):
        scans.ann.findings.decide(**{**plain, **chosen, **given})

    assert scans.ann.findings.decisions() == ()


def test_an_end_that_has_passed_or_says_no_zone_is_refused(scans: Any):
    scans.see_all()
    past = scans.clock.now() - timedelta(days=1)

    for end in (past, past.replace(tzinfo=None) + timedelta(days=9)):
        with pytest.raises(Invalid, match="cannot end at"):
            scans.ann.findings.decide(rule="S311", outcome="dismissed", reason="test code", expires_at=end)


def test_nothing_is_decided_about_nothing(scans: Any):
    scans.see_all()

    with pytest.raises(Invalid, match="nothing says which findings are meant"):
        scans.ann.findings.decide(outcome="dismissed", reason="test code", workflow="Scan")
    with pytest.raises(NotFound, match="no finding fits"):
        scans.ann.findings.decide(rule="none", outcome="dismissed", reason="test code", workflow="Scan")
    with pytest.raises(NotFound, match="no finding 'fd_nothing'"):
        scans.ann.findings.decide("fd_nothing", outcome="dismissed", reason="test code")


def test_a_decision_about_too_many_findings_says_how_to_decide_instead(scans: Any, monkeypatch: pytest.MonkeyPatch):
    scans.see_all()
    monkeypatch.setattr(module, "_CAP", 1)

    with pytest.raises(TooLarge, match="decide by rule or path"):
        scans.ann.findings.decide(rule="S602", outcome="dismissed", reason="test code", text="x")


def test_who_may_only_look_decides_nothing(scans: Any):
    scans.see_all()

    with pytest.raises(Denied, match=r"vic lacks findings\.decide"):
        scans.vic.findings.decide(rule="S311", outcome="dismissed", reason="test code", workflow="Scan")


def test_never_is_an_end_where_the_workflow_allows_it(scans: Any):
    scans.ann.define("name: Free\nstages: [{key: look}]\nfindings: {allow_never: true}")
    scans.see(scans.test, workflow="Free")

    made = scans.ann.findings.decide(rule="S311", workflow="Free", outcome="dismissed", reason="test code", never=True)

    assert made.expires_at is None
    assert scans.states() == {"S311": "dismissed"}
