"""The owner's loop: many clients, one committer, and replies only for what is durable.

One thread reads requests, one commits them in groups, a few answer questions. The service behind it is a `Service`, so
that nothing here knows it. When the store breaks under us, nothing is answered and the process should end: clients
repeat what they do not know the outcome of, and the log tells the next owner what happened.
"""

import logging
import os
import selectors
import socket
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from elohim_kernel.errors import Fault, Incompatible, KernelError, Unavailable
from elohim_kernel.store.committer import Committer
from elohim_kernel.store.connection import Connection
from elohim_kernel.store.wire import (
    FRAME_CAP,
    PROTOCOL,
    Fields,
    Hello,
    Kind,
    Request,
    Service,
    Welcome,
    decoder,
    is_older,
    packed,
)
from elohim_kernel.version import __version__

BACKLOG: Final = 1_024
MAX_CONNECTIONS: Final = 256
_STRANGERS: Final = 64  # connections beyond that which have not greeted yet
_MAX_IN_FLIGHT: Final = 1_024  # requests of one connection
_ANSWERERS: Final = 4  # threads that answer questions
_LARGE: Final = 256 * 1024  # bytes of a command that the loop leaves to another thread to decode
_TICK_S: Final = 1.0
_PARTING_S: Final = 10.0  # how long ending waits for readers to take their last replies

_log: Final = logging.getLogger("elohim.owner")
_read_hello: Final = decoder(Hello)
_read_request: Final = decoder(Request)


