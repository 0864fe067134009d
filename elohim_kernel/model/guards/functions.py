"""The functions a guard may call: one table with their usage, arity and meaning."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from elohim_kernel.model.guards import times
from elohim_kernel.model.guards.operations import Frame, fitting, kind_of, pay
from elohim_kernel.model.guards.patterns import pattern
from elohim_kernel.model.guards.signals import Broken


class Style(StrEnum):
    """How a function is called."""

    METHOD = "method"
    FUNCTION = "function"


class Signature(NamedTuple):
    """One function; a receiver counts as an argument. `run` takes the arguments as a tuple, and the frame that pays."""

    arity: int
    styles: frozenset[Style]
    usage: str
    run: Callable[[tuple[Any, ...], Frame], Any]


_INT: Final = re.compile(r"[-+]?[0-9]{1,19}")
_DOUBLE: Final = re.compile(
    r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE
)
_INT_LIMIT: Final = 2**63
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {lower: upper for upper, lower in _LOWER.items()}


def _size(arguments: tuple[Any, ...], frame: Frame) -> int:
    kind = kind_of(arguments[0])
    if kind not in ("string", "list", "map"):
        raise Broken(f"size() needs a string, list or map, not {kind}")
    return len(arguments[0])


def _int(arguments: tuple[Any, ...], frame: Frame) -> int:
    (value,) = arguments
    kind = kind_of(value)
    if kind == "int":
        return int(value)
    if kind == "double":
        if not -_INT_LIMIT < value < _INT_LIMIT:  # the lowest double is refused too, as in CEL; so is NaN
            raise Broken(f"int({value}) does not fit 64 bits")
        return int(value)
    if kind == "string" and _INT.fullmatch(value) and -_INT_LIMIT <= int(value) < _INT_LIMIT:
        return int(value)
    raise Broken(f"int() cannot read {_shown(value, kind)}")


def _double(arguments: tuple[Any, ...], frame: Frame) -> float:
    (value,) = arguments
    kind = kind_of(value)
    if kind in ("int", "double"):
        try:
            return float(value)
        except OverflowError:
            raise Broken("double() of an integer that is too large") from None
    if kind == "string" and _DOUBLE.fullmatch(value):
        return float(value)
    raise Broken(f"double() cannot read {_shown(value, kind)}")


def _string(arguments: tuple[Any, ...], frame: Frame) -> str:
    (value,) = arguments
    kind = kind_of(value)
    writer = _WRITERS.get(kind)
    if writer is None:
        raise Broken(f"string() cannot write a {kind}")
    return writer(value)


def _written_double(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if value != value else ("inf" if value > 0 else "-inf")
    digits = format(Decimal(repr(value)), "f")
    return digits.removesuffix(".0")


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    "string": str,
    "int": lambda value: str(fitting(value)),
    "bool": lambda value: "true" if value else "false",
    "double": _written_double,
    "duration": times.written_duration,
    "timestamp": times.written_timestamp,
}


def _duration(arguments: tuple[Any, ...], frame: Frame) -> Any:
    return _parsed(arguments[0], "duration", times.duration)


def _timestamp(arguments: tuple[Any, ...], frame: Frame) -> Any:
    return _parsed(arguments[0], "timestamp", times.timestamp)


def _parsed(value: Any, wanted: str, parse: Callable[[str], Any]) -> Any:
    kind = kind_of(value)
    if kind == wanted:
        return value
    if kind != "string":
        raise Broken(f"{wanted}() needs a string, not {kind}")
    return parse(value)


def _of_strings(name: str, compute: Callable[..., Any]) -> Callable[[tuple[Any, ...], Frame], Any]:
    def run(arguments: tuple[Any, ...], frame: Frame) -> Any:
        for value in arguments:
            if type(value) is not str and (kind := kind_of(value)) != "string":
                raise Broken(f"{name}() works on strings, not {kind}")
        pay(frame, len(arguments[0]) // 64)
        return compute(*arguments)

    return run


def _matches(arguments: tuple[Any, ...], frame: Frame) -> bool:
    value, expression = arguments
    for given in arguments:
        if (kind := kind_of(given)) != "string":
            raise Broken(f"matches() works on strings, not {kind}")
    # Paid by what a step could cost, not by what it did cost: a budget must not depend on a warm cache.
    compiled = pattern(expression)
    pay(frame, (len(value) // 16 + 1) * compiled.weight)
    return compiled.found_in(value)


def _shown(value: Any, kind: str) -> str:
    return repr(value[:40]) if kind == "string" else f"a {kind}"


_METHOD, _FUNCTION = frozenset({Style.METHOD}), frozenset({Style.FUNCTION})

FUNCTIONS: Final[dict[str, Signature]] = {
    "size": Signature(1, _METHOD | _FUNCTION, "write size(x) or x.size()", _size),
    "startsWith": Signature(
        2, _METHOD, 'write text.startsWith("a")', _of_strings("startsWith", lambda text, part: text.startswith(part))
    ),
    "endsWith": Signature(
        2, _METHOD, 'write text.endsWith("a")', _of_strings("endsWith", lambda text, part: text.endswith(part))
    ),
    "contains": Signature(
        2, _METHOD, 'write text.contains("a")', _of_strings("contains", lambda text, part: part in text)
    ),
    "matches": Signature(2, _METHOD, 'write text.matches("^a+$")', _matches),
    "lowerAscii": Signature(
        1, _METHOD, "write text.lowerAscii()", _of_strings("lowerAscii", lambda text: text.translate(_LOWER))
    ),
    "upperAscii": Signature(
        1, _METHOD, "write text.upperAscii()", _of_strings("upperAscii", lambda text: text.translate(_UPPER))
    ),
    "int": Signature(1, _FUNCTION, "write int(x)", _int),
    "double": Signature(1, _FUNCTION, "write double(x)", _double),
    "string": Signature(1, _FUNCTION, "write string(x)", _string),
    "duration": Signature(1, _FUNCTION, 'write duration("5m")', _duration),
    "timestamp": Signature(1, _FUNCTION, 'write timestamp("2026-11-22T08:00:00Z")', _timestamp),
}
