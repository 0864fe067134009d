"""Moving an item into a stage, with what comes with it: assignment, the clock, and the approval a stage asks for.

Every way an item can move ends here, so a stage is entered alike whoever sends the item there.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from elohim_kernel.errors import Invalid
from elohim_kernel.model.access import Principal, Team
from elohim_kernel.model.approval import Approval, ApprovalClosed, ApprovalRequested, ApprovalStatus, difference
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.life_cycle import choose, enter, facts_for
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.value import digest, plain
from elohim_kernel.model.work_item import Entry, WorkItem, WorkItemAdvanced, WorkItemWaiting
from elohim_kernel.model.workflow import ApprovalRule, AssignTo, Definition, Stage, Workflow
from elohim_kernel.store.unit import Unit


def definition_of(unit: Unit, item: WorkItem) -> Definition:
    """The definition of the revision the item started on."""
    return unit.get(Workflow, item.workflow).revision(item.revision).definition


def entry_into(unit: Unit, flow: Workflow, definition: Definition, key: str, number: int) -> Entry:
    """How item `number` of `flow` arrives in stage `key`."""

    def resolve(to: AssignTo, name: str, turn: int) -> str:
        if to is AssignTo.PERSON:
            return person_in(unit, flow, name).id
        return _in_turn(unit, flow, name, turn).id

    return enter(definition, key, number=number, now=unit.now, resolve=resolve)


def person_in(unit: Unit, flow: Workflow, name: str) -> Principal:
    """The principal called `name`, who must see the workflow. Raises `Invalid`, the same for absent and blind."""
    found = unit.by_key(Principal, name) or unit.find(Principal, name)
    if found is None or not found.active or not found.sees(flow.tenant):
        raise Invalid(
            f"nobody called {name!r} works in {flow.name!r}", hint="add them to its team, or share the workflow"
        )
    return found


def _in_turn(unit: Unit, flow: Workflow, team_name: str, turn: int) -> Principal:
    team = unit.by_key(Team, team_name)
    # Only those who see the workflow: naming another's team must not tell who is in it, nor whether it exists.
    members = sorted(
        (
            one
            for one in unit.every(Principal)
            if team and one.active and team.id in one.teams and one.sees(flow.tenant)
        ),
        key=lambda one: one.name,
    )
    if not members:
        raise Invalid(
            f"team {team_name!r} has nobody to take turns", hint="elohim access user grant NAME ROLE --team TEAM"
        )
    return members[turn % len(members)]


def advance(
    unit: Unit,
    item: WorkItem,
    *,
    note: str = "",
    outcome: str = "",
    data: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    to: str = "",
) -> WorkItem:
    """Complete the item's stage and take it where its routes lead, or to stage `to` when given."""
    flow = unit.get(Workflow, item.workflow)
    definition = flow.revision(item.revision).definition
    stage = definition.stage(item.stage)
    # Facts are only gathered for stages whose routes ask for them: most have none.
    known = {**facts_for(item, now=unit.now, outcome=outcome, data=data), **(facts or {})} if stage.routes else {}
    chosen = choose(definition, stage, known)
    target = to or chosen.to
    unit.emit(
        WorkItemAdvanced(
            from_stage=item.stage,
            entry=entry_into(unit, flow, definition, target, item.number),
            note=note,
            outcome=outcome,
            data=data or {},
            facts=facts or {},
            why="" if to else chosen.why,
            tried=() if to else chosen.tried,
        ),
        subject=item.id,
        scope=item.workflow,
    )
    return arrived(unit, item.id)


def arrived(unit: Unit, item_id: str) -> WorkItem:
    """What entering a stage brings with it: an APPROVAL stage asks at once."""
    item = unit.get(WorkItem, item_id)
    if item.status.is_final or item.stage_type != StageType.APPROVAL:
        return item
    stage = definition_of(unit, item).stage(item.stage)
    ask_approval(unit, item, stage, stage.requires_approval or ApprovalRule())
    return unit.get(WorkItem, item_id)


def ask_approval(
    unit: Unit, item: WorkItem, stage: Stage, rule: ApprovalRule, *, note: str = "", replaces: Approval | None = None
) -> str:
    """Open an approval of the item as it stands; returns its id. The item waits.

    One that `replaces` another is still asked for by whoever asked first: they do not get to decide it either.
    """
    subject = shown(item)
    name = new_id("ap")
    unit.emit(
        ApprovalRequested(
            item=item.id,
            workflow=item.workflow,
            stage=stage.key,
            rule=rule,
            subject=subject,
            digest=digest(subject),
            requested_by=replaces.requested_by if replaces else unit.principal.id,
            last_editor=item.last_editor,
            expires_at=unit.now + timedelta(minutes=rule.expires_minutes) if rule.expires_minutes else None,
            note=note,
            replaces=replaces.id if replaces else "",
        ),
        subject=name,
        scope=item.workflow,
    )
    unit.emit(WorkItemWaiting(approval=name), subject=item.id, scope=item.workflow)
    return name


def shown(item: WorkItem) -> dict[str, Any]:
    """What approvers are shown, and what their decision is bound to. JSON, hence `Any`."""
    return {
        "reference": item.reference,
        "title": item.title,
        "stage": item.stage,
        "revision": item.revision,
        "data": plain(item.data),
        "attachments": plain(item.attachments),
        "links": plain(item.links),
    }


def renew_approval(unit: Unit, item_id: str) -> None:
    """After a change to an item that waits: the old approval is stale, with the difference, and a new one is asked."""
    item = unit.get(WorkItem, item_id)
    if not item.approval:
        return
    old = unit.get(Approval, item.approval)
    subject = shown(item)
    if digest(subject) == old.digest:
        return
    changed = difference(old.subject, subject)
    unit.emit(
        ApprovalClosed(status=ApprovalStatus.STALE, reason="what was shown has changed", changed=changed),
        subject=old.id,
        scope=old.workflow,
    )
    stage = definition_of(unit, item).stage(item.stage)
    ask_approval(unit, item, stage, old.rule, note=old.note, replaces=old)


def withdraw_approval(unit: Unit, item: WorkItem, reason: str) -> None:
    """Close the item's open approval, if it has one, because the item goes elsewhere."""
    if item.approval:
        unit.emit(
            ApprovalClosed(status=ApprovalStatus.WITHDRAWN, reason=reason), subject=item.approval, scope=item.workflow
        )
