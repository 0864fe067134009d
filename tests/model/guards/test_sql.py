"""Guards as SQL: the same verdict as evaluating, on every row, and nothing of the guard's text in the SQL."""

import itertools
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.model.guards import ColumnKind, parse, to_sql

COLUMNS = {
    "r.i": "i", "r.j": "j", "r.d": "d", "r.e": "e", "r.s": "s", "r.u": "u", "r.b": "b", "r.c": "c", "r.t": "t",
    "at": "at_", "r.w": "w", "labels": "labels",
}  # fmt: skip
KINDS = {
    "r.i": ColumnKind.INT, "r.j": ColumnKind.INT, "r.d": ColumnKind.DOUBLE, "r.e": ColumnKind.DOUBLE,
    "r.s": ColumnKind.STRING, "r.u": ColumnKind.STRING, "r.b": ColumnKind.BOOL, "r.c": ColumnKind.BOOL,
    "r.t": ColumnKind.TIMESTAMP, "at": ColumnKind.TIMESTAMP, "r.w": ColumnKind.DURATION, "labels": ColumnKind.LIST,
}  # fmt: skip
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
INTS = [None, 0, 1, -3, 7, 2**53 + 1, 2**63 - 1, -(2**63)]
DOUBLES = [None, 0.0, -0.0, 1.0, 2.5, -7.9, 1e300, -(2.0**63), math.inf, -math.inf, math.nan]
STRINGS = [None, "", "a", "ab", "B", "É", "5", "-12", "99999999999999999999", "a\nb", "it's $g0"]
TIMES = [None, NOW, NOW - timedelta(hours=3), datetime(1969, 12, 31, 23, 59, 59, 5, tzinfo=UTC)]
CHOICES: dict[str, list[Any]] = {
    "r.i": INTS, "r.j": INTS, "r.d": DOUBLES, "r.e": DOUBLES, "r.s": STRINGS, "r.u": STRINGS,
    "r.b": [None, True, False], "r.c": [None, True, False], "r.t": TIMES, "at": TIMES,
    "r.w": [None, timedelta(0), timedelta(hours=3), timedelta(microseconds=-1)],
    "labels": [None, [], ["a"], ["a", "ab", ""]],
}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    chance = random.Random(20261122)
    pairs = [{"r.i": i, "r.j": j} for i, j in itertools.product(INTS, INTS)]
    pairs += [{"r.d": d, "r.e": e} for d, e in itertools.product(DOUBLES, DOUBLES)]
    return [{name: chance.choice(choices) for name, choices in CHOICES.items()} | pair for pair in pairs]


ROWS = rows()


def facts_of(row: dict[str, Any]) -> dict[str, Any]:
    """What a guard is given for a row: NULL is left out."""
    facts: dict[str, Any] = {"r": {}}
    for name, value in row.items():
        if value is not None:
            (facts["r"] if name.startswith("r.") else facts)[name.removeprefix("r.")] = value
    return facts


@pytest.fixture(scope="module")
def table():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        connection.execute(
            "CREATE TABLE facts (n INTEGER, i BIGINT, j BIGINT, d DOUBLE, e DOUBLE, s VARCHAR, u VARCHAR, b BOOLEAN,"
            " c BOOLEAN, t TIMESTAMP, at_ TIMESTAMPTZ, w INTERVAL, labels VARCHAR[])"
        )
        naive = [{**row, "r.t": row["r.t"] and row["r.t"].replace(tzinfo=None)} for row in ROWS]
        values = [[number, *(row[name] for name in COLUMNS)] for number, row in enumerate(naive)]
        connection.executemany(f"INSERT INTO facts VALUES ({', '.join(['?'] * 13)})", values)  # noqa: S608
        yield connection


