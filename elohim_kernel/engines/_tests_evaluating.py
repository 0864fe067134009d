"""In a child process of the sandbox, and nowhere else: run lines of Python and evaluate an expression.

This is the one module of the package that turns text into running code, because that is what trying a test is. Only the
standard library is used.
"""

from collections.abc import Iterable
from types import CodeType
from typing import Any


def space_of(lines: Iterable[str], **given: object) -> dict[str, Any]:
    """The names that import lines bind, beside those that are given. Raises whatever the lines raise."""
    space: dict[str, Any] = dict(given)
    for line in lines:
        exec(line, space)  # noqa: S102 - the process is there for it
    return space


def value_of(expression: str | CodeType, space: dict[str, Any]) -> object:
    """What an expression gives with these names. Raises whatever it raises.

    >>> value_of("n + 1", {"n": 2})
    3
    """
    return eval(expression, space)  # noqa: S307 - likewise
