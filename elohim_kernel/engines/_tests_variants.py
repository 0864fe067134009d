"""Neighbours of a value: what differs from it by a little, and what the constants of a function suggest.

Everything is drawn from a seeded generator, so the same change gets the same proposals.
"""

import ast
import random
import re
from collections.abc import Sequence
from typing import Any, Final

from elohim_kernel.engines._tests_patterns import samples
from elohim_kernel.engines._tests_shapes import Argument

_LETTERS: Final = "aZ é-_ .,;:/0123456789\n\tßx"
_MOST_TEXT: Final = 400
_MOST_CONSTANT: Final = 120
_MOST_NUMBER: Final = 10**40
_NUMBER: Final = re.compile(r"(?<![\w.'-])\d+(?:\.\d+)?(?![\w.'])")


class Pool:
    """The constants of a function, by kind, to build values from."""

    def __init__(self, constants: Sequence[object]) -> None:
        texts = [each for each in constants if isinstance(each, str) and each]
        matching = [sample for each in texts for sample in samples(each)]
        self.texts = [each for each in dict.fromkeys([*matching[:24], *texts]) if len(each) <= _MOST_CONSTANT]
        self.whole = [each for each in constants if isinstance(each, int) and not isinstance(each, bool)]
        self.real = [each for each in constants if isinstance(each, float)]

    def numbers(self) -> list[int]:
        """Each whole number with both neighbours, without repeats."""
        return list(dict.fromkeys(near for each in self.whole for near in (each - 1, each, each + 1)))


def variant(argument: Argument, pool: Pool, chance: random.Random) -> Argument:
    """A neighbour of a value: of a literal by its kind, of anything else by another number in its text.

    >>> variant(Argument(text="[1, 2]"), Pool([]), random.Random(3)).text
    '[0, 2]'
    """
    try:
        value = ast.literal_eval(argument.text)
    except (ValueError, SyntaxError):
        return _renumbered(argument, pool, chance)
    changed = repr(_near(value, pool, chance))
    return Argument(text=changed) if len(changed) < 2 * _MOST_TEXT else argument


def _renumbered(argument: Argument, pool: Pool, chance: random.Random) -> Argument:
    numbers = list(_NUMBER.finditer(argument.text))
    if not numbers:
        return argument
    found = chance.choice(numbers)
    value = float(found[0]) if "." in found[0] else int(found[0])
    text = f"{argument.text[: found.start()]}{_near(value, pool, chance)!r}{argument.text[found.end() :]}"
    return Argument(text=text, imports=argument.imports)


def _near(value: Any, pool: Pool, chance: random.Random) -> Any:  # of the kinds `literal_eval` gives
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return _whole(value, pool, chance)
    if isinstance(value, float):
        return _real(value, pool, chance)
    if isinstance(value, str):
        return _text(value, pool, chance)
    if isinstance(value, bytes):
        return _text(value.decode("latin-1"), pool, chance).encode("utf-8")
    if isinstance(value, list | tuple):
        return type(value)(_sequence(list(value), pool, chance))
    if isinstance(value, dict):
        return dict(_sequence(list(value.items()), pool, chance, flat=False))
    return value


def _whole(value: int, pool: Pool, chance: random.Random) -> int:
    shift = chance.choice((-1, 0, 1))
    near = [value + 1, value - 1, -value, value * 10, value // 2, value + chance.randint(-20, 20)]
    near += [
        10 ** chance.randint(1, 13) - chance.choice((0, 1, 1, 5, 50)),
        chance.randrange(10 ** chance.randint(1, 6)),
    ]
    if pool.whole:
        one, other = chance.choice(pool.whole), chance.choice(pool.whole)
        near += [one * value, one * other + shift, one * value + shift, value + one, value - one]
        near += [one * chance.randint(2, 40) + shift, *(chance.choice(pool.numbers()) for _ in range(3))]
    return chance.choice(near) if abs(value) < _MOST_NUMBER else chance.choice([0, 1])


def _real(value: float, pool: Pool, chance: random.Random) -> float:
    if not abs(value) < _MOST_NUMBER:
        return chance.choice([0.0, 1.5])
    near = [value + 1, -value, value / 2, value * 10, value + 0.5, 0.0, round(value, 1), value * 1000, value / 1000]
    # Just below a power of ten is where rounding carries over.
    near += [10 ** chance.randint(-6, 12) * chance.choice((0.9999, 0.99999, 0.9951, 0.5, 1.5, 0.05)), *pool.real[:6]]
    if pool.whole:
        one = abs(chance.choice(pool.whole)) % 10**15
        near += [one - 0.01, one + 0.5, one * 0.9999, one - 0.5, float(one), one * chance.randint(1, 40) - 0.4]
    return float(chance.choice(near))


def _text(value: str, pool: Pool, chance: random.Random) -> str:
    place = chance.randint(0, len(value))
    piece = chance.choice(pool.texts) if pool.texts and chance.random() < 0.5 else chance.choice(_LETTERS)
    end = min(len(value), place + chance.randint(1, 3))
    made = (
        value[:place] + piece + value[place:],
        value[:place] + piece + value[end:],
        value[:place] + value[end:],
        piece + value,
        value + piece,
        value[:place] + value[place:].swapcase(),
        value + value,
        value[::-1],
        value.upper(),
        value.title(),
        piece,
        value[:place],
        value[:place] + _run(value, place, pool, chance) + value[place:],
        _digit(value, chance),
        value[:place] + chance.choice(_LETTERS) * chance.randint(2, 4) + value[place:],
    )
    return chance.choice(made)[:_MOST_TEXT]


def _digit(value: str, chance: random.Random) -> str:
    places = [place for place, letter in enumerate(value) if letter.isdigit()]
    if not places:
        return value + str(chance.randrange(10))
    place = chance.choice(places)
    return value[:place] + str(chance.randrange(10)) + value[place + 1 :]


def _run(value: str, place: int, pool: Pool, chance: random.Random) -> str:
    """Letters that make the text, the part before `place`, or themselves as long as a number of the code, nearly."""
    lengths = [each for each in pool.numbers() if 3 <= each <= _MOST_TEXT] or [chance.randint(3, 70)]
    length = chance.choice(lengths)
    return "a" * max(0, length - chance.choice((0, place, len(value))))


def _sequence(values: list[Any], pool: Pool, chance: random.Random, *, flat: bool = True) -> list[Any]:
    if not values:
        return values
    place = chance.randrange(len(values))
    doing = chance.randrange(5)
    if doing == 0:
        return values[:place] + values[place + 1 :]
    if doing == 1:
        return [*values, values[place]]
    if doing == 2:
        return values[::-1]
    if doing == 3:
        return values[: place + 1]
    return [*values[:place], _near(values[place], pool, chance) if flat else values[place], *values[place + 1 :]]
