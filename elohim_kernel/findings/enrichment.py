"""Proposed tests: recording what an enrichment came to, and reading it again, file by file and attempt by attempt.

A proposal is never changed and never written to the repository; whoever wants it takes its patch.
"""

from datetime import datetime
from typing import Final

from elohim_kernel.errors import Invalid, NotFound, TooLarge
from elohim_kernel.model.access import Level, Need, Permission
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.enrichment import Enrichment, EnrichmentRecorded, Score
from elohim_kernel.model.events import Event
from elohim_kernel.model.finding import EngineReport
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.value import Value, convert
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, anywhere, on_workflow, workflow_named
from elohim_kernel.store.log import event_of
from elohim_kernel.store.unit import Reader, Unit, item_named

DATA: Final = "test_enrichment"
"""Where the tests engine puts its result in the data of its report."""

MOST_ATTEMPTS: Final = 5_000
MOST_CHARACTERS: Final = 4 * 1024 * 1024


class RecordTestProposal(Command, frozen=True):
    """Record what one enrichment came to: the proposed files, every attempt, and what they are worth.

    Raises `TooLarge` when its files or its ledger are larger than a proposal may be.
    """

    need = Need(permission=Permission.WORKFLOWS_RUN, level=Level.WRITE)
    result = str
    example = {
        "workflow": "Repository Scan",
        "enrichment": {"repository": "/src/service", "base": "1f3a", "head": "9c0d"},
    }

    workflow: str
    enrichment: Enrichment
    item: str = ""
    run: str = ""


def record_test_proposal(command: RecordTestProposal, unit: Unit) -> str:
    """Handle `RecordTestProposal`; returns the id of the proposal."""
    flow = workflow_named(unit, command.workflow)
    item = item_named(unit, command.item) if command.item else None
    if item is not None and item.workflow != flow.id:
        raise Invalid(f"{item.reference} is not in workflow {flow.name!r}", hint="record it where the item is")
    _check(command.enrichment)
    identifier = new_id("te")
    unit.emit(
        EnrichmentRecorded(
            workflow=flow.id,
            enrichment=command.enrichment,
            item=item.id if item is not None else "",
            run=command.run,
        ),
        subject=identifier,
        scope=flow.id,
    )
    return identifier


def proposal_of(report: EngineReport, *, workflow: str, item: str = "", run: str = "") -> RecordTestProposal | None:
    """The command that records what the tests engine came to; `None` when its report tells of no attempt."""
    if DATA not in report.data:
        return None
    found = convert(report.data[DATA], Enrichment, what=f"report of {report.engine}")
    return RecordTestProposal(workflow=workflow, enrichment=found, item=item, run=run)


def _check(enrichment: Enrichment) -> None:
    size = sum(len(file.text) for file in enrichment.files)
    if len(enrichment.attempts) > MOST_ATTEMPTS:
        raise TooLarge(f"{len(enrichment.attempts):,} attempts in one proposal; the cap is {MOST_ATTEMPTS:,}")
    if size > MOST_CHARACTERS:
        raise TooLarge(f"{size:,} characters of tests in one proposal; the cap is {MOST_CHARACTERS:,}")


class ProposedTests(Value, frozen=True):
    """A recorded proposal. `item` is its reference; "" when it belongs to none."""

    id: str
    workflow: str
    item: str
    run: str
    proposed_at: datetime
    enrichment: Enrichment
    patch: str  # for `git apply`; "" when nothing was accepted


class ProposalSummary(Value, frozen=True):
    """One line of a list of proposals."""

    id: str
    workflow: str
    item: str
    repository: str
    base: str
    head: str
    accepted: int
    functions: int
    score: Score
    proposed_at: datetime


class GetTestProposal(Query, frozen=True):
    """One proposal with its files, its ledger and its patch."""

    result = ProposedTests
    example = {"proposal": "te_01"}

    proposal: str


def get_test_proposal(query: GetTestProposal, reader: Reader) -> ProposedTests:
    """Answer `GetTestProposal`."""
    event, data = _recorded(reader, query.proposal)
    return ProposedTests(
        id=event.subject,
        workflow=_flow(reader, data),
        item=_item(reader, data),
        run=data.run,
        proposed_at=event.when,
        enrichment=data.enrichment,
        patch=data.enrichment.patch,
    )


class ListTestProposals(Query, frozen=True):
    """Proposals of tests you can see, newest first. "" leaves a filter out."""

    result = tuple[ProposalSummary, ...]
    example = {"workflow": "Repository Scan"}

    workflow: str = ""
    item: str = ""
    limit: int = 50


def list_test_proposals(query: ListTestProposals, reader: Reader) -> tuple[ProposalSummary, ...]:
    """Answer `ListTestProposals`."""
    flow = workflow_named(reader, query.workflow).id if query.workflow else ""
    item = item_named(reader, query.item).id if query.item else ""
    rows = reader.rows("test_proposals", workflow=flow, item=item, limit=query.limit)
    found = [(event, event.data) for event in map(event_of, rows)]
    return tuple(
        ProposalSummary(
            id=event.subject,
            workflow=_flow(reader, data),
            item=_item(reader, data),
            repository=data.enrichment.repository,
            base=data.enrichment.base,
            head=data.enrichment.head,
            accepted=data.enrichment.accepted,
            functions=len(data.enrichment.functions),
            score=data.enrichment.score,
            proposed_at=event.when,
        )
        for event, data in found
        if isinstance(data, EnrichmentRecorded)
    )


def _recorded(reader: Reader, proposal: str) -> tuple[Event, EnrichmentRecorded]:
    rows = reader.rows("events_of", subject=proposal)
    event = event_of(rows[0]) if rows else None
    if event is None or not isinstance(event.data, EnrichmentRecorded):
        raise NotFound(f"there is no proposal of tests {proposal!r}", hint="see `elohim tests list`")
    return event, event.data


def _on_proposal(reader: Reader, query: GetTestProposal) -> str:
    return reader.get(Workflow, _recorded(reader, query.proposal)[1].workflow).tenant


def _flow(reader: Reader, data: EnrichmentRecorded) -> str:
    return reader.get(Workflow, data.workflow).name


def _item(reader: Reader, data: EnrichmentRecorded) -> str:
    return item_named(reader, data.item).reference if data.item else ""


COMMANDS = (CommandEntry(RecordTestProposal, record_test_proposal, on_workflow),)
QUERIES = (
    QueryEntry(GetTestProposal, get_test_proposal, _on_proposal),
    QueryEntry(ListTestProposals, list_test_proposals, anywhere),
)
