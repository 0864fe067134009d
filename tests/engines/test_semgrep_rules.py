"""Our semgrep rules on their examples: what is bad is reported, what is good is left alone, in one run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from elohim_kernel.engines import semgrep
from elohim_kernel.engines._semgrep_compile import COMPILED, compiled
from elohim_kernel.model.category import CATEGORIES
from elohim_kernel.model.finding import EngineStatus
from elohim_kernel.model.rules import TABLES

EXAMPLES = Path(__file__).parent / "rules"
NAMES = {
    "python": "x.py",
    "javascript": "x.js",
    "template": "x.html",
    "workflow": ".github/workflows/x.yml",
    "compose": "docker-compose.yml",
    "docker": "Dockerfile",
}


class Example(NamedTuple):
    rule: str
    kind: str
    path: str
    text: str


def examples() -> Iterator[Example]:
    for file in sorted(EXAMPLES.glob("*.yaml")):
        for rule, given in yaml.safe_load(file.read_text()).items():
            name = given.get("file", NAMES[rule.split(".")[1]])
            for kind in ("bad", "good"):
                for number, text in enumerate(given[kind]):
                    yield Example(rule, kind, f"{rule}/{kind}-{number}/{name}", text)


@pytest.fixture(scope="module")
def ours():
    return {rule["id"]: rule for rule in json.loads(COMPILED.read_text())["rules"]}


def test_bad_examples_are_reported_and_good_ones_are_not(report):
    given = {each.path: each for each in examples()}

    seen = report(semgrep, {"x.md": "x\n"}, {path: each.text for path, each in given.items()}, whole=True)

    told: dict[str, set[str]] = {path: set() for path in given}
    for finding in seen.findings:
        told[finding.path].add(finding.rule)
    assert [path for path, each in given.items() if each.kind == "bad" and each.rule not in told[path]] == []
    assert {path: rules for path, rules in told.items() if given[path].kind == "good" and rules} == {}
    assert (seen.status, seen.skipped) == (EngineStatus.FINDINGS, ())


def test_every_rule_has_an_example_of_both_kinds(ours):
    kinds = {(each.rule, each.kind) for each in examples()}

    assert kinds == {(rule, kind) for rule in ours for kind in ("bad", "good")}


def test_the_compiled_rules_are_those_of_the_sources():
    assert COMPILED.read_text() == compiled(), "run: python -m elohim_kernel.engines._semgrep_compile"


def test_every_rule_says_what_is_wrong_what_to_do_and_under_which_licence(ours):
    for rule in ours.values():
        about = rule["metadata"]
        assert rule["message"].endswith("."), rule["id"]
        assert about["instead"].endswith("."), rule["id"]
        assert about["license"] == "Apache-2.0"
        assert about["category"] in CATEGORIES
        assert about["cwe"].startswith("CWE-")


def test_every_row_of_ours_in_the_table_is_a_rule_there_is(ours):
    rows = {rule for rule in TABLES["semgrep"] if rule.startswith("elohim.")}

    assert rows == set(ours)
