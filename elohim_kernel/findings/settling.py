"""What becomes of decisions: confirmed or refused by a second person, undone, expired; and the list of them.

A command that decided may have made several decisions, one for each repository and for what needs second eyes. Any of
them stands for all that the command made.
"""

from datetime import datetime, timedelta
from typing import Any

from elohim_kernel.errors import Conflict, NotFound
from elohim_kernel.findings.decisions import DECIDE
from elohim_kernel.findings.listing import flow_names
from elohim_kernel.model.access import Level, Need, Permission, Principal
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.decision import (
    DecisionConfirmed,
    DecisionEvent,
    DecisionExpired,
    DecisionRefused,
    DecisionStatus,
    DecisionUndone,
    FindingDecision,
    Outcome,
    Reach,
    Reason,
    check_may_confirm,
)
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.value import Value, from_json
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, anywhere, workflow_named
from elohim_kernel.store.unit import Reader, Unit

WARNED_DAYS = 14
"""Days before its end from which a decision counts as expiring."""


class DecisionSettled(Value, frozen=True):
    """What became of the decisions of one command."""

    decisions: tuple[str, ...]
    status: DecisionStatus


class DecisionSummary(Value, frozen=True):
    """A decision in a list. People are given by name; `expires_at` None is never."""

    id: str
    status: DecisionStatus
    reach: Reach
    outcome: Outcome
    reason: Reason
    text: str
    workflow: str
    repository: str
    rule: str
    path: str
    tool: str
    severities: tuple[Severity, ...]
    findings: int
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    expires_at: datetime | None
    closed_by: str
    closed_at: datetime | None
    note: str
    undo: str


class ConfirmDecision(Command, frozen=True):
    """Agree to a decision that somebody else asked for; from then on it has an effect."""

    need = DECIDE
    result = DecisionSettled
    example = {"decision": "fdd_01980c2e", "note": "checked: the value is a constant"}

    decision: str
    note: str = ""


def confirm_decision(command: ConfirmDecision, unit: Unit) -> DecisionSettled:
    """Handle `ConfirmDecision`; raises `Denied` for whoever asked."""
    return _answer(unit, command.decision, DecisionConfirmed(note=command.note), DecisionStatus.ACTIVE)


class RefuseDecision(Command, frozen=True):
    """Do not agree to a decision that somebody else asked for."""

    need = DECIDE
    result = DecisionSettled
    example = {"decision": "fdd_01980c2e", "note": "the value comes from the request"}

    decision: str
    note: str = ""


def refuse_decision(command: RefuseDecision, unit: Unit) -> DecisionSettled:
    """Handle `RefuseDecision`; raises `Denied` for whoever asked."""
    return _answer(unit, command.decision, DecisionRefused(note=command.note), DecisionStatus.REFUSED)


class UndoDecision(Command, frozen=True):
    """Take back what one command decided: its findings are again what sightings say."""

    need = DECIDE
    result = DecisionSettled
    example = {"decision": "fdd_01980c2e", "note": "it was the wrong rule"}

    decision: str
    note: str = ""


def undo_decision(command: UndoDecision, unit: Unit) -> DecisionSettled:
    """Handle `UndoDecision`; raises `Conflict` when there is nothing left to undo."""
    batch = _batch(unit, command.decision)
    live = [each for each in batch if each.is_open]
    if not live:
        raise Conflict(f"decision {command.decision} is already {batch[0].status.value}")
    return _emit(unit, live, DecisionUndone(note=command.note), DecisionStatus.UNDONE)


class ExpireDecisions(Command, frozen=True):
    """End every decision whose time is over; what was accepted waits for somebody again. Run by the worker."""

    need = Need(permission=Permission.WORKFLOWS_RUN, level=Level.WRITE)
    internal = True
    result = int


def expire_decisions(command: ExpireDecisions, unit: Unit) -> int:
    """Handle `ExpireDecisions`; returns how many ended."""
    count = 0
    for row in unit.rows("due_decisions", until=unit.now):
        decision = unit.get(FindingDecision, row["id"])
        # The table is as it was before this group of commands.
        if decision.is_open and decision.expires_at is not None and decision.expires_at <= unit.now:
            days = unit.get(Workflow, decision.workflow).current.definition.findings.sla_days
            unit.emit(DecisionExpired(sla=days), subject=decision.id, scope=decision.workflow)
            count += 1
    return count


