"""Deciding about findings: dismiss or accept, with a reason and an end; a second person confirms where policy says so.

One command is one thing to undo, however many findings it is about. Nothing is recorded in a dry run.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from elohim_kernel.errors import Invalid, NotFound, TooLarge
from elohim_kernel.findings.listing import FindingFilter, chosen, named
from elohim_kernel.model.access import Level, Need, Permission
from elohim_kernel.model.command import Command
from elohim_kernel.model.decision import (
    MOST_DAYS,
    FindingsDecided,
    FindingsPolicy,
    Outcome,
    Reach,
    Reason,
    check_reason,
    check_text,
    reason_named,
)
from elohim_kernel.model.finding import FindingState, Severity
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, workflow_named
from elohim_kernel.store.unit import Reader, Unit

_CAP: Final = 10_000  # findings that one command may name
_LINES: Final = 200  # of what would change, shown
DECIDE: Final = Need(permission=Permission.FINDINGS_DECIDE, level=Level.WRITE)
_NARROWED_BY: Final = ("rule", "tool", "path", "repository", "workflow")


class FindingLine(Value, frozen=True):
    """One finding that a decision is about, and what it becomes; `asked` when somebody has to agree first."""

    id: str
    severity: str
    rule: str
    path: str
    line: int
    message: str
    state: FindingState
    becomes: FindingState
    asked: bool = False


class DecisionMade(Value, frozen=True):
    """What was decided, or would be. `undo` takes all of it back; "" when nothing was recorded."""

    dry_run: bool
    matched: int  # findings it is about now
    changes: int  # of them, those whose state becomes another
    asked: int  # of them, those that wait for a second person
    expires_at: datetime | None
    undo: str
    decisions: tuple[str, ...]
    lines: tuple[FindingLine, ...]  # the first ones


class DecideFindings(Command, frozen=True):
    """Dismiss or accept findings: those named, those that a filter picks, or whatever a rule or a path brings.

    With the reach `finding` it is about the findings there are now, and what other tools see of the same problems; with
    `rule`, `path` or `repository` also about those to come, and only `rule`, `tool`, `path` and `repository` of `where`
    count. It ends after `expires_days` (0: as the workflow says) or at `expires_at`; `never` only where the workflow
    allows it. Findings of a severity for which the workflow wants four eyes wait for somebody else to confirm.
    """

    need = DECIDE
    result = DecisionMade
    example = {
        "workflow": "Standard Code Review",
        "where": {"rule": "S311", "path": "tests/**"},
        "outcome": "dismissed",
        "reason": "test code",
        "dry_run": True,
    }

    outcome: Outcome
    reason: str
    workflow: str = ""  # "": that of the findings
    findings: tuple[str, ...] = ()
    where: FindingFilter = FindingFilter()
    reach: Reach = Reach.FINDING
    text: str = ""
    expires_days: int = 0
    expires_at: datetime | None = None
    never: bool = False
    dry_run: bool = False


def decide_findings(command: DecideFindings, unit: Unit) -> DecisionMade:
    """Handle `DecideFindings`."""
    flow = workflow_named(unit, _flow_named(unit, command))
    policy = flow.current.definition.findings
    reason = reason_named(command.reason)
    check_reason(command.outcome, reason)
    expires_at = _end(command, policy, unit.now)
    rows = _meant(unit, command, flow)
    strict = set(policy.four_eyes)
    parts = list(_parts(rows, strict) if command.reach is Reach.FINDING else _rules(command, rows, strict))
    check_text(policy, [each for part in parts for each in part.severities if part.is_about(each)], command.text)
    made = () if command.dry_run else _record(unit, flow, command, reason, expires_at, parts)
    lines = [_line(row, command.outcome, strict) for row in rows]
    moving = [line for line in lines if line.state not in (line.becomes, FindingState.FIXED)]
    return DecisionMade(
        dry_run=command.dry_run,
        matched=len(lines),
        changes=sum(not line.asked for line in moving),
        asked=sum(line.asked for line in moving),
        expires_at=expires_at,
        undo=made[0] if made else "",
        decisions=made,
        lines=tuple(lines[:_LINES]),
    )


class _Part(Value, frozen=True):
    """What becomes one decision: the findings of one repository, or none for a rule; with second eyes or without."""

    repository: str
    rows: tuple[Mapping[str, Any], ...]  # SQL values, hence Any
    severities: tuple[Severity, ...]
    asked: bool

    def is_about(self, severity: Severity) -> bool:
        """Whether it says something about findings of that severity now."""
        return not self.rows or any(row["severity"] == severity for row in self.rows)


def _parts(rows: Sequence[Mapping[str, Any]], strict: set[Severity]) -> Iterable[_Part]:
    groups: dict[tuple[str, bool], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["repository"], Severity(row["severity"]) in strict].append(row)
    for (repository, asked), members in sorted(groups.items(), key=lambda group: group[0]):
        # What nobody else has seen says nothing about a finding that becomes worse later.
        severities = tuple(each for each in Severity if asked or each not in strict)
        yield _Part(repository=repository, rows=tuple(members), severities=severities, asked=asked)


def _rules(command: DecideFindings, rows: Sequence[Mapping[str, Any]], strict: set[Severity]) -> Iterable[_Part]:
    alone = tuple(each for each in Severity if each not in strict)
    if alone:
        yield _Part(repository=command.where.repository, rows=(), severities=alone, asked=False)
    if any(Severity(row["severity"]) in strict for row in rows) or not alone:
        asked = tuple(each for each in Severity if each in strict)
        yield _Part(repository=command.where.repository, rows=(), severities=asked, asked=True)


def _record(
    unit: Unit,
    flow: Workflow,
    command: DecideFindings,
    reason: Reason,
    expires_at: datetime | None,
    parts: Sequence[_Part],
) -> tuple[str, ...]:
    ids = tuple(new_id("fdd") for _ in parts)
    by_rule = command.reach is not Reach.FINDING
    for identifier, part in zip(ids, parts, strict=True):
        data = FindingsDecided(
            workflow=flow.id,
            reach=command.reach,
            outcome=command.outcome,
            reason=reason,
            severities=part.severities,
            repository=part.repository,
            findings=tuple(row["id"] for row in part.rows),
            fingerprints=tuple(dict.fromkeys(row["fingerprint"] for row in part.rows)),
            problems=tuple(dict.fromkeys(row["problem"] for row in part.rows if row["problem"])),
            rule=command.where.rule if by_rule else "",
            path=command.where.path if by_rule else "",
            tool=command.where.tool if by_rule else "",
            text=command.text,
            undo=ids[0],
            asked=part.asked,
            expires_at=expires_at,
        )
        unit.emit(data, subject=identifier, scope=flow.id)
    return ids


def _meant(reader: Reader, command: DecideFindings, flow: Workflow) -> list[Mapping[str, Any]]:
    """The rows a decision is about; with the reach `finding`, those linked to them too."""
    if command.reach is not Reach.FINDING:
        _check_narrow(command)
        return list(chosen(reader, _in_flow(command.where, flow)))
    if not command.findings and command.where.is_empty:
        raise Invalid("nothing says which findings are meant", hint="name them, or give a filter")
    wanted = tuple(named(reader, name)["id"] for name in command.findings)
    where = _in_flow(command.where, flow, findings=wanted or command.where.findings)
    rows = chosen(reader, where)
    missing = set(wanted) - {row["id"] for row in rows}
    if missing:
        raise NotFound(f"there is no finding {min(missing)!r} in {flow.name!r} that fits", hint="decide per workflow")
    if not rows:
        raise NotFound("no finding fits", hint="see `elohim findings list` with the same filters")
    problems = sorted({row["problem"] for row in rows if row["problem"]})
    places = {(row["repository"], row["problem"]) for row in rows}
    linked = [
        one["id"]
        for one in (reader.rows("findings_linked", ids=problems) if problems else ())
        if one["scope"] == flow.id and (one["repository"], one["problem"]) in places
    ]
    every = sorted({*linked, *(row["id"] for row in rows)})
    if len(every) > _CAP:
        raise TooLarge(f"{len(every):,} findings in one decision; the cap is {_CAP:,}", hint="decide by rule or path")
    return list(chosen(reader, FindingFilter(workflow=flow.id, findings=tuple(every))))


def _in_flow(where: FindingFilter, flow: Workflow, *, findings: tuple[str, ...] = ()) -> FindingFilter:
    return replace(where, workflow=flow.id, findings=findings)


def _check_narrow(command: DecideFindings) -> None:
    where = command.where
    others = [
        name
        for name in FindingFilter.__struct_fields__
        if name not in _NARROWED_BY and getattr(where, name) != getattr(FindingFilter(), name)
    ]
    if command.findings or others:
        what = others[0] if others else "findings"
        raise Invalid(
            f"a decision by {command.reach.value} is not narrowed by {what!r}",
            hint=f"use {', '.join(_NARROWED_BY[:-1])}",
        )
    if not getattr(where, command.reach.value):
        raise Invalid(f"a decision by {command.reach.value} names the {command.reach.value}")


def _flow_named(reader: Reader, command: DecideFindings) -> str:
    """The workflow that is meant: the one named, or that of the findings; raises `Invalid` when they are in several."""
    name = command.workflow or command.where.workflow
    if name:
        return name
    if command.findings:
        return str(named(reader, command.findings[0])["scope"])
    if command.where.is_empty:
        raise Invalid("nothing says which findings are meant", hint="name them, or give a filter")
    scopes = sorted({row["scope"] for row in chosen(reader, command.where)})
    if len(scopes) != 1:
        what = "findings of several workflows fit" if scopes else "no finding fits"
        raise (Invalid if scopes else NotFound)(what, hint="say which workflow")
    return str(scopes[0])


def _end(command: DecideFindings, policy: FindingsPolicy, now: datetime) -> datetime | None:
    if sum((command.never, command.expires_at is not None, command.expires_days != 0)) > 1:
        raise Invalid("a decision has one end: days, a time, or never")
    if command.never:
        if not policy.allow_never:
            raise Invalid("the workflow's policy allows no decision without an end", hint="give a number of days")
        return None
    days = command.expires_days or policy.expiry_days
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"a decision lasts 1 to {MOST_DAYS:,} days, not {days:,}")
    end = command.expires_at or now + timedelta(days=days)
    if end.tzinfo is None or end <= now:
        raise Invalid(f"a decision cannot end at {end.isoformat()}", hint="give a time to come, with its zone")
    if end > now + timedelta(days=MOST_DAYS):
        raise Invalid(f"a decision lasts {MOST_DAYS:,} days at most")
    return end


def _line(row: Mapping[str, Any], outcome: Outcome, strict: set[Severity]) -> FindingLine:
    return FindingLine(
        **{name: row[name] for name in ("id", "severity", "rule", "path", "line", "message")},
        state=FindingState(row["state"]),
        becomes=FindingState(outcome.value),
        asked=Severity(row["severity"]) in strict,
    )


def _target(reader: Reader, command: DecideFindings) -> str:
    return workflow_named(reader, _flow_named(reader, command)).tenant


COMMANDS = (CommandEntry(DecideFindings, decide_findings, _target),)
