"""What is a guard and what is not, and how a refusal points at the place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.guards import parse
from elohim_kernel.model.guards.nodes import Binary, Literal, Logic, written
from elohim_kernel.model.value import from_json, to_json

ACCEPTED = [
    "tests.failed == 0 && findings.all(f, f.severity != 'high')",
    "a ? b : c ? d : e",
    "a ? (b ? 1 : 2) : 3",
    "!!a",
    "- -1 == 1",
    "-9223372036854775808 < 0",
    "0x7FFFFFFFFFFFFFFF > 0",
    ".5 < 1e3 // a comment",
    r"r'\d+' == '\\d+'",
    r"'\x41\u00e9\U0001F600\101\n' == ''",
    "[1, 2,][0] == 1",
    "{'a': 1,}.a == 1",
    "m.package == m['package']",
    "a\n  && b\r\n\t|| c",
    "size(a) == a.size()",
    "has(a.b.c)",
    "has(a['b'].c)",
    "xs.filter(x, x > 1).map(x, x * 2).exists_one(x, x == 4)",
    "xs.exists(xs, xs == 1)",
    "1 - -1 == 2 && 1 -1 == 0",
]

REFUSED = [
    ("", 1, 1, "expected a value, found the end"),
    ("   ", 1, 4, "expected a value, found the end"),
    ("a +", 1, 4, "expected a value, found the end"),
    ("a + + b", 1, 5, "expected a value, found '+'"),
    ("a b", 1, 3, "expected an operator or the end, found 'b'"),
    ("a &&\n  == b", 2, 3, "expected a value, found '=='"),
    ("a = 1", 1, 3, "unexpected character '='; equality is written =="),
    ("a & b", 1, 3, "and is written &&"),
    ("a | b", 1, 3, "or is written ||"),
    ("a == `b`", 1, 6, "unexpected character '`'"),
    ("(a", 1, 3, "a parenthesis is not closed"),
    ("a)", 1, 2, "expected an operator or the end, found ')'"),
    ("a[1", 1, 4, "an index ends with ]"),
    ("[1, 2", 1, 6, "a list ends with ]"),
    ("{'a' 1}", 1, 6, "a map entry is key: value"),
    ("a ? b", 1, 6, "needs its : part"),
    ("a ? b ? 1 : 2 : 3", 1, 7, "expected ':', found '?'"),
    ("a.", 1, 3, "a member name after the dot"),
    ("a.1", 1, 2, "expected an operator or the end, found '.1'"),
    ("a.in", 1, 3, "a member name after the dot"),
    ("package == 1", 1, 1, "package is a reserved word"),
    ("'abc", 1, 1, "no closing quote"),
    ("'a\nb'", 1, 1, "no closing quote"),
    ("'''a'''", 1, 1, "triple-quoted strings"),
    (r"a == '\d'", 1, 7, r"\d is no escape"),
    (r"'\ud800'", 1, 2, "is no character"),
    ("1u == 1", 1, 2, "unsigned integers"),
    ("12abc", 1, 3, "12abc is no number"),
    ("9223372036854775808", 1, 1, "does not fit 64 bits"),
    ("1 -9223372036854775808 < 0", 1, 4, "does not fit 64 bits"),
    ("1e999 > 1.0", 1, 1, "too large for a double"),
    ("b'x' == b'x'", 1, 2, "expected an operator or the end"),
    ("a.lower() == 'x'", 1, 3, "there is no function lower(); did you mean lowerAscii()?"),
    ("frobnicate(a)", 1, 1, "there is no function frobnicate(); there are all, contains"),
    ("startsWith(a, 'x')", 1, 1, "write text.startsWith"),
    ("a.int()", 1, 3, "write int(x)"),
    ("a.startsWith()", 1, 3, "wrong number of arguments"),
    ("has(a)", 1, 5, "has() takes one member"),
    ("has()", 1, 1, "has() needs an argument"),
    ("has(a.b, c.d)", 1, 5, "has() takes one member"),
    ("has(a['b'])", 1, 5, "has() takes one member"),
    ("xs.all(x.y, true)", 1, 9, "expected ',', found '.'"),
    ("xs.all(1, true)", 1, 8, "the loop variable of all()"),
    ("xs.map(x, x > 1, x)", 1, 16, "takes a variable and one expression"),
    ("!-1", 1, 2, "expected a value, found '-'"),
    ("a < duration('1d')", 1, 5, "'1d' is no duration; write for example 90s"),
    ("a < timestamp('2026-01-01')", 1, 5, "is no timestamp"),
    ("a < timestamp('2026-02-30T00:00:00Z')", 1, 5, "is no timestamp"),
    ("a.matches('(?=x)')", 1, 1, "no flags, names or looking around"),
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_guard_is_accepted_and_survives_json(text):
    guard = parse(text)

    assert from_json(to_json(guard), type(guard)) == guard


@pytest.mark.parametrize(("text", "line", "column", "message"), REFUSED)
def test_a_refusal_names_the_place_and_the_reason(text, line, column, message):
    with pytest.raises(Invalid) as refused:
        parse(text)

    assert f"line {line}, column {column}:" in str(refused.value)
    assert message in str(refused.value)


def test_the_caret_stands_under_the_fault():
    with pytest.raises(Invalid) as refused:
        parse("a == 1 &&\n\tb = 2")

    assert str(refused.value).splitlines()[1:3] == ["   b = 2", "     ^"]


def test_the_caret_stands_under_the_fault_in_a_long_line():
    text = " && ".join(["tests.failed == 0"] * 10 + ["tests.failed = 0"] + ["tests.failed == 0"] * 10)

    with pytest.raises(Invalid) as refused:
        parse(text)

    _, shown, caret = str(refused.value).splitlines()
    assert len(shown) < 110
    assert shown[caret.index("^")] == "="
    assert shown[caret.index("^") + 1] == " "


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "a" + ")" * 10_000,
        "(" * 2000 + "a" + ")" * 2000,
        "!" * 4000 + "a",
        "[" * 4000,
        "a?b:" * 1000 + "c",
    ],
)
def test_hostile_nesting_is_refused_before_it_is_followed(text):
    with pytest.raises(Invalid, match=r"deeper than 32|4,096 characters|more than 500"):
        parse(text)


def test_a_text_of_4096_characters_is_read_and_one_more_is_refused():
    text = "a == '" + "x" * (4096 - 7) + "'"

    assert parse(text).names == ("a",)
    with pytest.raises(TooLarge, match="4,097"):
        parse(text + " ")


def test_nesting_of_32_levels_is_accepted_and_33_refused():
    assert parse("(" * 31 + "a" + ")" * 31).names == ("a",)
    with pytest.raises(Invalid, match=r"deeper than 32"):
        parse("(" * 32 + "a" + ")" * 32)
    with pytest.raises(Invalid, match=r"deeper than 32"):
        parse(" + ".join(["a"] * 33) + " > 0")


def test_a_long_chain_of_clauses_counts_as_one_level():
    guard = parse(" && ".join(f"a{number} == 1" for number in range(120)))

    assert isinstance(guard.ast, Logic)
    assert len(guard.ast.operands) == 120


def test_more_than_500_parts_are_refused():
    with pytest.raises(Invalid, match="more than 500 parts"):
        parse("[" + ", ".join(["1"] * 500) + "].size() > 0")


def test_operators_bind_as_in_cel():
    guard = parse("a || b && c == d + e * f")

    assert isinstance(guard.ast, Logic)
    assert guard.ast.operator == "||"
    (_, both) = guard.ast.operands
    assert isinstance(both, Logic)
    (_, equals) = both.operands
    assert isinstance(equals, Binary)
    assert isinstance(equals.right, Binary)
    assert (equals.operator, equals.right.operator) == ("==", "+")


def test_a_node_knows_the_text_it_came_from_with_its_parentheses():
    text = "(a +  b) * 2 == 4"
    guard = parse(text)

    assert isinstance(guard.ast, Binary)
    assert isinstance(guard.ast.left, Binary)
    assert written(guard.ast.left.left, text) == "(a + b)"
    assert written(guard.ast.right, text) == "4"


def test_a_negative_literal_is_a_literal():
    guard = parse("-5 == -5.0")

    assert isinstance(guard.ast, Binary)
    assert isinstance(guard.ast.left, Literal)
    assert isinstance(guard.ast.right, Literal)
    assert (guard.ast.left.value, guard.ast.right.value) == (-5, -5.0)


@given(st.text(alphabet="ab.01()[]{}!&|=<>+-*/%?:, '\"\\nrx\nhasin", max_size=60))
def test_any_text_is_parsed_or_refused_as_invalid(text):
    try:
        guard = parse(text)
    except Invalid:
        return

    assert guard.text == text


@given(st.text(max_size=40))
def test_any_string_can_be_written_as_a_literal(value):
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in value if not "\ud800" <= letter <= "\udfff")
    plain = "".join(letter for letter in value if not "\ud800" <= letter <= "\udfff")

    assert parse(f"a == '{escaped}'").evaluate({"a": plain}).passed
