"""The front door for Python: `open` gives a `Workbench`, whose verbs and desks are thin over commands and queries."""

from elohim_kernel.workbench.workbench import STANDARD_REVIEW, Item, Workbench, open

__all__ = ["STANDARD_REVIEW", "Item", "Workbench", "open"]
