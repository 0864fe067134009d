"""The front door for Python: `open` gives a `Workbench`, whose verbs and desks are thin over commands and queries."""

from elohim_kernel.workbench.opening import open
from elohim_kernel.workbench.workbench import STANDARD_REVIEW, Item, Workbench

__all__ = ["STANDARD_REVIEW", "Item", "Workbench", "open"]
