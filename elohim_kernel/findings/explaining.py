"""Explaining one finding: why it is this one, why it stands where it stands, what was decided, and what to do."""

from collections.abc import Mapping
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Final

from elohim_kernel.findings.listing import FindingDetails, details_of, on_finding
from elohim_kernel.findings.planning import Alike, plan_for
from elohim_kernel.findings.settling import DecisionSummary, summary_of
from elohim_kernel.model.category import is_security
from elohim_kernel.model.command import Query
from elohim_kernel.model.decision import FindingDecision
from elohim_kernel.model.finding import FindingState, Severity
from elohim_kernel.model.fingerprint import MASKED_CATEGORY, normalised_path, rule_key
from elohim_kernel.model.priority import Term, terms
from elohim_kernel.model.recommendation import Recommendation
from elohim_kernel.model.remedies import remedy_for
from elohim_kernel.model.rules import judged
from elohim_kernel.model.value import Value, from_json
from elohim_kernel.store.catalogue import QueryEntry
from elohim_kernel.store.unit import Reader

_SIGHTINGS: Final = 50  # shown: the first one, and the last ones
_COMPARED: Final = 200  # decided findings that are looked at
_ALIKE: Final = 5


class Identity(Value, frozen=True):
    """What makes it this finding: the parts its fingerprint was made of when it was last seen, and other names."""

    rule: str
    path: str
    context: str  # hash of the code from the flagged line on
    fingerprint: str  # as it was first seen
    identity: str  # what its id is made of: the fingerprint, unless somebody else had it
    aliases: tuple[str, ...]


class SightingTrace(Value, frozen=True):
    """One time it was seen. `matched` says by what it was recognised, or why it was new."""

    event: int
    seen_at: datetime
    head: str
    ref: str
    run: str
    path: str
    line: int
    severity: str
    matched: str


class LinkedFinding(Value, frozen=True):
    """What another tool, or another rule, sees of the same problem."""

    id: str
    tool: str
    rule: str
    severity: Severity
    path: str
    line: int


class Explanation(Value, frozen=True):
    """Everything that is known about one finding, and what follows from it.

    `private_lines` are lines of its file that hold secrets: whoever shows the code must not show them.
    """

    details: FindingDetails
    identity: Identity
    sightings: tuple[SightingTrace, ...]
    linked: tuple[LinkedFinding, ...]
    terms: tuple[Term, ...]  # their product is the priority
    decisions: tuple[DecisionSummary, ...]
    alike: tuple[Alike, ...]
    advice: str  # of the rule; "" when it has none
    pattern: str  # code before and after; "" when there is none
    plan: Recommendation
    private_lines: tuple[int, ...]


class ExplainFinding(Query, frozen=True):
    """One finding with its identity, its priority term by term, its decisions, what is like it, and a plan to mend it.

    The beginning of an id is enough where it is the only one.
    """

    result = Explanation
    example = {"finding": "fd_3f2a9c"}

    finding: str


def explain_finding(query: ExplainFinding, reader: Reader) -> Explanation:
    """Answer `ExplainFinding`."""
    details = details_of(reader, query.finding)
    finding = details.finding
    place = {"workflow": details.workflow_id, "tool": finding.tool, "rule": finding.rule}
    linked = _linked(reader, details)
    standing = reader.rows("rule_standing", **place)[0]
    alike = _alike(reader, details)
    tools = {finding.tool, *(each.tool for each in linked)}
    return Explanation(
        details=details,
        identity=Identity(
            rule=rule_key(finding),
            path=normalised_path(finding.path),
            context=finding.context,
            fingerprint=finding.fingerprint,
            identity=details.identity,
            aliases=finding.aliases,
        ),
        sightings=_sightings(reader, details),
        linked=linked,
        terms=terms(finding, tools=len(tools), wrong=standing["wrong"], right=standing["judged_right"]),
        decisions=_decisions(reader, details),
        alike=alike,
        advice=finding.remediation or judged(finding.tool, finding.rule, cwe=finding.cwe).help,
        pattern=remedy_for(finding.category, security=is_security(finding.category)).pattern,
        plan=plan_for(details, alike),
        private_lines=_private(reader, details),
    )


def _sightings(reader: Reader, details: FindingDetails) -> tuple[SightingTrace, ...]:
    rows = reader.rows("sightings_of", finding=details.id)
    shown = rows if len(rows) <= _SIGHTINGS else [rows[0], *rows[1 - _SIGHTINGS :]]
    copied = ("seen_at", "head", "ref", "run", "path", "line", "severity", "matched")
    return tuple(SightingTrace(event=row["seq"], **{name: row[name] for name in copied}) for row in shown)


def _linked(reader: Reader, details: FindingDetails) -> tuple[LinkedFinding, ...]:
    if not details.finding.problem:
        return ()
    rows = reader.rows("findings_linked", ids=[details.finding.problem])
    return tuple(
        LinkedFinding(
            **{name: row[name] for name in ("id", "tool", "rule", "path", "line")}, severity=Severity(row["severity"])
        )
        for row in rows
        if row["id"] != details.id and (row["scope"], row["repository"]) == (details.workflow_id, details.repository)
    )


def _decisions(reader: Reader, details: FindingDetails) -> tuple[DecisionSummary, ...]:
    finding = details.finding
    rows = reader.rows(
        "decisions_of_finding",
        workflow=details.workflow_id,
        repository=details.repository,
        tool=finding.tool,
        rule=finding.rule,
        path=finding.path,
        finding=details.id,
        problem=finding.problem,
        severity=finding.severity,
    )
    return tuple(summary_of(reader, from_json(row["body"], FindingDecision)) for row in rows)


def _alike(reader: Reader, details: FindingDetails) -> tuple[Alike, ...]:
    """Decided findings of the same rule, those nearest in words and code first."""
    finding = details.finding
    rows = reader.rows(
        "findings_decided_alike",
        workflow=details.workflow_id,
        tool=finding.tool,
        rule=finding.rule,
        finding=details.id,
        limit=_COMPARED,
    )
    nearest = sorted(((_likeness(details, row), row) for row in rows), key=lambda pair: (-pair[0], pair[1]["id"]))
    found: list[Alike] = []
    for likeness, row in nearest[:_ALIKE]:
        decision = reader.find(FindingDecision, row["decision"])
        found.append(
            Alike(
                **{name: row[name] for name in ("id", "path", "line", "message", "reason")},
                state=FindingState(row["state"]),
                text=decision.text if decision else "",
                likeness=likeness,
            )
        )
    return tuple(found)


def _likeness(details: FindingDetails, row: Mapping[str, Any]) -> float:  # a row: SQL values, hence Any
    finding = details.finding
    if finding.context and finding.context == row["context"]:
        return 1.0
    words = SequenceMatcher(None, finding.message, row["message"], autojunk=False).ratio()
    code = SequenceMatcher(None, finding.snippet, row["snippet"], autojunk=False).ratio()
    return round(0.4 * words + 0.5 * code + (0.1 if finding.path == row["path"] else 0.0), 3)


def _private(reader: Reader, details: FindingDetails) -> tuple[int, ...]:
    rows = reader.rows(
        "findings_in_file",
        workflow=details.workflow_id,
        repository=details.repository,
        path=details.finding.path,
    )
    lines = {
        line
        for row in rows
        if row["category"] == MASKED_CATEGORY and row["line"]
        for line in range(row["line"], max(row["line"], row["end_line"]) + 1)
    }
    return tuple(sorted(lines))


QUERIES = (QueryEntry(ExplainFinding, explain_finding, on_finding),)
