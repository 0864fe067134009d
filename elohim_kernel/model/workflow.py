"""Workflows: ordered stages with routes and guards, saved as numbered revisions; and templates to start one from."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from elohim_kernel.errors import NotFound
from elohim_kernel.model.access import GLOBAL, Visibility
from elohim_kernel.model.decision import FindingsPolicy
from elohim_kernel.model.form import Field
from elohim_kernel.model.schedule import Schedule
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.value import Value

END = "end"  # a route's target that finishes the item


class AssignTo(StrEnum):
    """How a person's stage finds its person."""

    QUEUE = "queue"  # whoever claims it
    ROLE = "role"  # whoever holds the role claims it
    PERSON = "person"
    ROUND_ROBIN = "round_robin"  # members of a team in turn


class Assignment(Value, frozen=True):
    """Who gets a stage; `who` is a principal's name, a role's or a team's, as `to` says."""

    to: AssignTo = AssignTo.QUEUE
    who: str = ""


class Route(Value, frozen=True):
    """Where an item goes next: to stage `to`, or `end`, when the guard `when` is true; "" is always true."""

    to: str
    when: str = ""
    label: str = ""


class OnExpiry(StrEnum):
    """What happens to an approval nobody closed in time."""

    REJECT = "reject"
    ESCALATE = "escalate"


class ApprovalRule(Value, frozen=True):
    """Who must approve before the item may go on. Names are principals' names, roles and teams."""

    need: int = 1
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    forbid_requester: bool = True  # four eyes: whoever asked does not decide
    forbid_last_editor: bool = True
    quorum: bool = False  # False: the first rejection closes it
    expires_minutes: int = 0  # 0: never
    on_expiry: OnExpiry = OnExpiry.REJECT
    escalate_to: tuple[str, ...] = ()  # people added when it escalates

    @property
    def is_named(self) -> bool:
        """Whether it says who may decide; if not, anybody with the permission may."""
        return bool(self.roles or self.people or self.teams)


class Stage(Value, frozen=True):
    """One step of a workflow."""

    key: str
    name: str
    type: StageType = StageType.HUMAN
    description: str = ""
    assignment: Assignment = Assignment()
    form: tuple[Field, ...] = ()
    sla_minutes: int = 0  # 0: none
    routes: tuple[Route, ...] = ()  # tried in order; none passing falls to `next`
    next: str = ""  # "": the stage written after this one; "end": finish
    on_reject: str = ""  # where a rejected approval sends the item; "": the stage it came from
    requires_approval: ApprovalRule | None = None
    auto_advance: bool = True  # automated stages: go on by themselves when done
    playbook: str = ""  # AUTOMATION: the notebook's name
    parameters: Mapping[str, str] = {}  # AUTOMATION: parameter → a name in the item, such as "reference" or "data.base"
    agent_prompt: str = ""  # "": the type's default
    agent_target_path: str = ""
    agent_model_hint: str = ""
    agent_auto_apply: bool = False

    @property
    def prompt(self) -> str:
        """The stage's prompt, or its type's default."""
        return self.agent_prompt or self.type.traits.prompt


class Definition(Value, frozen=True):
    """What a workflow does: the part that is versioned."""

    name: str
    stages: tuple[Stage, ...]
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    icon: str = ""
    title: str = ""  # a pattern for the titles of items; "" uses what is given on opening
    labels: Mapping[str, str] = {}
    schedules: tuple[Schedule, ...] = ()  # when it opens an item by itself, with its owner's rights
    findings: FindingsPolicy = FindingsPolicy()  # what it wants of decisions about findings

    def stage(self, key: str) -> Stage:
        """The stage with that key; raises `NotFound` naming the ones there are."""
        for stage in self.stages:
            if stage.key == key:
                return stage
        raise NotFound(f"workflow {self.name!r} has no stage {key!r}; it has {', '.join(s.key for s in self.stages)}")

    def after(self, stage: Stage) -> str:
        """The key of the default next stage, or `END`."""
        if stage.next:
            return stage.next
        keys = [each.key for each in self.stages]
        place = keys.index(stage.key) + 1
        return keys[place] if place < len(keys) else END


