"""Definitions as text: what is wrong is said with its place; what is right comes back the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.definition_text import diff, parse_definition, to_yaml
from elohim_kernel.model.form import Field, FieldType
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.workflow import ApprovalRule, Assignment, AssignTo, Definition, Route, Stage

STAGES = "stages: [{key: a}]"
LAUGHS = "a: &a [x, x, x, x]\n" + "\n".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}]"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 0, "a definition is a mapping"),
        ("- a", 0, "a definition is a mapping"),
        ("name: x\nstages: [", 2, "expected the node content"),
        ("name: x", 1, "missing required field `stages`"),
        ("name: x\nstages: []", 2, "at least one stage"),
        ("name: ' '\n" + STAGES, 1, "a workflow needs a name"),
        ("name: x\nname: y\n" + STAGES, 2, "'name' is written twice"),
        ("name: x\ncolour: red\n" + STAGES, 1, "unknown field `colour`"),
        ("name: x\nstages:\n- {key: a}\n- {key: a}", 4, "'a' is taken"),
        ("name: x\nstages:\n- {key: end}", 3, "is not a key"),
        ("name: x\nstages:\n- {key: 'a b'}", 3, "is not a key"),
        ("name: x\nstages:\n- {key: a, type: MAGIC}", 3, "Invalid enum value 'MAGIC'"),
        ("name: x\nstages:\n- key: a\n  next: nowhere", 4, "next names stage 'nowhere'; there is a, end"),
        ("name: x\nstages:\n- key: a\n  routes:\n  - {to: b}", 5, "route leads to 'b'"),
        ("name: x\nstages:\n- key: a\n  routes:\n  - {to: end, when: data.x >}", 5, "expected a value"),
        ("name: x\nstages:\n- key: a\n  routes:\n  - {to: end, when: secret.x}", 5, "nothing here is called secret.x"),
        ("name: x\nstages:\n- key: a\n  form: [{name: q, type: choice}]", 4, "needs options"),
        ("name: x\nstages:\n- key: a\n  form: [{name: 'q q'}]", 4, "must be an identifier"),
        ("name: x\nstages:\n- key: a\n  form: [{name: q}, {name: q}]", 4, "unique in its form"),
        ("name: x\nstages:\n- key: a\n  form: [{name: q, shown_if: 'r == 1'}]", 4, "nothing here is called r"),
        ("name: x\nstages:\n- {key: a, sla_minutes: -1}", 3, "an SLA is"),
        ("name: x\nstages:\n- {key: a, sla_minutes: 99999999999999}", 3, "an SLA is"),
        ("name: x\nstages:\n- {key: a, assignment: {to: person}}", 3, "must say who"),
        ("name: x\nstages:\n- {key: a, type: AUTOMATION}", 3, "names the playbook"),
        ("name: x\nstages:\n- {key: a, playbook: p}", 3, "only an AUTOMATION stage"),
        ("name: x\nstages:\n- {key: a, type: SECURITY_REVIEW, agent_auto_apply: true}", 3, "can never apply"),
        ("name: x\nstages:\n- {key: a, type: SECURITY_REVIEW}", 3, "'end' is not done by a person"),
        (
            "name: x\nstages:\n- {key: a, type: SECURITY_REVIEW, routes: [{to: c, when: outcome == 'ok'}]}\n"
            "- {key: b}\n- {key: c, type: STATIC_ANALYSIS}",
            3,
            "'c' is not done by a person",
        ),
        ("name: x\nstages:\n- {key: a, requires_approval: {need: 0}}", 3, "at least one person"),
        ("name: x\nstages:\n- {key: a, requires_approval: {need: 3, people: [b, c]}}", 3, "3 of 2 people can never"),
        ("name: x\nstages:\n- {key: a, requires_approval: {expires_minutes: -5}}", 3, "an approval has"),
        ("name: !!python/object:os.system x\n" + STAGES, 1, "tag:yaml.org,2002:python/object"),
        ("name: x\ndescription: 2026-13-45\n" + STAGES, 2, "tag:yaml.org,2002:timestamp"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, why: str):
    with pytest.raises(Invalid) as refused:
        parse_definition(text, name="flow.yaml")

    assert why in str(refused.value)
    assert f"flow.yaml, line {line}," in str(refused.value) if line else str(refused.value).startswith("flow.yaml:")


def test_a_misspelt_field_is_met_with_the_one_that_was_meant():
    with pytest.raises(Invalid, match="did you mean sla_minutes"):
        parse_definition("name: x\nstages:\n- {key: a, sla_minute: 3}")


@pytest.mark.parametrize(
    "stages",
    [
        "[{key: a, type: SECURITY_REVIEW}, {key: b}]",
        "[{key: a, type: SECURITY_REVIEW, auto_advance: false}]",
        "[{key: a, type: SECURITY_REVIEW, requires_approval: {}}]",
    ],
)
def test_a_security_review_that_a_person_ends_is_accepted(stages: str):
    assert parse_definition(f"name: x\nstages: {stages}").stages[0].type.value == "SECURITY_REVIEW"


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "name: x\nstages: &a [*a]",
        "name: x\nstages: " + "[" * 2_000,
        "name: " + "x" * 300_000,
    ],
    ids=["aliases of aliases", "an alias of itself", "deep", "long"],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_goes_off(text: str):
    with pytest.raises((TooLarge, Invalid)):
        parse_definition(text)


@settings(max_examples=300)
@given(st.text(alphabet="nameskey:-[]{}&*!|>'\"#? \n\t0123.é\x00", max_size=60))
def test_any_text_is_read_or_refused(text: str):
    for whole in (text, f"name: x\nstages:\n- key: a\n  description: {text}"):
        try:
            parse_definition(whole)
        except Invalid as refused:
            assert str(refused)  # noqa: PT017 - that it is this kind of error is what is tested


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(lambda name: name != "end")


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    keys = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    targets = st.sampled_from([*keys, "end"])
    fields = st.builds(
        Field, name=NAMES, type=st.sampled_from([FieldType.TEXT, FieldType.INTEGER]), label=WORDS,
        default=st.one_of(st.none(), WORDS, st.integers(-9, 9), st.booleans()),
    )  # fmt: skip
    routes = st.builds(Route, to=targets, when=st.sampled_from(["", "data.x > 1"]), label=WORDS)
    rules = st.builds(ApprovalRule, need=st.integers(1, 3), roles=st.lists(WORDS, max_size=2).map(tuple))
    stage = {
        "name": WORDS, "description": WORDS, "sla_minutes": st.integers(0, 99), "next": targets,
        "type": st.sampled_from([StageType.HUMAN, StageType.CODE_REVIEW]),
        "form": st.lists(fields, max_size=2, unique_by=lambda one: one.name).map(tuple),
        "routes": st.lists(routes, max_size=2).map(tuple),
        "requires_approval": st.one_of(st.none(), rules),
        "assignment": st.builds(Assignment, to=st.just(AssignTo.ROLE), who=WORDS.filter(bool)),
    }  # fmt: skip
    stages = tuple(draw(st.builds(Stage, key=st.just(key), **stage)) for key in keys)
    name = draw(WORDS.filter(lambda word: bool(word.strip())))
    return Definition(name=name, stages=stages, description=draw(WORDS), tags=tuple(draw(st.lists(WORDS, max_size=2))))


@settings(max_examples=100)
@given(definitions())
def test_what_is_written_reads_back_to_the_same(definition: Definition):
    assert parse_definition(to_yaml(definition)) == definition


def test_a_difference_is_empty_only_for_equals():
    before = parse_definition("name: x\nstages: [{key: a}]")
    after = parse_definition("name: x\nstages: [{key: a, sla_minutes: 5}]")

    assert diff(before, before) == ()
    assert diff(before, after)[-1] == "+  sla_minutes: 5"
