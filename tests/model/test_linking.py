"""One problem seen by several is one; two problems are never one, however close they stand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from elohim_kernel.model.finding import Confidence, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.linking import linked, shown

SOURCE = b"""import os, subprocess

def run(name, other):
    os.system("ls " + name)
    subprocess.call(
        "cat " + name,
        shell=True,
    )
    return eval(name), eval(other)
"""


def at(line, column=0, tool="ruff", rule="", category="command-injection", path="a.py", **fields):
    values = {"severity": Severity.HIGH, "message": "m", "rule": rule or f"{tool}-rule", **fields}
    return Finding(path=path, line=line, column=column, tool=tool, category=category, **values)


def problems(*findings, source=SOURCE):
    """For each problem the places in `findings`, the first first."""
    paths = {finding.path for finding in findings}
    sources = dict.fromkeys(paths, source)
    seen = linked([fingerprinted([each], sources)[0] for each in findings], sources)
    groups = {}
    for place, finding in enumerate(seen):
        groups.setdefault(finding.problem, []).append(place)
    return sorted(groups.values())


def test_two_tools_on_one_line_see_one_problem_and_other_kinds_of_problem_stay_apart():
    other = at(4, 5, tool="bandit", category="code-injection")

    assert problems(at(4, 5), at(4, 15, tool="bandit"), at(4, tool="semgrep"), other) == [[0, 1, 2], [3]]


def test_lines_of_one_statement_are_one_place():
    assert problems(at(5, 5), at(6, 9, tool="bandit")) == [[0, 1]]


def test_statements_that_follow_each_other_are_two():
    assert problems(at(4, 5), at(5, 5, tool="bandit")) == [[0], [1]]


def test_two_calls_on_a_line_stay_two_and_are_paired_in_order():
    kind = {"category": "code-injection"}
    ruff = [at(9, 12, **kind), at(9, 24, **kind)]
    bandit = [at(9, 24, tool="bandit", **kind), at(9, 12, tool="bandit", **kind)]

    assert problems(*ruff, *bandit) == [[0, 3], [1, 2]]


def test_a_tool_that_names_the_whole_statement_joins_one_of_its_calls():
    kind = {"category": "code-injection"}

    found = problems(at(9, 12, **kind), at(9, 24, **kind), at(9, 5, tool="semgrep", **kind))

    assert found == [[0, 2], [1]]


def test_two_rules_of_one_tool_on_different_calls_are_two_problems():
    kind = {"category": "code-injection"}

    assert problems(at(9, 12, rule="S307", **kind), at(9, 24, rule="S102", **kind)) == [[0], [1]]
    assert problems(at(9, 12, rule="S307", **kind), at(9, 12, rule="S102", **kind)) == [[0, 1]]


@pytest.mark.parametrize("category", ["style", "note", "policy", "maintainability", "complexity"])
def test_what_is_no_security_problem_is_never_folded(category):
    assert problems(at(4, 5, category=category), at(4, 5, tool="bandit", category=category)) == [[0], [1]]


def test_an_error_is_the_same_only_at_the_same_column():
    kind = {"category": "correctness"}

    assert problems(at(4, 5, **kind), at(4, 5, tool="mypy", **kind), at(4, 9, tool="pylint", **kind)) == [[0, 1], [2]]


def test_other_languages_go_by_lines_and_by_the_columns_of_one_tool():
    js = {"path": "a.js", "category": "xss"}

    assert problems(at(4, 5, **js), at(4, 30, tool="semgrep", **js), at(5, 1, tool="semgrep", **js)) == [[0, 1], [2]]
    assert problems(at(4, 5, rule="a", **js), at(4, 30, rule="b", **js)) == [[0], [1]]


def test_python_that_does_not_parse_goes_by_lines():
    broken = b"def f(:\n  x = eval(\n y)\n"

    assert problems(at(2, 7), at(2, 3, tool="bandit"), at(3, 2, tool="semgrep"), source=broken) == [[0, 1], [2]]


def test_a_secret_is_known_by_its_hash_or_its_line():
    kind = {"category": "secret"}
    one, two = "k1:aa:yz", "k1:bb:yz"

    same_value = problems(at(3, secret=one, **kind), at(5, tool="gitleaks", secret=one, **kind))
    same_line = problems(at(3, secret=one, **kind), at(3, tool="gitleaks", secret=two, **kind))
    two_values = problems(at(3, 1, rule="a", secret=one, **kind), at(3, 9, rule="b", secret=two, **kind))

    assert (same_value, same_line, two_values) == ([[0, 1]], [[0, 1]], [[0], [1]])


def test_a_dependency_is_known_by_any_of_its_names_and_its_package():
    kind = {"category": "dependency", "path": "requirements.txt"}
    one = at(1, symbol="django", advisories=("CVE-1", "GHSA-1"), **kind)
    same = at(2, tool="audit", symbol="django", advisories=("PYSEC-1",), aliases=("GHSA-1",), **kind)
    other = at(2, tool="third", symbol="flask", advisories=("CVE-1",), **kind)

    assert problems(one, same, other) == [[0, 1], [2]]


def test_the_name_of_a_problem_survives_moved_lines():
    moved = b"# one\n# two\n\n" + SOURCE
    pair = [at(4, 5), at(4, 15, tool="bandit")]

    before = linked(fingerprinted(pair, {"a.py": SOURCE}), {"a.py": SOURCE})
    later = [replace(each, line=each.line + 3) for each in pair]
    after = linked(fingerprinted(later, {"a.py": moved}), {"a.py": moved})

    assert {each.problem for each in before} == {each.problem for each in after}
    assert before[0].problem.startswith("p1:")


def test_a_problem_shows_its_worst_finding_and_who_else_saw_it():
    low = at(4, 5, severity=Severity.LOW)
    unsure = at(4, 5, tool="bandit", confidence=Confidence.LOW)
    sure = at(4, 5, tool="semgrep", confidence=Confidence.HIGH)
    note = at(1, tool="bandit", category="import", severity=Severity.CRITICAL)
    silenced = at(9, 12, severity=Severity.CRITICAL, suppressed="nosec", category="code-injection")

    told = shown(linked([low, unsure, sure, note, silenced], {"a.py": SOURCE}))

    assert [(each.finding.tool, each.also_seen_by) for each in told] == [
        ("semgrep", ("bandit:bandit-rule", "ruff:ruff-rule")),
        ("ruff", ()),
        ("bandit", ()),
    ]


def test_linking_again_changes_nothing_and_order_does_not_matter():
    findings = fingerprinted([at(4, 5), at(4, 15, tool="bandit"), at(9, 12), at(9, 24)], {"a.py": SOURCE})
    first = linked(findings, {"a.py": SOURCE})

    again = linked(first, {"a.py": SOURCE})
    turned = linked(tuple(reversed(findings)), {"a.py": SOURCE})

    assert again == first
    assert {each.fingerprint: each.problem for each in turned} == {each.fingerprint: each.problem for each in first}


def test_a_flood_in_one_place_stays_apart_and_ends():
    flood = [at(4, 5, rule=f"r{number}") for number in range(3_000)]

    assert len({each.problem for each in linked(flood, {"a.py": SOURCE})}) == 3_000


CALLS = ("eval", "exec", "compile")
TOOLS = ("ruff", "bandit", "semgrep", "taint")


@given(seed=st.integers(0, 1_000_000))
def test_no_two_planted_problems_are_ever_one(seed: int):
    """Calls at random on lines and in statements of several lines; every tool sees a random part of them, at the call,
    its argument or, where there is but one, the statement."""
    chance = random.Random(seed)
    lines, planted = [], []
    for _ in range(chance.randint(1, 8)):
        calls = [f"{chance.choice(CALLS)}(x{chance.randint(0, 9)})" for _ in range(chance.randint(1, 3))]
        spread = chance.random() < 0.4
        first = len(lines) + 1
        if spread:
            lines += ["y = [", *(f"    {call}," for call in calls), "]"]
            places = [(first + 1 + number, 5) for number in range(len(calls))]
        else:
            lines.append("y = [" + ", ".join(calls) + "]")
            places = [(first, 6 + sum(len(call) + 2 for call in calls[:number])) for number in range(len(calls))]
        planted += [(place, call) for place, call in zip(places, calls, strict=True)]
    rows = []
    for tool in TOOLS:
        for number, ((line, column), call) in enumerate(planted):
            if chance.random() < 0.7:
                inner = column + call.index("(") + 1 if chance.random() < 0.3 else column
                rows.append((number, at(line, inner, tool=tool, category="code-injection")))
    chance.shuffle(rows)
    source = "\n".join(lines).encode() + b"\n"

    seen = linked([finding for _, finding in rows], {"a.py": source})

    owners = {}
    for (number, _), finding in zip(rows, seen, strict=True):
        owners.setdefault(finding.problem, set()).add(number)
    assert all(len(numbers) == 1 for numbers in owners.values())
    assert len(owners) == len({number for number, _ in rows}), "and none of them is shown twice"
