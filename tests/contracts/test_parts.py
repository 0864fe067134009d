"""Every part satisfies its Protocol and has a test file of its own."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from elohim_kernel import ports

ROOMS = {"engines": "Engine", "workflows/stages": "Stage", "workflows/triggers": "Trigger", "connectors": "Connector"}
PACKAGE = Path(ports.__file__).parent
TESTS = Path(__file__).parents[1]


def parts(room: str, package: Path) -> list[str]:
    """Names of the modules in a room; a leading underscore marks what is not a part."""
    return sorted(path.stem for path in (package / room).glob("*.py") if not path.stem.startswith("_"))


def flaws(part: object, protocol: type) -> Iterator[str]:
    """What `part` lacks to be a `protocol`."""
    for name, kind in inspect.get_annotations(protocol).items():
        value = getattr(part, name, None)
        if not isinstance(value, kind):
            yield f"{name} should be {kind.__name__}, is {value!r}"
    for name, method in inspect.getmembers(protocol, inspect.isfunction):
        if name.startswith("_"):
            continue
        function = getattr(part, name, None)
        if not callable(function):
            yield f"{name}() is missing"
            continue
        wanted = [(each.name, each.kind) for each in inspect.signature(method).parameters.values()][1:]
        given = list(inspect.signature(function).parameters.values())
        needed = [(each.name, each.kind) for each in given[: len(wanted)]]
        extra = [each.name for each in given[len(wanted) :] if each.default is each.empty]
        if needed != wanted or extra:
            names = ", ".join(each for each, _ in wanted) or "nothing"
            yield f"{name}{inspect.signature(function)} should take {names}"


def untested(room: str, name: str, tests: Path) -> bool:
    return not list((tests / room).glob(f"test_{name}*.py"))


def every_part() -> list[tuple[str, str]]:
    return [(room, name) for room in ROOMS for name in parts(room, PACKAGE)]


def test_every_part_satisfies_its_protocol():
    found = {}
    for room, name in every_part():
        module: ModuleType = importlib.import_module(f"elohim_kernel.{room.replace('/', '.')}.{name}")
        found[f"{room}/{name}"] = list(flaws(module, getattr(ports, ROOMS[room])))

    assert {part: what for part, what in found.items() if what} == {}


def test_every_part_has_a_test_file_of_its_own():
    assert [f"{room}/{name}" for room, name in every_part() if untested(room, name, TESTS)] == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"NAME": 3}, "NAME should be str, is 3"),
        ({"LABEL": None}, "LABEL should be str, is None"),
        ({"run": None}, "run() is missing"),
        ({"run": lambda request: None}, "run(request) should take request, tools"),
        ({"run": lambda tools, request: None}, "run(tools, request) should take request, tools"),
        ({"run": lambda request, tools, mode: None}, "run(request, tools, mode) should take request, tools"),
        ({"available": lambda where: None}, "available(where) should take nothing"),
    ],
)
def test_a_part_that_differs_from_its_protocol_is_found(change: dict[str, object], complaint: str):
    good: dict[str, object] = {
        "NAME": "ruff",
        "LABEL": "Ruff",
        "TRAITS": ports.EngineTraits(scope=ports.Scope.FILE, cost=1),
        "version": lambda: "1",
        "wants": lambda path: True,
        "available": lambda: None,
        "run": lambda request, tools, cache=None: None,
    }

    assert list(flaws(SimpleNamespace(**good), ports.Engine)) == []
    assert list(flaws(SimpleNamespace(**good | change), ports.Engine)) == [complaint]


def test_a_part_without_a_test_file_is_found(tmp_path: Path):
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "ruff.py").touch()
    (tmp_path / "engines" / "__init__.py").touch()
    (tmp_path / "engines" / "test_mypy_output.py").touch()

    assert parts("engines", tmp_path) == ["ruff", "test_mypy_output"]
    assert untested("engines", "ruff", tmp_path)
    assert not untested("engines", "mypy", tmp_path)
