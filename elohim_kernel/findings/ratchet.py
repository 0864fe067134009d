"""The ratchet of a repository: how many findings of each rule each folder may have. It turns only one way by itself."""

import hashlib
from collections import Counter
from datetime import datetime

from elohim_kernel.errors import Invalid
from elohim_kernel.findings.decisions import DECIDE
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.ratchet import RatchetCount, folder_of, ratchet_problems
from elohim_kernel.model.record import RatchetSet
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, on_workflow, workflow_named
from elohim_kernel.store.log import event_of
from elohim_kernel.store.unit import Reader, Unit


class Ratchet(Value, frozen=True):
    """What is allowed, what there is, and what there is too much of. `set_at` None: nothing was set yet."""

    workflow: str
    repository: str
    allowed: tuple[RatchetCount, ...]
    counts: tuple[RatchetCount, ...]
    problems: tuple[str, ...]
    set_at: datetime | None
    reason: str = ""


class SetRatchet(Command, frozen=True):
    """Allow from now on as many findings as there are. For more of any than before, say why in `allow_rise`."""

    need = DECIDE
    result = Ratchet
    example = {"workflow": "Standard Code Review", "repository": "/src/service"}

    workflow: str
    repository: str
    allow_rise: str = ""


def set_ratchet(command: SetRatchet, unit: Unit) -> Ratchet:
    """Handle `SetRatchet`; raises `Invalid` naming what would rise."""
    flow = workflow_named(unit, command.workflow)
    before = _ratchet(unit, flow, command.repository)
    risen = before.problems if before.set_at is not None else ()
    if risen and not command.allow_rise.strip():
        what = f"{risen[0]}{f' and {len(risen) - 1} more' if len(risen) > 1 else ''}"
        raise Invalid(f"there is more than before: {what}", hint="fix them, or say why they may stay")
    data = RatchetSet(
        workflow=flow.id,
        repository=command.repository,
        counts=before.counts,
        risen=risen,
        reason=command.allow_rise,
    )
    unit.emit(data, subject=_subject(flow, command.repository), scope=flow.id)
    return Ratchet(
        workflow=flow.name,
        repository=command.repository,
        allowed=before.counts,
        counts=before.counts,
        problems=(),
        set_at=unit.now,
        reason=command.allow_rise,
    )


class GetRatchet(Query, frozen=True):
    """What a repository may have of each rule in each folder, what it has, and what is too much."""

    result = Ratchet
    example = {"workflow": "Standard Code Review", "repository": "/src/service"}

    workflow: str
    repository: str


def get_ratchet(query: GetRatchet, reader: Reader) -> Ratchet:
    """Answer `GetRatchet`."""
    return _ratchet(reader, workflow_named(reader, query.workflow), query.repository)


def _ratchet(reader: Reader, flow: Workflow, repository: str) -> Ratchet:
    last = reader.rows("events_of", subject=_subject(flow, repository))
    event = event_of(last[-1]) if last else None
    data = event.data if event is not None and isinstance(event.data, RatchetSet) else None
    counts = _counts(reader, flow, repository)
    return Ratchet(
        workflow=flow.name,
        repository=repository,
        allowed=data.counts if data else (),
        counts=counts,
        problems=ratchet_problems(counts, data.counts) if data else (),
        set_at=event.when if event else None,
        reason=data.reason if data else "",
    )


def _counts(reader: Reader, flow: Workflow, repository: str) -> tuple[RatchetCount, ...]:
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in reader.rows("findings_per_place", workflow=flow.id, repository=repository):
        counted[row["tool"], row["rule"], folder_of(row["path"])] += row["n"]
    return tuple(
        RatchetCount(tool=tool, rule=rule, folder=folder, count=number)
        for (tool, rule, folder), number in sorted(counted.items())
    )


def _subject(flow: Workflow, repository: str) -> str:
    return "rt_" + hashlib.sha256(f"{flow.id}\x1f{repository}".encode()).hexdigest()[:32]


COMMANDS = (CommandEntry(SetRatchet, set_ratchet, on_workflow),)
QUERIES = (QueryEntry(GetRatchet, get_ratchet, on_workflow),)
