"""Comments in source that silence a tool: which there are, what they reach, and which one silences a finding.

Comments of Python tools count only where Python has a comment; those that a tool looks for in any text of a line count
anywhere in it.
"""

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from elohim_kernel.model.finding import Finding
from elohim_kernel.model.fingerprint import PYTHON_SUFFIXES
from elohim_kernel.model.value import Value

MAX_BYTES: Final = 2 * 1024 * 1024
"""Longer files are not searched."""

SILENCED: Final = "silenced-by-the-change"
"""The rule of a finding about such a comment that a change adds."""

_MAX_COMMENTS: Final = 10_000
_MAX_TEXT: Final = 80


class Reach(StrEnum):
    """What a comment silences."""

    LINE = "line"
    NEXT = "next_line"
    FILE = "file"  # from there to the end of the file, or all of it


class Suppression(Value, frozen=True):
    """One comment that silences a tool."""

    line: int  # 1-based
    tool: str
    reach: Reach
    text: str  # as it is written, without what follows
    rules: tuple[str, ...] = ()  # empty: all of the tool's

    def reaches(self, finding: Finding) -> bool:
        """Whether it silences that finding, as far as tool, place and rule say."""
        if self.tool != finding.tool or (self.rules and not any(_names(rule, finding.rule) for rule in self.rules)):
            return False
        if self.reach is Reach.FILE:
            return True
        lines = range(finding.line, max(finding.line, finding.end_line) + 1)
        return (self.line + 1 if self.reach is Reach.NEXT else self.line) in lines


def _names(written: str, rule: str) -> bool:
    # `S` means every rule that begins so; `sql-query` means a rule whose dotted name ends so.
    return rule.lower().startswith(written.lower()) or rule.lower().endswith(f".{written.lower()}")


class _Kind(NamedTuple):
    tool: str
    reach: Reach
    pattern: re.Pattern[str]
    in_comment: bool = True


_RULES: Final = r"(?P<rules>[\w./@-]+(?:\s*,\s*[\w./@-]+)*)"


def _kind(tool: str, reach: Reach, pattern: str, *, anywhere: bool = False) -> _Kind:
    return _Kind(tool, reach, re.compile(pattern, re.IGNORECASE), in_comment=not anywhere)


_KINDS: Final = (
    _kind("ruff", Reach.FILE, rf"#\s*(?:ruff|flake8)\s*:\s*noqa(?:\s*:\s*{_RULES})?"),
    _kind("ruff", Reach.FILE, r"#\s*ruff\s*:\s*(?:disable|ignore|file-ignore)\s*\[(?P<rules>[\w, ]+)\]"),
    _kind("ruff", Reach.LINE, rf"#\s*noqa(?:\s*:\s*{_RULES})?"),
    _kind("bandit", Reach.LINE, r"#\s*nosec\b(?:\s*:?\s*(?P<rules>B\d+(?:[\s,]+B\d+)*))?"),
    _kind("mypy", Reach.FILE, r"#\s*mypy\s*:\s*(?:ignore-errors|disable-error-code|follow-imports)[\w=\", -]*"),
    _kind("mypy", Reach.LINE, r"#\s*type\s*:\s*ignore(?:\[(?P<rules>[\w, -]+)\])?"),
    _kind("pylint", Reach.LINE, rf"#\s*pylint\s*:\s*disable\s*=\s*{_RULES}"),
    _kind("pylint", Reach.FILE, r"#\s*pylint\s*:\s*skip-file"),
    _kind("eslint", Reach.NEXT, rf"(?://|/\*)\s*eslint-disable-next-line(?:\s+{_RULES})?", anywhere=True),
    _kind("eslint", Reach.LINE, rf"(?://|/\*)\s*eslint-disable-line(?:\s+{_RULES})?", anywhere=True),
    _kind("eslint", Reach.FILE, rf"/\*\s*eslint-disable(?![\w-])(?:\s+{_RULES})?", anywhere=True),
    _kind("semgrep", Reach.LINE, rf"\bnosem(?:grep)?\b(?:\s*:\s*{_RULES})?", anywhere=True),
    _kind("gitleaks", Reach.LINE, r"\bgitleaks:allow\b", anywhere=True),
    _kind("detect-secrets", Reach.NEXT, r"pragma:\s*(?:allow|white)list\s+nextline\s+secret", anywhere=True),
    _kind("detect-secrets", Reach.LINE, r"pragma:\s*(?:allow|white)list\s+secret", anywhere=True),
)
# Cheap to look for, and in every such comment; a file without one of them is not looked at further.
_WORDS: Final = (
    b"noqa",
    b"nosec",
    b"nosem",
    b"ignore",
    b"mypy",
    b"pylint",
    b"eslint-",
    b"gitleaks:",
    b"secret",
    b"ruff",
)
_ANY: Final = re.compile(
    r"noqa|ruff\s*:|nosec|nosem|type\s*:\s*ignore|mypy\s*:|pylint\s*:|eslint-disable|gitleaks:allow"
    r"|list\s+(?:nextline\s+)?secret",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(r"\s*(?:#|//|/\*|<!--)")

SECURITY_TOOLS: Final = frozenset({"bandit", "semgrep", "gitleaks", "detect-secrets"})
"""Tools whose silence is always worth a look."""


def suppressions(path: str, source: bytes) -> tuple[Suppression, ...]:
    r"""Every comment in a file that silences a tool, in line order.

    >>> [(one.tool, one.rules, one.line) for one in suppressions("a.py", b"import os  # noqa: F401\ns = '# nosec'\n")]
    [('ruff', ('F401',), 1)]
    """
    small = source.lower()
    if len(source) > MAX_BYTES or not any(word in small for word in _WORDS):
        return ()
    lines = source.decode(errors="replace").splitlines()
    marked = [(number, line) for number, line in enumerate(lines, start=1) if _ANY.search(line)]
    comments = _python_comments(source) if marked and path.endswith(PYTHON_SUFFIXES) else None
    found: list[Suppression] = []
    for number, line in marked:
        found.extend(_on(line, line if comments is None else comments.get(number, ""), number))
        if len(found) >= _MAX_COMMENTS:
            break
    return tuple(found)


def silencing(finding: Finding, comments: Sequence[Suppression]) -> Suppression | None:
    """The comment that silences a finding; `None` when there is none. One with rules comes before one without."""
    fitting = [one for one in comments if one.reaches(finding)]
    return min(fitting, key=lambda one: (one.reach is Reach.FILE, not one.rules, one.line), default=None)


def _on(line: str, comment: str, number: int) -> Iterator[Suppression]:
    seen: set[str] = set()
    for kind in _KINDS:
        match = kind.pattern.search(comment if kind.in_comment else line)
        if match is None or kind.tool in seen:
            continue
        seen.add(kind.tool)
        rules = match.groupdict().get("rules") or ""
        reach = kind.reach
        if kind.tool == "semgrep" and _ALONE.match(line):
            reach = Reach.NEXT  # on a line of its own it is meant for the one below
        yield Suppression(
            line=number,
            tool=kind.tool,
            reach=reach,
            text=match[0].lstrip("#/* \t")[:_MAX_TEXT].strip(),
            rules=tuple(re.findall(r"[\w./@-]+", rules)),
        )


def _python_comments(source: bytes) -> dict[int, str] | None:
    """Line to its comment; `None` when the file is not Python that can be read to its end."""
    comments: dict[int, str] = {}
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type == tokenize.COMMENT:
                comments[token.start[0]] = token.string
    except (tokenize.TokenError, SyntaxError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    return comments
