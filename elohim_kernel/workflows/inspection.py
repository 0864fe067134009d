"""Looking at work items: one with everything about it, a queue in its order, one's inbox."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from elohim_kernel.model.access import Principal, Team
from elohim_kernel.model.approval import Approval
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.events import EventData, event_id
from elohim_kernel.model.form import Field
from elohim_kernel.model.notification import addresses
from elohim_kernel.model.recommendation import Recommendation
from elohim_kernel.model.record import FindingsRecorded, Inbox, InboxRead, RecommendationMade
from elohim_kernel.model.value import Value
from elohim_kernel.model.work_item import (
    Attachment,
    Link,
    Priority,
    Status,
    WorkItem,
    WorkItemAdvanced,
    WorkItemCancelled,
    WorkItemCommented,
    WorkItemFailed,
    WorkItemOpened,
    WorkItemRetried,
    WorkItemSentBack,
    WorkItemWaiting,
)
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, anywhere, on_item, on_self
from elohim_kernel.store.log import event_of
from elohim_kernel.store.unit import Reader, Unit, item_named
from elohim_kernel.workflows.approvals import Asked, asked


class HistoryEntry(Value, frozen=True, rename={"from_": "from"}):
    """One move of an item. `from_`, outside Python `from`, is "" for the opening."""

    from_: str
    to: str
    by: str
    when: datetime
    note: str = ""
    why: tuple[str, ...] = ()  # the guards that were asked on leaving the stage, with their clauses' values


class Comment(Value, frozen=True):
    """Something said about an item."""

    by: str
    when: datetime
    text: str


class ItemFinding(Value, frozen=True):
    """A finding that was sighted while working on the item."""

    id: str
    severity: str
    rule: str
    path: str
    line: int
    message: str
    state: str
    tool: str = ""
    symbol: str = ""
    confidence: str = ""
    category: str = ""
    on_changed_line: bool = False
    fingerprint: str = ""
    remediation: str = ""


class ItemSummary(Value, frozen=True):
    """An item in a list. People are given by name."""

    reference: str
    id: str
    title: str
    workflow: str
    stage: str
    stage_type: str
    status: Status
    priority: Priority
    assignee: str
    sla_due: datetime | None
    overdue: bool
    tags: tuple[str, ...]
    opened_at: datetime


class ItemDetails(Value, frozen=True):
    """An item with everything that is known about it."""

    reference: str
    id: str
    title: str
    workflow: str
    revision: int
    stage: str
    stage_type: str
    status: Status
    priority: Priority
    assignee: str
    visibility: str
    opened_by: str
    opened_at: datetime
    sla_due: datetime | None
    overdue: bool
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    attachments: tuple[Attachment, ...]
    data: Mapping[str, Any]  # JSON, hence Any
    facts: Mapping[str, Any]
    history: tuple[HistoryEntry, ...]
    comments: tuple[Comment, ...]
    findings: tuple[ItemFinding, ...]
    recommendation: Recommendation | None
    approvals: tuple[Asked, ...]
    form: tuple[Field, ...] = ()  # what completing its stage asks
    resolution: str = ""
    workflow_id: str = ""  # names are unique in one place only


class GetItem(Query, frozen=True):
    """One item by reference or id, with its history, findings, recommendation and approvals."""

    result = ItemDetails
    example = {"item": "EL-1"}

    item: str


def get_item(query: GetItem, reader: Reader) -> ItemDetails:
    """Answer `GetItem`."""
    item = item_named(reader, query.item)
    flow = reader.get(Workflow, item.workflow)
    story = _story(reader, item)
    sighted = reader.rows("findings_of_item", item=item.id) if story.sighted else []
    return ItemDetails(
        reference=item.reference,
        id=item.id,
        title=item.title,
        workflow=flow.name,
        revision=item.revision,
        stage=item.stage,
        stage_type=item.stage_type,
        status=item.status,
        priority=item.priority,
        assignee=_name(reader, item.assignee),
        visibility=flow.visibility.value,
        opened_by=_name(reader, item.opened_by),
        opened_at=item.opened_at,
        sla_due=item.sla_due,
        overdue=item.overdue,
        tags=item.tags,
        links=item.links,
        attachments=item.attachments,
        data=item.data,
        facts=item.facts,
        history=tuple(story.history),
        comments=tuple(story.comments),
        findings=tuple(ItemFinding(**row) for row in sighted),
        recommendation=story.recommendation,
        approvals=tuple(asked(reader, reader.get(Approval, one)) for one in story.approvals),
        form=() if item.status.is_final else flow.revision(item.revision).definition.stage(item.stage).form,
        resolution=item.resolution,
        workflow_id=flow.id,
    )


def _name(reader: Reader, principal: str) -> str:
    found = reader.find(Principal, principal) if principal else None
    return found.name if found else principal


class _Story(msgspec.Struct):
    """What an item's events tell, in their order."""

    history: list[HistoryEntry] = []
    comments: list[Comment] = []
    approvals: list[str] = []  # ids
    recommendation: Recommendation | None = None
    sighted: bool = False  # an engine saw something


def _story(reader: Reader, item: WorkItem) -> _Story:
    story = _Story()
    for event in map(event_of, reader.rows("events_of", subject=item.id)):
        by = _name(reader, event.behalf or event.actor)
        data = event.data
        match data:
            case WorkItemCommented():
                story.comments.append(Comment(by=by, when=event.when, text=data.text))
            case WorkItemWaiting() if data.approval:
                story.approvals.append(data.approval)
            case RecommendationMade():
                story.recommendation = data.recommendation
            case FindingsRecorded():
                story.sighted |= data.count > 0
            case _:
                story.history.extend(_move(data, by, event.when))
    return story