def verdicts(table: duckdb.DuckDBPyConnection, text: str, kinds: dict[str, ColumnKind] | None) -> list[bool | None]:
    condition = to_sql(parse(text), COLUMNS, kinds=kinds)
    query = f"SELECT {condition.text} FROM facts ORDER BY n"  # noqa: S608
    return [verdict for (verdict,) in table.execute(query, condition.parameters).fetchall()]


def infix(left: st.SearchStrategy[str], signs: list[str], right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, left, st.sampled_from(signs), right)


def guards(depth: int) -> st.SearchStrategy[str]:
    """Guards that have a translation; every column's kind is declared."""
    one = st.sampled_from
    ints = one(["r.i", "r.j", "0", "1", "-3", "9223372036854775807", "size(r.s)", "size(labels)", "int(r.s)"])
    doubles = one(["r.d", "r.e", "0.0", "2.5", "-1e300", "double(r.i)"])
    strings = one(["r.s", "r.u", "''", "'a'", r"'É'", "string(r.i)", "string(r.b)", "r.s.lowerAscii()"])
    spans = one(["r.w", "duration('3h')", "duration('-1us')", "(at - r.t)"])
    times = one(["r.t", "at", "timestamp('2026-11-22T08:00:00Z')"])
    for _ in range(depth):
        ints = ints | infix(ints, ["+", "-", "*", "/", "%"], ints) | st.builds("int({})".format, doubles | ints)
        ints = ints | st.builds("-({})".format, ints)
        doubles = doubles | infix(doubles, ["+", "-", "*", "/"], doubles)
        strings = strings | infix(strings, ["+"], strings) | st.builds("({}).upperAscii()".format, strings)
        spans = spans | infix(spans, ["+", "-"], spans) | infix(times, ["-"], times)
        times = times | infix(times, ["+", "-"], spans)
    signs = ["==", "!=", "<", "<=", ">", ">="]
    bools = one(["true", "false", "r.b", "r.c", "has(r.i)", "has(r.b)"])
    for _ in range(depth + 1):
        bools = st.one_of(
            bools,
            infix(ints | doubles, signs, ints | doubles),
            infix(strings, signs, strings),
            infix(times, signs, times),
            infix(spans, signs, spans),
            infix(bools, [*signs, "&&", "||", "&&", "||"], bools),
            infix(ints | doubles, ["in"], one(["[1, 2.5, -3]", "[7]"])),
            infix(strings, ["in"], one(["['a', '']", "labels"])),
            st.builds("!{}".format, bools),
            st.builds("({} ? {} : {})".format, bools, bools, bools),
            st.builds("({} ? {} : {}) {} {}".format, bools, ints, ints, one(signs), ints).map("({})".format),
            st.builds("({}).{}({})".format, strings, one(["startsWith", "endsWith", "contains"]), strings),
            st.builds("({}).matches({})".format, strings, one(["'^a'", "'b$'", r"r'\d+'", "'a.b'", "'^[^a]?$'"])),
        )
    return bools


@settings(max_examples=300)
@given(guards(2))
def test_sql_and_evaluation_agree_on_every_row(table, text):
    guard = parse(text)
    expected = [guard.evaluate(facts_of(row)).value for row in ROWS]

    assert verdicts(table, text, KINDS) == expected


@pytest.mark.parametrize(
    "text",
    [
        "r.i <= 2 && r.s.startsWith('a')",
        "2 < r.d || r.d >= 1.5 || r.d != 0.0",
        "r.s in ['a', 'ab'] && !('ab' in labels)",
        "r.i + 1 > 2 && r.d * 2.0 < 9.0 && r.i in [1, 2.5]",
        "r.b && !r.c || r.b == true",
        "timestamp('2026-11-22T08:00:00Z') - at > duration('1h') && r.w < duration('5h')",
        "r.j > 0 ? r.i == r.j : r.s + 'b' == 'ab'",
        "r['s'] == 'a' && r.s.matches('^a')",
    ],
)
def test_kinds_that_follow_from_use_give_the_same_verdicts(table, text):
    guard = parse(text)

    assert verdicts(table, text, None) == [guard.evaluate(facts_of(row)).value for row in ROWS]


