"""How one value becomes a JSON literal of a declared type: from command-line text, or from a Python value.

Nothing here executes, imports or calls the value: what is not a plain literal of the type is refused with `Unfit`.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from math import isfinite
from typing import Final, TypeAlias, Union

JSON: TypeAlias = Union[bool, int, float, str, list["JSON"], dict[str, "JSON"], None]  # noqa: UP007 - recursive

MAX_TEXT: Final = 1_000_000  # characters of one value
MAX_DEPTH: Final = 32  # lists and dicts inside each other
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)


class ParameterType(StrEnum):
    """What a value must be. Dates and times are carried as ISO 8601 text, times in UTC."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    STR = "str"
    LIST = "list"
    DICT = "dict"
    DATE = "date"
    DATETIME = "datetime"


class Unfit(Exception):
    """The value does not fit the type; the text completes a sentence that begins with the value."""


def fit(value: object, kind: ParameterType) -> JSON:
    """The value as a literal of `kind`; raises `Unfit`. A whole number fits `float`; nothing else is converted.

    >>> fit(3, ParameterType.FLOAT)
    3.0
    """
    return _CHECKS[kind](value)


def fit_text(text: str, kind: ParameterType) -> JSON:
    """The text as a command line writes it: `false`, `1e3`, `["a"]`, `2026-11-22`. Raises `Unfit`.

    >>> fit_text("no", ParameterType.BOOL)
    False
    """
    if len(text) > MAX_TEXT:
        raise Unfit(f"is longer than {MAX_TEXT:,} characters")
    return fit(_FROM_TEXT[kind](text), kind)


def shown(value: object) -> str:
    """The value in at most 60 printable characters, for a message. A foreign object's own repr is never called.

    >>> shown("a\\nb"), shown([1, 2])
    ("'a\\\\nb'", 'a list of 2')
    """
    if type(value) in (list, tuple, dict):
        return f"a {type(value).__name__} of {len(value)}"  # type: ignore[arg-type]  # the line above has checked it
    if type(value) not in (bool, int, float, str, type(None), date, datetime):
        return f"a {type(value).__name__}"
    try:
        text = repr(value)
    except ValueError:  # a whole number with more than 4,300 digits
        return "a very large number"
    return text if len(text) <= 60 else text[:57] + "…"


def _whole_text(text: str) -> object:
    if not _WHOLE.fullmatch(text):
        raise Unfit("is not a whole number (int)")
    return int(text)


def _number_text(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        raise Unfit("is not a number (float)") from None


def _truth_text(text: str) -> object:
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in known:
        raise Unfit("is not true or false (bool)")
    return known[text.lower()]


def _json_text(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        raise Unfit("is not JSON") from None
    return value


def _whole(value: object) -> JSON:
    if type(value) is not int:
        raise Unfit("is not a whole number (int)")
    if not -(2**63) <= value < 2**63:
        raise Unfit("does not fit in 64 bits (int)")
    return value


def _number(value: object) -> JSON:
    if type(value) is int:
        value = float(_whole(value))  # type: ignore[arg-type]  # _whole has just said it is an int
    if type(value) is not float or not isfinite(value):
        raise Unfit("is not a finite number (float)")
    return value


def _truth(value: object) -> JSON:
    if type(value) is not bool:
        raise Unfit("is not true or false (bool)")
    return value


def _text(value: object) -> JSON:
    if type(value) is not str:
        raise Unfit("is not text (str)")
    if len(value) > MAX_TEXT:
        raise Unfit(f"is longer than {MAX_TEXT:,} characters")
    if re.search("[\ud800-\udfff]", value):
        raise Unfit("holds half a character (a lone surrogate)")
    return value


def _list(value: object) -> JSON:
    if type(value) not in (list, tuple):
        raise Unfit("is not a list")
    return _nested(value, MAX_DEPTH)


def _dict(value: object) -> JSON:
    if type(value) is not dict:
        raise Unfit("is not a dict")
    return _nested(value, MAX_DEPTH)


def _nested(value: object, depth: int) -> JSON:
    if depth == 0:
        raise Unfit(f"is nested deeper than {MAX_DEPTH}")
    if isinstance(value, list | tuple):
        return [_nested(part, depth - 1) for part in value]
    if isinstance(value, dict):
        return {str(_text(key)): _nested(part, depth - 1) for key, part in value.items()}
    if value is None:
        return None
    check = _SCALARS.get(type(value))
    if check is None:
        raise Unfit(f"holds a {type(value).__name__}, which JSON has not")
    return check(value)


def _date(value: object) -> JSON:
    if type(value) is date:
        return value.isoformat()
    try:
        return date.fromisoformat(value if type(value) is str else "").isoformat()
    except ValueError:
        raise Unfit("is not a date like 2026-11-22") from None


def _datetime(value: object) -> JSON:
    try:
        moment = value if type(value) is datetime else datetime.fromisoformat(value if type(value) is str else "")
    except ValueError:
        raise Unfit("is not a time like 2026-11-22T09:30:00Z (datetime)") from None
    if moment.tzinfo is None:
        raise Unfit("has no time zone: add Z or an offset such as +01:00 (datetime)")
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        raise Unfit("is outside the years 1 to 9999 in UTC (datetime)") from None


_SCALARS: Final[Mapping[type, Callable[[object], JSON]]] = {bool: _truth, int: _whole, float: _number, str: _text}
_FROM_TEXT: Final[Mapping[ParameterType, Callable[[str], object]]] = {
    ParameterType.INT: _whole_text,
    ParameterType.FLOAT: _number_text,
    ParameterType.BOOL: _truth_text,
    ParameterType.STR: str,
    ParameterType.LIST: _json_text,
    ParameterType.DICT: _json_text,
    ParameterType.DATE: str,
    ParameterType.DATETIME: str,
}
_CHECKS: Final[Mapping[ParameterType, Callable[[object], JSON]]] = {
    ParameterType.INT: _whole,
    ParameterType.FLOAT: _number,
    ParameterType.BOOL: _truth,
    ParameterType.STR: _text,
    ParameterType.LIST: _list,
    ParameterType.DICT: _dict,
    ParameterType.DATE: _date,
    ParameterType.DATETIME: _datetime,
}
