"""Between a value and the kernel stands papermill, which writes source text: only literals may come out of it."""

import ast

from hypothesis import given
from hypothesis import strategies as st
from papermill.translators import PythonTranslator

from elohim_kernel.errors import Invalid
from elohim_kernel.model.literals import ParameterType
from elohim_kernel.model.parameters import bind, declared

HOSTILE = st.sampled_from(
    ['"; import os; "', "\\", '\\"', "\n", "\r\nimport os\n", "'''", "{x}", "\x00", "#", "\u2028"]
)
TEXT = st.text() | st.lists(HOSTILE, max_size=4).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(kind=st.sampled_from(list(ParameterType)), value=JSON)
def test_every_value_that_is_let_through_becomes_the_same_literal_in_the_notebook(kind, value):
    try:
        bound = bind(declared(f"x: {kind} | None\nlast: int = 1"), {"x": value})
    except Invalid:
        return

    source = PythonTranslator.codify(bound)

    statements = ast.parse(source).body
    assert [type(statement) for statement in statements] == [ast.Assign, ast.Assign]
    assert {each.targets[0].id: ast.literal_eval(each.value) for each in statements} == bound
