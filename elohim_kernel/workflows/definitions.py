"""Workflows: creating, revising, sharing, archiving, reading back."""

from collections.abc import Mapping
from datetime import datetime

from elohim_kernel.errors import Conflict, Denied, Invalid, NotFound
from elohim_kernel.model.access import (
    GLOBAL,
    Level,
    Need,
    Permission,
    Principal,
    Team,
    Verdict,
    Visibility,
    decide,
)
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.definition_text import diff, problems, to_yaml
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.schedule import upcoming
from elohim_kernel.model.value import Value, digest
from elohim_kernel.model.workflow import (
    Definition,
    Workflow,
    WorkflowArchived,
    WorkflowCreated,
    WorkflowRevised,
    WorkflowShared,
)
from elohim_kernel.store.catalogue import (
    CommandEntry,
    QueryEntry,
    anywhere,
    on_workflow,
    workflow_named,
)
from elohim_kernel.store.unit import Reader, Unit

_MANAGE = Need(permission=Permission.WORKFLOWS_MANAGE, level=Level.WRITE)


class WorkflowSummary(Value, frozen=True):
    """A workflow in a list."""

    id: str
    name: str
    visibility: Visibility
    owner: str
    revision: int
    stages: tuple[str, ...]
    category: str = ""
    template: str = ""
    archived: bool = False


class WorkflowDetails(Value, frozen=True):
    """A workflow with its definition at one revision, and who saved which."""

    id: str
    name: str
    visibility: Visibility
    owner: str
    revision: int
    revisions: tuple["SavedRevision", ...]
    definition: Definition
    yaml: str
    next_fires: Mapping[str, tuple[datetime, ...]] = {}  # the next ten slots of each schedule, in its zone


class SavedRevision(Value, frozen=True):
    """When a revision was saved, by whom."""

    number: int
    by: str
    saved_at: datetime
    note: str = ""


def checked(definition: Definition) -> Definition:
    """The definition, when nothing is wrong with it; raises `Invalid` with the path of the first problem."""
    for path, problem in problems(definition):
        raise Invalid(f"{'.'.join(map(str, path))}: {problem}")
    return definition


def tenant_for(unit: Unit, visibility: Visibility, team: str) -> str:
    """Whom a workflow of that visibility belongs to; raises `Invalid` for a team the caller is not in."""
    if visibility is Visibility.TEAM:
        found = unit.by_key(Team, team) if team else None
        if found is None or not unit.principal.sees(found.id):
            mine = sorted(one.name for one in unit.every(Team) if one.id in unit.principal.teams)
            raise Invalid(f"you are in no team called {team!r}", hint=f"you are in {', '.join(mine) or 'none'}")
        return found.id
    if team:
        raise Invalid(f"a {visibility.value} workflow has no team; leave {team!r} out or make it a team workflow")
    return GLOBAL if visibility is Visibility.GLOBAL else unit.principal.id


def check_may_manage(unit: Unit, tenant: str) -> None:
    """Raise `Denied` unless the caller may manage workflows there."""
    if decide(unit.principal, _MANAGE, tenant, unit.roles()) is not Verdict.ALLOWED:
        raise Denied(f"{unit.principal.name} lacks {_MANAGE} there", hint="make it personal, or ask for the role")


class CreateWorkflow(Command, frozen=True):
    """Create a workflow from a definition. Visibility decides who sees it and everything in it."""

    need = Need(permission=Permission.WORKFLOWS_VIEW)
    result = WorkflowSummary
    example = {"definition": {"name": "Triage", "stages": [{"key": "look", "name": "Look"}]}, "visibility": "personal"}

    definition: Definition
    visibility: Visibility = Visibility.PERSONAL
    team: str = ""
    note: str = ""


def create_workflow(command: CreateWorkflow, unit: Unit) -> WorkflowSummary:
    """Handle `CreateWorkflow`."""
    tenant = tenant_for(unit, command.visibility, command.team)
    return create(unit, checked(command.definition), command.visibility, tenant, note=command.note)


def create(
    unit: Unit, definition: Definition, visibility: Visibility, tenant: str, *, template: str = "", note: str = ""
) -> WorkflowSummary:
    """Create a workflow; raises `Denied` without the right, `Conflict` when the name is taken there."""
    check_may_manage(unit, tenant)
    if unit.by_key(Workflow, f"{tenant}/{definition.name}") is not None:
        raise Conflict(
            f"there is already a workflow {definition.name!r} there", hint="revise it, or choose another name"
        )
    name = new_id("wf")
    unit.emit(
        WorkflowCreated(
            name=definition.name,
            visibility=visibility,
            tenant=tenant,
            definition=definition,
            template=template,
            note=note,
        ),
        subject=name,
        scope=name,
    )
    return summary(unit, unit.get(Workflow, name))


class ReviseWorkflow(Command, frozen=True):
    """Save a new revision. Items keep the revision they started on. An equal definition saves nothing."""

    need = _MANAGE
    result = WorkflowSummary
    example = {"workflow": "Triage", "definition": {"name": "Triage", "stages": [{"key": "look", "name": "Look"}]}}

    workflow: str
    definition: Definition
    note: str = ""


def revise_workflow(command: ReviseWorkflow, unit: Unit) -> WorkflowSummary:
    """Handle `ReviseWorkflow`."""
    flow = workflow_named(unit, command.workflow)
    definition = checked(command.definition)
    if digest(definition) != digest(flow.current.definition):
        taken = unit.by_key(Workflow, f"{flow.tenant}/{definition.name}")
        if taken is not None and taken.id != flow.id:
            raise Conflict(f"there is already a workflow {definition.name!r} there")
        unit.emit(
            WorkflowRevised(number=flow.current.number + 1, definition=definition, note=command.note),
            subject=flow.id,
            scope=flow.id,
        )
    return summary(unit, unit.get(Workflow, flow.id))


