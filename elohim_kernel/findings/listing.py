"""Looking at findings: lists with filters, one finding, counts. Equal problems of several tools are shown once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from elohim_kernel.errors import Conflict, NotFound
from elohim_kernel.findings.recording import finding_of
from elohim_kernel.findings.sarif_out import Exported
from elohim_kernel.model.command import Query
from elohim_kernel.model.decision import FindingDecision
from elohim_kernel.model.finding import Confidence, Finding, FindingState, Severity
from elohim_kernel.model.path_glob import regex_of
from elohim_kernel.model.sla import SlaState, standing
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import QueryEntry, anywhere, workflow_named
from elohim_kernel.store.unit import Reader

Order = Literal["priority", "severity", "path", "age", "due"]
Group = Literal["severity", "category", "path", "owner", "rule", "tool", "state"]
Choice = Literal["", "yes", "no"]
State = Literal["", "live", "settled", "new", "open", "fixed", "regressed", "dismissed", "accepted"]

_LIST_CAP: Final = 100_000


class FindingFilter(Value, frozen=True):
    """Which findings are meant. What is "" or empty does not narrow."""

    state: State = ""  # one, or "live" for new, open and regressed, or "settled" for the rest
    severity: Severity | None = None  # at least
    category: str = ""
    rule: str = ""
    tool: str = ""
    path: str = ""  # a glob: "tests/**"
    owner: str = ""  # "nobody" for those without one
    repository: str = ""
    workflow: str = ""
    item: str = ""  # last seen on this work item, by id
    problem: str = ""
    reason: str = ""
    new: Choice = ""  # not there on the merge base
    overdue: Choice = ""
    text: str = ""  # in the message, the rule, the path or the symbol
    findings: tuple[str, ...] = ()  # ids

    @property
    def is_empty(self) -> bool:
        """Whether it narrows nothing; a workflow alone is no choice."""
        return self == FindingFilter(workflow=self.workflow)


class FindingSummary(Value, frozen=True):
    """A finding in a list. `also_seen_by` are the other tools and rules that see the same problem, as `tool:rule`."""

    id: str
    fingerprint: str
    state: FindingState
    severity: Severity
    confidence: Confidence
    category: str
    cwe: int
    rule: str
    tool: str
    path: str
    line: int
    message: str
    remediation: str
    also_seen_by: tuple[str, ...]
    new: bool
    on_changed_line: bool
    priority: float
    owners: tuple[str, ...]
    problem: str
    workflow: str
    repository: str
    first_seen: datetime
    last_seen: datetime
    sla_due: datetime | None
    overdue: bool
    decision: str
    reason: str
    decided_until: datetime | None
    symbol: str = ""


class FindingDetails(Value, frozen=True):
    """One finding with everything that is kept about it."""

    id: str
    state: FindingState
    seen: FindingState  # what sightings alone say
    priority: float
    finding: Finding
    identity: str
    workflow: str
    workflow_id: str
    repository: str
    ref: str
    head: str
    item: str
    also_seen_by: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    sightings: int
    regressions: int
    sla_due: datetime | None
    sla: SlaState
    fixed_at: datetime | None
    decision: str
    reason: str
    decided_until: datetime | None


class FindingCount(Value, frozen=True):
    """How much there is of one thing. Problems are what several tools may see; `live` are findings nobody settled."""

    name: str
    problems: int
    findings: int
    live: int
    overdue: int
    priority: float  # of the most urgent one


class ListFindings(Query, frozen=True):
    """The findings you can see, most urgent first. Several tools' findings of one problem are one line.

    Without `folded` each is a line of its own. See `FindingFilter` for the filters.
    """

    result = tuple[FindingSummary, ...]
    example = {"state": "live", "severity": "high", "path": "src/**", "limit": 20}

    state: State = "live"
    severity: Severity | None = None
    category: str = ""
    rule: str = ""
    tool: str = ""
    path: str = ""
    owner: str = ""
    repository: str = ""
    workflow: str = ""
    item: str = ""
    problem: str = ""
    reason: str = ""
    new: Choice = ""
    overdue: Choice = ""
    text: str = ""
    findings: tuple[str, ...] = ()
    folded: bool = True
    order: Order = "priority"
    limit: int = 100


def list_findings(query: ListFindings, reader: Reader) -> tuple[FindingSummary, ...]:
    """Answer `ListFindings`."""
    where = FindingFilter(**{name: getattr(query, name) for name in FindingFilter.__struct_fields__})
    rows = chosen(reader, where, order=query.order, folded=query.folded, limit=query.limit)
    names = flow_names(reader)
    others = seen_by_others(reader, rows)
    return tuple(_summary(row, names, others.get(row["id"], ())) for row in rows)


def chosen(
    reader: Reader, where: FindingFilter, *, order: Order = "priority", folded: bool = False, limit: int = _LIST_CAP
) -> list[dict[str, Any]]:
    """The rows of the findings that are meant: SQL values, hence `Any`."""
    fold = "yes" if folded else ""
    return reader.rows(f"findings_by_{order}", **_bound(reader, where), fold=fold, limit=max(0, min(limit, _LIST_CAP)))


def _bound(reader: Reader, where: FindingFilter) -> dict[str, object]:
    flow = workflow_named(reader, where.workflow).id if where.workflow else ""
    return {
        "state": where.state,
        "severity": where.severity or "",
        "category": where.category,
        "rule": where.rule,
        "tool": where.tool,
        "pattern": regex_of(where.path),
        "owner": where.owner,
        "repository": where.repository,
        "workflow": flow,
        "item": where.item,
        "problem": where.problem,
        "reason": where.reason,
        "fresh": where.new,
        "late": where.overdue,
        "text": where.text,
        "ids": list(where.findings),
        "until": reader.now,
    }


def seen_by_others(reader: Reader, rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """For each finding, by id, which other tools and rules see the same problem."""
    problems = sorted({row["problem"] for row in rows if row["problem"]})
    if not problems:
        return {}
    linked: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in reader.rows("findings_linked", ids=problems):
        linked[one["scope"], one["repository"], one["problem"]].add(f"{one['tool']}:{one['rule']}")
    return {
        row["id"]: tuple(
            sorted(linked[row["scope"], row["repository"], row["problem"]] - {f"{row['tool']}:{row['rule']}"})
        )
        for row in rows
        if row["problem"]
    }


def flow_names(reader: Reader) -> dict[str, str]:
    """Names of the workflows the caller sees, by id."""
    return {flow.id: flow.name for flow in reader.every(Workflow) if reader.principal.sees(flow.tenant)}


def _summary(row: Mapping[str, Any], names: Mapping[str, str], others: tuple[str, ...]) -> FindingSummary:
    return FindingSummary(
        **{name: row[name] for name in _AS_IS},
        state=FindingState(row["state"]),
        severity=Severity(row["severity"]),
        confidence=Confidence(row["confidence"]),
        owners=tuple(row["owners"]),
        also_seen_by=others,
        new=row["is_new"],
        workflow=names.get(row["scope"], ""),
    )


_AS_IS: Final = (
    *("id", "fingerprint", "category", "cwe", "rule", "tool", "path", "line", "message", "remediation", "symbol"),
    *("on_changed_line", "priority", "problem", "repository", "first_seen", "last_seen", "sla_due", "overdue"),
    *("decision", "reason", "decided_until"),
)


class GetFinding(Query, frozen=True):
    """One finding with everything that is kept about it. The beginning of an id is enough where it is the only one."""

    result = FindingDetails
    example = {"finding": "fd_3f2a9c"}

    finding: str


def get_finding(query: GetFinding, reader: Reader) -> FindingDetails:
    """Answer `GetFinding`."""
    return details_of(reader, query.finding)


def details_of(reader: Reader, name: str) -> FindingDetails:
    """One finding, by its id or the beginning of it; raises `NotFound`."""
    found = named(reader, name)
    (row,) = chosen(reader, FindingFilter(workflow=found["scope"], findings=(found["id"],)), limit=1)
    copied = ("id", "identity", "repository", "ref", "head", "item", "first_seen", "last_seen", "sightings")
    more = ("regressions", "sla_due", "fixed_at", "decision", "reason", "decided_until")
    return FindingDetails(
        **{name: row[name] for name in (*copied, *more)},
        state=FindingState(row["state"]),
        seen=FindingState(row["seen"]),
        priority=row["priority"],
        finding=finding_of(row),
        workflow=flow_names(reader).get(row["scope"], ""),
        workflow_id=row["scope"],
        also_seen_by=seen_by_others(reader, [row]).get(row["id"], ()),
        sla=standing(row["state"], row["sla_due"], row["fixed_at"], reader.now),
    )


def named(reader: Reader, name: str) -> dict[str, Any]:
    """`id` and `scope` of the finding whose id begins so; raises `NotFound`, and `Conflict` when there are several."""
    found = reader.rows("findings_named", finding=name) if name.startswith("fd_") and len(name) > 3 else []
    exact = [row for row in found if row["id"] == name]
    if not found:
        raise NotFound(f"there is no finding {name!r}", hint="see `elohim findings list`")
    if len(found) > 1 and not exact:
        raise Conflict(f"more than one finding begins with {name!r}", hint="give more of its id")
    return exact[0] if exact else found[0]


def on_finding(reader: Reader, operation: Any) -> str:
    """The tenant of the workflow that the finding named in `finding` belongs to."""
    return reader.get(Workflow, named(reader, operation.finding)["scope"]).tenant


class FindingStats(Query, frozen=True):
    """How many findings there are, by severity, category, file, owner, rule, tool or state; most first."""

    result = tuple[FindingCount, ...]
    example = {"by": "severity", "where": {"state": "live"}}

    by: Group = "severity"
    where: FindingFilter = FindingFilter(state="live")
    limit: int = 100


def finding_stats(query: FindingStats, reader: Reader) -> tuple[FindingCount, ...]:
    """Answer `FindingStats`."""
    limit = max(0, min(query.limit, _LIST_CAP))
    rows = reader.rows(f"finding_counts_by_{query.by}", **_bound(reader, query.where), limit=limit)
    return tuple(FindingCount(**row) for row in rows)


class ExportFindings(Query, frozen=True):
    """Findings with everything that is kept about them, to be written to a file; most urgent first, none folded."""

    result = tuple[Exported, ...]
    example = {"where": {"state": "live", "severity": "high"}}

    where: FindingFilter = FindingFilter()
    limit: int = _LIST_CAP


def export_findings(query: ExportFindings, reader: Reader) -> tuple[Exported, ...]:
    """Answer `ExportFindings`."""
    rows = chosen(reader, query.where, limit=query.limit)
    others = seen_by_others(reader, rows)
    return tuple(
        Exported(
            finding=finding_of(row),
            id=row["id"],
            state=FindingState(row["state"]),
            justification=_justified(reader, row),
            also_seen_by=others.get(row["id"], ()),
        )
        for row in rows
    )


def _justified(reader: Reader, row: Mapping[str, Any]) -> str:
    decision = reader.find(FindingDecision, row["decision"]) if row["decision"] else None
    return ": ".join(filter(None, (row["reason"], decision.text if decision else "")))


QUERIES = (
    QueryEntry(ListFindings, list_findings, anywhere),
    QueryEntry(GetFinding, get_finding, on_finding),
    QueryEntry(FindingStats, finding_stats, anywhere),
    QueryEntry(ExportFindings, export_findings, anywhere),
)
