"""The macros: all, exists, exists_one, filter, map. On entry each pays the length of its list from the work budget."""

from collections.abc import Callable
from typing import Any, Final

from elohim_kernel.model.guards.closures import Run
from elohim_kernel.model.guards.operations import Frame, kind_of, pay
from elohim_kernel.model.guards.signals import Broken, Missing, graver


def loop(macro: str, source: Run, body: Run, slot: int, weight: int) -> Run:
    """The closure of a macro whose variable lives in `slot` and whose body costs `weight` units an item."""

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

    return _LOOPS[macro](entered, body, slot)


def _settled_by(settles: bool, macro: str) -> Callable[[Run, Run, int], Run]:
    """all() is an && over the items and exists() an ||: one item settles it, whatever is wrong with the others."""
    other = not settles

    def make(entered: Run, body: Run, slot: int) -> Run:
        def run(frame: Frame) -> Any:
            problem: Missing | Broken | None = None
            for item in entered(frame):
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

    return make


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


_LOOPS: Final[dict[str, Callable[[Run, Run, int], Run]]] = {
    "all": _settled_by(False, "all"),
    "exists": _settled_by(True, "exists"),
    "exists_one": _exists_one,
    "filter": _filter,
    "map": _map,
}
