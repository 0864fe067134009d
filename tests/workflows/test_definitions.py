"""Workflows and templates: made, revised with a difference, shared, archived, started from."""

import pytest

from elohim_kernel import registry
from elohim_kernel.errors import Conflict, Denied, Invalid, NotFound
from elohim_kernel.model.access import Visibility
from elohim_kernel.model.definition_text import parse_definition
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.definitions import (
    ArchiveWorkflow,
    CreateWorkflow,
    GetWorkflow,
    ListWorkflows,
    ReviseWorkflow,
    ShareWorkflow,
)
from elohim_kernel.workflows.templates import GetTemplate, InstantiateTemplate, SaveTemplate

FLOW = "name: Triage\ncategory: care\nstages: [{key: look}]"
LONGER = "name: Triage\ncategory: care\nstages: [{key: look}, {key: decide}]"


@pytest.fixture
def ann() -> Workbench:
    return memory_workbench(
        people={"ann": "maintainer", "bo": "analyst", "cy": ""}, teams={"red": {"ann": "maintainer", "cy": "viewer"}}
    )


def names(wb: Workbench) -> list[str]:
    return [flow.name for flow in wb.workflows()]


@pytest.mark.parametrize(
    ("where", "who"),
    [
        ({}, {"ann"}),
        ({"visibility": "team", "team": "red"}, {"ann", "cy"}),
        ({"visibility": "global"}, {"ann", "bo", "cy"}),
    ],
)
def test_visibility_says_who_sees_a_workflow(ann: Workbench, where: dict[str, str], who: set[str]):
    ann.define(FLOW, **where)

    assert {name for name in ("ann", "bo", "cy") if names(ann.acting_as(name))} == who


def test_sharing_changes_who_sees_it_with_everything_in_it(ann: Workbench):
    ann.define(FLOW)
    ann.open_item("Triage", "x")
    cy = ann.acting_as("cy")

    seen = []
    for where in ({"visibility": "team", "team": "red"}, {"visibility": "personal"}, {"visibility": "global"}):
        ann.do(ShareWorkflow(workflow="Triage", visibility=Visibility(where["visibility"]), team=where.get("team", "")))
        seen.append((len(cy.items()), len(cy.sql("from history").rows()), len(ann.acting_as("bo").items())))

    assert seen == [(1, 1, 0), (0, 0, 0), (1, 1, 1)]


def test_a_workflow_can_only_be_put_where_one_may_manage(ann: Workbench):
    definition = parse_definition(FLOW)

    with pytest.raises(Denied, match=r"workflows\.manage"):
        ann.acting_as("bo").do(CreateWorkflow(definition=definition, visibility=Visibility.GLOBAL))
    with pytest.raises(Denied):
        ann.acting_as("cy").do(CreateWorkflow(definition=definition, visibility=Visibility.TEAM, team="red"))
    for team in ("red", "nowhere"):
        with pytest.raises(Invalid, match=f"you are in no team called '{team}'"):
            ann.acting_as("bo").do(CreateWorkflow(definition=definition, visibility=Visibility.TEAM, team=team))
    with pytest.raises(Invalid, match="has no team"):
        ann.do(CreateWorkflow(definition=definition, team="red"))


def test_names_are_unique_where_they_are(ann: Workbench):
    definition = parse_definition(FLOW)
    ann.do(CreateWorkflow(definition=definition))

    with pytest.raises(Conflict, match="already a workflow 'Triage'"):
        ann.do(CreateWorkflow(definition=definition))

    assert ann.do(CreateWorkflow(definition=definition, visibility=Visibility.GLOBAL)).visibility == "global"
    with pytest.raises(Conflict, match="already a workflow"):
        ann.do(ShareWorkflow(workflow=ann.workflow("Triage").id, visibility=Visibility.GLOBAL))


def test_a_revision_is_kept_with_its_number_author_and_difference(ann: Workbench):
    ann.define(FLOW, visibility="global")
    ann.do(ReviseWorkflow(workflow="Triage", definition=parse_definition(LONGER), note="somebody has to decide"))

    shown = ann.workflow("Triage")

    assert [(one.number, one.by, one.note) for one in shown.revisions] == [
        (1, "ann", ""),
        (2, "ann", "somebody has to decide"),
    ]
    assert [line for line in ann.diff("Triage") if line.startswith(("+", "-"))][2:] == [
        "+- key: decide",
        "+  name: Decide",
    ]
    assert len(ann.workflow("Triage", revision=1).definition.stages) == 1
    with pytest.raises(NotFound, match="has no revision 3; it has 1 to 2"):
        ann.workflow("Triage", revision=3)
    with pytest.raises(NotFound, match="nothing to compare"):
        ann.diff("Triage", after=1)


def test_saving_an_equal_definition_saves_nothing(ann: Workbench):
    ann.define(FLOW)
    before = ann.status()["events"]

    ann.define(FLOW)

    assert (ann.workflow("Triage").revision, ann.status()["events"]) == (1, before)


def test_a_definition_with_problems_is_refused_also_when_it_was_built_in_python(ann: Workbench):
    definition = parse_definition(FLOW)
    broken = definition.__class__(name=" ", stages=())

    with pytest.raises(Invalid, match="a workflow needs a name"):
        ann.do(CreateWorkflow(definition=broken))


def test_an_archived_workflow_is_not_listed_unless_asked_for(ann: Workbench):
    ann.define(FLOW)

    ann.do(ArchiveWorkflow(workflow="Triage", reason="replaced"))

    assert names(ann) == []
    assert [flow.archived for flow in ann.ask(ListWorkflows(archived=True))] == [True]


def test_absent_and_hidden_workflows_are_refused_alike(ann: Workbench):
    hidden, told = ann.define(FLOW).id, []

    for name in (hidden, hidden[:-4] + "ffff"):
        with pytest.raises(NotFound) as refused:
            ann.acting_as("bo").ask(GetWorkflow(workflow=name))
        told.append(str(refused.value).replace(name, "…"))

    assert told[0] == told[1]


def test_the_package_brings_templates_and_starting_from_it_twice_gives_one_workflow(ann: Workbench):
    names = [template.name for template in ann.templates()]
    assert names == ["Bug Fix + Test", "Repository Scan", "Security Review", "Standard Code Review"]
    assert all(template.system and template.recommended for template in ann.templates())

    first, second = ann.instantiate("Standard Code Review"), ann.instantiate("Standard Code Review")

    assert first == second
    assert first.stages == ("intake", "agent_review", "reviewer_review")
    assert [template.instances for template in ann.templates()] == [0, 0, 0, 1]
    assert ann.instantiate("Standard Code Review", name="Ours").name == "Ours"


def test_ones_own_template_is_ones_own_and_revised_by_saving_again(ann: Workbench):
    first = ann.do(SaveTemplate(definition=parse_definition(FLOW)))
    second = ann.do(SaveTemplate(definition=parse_definition(LONGER)))

    assert first == second
    assert [(one.name, one.revision) for one in ann.templates() if not one.system] == [("Triage", 2)]
    for wanted in (GetTemplate(template=first), GetTemplate(template="Triage")):
        with pytest.raises(NotFound, match="there is no template"):
            ann.acting_as("bo").ask(wanted)
    assert ann.do(InstantiateTemplate(template="Triage")).stages == ("look", "decide")


def test_seeding_again_changes_nothing(ann: Workbench):
    before = ann.status()["events"]

    registry.prepare(ann.session.gate)

    assert ann.status()["events"] == before
