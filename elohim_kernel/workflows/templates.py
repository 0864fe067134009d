"""Templates: starting a workflow from one, saving one, and seeding those of the package."""

from collections.abc import Sequence

from elohim_kernel.errors import Conflict
from elohim_kernel.model.access import GLOBAL, Need, Permission, Visibility
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import Definition, Template, TemplateSaved, TemplateSeeded, Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, anywhere, on_template, template_named
from elohim_kernel.store.unit import Reader, Unit
from elohim_kernel.workflows.definitions import (
    WorkflowSummary,
    check_may_manage,
    checked,
    create,
    summary,
    tenant_for,
)


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
    tenant = tenant_for(unit, command.visibility, command.team)
    definition = template.definition
    if command.name:
        definition = _renamed(definition, command.name)
    known = unit.by_key(Workflow, f"{tenant}/{definition.name}")
    if known is not None and known.template == template.id:
        return summary(unit, known)
    note = f"from template {template.name}, revision {template.revision}"
    return create(unit, definition, command.visibility, tenant, template=template.id, note=note)


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
    tenant = tenant_for(unit, command.visibility, command.team)
    check_may_manage(unit, tenant)
    definition = checked(command.definition)
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
            seeded = TemplateSeeded(definition=checked(definition), revision=revision, recommended=True)
            unit.emit(seeded, subject=name, scope=GLOBAL)
            changed += 1
    return changed


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
    CommandEntry(InstantiateTemplate, instantiate_template, on_template),
    CommandEntry(SaveTemplate, save_template, anywhere),
)
QUERIES = (
    QueryEntry(ListTemplates, list_templates, anywhere),
    QueryEntry(GetTemplate, get_template, on_template),
)
