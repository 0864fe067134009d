"""Recording an engine's result: one event with the account of the run, and the sightings as rows beside it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.access import Level, Need, Permission
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.finding import (
    Confidence,
    EngineReport,
    EngineStatus,
    Finding,
    FindingState,
    Place,
    Severity,
)
from elohim_kernel.model.identity import Identified, Known, Remembered
from elohim_kernel.model.pathkind import kind_of
from elohim_kernel.model.record import FindingsRecorded
from elohim_kernel.model.value import Value, from_json, to_json
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.arrow import from_ipc, to_ipc
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, on_workflow, workflow_named
from elohim_kernel.store.tables import SIGHTINGS
from elohim_kernel.store.unit import Reader, Unit, item_named

_ROWS_CAP: Final = 1_000_000

# What the recorder of findings says about each; the rest of a sighting is known here.
_GIVEN: Final = (
    "tool",
    "rule",
    "severity",
    "confidence",
    "category",
    "cwe",
    "path",
    "line",
    "end_line",
    "column",
    "symbol",
    "message",
    "snippet",
    "remediation",
    "on_changed_line",
    "tool_id",
    "context",
    "fingerprint",
    "tool_severity",
    "advisories",
    "evidence",
    "suppressed",
    "suppression_is_new",
    "secret",
    "owners",
    "problem",
    "is_new",
    "aliases",
)
_MORE: Final = ("related", "identity", "matched")
_TYPED: Final = frozenset({"severity", "confidence", "advisories", "owners", "aliases"})
FINDING_ROWS: Final = pa.schema([SIGHTINGS.field(name) for name in (*_GIVEN, *_MORE)])


class Recorded(Value, frozen=True):
    """How many sightings were recorded, under which event."""

    event: int
    count: int


class RecordFindings(Command, frozen=True):
    """Record what one engine did and saw. `rows` are findings as Arrow IPC, made by `finding_rows`.

    `covered` are the files it really analysed: known findings of the tool there that were not seen again become fixed,
    if their rule is one of `rules` (empty: all of them).
    """

    need = Need(permission=Permission.WORKFLOWS_RUN, level=Level.WRITE)
    result = Recorded
    example = {
        "workflow": "Standard Code Review",
        "repository": "/src/service",
        "tool": "ruff",
        "status": "clean",
        "reason": "12 files analysed, nothing found",
        "files": 12,
    }

    workflow: str
    repository: str
    tool: str
    status: EngineStatus
    reason: str
    head: str = ""
    ref: str = ""
    item: str = ""
    run: str = ""
    version: str = ""
    files: int = 0
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0
    covered: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rows: bytes = b""


def finding_rows(
    findings: Sequence[Finding], identities: Sequence[str] | None = None, matched: Sequence[str] | None = None
) -> bytes:
    """Findings as the rows `RecordFindings` takes; `identities` are those they are known by already.

    `matched` says by what each was recognised, or why it is new. See `identified_rows`, which has both.
    """
    columns: list[Sequence[Any]] = [[getattr(finding, name) for finding in findings] for name in _GIVEN]
    columns.append([to_json(finding.related) if finding.related else "[]" for finding in findings])
    columns.append(identities if identities is not None else [finding.fingerprint for finding in findings])
    columns.append(matched if matched is not None else [""] * len(findings))
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, FINDING_ROWS, strict=True)]
    return to_ipc(pa.Table.from_arrays(arrays, schema=FINDING_ROWS))


def identified_rows(found: Sequence[Identified]) -> bytes:
    """Findings that were recognised, or not, as the rows `RecordFindings` takes; see `model.matching.identified`."""
    return finding_rows(
        [each.finding for each in found], [each.identity for each in found], [each.matched for each in found]
    )


def record_findings(command: RecordFindings, unit: Unit) -> Recorded:
    """Handle `RecordFindings`."""
    flow = workflow_named(unit, command.workflow)
    item = _item_of(unit, command, flow)
    rows = _checked(from_ipc(command.rows)) if command.rows else None
    count = rows.num_rows if rows is not None else 0
    if count and command.status in (EngineStatus.CLEAN, EngineStatus.NOT_RUN):
        raise Invalid(f"{command.tool} says {command.status.value} and brings {count} findings: that cannot be")
    seq = unit.next_seq
    if rows is not None and count:
        unit.insert("sightings", _sightings(rows, command, unit, scope=flow.id, item=item, seq=seq))
    unit.emit(
        FindingsRecorded(
            workflow=flow.id,
            repository=command.repository,
            tool=command.tool,
            status=command.status.value,
            reason=command.reason,
            head=command.head,
            ref=command.ref,
            item=item,
            run=command.run,
            version=command.version,
            files=command.files,
            skipped=command.skipped,
            seconds=command.seconds,
            count=count,
            covered=command.covered,
            digest="sha256:" + hashlib.sha256(command.rows).hexdigest(),
            rules=command.rules,
            sla=flow.current.definition.findings.sla_days,
        ),
        subject=item or flow.id,
        scope=flow.id,
    )
    return Recorded(event=seq, count=count)


def _item_of(unit: Unit, command: RecordFindings, flow: Workflow) -> str:
    if not command.item:
        return ""
    item = item_named(unit, command.item)
    if item.workflow != flow.id:
        raise Invalid(f"{item.reference} is not in workflow {flow.name!r}", hint="record them where the item is")
    return item.id


def _checked(rows: pa.Table) -> pa.Table:
    if rows.num_rows > _ROWS_CAP:
        raise TooLarge(f"{rows.num_rows} findings in one command; the cap is {_ROWS_CAP}", hint="record them in parts")
    if rows.schema != FINDING_ROWS:
        raise Invalid("the rows of findings have the wrong columns", hint="make them with finding_rows()")
    if any(column.null_count for column in rows.columns):
        raise Invalid("a finding lacks a value: none may be null", hint="make the rows with finding_rows()")
    allowed = {"severity": [one.value for one in Severity], "confidence": [one.value for one in Confidence]}
    for name, values in allowed.items():
        wrong = set(rows.column(name).unique().to_pylist()).difference(values)
        if wrong:
            raise Invalid(f"{sorted(map(str, wrong))[0]!r} is no {name}; there is {', '.join(sorted(values))}")
    if rows.num_rows and "" in set(rows.column("identity").unique().to_pylist()):
        raise Invalid("a finding has no fingerprint", hint="fill them in with model.fingerprint.fingerprinted()")
    return rows


def id_of(workflow: str, repository: str, identity: str) -> str:
    """The id that a finding of that identity has in a workflow, given by id."""
    return "fd_" + hashlib.sha256(f"{workflow}\x1f{repository}\x1f{identity}".encode()).hexdigest()[:32]


def _sightings(rows: pa.Table, command: RecordFindings, unit: Unit, *, scope: str, item: str, seq: int) -> pa.Table:
    count = rows.num_rows
    prefix = hashlib.sha256(f"{scope}\x1f{command.repository}\x1f".encode())
    names: list[str] = []
    for identity in rows.column("identity").to_pylist():
        digest = prefix.copy()
        digest.update(identity.encode())
        names.append("fd_" + digest.hexdigest()[:32])
    constant = {
        "seq": seq,
        "scope": scope,
        "item": item,
        "run": command.run,
        "repository": command.repository,
        "ref": command.ref,
        "head": command.head,
        "seen_at": unit.now,
    }
    made = {"finding": pa.array(names, pa.string()), "path_kind": _kinds(rows.column("path"))}
    arrays: list[Any] = []
    for field in SIGHTINGS:
        if field.name in made:
            arrays.append(made[field.name])
        elif field.name in constant:
            arrays.append(pa.repeat(pa.scalar(constant[field.name], field.type), count))
        else:
            arrays.append(rows.column(field.name))
    return pa.Table.from_arrays(arrays, schema=SIGHTINGS)


def _kinds(paths: pa.ChunkedArray) -> pa.Array:
    """What each path is for; looked at once for each file."""
    encoded = paths.combine_chunks().dictionary_encode()
    kinds = pa.array([kind_of(path).value for path in encoded.dictionary.to_pylist()], pa.string())
    return kinds.take(encoded.indices)


def report_of(report: EngineReport) -> dict[str, Any]:
    """The fields of `RecordFindings` that an engine's report fills. Of several types, hence `Any`."""
    return {
        "tool": report.engine,
        "status": report.status,
        "reason": report.reason,
        "version": report.version,
        "files": report.files,
        "skipped": report.skipped,
        "seconds": report.seconds,
        "rules": report.rules,
    }


