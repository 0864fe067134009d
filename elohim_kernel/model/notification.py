"""Who is told what: derived from events alone, so the inbox can be rebuilt like everything else.

A recipient is an address, resolved when the inbox is read: a principal's id, `name:<name>`, `team:<name>`, or
`<workflow>|<queue>` for whoever holds the role or is in the team of that name (`<workflow>|` is everyone who sees the
workflow).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from elohim_kernel.model.access import Principal, Team
from elohim_kernel.model.approval import Approval, ApprovalEscalated, ApprovalRequested
from elohim_kernel.model.events import Entity, Event
from elohim_kernel.model.record import NotificationKind
from elohim_kernel.model.value import Value
from elohim_kernel.model.work_item import (
    Entry,
    SlaMissed,
    Status,
    WorkItem,
    WorkItemAdvanced,
    WorkItemCommented,
    WorkItemFailed,
    WorkItemOpened,
    WorkItemReassigned,
    WorkItemSentBack,
)
from elohim_kernel.model.workflow import ApprovalRule, Workflow

_ENTERING: Final = WorkItemOpened | WorkItemAdvanced | WorkItemSentBack


class Notification(Value, frozen=True):
    """One line in somebody's inbox."""

    recipient: str
    kind: NotificationKind
    item: str
    text: str
    reference: str = ""


def notifications(event: Event, after: Entity | None) -> tuple[Notification, ...]:
    """What `event` tells whom; `after` is the state it left."""
    if isinstance(after, WorkItem):
        return tuple(_about_item(event, after))
    if isinstance(after, Approval) and isinstance(event.data, ApprovalRequested | ApprovalEscalated):
        text = f"approval asked in stage {after.stage}" + (f": {after.note}" if after.note else "")
        told = (
            _deciders(after.rule, after.workflow)
            if isinstance(event.data, ApprovalRequested)
            else tuple(f"name:{name}" for name in event.data.people)
        )
        return tuple(
            Notification(recipient=who, kind=NotificationKind.APPROVAL_ASKED, item=after.item, text=text)
            for who in told
        )
    return ()


def _about_item(event: Event, item: WorkItem) -> Iterator[Notification]:
    data = event.data

    def tell(recipient: str, kind: NotificationKind, text: str) -> Notification:
        return Notification(recipient=recipient, kind=kind, item=item.id, reference=item.reference, text=text)

    if isinstance(data, _ENTERING) and not data.entry.run and not data.entry.status.is_final:
        yield tell(_waiting(item, data.entry), _arrival(data.entry), f"{item.title} is in stage {item.stage}")
    elif isinstance(data, WorkItemReassigned):
        yield tell(data.assignee, NotificationKind.ASSIGNED, f"{item.title} was given to you")
    elif isinstance(data, WorkItemCommented):
        for who in dict.fromkeys((item.assignee, item.opened_by, *data.mentions)):
            if who:
                yield tell(who, NotificationKind.COMMENTED, _line(data.text))
    elif isinstance(data, SlaMissed):
        yield tell(
            item.assignee or item.opened_by, NotificationKind.OVERDUE, f"{item.title} is overdue in {item.stage}"
        )
    elif isinstance(data, WorkItemFailed):
        yield tell(item.opened_by, NotificationKind.FAILED, _line(data.reason))


def _arrival(entry: Entry) -> NotificationKind:
    return NotificationKind.ASSIGNED if entry.assignee else NotificationKind.ARRIVED


def _waiting(item: WorkItem, entry: Entry) -> str:
    return entry.assignee if entry.status is Status.CLAIMED and entry.assignee else f"{item.workflow}|{entry.queue}"


def _deciders(rule: ApprovalRule, workflow: str) -> tuple[str, ...]:
    named = (
        *(f"name:{name}" for name in rule.people),
        *(f"{workflow}|{role}" for role in rule.roles),
        *(f"team:{team}" for team in rule.teams),
    )
    return named or (f"{workflow}|",)


def addresses(principal: Principal, workflows: Iterable[Workflow], teams: Iterable[Team]) -> list[str]:
    """Every address at which `principal` is told something."""
    mine = [principal.id, f"name:{principal.name}"]
    my_teams = [team.name for team in teams if team.id in principal.teams]
    mine += [f"team:{name}" for name in my_teams]
    for flow in workflows:
        if principal.sees(flow.tenant):
            mine += [f"{flow.id}|", *(f"{flow.id}|{queue}" for queue in (*principal.roles_in(flow.tenant), *my_teams))]
    return mine


def _line(text: str) -> str:
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first if len(first) <= 200 else first[:199] + "…"