def _move(data: EventData, by: str, when: datetime) -> Iterator[HistoryEntry]:
    match data:
        case WorkItemOpened():
            yield HistoryEntry(from_="", to=data.entry.stage, by=by, when=when, note="opened")
        case WorkItemAdvanced(entry=entry, note=note, tried=tried):
            yield HistoryEntry(from_=data.from_stage, to=entry.stage, by=by, when=when, note=note, why=tried)
        case WorkItemSentBack():
            yield HistoryEntry(from_=data.from_stage, to=data.entry.stage, by=by, when=when, note=data.note)
        case WorkItemCancelled():
            yield HistoryEntry(from_=data.from_stage, to="cancelled", by=by, when=when, note=data.reason)
        case WorkItemFailed():
            yield HistoryEntry(from_=data.from_stage, to="failed", by=by, when=when, note=data.reason)
        case WorkItemRetried():
            yield HistoryEntry(from_="failed", to=data.entry.stage, by=by, when=when, note=data.note)


class ListItems(Query, frozen=True):
    """Items you can see, in queue order: by priority, age or SLA; newest first by number. "" leaves a filter out.

    `assignee` may be `me`.
    """

    result = tuple[ItemSummary, ...]
    example = {"status": "pending", "order": "priority"}

    status: str = ""
    stage: str = ""
    workflow: str = ""
    assignee: str = ""
    tag: str = ""
    text: str = ""
    open: bool = False
    order: Literal["priority", "age", "sla", "number"] = "number"
    limit: int = 100


def list_items(query: ListItems, reader: Reader) -> tuple[ItemSummary, ...]:
    """Answer `ListItems`."""
    assignee = query.assignee
    if assignee:
        found = reader.principal if assignee == "me" else reader.by_key(Principal, assignee)
        assignee = found.id if found else assignee
    flow = ""
    if query.workflow:
        seen = [one for one in reader.every(Workflow) if reader.principal.sees(one.tenant)]
        flow = next((one.id for one in seen if query.workflow in (one.name, one.id)), query.workflow)
    rows = reader.rows(
        f"items_by_{query.order}",
        status=query.status,
        stage=query.stage,
        workflow=flow,
        assignee=assignee,
        tag=query.tag,
        text=query.text,
        open=query.open,
        limit=query.limit,
    )
    return tuple(summary(reader, reader.get(WorkItem, row["id"])) for row in rows)


def summary(reader: Reader, item: WorkItem) -> ItemSummary:
    """The item as a line of a list."""
    return ItemSummary(
        reference=item.reference,
        id=item.id,
        title=item.title,
        workflow=reader.get(Workflow, item.workflow).name,
        stage=item.stage,
        stage_type=item.stage_type,
        status=item.status,
        priority=item.priority,
        assignee=_name(reader, item.assignee),
        sla_due=item.sla_due,
        overdue=item.overdue,
        tags=item.tags,
        opened_at=item.opened_at,
    )


class Told(Value, frozen=True):
    """One notification."""

    event: str
    kind: str
    reference: str
    text: str
    by: str
    when: datetime
    unread: bool


class GetInbox(Query, frozen=True):
    """What you were told, newest first."""

    result = tuple[Told, ...]
    example = {"unread": False}

    unread: bool = True
    limit: int = 50


def get_inbox(query: GetInbox, reader: Reader) -> tuple[Told, ...]:
    """Answer `GetInbox`."""
    inbox = reader.find(Inbox, _inbox_id(reader))
    read_to = inbox.read_to if inbox else 0
    rows = reader.rows(
        "inbox",
        addresses=addresses(reader.principal, reader.every(Workflow), reader.every(Team)),
        me=reader.principal.id,
        after=read_to if query.unread else 0,
        limit=query.limit,
    )
    return tuple(
        Told(
            event=event_id(row["seq"]),
            kind=row["kind"],
            reference=row["reference"] or _reference(reader, row["item"]),
            text=row["text"],
            by=_name(reader, row["actor"]),
            when=row["told_at"],
            unread=row["seq"] > read_to,
        )
        for row in rows
    )


def _reference(reader: Reader, item: str) -> str:
    found = reader.find(WorkItem, item)
    return found.reference if found else ""


def _inbox_id(reader: Reader) -> str:
    return f"ib_{reader.principal.id}"


class ReadInbox(Command, frozen=True):
    """Mark your notifications as read, up to an event, or all of them."""

    need = Query.need
    example = {"upto": 120}

    upto: int = 0


def read_inbox(command: ReadInbox, unit: Unit) -> None:
    """Handle `ReadInbox`."""
    # What has not happened yet cannot have been read.
    newest = unit.next_seq - 1
    upto = min(command.upto or newest, newest)
    unit.emit(InboxRead(read_to=upto), subject=_inbox_id(unit), scope=unit.principal.id)


COMMANDS = (CommandEntry(ReadInbox, read_inbox, on_self),)
QUERIES = (
    QueryEntry(GetItem, get_item, on_item),
    QueryEntry(ListItems, list_items, anywhere),
    QueryEntry(GetInbox, get_inbox, on_self),
)
