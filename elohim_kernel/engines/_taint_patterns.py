"""Which attacks a regular expression shuts out: those whose characters it never lets through."""

import re
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from re import _constants as kinds  # type: ignore[attr-defined]  # the parser's own names; there is no public way
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

# The parser's trees are nested lists of (kind, value) without a type of their own, hence Any.

_DANGEROUS: Final[Mapping[str, str]] = {
    "command-injection": ";|&$`<> \n'\"(){}\\",
    "code-injection": "()[]'\".\n;=",
    "sql-injection": "'\"; ",
    "path-traversal": "/\\",
    "xss": "<>&\"'`",
    "template-injection": "{}%$",
    "xpath-injection": "'\"[]()/= ",
    "ldap-injection": "()*\\|&=",
    "log-injection": "\n\r",
    "open-redirect": "/\\:",
    "ssrf": "/\\:.@",
    "deserialization": "(\n.:!{\x80",
    "xxe": "<&",
    "trust-boundary": "<>'\"\n",
}
_MAX_CHARACTERS: Final = 400


@lru_cache(maxsize=256)
def harmless_for(pattern: object, how: str) -> frozenset[str]:
    r"""The categories a text is harmless for when `re.<how>(pattern, text)` finds something.

    >>> sorted(harmless_for(r"[\w-]+", "fullmatch"))[:2]
    ['code-injection', 'command-injection']
    >>> harmless_for(r"[\w-]+", "match")
    frozenset()
    """
    if isinstance(pattern, bytes):
        pattern = pattern.decode("latin-1")
    if not isinstance(pattern, str):
        return frozenset()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = list(parser.parse(pattern))
    except (re.error, OverflowError, RecursionError):
        return frozenset()
    if not _is_whole(tree, how):
        return frozenset()
    allowed = _allowed(tree)
    if allowed is None:
        return frozenset()
    return frozenset(name for name, bad in _DANGEROUS.items() if not allowed & set(bad))


def _is_whole(tree: list[Any], how: str) -> bool:
    """Whether the pattern describes all of the text."""
    if how == "fullmatch":
        return True
    ends = tree and tree[-1][0] is kinds.AT and tree[-1][1] in (kinds.AT_END, kinds.AT_END_STRING)
    begins = tree and tree[0][0] is kinds.AT and tree[0][1] in (kinds.AT_BEGINNING, kinds.AT_BEGINNING_STRING)
    return bool(ends and (how == "match" or begins))


def _allowed(tree: Iterable[Any]) -> set[str] | None:
    """The characters a text may hold; None when it may hold any. Letters beyond ASCII do no harm and are left out."""
    allowed: set[str] = set()
    for kind, value in tree:
        more = _of_one(kind, value)
        if more is None or len(allowed) > _MAX_CHARACTERS:
            return None
        allowed |= more
    return allowed


def _of_one(kind: Any, value: Any) -> set[str] | None:
    if kind is kinds.LITERAL:
        return {chr(value)}
    if kind is kinds.RANGE:
        low, high = value
        return {chr(each) for each in range(low, min(high, 0x2FF) + 1)}
    if kind is kinds.CATEGORY:
        return _CATEGORIES.get(value)
    if kind is kinds.IN:
        return None if value and value[0][0] is kinds.NEGATE else _allowed(value)
    if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, getattr(kinds, "POSSESSIVE_REPEAT", None)):
        return _allowed(value[2])
    if kind is kinds.SUBPATTERN:
        return _allowed(value[3])
    if kind is kinds.BRANCH:
        branches = [_allowed(each) for each in value[1]]
        return None if None in branches else set().union(*(each for each in branches if each is not None))
    if kind in (kinds.AT, kinds.ASSERT, kinds.ASSERT_NOT):
        return set()
    return None


_CATEGORIES: Final = {
    kinds.CATEGORY_DIGIT: set("0123456789"),
    kinds.CATEGORY_WORD: set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
    kinds.CATEGORY_SPACE: set(" \t\n\r\f\v"),
}