class ListDecisions(Query, frozen=True):
    """Decisions about findings, newest first. With `expiring`, those that are active and end within two weeks."""

    result = tuple[DecisionSummary, ...]
    example = {"status": "asked"}

    workflow: str = ""
    repository: str = ""
    status: DecisionStatus | None = None  # None: all
    rule: str = ""
    reason: Reason | None = None
    expiring: bool = False
    limit: int = 100


def list_decisions(query: ListDecisions, reader: Reader) -> tuple[DecisionSummary, ...]:
    """Answer `ListDecisions`."""
    rows = reader.rows(
        "decisions_listed",
        workflow=workflow_named(reader, query.workflow).id if query.workflow else "",
        repository=query.repository,
        status=query.status or "",
        rule=query.rule,
        reason=query.reason or "",
        expiring="yes" if query.expiring else "",
        until=reader.now + timedelta(days=WARNED_DAYS),
        limit=max(0, query.limit),
    )
    return tuple(summary_of(reader, from_json(row["body"], FindingDecision)) for row in rows)


def summary_of(reader: Reader, decision: FindingDecision) -> DecisionSummary:
    """The decision as people see it."""
    copied = ("id", "status", "reach", "outcome", "reason", "text", "repository", "rule", "path", "tool", "severities")
    more = ("asked_at", "decided_at", "expires_at", "closed_at", "note", "undo")
    return DecisionSummary(
        **{name: getattr(decision, name) for name in (*copied, *more)},
        workflow=flow_names(reader).get(decision.workflow, ""),
        findings=len(decision.findings),
        asked_by=_name(reader, decision.asked_by),
        decided_by=_name(reader, decision.decided_by),
        closed_by=_name(reader, decision.closed_by),
    )


def _name(reader: Reader, principal: str) -> str:
    found = reader.find(Principal, principal) if principal else None
    return found.name if found else principal


def _answer(unit: Unit, name: str, data: DecisionEvent, status: DecisionStatus) -> DecisionSettled:
    batch = _batch(unit, name)
    asked = [each for each in batch if each.status is DecisionStatus.ASKED]
    if not asked:
        raise Conflict(f"decision {name} is already {batch[0].status.value}")
    for each in asked:
        check_may_confirm(each, unit.principal)
    return _emit(unit, asked, data, status)


def _emit(unit: Unit, decisions: list[FindingDecision], data: DecisionEvent, status: DecisionStatus) -> DecisionSettled:
    for each in decisions:
        unit.emit(data, subject=each.id, scope=each.workflow)
    return DecisionSettled(decisions=tuple(each.id for each in decisions), status=status)


def _batch(unit: Unit, name: str) -> list[FindingDecision]:
    """The decisions of the command that made the one of that id, the one named first."""
    first = decision_named(unit, name)
    ids = [row["id"] for row in unit.rows("decisions_of_batch", undo=first.undo)] if first.undo else []
    return [first, *(unit.get(FindingDecision, each) for each in ids if each != first.id)]


def decision_named(reader: Reader, name: str) -> FindingDecision:
    """A decision the caller sees, by its id; raises `NotFound`."""
    found = reader.find(FindingDecision, name) if name.startswith("fdd_") else None
    flow = reader.find(Workflow, found.workflow) if found else None
    if found is None or flow is None or not reader.principal.sees(flow.tenant):
        raise NotFound(f"there is no decision {name!r}", hint="see `elohim findings decisions`")
    return found


def on_decision(reader: Reader, operation: Any) -> str:
    """The tenant of the workflow that the decision named in `decision` belongs to."""
    return reader.get(Workflow, decision_named(reader, operation.decision).workflow).tenant


COMMANDS = (
    CommandEntry(ConfirmDecision, confirm_decision, on_decision),
    CommandEntry(RefuseDecision, refuse_decision, on_decision),
    CommandEntry(UndoDecision, undo_decision, on_decision),
    CommandEntry(ExpireDecisions, expire_decisions, anywhere),
)
QUERIES = (QueryEntry(ListDecisions, list_decisions, anywhere),)
