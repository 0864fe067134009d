"""Every command and query says what it does, who may do it, and how it looks."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from elohim_kernel import registry
from elohim_kernel.errors import Invalid
from elohim_kernel.model.access import Need
from elohim_kernel.model.command import Command, Query, name_of
from elohim_kernel.model.value import convert, plain


def operations() -> dict[str, type[Command] | type[Query]]:
    known = registry.catalogue()
    commands = {name: entry.command for name, entry in known.commands.items()}
    return commands | {name: entry.query for name, entry in known.queries.items()}


def flaws(name: str, kind: type[Any]) -> Iterator[str]:
    if name != name_of(kind):
        yield f"listed as {name}, called {name_of(kind)}"
    if not vars(kind).get("__doc__"):
        yield "no docstring"
    if not isinstance(kind.need, Need):
        yield "needs no permission"
    try:
        convert(plain(kind.example), kind)
    except Invalid as wrong:
        yield f"the example is not right: {wrong}"
    if kind.__struct_fields__ and not kind.example:
        yield "no example"


def test_every_operation_is_described():
    found = {name: list(flaws(name, kind)) for name, kind in operations().items()}

    assert found
    assert {name: what for name, what in found.items() if what} == {}


def test_no_operation_hides_behind_the_name_of_another():
    known = registry.catalogue()

    assert set(known.commands) & set(known.queries) == set()


class Good(Command, frozen=True):
    """Does one thing."""

    item: str
    example: ClassVar[Mapping[str, Any]] = {"item": "EL-1"}


class Silent(Command, frozen=True):
    item: str
    example: ClassVar[Mapping[str, Any]] = {"item": 3}


class Shy(Command, frozen=True):
    """Shows nothing."""

    note: str = ""


@pytest.mark.parametrize(
    ("name", "kind", "complaints"),
    [
        ("good", Good, []),
        ("better", Good, ["listed as better, called good"]),
        ("silent", Silent, ["no docstring", "the example is not right"]),
        ("shy", Shy, ["no example"]),
    ],
)
def test_an_operation_that_is_not_described_is_found(name: str, kind: type[Any], complaints: list[str]):
    found = list(flaws(name, kind))

    assert [complaint.partition(":")[0] for complaint in found] == complaints
