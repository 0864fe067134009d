"""Regular expressions that cannot run away: a subset of RE2's syntax, matched by an automaton built as it is needed.

Time is linear in the text for every pattern, because no step ever goes back. The subset is the part on which Python,
RE2 (DuckDB) and Rust agree, so a guard means the same in memory and in SQL. `\\d`, `\\w`, `\\s` are ASCII, `.` is any
character but a newline, `$` is the very end. Reading the pattern is `pattern_syntax`'s; matching is here.
"""

from functools import lru_cache
from typing import Final

from elohim_kernel.model.guards.pattern_syntax import Alternatives, Anchor, Characters, Piece, Repeat, Sequence, read
from elohim_kernel.model.guards.signals import Broken

MAX_STEPS: Final = 300
_MAX_CACHE: Final = 2000

_Edge = tuple[str, Characters | None, tuple[int, ...]]  # ("char" | "split" | "start" | "end" | "match", what, where to)


class Pattern:
    """A compiled pattern. It remembers the states it met, so the second text is cheaper than the first.

    `weight` says how much a step can cost, 1 for a small pattern; it depends on the pattern alone.
    """

    def __init__(self, root: Piece) -> None:
        self._program: list[_Edge] = [("match", None, ())]
        self._effort = 0
        self._first = self._add(root, 0)
        self._restart = self._closure((self._first,), at_start=False)
        self._moves: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self.weight = 1 + len(self._program) // 16

    def found_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere in `text`."""
        state = self._closure((self._first,), at_start=True)
        moves = self._moves
        for letter in text:
            if 0 in state:
                return True
            following = moves.get((state, letter))
            state = self._move(state, letter) if following is None else following
        return 0 in state or 0 in self._closure(tuple(state), at_start=not text, at_end=True)

    def _move(self, state: frozenset[int], letter: str) -> frozenset[int]:
        reached: list[int] = []
        for place in state:
            kind, characters, following = self._program[place]
            if kind == "char" and characters is not None and characters.holds(letter):
                reached.extend(following)
        result = self._closure(tuple(reached), at_start=False) | self._restart
        if len(self._moves) >= _MAX_CACHE:
            self._moves.clear()
        self._moves[(state, letter)] = result
        return result

    def _closure(self, places: tuple[int, ...], *, at_start: bool, at_end: bool = False) -> frozenset[int]:
        seen: set[int] = set()
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            kind, _, following = self._program[place]
            if kind == "split" or (kind == "start" and at_start) or (kind == "end" and at_end):
                waiting.extend(following)
        return frozenset(place for place in seen if self._program[place][0] != "split")

    def _add(self, piece: Piece, following: int) -> int:
        self._effort += 1
        if self._effort > 4 * MAX_STEPS:  # repeats of nothing add no step, yet cost time
            raise _too_large()
        match piece:
            case Characters():
                return self._edge("char", piece, following)
            case Anchor(at_end=at_end):
                return self._edge("end" if at_end else "start", None, following)
            case Sequence(pieces=pieces):
                for part in reversed(pieces):
                    following = self._add(part, following)
                return following
            case Alternatives(choices=choices):
                return self._edge("split", None, *(self._add(choice, following) for choice in choices))
            case Repeat():
                return self._repeated(piece, following)

    def _repeated(self, repeat: Repeat, following: int) -> int:
        if repeat.most is None:
            loop = self._edge("split", None, following)
            inside = self._add(repeat.piece, loop)
            self._program[loop] = ("split", None, (inside, following))
            following = loop
        else:
            after = following
            for _ in range(repeat.most - repeat.least):
                following = self._edge("split", None, self._add(repeat.piece, following), after)
        for _ in range(repeat.least):
            following = self._add(repeat.piece, following)
        return following

    def _edge(self, kind: str, characters: Characters | None, *following: int) -> int:
        if len(self._program) >= MAX_STEPS:
            raise _too_large()
        self._program.append((kind, characters, following))
        return len(self._program) - 1


def _too_large() -> Broken:
    return Broken("this pattern is too large once its repeats are written out; use smaller counts")


@lru_cache(maxsize=256)
def pattern(expression: str) -> Pattern:
    """Compile a pattern. Raises `Broken` naming what is wrong or left out, and where.

    >>> pattern("^fix(up)?!").found_in("fixup! tests"), pattern("(a+)+$").found_in("a" * 1000 + "b")
    (True, False)
    """
    return Pattern(read(expression))
