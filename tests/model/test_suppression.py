"""Comments that silence: found where the tools find them, and nowhere else."""

import pytest

from elohim_kernel.model.finding import Finding, Severity
from elohim_kernel.model.suppression import MAX_BYTES, Reach, silencing, suppressions


def found(source: str, path: str = "a.py"):
    return [(one.line, one.tool, one.reach, one.rules) for one in suppressions(path, source.encode())]


def at(line, tool, rule, **fields):
    return Finding(rule=rule, severity=Severity.HIGH, message="m", path="a.py", line=line, tool=tool, **fields)


@pytest.mark.parametrize(
    ("text", "tool", "reach", "rules"),
    [
        ("x  # noqa", "ruff", Reach.LINE, ()),
        ("x  # NoQA : S307,E501 because", "ruff", Reach.LINE, ("S307", "E501")),
        ("# ruff: noqa: F401", "ruff", Reach.FILE, ("F401",)),
        ("# flake8: noqa", "ruff", Reach.FILE, ()),
        ("# ruff: disable[S307]", "ruff", Reach.FILE, ("S307",)),
        ("x  # nosec", "bandit", Reach.LINE, ()),
        ("x  # nosec B602, B607", "bandit", Reach.LINE, ("B602", "B607")),
        ("x  # type: ignore[arg-type]", "mypy", Reach.LINE, ("arg-type",)),
        ("# mypy: ignore-errors", "mypy", Reach.FILE, ()),
        ("x  # pylint: disable=eval-used", "pylint", Reach.LINE, ("eval-used",)),
        ("x  # nosemgrep: python.eval", "semgrep", Reach.LINE, ("python.eval",)),
        ("# nosem", "semgrep", Reach.NEXT, ()),
        ("x  # gitleaks:allow", "gitleaks", Reach.LINE, ()),
        ("x  # pragma: allowlist secret", "detect-secrets", Reach.LINE, ()),
        ("# pragma: allowlist nextline secret", "detect-secrets", Reach.NEXT, ()),
    ],
)
def test_each_kind_is_known_with_what_it_reaches(text, tool, reach, rules):
    assert found(f"\n{text}\n") == [(2, tool, reach, rules)]


@pytest.mark.parametrize(
    ("text", "reach", "rules"),
    [
        ("x() // eslint-disable-line no-eval", Reach.LINE, ("no-eval",)),
        ("/* eslint-disable-next-line no-eval */", Reach.NEXT, ("no-eval",)),
        ("/* eslint-disable */", Reach.FILE, ()),
    ],
)
def test_javascript_has_its_own(text, reach, rules):
    assert found(text, "a.js") == [(1, "eslint", reach, rules)]


def test_a_string_is_no_comment_for_tools_that_read_python():
    assert found("x = '# nosec'\ny = '''\n# noqa\n'''\n") == []


def test_a_tool_that_looks_in_any_text_is_taken_at_its_word():
    assert found("x = 'gitleaks:allow'\n") == [(1, "gitleaks", Reach.LINE, ())]


def test_python_that_cannot_be_read_still_has_its_comments():
    assert found("def f(:\n    x = eval(y)  # nosec\n    '''open\n") == [(2, "bandit", Reach.LINE, ())]


def test_a_file_that_is_too_large_is_not_searched():
    assert suppressions("a.py", b"# noqa\n" + b"x" * MAX_BYTES) == ()


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (at(2, "ruff", "S307"), "noqa: S307"),
        (at(2, "ruff", "F401"), ""),
        (at(2, "bandit", "B307"), ""),
        (at(1, "bandit", "B602", end_line=4), "nosec"),
        (at(3, "bandit", "B602"), "nosec"),
        (at(9, "ruff", "E501"), "ruff: noqa: E501"),
    ],
)
def test_a_finding_is_silenced_by_the_comment_of_its_tool_rule_and_lines(finding, text):
    source = b"# ruff: noqa: E501\nx = eval(y)  # noqa: S307\nz()  # nosec\n"

    comment = silencing(finding, suppressions("a.py", source))

    assert (comment.text if comment else "") == text
