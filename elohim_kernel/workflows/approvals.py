"""Approvals: answering them, and what happens when nobody does. Rights are checked here for every caller, first."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from elohim_kernel.errors import KernelError, Stale
from elohim_kernel.model.access import Level, Need, Permission, Principal, Team
from elohim_kernel.model.approval import (
    Approval,
    ApprovalClosed,
    ApprovalEscalated,
    ApprovalStatus,
    ApprovalVoted,
    Decision,
    Vote,
    check_may_vote,
    check_open,
    check_shown,
    difference,
    outcome,
)
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.life_cycle import stage_before
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.value import Value, digest, from_json
from elohim_kernel.model.work_item import SlaMissed, Status, WorkItem, WorkItemCancelled, WorkItemFailed
from elohim_kernel.model.workflow import ApprovalRule, OnExpiry, Stage, Workflow
from elohim_kernel.store.catalogue import (
    CommandEntry,
    QueryEntry,
    anywhere,
    approval_named,
    on_approval,
    on_item,
)
from elohim_kernel.store.unit import Reader, Unit, item_named
from elohim_kernel.workflows.moves import advance, definition_of, shown

_DECIDE = Need(permission=Permission.APPROVALS_DECIDE, level=Level.WRITE)


class Decided(Value, frozen=True):
    """What an approval amounts to after an answer."""

    approval: str
    status: ApprovalStatus
    votes: tuple[Vote, ...]
    need: int
    item: str
    reference: str
    stage: str
    item_status: Status


def _decided(unit: Reader, approval_id: str) -> Decided:
    approval = unit.get(Approval, approval_id)
    item = unit.get(WorkItem, approval.item)
    return Decided(
        approval=approval.id,
        status=approval.status,
        votes=approval.votes,
        need=approval.rule.need,
        item=item.id,
        reference=item.reference,
        stage=item.stage,
        item_status=item.status,
    )


class Approve(Command, frozen=True):
    """Say yes to what was shown. `approval` is its id or the item's reference; `digest` is what you were shown.

    The second answer to a closed approval returns the first outcome and has no effect.
    """

    need = _DECIDE
    result = Decided
    example = {"approval": "EL-1", "comment": "risk is acceptable"}

    approval: str
    comment: str = ""
    digest: str | None = None


class Reject(Command, frozen=True):
    """Say no to what was shown. The first no closes the approval, unless its rule asks for a quorum."""

    need = _DECIDE
    result = Decided
    example = {"approval": "EL-1", "comment": "tests are missing"}

    approval: str
    comment: str = ""
    digest: str | None = None


def approve(command: Approve, unit: Unit) -> Decided:
    """Handle `Approve`."""
    return _vote(unit, command.approval, Decision.APPROVE, command.comment, command.digest)


def reject(command: Reject, unit: Unit) -> Decided:
    """Handle `Reject`."""
    return _vote(unit, command.approval, Decision.REJECT, command.comment, command.digest)


def _vote(unit: Unit, name: str, decision: Decision, comment: str, seen: str | None) -> Decided:
    approval = approval_named(unit, name)
    flow = unit.get(Workflow, approval.workflow)
    teams = {team.id: team.name for team in unit.every(Team)}
    check_may_vote(approval, unit.principal, flow.tenant, teams)
    if approval.status is ApprovalStatus.STALE:
        raise Stale(f"approval {approval.id} is stale: what was shown has changed", hint="look at the item again")
    # The deadline holds whether or not a worker has been there to see it pass.
    _expire(unit, approval.id)
    approval = unit.get(Approval, approval.id)
    if approval.status is not ApprovalStatus.OPEN:
        return _decided(unit, approval.id)
    check_shown(approval, seen)
    _check_current(unit, approval)
    unit.emit(
        ApprovalVoted(decision=decision, digest=approval.digest, comment=comment),
        subject=approval.id,
        scope=approval.workflow,
    )
    result = outcome(unit.get(Approval, approval.id))
    if result is not None:
        close(unit, approval.id, result, comment or f"{decision.value} by {unit.principal.name}")
    return _decided(unit, approval.id)


def _check_current(unit: Unit, approval: Approval) -> None:
    now = shown(unit.get(WorkItem, approval.item))
    if digest(now) != approval.digest:
        lines = "; ".join(difference(approval.subject, now))
        raise Stale(f"what is asked has changed since it was shown: {lines}", hint="ask for approval again")


def close(unit: Unit, approval_id: str, status: ApprovalStatus, reason: str) -> None:
    """Close an open approval with its outcome, and take the item on or back."""
    approval = unit.get(Approval, approval_id)
    check_open(approval)
    unit.emit(ApprovalClosed(status=status, reason=reason), subject=approval.id, scope=approval.workflow)
    item = unit.get(WorkItem, approval.item)
    stage = definition_of(unit, item).stage(item.stage)
    passed = status is ApprovalStatus.APPROVED
    facts = {"approvals": {"approved": int(passed), "rejected": int(not passed)}}
    target = "" if passed else stage.on_reject or _after_refusal(unit, item, stage)
    if passed or target:
        advance(unit, item, note=reason, outcome=status.value, facts=facts, to=target)
    elif stage.type.traits.automated:
        # Doing it again would give the same result to approve, and again: a person says what comes next.
        unit.emit(WorkItemFailed(from_stage=stage.key, reason=reason), subject=item.id, scope=item.workflow)
    else:
        unit.emit(WorkItemCancelled(from_stage=stage.key, reason=reason), subject=item.id, scope=item.workflow)


def _after_refusal(unit: Unit, item: WorkItem, stage: Stage) -> str:
    """The stage a refused item goes to when its workflow does not say; "" when there is none."""
    if stage.type is StageType.APPROVAL:
        return stage_before(item, definition_of(unit, item))
    return "" if stage.type.traits.automated else stage.key


class ExpireApprovals(Command, frozen=True):
    """Give every approval that nobody closed in time the outcome its rule declares, and mark overdue stages.

    Run by the worker. A request that was closed meanwhile is left alone.
    """

    need = Need(permission=Permission.WORKFLOWS_RUN, level=Level.WRITE)
    internal = True
    result = int


def expire_approvals(command: ExpireApprovals, unit: Unit) -> int:
    """Handle `ExpireApprovals`; returns how many things were due."""
    count = 0
    for row in unit.rows("due_approvals", until=unit.now):
        mark = unit.mark()
        try:
            count += _expire(unit, row["id"])
        except KernelError:
            # An item that cannot go where its workflow sends it must not keep the others from their outcome.
            unit.back_to(mark)
    for row in unit.rows("due_slas", until=unit.now):
        item = unit.get(WorkItem, row["id"])
        if item.sla_due is not None and item.sla_due <= unit.now and not item.overdue:
            unit.emit(SlaMissed(due=item.sla_due), subject=item.id, scope=item.workflow)
            count += 1
    return count


def _expire(unit: Unit, approval_id: str) -> bool:
    """Give an approval past its time the outcome its rule declares; False when it is closed or has time left."""
    approval = unit.get(Approval, approval_id)
    if not approval.is_late(unit.now):
        return False
    rule = approval.rule
    if rule.on_expiry is OnExpiry.ESCALATE and not approval.escalated:
        unit.emit(
            ApprovalEscalated(people=rule.escalate_to, expires_at=_later(unit.now, rule)),
            subject=approval.id,
            scope=approval.workflow,
        )
    else:
        close(unit, approval.id, ApprovalStatus.EXPIRED, f"nobody closed it within {rule.expires_minutes} minutes")
    return True


def _later(now: datetime, rule: ApprovalRule) -> datetime:
    return now + timedelta(minutes=rule.expires_minutes)


class Asked(Value, frozen=True):
    """An approval as its deciders see it."""

    id: str
    reference: str
    title: str
    stage: str
    status: ApprovalStatus
    digest: str
    need: int
    votes: tuple[Vote, ...]
    requested_by: str
    requested_at: datetime
    expires_at: datetime | None
    outcome: str
    replaces: str
    subject: Mapping[str, Any]


def asked(reader: Reader, approval: Approval) -> Asked:
    """The approval with names instead of ids."""
    item = reader.get(WorkItem, approval.item)
    by = reader.find(Principal, approval.requested_by)
    return Asked(
        id=approval.id,
        reference=item.reference,
        title=item.title,
        stage=approval.stage,
        status=approval.status,
        digest=approval.digest,
        need=approval.rule.need,
        votes=approval.votes,
        requested_by=by.name if by else approval.requested_by,
        requested_at=approval.requested_at,
        expires_at=approval.expires_at,
        outcome=approval.outcome,
        replaces=approval.replaces,
        subject=approval.subject,
    )


class ListApprovals(Query, frozen=True):
    """The approvals of an item, or, without one, all open ones you can see."""

    result = tuple[Asked, ...]
    example = {"item": "EL-1"}

    item: str = ""


def list_approvals(query: ListApprovals, reader: Reader) -> tuple[Asked, ...]:
    """Answer `ListApprovals`."""
    rows = (
        reader.rows("approvals_of", item=item_named(reader, query.item).id)
        if query.item
        else reader.rows("open_approvals")
    )
    return tuple(asked(reader, from_json(row["body"], Approval)) for row in rows)


class GetApproval(Query, frozen=True):
    """One approval with what was shown: by id, or the open one of an item."""

    result = Asked
    example = {"approval": "EL-1"}

    approval: str


def get_approval(query: GetApproval, reader: Reader) -> Asked:
    """Answer `GetApproval`."""
    return asked(reader, approval_named(reader, query.approval))


def _on_query(reader: Reader, query: ListApprovals) -> str:
    return on_item(reader, query) if query.item else anywhere(reader, query)


COMMANDS = (
    CommandEntry(Approve, approve, on_approval),
    CommandEntry(Reject, reject, on_approval),
    CommandEntry(ExpireApprovals, expire_approvals, anywhere),
)
QUERIES = (
    QueryEntry(ListApprovals, list_approvals, _on_query),
    QueryEntry(GetApproval, get_approval, on_approval),
)
