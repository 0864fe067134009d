"""Workflows as values: their stages, their revisions, and the folds that make them."""

from datetime import UTC, datetime

import pytest

from elohim_kernel.errors import NotFound
from elohim_kernel.model.access import GLOBAL, Visibility
from elohim_kernel.model.definition_text import parse_definition
from elohim_kernel.model.stage_type import STAGE_TRAITS, StageType
from elohim_kernel.model.workflow import (
    END,
    TemplateSaved,
    TemplateSeeded,
    Workflow,
    WorkflowArchived,
    WorkflowCreated,
    WorkflowRevised,
    WorkflowShared,
    apply_template,
    apply_workflow,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FLOW = parse_definition("name: Triage\nstages: [{key: look}, {key: skip, next: look}, {key: scan, type: CODE_REVIEW}]")
RENAMED = parse_definition("name: Review\nstages: [{key: look}]")


def flow(*events) -> Workflow:
    state = None
    born = WorkflowCreated(name="Triage", visibility=Visibility.PERSONAL, tenant="us_ann", definition=FLOW)
    for data in (born, *events):
        state = apply_workflow(state, "wf_1", data, actor="us_ann", when=NOW)
    return state


def test_what_comes_after_a_stage_is_named_or_written_below_it():
    assert [FLOW.after(stage) for stage in FLOW.stages] == ["skip", "look", END]
    with pytest.raises(NotFound, match="no stage 'x'; it has look, skip, scan"):
        FLOW.stage("x")


def test_a_stage_without_a_prompt_takes_that_of_its_type():
    assert FLOW.stage("scan").prompt == StageType.CODE_REVIEW.traits.prompt != ""


def test_revisions_are_numbered_and_kept():
    revised = flow(WorkflowRevised(number=2, definition=RENAMED, note="shorter"))

    assert (revised.name, revised.current.number, revised.revision(1).definition) == ("Review", 2, FLOW)
    with pytest.raises(NotFound, match="no revision 3; it has 1 to 2"):
        revised.revision(3)


def test_sharing_and_archiving_change_nothing_else():
    shared = flow(WorkflowShared(visibility=Visibility.GLOBAL, tenant=GLOBAL))

    assert (shared.tenant, shared.owner, shared.revisions) == (GLOBAL, "us_ann", flow().revisions)
    assert flow(WorkflowArchived()).archived


def test_templates_of_the_package_are_everybodys_and_saved_ones_their_tenants():
    seeded = apply_template(None, "tp_1", TemplateSeeded(definition=FLOW, revision=3, recommended=True))
    saved = apply_template(None, "tp_2", TemplateSaved(definition=FLOW, tenant="tm_red", revision=1))

    assert (seeded.tenant, seeded.system, seeded.recommended, seeded.revision) == (GLOBAL, True, True, 3)
    assert (saved.tenant, saved.system, saved.recommended) == ("tm_red", False, False)


def test_all_ten_stage_types_have_a_label_a_description_and_an_icon_and_only_some_may_apply_anything():
    assert len(STAGE_TRAITS) == len(StageType) == 10
    for kind, traits in STAGE_TRAITS.items():
        assert traits.label, kind
        assert traits.description.endswith("."), kind
        assert traits.icon, kind
    cannot = {kind for kind, traits in STAGE_TRAITS.items() if not traits.may_auto_apply}
    assert cannot == {StageType.HUMAN, StageType.APPROVAL, StageType.SECURITY_REVIEW}
