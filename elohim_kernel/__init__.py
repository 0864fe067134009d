"""elohim_kernel: an analyst workbench for advisory-first automation.

    import elohim_kernel as ek

    wb = ek.open()
    item = wb.review(".")

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from elohim_kernel.version import __version__

if TYPE_CHECKING:
    from elohim_kernel.errors import KernelError
    from elohim_kernel.workbench import Workbench, open

__all__ = ["KernelError", "Workbench", "__version__", "open"]

_PLACES = {
    "KernelError": "elohim_kernel.errors",
    "Workbench": "elohim_kernel.workbench",
    "open": "elohim_kernel.workbench",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
