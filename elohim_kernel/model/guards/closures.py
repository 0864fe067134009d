"""The closures that programs are put together from, one maker for each shape of expression.

A closure takes the frame of one evaluation and returns a value, or raises a signal. `Any` is the value of a fact,
which has JSON's freedom.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from elohim_kernel.model.guards.operations import (
    ATOMS,
    COMPARISONS,
    Frame,
    equal,
    fitting,
    kind_of,
    negative,
    ordered,
    own_key,
)
from elohim_kernel.model.guards.signals import Broken, Missing, graver

Run: TypeAlias = Callable[[Frame], Any]


def member(target: Any, name: str, path: str) -> Any:
    """`target.name`. Raises `Missing` with the full path when a map lacks it, `Broken` when it is no map."""
    if type(target) is not dict and not isinstance(target, Mapping):
        raise Broken(f"{path}: {kind_of(target)} has no members")
    # Not target[name] alone: a map that invents its missing members would hide that they are missing.
    if name in target:
        return target[name]
    raise Missing(path)


def field(slot: int, name: str, path: str) -> Run:
    """A member of a loop variable, read without a call in between."""

    def run(frame: Frame) -> Any:
        whole = frame[slot]
        if type(whole) is dict and name in whole:
            return whole[name]
        return member(whole, name, path)

    return run


def indexed(target: Run, key: Run, path: str) -> Run:
    """`target[key]`: `Missing` past the end or for an absent key, `Broken` for a negative index or another kind."""

    def item(container: Any, place: Any, frame: Frame) -> Any:
        kind = kind_of(container)
        if kind == "map":
            found = own_key(container, place, frame)
            if found is None and kind_of(place) == "int":
                fitting(place)
            if found is None:
                raise Missing(path.replace("[]", f"[{place!r}]") if path.endswith("[]") else path)
            return container[found[0]]
        if kind != "list" or kind_of(place) != "int":
            raise Broken(f"{path}: {kind} has no item at a {kind_of(place)}")
        if place < 0:
            raise Broken(f"{path}: an index counts from 0, not {place}")
        if fitting(place) >= len(container):
            raise Missing(f"{path.removesuffix('[]')}[{place}]")
        return container[place]

    return strict(target, key, item)


def mapped(keys: list[Run], values: list[Run]) -> Run:
    """A map literal; the same key twice is `Broken`."""

    def build(frame: Frame) -> dict[Any, Any]:
        built: dict[Any, Any] = {}
        for key_run, value_run in zip(keys, values, strict=True):
            key = key_run(frame)
            if kind_of(key) not in ("string", "int", "bool"):
                raise Broken(f"a {kind_of(key)} cannot be a map key")
            if key in built:
                raise Broken(f"a map has the key {key!r} twice")
            built[key] = value_run(frame)
        return built

    return build


def strict(left: Run, right: Run, compute: Callable[[Any, Any, Frame], Any]) -> Run:
    """Both operands are needed. When the left is missing the right is still looked at, to name all that is missing."""

    def run(frame: Frame) -> Any:
        try:
            first = left(frame)
        except Missing as missing:
            try:
                right(frame)
            except (Missing, Broken) as also:
                raise graver(missing, also) from None
            raise
        return compute(first, right(frame), frame)

    return run


def equality(left: Run, right: Run, *, negated: bool) -> Run:
    """`==`, or `!=` when negated."""

    def compare(first: Any, second: Any, frame: Frame) -> bool:
        kind = type(first)
        same = first == second if kind is type(second) and kind in ATOMS else equal(first, second, frame)
        return same is not negated

    return strict(left, right, compare)


def against_constant(sign: str, run: Run, constant: Any) -> Run | None:
    """A comparison with a constant on the right, by far the commonest kind; `None` for other operators."""
    same = type(constant)

    def equals(frame: Frame) -> bool:
        value = run(frame)
        return value == constant if type(value) is same else equal(value, constant, frame)

    def differs(frame: Frame) -> bool:
        value = run(frame)
        return value != constant if type(value) is same else not equal(value, constant, frame)

    if sign in ("==", "!="):
        return equals if sign == "==" else differs
    if sign not in COMPARISONS:
        return None
    quick, careful = COMPARISONS[sign], ordered(sign)

    def compares(frame: Frame) -> bool:
        value = run(frame)
        return quick(value, constant) if type(value) is same else careful(value, constant)

    return compares


def negation(operand: Run) -> Run:
    """`!` of true or false."""

    def run(frame: Frame) -> bool:
        value = operand(frame)
        if value is True or value is False:
            return not value
        raise Broken(f"! needs true or false, not {kind_of(value)}")

    return run


def minus(operand: Run) -> Run:
    """`-` of a number."""

    return lambda frame: negative(operand(frame))


def logic(operands: list[Run], operator: str) -> Run:
    """`&&` and `||`: the settling value wins over unknown and error on any side, and ends the evaluation."""

    settles, other = operator == "||", operator != "||"

    def run(frame: Frame) -> Any:
        problem: Missing | Broken | None = None
        for operand in operands:
            try:
                value = operand(frame)
            except (Missing, Broken) as found:
                problem = graver(problem, found)
                continue
            if value is settles:
                return settles
            if value is not other:
                problem = graver(problem, Broken(f"{operator} needs true or false, not {kind_of(value)}"))
        if problem is None:
            return other
        raise problem

    return run


def choice(condition: Run, then: Run, otherwise: Run) -> Run:
    """`?:`, evaluating only the branch that is taken."""

    def run(frame: Frame) -> Any:
        value = condition(frame)
        if value is True:
            return then(frame)
        if value is False:
            return otherwise(frame)
        raise Broken(f"? needs true or false before it, not {kind_of(value)}")

    return run


def presence(target: Run, name: str) -> Run:
    """`has()`: false when the member, or what should hold it, is missing."""

    def run(frame: Frame) -> bool:
        try:
            value = target(frame)
        except Missing:
            return False
        if type(value) is not dict and not isinstance(value, Mapping):
            raise Broken(f"has(): {kind_of(value)} has no members")
        return name in value

    return run
