"""Who owns a file, by a CODEOWNERS text, as GitHub reads it: the last pattern that matches wins.

A pattern that names no owner takes the owners away. Lines that GitHub would refuse are skipped, and counted.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where the file is looked for; the first one there counts, even when it is empty."""

MAX_BYTES: Final = 3 * 1024 * 1024
"""A larger file counts as none."""

_OWNER: Final = re.compile(r"@[\w][\w-]*(?:/[\w.-]+)?$|[^@\s]+@[^@\s]+\.[^@\s]+$")
_MAX_RULES: Final = 20_000
# More would take a regular expression for ever on a long path; nobody writes so many.
_MAX_STARS: Final = 20
_MAX_SPREADS: Final = 3


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    owners: tuple[str, ...]


class Owners:
    """The rules of one CODEOWNERS text.

    >>> Owners("*  @ann\\n/docs/ @bo @team/docs\\n").of("docs/index.md")
    ('@bo', '@team/docs')
    """

    def __init__(self, text: str = "") -> None:
        self.skipped = 0
        """Lines that say nothing GitHub would accept."""
        self._rules: list[_Rule] = []
        self._known: dict[str, tuple[str, ...]] = {}
        for line in text.splitlines()[:_MAX_RULES]:
            words = _words(line)
            if not words:
                continue
            pattern = _compiled(words[0])
            if pattern is None or not all(map(_OWNER.match, words[1:])):
                self.skipped += 1
                continue
            self._rules.append(_Rule(pattern, tuple(words[1:])))

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file, as they are written; empty for a file nobody owns."""
        if path not in self._known:
            matching = (rule.owners for rule in reversed(self._rules) if rule.pattern.fullmatch(path))
            self._known[path] = next(matching, ())
        return self._known[path]


def _words(line: str) -> Sequence[str]:
    """The pattern and the owners; a space in a pattern is written with a backslash, a comment begins after a space."""
    found: list[str] = []
    for word in re.findall(r"(?:\\.|\S)+", line):
        if word.startswith("#"):
            break
        found.append(word)
    return found


def _compiled(pattern: str) -> re.Pattern[str] | None:
    if "***" in pattern or pattern == "/" or pattern.startswith("!") or re.search(r"(?<!\\)[\[\]]", pattern):
        return None
    parts = pattern.split("/")
    if pattern.count("*") > _MAX_STARS or parts.count("**") > _MAX_SPREADS:
        return None
    if parts[0] == "":
        parts = parts[1:]
    elif len(parts) == 1 or (len(parts) == 2 and not parts[1]):
        parts = ["**", *parts]  # no slash before its end: in any folder
    if parts[-1] == "":
        parts[-1] = "**"
    return re.compile("".join(_pieces(parts)), re.DOTALL)


def _pieces(parts: Sequence[str]) -> Iterator[str]:
    slash = ""
    for place, part in enumerate(parts):
        is_last = place == len(parts) - 1
        if part == "**":
            if is_last:
                yield slash + ".+"
            elif place == 0:
                yield "(?:[^/]+/)*"
                slash = ""
            else:
                yield "(?:/[^/]+)*"
                slash = "/"
            continue
        yield slash + _name(part)
        # A name that ends a pattern is a file, or a folder with all that is in it; a lone star is direct files only.
        if is_last and part != "*":
            yield "(?:/.*)?"
        slash = "/"


def _name(part: str) -> str:
    """One name. Of the pieces between stars each takes the first place it fits, which is never wrong, and for good."""
    if part == "*":
        return "[^/]+"
    first, *others = re.split(r"(?<!\\)\*+", part)
    if not others:
        return _literal(first)
    middle = "".join(f"(?>[^/]*?{_literal(piece)})" for piece in others[:-1])
    return f"{_literal(first)}{middle}[^/]*{_literal(others[-1])}"


def _literal(piece: str) -> str:
    characters = re.findall(r"\\.|.", piece, re.DOTALL)
    return "".join("[^/]" if each == "?" else re.escape(each.removeprefix("\\")) for each in characters)