class ShareWorkflow(Command, frozen=True):
    """Change who sees a workflow, its items, runs and findings."""

    need = Need(permission=Permission.WORKFLOWS_MANAGE, level=Level.WRITE)
    result = WorkflowSummary
    example = {"workflow": "Triage", "visibility": "team", "team": "platform"}

    workflow: str
    visibility: Visibility
    team: str = ""


def share_workflow(command: ShareWorkflow, unit: Unit) -> WorkflowSummary:
    """Handle `ShareWorkflow`."""
    flow = workflow_named(unit, command.workflow)
    tenant = tenant_for(unit, command.visibility, command.team)
    check_may_manage(unit, tenant)
    if tenant != flow.tenant:
        if unit.by_key(Workflow, f"{tenant}/{flow.name}") is not None:
            raise Conflict(f"there is already a workflow {flow.name!r} there")
        unit.emit(WorkflowShared(visibility=command.visibility, tenant=tenant), subject=flow.id, scope=flow.id)
    return summary(unit, unit.get(Workflow, flow.id))


class ArchiveWorkflow(Command, frozen=True):
    """Let no new items be opened in a workflow; those that are open go on."""

    need = _MANAGE
    result = WorkflowSummary
    example = {"workflow": "Triage", "reason": "replaced"}

    workflow: str
    reason: str = ""


def archive_workflow(command: ArchiveWorkflow, unit: Unit) -> WorkflowSummary:
    """Handle `ArchiveWorkflow`."""
    flow = workflow_named(unit, command.workflow)
    if not flow.archived:
        unit.emit(WorkflowArchived(reason=command.reason), subject=flow.id, scope=flow.id)
    return summary(unit, unit.get(Workflow, flow.id))


def summary(reader: Reader, flow: Workflow) -> WorkflowSummary:
    """The workflow as a line of a list."""
    owner = reader.find(Principal, flow.owner)
    definition = flow.current.definition
    return WorkflowSummary(
        id=flow.id,
        name=flow.name,
        visibility=flow.visibility,
        owner=owner.name if owner else flow.owner,
        revision=flow.current.number,
        stages=tuple(stage.key for stage in definition.stages),
        category=definition.category,
        template=flow.template,
        archived=flow.archived,
    )


class ListWorkflows(Query, frozen=True):
    """The workflows you can see."""

    result = tuple[WorkflowSummary, ...]
    example = {"archived": True}

    archived: bool = False


def list_workflows(query: ListWorkflows, reader: Reader) -> tuple[WorkflowSummary, ...]:
    """Answer `ListWorkflows`."""
    seen = (flow for flow in reader.every(Workflow) if reader.principal.sees(flow.tenant))
    return tuple(
        summary(reader, flow)
        for flow in sorted(seen, key=lambda flow: flow.name)
        if query.archived or not flow.archived
    )


class GetWorkflow(Query, frozen=True):
    """A workflow with its definition; `revision` 0 is the newest."""

    result = WorkflowDetails
    example = {"workflow": "Triage"}

    workflow: str
    revision: int = 0


def get_workflow(query: GetWorkflow, reader: Reader) -> WorkflowDetails:
    """Answer `GetWorkflow`."""
    flow = workflow_named(reader, query.workflow)
    revision = flow.revision(query.revision) if query.revision else flow.current

    def name(principal: str) -> str:
        found = reader.find(Principal, principal)
        return found.name if found else principal

    return WorkflowDetails(
        id=flow.id,
        name=flow.name,
        visibility=flow.visibility,
        owner=name(flow.owner),
        revision=revision.number,
        revisions=tuple(
            SavedRevision(number=one.number, by=name(one.saved_by), saved_at=one.saved_at, note=one.note)
            for one in flow.revisions
        ),
        definition=revision.definition,
        yaml=to_yaml(revision.definition),
        next_fires={one.name: upcoming(one, reader.now) for one in revision.definition.schedules},
    )


class DiffWorkflow(Query, frozen=True):
    """What changed between two revisions, as the lines of a unified diff; 0 is the newest, and the one before it."""

    result = tuple[str, ...]
    example = {"workflow": "Triage"}

    workflow: str
    before: int = 0
    after: int = 0


def diff_workflow(query: DiffWorkflow, reader: Reader) -> tuple[str, ...]:
    """Answer `DiffWorkflow`."""
    flow = workflow_named(reader, query.workflow)
    after = flow.revision(query.after) if query.after else flow.current
    number = query.before or after.number - 1
    if number < 1:
        raise NotFound(f"workflow {flow.name!r} has only one revision: there is nothing to compare it with")
    return diff(flow.revision(number).definition, after.definition)


COMMANDS = (
    CommandEntry(CreateWorkflow, create_workflow, anywhere),
    CommandEntry(ReviseWorkflow, revise_workflow, on_workflow),
    CommandEntry(ShareWorkflow, share_workflow, on_workflow),
    CommandEntry(ArchiveWorkflow, archive_workflow, on_workflow),
)
QUERIES = (
    QueryEntry(ListWorkflows, list_workflows, anywhere),
    QueryEntry(GetWorkflow, get_workflow, on_workflow),
    QueryEntry(DiffWorkflow, diff_workflow, on_workflow),
)
