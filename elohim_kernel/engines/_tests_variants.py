"""Neighbours of a value: what differs from it by a little, and what the constants of a function suggest.

Everything is drawn from a seeded generator, so the same change gets the same proposals.
"""

import ast
import random
from collections.abc import Sequence
from typing import Any, Final

from elohim_kernel.engines._tests_shapes import Argument

_LETTERS: Final = "aZ é-_ .,;:/0123456789\n\tßx"
_MOST_TEXT: Final = 120


class Pool:
    """The constants of a function, by kind, to build values from."""

    def __init__(self, constants: Sequence[object]) -> None:
        self.texts = [each for each in constants if isinstance(each, str) and 0 < len(each) <= _MOST_TEXT]
        self.whole = [each for each in constants if isinstance(each, int) and not isinstance(each, bool)]
        self.real = [each for each in constants if isinstance(each, float)]

    def numbers(self) -> list[int]:
        """Each whole number with both neighbours, without repeats."""
        return list(dict.fromkeys(near for each in self.whole for near in (each - 1, each, each + 1)))


def variant(argument: Argument, pool: Pool, chance: random.Random) -> Argument:
    """A neighbour of a literal; anything else is returned as it is.

    >>> variant(Argument(text="[1, 2]"), Pool([]), random.Random(3)).text
    '[1]'
    """
    if argument.imports:
        return argument
    try:
        value = ast.literal_eval(argument.text)
    except (ValueError, SyntaxError):
        return argument
    changed = _near(value, pool, chance)
    return Argument(text=repr(changed)) if abs(len(repr(changed))) < 3 * _MOST_TEXT else argument


def _near(value: Any, pool: Pool, chance: random.Random) -> Any:  # of the kinds `literal_eval` gives
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return _whole(value, pool, chance)
    if isinstance(value, float):
        return chance.choice([value + 1, -value, value / 2, value * 10, value + 0.5, 0.0, *pool.real])
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
    near = [value + 1, value - 1, -value, value * 10, value // 2, value + chance.randint(-20, 20), *pool.numbers()]
    if value and pool.whole:
        near += [each * value for each in pool.whole[:8]]
    return chance.choice(near) if abs(value) < 10**15 else chance.choice([0, 1])


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
    )
    return chance.choice(made)[:_MOST_TEXT]


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
