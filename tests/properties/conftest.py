"""Lends the small world of `world.py` to the property tests."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _beside(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"properties_{name}", Path(__file__).with_name(f"{name}.py"))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


_world = _beside("world")
_beside("judging")
_deeds = _beside("deeds")


@pytest.fixture(scope="session")
def a_world() -> type:
    """The class of worlds; `a_world(chance)` is one in memory, `a_world(chance, folder)` one in a file."""
    return _world.World


@pytest.fixture(scope="session")
def deeds() -> ModuleType:
    """What may be done there: `deeds.step(world)` does anything, by anybody."""
    return _deeds
