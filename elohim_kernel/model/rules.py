"""What a tool's rule is about: our word and CWE number for it, how bad, how sure, and what to do instead.

One table for every tool, because they disagree: `eval` is CWE-78 to one and CWE-95 to another. A rule that is not in it
keeps what its tool says, and gets its category from the tool's CWE number. The tables stand in the modules beside this.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from elohim_kernel.model import _rules_foreign as foreign
from elohim_kernel.model import _rules_ours as ours
from elohim_kernel.model import _rules_python as python
from elohim_kernel.model import _rules_secrets as secrets
from elohim_kernel.model import _rules_semgrep as semgrep
from elohim_kernel.model import _rules_web as web
from elohim_kernel.model._rules_help import HELP
from elohim_kernel.model._rules_row import Row, by_rule
from elohim_kernel.model.category import CATEGORIES, DEMOTED, category_of_cwe
from elohim_kernel.model.finding import Confidence, Severity
from elohim_kernel.model.value import Value


class Judged(Value, frozen=True):
    """What a finding of one rule means to us."""

    category: str
    cwe: int  # 0: none
    severity: Severity
    confidence: Confidence
    help: str = ""  # what to do instead, one or two sentences; "" when we have no advice


TABLES: Final[Mapping[str, Mapping[str, Row]]] = {
    "ruff": by_rule(python.RUFF),
    "bandit": by_rule(python.BANDIT),
    "mypy": by_rule(python.MYPY),
    "pylint": by_rule(python.PYLINT),
    "eslint": by_rule(web.ESLINT),
    "njsscan": by_rule(web.NJSSCAN),
    "semgrep": by_rule((*ours.OURS, *semgrep.REGISTRY)),
    "detect-secrets": by_rule(secrets.DETECT_SECRETS),
    "gitleaks": by_rule(secrets.GITLEAKS),
    "betterleaks": by_rule(secrets.GITLEAKS),
    "kingfisher": by_rule(secrets.OTHERS),
    "trufflehog": by_rule(secrets.OTHERS),
    "credsweeper": by_rule(secrets.OTHERS),
    "codeql": by_rule(foreign.CODEQL),
    "sonarqube": by_rule(foreign.SONARQUBE),
    "gosec": by_rule(foreign.GOSEC),
    "brakeman": by_rule(foreign.BRAKEMAN),
    "checkov": by_rule(foreign.INFRASTRUCTURE),
    "taint": {name: Row(name, name) for name, one in CATEGORIES.items() if one.security},
}
"""Tool to rule to row. `*` stands for every rule of a tool; see `PREFIXED` for tools whose rows may be prefixes."""

PREFIXED: Final = frozenset({"ruff", "pylint", "checkov"})
"""Tools whose rows may name the beginning of rules; the longest that fits wins."""

_ALSO_CALLED: Final = {
    "flake8": "ruff",
    "flake8-bandit": "ruff",
    "opengrep": "semgrep",
    "semgrep oss": "semgrep",
    "semgrep pro": "semgrep",
    "sonar": "sonarqube",
    "sonarcloud": "sonarqube",
    "sonarpython": "sonarqube",
    "tfsec": "checkov",
    "trivy": "checkov",
    "detect_secrets": "detect-secrets",
    "codeql command-line toolchain": "codeql",
}
_LAST_PART_AFTER: Final = {"semgrep": ".", "sonarqube": ":", "codeql": "/", "eslint": "/"}
_ADVISORY: Final = ("CVE-", "GHSA-", "PYSEC-", "OSV-", "RUSTSEC-", "GO-", "SNYK-")
_SURENESS: Final = tuple(Confidence)


def judged(
    tool: str, rule: str, *, cwe: int = 0, severity: Severity | None = None, confidence: Confidence | None = None
) -> Judged:
    """What a finding of `rule` means; `cwe`, `severity` and `confidence` are what the tool said, if it did.

    A rule we know has our category, number and severity. Where the tool says for one finding that it is only low or
    information, or is less sure than the table, the tool is believed. Never raises.

    >>> one = judged("bandit", "B307", cwe=78, severity=Severity.MEDIUM)
    >>> (one.category, one.cwe, one.confidence.value)
    ('code-injection', 94, 'low')
    >>> judged("sometool", "X1", cwe=643).category
    'xpath-injection'
    """
    return _judged(tool, rule, cwe, severity, confidence)


@cache
def _judged(tool: str, rule: str, cwe: int, severity: Severity | None, confidence: Confidence | None) -> Judged:
    row = row_of(tool, rule) or Row(rule, category_of_cwe(cwe), None, None, cwe)
    category = CATEGORIES[row.category]
    number = row.cwe or category.cwe or (cwe if category.security else 0)
    return Judged(
        category=category.name,
        cwe=number,
        severity=_severity(row, severity),
        confidence=max((each for each in (row.confidence, confidence) if each), key=_SURENESS.index, default=_MIDDLE),
        help=row.help or HELP.get(category.name, ""),
    )


_MIDDLE: Final = Confidence.MEDIUM


def _severity(row: Row, said: Severity | None) -> Severity:
    if row.category in DEMOTED:
        return Severity.INFO
    if row.severity is None:
        return said or Severity.MEDIUM
    if said is not None and said.rank >= Severity.LOW.rank:
        return max(said, row.severity, key=lambda each: each.rank)
    return row.severity


def row_of(tool: str, rule: str) -> Row | None:
    """Our row for a rule of a tool, whatever the tool calls itself in reports; None when we do not know the rule."""
    name = tool.strip().lower()
    name = _ALSO_CALLED.get(name, name)
    if rule.startswith(_ADVISORY):
        return Row(rule, "dependency")
    table = TABLES.get(name)
    if table is None:
        return None
    for candidate in _candidates(name, rule):
        if candidate in table:
            return table[candidate]
    return table.get("*")


def _candidates(tool: str, rule: str) -> Iterator[str]:
    yield rule
    if tool in PREFIXED:
        yield from (rule[:end] for end in range(len(rule) - 1, 0, -1) if _ends_a_name(rule, end))
    separator = _LAST_PART_AFTER.get(tool)
    if separator and separator in rule:
        yield rule.rsplit(separator, 1)[1]


def _ends_a_name(rule: str, end: int) -> bool:
    # "F" stands for F401, and not for FURB101.
    return not (rule[end - 1].isalpha() and rule[end].isalpha())
