"""The macros: all, exists, exists_one, filter, map. On entry each pays the length of its list from the work budget."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from elohim_kernel.model.guards.closures import Run
from elohim_kernel.model.guards.operations import Frame, kind_of, pay
from elohim_kernel.model.guards.signals import Broken, Missing, graver


class FieldTest(NamedTuple):
    """A body of the commonest kind: `x.name == constant`, or `!=` when not `wanted`."""

    name: str
    constant: bool | int | str
    wanted: bool


def loop(macro: str, source: Run, body: Run, slot: int, weight: int, test: FieldTest | None) -> Run:
    """The closure of a macro whose variable lives in `slot` and whose body costs `weight` units an item.

    `test` is the body once more when it is so simple that all() and exists() need not call it for every item.
    """

    def entered(frame: Frame) -> Any:
        items = source(frame)
        if type(items) is not list:
            kind = kind_of(items)
            if kind == "map":
                items = list(items)
            elif kind != "list":
                raise Broken(f"{macro}() walks a list or the keys of a map, not {kind}")
        pay(frame, len(items) * weight)
        return items

    if macro in _SETTLES:
        general = _settled_by(_SETTLES[macro], macro, body, slot)
        if test is not None:
            return _scanned(_SETTLES[macro], test, entered, general)
        return lambda frame: general(entered(frame), frame)
    return _LOOPS[macro](entered, body, slot)


def _settled_by(settles: bool, macro: str, body: Run, slot: int) -> Callable[[Any, Frame], Any]:
    """all() is an && over the items and exists() an ||: one item settles it, whatever is wrong with the others."""
    other = not settles

    def run(items: Any, frame: Frame) -> Any:
        problem: Missing | Broken | None = None
        for item in items:
            frame[slot] = item
            try:
                value = body(frame)
            except (Missing, Broken) as found:
                problem = graver(problem, found)
                continue
            if value is settles:
                return settles
            if value is not other:
                problem = graver(problem, _not_a_test(macro, value))
        if problem is None:
            return other
        raise problem

    return run


def _scanned(settles: bool, test: FieldTest, entered: Run, general: Callable[[Any, Frame], Any]) -> Run:
    """Answer without calling the body while items are maps that have the member, of the constant's own type."""
    name, constant, wanted = test
    same, settling, other = type(constant), settles is wanted, not settles

    def run(frame: Frame) -> Any:
        items = entered(frame)
        for item in items:
            if type(item) is not dict or type(value := item.get(name)) is not same:
                return general(items, frame)
            if (value == constant) is settling:
                return settles
        return other

    return run


def _exists_one(entered: Run, body: Run, slot: int) -> Run:
    def run(frame: Frame) -> bool:
        problem: Missing | Broken | None = None
        count = 0
        for item in entered(frame):
            frame[slot] = item
            try:
                value = body(frame)
            except (Missing, Broken) as found:
                problem = graver(problem, found)
                continue
            if value is True:
                count += 1
            elif value is not False:
                problem = graver(problem, _not_a_test("exists_one", value))
        if problem is None:
            return count == 1
        raise problem

    return run


def _filter(entered: Run, body: Run, slot: int) -> Run:
    def run(frame: Frame) -> list[Any]:
        kept: list[Any] = []
        for item in entered(frame):
            frame[slot] = item
            value = body(frame)
            if value is True:
                kept.append(item)
            elif value is not False:
                raise _not_a_test("filter", value)
        return kept

    return run


def _map(entered: Run, body: Run, slot: int) -> Run:
    def run(frame: Frame) -> list[Any]:
        made: list[Any] = []
        for item in entered(frame):
            frame[slot] = item
            made.append(body(frame))
        return made

    return run


def _not_a_test(macro: str, value: Any) -> Broken:
    return Broken(f"{macro}() needs true or false for each item, not {kind_of(value)}")


_SETTLES: Final = {"all": False, "exists": True}
_LOOPS: Final[dict[str, Callable[[Run, Run, int], Run]]] = {
    "exists_one": _exists_one,
    "filter": _filter,
    "map": _map,
}
