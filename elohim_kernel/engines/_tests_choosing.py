"""Which of many calls become tests: greedily the fewest that keep all the lines and mutants they add."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

from elohim_kernel.engines._tests_shapes import Case

MOST_TESTS: Final = 16
"""Tests for one function, at most."""

_ORIGINS: Final = {"example": 0, "boundary": 1, "variant": 2}


class Gain(NamedTuple):
    """A chosen call, with what it adds to the tests that were there and to those chosen before it."""

    case: Case
    kills: frozenset[str]
    lines: frozenset[int]


def choose(
    cases: Sequence[Case],
    *,
    kills: Mapping[str, Set[str]],
    lines: Mapping[str, Set[int]],
    killed: Collection[str],
    covered: Collection[int],
    most: int = MOST_TESTS,
) -> list[Gain]:
    """The calls worth keeping, most worth first. `kills` and `lines` are by case, only what counts at all.

    `killed` and `covered` are there already. Of equals the shown one is taken before the built one, then the shorter.
    """
    alive = {name: frozenset(kills.get(name, frozenset()) - set(killed)) for name in _names(cases)}
    bare = {name: frozenset(lines.get(name, frozenset()) - set(covered)) for name in _names(cases)}
    left = [case for case in cases if alive[case.id] or bare[case.id]]
    chosen: list[Gain] = []
    while left and len(chosen) < most:
        best = min(left, key=lambda case: (-len(alive[case.id]), -len(bare[case.id]), *_liking(case)))
        gain = Gain(best, alive[best.id], bare[best.id])
        if not gain.kills and not gain.lines:
            break
        chosen.append(gain)
        alive = {name: found - gain.kills for name, found in alive.items()}
        bare = {name: found - gain.lines for name, found in bare.items()}
        left = [case for case in left if case is not best and (alive[case.id] or bare[case.id])]
    return _needed(chosen, kills, lines, killed, covered)


def _needed(
    chosen: list[Gain],
    kills: Mapping[str, Set[str]],
    lines: Mapping[str, Set[int]],
    killed: Collection[str],
    covered: Collection[int],
) -> list[Gain]:
    """Without those that later choices made superfluous."""
    kept = list(chosen)
    for gain in chosen:
        others = [each.case.id for each in kept if each is not gain]
        rest_kills = set(killed).union(*(kills.get(name, frozenset()) for name in others))
        rest_lines = set(covered).union(*(lines.get(name, frozenset()) for name in others))
        own = gain.case.id
        if len(kept) > 1 and kills.get(own, frozenset()) <= rest_kills and lines.get(own, frozenset()) <= rest_lines:
            kept = [each for each in kept if each is not gain]
    return kept


def _names(cases: Iterable[Case]) -> list[str]:
    return [case.id for case in cases]


def _liking(case: Case) -> tuple[int, int, str]:
    return (_ORIGINS.get(case.inputs.origin, 3), len(case.call), case.id)
