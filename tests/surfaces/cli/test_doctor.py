"""The doctor says how well tools are held here, and what a better way would take."""

import pytest

from elohim_kernel.runtime import isolation
from elohim_kernel.runtime.isolation import BUBBLEWRAP, LANDLOCK, LIMITS
from elohim_kernel.surfaces.cli.doctor import _sandbox


@pytest.mark.parametrize(
    ("ways", "state", "words"),
    [
        (((BUBBLEWRAP, ""),), "ok", BUBBLEWRAP.words),
        (((BUBBLEWRAP, "no bwrap"), (LANDLOCK, "")), "missing", f"{LANDLOCK.words}; not better, because no bwrap"),
        (
            ((BUBBLEWRAP, "no bwrap"), (LANDLOCK, "old kernel")),
            "missing",
            f"{LIMITS.words}; tools run only with --trust-repo; not better, because no bwrap; old kernel",
        ),
    ],
)
def test_the_level_and_the_reason_for_no_better_one_are_shown(monkeypatch, ways, state, words):
    monkeypatch.setattr(isolation, "_BEST_FIRST", tuple((level, lambda why=why: why) for level, why in ways))
    isolation.best_level.cache_clear()

    shown = _sandbox()

    monkeypatch.undo()
    isolation.best_level.cache_clear()
    assert shown == ("sandbox", state, words)