class KnownFindings(Query, frozen=True):
    """The findings a tool is known to have in a repository, in one workflow: what new sightings are matched against."""

    result = tuple[Finding, ...]
    example = {"workflow": "Standard Code Review", "repository": "/src/service", "tool": "ruff"}

    workflow: str
    repository: str
    tool: str = ""  # "" for all


def known_findings(query: KnownFindings, reader: Reader) -> tuple[Finding, ...]:
    """Answer `KnownFindings`."""
    return tuple(finding_of(row) for row in _known_rows(query, reader))


class RememberFindings(Query, frozen=True):
    """The same, as `model.matching.identified` takes them: with identities, and apart by how near they are."""

    result = Known
    example = {"workflow": "Standard Code Review", "repository": "/src/service", "tool": "ruff", "ref": "main"}

    workflow: str
    repository: str
    tool: str = ""
    ref: str = ""  # what was last seen here comes first


def remember_findings(query: RememberFindings, reader: Reader) -> Known:
    """Answer `RememberFindings`."""
    rounds: tuple[list[Remembered], ...] = ([], [], [])
    for row in _known_rows(query, reader):
        place = 2 if row["seen"] == FindingState.FIXED else int(row["ref"] != query.ref)
        rounds[place].append(Remembered(finding=finding_of(row), identity=row["identity"]))
    here, elsewhere, fixed = map(tuple, rounds)
    return Known(here=here, elsewhere=elsewhere, fixed=fixed)


def finding_of(row: Mapping[str, Any]) -> Finding:  # a row of the table: SQL values, hence Any
    """The finding that a row of `findings` or `sightings` holds."""
    return Finding(
        **{name: row[name] for name in _GIVEN if name not in _TYPED},
        severity=Severity(row["severity"]),
        confidence=Confidence(row["confidence"]),
        advisories=tuple(row["advisories"]),
        owners=tuple(row["owners"]),
        aliases=tuple(row["aliases"]),
        related=from_json(row["related"], tuple[Place, ...]) if row["related"] != "[]" else (),
    )


def _known_rows(query: KnownFindings | RememberFindings, reader: Reader) -> list[dict[str, Any]]:
    flow = workflow_named(reader, query.workflow)
    table = reader.table("known_findings", workflow=flow.id, repository=query.repository, tool=query.tool)
    # Turning a value into Python costs more than reading it, times most of all.
    rows: list[dict[str, Any]] = table.select([*_GIVEN, "related", "identity", "seen", "ref"]).to_pylist()
    return rows


COMMANDS = (CommandEntry(RecordFindings, record_findings, on_workflow),)
QUERIES = (
    QueryEntry(KnownFindings, known_findings, on_workflow),
    QueryEntry(RememberFindings, remember_findings, on_workflow),
)
