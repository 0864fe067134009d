"""How long a finding may stay."""

from datetime import UTC, datetime, timedelta

import pytest

from elohim_kernel.errors import Invalid
from elohim_kernel.model.decision import FindingsPolicy
from elohim_kernel.model.definition_text import parse_definition, to_yaml
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.sla import SlaDays, SlaState, due, standing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
HEAD = "name: Scan\nstages: [{key: look}]\n"


@pytest.mark.parametrize(
    ("state", "due_at", "fixed_at", "expected"),
    [
        ("new", None, None, SlaState.NONE),
        ("open", NOW + DAY, None, SlaState.RUNNING),
        ("regressed", NOW - DAY, None, SlaState.OVERDUE),
        ("accepted", NOW - DAY, None, SlaState.STOPPED),
        ("dismissed", NOW + DAY, None, SlaState.STOPPED),
        ("fixed", NOW - DAY, NOW - 2 * DAY, SlaState.MET),
        ("fixed", NOW - 2 * DAY, NOW - DAY, SlaState.MISSED),
    ],
)
def test_a_finding_stands_as_its_state_and_its_time_say(
    state: str, due_at: datetime | None, fixed_at: datetime | None, expected: SlaState
):
    assert standing(state, due_at, fixed_at, NOW) is expected


def test_days_are_counted_by_severity_and_none_is_never():
    days = SlaDays(critical=1, info=0)

    assert due(NOW, Severity.CRITICAL, days) == NOW + DAY
    assert due(NOW, Severity.INFO, days) is None


def test_a_policy_is_read_from_the_definition_and_written_back_the_same():
    text = f"{HEAD}findings: {{four_eyes: [critical, high], expiry_days: 90, sla_days: {{critical: 3}}}}"

    definition = parse_definition(text)

    assert definition.findings == FindingsPolicy(
        four_eyes=(Severity.CRITICAL, Severity.HIGH), expiry_days=90, sla_days=SlaDays(critical=3)
    )
    assert parse_definition(to_yaml(definition)) == definition
    assert "findings" not in to_yaml(parse_definition(HEAD))


@pytest.mark.parametrize(
    ("line", "complaint", "hint"),
    [
        ("findings: {expiry_days: 0}", "line 3, column 25: a decision lasts 1 to 3660 days", None),
        ("findings: {sla_days: {high: -1}}", "line 3, column 29: an SLA is 1 to 3660 days, or 0", None),
        ("findings: {four_eyes: [awful]}", "line 3, column 24: Invalid enum value 'awful'", None),
        ("findings: {expiry_day: 3}", "line 3", "did you mean expiry_days"),
        ("findings: {sla_days: {hihg: 3}}", "line 3", "did you mean high"),
    ],
)
def test_what_is_wrong_with_a_policy_is_told_where_it_stands(line: str, complaint: str, hint: str | None):
    with pytest.raises(Invalid, match=complaint) as refused:
        parse_definition(HEAD + line)

    assert hint is None or hint in str(refused.value.hint)
