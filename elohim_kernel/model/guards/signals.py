"""How evaluation stops short of a value. Never seen outside this package: `evaluate` turns them into an outcome."""

from elohim_kernel.errors import KernelError


class Missing(KernelError):
    """A fact that was read is not there, so the result is unknown; `names` says which, in reading order."""

    code = "guard_missing"

    def __init__(self, *names: str) -> None:
        super().__init__(f"missing: {', '.join(names)}")
        self.names = names


class Broken(KernelError):
    """The expression has no value: operands of the wrong kind, division by zero, overflow."""

    code = "guard_broken"


class Exhausted(KernelError):
    """The work budget is spent. Unlike `Broken` it is not absorbed by `&&`, `||` or a macro: evaluation ends."""

    code = "guard_exhausted"


def graver(first: Missing | Broken | None, second: Missing | Broken) -> Missing | Broken:
    """What two problems under one `&&`, `||` or macro amount to: unknown outweighs error, and names are joined."""
    if first is None:
        return second
    if isinstance(first, Missing) and isinstance(second, Missing):
        added = tuple(name for name in second.names if name not in first.names)
        return Missing(*first.names, *added) if added else first
    return second if isinstance(second, Missing) else first
