"""How well a child can be held here: bubblewrap, else Landlock, else limits only, which hold nothing hostile."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from elohim_kernel.model.value import Value
from elohim_kernel.runtime import bubblewrap, landlock


class Level(Value, frozen=True):
    """One way of holding a child: its name, what it means in words, and whether it holds a hostile program."""

    name: str
    words: str
    isolates: bool = True


BUBBLEWRAP: Final = Level(
    name="bubblewrap",
    words="bubblewrap: own file system, processes, users and network, no rights, limits, empty environment and home",
)
LANDLOCK: Final = Level(name="landlock", words=landlock.WORDS)
LIMITS: Final = Level(
    name="limits",
    words="resource limits, new session, empty environment, empty home; no file system or network isolation",
    isolates=False,
)

_BEST_FIRST: Final[Sequence[tuple[Level, Callable[[], str]]]] = (
    (BUBBLEWRAP, bubblewrap.why_not),
    (LANDLOCK, landlock.why_not),
)


@cache
def best_level() -> Level:
    """The best that works on this machine; tried once per process, with a real child.

    >>> best_level().name in ("bubblewrap", "landlock", "limits")
    True
    """
    return next((level for level, why_not in _BEST_FIRST if not why_not()), LIMITS)


def why_not_better() -> str:
    """Why each better level than the best one does not work here, and what to install; empty at the best level."""
    best = best_level()
    reasons: list[str] = []
    for level, why_not in _BEST_FIRST:
        if level == best:
            break
        reasons.append(why_not())
    return "; ".join(reasons)
