"""Approvals as values: what votes amount to, who may cast them, what changed between two things shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from elohim_kernel.errors import Conflict, Denied, Stale
from elohim_kernel.model.access import GLOBAL, Grant, Principal
from elohim_kernel.model.approval import (
    Approval,
    ApprovalClosed,
    ApprovalEscalated,
    ApprovalStatus,
    ApprovalVoted,
    Decision,
    Vote,
    apply_approval,
    check_may_vote,
    check_open,
    check_shown,
    difference,
    outcome,
)
from elohim_kernel.model.workflow import ApprovalRule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPEN = Approval(
    id="ap_1", item="wi_1", workflow="wf_1", stage="write", rule=ApprovalRule(), subject={}, digest="sha256:1",
    requested_by="us_ann", last_editor="us_bo", requested_at=NOW,
)  # fmt: skip
CY = Principal(
    id="us_cy", name="cy", grants=(Grant(role="approver", scope=GLOBAL), Grant(role="viewer", scope="tm_red"))
)


def vote(by: str, *, yes: bool, digest: str = OPEN.digest) -> Vote:
    return Vote(by=by, decision=Decision.APPROVE if yes else Decision.REJECT, cast_at=NOW, digest=digest)


@given(
    answers=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6),
    need=st.integers(1, 4),
    quorum=st.booleans(),
)
def test_votes_on_what_is_asked_now_decide_and_no_others(answers: list[tuple[bool, bool]], need: int, quorum: bool):
    votes = tuple(
        vote(f"us_{n}", yes=yes, digest=OPEN.digest if fits else "sha256:old") for n, (yes, fits) in enumerate(answers)
    )
    agreed = sum(yes for yes, fits in answers if fits)
    against = sum(not yes for yes, fits in answers if fits)

    told = outcome(replace(OPEN, votes=votes, rule=ApprovalRule(need=need, quorum=quorum)))

    if agreed >= need:
        assert told is ApprovalStatus.APPROVED
    elif against >= (need if quorum else 1):
        assert told is ApprovalStatus.REJECTED
    else:
        assert told is None


def test_a_later_vote_of_the_same_person_replaces_the_earlier_one():
    first = apply_approval(OPEN, "ap_1", ApprovalVoted(decision=Decision.REJECT, digest="d"), actor="us_cy", when=NOW)
    second = apply_approval(
        first, "ap_1", ApprovalVoted(decision=Decision.APPROVE, digest="d"), actor="us_cy", when=NOW
    )

    assert [one.decision for one in second.votes] == [Decision.APPROVE]


@pytest.mark.parametrize(
    ("rule", "changed", "why"),
    [
        ({}, {}, ""),
        ({}, {"requested_by": "us_cy"}, "four eyes: cy asked"),
        ({"forbid_requester": False}, {"requested_by": "us_cy"}, ""),
        ({}, {"last_editor": "us_cy"}, "cy was the last to change"),
        ({"forbid_last_editor": False}, {"last_editor": "us_cy"}, ""),
        ({"roles": ("approver",)}, {}, ""),
        ({"roles": ("viewer",)}, {}, "not among those who decide this: role viewer"),
        ({"people": ("cy",)}, {}, ""),
        ({"people": ("bo",)}, {}, "not among those who decide this: bo"),
        ({"teams": ("red",)}, {}, ""),
        ({"teams": ("blue",)}, {}, "team blue"),
        ({"people": ("cy",)}, {"requested_by": "us_cy"}, "four eyes"),
    ],
)
def test_who_may_vote(rule: dict[str, Any], changed: dict[str, Any], why: str):
    approval = replace(OPEN, rule=ApprovalRule(**rule), **changed)

    if not why:
        check_may_vote(approval, CY, GLOBAL, {"tm_red": "red"})
        return
    with pytest.raises(Denied, match=why):
        check_may_vote(approval, CY, GLOBAL, {"tm_red": "red"})


@given(people=st.lists(st.sampled_from("abc"), max_size=2), more=st.lists(st.sampled_from("abcd"), max_size=3))
def test_escalating_never_lets_fewer_people_decide(people: list[str], more: list[str]):
    before = replace(OPEN, rule=ApprovalRule(people=tuple(people)))

    after = apply_approval(before, "ap_1", ApprovalEscalated(people=tuple(more)), actor="us_w", when=NOW)

    assert after.escalated
    assert after.rule.is_named == before.rule.is_named
    assert set(after.rule.people) >= set(people)
    assert (after.rule.forbid_requester, after.rule.forbid_last_editor, after.rule.need) == (True, True, 1)


def test_an_approval_is_late_from_its_deadline_on_and_only_while_it_is_open():
    asked = replace(OPEN, expires_at=NOW + timedelta(minutes=1))
    closed = apply_approval(asked, "ap_1", ApprovalClosed(status=ApprovalStatus.APPROVED), actor="us_cy", when=NOW)

    late = [one.is_late(NOW + timedelta(minutes=minutes)) for one in (asked, closed, OPEN) for minutes in (0, 1)]

    assert late == [False, True, False, False, False, False]


def test_what_was_shown_must_be_what_is_asked():
    check_shown(OPEN, None)
    check_shown(OPEN, OPEN.digest)
    with pytest.raises(Stale, match="look at the approval again"):
        check_shown(OPEN, "sha256:2")


def test_a_closed_approval_says_how_it_was_closed():
    check_open(OPEN)
    with pytest.raises(Conflict, match="already rejected: tests are missing"):
        check_open(replace(OPEN, status=ApprovalStatus.REJECTED, outcome="tests are missing"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    before=st.dictionaries(st.text(min_size=1, max_size=3), JSON),
    after=st.dictionaries(st.text(min_size=1, max_size=3), JSON),
)
def test_a_difference_is_empty_when_nothing_differs_and_names_what_does(before: Any, after: Any):
    assert difference(before, before) == ()
    for line in difference(before, after):
        assert " → " in line
