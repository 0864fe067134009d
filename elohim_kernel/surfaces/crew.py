"""The workers of a server: threads that take up due stages, and let go of them in an orderly way when it ends."""

import logging
import threading
from contextlib import suppress
from time import monotonic
from typing import Final

from elohim_kernel.errors import KernelError
from elohim_kernel.runtime.worker import Worker
from elohim_kernel.surfaces.http.door import Counts
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.runs import ATTEMPTS, Assignment, FailStage

_log: Final = logging.getLogger("elohim.serve")


class Crew:
    """So many workers on one workbench, each in a thread of its own."""

    def __init__(self, bench: Workbench, size: int) -> None:
        self._stop = threading.Event()
        self._hands = [_Hand(bench, self._stop, number) for number in range(1, size + 1)]

    def start(self) -> None:
        """Begin to work."""
        for hand in self._hands:
            hand.thread.start()

    def counts(self) -> Counts:
        """How many should be there, and how many are."""
        return Counts(len(self._hands), sum(hand.thread.is_alive() for hand in self._hands))

    def stop(self, *, grace_s: float) -> None:
        """Take up nothing more; what is still under way after `grace_s` seconds is given back, to be resumed later."""
        self._stop.set()
        deadline = monotonic() + grace_s
        for hand in self._hands:
            if hand.thread.ident is not None:
                hand.thread.join(max(0.0, deadline - monotonic()))
        for hand in self._hands:
            if hand.thread.is_alive():
                hand.give_back()


class _Hand:
    def __init__(self, bench: Workbench, stop: threading.Event, number: int) -> None:
        self._bench = bench
        self._worker: Worker = bench.worker(on_progress=self._note)
        self._latest: Assignment | None = None
        # A daemon: a stage that does not end in time must not keep the process from ending.
        self.thread = threading.Thread(target=self._worker.serve, args=(stop,), name=f"worker {number}", daemon=True)

    def _note(self, assignment: Assignment, _text: str, _done: int, _total: int) -> None:
        self._latest = assignment

    def give_back(self) -> None:
        latest = self._latest
        # The last try is not given back but left to its lease: giving it back would fail the item.
        if latest is None or latest.attempt >= ATTEMPTS:
            return
        _log.warning("%s is given back: its stage %s did not end in time", latest.reference, latest.stage)
        with suppress(KernelError):
            self._bench.session.working_for("").do(
                FailStage(
                    delivery=latest.delivery, worker=self._worker.name, error="the server was ended", retryable=True
                )
            )
