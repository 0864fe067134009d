"""Approvals: who must say yes to exactly what. Bound to a digest of what was shown; stale when that changes."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from elohim_kernel.errors import Conflict, Denied, Stale
from elohim_kernel.model.access import Principal
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import ApprovalRule


class ApprovalStatus(StrEnum):
    """Where an approval stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    """What one person says."""

    APPROVE = "approve"
    REJECT = "reject"


class Vote(Value, frozen=True):
    """One person's answer, and the digest of what they were shown."""

    by: str
    decision: Decision
    cast_at: datetime
    digest: str
    comment: str = ""


class Approval(Value, frozen=True):
    """A request for approval and its votes."""

    id: str
    item: str
    workflow: str
    stage: str
    rule: ApprovalRule
    subject: Mapping[str, Any]  # what is shown to approvers: JSON, hence Any
    digest: str
    requested_by: str
    last_editor: str
    requested_at: datetime
    status: ApprovalStatus = ApprovalStatus.OPEN
    votes: tuple[Vote, ...] = ()
    expires_at: datetime | None = None
    escalated: bool = False
    replaces: str = ""  # the stale approval this one follows
    note: str = ""  # what the requester said
    outcome: str = ""
    closed_at: datetime | None = None

    def is_late(self, now: datetime) -> bool:
        """Whether nobody closed it in time."""
        return self.status is ApprovalStatus.OPEN and self.expires_at is not None and self.expires_at <= now


class ApprovalRequested(Value, frozen=True, tag="approval.requested"):
    """People were asked to approve something."""

    item: str
    workflow: str
    stage: str
    rule: ApprovalRule
    subject: Mapping[str, Any]
    digest: str
    requested_by: str
    last_editor: str
    expires_at: datetime | None = None
    replaces: str = ""
    note: str = ""


class ApprovalVoted(Value, frozen=True, tag="approval.voted"):
    """One person answered; a later vote of theirs replaces it while the approval is open."""

    decision: Decision
    digest: str
    comment: str = ""


class ApprovalClosed(Value, frozen=True, tag="approval.closed"):
    """The approval has its outcome."""

    status: ApprovalStatus
    reason: str = ""
    changed: tuple[str, ...] = ()  # for stale: the lines of the difference


class ApprovalEscalated(Value, frozen=True, tag="approval.escalated"):
    """Nobody closed it in time, so more people were asked. Four eyes stay."""

    people: tuple[str, ...]
    expires_at: datetime | None = None


ApprovalEvent = ApprovalRequested | ApprovalVoted | ApprovalClosed | ApprovalEscalated


def apply_approval(
    state: Approval | None, subject: str, data: ApprovalEvent, *, actor: str, when: datetime
) -> Approval:
    """Fold one event into an approval."""
    if isinstance(data, ApprovalRequested):
        return Approval(
            id=subject,
            item=data.item,
            workflow=data.workflow,
            stage=data.stage,
            rule=data.rule,
            subject=data.subject,
            digest=data.digest,
            requested_by=data.requested_by,
            last_editor=data.last_editor,
            requested_at=when,
            expires_at=data.expires_at,
            replaces=data.replaces,
            note=data.note,
        )
    assert state is not None
    match data:
        case ApprovalVoted():
            vote = Vote(by=actor, decision=data.decision, cast_at=when, digest=data.digest, comment=data.comment)
            return replace(state, votes=(*(each for each in state.votes if each.by != actor), vote))
        case ApprovalClosed():
            return replace(state, status=data.status, outcome=data.reason, closed_at=when)
        case ApprovalEscalated():
            # A rule that names nobody lets anybody decide: naming some would let fewer, and escalating only adds.
            more = data.people if state.rule.is_named else ()
            rule = replace(state.rule, people=tuple(dict.fromkeys((*state.rule.people, *more))))
            return replace(state, rule=rule, escalated=True, expires_at=data.expires_at)


def check_may_vote(approval: Approval, voter: Principal, tenant: str, team_names: Mapping[str, str]) -> None:
    """Raise `Denied` unless the rule lets `voter` decide, whoever they are otherwise: there is no admin shortcut.

    `team_names` maps ids of the voter's teams to names. A rule that names nobody lets anyone with the permission
    decide, minus the four-eyes exclusions.
    """
    rule = approval.rule
    if rule.forbid_requester and voter.id == approval.requested_by:
        raise Denied(f"four eyes: {voter.name} asked for this approval and cannot decide it", hint="ask somebody else")
    if rule.forbid_last_editor and voter.id == approval.last_editor:
        raise Denied(f"four eyes: {voter.name} was the last to change what is shown", hint="ask somebody else")
    is_among = (
        voter.name in rule.people
        or any(role in rule.roles for role in voter.roles_in(tenant))
        or any(team_names.get(team, team) in rule.teams for team in voter.teams)
    )
    if rule.is_named and not is_among:
        wanted = ", ".join((*rule.people, *(f"role {r}" for r in rule.roles), *(f"team {t}" for t in rule.teams)))
        raise Denied(f"{voter.name} is not among those who decide this: {wanted}")


def check_shown(approval: Approval, digest: str | None) -> None:
    """Raise `Stale` when the voter was shown something else than what is asked now; `None` means "as it stands"."""
    if digest is not None and digest != approval.digest:
        raise Stale(
            f"what you were shown ({digest[:19]}…) is not what is asked now ({approval.digest[:19]}…)",
            hint="look at the approval again, then decide",
        )


def check_open(approval: Approval) -> None:
    """Raise `Conflict` when the approval is closed, saying how."""
    if approval.status is not ApprovalStatus.OPEN:
        raise Conflict(f"approval {approval.id} is already {approval.status.value}: {approval.outcome}")


def outcome(approval: Approval) -> ApprovalStatus | None:
    """What the votes on the current digest amount to; `None` while more are needed."""
    counted = [vote for vote in approval.votes if vote.digest == approval.digest]
    yes = sum(vote.decision is Decision.APPROVE for vote in counted)
    no = len(counted) - yes
    if yes >= approval.rule.need:
        return ApprovalStatus.APPROVED
    if no and not approval.rule.quorum:
        return ApprovalStatus.REJECTED
    if approval.rule.quorum and no >= approval.rule.need:
        return ApprovalStatus.REJECTED
    return None


def difference(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> tuple[str, ...]:
    """What changed between two subjects, as lines such as `data.risk: 3 → 8`.

    >>> difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}, "d": 4})
    ('b.c: 2 → 3', 'd: (none) → 4')
    """
    lines: list[str] = []
    for key in sorted({*before, *after}):
        name = f"{path}{key}"
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines += difference(old, new, f"{name}.")
        elif old != new:
            lines.append(f"{name}: {_short(old)} → {_short(new)}")
    return tuple(lines)


def _short(value: object) -> str:
    text = "(none)" if value is None else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
