"""A client's end of one connection: many threads send, one reads, each gets its own reply before its deadline."""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from elohim_kernel.errors import KernelError, Unavailable
from elohim_kernel.store.wire import Frames, Hello, Reply, Request, Welcome, decoder, frame

_CHUNK: Final = 256 * 1024
_SEND_S: Final = 30.0

_read_reply: Final = decoder(Reply)
_read_welcome: Final = decoder(Welcome)


class Lost(Exception):
    """The connection ended before the reply: whether the request took effect is not known."""


class Late(Exception):
    """There was no reply in time."""


class Link:
    """One greeted connection."""

    def __init__(self, path: Path, hello: Hello, *, timeout_s: float) -> None:
        """Connect and greet. Raises `OSError` when nobody listens, `Unavailable` when nobody answers."""
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._frames = Frames()
        self._pending: dict[int, SimpleQueue[Reply | None]] = {}
        self._sending = threading.Lock()
        self._lost = False
        try:
            self._sock.settimeout(timeout_s)
            self._sock.connect(str(path))
            self._sock.sendall(frame(hello))
            self.welcome = self._first()
            self._sock.settimeout(_SEND_S)
        except BaseException:
            self._sock.close()
            raise

    def listen(self) -> None:
        """Begin to read replies, in a thread of its own."""
        threading.Thread(target=self._read, name="elohim-replies", daemon=True).start()

    def exchange(self, request: Request, *, timeout_s: float) -> bytes:
        """Send a request and return the body of its answer.

        Raises the error that the answer carries, `Late` after `timeout_s` seconds, `Lost` when the owner went away.
        """
        inbox: SimpleQueue[Reply | None] = SimpleQueue()
        deadline = time.monotonic() + timeout_s
        data = frame(request)
        self._pending[request.id] = inbox
        try:
            self._send(data)
            pieces: list[bytes] = []
            while True:
                reply = inbox.get(timeout=max(0.0, deadline - time.monotonic()))
                if reply is None:
                    raise Lost
                if not reply.ok:
                    raise reply.error()
                pieces.append(reply.body)
                if not reply.more:
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        except Empty:
            raise Late from None
        finally:
            self._pending.pop(request.id, None)

    def close(self) -> None:
        """Hang up; whoever waits gets `Lost`."""
        self._give_up()
        self._sock.close()

    def abandon(self) -> None:
        """Close this process's copy only: after a fork the connection still belongs to the parent."""
        self._lost = True
        self._sock.close()

    @property
    def is_lost(self) -> bool:
        """Whether it is known to have ended."""
        return self._lost

    def _send(self, data: bytes) -> None:
        try:
            with self._sending:
                if self._lost:
                    raise Lost
                self._sock.sendall(data)
        except OSError:
            # Half a frame may be out: nothing sensible can follow it.
            self._give_up()
            raise Lost from None

    def _first(self) -> Welcome:
        while True:
            try:
                data = self._sock.recv(_CHUNK)
            except TimeoutError:
                raise Unavailable("the owner process does not answer", hint="look whether it hangs") from None
            if not data:
                raise ConnectionResetError("the owner hung up")
            for body in self._frames.feed(data):
                return _read_welcome(body)

    def _read(self) -> None:
        buffer = bytearray(_CHUNK)
        view = memoryview(buffer)
        while not self._lost:
            try:
                size = self._sock.recv_into(buffer)
                bodies = self._frames.feed(view[:size])
                for body in bodies:
                    self._deliver(_read_reply(body))
            except TimeoutError:
                continue
            except (OSError, KernelError):
                break
            if not size:
                break
        self.close()

    def _deliver(self, reply: Reply) -> None:
        inbox = self._pending.get(reply.id)
        if inbox is not None:
            inbox.put(reply)

    def _give_up(self) -> None:
        with self._sending:
            self._lost = True
            with suppress(OSError):  # the other side may have been first
                self._sock.shutdown(socket.SHUT_RDWR)
        for inbox in list(self._pending.values()):
            inbox.put(None)
