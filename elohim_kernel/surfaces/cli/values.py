"""Values typed as `name=value`: form answers, data, parameters."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from elohim_kernel.errors import Invalid

_DAYS: Final = {"d": 1, "w": 7}


def named(words: Sequence[str]) -> dict[str, str]:
    """`name=value` words as they are; raises `Invalid` for one without a name, or a name given twice.

    >>> named(["item=EL-1", "note=a = b"])
    {'item': 'EL-1', 'note': 'a = b'}
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise Invalid(f"{word!r} is not NAME=VALUE", hint="for example: -p item=EL-1")
        if name.strip() in found:
            raise Invalid(f"{name.strip()!r} is given twice")
        found[name.strip()] = value
    return found


class End(NamedTuple):
    """When a decision ends; the defaults are the workflow's."""

    days: int = 0
    at: datetime | None = None
    never: bool = False


def end_named(words: str) -> End:
    """The end that is meant: days or weeks, a date, `never`, or "" for the workflow's.

    >>> end_named("2w").days, end_named("never").never
    (14, True)
    """
    if not words:
        return End()
    if words == "never":
        return End(never=True)
    number, unit = words[:-1], words[-1]
    if number.isascii() and number.isdigit() and unit in _DAYS and len(number) < 6:
        return End(days=int(number) * _DAYS[unit])
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        raise Invalid(f"{words!r} says no end", hint="for example 90d, 2w, 2027-01-31 or never") from None
    return End(at=moment if moment.tzinfo else moment.astimezone())


def literal(word: str) -> Any:  # JSON, hence Any
    """A number, `true`, `false`, `null`, a JSON list, object or quoted text; anything else is text as it stands.

    >>> literal("12"), literal("true"), literal("EL-1"), literal('"12"')
    (12, True, 'EL-1', '12')
    """
    try:
        return json.loads(word, parse_constant=str)
    except ValueError:
        return word
