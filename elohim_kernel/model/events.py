"""The event: the one thing that is stored as truth. State is a fold of events; this module knows every kind.

`kind` is `noun.past_verb` and is the tag of the data's struct, so a kind without a documented shape cannot exist.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, get_args

import msgspec

from elohim_kernel.model import access, approval, decision, enrichment, record, run, token, work_item, workflow

EventData = (
    access.PrincipalAdded
    | access.PrincipalGranted
    | access.PrincipalGrantRemoved
    | access.PrincipalDisabled
    | access.PrincipalEnabled
    | access.TeamAdded
    | access.RoleDefined
    | token.TokenCreated
    | token.TokenRevoked
    | workflow.WorkflowCreated
    | workflow.WorkflowRevised
    | workflow.WorkflowShared
    | workflow.WorkflowArchived
    | workflow.ScheduleFired
    | workflow.TemplateSeeded
    | workflow.TemplateSaved
    | work_item.WorkItemEvent
    | approval.ApprovalEvent
    | decision.DecisionEvent
    | enrichment.EnrichmentRecorded
    | run.RunEvent
    | run.DeliveryEvent
    | record.StoreCreated
    | record.CommandRefused
    | record.CommandFailed
    | record.FindingsRecorded
    | record.RatchetSet
    | record.RecommendationMade
    | record.InboxRead
    | record.SettingsChanged
    | record.AuditExported
)


class Event(msgspec.Struct, frozen=True, gc=False):
    """One recorded fact with its place in the log. Positional on purpose: it is built for every command."""

    seq: int  # 1-based, without gaps
    when: datetime
    subject: str  # id of what it is about
    scope: str  # id of the workflow, principal or team whose viewers may see it, or "access"
    actor: str  # id of who did it
    data: EventData
    request: str = ""  # idempotency key of the command
    behalf: str = ""  # id of whom the actor acted for
    cause: str = ""  # id of the event that led to it
    depth: int = 0  # how many causes lie before it
    result: str = ""  # JSON of the command's result, on its first event

    @property
    def id(self) -> str:
        """`ev_` and the number: receivers use it as idempotency key."""
        return event_id(self.seq)

    @property
    def kind(self) -> str:
        """`noun.past_verb`."""
        return kind_of(self.data)


def event_id(seq: int) -> str:
    """The id of the event with that number.

    >>> event_id(255)
    'ev_0000000000ff'
    """
    return f"ev_{seq:012x}"


def seq_of(identifier: str) -> int:
    """The number in an event's id; raises `ValueError` when it is not one."""
    return int(identifier.removeprefix("ev_"), 16)


EVENTS: Final[Mapping[str, type[Any]]] = {  # structs of many shapes, hence Any
    str(kind.__struct_config__.tag): kind for kind in get_args(EventData)
}
_KINDS: Final = {kind: name for name, kind in EVENTS.items()}


def kind_of(data: object) -> str:
    """The kind of an event's data."""
    return _KINDS[type(data)]


Entity = (
    access.Principal
    | access.Team
    | access.Role
    | token.Token
    | workflow.Workflow
    | workflow.Template
    | work_item.WorkItem
    | approval.Approval
    | decision.FindingDecision
    | run.Run
    | run.Delivery
    | record.Inbox
)


def responsible(event: Event) -> str:
    """Id of whose doing it is: the person a service acted for, else the actor."""
    return event.behalf or event.actor


_Apply = Callable[[Any, Event], Any]  # state and data vary together by kind, which the type system cannot say


def _plain(apply: Callable[..., Any]) -> _Apply:
    return lambda state, event: apply(state, event.subject, event.data)


def _stamped(apply: Callable[..., Any]) -> _Apply:
    return lambda state, event: apply(state, event.subject, event.data, actor=responsible(event), when=event.when)


def _numbered(apply: Callable[..., Any]) -> _Apply:
    return lambda state, event: apply(
        state, event.subject, event.data, actor=responsible(event), when=event.when, seq=event.seq
    )


def _table() -> dict[type[Any], tuple[type[Any], _Apply]]:
    table: dict[type[Any], tuple[type[Any], _Apply]] = {}
    rows: list[tuple[Any, type[Any], _Apply]] = [
        (access.PrincipalAdded, access.Principal, _plain(access.apply_principal)),
        (access.PrincipalGranted, access.Principal, _plain(access.apply_principal)),
        (access.PrincipalGrantRemoved, access.Principal, _plain(access.apply_principal)),
        (access.PrincipalDisabled, access.Principal, _plain(access.apply_principal)),
        (access.PrincipalEnabled, access.Principal, _plain(access.apply_principal)),
        (access.TeamAdded, access.Team, _plain(access.apply_team)),
        (access.RoleDefined, access.Role, _plain(access.apply_role)),
        (token.TokenCreated, token.Token, _plain(token.apply_token)),
        (token.TokenRevoked, token.Token, _plain(token.apply_token)),
        (workflow.WorkflowEvent, workflow.Workflow, _stamped(workflow.apply_workflow)),
        (workflow.TemplateSeeded, workflow.Template, _plain(workflow.apply_template)),
        (workflow.TemplateSaved, workflow.Template, _plain(workflow.apply_template)),
        (work_item.WorkItemEvent, work_item.WorkItem, _numbered(work_item.apply_work_item)),
        (approval.ApprovalEvent, approval.Approval, _stamped(approval.apply_approval)),
        (decision.DecisionEvent, decision.FindingDecision, _stamped(decision.apply_decision)),
        (run.RunEvent, run.Run, _stamped(run.apply_run)),
        (run.DeliveryEvent, run.Delivery, _plain(lambda state, subject, data: run.apply_delivery(state, data))),
        (record.InboxRead, record.Inbox, _plain(record.apply_inbox)),
    ]
    for kinds, entity, apply in rows:
        for kind in get_args(kinds) or (kinds,):
            table[kind] = (entity, apply)
    return table


_FOLDS: Final = _table()


BIRTHS: Final = frozenset(
    {
        access.PrincipalAdded,
        access.TeamAdded,
        token.TokenCreated,
        workflow.WorkflowCreated,
        work_item.WorkItemOpened,
        approval.ApprovalRequested,
        decision.FindingsDecided,
        run.RunStarted,
    }
)  # kinds that begin a state: there is nothing before them to look for


def entity_of(data: object) -> type[Entity] | None:
    """The type of state this data changes; `None` when it changes none."""
    found = _FOLDS.get(type(data))
    return found[0] if found else None


def fold(state: Entity | None, event: Event) -> Entity:
    """The state after `event`. Pure: same state and event give the same result, for ever."""
    folded: Entity = _FOLDS[type(event.data)][1](state, event)
    return folded


def deliveries(event: Event) -> tuple[run.Delivery, ...]:
    """The deliveries that are born with `event`: who must deal with it besides whoever caused it."""
    entry = getattr(event.data, "entry", None)
    if not isinstance(entry, work_item.Entry) or not entry.run:
        return ()
    return (
        run.Delivery(
            id=f"dl_{event.seq:012x}_stage",
            event=event.id,
            subscriber="stage",
            subject=event.subject,
            scope=event.scope,
            status=run.DeliveryStatus.DUE,
            due_at=event.when,
            run=event.data.run if isinstance(event.data, work_item.WorkItemRetried) else "",
        ),
    )
