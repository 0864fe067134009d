"""Read a regular expression of the guard language; everything outside the agreed subset is refused by name."""

import re
from typing import Final, NamedTuple, TypeAlias, Union

from elohim_kernel.model.guards.signals import Broken

MAX_PATTERN: Final = 256
_MAX_COUNT: Final = 100
_MAX_GROUPS: Final = 16  # nested


class Characters(NamedTuple):
    """A set of characters: inclusive code point ranges, or everything else when `negated`."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False

    def holds(self, letter: str) -> bool:
        """Whether the letter belongs to the set."""
        code = ord(letter)
        return any(low <= code <= high for low, high in self.ranges) is not self.negated


class Anchor(NamedTuple):
    """`^`, or `$` when `at_end`."""

    at_end: bool


class Sequence(NamedTuple):
    """One piece after the other."""

    pieces: tuple["Piece", ...]


class Alternatives(NamedTuple):
    """Any of these."""

    choices: tuple["Piece", ...]


class Repeat(NamedTuple):
    """A piece `least` to `most` times; `most=None` is without limit."""

    piece: "Piece"
    least: int
    most: int | None


Piece: TypeAlias = Union[Characters, Anchor, Sequence, Alternatives, Repeat]  # noqa: UP007 (forward references)

_DIGIT: Final = ((48, 57),)
_WORD: Final = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final = ((9, 10), (12, 13), (32, 32))
_CLASSES: Final = {
    "d": Characters(_DIGIT),
    "D": Characters(_DIGIT, negated=True),
    "w": Characters(_WORD),
    "W": Characters(_WORD, negated=True),
    "s": Characters(_SPACE),
    "S": Characters(_SPACE, negated=True),
}
_CONTROLS: Final = {"n": 10, "t": 9, "r": 13, "f": 12}
_LAST: Final = 0x10FFFF
_COUNT: Final = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}")


def read(expression: str) -> Piece:
    """Parse a pattern. Raises `Broken` saying what is not part of the language and at which character (from 1)."""
    if len(expression) > MAX_PATTERN:
        raise Broken(f"a pattern may have {MAX_PATTERN} characters; this one has {len(expression)}")
    reader = _Reader(expression)
    piece = reader.alternatives()
    if reader.peek():
        raise reader.refusal("a ) without its (")
    return piece


class _Reader:
    def __init__(self, expression: str) -> None:
        self._text = expression
        self._place = 0
        self._groups = 0

    def peek(self, length: int = 1) -> str:
        return self._text[self._place : self._place + length]

    def refusal(self, message: str) -> Broken:
        return Broken(f"pattern {self._text!r}, character {self._place + 1}: {message}")

    def alternatives(self) -> Piece:
        choices = [self._sequence()]
        while self.peek() == "|":
            self._place += 1
            choices.append(self._sequence())
        return choices[0] if len(choices) == 1 else Alternatives(tuple(choices))

    def _sequence(self) -> Piece:
        pieces: list[Piece] = []
        while self.peek() not in ("", "|", ")"):
            pieces.append(self._quantified(self._atom()))
        return Sequence(tuple(pieces))

    def _quantified(self, piece: Piece) -> Piece:
        counts = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        letter = self.peek()
        if letter in counts:
            least, most = counts[letter]
            self._place += 1
        elif letter == "{":
            least, most = self._counted()
        else:
            return piece
        if isinstance(piece, Anchor):
            raise self.refusal("an anchor cannot be repeated")
        if self.peek() == "?":  # lazy: which match is found first makes no difference to whether there is one
            self._place += 1
        if self.peek() in ("*", "+", "?", "{") and self.peek():
            raise self.refusal("one quantifier directly after another")
        return Repeat(piece, least, most)

    def _counted(self) -> tuple[int, int | None]:
        match = _COUNT.match(self._text, self._place)
        if match is None:
            raise self.refusal("a literal { is written \\{, a count {2} or {2,5}")
        least = int(match[1])
        most = least if match[2] is None else (int(match[3]) if match[3] else None)
        if max(least, most or 0) > _MAX_COUNT or (most is not None and most < least):
            raise self.refusal(f"counts go up to {_MAX_COUNT}, the smaller first")
        self._place = match.end()
        return least, most

    def _atom(self) -> Piece:
        letter = self.peek()
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._class()
        if letter == "\\":
            return self._escape()
        if letter in "*+?{":
            raise self.refusal(f"nothing to repeat before {letter}")
        if letter in "]}":
            raise self.refusal(f"a literal {letter} is written \\{letter}")
        self._place += 1
        if letter in "^$":
            return Anchor(at_end=letter == "$")
        return Characters(((10, 10),), negated=True) if letter == "." else _single(letter)

    def _group(self) -> Piece:
        if self.peek(2) == "(?" and self.peek(3) != "(?:":
            raise self.refusal("only ( ) and (?: ) groups; no flags, names or looking around (for case: lowerAscii())")
        self._groups += 1
        if self._groups > _MAX_GROUPS:
            raise self.refusal(f"groups nested deeper than {_MAX_GROUPS}")
        self._place += 3 if self.peek(3) == "(?:" else 1
        inside = self.alternatives()
        if self.peek() != ")":
            raise self.refusal("a ( is not closed")
        self._place += 1
        self._groups -= 1
        return inside

    def _escape(self) -> Characters:
        letter = self.peek(2)[1:]
        if letter in _CLASSES:
            found = _CLASSES[letter]
        elif letter in _CONTROLS:
            found = Characters(((_CONTROLS[letter], _CONTROLS[letter]),))
        elif letter and letter.isascii() and not letter.isalnum() and letter.isprintable() and letter not in " _":
            found = _single(letter)
        else:
            raise self.refusal(f"\\{letter} is not part of the language (no back-references, no word boundaries)")
        self._place += 2
        return found

    def _class(self) -> Characters:
        self._place += 1
        negated = self.peek() == "^"
        self._place += negated
        if self.peek() == "]":
            raise self.refusal("a literal ] in a class is written \\]")
        ranges: list[tuple[int, int]] = []
        while self.peek() != "]":
            ranges.extend(self._class_part())
        self._place += 1
        return Characters(tuple(ranges), negated)

    def _class_part(self) -> tuple[tuple[int, int], ...]:
        first = self._class_atom()
        if self.peek() != "-" or self.peek(2) == "-]":
            return _inverted(first.ranges) if first.negated else first.ranges
        self._place += 1
        last = self._class_atom()
        low, high = first.ranges[0], last.ranges[0]
        single = len(first.ranges) == len(last.ranges) == 1 and low[0] == low[1] and high[0] == high[1]
        if not single or low[0] > high[0] or first.negated or last.negated:
            raise self.refusal("a range goes from one character to a later one, such as a-z")
        return ((low[0], high[0]),)

    def _class_atom(self) -> Characters:
        letter = self.peek()
        if not letter:
            raise self.refusal("a [ is not closed")
        if letter == "\\":
            return self._escape()
        if letter == "[" or self.peek(2) in ("&&", "--", "~~"):
            raise self.refusal(f"{self.peek(2)!r} in a class; write \\{letter} for the character")
        self._place += 1
        return _single(letter)


def _single(letter: str) -> Characters:
    return Characters(((ord(letter), ord(letter)),))


def _inverted(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    edges: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        edges.append((start, low - 1))
        start = high + 1
    return (*edges, (start, _LAST))
