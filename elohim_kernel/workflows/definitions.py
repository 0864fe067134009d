"""Workflows and templates: creating, revising, sharing, starting from a template, reading back."""

from collections.abc import Sequence
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
from elohim_kernel.model.value import Value, digest
from elohim_kernel.model.workflow import (
    Definition,
    Template,
    TemplateSaved,
    TemplateSeeded,
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
    on_template,
    on_workflow,
    template_named,
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


class SavedRevision(Value, frozen=True):
    """When a revision was saved, by whom."""

    number: int
    by: str
    saved_at: datetime
    note: str = ""


def _checked(definition: Definition) -> Definition:
    for path, problem in problems(definition):
        raise Invalid(f"{'.'.join(map(str, path))}: {problem}")
    return definition


def _tenant(unit: Unit, visibility: Visibility, team: str) -> str:
    if visibility is Visibility.TEAM:
        found = unit.by_key(Team, team) if team else None
        if found is None or not unit.principal.sees(found.id):
            mine = sorted(one.name for one in unit.every(Team) if one.id in unit.principal.teams)
            raise Invalid(f"you are in no team called {team!r}", hint=f"you are in {', '.join(mine) or 'none'}")
        return found.id
    if team:
        raise Invalid(f"a {visibility.value} workflow has no team; leave {team!r} out or make it a team workflow")
    return GLOBAL if visibility is Visibility.GLOBAL else unit.principal.id


def _may_manage(unit: Unit, tenant: str) -> None:
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
    tenant = _tenant(unit, command.visibility, command.team)
    return _create(unit, _checked(command.definition), command.visibility, tenant, note=command.note)


def _create(
    unit: Unit, definition: Definition, visibility: Visibility, tenant: str, *, template: str = "", note: str = ""
) -> WorkflowSummary:
    _may_manage(unit, tenant)
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
    return _summary(unit, unit.get(Workflow, name))


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
    definition = _checked(command.definition)
    if digest(definition) != digest(flow.current.definition):
        taken = unit.by_key(Workflow, f"{flow.tenant}/{definition.name}")
        if taken is not None and taken.id != flow.id:
            raise Conflict(f"there is already a workflow {definition.name!r} there")
        unit.emit(
            WorkflowRevised(number=flow.current.number + 1, definition=definition, note=command.note),
            subject=flow.id,
            scope=flow.id,
        )
    return _summary(unit, unit.get(Workflow, flow.id))


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
    tenant = _tenant(unit, command.visibility, command.team)
    _may_manage(unit, tenant)
    if tenant != flow.tenant:
        if unit.by_key(Workflow, f"{tenant}/{flow.name}") is not None:
            raise Conflict(f"there is already a workflow {flow.name!r} there")
        unit.emit(WorkflowShared(visibility=command.visibility, tenant=tenant), subject=flow.id, scope=flow.id)
    return _summary(unit, unit.get(Workflow, flow.id))


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
    return _summary(unit, unit.get(Workflow, flow.id))


class InstantiateTemplate(Command, frozen=True):
    """Make a workflow from a template; `name` gives it another name. One that is there already is returned as it is."""

    need = Need(permission=Permission.WORKFLOWS_VIEW)
    result = WorkflowSummary
    example = {"template": "Standard Code Review", "visibility": "personal"}

    template: str
    name: str = ""
    visibility: Visibility = Visibility.PERSONAL
    team: str = ""


def instantiate_template(command: InstantiateTemplate, unit: Unit) -> WorkflowSummary:
    """Handle `InstantiateTemplate`."""
    template = template_named(unit, command.template)
    tenant = _tenant(unit, command.visibility, command.team)
    definition = template.definition
    if command.name:
        definition = _renamed(definition, command.name)
    known = unit.by_key(Workflow, f"{tenant}/{definition.name}")
    if known is not None and known.template == template.id:
        return _summary(unit, known)
    note = f"from template {template.name}, revision {template.revision}"
    return _create(unit, definition, command.visibility, tenant, template=template.id, note=note)


def _renamed(definition: Definition, name: str) -> Definition:
    return Definition(**{**{f: getattr(definition, f) for f in definition.__struct_fields__}, "name": name})


class SaveTemplate(Command, frozen=True):
    """Save a definition as a template of your own, your team's or everybody's."""

    need = Need(permission=Permission.WORKFLOWS_VIEW)
    result = str
    example = {"definition": {"name": "Triage", "stages": [{"key": "look", "name": "Look"}]}}

    definition: Definition
    visibility: Visibility = Visibility.PERSONAL
    team: str = ""


def save_template(command: SaveTemplate, unit: Unit) -> str:
    """Handle `SaveTemplate`; returns the template's id."""
    tenant = _tenant(unit, command.visibility, command.team)
    _may_manage(unit, tenant)
    definition = _checked(command.definition)
    known = unit.by_key(Template, f"{tenant}/{definition.name}")
    if known is not None and known.system:
        raise Conflict(
            f"{definition.name!r} is a system template and comes with the package", hint="choose another name"
        )
    name = known.id if known else new_id("tp")
    revision = known.revision + 1 if known else 1
    unit.emit(TemplateSaved(definition=definition, tenant=tenant, revision=revision), subject=name, scope=tenant)
    return name


def seed_templates(unit: Unit, templates: Sequence[tuple[str, int, Definition]]) -> int:
    """Put the package's templates in place, by id and revision; returns how many were new or newer. Idempotent."""
    changed = 0
    for name, revision, definition in templates:
        known = unit.find(Template, name)
        if known is None or known.revision < revision:
            seeded = TemplateSeeded(definition=_checked(definition), revision=revision, recommended=True)
            unit.emit(seeded, subject=name, scope=GLOBAL)
            changed += 1
    return changed


def _summary(reader: Reader, flow: Workflow) -> WorkflowSummary:
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

    archived: bool = False


def list_workflows(query: ListWorkflows, reader: Reader) -> tuple[WorkflowSummary, ...]:
    """Answer `ListWorkflows`."""
    seen = (flow for flow in reader.every(Workflow) if reader.principal.sees(flow.tenant))
    return tuple(
        _summary(reader, flow)
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


class TemplateSummary(Value, frozen=True):
    """A template in a list."""

    id: str
    name: str
    description: str
    category: str
    stages: tuple[str, ...]
    system: bool
    recommended: bool
    revision: int
    instances: int


class ListTemplates(Query, frozen=True):
    """The templates you can start from, recommended ones first."""

    result = tuple[TemplateSummary, ...]


def list_templates(query: ListTemplates, reader: Reader) -> tuple[TemplateSummary, ...]:
    """Answer `ListTemplates`."""
    flows = [flow for flow in reader.every(Workflow) if reader.principal.sees(flow.tenant)]
    seen = [one for one in reader.every(Template) if reader.principal.sees(one.tenant)]
    return tuple(
        TemplateSummary(
            id=one.id,
            name=one.name,
            description=one.definition.description,
            category=one.definition.category,
            stages=tuple(stage.key for stage in one.definition.stages),
            system=one.system,
            recommended=one.recommended,
            revision=one.revision,
            instances=sum(flow.template == one.id for flow in flows),
        )
        for one in sorted(seen, key=lambda one: (not one.recommended, one.name))
    )


class GetTemplate(Query, frozen=True):
    """A template's definition."""

    result = Definition
    example = {"template": "Standard Code Review"}

    template: str


def get_template(query: GetTemplate, reader: Reader) -> Definition:
    """Answer `GetTemplate`."""
    return template_named(reader, query.template).definition


COMMANDS = (
    CommandEntry(CreateWorkflow, create_workflow, anywhere),
    CommandEntry(ReviseWorkflow, revise_workflow, on_workflow),
    CommandEntry(ShareWorkflow, share_workflow, on_workflow),
    CommandEntry(ArchiveWorkflow, archive_workflow, on_workflow),
    CommandEntry(InstantiateTemplate, instantiate_template, on_template),
    CommandEntry(SaveTemplate, save_template, anywhere),
)
QUERIES = (
    QueryEntry(ListWorkflows, list_workflows, anywhere),
    QueryEntry(GetWorkflow, get_workflow, on_workflow),
    QueryEntry(DiffWorkflow, diff_workflow, on_workflow),
    QueryEntry(ListTemplates, list_templates, anywhere),
    QueryEntry(GetTemplate, get_template, on_template),
)
