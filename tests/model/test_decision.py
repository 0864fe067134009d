"""A decision as a value: its reasons, who may confirm it, and its life event by event."""

from datetime import UTC, datetime, timedelta

import pytest

from elohim_kernel.errors import Conflict, Denied, Invalid
from elohim_kernel.model.access import Principal
from elohim_kernel.model.decision import (
    ALLOWED,
    DecisionConfirmed,
    DecisionEvent,
    DecisionExpired,
    DecisionRefused,
    DecisionStatus,
    DecisionUndone,
    FindingDecision,
    FindingsDecided,
    FindingsPolicy,
    Outcome,
    Reach,
    Reason,
    apply_decision,
    check_may_confirm,
    check_reason,
    check_text,
    reason_named,
)
from elohim_kernel.model.finding import Severity

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MADE = FindingsDecided(
    workflow="wf_1", reach=Reach.RULE, outcome=Outcome.DISMISSED, reason=Reason.TEST_CODE, rule="S101",
    severities=(Severity.LOW,), path="tests/**", asked=True, expires_at=NOON + timedelta(days=1),
)  # fmt: skip


def lived(*events: DecisionEvent) -> FindingDecision:
    state: FindingDecision | None = None
    for hour, event in enumerate(events):
        state = apply_decision(state, "fdd_1", event, actor=f"us_{hour}", when=NOON + timedelta(hours=hour))
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("events", "status", "decided_by", "closed_by"),
    [
        ((), DecisionStatus.ASKED, "", ""),
        ((DecisionConfirmed(note="yes"),), DecisionStatus.ACTIVE, "us_1", ""),
        ((DecisionRefused(note="no"),), DecisionStatus.REFUSED, "", "us_1"),
        ((DecisionConfirmed(), DecisionUndone()), DecisionStatus.UNDONE, "us_1", "us_2"),
        ((DecisionConfirmed(), DecisionExpired()), DecisionStatus.EXPIRED, "us_1", ""),
    ],
)
def test_a_decision_lives_from_event_to_event(
    events: tuple[DecisionEvent, ...], status: DecisionStatus, decided_by: str, closed_by: str
):
    found = lived(MADE, *events)

    assert (found.status, found.decided_by, found.closed_by) == (status, decided_by, closed_by)
    assert found.is_open == (status in (DecisionStatus.ASKED, DecisionStatus.ACTIVE))
    assert (found.asked_by, found.asked_at, found.expires_at) == ("us_0", NOON, MADE.expires_at)


def test_only_somebody_else_confirms_and_only_what_is_asked():
    asked, active = lived(MADE), lived(MADE, DecisionConfirmed())

    check_may_confirm(asked, Principal(id="us_9", name="bo"))
    with pytest.raises(Denied, match="four eyes: ann asked"):
        check_may_confirm(asked, Principal(id="us_0", name="ann"))
    with pytest.raises(Conflict, match="already active"):
        check_may_confirm(active, Principal(id="us_9", name="bo"))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("false positive", Reason.FALSE_POSITIVE),
        ("False-Positive", Reason.FALSE_POSITIVE),
        ("won't fix", Reason.WONT_FIX),
        ("won’t fix", Reason.WONT_FIX),
        (" accepted risk ", Reason.ACCEPTED_RISK),
        ("used_in_tests", Reason.USED_IN_TESTS),
    ],
)
def test_a_reason_is_read_as_people_write_it(words: str, reason: Reason):
    assert reason_named(words) is reason


@pytest.mark.parametrize("words", ["", "because", "false", "wontfix!"])
def test_the_list_of_reasons_is_closed(words: str):
    with pytest.raises(Invalid, match="is no reason"):
        reason_named(words)


def test_every_reason_goes_with_some_outcome_and_not_with_each():
    assert {reason for reasons in ALLOWED.values() for reason in reasons} == set(Reason)
    with pytest.raises(Invalid, match="does not go with"):
        check_reason(Outcome.ACCEPTED, Reason.FALSE_POSITIVE)


def test_a_text_is_wanted_where_the_policy_says_so():
    policy = FindingsPolicy(require_reason_text=(Severity.HIGH,))

    check_text(policy, (Severity.LOW,), "")
    check_text(policy, (Severity.HIGH,), "a constant")
    with pytest.raises(Invalid, match="severity high need a text"):
        check_text(policy, (Severity.HIGH, Severity.LOW), "  ")
