"""What people decide about findings: dismissed or accepted, why, for how long, and who agreed.

A decision is bound to identities, not to lines or branches, so it survives both. It always has an end unless the
workflow's policy allows none. Where the policy wants four eyes for a severity, somebody else than the asker confirms.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from elohim_kernel.errors import Conflict, Denied, Invalid
from elohim_kernel.model.access import Principal
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.path_glob import regex_of
from elohim_kernel.model.sla import SlaDays
from elohim_kernel.model.value import Value

MOST_DAYS: Final = 3_660  # ten years


class Reach(StrEnum):
    """What a decision is about. The first that fits a finding counts."""

    FINDING = "finding"  # those that were chosen, and what other tools see of the same problem
    RULE = "rule"  # whatever the rule says, also in future
    PATH = "path"  # whatever is found below a path
    REPOSITORY = "repository"  # whatever is found in a repository


class Outcome(StrEnum):
    """What becomes of the findings."""

    DISMISSED = "dismissed"  # no problem here
    ACCEPTED = "accepted"  # a problem, lived with for a time


class Reason(StrEnum):
    """Why, in one word: a closed list, so that it can be counted."""

    FALSE_POSITIVE = "false_positive"
    TEST_CODE = "test_code"
    USED_IN_TESTS = "used_in_tests"
    DUPLICATE = "duplicate"
    MITIGATED = "mitigated"
    WONT_FIX = "wont_fix"
    ACCEPTED_RISK = "accepted_risk"


ALLOWED: Final[Mapping[Outcome, tuple[Reason, ...]]] = {
    Outcome.DISMISSED: (
        Reason.FALSE_POSITIVE,
        Reason.TEST_CODE,
        Reason.USED_IN_TESTS,
        Reason.DUPLICATE,
        Reason.MITIGATED,
        Reason.WONT_FIX,
    ),
    Outcome.ACCEPTED: (Reason.ACCEPTED_RISK, Reason.WONT_FIX, Reason.MITIGATED),
}
"""The reasons that go with each outcome."""

IN_SOURCE: Final = "in_source"
"""The reason of a finding that a comment in the source silences: nobody here decided that."""


class DecisionStatus(StrEnum):
    """Where a decision stands; only an active one has an effect."""

    ASKED = "asked"
    ACTIVE = "active"
    UNDONE = "undone"
    EXPIRED = "expired"
    REFUSED = "refused"


class FindingsPolicy(Value, frozen=True):
    """What a workflow wants of decisions about its findings."""

    four_eyes: tuple[Severity, ...] = ()  # severities where the asker is not the decider
    expiry_days: int = 180  # of a decision for which nobody says otherwise
    allow_never: bool = False  # whether a decision may have no end
    require_reason_text: tuple[Severity, ...] = ()  # severities where the reason alone is not enough
    sla_days: SlaDays = SlaDays()


class FindingDecision(Value, frozen=True):
    """One decision. Empty fields do not narrow it; `findings` and `problems` are only for the reach `finding`."""

    id: str
    workflow: str  # id; who sees it sees the decision
    reach: Reach
    outcome: Outcome
    reason: Reason
    asked_by: str  # id
    asked_at: datetime
    severities: tuple[Severity, ...]  # it says nothing about findings of others
    repository: str = ""
    findings: tuple[str, ...] = ()  # ids
    fingerprints: tuple[str, ...] = ()  # of the same findings, for whoever reads this elsewhere
    problems: tuple[str, ...] = ()  # what links them to findings of other tools
    rule: str = ""
    path: str = ""  # a glob
    tool: str = ""
    text: str = ""
    undo: str = ""  # shared by what was decided with one command
    status: DecisionStatus = DecisionStatus.ASKED
    decided_by: str = ""  # id of who made it active
    decided_at: datetime | None = None
    expires_at: datetime | None = None  # None: never
    closed_by: str = ""
    closed_at: datetime | None = None
    note: str = ""  # of whoever confirmed, refused or undid it

    @property
    def pattern(self) -> str:
        """The path as a regular expression; "" for every path."""
        return regex_of(self.path)

    @property
    def is_open(self) -> bool:
        """Whether it has an effect, or may have one."""
        return self.status in (DecisionStatus.ASKED, DecisionStatus.ACTIVE)


class FindingsDecided(Value, frozen=True, tag="decision.made"):
    """Somebody decided about findings; with `asked`, somebody else has to agree first."""

    workflow: str
    reach: Reach
    outcome: Outcome
    reason: Reason
    severities: tuple[Severity, ...]
    repository: str = ""
    findings: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    rule: str = ""
    path: str = ""
    tool: str = ""
    text: str = ""
    undo: str = ""
    asked: bool = False
    expires_at: datetime | None = None


class DecisionConfirmed(Value, frozen=True, tag="decision.confirmed"):
    """A second person agreed: from now on it has an effect."""

    note: str = ""


class DecisionRefused(Value, frozen=True, tag="decision.refused"):
    """A second person did not agree."""

    note: str = ""


class DecisionUndone(Value, frozen=True, tag="decision.undone"):
    """The decision was taken back; its findings are what sightings say."""

    note: str = ""


class DecisionExpired(Value, frozen=True, tag="decision.expired"):
    """Its time ran out. For what was accepted the clock starts anew, with the days of the workflow as it is."""

    sla: SlaDays = SlaDays()


DecisionEvent = FindingsDecided | DecisionConfirmed | DecisionRefused | DecisionUndone | DecisionExpired


def apply_decision(
    state: FindingDecision | None, subject: str, data: DecisionEvent, *, actor: str, when: datetime
) -> FindingDecision:
    """Fold one event into a decision."""
    if isinstance(data, FindingsDecided):
        return FindingDecision(
            id=subject,
            workflow=data.workflow,
            reach=data.reach,
            outcome=data.outcome,
            reason=data.reason,
            severities=data.severities,
            repository=data.repository,
            findings=data.findings,
            fingerprints=data.fingerprints,
            problems=data.problems,
            rule=data.rule,
            path=data.path,
            tool=data.tool,
            text=data.text,
            undo=data.undo,
            expires_at=data.expires_at,
            asked_by=actor,
            asked_at=when,
            status=DecisionStatus.ASKED if data.asked else DecisionStatus.ACTIVE,
            decided_by="" if data.asked else actor,
            decided_at=None if data.asked else when,
        )
    assert state is not None
    match data:
        case DecisionConfirmed():
            return replace(state, status=DecisionStatus.ACTIVE, decided_by=actor, decided_at=when, note=data.note)
        case DecisionExpired():
            return replace(state, status=DecisionStatus.EXPIRED, closed_at=when)
        case DecisionRefused():
            return replace(state, status=DecisionStatus.REFUSED, closed_by=actor, closed_at=when, note=data.note)
        case DecisionUndone():
            return replace(state, status=DecisionStatus.UNDONE, closed_by=actor, closed_at=when, note=data.note)


def reason_named(words: str) -> Reason:
    """The reason as people write it; raises `Invalid` naming those there are.

    >>> reason_named("won't fix").value, reason_named("Test code").value
    ('wont_fix', 'test_code')
    """
    name = re.sub(r"[\s_-]+", "_", re.sub(r"['’.]", "", words.strip().lower()))
    if name not in list(Reason):
        raise Invalid(f"{words!r} is no reason for a decision", hint=f"there is {', '.join(map(str, Reason))}")
    return Reason(name)


def check_reason(outcome: Outcome, reason: Reason) -> None:
    """Raise `Invalid` when the reason does not go with the outcome."""
    if reason not in ALLOWED[outcome]:
        fitting = ", ".join(ALLOWED[outcome])
        raise Invalid(f"{outcome.value} does not go with {reason.value!r}", hint=f"there is {fitting}")


def check_text(policy: FindingsPolicy, severities: Iterable[Severity], text: str) -> None:
    """Raise `Invalid` when the policy wants more than a word of the list and there is none."""
    wanting = [one.value for one in severities if one in policy.require_reason_text]
    if wanting and not text.strip():
        raise Invalid(f"findings of severity {', '.join(wanting)} need a text that says why", hint="give one")


def check_may_confirm(decision: FindingDecision, who: Principal) -> None:
    """Raise `Denied` for the asker, `Conflict` when nothing is asked any more."""
    if decision.status is not DecisionStatus.ASKED:
        raise Conflict(f"decision {decision.id} is already {decision.status.value}")
    if decision.asked_by == who.id:
        raise Denied(f"four eyes: {who.name} asked for this decision and cannot confirm it", hint="ask somebody else")
