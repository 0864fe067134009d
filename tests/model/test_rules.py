"""The table of rules against the tools themselves: every rule they have has a row, and no row is made up."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from hypothesis import given
from hypothesis import strategies as st
from mypy import errorcodes

from elohim_kernel.model.category import CATEGORIES, DEMOTED
from elohim_kernel.model.finding import Confidence, Severity
from elohim_kernel.model.rules import TABLES, judged, row_of


@pytest.fixture(scope="module")
def ruff_rules():
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    listed = subprocess.run([ruff, "rule", "--all", "--output-format", "json"], capture_output=True, check=True)
    return {each["code"] for each in json.loads(listed.stdout) if each["code"]}


BANDIT = """
from bandit.core.extension_loader import MANAGER as all
print(*{each.plugin._test_id for each in all.plugins})
print(*{entry["id"] for entries in all.blacklist.values() for entry in entries})
"""


@pytest.fixture(scope="module")
def bandit_rules():
    listed = subprocess.run([sys.executable, "-c", BANDIT], capture_output=True, check=True, text=True)
    return set(listed.stdout.split())


def test_every_security_rule_of_ruff_has_a_row_of_its_own_or_its_group(ruff_rules):
    missing = [rule for rule in ruff_rules if rule[0] == "S" and rule[1].isdigit() and row_of("ruff", rule) is None]

    assert missing == []


def test_every_row_for_ruff_is_the_beginning_of_a_rule_ruff_has(ruff_rules):
    made_up = [name for name in TABLES["ruff"] if name != "invalid-syntax" and not any(map(_begins(name), ruff_rules))]

    assert made_up == []


def _begins(name):
    return lambda rule: rule.startswith(name)


def test_every_rule_of_bandit_has_a_row_and_every_row_a_rule(bandit_rules):
    assert set(TABLES["bandit"]) == bandit_rules


def test_every_detector_of_detect_secrets_has_a_row_by_either_of_its_names():
    plugins = get_mapping_from_secret_type_to_class()

    assert set(TABLES["detect-secrets"]) == {*plugins, *(plugin.__name__ for plugin in plugins.values())}


def test_every_error_code_of_mypy_has_a_row_and_every_row_a_code():
    assert set(TABLES["mypy"]) == set(errorcodes.error_codes) | {"syntax"}


def test_every_row_names_a_category_there_is_and_keeps_its_number():
    rows = [(tool, rule, row) for tool, table in TABLES.items() for rule, row in table.items()]

    assert {row.category for _, _, row in rows} <= set(CATEGORIES)
    assert [rule for tool, rule, row in rows if CATEGORIES[row.category].cwe and not judged(tool, rule).cwe] == []


@pytest.mark.parametrize(
    ("tool", "rule", "said", "category", "cwe"),
    [
        ("bandit", "B307", 78, "code-injection", 94),
        ("bandit", "B102", 78, "code-injection", 94),
        ("bandit", "B506", 20, "deserialization", 502),
        ("bandit", "B314", 20, "xxe", 611),
        ("bandit", "B311", 330, "weak-random", 330),
        ("ruff", "S311", 0, "weak-random", 330),
        ("ruff", "S324", 0, "weak-hash", 328),
        ("flake8-bandit", "S608", 0, "sql-injection", 89),
        ("semgrep", "python.django.security.injection.tainted-sql-string", 915, "sql-injection", 89),
        ("Semgrep OSS", "python.flask.security.injection.tainted-sql-string", 704, "sql-injection", 89),
        ("semgrep", "python.flask.security.audit.secure-set-cookie.secure-set-cookie", 614, "insecure-cookie", 614),
        ("CodeQL", "py/path-injection", 22, "path-traversal", 22),
        ("codeql", "js/xss-through-dom", 79, "xss", 79),
        ("SonarQube", "pythonsecurity:S3649", 0, "sql-injection", 89),
        ("gosec", "G204", 0, "command-injection", 78),
        ("brakeman", "SQL Injection", 0, "sql-injection", 89),
        ("eslint", "security/detect-child-process", 0, "command-injection", 78),
        ("eslint", "no-eval", 0, "code-injection", 94),
        ("njsscan", "express_xss", 0, "xss", 79),
        ("checkov", "CKV_AWS_20", 0, "exposure", 1327),
        ("checkov", "CKV_SECRET_6", 0, "secret", 798),
        ("gitleaks", "aws-access-token", 0, "secret", 798),
        ("taint", "xpath-injection", 0, "xpath-injection", 643),
        ("anything", "CVE-2024-1234", 0, "dependency", 1395),
    ],
)
def test_tools_that_disagree_about_a_number_agree_about_the_problem(tool, rule, said, category, cwe):
    found = judged(tool, rule, cwe=said)

    assert (found.category, found.cwe) == (category, cwe)
    assert found.help


@pytest.mark.parametrize(
    ("tool", "rule", "confidence"),
    [
        ("ruff", "S307", Confidence.LOW),
        ("ruff", "S314", Confidence.LOW),
        ("ruff", "S324", Confidence.HIGH),
        ("bandit", "B311", Confidence.HIGH),
        ("ruff", "S608", Confidence.MEDIUM),
        ("bandit", "B608", Confidence.LOW),
        ("detect-secrets", "Secret Keyword", Confidence.LOW),
    ],
)
def test_confidence_is_how_often_the_rule_was_right(tool, rule, confidence):
    assert judged(tool, rule).confidence is confidence


def test_an_unknown_rule_keeps_what_its_tool_says_and_falls_back_to_its_number():
    found = judged("newtool", "NT1", cwe=89, severity=Severity.CRITICAL, confidence=Confidence.HIGH)

    assert (found.category, found.cwe) == ("sql-injection", 89)
    assert (found.severity, found.confidence) == (Severity.CRITICAL, Confidence.HIGH)


def test_an_unknown_rule_that_says_nothing_is_medium_quality():
    found = judged("newtool", "NT1")

    assert (found.category, found.cwe, found.severity, found.confidence.value) == ("quality", 0, "medium", "medium")


def test_a_number_outside_our_categories_is_kept():
    assert (judged("newtool", "NT1", cwe=9999).category, judged("newtool", "NT1", cwe=9999).cwe) == ("security", 9999)


def test_a_tool_that_calls_one_finding_low_is_believed_and_one_that_exaggerates_is_not():
    assert judged("bandit", "B602", severity=Severity.LOW).severity is Severity.LOW
    assert judged("bandit", "B104", severity=Severity.HIGH).severity is Severity.LOW
    assert judged("bandit", "B324", confidence=Confidence.LOW).confidence is Confidence.LOW
    assert judged("ruff", "S307", confidence=Confidence.HIGH).confidence is Confidence.LOW


@pytest.mark.parametrize("rule", ["B401", "B403", "B404", "B413"])
def test_imports_of_modules_that_need_care_are_information(rule):
    found = judged("bandit", rule, cwe=502, severity=Severity.HIGH)

    assert (found.category, found.severity) == ("import", Severity.INFO)


def test_a_short_prefix_does_not_take_the_rules_of_another_linter():
    assert row_of("ruff", "FURB101") is None
    assert row_of("ruff", "SLF001") is None
    assert judged("ruff", "F999").category == "correctness"


@given(
    tool=st.sampled_from([*TABLES, "else"]),
    rule=st.text(max_size=20),
    cwe=st.integers(0, 2000),
    severity=st.sampled_from([None, *Severity]),
    confidence=st.sampled_from([None, *Confidence]),
)
def test_any_rule_gets_a_judgement_and_style_is_never_loud(tool, rule, cwe, severity, confidence):
    found = judged(tool, rule, cwe=cwe, severity=severity, confidence=confidence)

    assert found.category in CATEGORIES
    assert found.severity is Severity.INFO or found.category not in DEMOTED


def test_the_tables_need_nothing_but_the_model():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, elohim_kernel.model.rules; print('duckdb' in sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )

    assert loaded.stdout.strip() == "False"
