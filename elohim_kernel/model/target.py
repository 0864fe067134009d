"""Which change of which repository a work item is about, read from the item's data."""

from collections.abc import Mapping

import msgspec

from elohim_kernel.errors import Invalid
from elohim_kernel.model.value import convert


class Target(msgspec.Struct, frozen=True):
    """The part of an item's data that names a change; whatever else the data holds is not looked at."""

    repository: str = ""
    base: str | None = None  # None: the default branch
    head: str | None = None  # None: see `ports.Repository.change`


def target_of(data: Mapping[str, object], *, path: str, reference: str) -> Target:
    """The target that an item's data names; `path` is used when the data names no repository, empty text is absent.

    Raises `Invalid` when there is neither, and when a field is not text.

    >>> target_of({"repository": "/srv/app", "base": "", "title": "x"}, path="", reference="WI-1")
    Target(repository='/srv/app', base=None, head=None)
    """
    found = convert(dict(data), Target, what=f"data of {reference}")
    repository = found.repository or path
    if not repository:
        raise Invalid(f"{reference} names no repository", hint="set `repository` in the item's data to its path")
    return Target(repository=repository, base=found.base or None, head=found.head or None)
