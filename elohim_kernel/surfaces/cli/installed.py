"""Which packages are installed here, without loading them."""

import importlib.metadata
import importlib.util
from collections.abc import Iterable


def lacking(modules: Iterable[str]) -> list[str]:
    """The modules that are not there."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


def version_of(package: str) -> str | None:
    """The version of an installed package; `None` when it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
