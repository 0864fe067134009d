"""A handle on long work: look at it, wait for it, cancel it, take its result. The work runs in a thread of its own."""

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

from elohim_kernel.errors import Cancelled, KernelError, Unavailable

T = TypeVar("T")


class HandleStatus(StrEnum):
    """Where the work stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Handle(Generic[T]):
    """Work under way. `work` is given a function that tells whether it was cancelled, and asks it now and then.

    >>> handle = Handle(lambda cancelled: 40 + 2, name="sum")
    >>> handle.result(timeout_s=5), handle.status.value
    (42, 'done')
    """

    def __init__(self, work: Callable[[Callable[[], bool]], T], *, name: str) -> None:
        self._name = name
        self._cancel = threading.Event()
        self._over = threading.Event()
        self._result: T | None = None
        self._error: Exception | None = None
        threading.Thread(target=self._run, args=(work,), name=name, daemon=True).start()

    def __repr__(self) -> str:
        return f"<Handle {self._name} {self.status.value}>"

    @property
    def status(self) -> HandleStatus:
        """Where the work stands now."""
        if not self._over.is_set():
            return HandleStatus.RUNNING
        if isinstance(self._error, Cancelled):
            return HandleStatus.CANCELLED
        return HandleStatus.FAILED if self._error is not None else HandleStatus.DONE

    def wait(self, timeout_s: float | None = None) -> HandleStatus:
        """Wait until it is over, `None` for as long as it takes; the status tells whether it is."""
        self._over.wait(timeout_s)
        return self.status

    def cancel(self) -> None:
        """Ask the work to stop; it does so at its next safe point."""
        self._cancel.set()

    def result(self, timeout_s: float | None = None) -> T:
        """What the work gave; raises what it raised, and `Unavailable` when it is not over after `timeout_s`."""
        if self.wait(timeout_s) is HandleStatus.RUNNING:
            raise Unavailable(f"{self._name} is not over after {timeout_s:g} s", hint="wait longer, or cancel it")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # it is there once the work is over without an error

    def _run(self, work: Callable[[Callable[[], bool]], T]) -> None:
        try:
            self._result = work(self._cancel.is_set)
        except KernelError as refused:
            self._error = refused
        except Exception as defect:  # noqa: BLE001 - carried to whoever asks for the result
            self._error = defect
        finally:
            self._over.set()
