import ast
import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.model.literals import ParameterType
from elohim_kernel.model.parameters import bind, declared

CELL = '''"""Parameters of the nightly report."""
from __future__ import annotations
from datetime import date
from typing import Optional

item: str  # reference of the work item
limit: int = 10
ratio: float = 1  # share, 0 to 1
fast: bool = False
paths: list[str] = ["src"]
labels: dict = {"team": None}
day: date | None = None
since: Optional["datetime"] = "2026-11-01T00:00:00+01:00"
'''

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner),
    max_leaves=6,
)


class Hostile(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("a parameter's own code was called")

    __repr__ = __str__


def test_a_cell_declares_names_types_defaults_and_help():
    parameters = {parameter.name: parameter for parameter in declared(CELL)}

    assert list(parameters) == ["item", "limit", "ratio", "fast", "paths", "labels", "day", "since"]
    assert parameters["item"].required
    assert parameters["item"].help == "reference of the work item"
    assert parameters["ratio"].default == 1.0
    assert parameters["day"].annotation == "date | None"
    assert parameters["since"].type is ParameterType.DATETIME
    assert parameters["since"].default == "2026-10-31T23:00:00+00:00"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("limit = 3", "only `name: type = literal`"),
        ("limit: int = open('x')", "default of limit is not a literal"),
        ("limit: int = '3'", "is not a whole number"),
        ("limit: int = None", "is not a whole number"),
        ("limit: bytes = b''", "the type 'bytes' is unknown"),
        ("Limit: int = 3", "the name 'Limit' must match"),
        ("límit: int = 3", "must match"),
        ("a.b: int = 3", "only `name: type = literal`"),
        ("(a): int = 3", "only `name: type = literal`"),
        ("a: int = 1\na: int = 2", "line 2: a is declared twice"),
        ("import os", "line 1: only"),
        ("from os import path", "line 1: only"),
        ("%load_ext elohim_kernel", "not plain Python"),
        ("a: int = (", "not plain Python"),
        ("a: int = 1; print(a)", "only `name: type = literal`"),
        ("a: __import__('os').getcwd() = 1", "is unknown"),
    ],
)
def test_a_cell_with_anything_else_is_refused_with_its_line(source, complaint):
    with pytest.raises(Invalid) as refused:
        declared(source)

    assert complaint in str(refused.value)


def test_all_lines_at_fault_are_named_at_once():
    with pytest.raises(Invalid, match=r"line 1: .*; line 3: "):
        declared("x = 1\ny: int = 2\nZ: int = 3")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", " -7 ", -7),
        ("float", "1e3", 1000.0),
        ("float", "7", 7.0),
        ("bool", "false", False),
        ("bool", "ON", True),
        ("str", "false", "false"),
        ("str", " 7 ", " 7 "),
        ("list", '["a", 1, null]', ["a", 1, None]),
        ("dict", '{"a": {"b": [true]}}', {"a": {"b": [True]}}),
        ("date", "2026-11-22", "2026-11-22"),
        ("datetime", "2026-11-22T09:30:00+02:00", "2026-11-22T07:30:00+00:00"),
        ("int | None", "none", None),
        ("str | None", "none", "none"),
    ],
)
def test_text_is_read_as_the_declared_type(kind, text, value):
    bound = bind(declared(f"x: {kind}"), {"x": text})

    assert bound == {"x": value}
    assert type(bound["x"]) is type(value)


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        ("int", "1_000", "'1_000' is not a whole number"),
        ("int", "9" * 19, "does not fit in 64 bits"),
        ("int", True, "True is not a whole number"),
        ("int", 1.0, "1.0 is not a whole number"),
        ("int", None, "x is int, not `int | None`"),
        ("float", "nan", "not a finite number"),
        ("float", "inf", "not a finite number"),
        ("float", "ten", "not a number"),
        ("bool", "maybe", "not true or false"),
        ("bool", 1, "not true or false"),
        ("str", 5, "5 is not text"),
        ("str", "\ud800", "lone surrogate"),
        ("str", "x" * 1_000_001, "longer than 1,000,000"),
        ("str", Hostile("x"), "a Hostile is not text"),
        ("list", "[1", "is not JSON"),
        ("list", '{"a": 1}', "is not a list"),
        ("list", "[" * 5000 + "]" * 5000, "is not JSON"),
        ("list", [{1, 2}], "a list of 1 holds a set"),
        ("dict", {1: "a"}, "is not text"),
        ("date", "22.11.2026", "not a date like"),
        ("date", datetime(2026, 11, 22, tzinfo=UTC), "is not a date like"),
        ("datetime", "2026-11-22T09:30:00", "has no time zone"),
        ("datetime", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), "outside the years"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(kind, value, complaint):
    with pytest.raises(Invalid) as refused:
        bind(declared(f"x: {kind}"), {"x": value})

    assert complaint in str(refused.value)
    assert str(refused.value).startswith("x: ")


def test_all_errors_come_at_once_with_the_nearest_known_name():
    with pytest.raises(Invalid) as refused:
        bind(declared("item: str\nlimit: int = 3"), {"limt": "4", "limit": "four"})

    message = str(refused.value)
    assert "'limt' is not a parameter of this playbook, did you mean 'limit'?" in message
    assert "limit: 'four' is not a whole number" in message
    assert "item: required (str), not given" in message
    assert "it takes item (str), limit (int)" in message


def test_dates_and_times_may_be_given_as_values():
    parameters = declared("day: date\nsince: datetime")

    bound = bind(parameters, {"day": date(2026, 11, 22), "since": datetime(2026, 11, 22, 8, tzinfo=UTC)})

    assert bound == {"day": "2026-11-22", "since": "2026-11-22T08:00:00+00:00"}


@given(name=st.text() | st.sampled_from(["x\nimport os", "x=1;y", "x ", "X", "__class__", "ｘ"]), value=ANYTHING)
def test_a_name_that_is_not_declared_never_arrives(name, value):
    with pytest.raises(Invalid):
        bind(declared("known: int = 1"), {name: value} if name != "known" else {"other": value})


@given(kind=st.sampled_from(list(ParameterType)), optional=st.booleans(), value=ANYTHING)
def test_only_literals_ever_arrive_and_binding_again_changes_nothing(kind, optional, value):
    parameters = declared(f"x: {kind}{' | None' if optional else ''}")

    try:
        bound = bind(parameters, {"x": value})
    except Invalid:
        return

    assert json.loads(json.dumps(bound, allow_nan=False)) == bound
    assert ast.literal_eval(repr(bound["x"])) == bound["x"]
    assert bind(parameters, bound) == bound


@given(source=st.text(alphabet="ab:=01 '\"\n#[]{}|,_.()intsrNoe", max_size=60))
def test_any_text_is_either_a_declaration_or_refused(source):
    try:
        parameters = declared(source)
    except Invalid:
        return

    assert all(
        bind([parameter], {}) == {parameter.name: parameter.default}
        for parameter in parameters
        if not parameter.required
    )
