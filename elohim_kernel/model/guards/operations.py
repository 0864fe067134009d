"""What the operators do to values: no coercion except between int and double, 64-bit integers, errors as `Broken`.

Values are what JSON holds plus aware `datetime` and `timedelta`. `Any` here means exactly that: JSON has no type.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from elohim_kernel.model.guards.signals import Broken, Exhausted

Frame = list[Any]  # [facts, work left, loop variables…]: one per evaluation, so closures share nothing
FACTS: Final = 0
WORK: Final = 1
FIRST_VARIABLE: Final = 2

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_MAX_NESTING: Final = 32
ATOMS: Final = frozenset({str, int, bool})  # Python's == is CEL's on two values of one of these types

_KINDS: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    type(None): "null",
    list: "list",
    tuple: "list",
    dict: "map",
    datetime: "timestamp",
    timedelta: "duration",
}


def kind_of(value: Any) -> str:
    """CEL's word for the kind of a value. Raises `Broken` for what a fact may not be."""
    known = _KINDS.get(type(value))
    if known is not None:
        return known
    for kind, name in _KINDS.items():
        if isinstance(value, kind):
            return name
    if isinstance(value, Mapping):
        return "map"
    raise Broken(f"a fact is a {type(value).__name__}; facts hold what JSON holds, times and durations")


def pay(frame: Frame, work: int) -> None:
    """Take `work` units from the budget. Raises `Exhausted` when there is not that much left."""
    frame[WORK] -= work
    if frame[WORK] < 0:
        raise Exhausted("this guard does too much work on these facts: its budget is spent")


def equal(left: Any, right: Any, frame: Frame, depth: int = 0) -> bool:
    """CEL equality: numbers by value, lists and maps in depth, different kinds are never equal."""
    kind, other = kind_of(left), kind_of(right)
    if kind != other:
        return {kind, other} == {"int", "double"} and _as_double(left) == _as_double(right)
    if kind not in ("list", "map"):
        return bool(left == right)
    if depth > _MAX_NESTING:
        raise Broken("cannot compare values nested so deep")
    if len(left) != len(right):
        return False
    pay(frame, len(left))
    if kind == "list":
        return all(equal(a, b, frame, depth + 1) for a, b in zip(left, right, strict=True))
    return all(
        (key := own_key(right, name, frame)) is not None and equal(left[name], right[key[0]], frame, depth + 1)
        for name in left
    )


def own_key(target: Mapping[Any, Any], key: Any, frame: Frame) -> tuple[Any] | None:
    """The key of `target` equal to `key` and of its kind, in a tuple; Python alone would take `True` for 1."""
    kind = kind_of(key)
    if kind == "string":
        return (key,) if key in target else None
    if kind not in ("int", "bool"):
        raise Broken(f"a {kind} cannot be a map key")
    pay(frame, len(target))
    return next(((name,) for name in target if kind_of(name) == kind and name == key), None)


def ordered(sign: str) -> Callable[[Any, Any], bool]:
    """The comparison for one of `<`, `<=`, `>`, `>=`; it raises `Broken` for kinds that have no order together."""
    compare = COMPARISONS[sign]

    def run(left: Any, right: Any) -> bool:
        kind, other = kind_of(left), kind_of(right)
        if kind != other and {kind, other} == {"int", "double"}:
            return bool(compare(_as_double(left), _as_double(right)))
        if kind != other or kind in ("null", "list", "map"):
            raise Broken(f"{sign} cannot compare {kind} with {other}")
        try:
            return bool(compare(left, right))
        except TypeError:
            raise Broken("a timestamp without a time zone cannot be compared with one that has it") from None

    return run


COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def member_of(value: Any, container: Any, frame: Frame) -> bool:
    """`value in container`: equal to an item of a list, or a key of a map."""
    kind = kind_of(container)
    if kind == "list":
        pay(frame, len(container))
        return any(equal(value, item, frame) for item in container)
    if kind == "map":
        return own_key(container, value, frame) is not None
    raise Broken(f"in needs a list or a map on its right, not {kind}")


def negative(value: Any) -> Any:
    """`-value` of an int or double."""
    kind = kind_of(value)
    if kind == "double":
        return -value
    if kind == "int":
        return fitting(-value)
    raise Broken(f"- needs a number, not {kind}")


def arithmetic(sign: str) -> Callable[[Any, Any, Frame], Any]:
    """The function for one of `+ - * / %`; it raises `Broken` for kinds that have no such operation."""

    def run(left: Any, right: Any, frame: Frame) -> Any:
        kinds = kind_of(left), kind_of(right)
        compute = _ARITHMETIC.get((sign, *kinds))
        if compute is None:
            raise Broken(f"{sign} has no meaning for {kinds[0]} and {kinds[1]}")
        if sign == "+" and kinds[0] in ("string", "list"):
            pay(frame, (len(left) + len(right)) // 16 if kinds[0] == "string" else len(left) + len(right))
        try:
            return compute(left, right)
        except OverflowError:
            raise Broken(f"the result of {sign} is out of range") from None
        except TypeError:
            raise Broken("a timestamp without a time zone cannot be used with one that has it") from None

    return run


def _as_double(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise Broken("an integer is too large to compare with a double") from None


def fitting(value: int) -> int:
    """The value, when it fits 64 bits. Raises `Broken` when it does not; facts may hold any integer."""
    if not _LOWEST <= value <= _HIGHEST:
        raise Broken("integer overflow: the result does not fit 64 bits")
    return value


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise Broken("division by zero")
    size = abs(left) // abs(right)
    return fitting(size if (left < 0) == (right < 0) else -size)


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise Broken("remainder of a division by zero")
    fitting(left // right)  # the lowest integer by -1: an overflow in CEL and SQL, though the remainder would fit
    size = abs(left) % abs(right)
    return -size if left < 0 else size


def _divided(left: float, right: float) -> float:
    if right != 0.0:
        return left / right
    if left == 0.0 or left != left:
        return float("nan")
    same_sign = (str(left)[0] == "-") == (str(right)[0] == "-")
    return float("inf") if same_sign else float("-inf")


_ARITHMETIC: Final[dict[tuple[str, str, str], Callable[[Any, Any], Any]]] = {
    ("+", "int", "int"): lambda a, b: fitting(a + b),
    ("-", "int", "int"): lambda a, b: fitting(a - b),
    ("*", "int", "int"): lambda a, b: fitting(a * b),
    ("/", "int", "int"): _quotient,
    ("%", "int", "int"): _remainder,
    ("+", "double", "double"): operator.add,
    ("-", "double", "double"): operator.sub,
    ("*", "double", "double"): operator.mul,
    ("/", "double", "double"): _divided,
    ("+", "string", "string"): operator.add,
    ("+", "list", "list"): lambda a, b: [*a, *b],
    ("+", "duration", "duration"): operator.add,
    ("-", "duration", "duration"): operator.sub,
    ("+", "timestamp", "duration"): operator.add,
    ("+", "duration", "timestamp"): operator.add,
    ("-", "timestamp", "duration"): operator.sub,
    ("-", "timestamp", "timestamp"): operator.sub,
}
