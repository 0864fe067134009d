"""The log is the truth: whatever happened, tables made anew from it are those that were there."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from elohim_kernel.errors import Fault


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """Commands that were done by any of the examples of this module."""
    return set()


def test_every_command_there_is_has_a_maker(deeds: Any):
    assert set(deeds.MAKERS) == set(deeds.COMMANDS)


@settings(max_examples=8, phases=[Phase.generate])  # seeds do not shrink
@given(chance=st.randoms(use_true_random=True))
def test_what_is_made_anew_from_the_log_is_what_was_there_also_after_crashes(
    a_world: Any, deeds: Any, seen: set[str], chance: random.Random
):
    with TemporaryDirectory() as folder:
        world = a_world(chance, Path(folder))
        deeds.begin(world)

        for _ in range(3):
            for _ in range(80):
                who, command, result = deeds.step(world)
                assert not isinstance(result, Fault), (who, command)
            should, found = world.crash()
            assert found == should

        world.store.rebuild()
        assert world.tables() == found
        assert world.store.verify().ok
        seen |= world.done
        world.store.close()


def test_the_examples_above_did_nearly_every_command_there_is(deeds: Any, seen: set[str]):
    missing = {command.__name__ for command in deeds.COMMANDS.values()} - seen

    assert len(missing) <= 3, missing
