"""Commands and queries as data: one frozen value per operation, the same for Python, CLI, HTTP, magics and the wire."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from elohim_kernel.model.access import Level, Need, Permission
from elohim_kernel.model.value import Value

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Command(Value, frozen=True):
    """Something to be done. The docstring says what, the fields with what, `need` who may."""

    need: ClassVar[Need] = Need(permission=Permission.WORKFLOWS_RUN, level=Level.WRITE)
    internal: ClassVar[bool] = False  # between the worker and the store: no door for people or programs offers it
    result: ClassVar[Any] = None  # a type, or None for nothing: types have no common type, hence Any
    example: ClassVar[Mapping[str, Any]] = {}  # fields as JSON, hence Any


class Query(Value, frozen=True):
    """Something to be known. Asking changes nothing."""

    need: ClassVar[Need] = Need(permission=Permission.WORKFLOWS_VIEW)
    internal: ClassVar[bool] = False
    result: ClassVar[Any] = None
    example: ClassVar[Mapping[str, Any]] = {}


def name_of(operation: type[Command] | type[Query]) -> str:
    """The operation's name outside Python.

    >>> class OpenWorkItem(Command, frozen=True):
    ...     "Open one."
    >>> name_of(OpenWorkItem)
    'open_work_item'
    """
    return _HUMP.sub("_", operation.__name__).lower()
