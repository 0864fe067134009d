"""Around every request: which name was called, which page asks, what the headers of the answer say, a line in the log.

The line has no address, parameter or header in it, so that nothing from outside, and no secret, gets into the log.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from elohim_kernel.errors import KernelError
from elohim_kernel.surfaces.http.auth import Names
from elohim_kernel.surfaces.http.refusals import defect, refusal

_log: Final = logging.getLogger("elohim.http")
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS: Final = _READING | {"POST", "PUT", "PATCH", "DELETE"}
_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Tally:
    """How many answers of each status there were. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[int] = Counter()

    def count(self, status: int) -> None:
        """Add one."""
        with self._lock:
            self._counts[status] += 1

    def counts(self) -> dict[int, int]:
        """Answers so far, by status."""
        with self._lock:
            return dict(sorted(self._counts.items()))


class Guard:
    """An ASGI application around another."""

    def __init__(self, inner: ASGIApp, *, names: Names, tally: Tally) -> None:
        self._inner = inner
        self._names = names
        self._tally = tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        answer = _Answer(send)
        try:
            self._names.check(Headers(scope=scope), changes=scope["method"] not in _READING)
            await self._inner(scope, receive, answer.send)
        except KernelError as wrong:
            await refusal(wrong)(scope, receive, answer.send)
        except Exception:  # noqa: BLE001 - an outer door: the answer says that it was us, the log says what
            _log.exception("a request failed")
            if not answer.status:
                await refusal(defect())(scope, receive, answer.send)
        finally:
            self._tally.count(answer.status)
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            seconds = time.perf_counter() - began
            _log.info("%s %s %d %.1f ms", method, scope.get("named", "-"), answer.status, seconds * 1000)


class _Answer:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message).update(_HEADERS)
        await self._send(message)
