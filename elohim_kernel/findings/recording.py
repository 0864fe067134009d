"""Recording an engine's result: one event with the account of the run, and the sightings as rows beside it."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.access import Level, Need, Permission
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.record import FindingsRecorded
from elohim_kernel.model.value import Value
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
)
FINDING_ROWS: Final = pa.schema([*(SIGHTINGS.field(name) for name in _GIVEN), ("identity", pa.string())])


class Recorded(Value, frozen=True):
    """How many sightings were recorded, under which event."""

    event: int
    count: int


class RecordFindings(Command, frozen=True):
    """Record what one engine did and saw. `rows` are findings as Arrow IPC, made by `finding_rows`.

    `covered` are the files it really analysed: known findings of the tool there that were not seen again become fixed.
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
    rows: bytes = b""


def finding_rows(findings: Sequence[Finding], identities: Sequence[str] | None = None) -> bytes:
    """Findings as the rows `RecordFindings` takes; `identities` are the fingerprints they are known by already."""
    columns: list[list[Any]] = [[getattr(finding, name) for finding in findings] for name in _GIVEN]
    columns.append(list(identities) if identities is not None else [finding.fingerprint for finding in findings])
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, FINDING_ROWS, strict=True)]
    return to_ipc(pa.Table.from_arrays(arrays, schema=FINDING_ROWS))


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
    arrays: list[Any] = []
    for field in SIGHTINGS:
        if field.name == "finding":
            arrays.append(pa.array(names, pa.string()))
        elif field.name in constant:
            arrays.append(pa.repeat(pa.scalar(constant[field.name], field.type), count))
        else:
            arrays.append(rows.column(field.name))
    return pa.Table.from_arrays(arrays, schema=SIGHTINGS)


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
    flow = workflow_named(reader, query.workflow)
    rows = reader.rows("known_findings", repository=query.repository, tool=query.tool)
    return tuple(
        Finding(
            **{name: row[name] for name in _GIVEN if name not in ("severity", "confidence")},
            severity=Severity(row["severity"]),
            confidence=Confidence(row["confidence"]),
        )
        for row in rows
        if row["scope"] == flow.id
    )


COMMANDS = (CommandEntry(RecordFindings, record_findings, on_workflow),)
QUERIES = (QueryEntry(KnownFindings, known_findings, on_workflow),)
