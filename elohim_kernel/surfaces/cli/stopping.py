"""Ctrl-C and SIGTERM while a stage runs: its run ends as cancelled before we do, so nothing looks alive that is not."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interruptible(Protocol):
    """Work that can be asked to stop."""

    def interrupt(self) -> None:
        """Let what is under way stop soon."""


@contextmanager
def stoppable(worker: Interruptible) -> Iterator[threading.Event]:
    """While the block runs, the first signal stops what the worker does, and the block ends in `KeyboardInterrupt`.

    The event is set by then. A second signal does not wait for the worker.
    """
    asked = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        worker.interrupt()

    before = {each: signal.signal(each, ask) for each in _SIGNALS}
    try:
        yield asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if asked.is_set():
        raise KeyboardInterrupt


def until_told() -> threading.Event:
    """An event that the first signal sets, so that what is under way is finished; a second one interrupts it."""
    stop = threading.Event()

    def told(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for each in _SIGNALS:
        signal.signal(each, told)
    return stop
