"""Words for inputs: ids of parameters and parts of test names, ASCII only, so that they are known beforehand."""

import ast
import re
from collections.abc import Sequence
from typing import Final

from elohim_kernel.engines._tests_shapes import Argument

_MOST: Final = 28


def words_for(arguments: Sequence[Argument]) -> str:
    """A few words for the values of one call.

    >>> words_for([Argument(text="''")]), words_for([Argument(text="-3")]), words_for([Argument(text="'Ab c'")])
    ('empty', 'minus 3', 'Ab c')
    """
    parts = [part for part in map(_word, arguments[:3]) if part]
    return " and ".join(parts)[:60].strip() or "plain"


def identifier_for(text: str) -> str:
    """Words as a part of a function's name."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "plain"


def _word(argument: Argument) -> str:
    try:
        value = ast.literal_eval(argument.text)
    except (ValueError, SyntaxError):
        return _clean(argument.text)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return f"minus {abs(value)}" if value < 0 else "zero" if value == 0 else str(value)
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, list | tuple | set | dict):
        kind = {list: "list", tuple: "tuple", set: "set", dict: "dict"}[type(value)]
        if not value:
            return f"empty {kind}"
        return f"{kind} of {len(value)}"
    return _clean(argument.text)


def _of_text(value: str) -> str:
    if not value:
        return "empty"
    if value.isspace():
        return "blank"
    word = _clean(value)
    if not word:
        return "unicode" if not value.isascii() else "punctuation"
    if not value.isascii():
        word = f"unicode {word}"
    if "\n" in value:
        word = f"lines {word}"
    return word[:_MOST].strip()


def _clean(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+-]+", " ", text).strip()[:_MOST].strip()
