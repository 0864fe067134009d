"""The owner's end of one client's connection: frames in, replies out, and never a wait for a slow reader."""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from elohim_kernel.errors import KernelError
from elohim_kernel.store.wire import GREETING_CAP, Frames, Hello, failure, frame, replies

OUT_CAP: Final = 64 * 1024 * 1024  # bytes that may wait for a reader before we stop taking requests from it
_STALL_S: Final = 60.0  # a reader that takes nothing for so long is given up
_FULL_STALL_S: Final = 5.0  # the same with more than `OUT_CAP` waiting
_SHY_S: Final = 10.0  # how long a client may take to greet
_CHUNK: Final = 256 * 1024


class Connection:
    """One client. The loop's thread reads and flushes; any thread may reply."""

    def __init__(self, sock: socket.socket, watch: Callable[["Connection"], None]) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.frames = Frames(GREETING_CAP)
        self.hello: Hello | None = None
        self.in_flight = 0
        self.lost = False
        self._watch = watch
        self._lock = threading.Lock()
        self._out: deque[memoryview] = deque()
        self._waiting = 0
        self._moved = time.monotonic()

    def receive(self) -> list[bytes]:
        """The frames that have arrived; raises `ConnectionError` at the end of the stream."""
        try:
            data = self.sock.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return []
        if not data:
            raise ConnectionResetError("the client is gone")
        return self.frames.feed(data)

    def reply(self, request: int, body: bytes, error: KernelError | None) -> None:
        """Answer a request; from any thread, without waiting."""
        parts = [failure(request, error)] if error is not None else replies(request, body)
        with self._lock:
            self.in_flight -= 1
            for part in parts:
                self._send(frame(part))
        if self.lost or self._waiting:
            self._watch(self)

    def greet(self, message: object) -> None:
        """Send a greeting."""
        with self._lock:
            self._send(frame(message))

    def took(self) -> None:
        """Count a request that will be answered."""
        with self._lock:
            self.in_flight += 1

    def flush(self) -> bool:
        """Send what waits; returns whether nothing is left."""
        with self._lock:
            while self._out and not self.lost:
                piece = self._out.popleft()
                self._waiting -= len(piece)
                if not self._push(piece):
                    break
            return not self._out

    @property
    def has_output(self) -> bool:
        """Whether something waits for the reader."""
        return self._waiting > 0

    @property
    def is_full(self) -> bool:
        """Whether so much waits that no more should be asked."""
        return self._waiting > OUT_CAP

    def is_stalled(self, now: float) -> bool:
        """Whether the client has not greeted, or taken nothing, for too long; `now` is monotonic seconds."""
        if self.hello is None:
            return now - self._moved > _SHY_S
        patience = _FULL_STALL_S if self.is_full else _STALL_S
        return self._waiting > 0 and now - self._moved > patience

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self.lost = True
            self.sock.close()

    def _send(self, data: bytes) -> None:
        if self.lost:
            return
        if self._out:
            self._out.append(memoryview(data))
            self._waiting += len(data)
            return
        self._moved = time.monotonic()
        self._push(memoryview(data))

    def _push(self, piece: memoryview) -> bool:
        try:
            sent = self.sock.send(piece)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.lost = True
            return False
        if sent:
            self._moved = time.monotonic()
        if sent == len(piece):
            return True
        self._out.appendleft(piece[sent:])
        self._waiting += len(piece) - sent
        return False
