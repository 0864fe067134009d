"""The names people import are promised: adding or removing one is a decision, seen in a diff and in the changelog."""

from pathlib import Path

import elohim_kernel

SNAPSHOT = Path(__file__).with_name("public_names.txt")


def difference(promised: list[str], offered: list[str]) -> list[str]:
    gone = [f"gone: {name}" for name in promised if name not in offered]
    return gone + [f"new: {name}" for name in offered if name not in promised]


def test_the_public_names_are_those_of_the_snapshot():
    promised = SNAPSHOT.read_text().split()
    offered = sorted(getattr(elohim_kernel, "__all__", ()))

    assert difference(promised, offered) == [], f"if this is meant, change {SNAPSHOT.name} and add a changelog line"


def test_every_public_name_is_there():
    assert [name for name in getattr(elohim_kernel, "__all__", ()) if not hasattr(elohim_kernel, name)] == []


def test_a_name_that_came_or_went_is_found():
    assert difference(["Workbench", "open"], ["Value", "open"]) == ["gone: Workbench", "new: Value"]
