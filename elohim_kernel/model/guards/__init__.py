"""Guards: conditions on transitions, triggers and bulk queries, written in a documented subset of CEL.

Pure: no I/O and no clock; `now` is a fact like any other. The language is described in docs/reference/guards.md.
"""

from elohim_kernel.model.guards.guard import Guard, Outcome, check_names, parse

__all__ = ["Guard", "Outcome", "check_names", "parse"]