class Revision(Value, frozen=True):
    """One saved state of a definition."""

    number: int
    definition: Definition
    saved_by: str
    saved_at: datetime
    note: str = ""


class Workflow(Value, frozen=True):
    """A workflow people work in. An item keeps the revision it started on."""

    id: str
    name: str
    visibility: Visibility
    tenant: str  # GLOBAL, a team's id, or the owner's id
    owner: str
    revisions: tuple[Revision, ...]
    template: str = ""  # id of the template it was made from
    archived: bool = False
    fired: Mapping[str, datetime] = {}  # the last slot of each schedule that was dealt with

    @property
    def current(self) -> Revision:
        """The newest revision."""
        return self.revisions[-1]

    def revision(self, number: int) -> Revision:
        """A revision by number; raises `NotFound` naming the range there is."""
        for each in self.revisions:
            if each.number == number:
                return each
        raise NotFound(f"workflow {self.name!r} has no revision {number}; it has 1 to {len(self.revisions)}")


class Template(Value, frozen=True):
    """A definition to start from. System templates come with the package and its revision."""

    id: str
    name: str
    tenant: str
    definition: Definition
    system: bool = False
    recommended: bool = False
    revision: int = 1


class WorkflowCreated(Value, frozen=True, tag="workflow.created"):
    """A workflow was created, with its first revision."""

    name: str
    visibility: Visibility
    tenant: str
    definition: Definition
    template: str = ""
    note: str = ""


class WorkflowRevised(Value, frozen=True, tag="workflow.revised"):
    """A new revision was saved."""

    number: int
    definition: Definition
    note: str = ""


class WorkflowShared(Value, frozen=True, tag="workflow.shared"):
    """Who can see the workflow changed."""

    visibility: Visibility
    tenant: str


class WorkflowArchived(Value, frozen=True, tag="workflow.archived"):
    """No new items may be opened in it."""

    reason: str = ""


class ScheduleFired(Value, frozen=True, tag="schedule.fired"):
    """A slot of a schedule was dealt with: it opened an item, or was only counted."""

    schedule: str
    slot: datetime
    item: str = ""  # id of the item it opened; "" for none
    skipped: int = 0  # slots that passed without firing
    problem: str = ""  # why it could not fire


class TemplateSeeded(Value, frozen=True, tag="template.seeded"):
    """A template of the package was put in place, or brought to the package's revision."""

    definition: Definition
    revision: int
    recommended: bool = False


class TemplateSaved(Value, frozen=True, tag="template.saved"):
    """A person saved a template of their own or their team's."""

    definition: Definition
    tenant: str
    revision: int


WorkflowEvent = WorkflowCreated | WorkflowRevised | WorkflowShared | WorkflowArchived | ScheduleFired


def apply_workflow(
    state: Workflow | None, subject: str, data: WorkflowEvent, *, actor: str, when: datetime
) -> Workflow:
    """Fold one event into a workflow."""
    if isinstance(data, WorkflowCreated):
        first = Revision(number=1, definition=data.definition, saved_by=actor, saved_at=when, note=data.note)
        return Workflow(
            id=subject,
            name=data.name,
            visibility=data.visibility,
            tenant=data.tenant,
            owner=actor,
            revisions=(first,),
            template=data.template,
        )
    assert state is not None
    match data:
        case WorkflowRevised():
            saved = Revision(
                number=data.number, definition=data.definition, saved_by=actor, saved_at=when, note=data.note
            )
            return replace(state, revisions=(*state.revisions, saved), name=data.definition.name)
        case WorkflowShared():
            return replace(state, visibility=data.visibility, tenant=data.tenant)
        case WorkflowArchived():
            return replace(state, archived=True)
        case ScheduleFired():
            return replace(state, fired={**state.fired, data.schedule: data.slot})


def apply_template(state: Template | None, subject: str, data: TemplateSeeded | TemplateSaved) -> Template:
    """Fold one event into a template."""
    seeded = isinstance(data, TemplateSeeded)
    return Template(
        id=subject,
        name=data.definition.name,
        tenant=GLOBAL if isinstance(data, TemplateSeeded) else data.tenant,
        definition=data.definition,
        system=seeded,
        recommended=isinstance(data, TemplateSeeded) and data.recommended,
        revision=data.revision,
    )
