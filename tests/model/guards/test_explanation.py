"""Why not? Clauses with their values, the facts they read, and the item of a list that decided."""

from datetime import UTC, datetime

import pytest

from elohim_kernel.model.guards import Explanation, Reading, Truth, explain, parse
from elohim_kernel.model.value import from_json, to_json

FINDINGS = [{"severity": "low", "line": 3}, {"severity": "high", "line": 9}, {"line": 1}]


def test_every_clause_is_told_even_when_the_first_settles_it():
    explanation = explain(parse("a == 1 && (b > 2 || c.d == 'x') && e / 0 == 1"), {"a": 2, "b": 1, "e": 5})

    assert [(clause.text, str(clause.value), clause.joined, clause.depth) for clause in explanation.clauses] == [
        ("a == 1", "false", "", 0),
        ("b > 2", "false", "&&", 1),
        ("c.d == 'x'", "unknown", "||", 1),
        ("e / 0 == 1", "error", "&&", 0),
    ]
    assert explanation.value is Truth.FALSE


def test_a_clause_tells_the_facts_it_read():
    explanation = explain(parse("a.b + x[0] == c || size(x) > 2"), {"a": {"b": "v"}, "x": ["w"]})

    first, second = explanation.clauses
    assert first.reads == (
        Reading(name="a.b", value='"v"'),
        Reading(name="x", value='["w"]'),
        Reading(name="c", value=None),
    )
    assert second.reads == (Reading(name="x", value='["w"]'),)
    assert explanation.missing == ("c",)


@pytest.mark.parametrize(
    ("text", "because", "readings"),
    [
        ("findings.all(f, f.severity != 'high')", "findings[1] decides", ['findings[1].severity = "high"']),
        ("findings.all(f, f.severity != 'none')", "findings[2] decides", ["findings[2].severity is missing"]),
        ("findings.exists(f, f.line > 5)", "findings[1] decides", ["findings[1].line = 9"]),
        ("findings.exists(f, f.line > 50)", "", []),
        ("findings.all(f, f.line > 0)", "", []),
        ("findings.exists_one(f, f.line == 9)", "", []),
        ("findings.filter(f, has(f.severity)).all(f, f.severity == 'low')", "", []),
    ],
)
def test_the_item_that_decided_is_named(text, because, readings):
    (clause,) = explain(parse(text), {"findings": FINDINGS}).clauses

    assert clause.because == because
    assert [str(reading) for reading in clause.reads[1:]] == readings


def test_an_explanation_answers_in_lines_for_a_person():
    guard = parse("tests.failed == 0 && (findings.all(f, f.severity != 'high') || approved) && size(labels) < 'x'")
    facts = {"tests": {"failed": 0}, "findings": FINDINGS, "labels": []}

    shown = str(explain(guard, facts))

    assert shown.splitlines() == [
        "does not pass: unknown",
        "      true    tests.failed == 0",
        "              tests.failed = 0",
        "  and   false   findings.all(f, f.severity != 'high')",
        '                findings = [{"line":3,"severity":"low"},{"line":9,"severity":"high"},{"line":1}]',
        '                findings[1].severity = "high"',
        "                findings[1] decides",
        "   or   unknown approved",
        "                approved is missing",
        "  and error   size(labels) < 'x'",
        "              labels = []",
        "              < cannot compare int with string",
    ]


def test_a_guard_that_passes_says_so():
    assert str(explain(parse("true"), {})) == "passes\n      true    true"


def test_an_explanation_is_json():
    explanation = explain(
        parse("a == 1 && now > timestamp('2026-01-01T00:00:00Z')"), {"now": datetime(2026, 2, 1, tzinfo=UTC)}
    )

    assert from_json(to_json(explanation), Explanation) == explanation
    assert explanation.clauses[1].reads == (Reading(name="now", value='"2026-02-01T00:00:00Z"'),)


def test_long_facts_are_counted_or_cut_not_copied():
    facts = {"xs": list(range(1000)), "s": "x" * 1000, "few": ["y" * 200], "odd": object()}

    clauses = explain(parse("size(xs) > 0 && s != '' && size(few) > 0 && odd == 1"), facts).clauses

    values = [reading.value or "" for clause in clauses for reading in clause.reads]
    assert values[0] == "1000 items"
    assert (len(values[1]), values[1][-1]) == (120, "…")
    assert values[2:] == ["1 item", "a object"]


def test_a_fact_that_cannot_be_shown_is_named_by_its_kind():
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]

    (clause,) = explain(parse("size(deep) == 1 "), {"deep": deep}).clauses

    assert clause.reads == (Reading(name="deep", value="a list"),)


def test_the_explanation_and_the_evaluation_agree():
    guard = parse("a && b || c")

    for facts in ({"a": True, "b": True}, {"a": True}, {"c": 1}, {"a": False, "c": False}):
        outcome, explanation = guard.evaluate(facts), explain(guard, facts)
        expected = (
            Truth.ERROR if outcome.error else {None: Truth.UNKNOWN, True: Truth.TRUE, False: Truth.FALSE}[outcome.value]
        )
        assert explanation.value is expected


def test_explaining_a_runaway_ends_like_evaluating_it():
    explanation = explain(parse("xs.all(x, xs.all(y, x == y || true))"), {"xs": list(range(500))})

    assert explanation.value is Truth.ERROR
    assert "budget" in str(explanation)
