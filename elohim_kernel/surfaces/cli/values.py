"""Values typed as `name=value`: form answers, data, parameters."""

import json
from collections.abc import Sequence
from typing import Any

from elohim_kernel.errors import Invalid


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


def literal(word: str) -> Any:  # JSON, hence Any
    """A number, `true`, `false`, `null`, a JSON list, object or quoted text; anything else is text as it stands.

    >>> literal("12"), literal("true"), literal("EL-1"), literal('"12"')
    (12, True, 'EL-1', '12')
    """
    try:
        return json.loads(word, parse_constant=str)
    except ValueError:
        return word
