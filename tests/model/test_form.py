"""Forms: what is accepted fits the form, and every mistake is named at once."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.model.form import Field, FieldType, answers

OPTIONS = ("red", "green", "blue")
KINDS: dict[FieldType, tuple[type[Any], ...]] = {
    FieldType.TEXT: (str,),
    FieldType.INTEGER: (int,),
    FieldType.NUMBER: (int, float),
    FieldType.BOOLEAN: (bool,),
    FieldType.DATE: (str,),
    FieldType.CHOICE: (str,),
    FieldType.CHOICES: (list,),
}

limits = st.none() | st.integers(min_value=-5, max_value=10).map(float)
fields = st.lists(
    st.builds(
        Field,
        name=st.sampled_from(["a", "b", "c", "d"]),
        type=st.sampled_from(FieldType),
        required=st.booleans(),
        options=st.just(OPTIONS),
        minimum=limits,
        maximum=limits,
    ),
    max_size=4,
    unique_by=lambda field: field.name,
).map(tuple)
values = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-20, max_value=20)
    | st.floats()
    | st.text(max_size=12)
    | st.dates().map(str)
    | st.sampled_from(OPTIONS)
    | st.lists(st.sampled_from(OPTIONS), max_size=3)
)
forms = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), values, max_size=5)


def refusal(form: tuple[Field, ...], given_: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as refused:
        answers(form, given_)
    return refused.value.message


@given(fields, forms)
def test_what_is_accepted_fits_the_form(form: tuple[Field, ...], filled: dict[str, Any]):
    try:
        taken = answers(form, filled)
    except Invalid:
        return

    by_name = {field.name: field for field in form}
    assert set(filled) <= set(by_name)
    assert {field.name for field in form if field.required} <= set(taken)
    for name, value in taken.items():
        field = by_name[name]
        assert isinstance(value, KINDS[field.type])
        assert isinstance(value, bool) is (field.type is FieldType.BOOLEAN)
        assert value == filled[name]
        if field.type is FieldType.CHOICE:
            assert value in OPTIONS
        if field.type is FieldType.NUMBER:
            assert math.isfinite(value)


@given(fields, forms)
def test_what_was_accepted_is_accepted_again_unchanged(form: tuple[Field, ...], filled: dict[str, Any]):
    try:
        taken = answers(form, filled)
    except Invalid:
        return

    assert answers(form, taken) == taken


def test_every_mistake_is_named_at_once():
    form = (
        Field(name="risk", type=FieldType.CHOICE, options=("low", "high"), required=True),
        Field(name="minutes", type=FieldType.INTEGER, minimum=1, maximum=60),
        Field(name="owner", required=True),
    )

    message = refusal(form, {"risk": "huge", "minutes": 90, "colour": "red"})

    assert message == (
        "the form is not right: colour: not a field of this form (minutes, owner, risk); "
        "risk: must be one of low, high, got 'huge'; minutes: must be at most 60, got 90; owner: is required"
    )


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (FieldType.INTEGER, True, "must be of type integer, got True"),
        (FieldType.INTEGER, 1.5, "must be of type integer"),
        (FieldType.NUMBER, "1", "must be of type number"),
        (FieldType.NUMBER, float("nan"), "must be a finite number"),
        (FieldType.BOOLEAN, 1, "must be of type boolean"),
        (FieldType.DATE, "22.11.2026", "must be a date such as 2026-11-22"),
        (FieldType.CHOICES, ["red", "pink"], "must be among red, green, blue"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(kind: FieldType, value: Any, words: str):
    form = (Field(name="x", type=kind, options=OPTIONS),)

    assert words in refusal(form, {"x": value})


def test_the_length_of_a_text_has_limits():
    form = (Field(name="why", minimum=3, maximum=5),)

    assert answers(form, {"why": "abcde"}) == {"why": "abcde"}
    assert "must be at least 3" in refusal(form, {"why": "ab"})
    assert "must be at most 5" in refusal(form, {"why": "abcdef"})


def test_a_default_stands_in_for_a_missing_or_empty_answer():
    form = (
        Field(name="risk", type=FieldType.CHOICES, options=OPTIONS, default=("red",)),
        Field(name="note", required=True, default="none"),
    )

    assert answers(form, {}) == {"risk": ["red"], "note": "none"}


def test_a_question_is_asked_only_when_its_guard_says_so():
    form = (
        Field(name="breaks", type=FieldType.BOOLEAN, required=True),
        Field(name="plan", required=True, shown_if="breaks == true"),
    )

    assert answers(form, {"breaks": False}) == {"breaks": False}
    assert "plan: is required" in refusal(form, {"breaks": True})
    assert "plan: is only asked when breaks == true" in refusal(form, {"breaks": False, "plan": "x"})