class Owner:
    """Serves a listening socket until it is told to stop or nobody has been there for `idle_s` seconds."""

    def __init__(
        self, listener: socket.socket, service: Service, *, idle_s: float, max_connections: int = MAX_CONNECTIONS
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._service = service
        self._idle_s = idle_s
        self._max = max_connections
        self._connections: set[Connection] = set()
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._watched: deque[Connection] = deque()
        self._committer = Committer(service, suspect=self._suspect, fail=self._fail)
        self._stopping = False
        self._broken: KernelError | None = None
        self._deserted_since = time.monotonic()
        self._answerers = ThreadPoolExecutor(_ANSWERERS, thread_name_prefix="answer")

    def run(self) -> None:
        """Serve; returns after everything queued is durable and answered. Raises `Unavailable` when the store broke."""
        self._committer.start()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, self._awake)
        try:
            while not self._stopping:
                self._turn(_TICK_S)
                self._look_round()
        finally:
            self._stopping = True
            self._end()
        if self._broken is not None:
            raise self._broken

    def stop(self) -> None:
        """Finish what is queued, then return from `run`. From any thread, and from a signal handler."""
        self._stopping = True
        self._wake()

    def _turn(self, timeout_s: float) -> None:
        for key, events in self._selector.select(timeout_s):
            if isinstance(key.data, Connection):
                self._serve(key.data, events)
            else:
                key.data()
        while self._watched:
            self._watch(self._watched.popleft())

    def _look_round(self) -> None:
        now = time.monotonic()
        for connection in [one for one in self._connections if one.is_stalled(now)]:
            _log.warning("a client says nothing or takes nothing: hanging up")
            self._drop(connection)
        if self._connections:
            self._deserted_since = now
        elif now - self._deserted_since >= self._idle_s:
            _log.info("nobody has been here for %g s: ending", self._idle_s)
            self._stopping = True

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        except OSError:
            _log.exception("a client could not be let in")
            return
        if len(self._connections) >= self._max + _STRANGERS:
            sock.close()
            return
        connection = Connection(sock, self._later)
        self._connections.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _serve(self, connection: Connection, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                connection.flush()
            if events & selectors.EVENT_READ and not connection.is_full:
                for body in connection.receive():
                    self._dispatch(connection, body)
        except OSError:
            connection.lost = True
        except KernelError as wrong:
            _log.warning("hanging up: %s", wrong)
            connection.lost = True
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        if connection not in self._connections:
            return
        if connection.lost:
            self._drop(connection)
            return
        wanted = selectors.EVENT_READ if not connection.is_full else 0
        if connection.has_output:
            wanted |= selectors.EVENT_WRITE
        if self._selector.get_key(connection.sock).events != wanted:
            self._selector.modify(connection.sock, wanted, connection)

    def _drop(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.sock)
        connection.close()

    def _dispatch(self, connection: Connection, body: bytes) -> None:
        if connection.hello is None:
            self._greet(connection, _read_hello(body))
            return
        request = _read_request(body)
        connection.took()
        if connection.in_flight > _MAX_IN_FLIGHT:
            full = Unavailable(f"{_MAX_IN_FLIGHT} requests of this client are unanswered", hint="wait for some replies")
            connection.reply(request.id, b"", full)
            return
        match request.kind:
            case Kind.DO if len(request.body) < _LARGE:
                self._submit(connection, request)
            case Kind.DO:
                self._answerers.submit(self._submit, connection, request)
            case Kind.ASK | Kind.CHANGES:
                self._answerers.submit(self._answer, connection, request)
            case Kind.STATUS:
                connection.reply(request.id, packed(self._status()), None)
            case Kind.STOP:
                connection.reply(request.id, b"", None)
                self.stop()

    def _greet(self, connection: Connection, hello: Hello) -> None:
        others = sum(one.hello is not None for one in self._connections)
        connection.hello = hello
        connection.frames.cap = FRAME_CAP
        outdated = hello.protocol > PROTOCOL or is_older(__version__, hello.version)
        ending = hello.replace and outdated and others == 0
        refused = f"{self._max} clients are connected already" if others >= self._max else ""
        welcome = Welcome(
            protocol=PROTOCOL, version=__version__, pid=os.getpid(), busy=others > 0, ending=ending, refused=refused
        )
        connection.greet(welcome)
        if ending:
            _log.info("making room for elohim_kernel %s", hello.version)
            self.stop()
        if refused:
            raise Unavailable(refused)
        if hello.protocol != PROTOCOL:
            raise Incompatible(f"process {hello.pid} speaks protocol {hello.protocol}, this owner {PROTOCOL}")

    def _submit(self, connection: Connection, request: Request) -> None:
        def done(body: bytes, error: KernelError | None) -> None:
            self._reply(connection, request, body, error)

        try:
            self._service.submit(request, done)
        except KernelError as refused:
            done(b"", refused)
        except Exception:  # noqa: BLE001 - an outer door: one request must not end the service for the others
            _log.exception("%s could not be queued", request.name)
            done(b"", _defect())
        else:
            self._committer.submitted()

    def _answer(self, connection: Connection, request: Request) -> None:
        try:
            self._reply(connection, request, self._service.answer(request), None)
        except KernelError as refused:
            self._reply(connection, request, b"", refused)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("%s could not be answered", request.name)
            self._reply(connection, request, b"", _defect())

    def _reply(self, connection: Connection, request: Request, body: bytes, error: KernelError | None) -> None:
        if error is not None and error.exit_code == Unavailable.exit_code:
            self._suspect(error)
        if self._broken is not None:
            return
        connection.reply(request.id, body, error)

    def _suspect(self, error: KernelError) -> None:
        # A store that broke in the middle of a commit may have kept it: an error would be a guess, silence is not.
        if self._broken is None and not self._service.is_sound():
            self._fail(Unavailable(f"the store broke: {error.message}", hint=error.hint))

    def _fail(self, error: KernelError) -> None:
        _log.error("the owner ends at once: %s", error)
        self._broken = error
        self._committer.give_up()
        self.stop()

    def _status(self) -> Fields:
        clients = sum(one.hello is not None for one in self._connections)
        own = {"owner": os.getpid(), "version": __version__, "protocol": PROTOCOL, "clients": clients}
        return {**self._service.status(), **own}

    def _end(self) -> None:
        self._selector.unregister(self._listener)
        self._listener.close()
        self._answerers.shutdown(wait=self._broken is None, cancel_futures=True)
        self._committer.finish()
        deadline = time.monotonic() + (_PARTING_S if self._broken is None else 0)
        while any(one.has_output for one in self._connections) and time.monotonic() < deadline:
            for connection in list(self._connections):
                if connection.has_output:
                    self._serve(connection, selectors.EVENT_WRITE)
            time.sleep(0.005)
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.close()
        self._woken.close()
        self._waker.close()

    def _later(self, connection: Connection) -> None:
        self._watched.append(connection)
        self._wake()

    def _wake(self) -> None:
        try:
            self._waker.send(b"\0")
        except (BlockingIOError, OSError):
            return  # it is awake already, or gone

    def _awake(self) -> None:
        self._woken.recv(4096)


def _defect() -> Fault:
    return Fault("the owner process hit a defect of ours; nothing was changed", hint="see owner.log in the home folder")
