import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.surfaces.cli.form import answers, questions
from elohim_kernel.surfaces.cli.values import literal, named

FORM = [
    {"name": "decision", "type": "choice", "options": ["accept", "reject"], "required": True},
    {"name": "comment", "type": "text"},
    {"name": "minutes", "type": "integer"},
    {"name": "reversible", "type": "boolean"},
    {"name": "areas", "type": "choices", "options": ["web", "store"]},
]


@given(st.text(st.characters(blacklist_characters="="), min_size=1).filter(str.strip), st.text())
def test_a_value_may_hold_anything(name: str, value: str):
    assert named([f"{name}={value}"]) == {name.strip(): value}


@pytest.mark.parametrize("word", ["", "decision", "=accept", "  =x"])
def test_a_word_without_a_name_or_a_value_is_refused(word: str):
    with pytest.raises(Invalid, match="NAME=VALUE"):
        named([word])


def test_a_name_given_twice_is_refused():
    with pytest.raises(Invalid, match="'a' is given twice"):
        named(["a=1", "a=2"])


@pytest.mark.parametrize(
    ("word", "value"),
    [("12", 12), ("-1.5", -1.5), ("true", True), ("null", None), ('"12"', "12"), ("[1]", [1]), ("EL-1", "EL-1")],
)
def test_a_word_is_read_as_what_it_looks_like(word: str, value: object):
    assert literal(word) == value


def test_answers_get_the_types_of_their_form_and_text_stays_text():
    words = ["decision=accept", "comment=42", "minutes=5", "reversible=true", "areas=web, store"]

    assert answers(FORM, words) == {
        "decision": "accept",
        "comment": "42",
        "minutes": 5,
        "reversible": True,
        "areas": ["web", "store"],
    }


def test_a_required_answer_that_is_missing_is_named_with_what_may_be_said():
    with pytest.raises(Invalid, match="asks for decision") as refused:
        answers(FORM, ["comment=fine"])

    assert "decision: accept | reject" in str(refused.value.hint)


def test_what_does_not_fit_its_type_is_left_for_the_command_to_refuse():
    assert answers(FORM, ["decision=accept", "minutes=soon"])["minutes"] == "soon"


def test_a_form_is_told_in_one_line():
    assert questions(FORM[:2]) == "decision: accept | reject; comment: text"
