"""The one thread that commits: what is queued becomes durable in groups; quiet moments are for housekeeping."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from elohim_kernel.errors import Fault, KernelError
from elohim_kernel.store.wire import Service

_QUIET_S: Final = 1.0  # without commands, before housekeeping
_GATHER_S: Final = 0.0005

_log: Final = logging.getLogger("elohim.owner")


class Committer:
    """Drains a service's queue. `suspect` hears of failures after which the store may be broken, `fail` of the end."""

    def __init__(
        self, service: Service, *, suspect: Callable[[KernelError], None], fail: Callable[[KernelError], None]
    ) -> None:
        self._service = service
        self._suspect = suspect
        self._fail = fail
        self._thread = threading.Thread(target=self._run, name="committer")
        self._work = threading.Event()
        self._ending = False
        self._given_up = False
        self._queued = 0  # a hint for `_gather`, not a count to rely on
        self._wanted = 0
        self._gather_until = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submitted(self) -> None:
        """Say that one more command is queued; from any thread."""
        self._queued += 1
        self._work.set()

    def finish(self) -> None:
        """Commit what is queued, then end; returns when it has."""
        self._ending = True
        self._work.set()
        self._thread.join()

    def give_up(self) -> None:
        """Commit nothing any more: the store is broken."""
        self._given_up = True

    def _run(self) -> None:
        fresh = False
        while not self._ending or self._work.is_set():
            if not self._work.wait(_QUIET_S):
                if fresh:
                    self._rest()
                fresh = False
                continue
            self._gather()
            while not self._given_up and self._drain():
                fresh = True
                self._gather()

    def _gather(self) -> None:
        # A commit costs much the same for one command as for many, and clients that were just answered tend to be back
        # at once: a moment's wait for as many as before gets more done. Somebody who is alone never waits.
        self._work.clear()
        while 0 < self._queued < self._wanted and not self._ending:
            left_s = self._gather_until - time.monotonic()
            if left_s <= 0:
                return
            self._work.wait(left_s)
            self._work.clear()

    def _drain(self) -> int:
        try:
            self._queued = 0
            done = self._service.drain()
        except Exception as wrong:  # noqa: BLE001 - an outer door: a thread that dies unseen leaves everybody waiting
            _log.exception("a group of commands failed as a whole")
            self._fail(Fault(f"the committer failed: {wrong}", hint="see owner.log in the home folder"))
            return 0
        self._wanted = done + self._queued
        self._gather_until = time.monotonic() + _GATHER_S
        return done

    def _rest(self) -> None:
        try:
            self._service.idle()
        except KernelError as wrong:
            _log.warning("housekeeping failed: %s", wrong)
            self._suspect(wrong)
