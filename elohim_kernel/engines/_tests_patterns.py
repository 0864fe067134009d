"""Texts that a regular expression matches, made from the expression itself; each is checked before it is used."""

import importlib
import re
import warnings
from collections.abc import Sequence
from typing import Any, Final

_ways: Final = (0, 1, 2, 3)
_MOST: Final = 80
_LOOKS: Final = re.compile(r"\\[dwsbDWSBAZ.]|\[[^\]]+\]|\(\?|[*+?$^]|\{\d")
_CATEGORIES: Final = {"DIGIT": "7", "SPACE": " ", "WORD": "a", "NOT_DIGIT": "x", "NOT_SPACE": "x", "NOT_WORD": "-"}

Parsed = Any  # what the library's own parser gives: sequences of codes and arguments, of no public type


def samples(pattern: str) -> list[str]:
    """A few texts that match, the shortest alternatives first; empty for what is no expression or too odd for us.

    >>> samples(r"^(\\d{2}):(am|pm)$")
    ['77:am', '77:pm']
    """
    if not _LOOKS.search(pattern) or len(pattern) > 1_000:
        return []
    parser = importlib.import_module("re._parser")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed, compiled = parser.parse(pattern), re.compile(pattern)
    except (re.error, ValueError, OverflowError, RecursionError):
        return []
    made = dict.fromkeys(_text(parsed, way)[:_MOST] for way in _ways)
    return [text for text in made if text and compiled.search(text)]


def _text(parsed: Parsed, way: int) -> str:
    return "".join(_part(str(code), argument, way) for code, argument in parsed)


def _part(code: str, argument: Parsed, way: int) -> str:
    if code == "LITERAL":
        return chr(argument)
    if code == "NOT_LITERAL":
        return "a" if argument != ord("a") else "b"
    if code == "ANY":
        return "a"
    if code == "IN":
        return _member(argument, way)
    if code == "BRANCH":
        return _text(argument[1][way % len(argument[1])], way)
    if code in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = argument
        return _text(inner, way) * min(int(low) + way % 3, int(high), 40)
    if code == "SUBPATTERN":
        return _text(argument[-1], way)
    if code == "ATOMIC_GROUP":
        return _text(argument, way)
    return ""


def _member(members: Sequence[Parsed], way: int) -> str:
    code, argument = members[way % len(members)]
    name = str(code)
    if name == "NEGATE":
        denied = {chr(each) for kind, each in members[1:] if str(kind) == "LITERAL"}
        return next((letter for letter in "aZ0- _!" if letter not in denied), "")
    if name == "LITERAL":
        return chr(argument)
    if name == "RANGE":
        return chr(argument[0])
    return _CATEGORIES.get(str(argument).removeprefix("CATEGORY_"), "")
