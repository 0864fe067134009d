"""What the HTTP surface stands on, so that it needs not know where the store is or who runs it."""

from collections.abc import Callable
from typing import NamedTuple

from elohim_kernel.audit.metrics import Reading
from elohim_kernel.runtime.session import Session
from elohim_kernel.store.catalogue import Catalogue


class Counts(NamedTuple):
    """The workers beside the server: how many should be there, and how many are."""

    wanted: int
    alive: int


class Door(NamedTuple):
    """One store as the HTTP surface sees it. Every function may be called from any thread."""

    catalogue: Catalogue
    session: Callable[[str], Session]  # for a bearer token, which the session's own calls check
    probe: Callable[[], None]  # raises `KernelError` when the store does not answer
    crew: Callable[[], Counts]
    readings: Callable[[], tuple[Reading, ...]]  # what the gate has measured