def test_the_kinds_taken_for_granted_are_told():
    condition = to_sql(parse("r.i < 5 && r.i + 1 > 0 && r.d < 1 && 'x' in labels && r.b"), COLUMNS)

    assert condition.kinds == {
        "r.i": ColumnKind.INT,
        "r.d": ColumnKind.NUMBER,
        "labels": ColumnKind.LIST,
        "r.b": ColumnKind.BOOL,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labels.all(l, l != '')", "uses all(), which has no SQL form"),
        ("r.s == null", "is null, which SQL cannot tell from missing; ask has(a.b)"),
        ("r.s == ['a']", "is a list or map"),
        ("{'a': 1} == {'a': 1}", "is a list or map"),
        ("labels[0] == 'a'", "has a computed part"),
        ("r.i in [r.j]", "is computed; a list after in holds constants"),
        ("r.i in [1, 'a']", "mixes kinds"),
        ("r.i in []", "is empty"),
        ("r.gone == 1", "there is no column for r.gone; did you mean"),
        ("has(r.gone)", "there is no column for r.gone"),
        ("r == 1", "there is no column for r"),
        ("r.s == 1", "compares string with int, which is never true"),
        ("r.s < r.i", "compares string with int"),
        ("labels == labels", "compares list with list"),
        ("r.i + r.d > 1.0", "applies + to int and double"),
        ("r.d % 2.0 == 0.0", "applies % to double and double"),
        ("r.i", "is int, and bool is needed here"),
        ("r.b && r.s", "is string, and bool is needed here"),
        ("-r.s == 1", "negates string"),
        ("(r.b ? r.i : r.d) > 1", "both branches must be of one kind"),
        ("r.s.matches(r.u)", "matches a computed pattern"),
        ("timestamp(r.s) < at", "on something other than a constant"),
        ("string(r.d) == '1'", "calls string() on double"),
        ("double(r.s) > 1.0", "calls double() on string"),
        ("size(r.i) > 1", "calls size() on int"),
    ],
)
def test_what_has_no_translation_is_refused_by_name(text, message):
    with pytest.raises(Invalid) as refused:
        to_sql(parse(text), COLUMNS, kinds=KINDS)

    assert message in str(refused.value)


@pytest.mark.parametrize("text", ["r.i == r.j", "size(r.s) > 1", "string(r.i) == '1'", "-r.i < 0", "r.i / r.j > 0"])
def test_a_column_whose_kind_does_not_follow_must_be_told(text):
    with pytest.raises(Invalid, match="needs its kind said"):
        to_sql(parse(text), COLUMNS)


def test_a_column_used_as_two_kinds_is_refused():
    with pytest.raises(Invalid, match=r"r\.s is string, and number is needed here"):
        to_sql(parse("r.s == 'a' || r.s == 1"), COLUMNS)


@given(st.text(max_size=30))
def test_no_text_of_a_guard_becomes_sql(table, value):
    literal = "".join(f"\\U{ord(letter):08x}" for letter in value if not "\ud800" <= letter <= "\udfff")
    plain = to_sql(parse("r.s == 'x' || r.s.contains('x')"), COLUMNS)

    condition = to_sql(parse(f"r.s == '{literal}' || r.s.contains('{literal}')"), COLUMNS)

    assert condition.text == plain.text
    assert set(condition.parameters) == {"g0", "g1"}
    assert len(table.execute(f"SELECT {condition.text} FROM facts", condition.parameters).fetchall()) == len(ROWS)  # noqa: S608


def test_a_condition_that_would_grow_without_bound_is_refused():
    text = "r.d"
    for _ in range(14):
        text = f"({text} > r.e ? r.d : r.e)"

    with pytest.raises(Invalid, match="too long a condition"):
        to_sql(parse(f"{text} > 0.0"), COLUMNS, kinds=KINDS)
