"""How an operation finds whose rows it touches: own before the team's before everybody's, hidden as absent."""

from typing import Any

import pytest

from elohim_kernel.errors import NotFound
from elohim_kernel.model.access import Visibility
from elohim_kernel.model.definition_text import parse_definition
from elohim_kernel.store.catalogue import approval_named, on_run, run_named, template_named, workflow_named
from elohim_kernel.store.unit import Reader
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.definitions import CreateWorkflow
from elohim_kernel.workflows.runs import ClaimDelivery, GetRun

FLOW = parse_definition("name: Triage\nstages: [{key: agree, type: APPROVAL}]")


@pytest.fixture
def ann() -> Workbench:
    return memory_workbench(
        people={"ann": "maintainer", "bo": "maintainer"}, teams={"red": {"ann": "maintainer", "bo": "maintainer"}}
    )


def reader(wb: Workbench, name: str) -> Reader:
    gate = wb.session.gate
    found: Any = gate.store.reader(gate.principal_named(name).id)
    return found


def test_a_name_means_ones_own_then_the_teams_then_everybodys(ann: Workbench):
    everybodys = ann.do(CreateWorkflow(definition=FLOW, visibility=Visibility.GLOBAL))
    teams = ann.do(CreateWorkflow(definition=FLOW, visibility=Visibility.TEAM, team="red"))
    own = ann.do(CreateWorkflow(definition=FLOW))

    assert workflow_named(reader(ann, "ann"), "Triage").id == own.id
    assert workflow_named(reader(ann, "bo"), "Triage").id == teams.id
    assert workflow_named(reader(ann, "founder"), "Triage").id == everybodys.id
    assert workflow_named(reader(ann, "bo"), everybodys.id).id == everybodys.id


def test_what_is_there_is_named_but_only_what_one_sees(ann: Workbench):
    ann.define("name: Mine\nstages: [{key: a}]")
    ann.define("name: Ours\nstages: [{key: a}]", visibility="team", team="red")

    with pytest.raises(NotFound, match=r"no workflow 'X'; there is Ours$"):
        workflow_named(reader(ann, "bo"), "X")
    with pytest.raises(NotFound, match=r"there is none yet"):
        workflow_named(reader(ann, "founder"), "X")
    with pytest.raises(NotFound, match=r"no template 'X'; there is .*, Standard Code Review$"):
        template_named(reader(ann, "bo"), "X")


def test_an_approval_is_found_by_its_id_and_by_its_item_also_when_it_is_closed(ann: Workbench):
    ann.do(CreateWorkflow(definition=FLOW, visibility=Visibility.GLOBAL))
    asked = ann.open_item("Triage", "x").approval

    assert {approval_named(reader(ann, "bo"), name).id for name in (asked, "EL-1", "1")} == {asked}
    ann.acting_as("bo").approve("EL-1")
    assert approval_named(reader(ann, "bo"), "EL-1").status == "approved"


@pytest.mark.parametrize("kind", ["workflow", "approval", "run"])
def test_hidden_and_absent_are_one_answer(ann: Workbench, kind: str):
    ann.define("name: Mine\nstages: [{key: scan, type: CODE_REVIEW, requires_approval: {}}, {key: b}]")
    ann.define("name: Gate\nstages: [{key: agree, type: APPROVAL}]")
    ann.open_item("Mine", "x")
    approval = ann.open_item("Gate", "y").approval
    run = ann.session.working_for("").do(ClaimDelivery(worker="w")).run
    find, hidden = {
        "workflow": (workflow_named, ann.workflow("Mine").id),
        "approval": (approval_named, approval),
        "run": (_run, run),
    }[kind]
    told = []

    for name in (hidden, hidden[:-4] + "ffff"):
        with pytest.raises(NotFound) as refused:
            find(reader(ann, "bo"), name)
        told.append(str(refused.value).replace(name, "…"))

    assert told[0] == told[1]
    assert find(reader(ann, "ann"), hidden)


def _run(of: Reader, name: str) -> Any:
    on_run(of, GetRun(run=name))
    return run_named(of, name)
