"""In a child process: write a value down as Python source that gives an equal value, or say that it cannot be.

What is written is proved by evaluating it again. Only the standard library is used.
"""

import dataclasses
import datetime
import decimal
import enum
import fractions
import importlib
import math
import pathlib
import re
import types
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from elohim_kernel.engines._tests_evaluating import space_of, value_of

MOST_CHARACTERS: Final = 400
ITERATOR: Final = "its result is an iterator, which is used up by looking at it"
_DEPTH: Final = 8
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+|<function |<lambda>|object>|/tmp/|elohim-")


class Written(NamedTuple):
    """Source for a value: the expression, the imports it needs, whether to compare it nearly."""

    text: str
    imports: tuple[str, ...]
    approximate: bool = False


class _Impossible(Exception):
    """The value cannot be written down; the text says why."""


def written(value: object) -> Written | str:
    """The value as source, or why it has none.

    >>> written({"b": (1, None), "a": {3, 2}}).text
    "{'b': (1, None), 'a': {2, 3}}"
    >>> written(object())
    'a result of type object cannot be written down'
    """
    imports: dict[str, None] = {}
    if isinstance(value, Iterator):
        return ITERATOR
    try:
        text = _text(value, imports, 0)
    except _Impossible as why:
        return str(why)
    except Exception as wrong:  # noqa: BLE001 - the value's own code runs here: its representation, its attributes
        return f"its result breaks when it is looked at: {type(wrong).__name__}"
    if len(text) > MOST_CHARACTERS:
        return f"its result is longer than {MOST_CHARACTERS} characters"
    if not _gives(text, tuple(imports), value):
        return f"a result of type {type(value).__name__} is not equal to itself written down"
    return Written(text, tuple(imports), approximate=_is_near(value))


def represented(value: object) -> str | None:
    """The representation of a value, when its class gives one that says something and is the same next time."""
    if type(value).__repr__ in (object.__repr__, BaseException.__repr__) or isinstance(value, type) or callable(value):
        return None
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - likewise
        return None
    return None if len(text) > MOST_CHARACTERS or _ADDRESS.search(text) else text


def _gives(text: str, imports: tuple[str, ...], value: object) -> bool:
    try:
        again = value_of(text, space_of(imports))
        return type(again) is type(value) and (bool(again == value) or _is_nan(value))
    except Exception:  # noqa: BLE001 - a class whose constructor or comparison breaks
        return False


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_near(value: object) -> bool:
    if isinstance(value, float):
        return True
    if type(value) in (list, tuple):
        return any(isinstance(each, float) for each in value) and all(  # type: ignore[attr-defined]
            isinstance(each, int | float)
            for each in value  # type: ignore[attr-defined]
        )
    return False


def _text(value: object, imports: dict[str, None], depth: int) -> str:
    if depth > _DEPTH:
        raise _Impossible("its result is nested too deeply")
    writer = _WRITERS.get(type(value))
    if writer is not None:
        return writer(value, imports, depth + 1)
    if isinstance(value, enum.Enum) and not isinstance(value, enum.Flag):
        return f"{_name(type(value), imports)}.{value.name}"
    if isinstance(value, type):
        return _name(value, imports)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return f"{_name(type(value), imports)}({_all(value, imports, depth + 1)})"
    if dataclasses.is_dataclass(value):
        parts = [
            f"{field.name}={_text(getattr(value, field.name), imports, depth + 1)}"
            for field in dataclasses.fields(value)
            if field.init
        ]
        return f"{_name(type(value), imports)}({', '.join(parts)})"
    raise _Impossible(f"a result of type {type(value).__name__} cannot be written down")


def _name(kind: type, imports: dict[str, None]) -> str:
    module, name = kind.__module__, kind.__qualname__
    if not name.isidentifier():
        raise _Impossible(f"a result of type {name} cannot be written down")
    if module != "builtins":
        if getattr(importlib.import_module(module), name, None) is not kind:
            raise _Impossible(f"a result of type {name} cannot be imported by its name")
        imports[f"from {module} import {name}"] = None
    return name


def _all(values: Any, imports: dict[str, None], depth: int) -> str:
    return ", ".join(_text(each, imports, depth) for each in values)


def _plain(value: object, _imports: dict[str, None], _depth: int) -> str:
    return repr(value)


def _float(value: object, _imports: dict[str, None], _depth: int) -> str:
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"  # type: ignore[arg-type]


def _tuple(value: Any, imports: dict[str, None], depth: int) -> str:
    return f"({_all(value, imports, depth)}{',' if len(value) == 1 else ''})"


def _set(value: Any, imports: dict[str, None], depth: int) -> str:
    inside = ", ".join(sorted(_text(each, imports, depth) for each in value))
    if type(value) is frozenset:
        return f"frozenset({{{inside}}})" if value else "frozenset()"
    return f"{{{inside}}}" if value else "set()"


def _dict(value: Any, imports: dict[str, None], depth: int) -> str:
    parts = (f"{_text(key, imports, depth)}: {_text(each, imports, depth)}" for key, each in value.items())
    return f"{{{', '.join(parts)}}}"


def _wrapped(value: Any, imports: dict[str, None], depth: int) -> str:
    kind = type(value)
    inside = _dict(dict(value), imports, depth) if isinstance(value, dict) else f"[{_all(value, imports, depth)}]"
    return f"{_name(kind, imports)}({inside if value else ''})"


def _called(value: object, imports: dict[str, None], _depth: int) -> str:
    """For classes whose representation is a call of the class."""
    return repr(value) if _name(type(value), imports) else ""


def _of_time(value: object, imports: dict[str, None], _depth: int) -> str:
    imports["import datetime"] = None
    zone = getattr(value, "tzinfo", None)
    if zone is not None and not isinstance(zone, datetime.timezone):
        raise _Impossible("its result has a time zone that cannot be written down")
    return repr(value)


def _path(value: Any, imports: dict[str, None], _depth: int) -> str:
    kind = pathlib.Path if isinstance(value, pathlib.Path) else pathlib.PurePosixPath
    imports[f"from pathlib import {kind.__name__}"] = None
    return f"{kind.__name__}({str(value)!r})"


def _namespace(value: Any, imports: dict[str, None], depth: int) -> str:
    imports["from types import SimpleNamespace"] = None
    parts = (f"{name}={_text(each, imports, depth)}" for name, each in vars(value).items())
    return f"SimpleNamespace({', '.join(parts)})"


_Writer = Callable[[Any, dict[str, None], int], str]
_WRITERS: Final[dict[type, _Writer]] = {
    **dict.fromkeys((type(None), bool, int, str, bytes, complex, type(...), range, slice, bytearray), _plain),
    float: _float,
    list: lambda value, imports, depth: f"[{_all(value, imports, depth)}]",
    tuple: _tuple,
    set: _set,
    frozenset: _set,
    dict: _dict,
    **dict.fromkeys((OrderedDict, Counter, deque), _wrapped),
    **dict.fromkeys((decimal.Decimal, fractions.Fraction, uuid.UUID), _called),
    **dict.fromkeys((datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone), _of_time),
    **dict.fromkeys((pathlib.PosixPath, pathlib.PurePosixPath), _path),
    types.SimpleNamespace: _namespace,
}
