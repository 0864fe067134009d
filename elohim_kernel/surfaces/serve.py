"""`elohim serve`: the HTTP surface and workers on one home, in one process, until somebody says stop.

The process owns the store when nobody does yet, and other programs become its clients; otherwise it is a client of the
owner there is. TLS is for whoever puts it on a network.
"""

import logging
import math
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Final, NamedTuple

import uvicorn

from elohim_kernel import registry
from elohim_kernel.config import Settings
from elohim_kernel.errors import Unavailable
from elohim_kernel.surfaces.crew import Crew
from elohim_kernel.surfaces.held import Store, held_store
from elohim_kernel.surfaces.http.app import application
from elohim_kernel.surfaces.http.auth import is_address, is_loopback
from elohim_kernel.surfaces.http.body import Limits
from elohim_kernel.surfaces.http.connection import Connection
from elohim_kernel.surfaces.http.door import Door
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.inspection import ListItems

GRACE_S: Final = 20.0  # how long ending waits for answers and stages under way
_CONNECTIONS: Final = 512
_BACKLOG: Final = 1_024
_TICK_S: Final = 0.2
_CHECK_S: Final = 1.0

_log: Final = logging.getLogger("elohim.serve")


def serve(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    names: tuple[str, ...] = (),
    stop: threading.Event | None = None,
    say: Callable[[str], None] = _log.info,
    grace_s: float = GRACE_S,
) -> None:
    """Serve until `stop` is set, or until SIGTERM or SIGINT when called in the main thread.

    `None` takes the settings' `http_host`, `http_port` and `threads`; port 0 picks a free one; no workers are fine.
    `names` are further host names the server answers to. `say` is told, in one line each, where the server listens and
    what the operator should know. Raises `Unavailable` when the address or the store cannot be had, or the store broke.
    """
    host = settings.http_host if host is None else host
    stop = threading.Event() if stop is None else stop
    limits = Limits()
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_listening(host, settings.http_port if port is None else port)))
        told = stack.enter_context(_signals())
        store = stack.enter_context(held_store(settings))
        bench = Workbench(store.session(""), settings, home=Path(settings.home))
        crew = Crew(bench, settings.threads if workers is None else workers)
        pool = stack.enter_context(ThreadPoolExecutor(limits.threads, thread_name_prefix="http"))
        door = Door(registry.catalogue(), store.session, lambda: _probe(store), crew.counts, store.readings)
        answering = (*names, *_names(host))
        app = application(door, pool=pool, names=answering, private=is_loopback(host), limits=limits)
        server = _Server(app, listener, grace_s=grace_s)
        for line in _greeting(host, listener, settings.home):
            say(line)
        try:
            crew.start()
            server.start()
            _watch(server, store, lambda: stop.is_set() or bool(told))
        finally:
            _log.info("ending")
            server.stop()
            crew.stop(grace_s=grace_s)
            server.join()


def _watch(server: "_Server", store: Store, over: Callable[[], bool]) -> None:
    """Return when it is over; raises what makes it impossible to go on."""
    pause = threading.Event()
    checked = monotonic()
    while not over():
        pause.wait(_TICK_S)
        server.check()
        if monotonic() - checked > _CHECK_S:
            store.check()
            checked = monotonic()


class _Server:
    """uvicorn in a thread of its own: so that signals are ours, and ending happens in the right order."""

    def __init__(self, app: object, listener: socket.socket, *, grace_s: float) -> None:
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]  # uvicorn has ASGI types of its own
            http=Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=math.ceil(grace_s),
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._problem = "the HTTP server ended by itself"

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        except Exception as wrong:  # noqa: BLE001 - the outermost place of this thread: `check` tells the main one
            _log.exception("the HTTP server failed")
            self._problem = f"the HTTP server failed: {wrong}"

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        if not self._thread.is_alive():
            raise Unavailable(self._problem, hint="see the log")

    def stop(self) -> None:
        self._server.should_exit = True

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join()


def _probe(store: Store) -> None:
    store.session("").working_for("").ask(ListItems(limit=1))


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise Unavailable(f"there is no address {host!r} to listen on", hint="name one with --host") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as wrong:
        listener.close()
        problem = f"{host} port {port} cannot be listened on: {wrong.strerror}"
        raise Unavailable(problem, hint="name another with --port; 0 picks a free one") from None
    return listener


def _names(host: str) -> tuple[str, ...]:
    if not is_address(host):
        return (host,)
    # Listening everywhere: people will call this machine by its name.
    return (socket.gethostname(),) if host in ("0.0.0.0", "::") else ()  # noqa: S104


def _greeting(host: str, listener: socket.socket, home: str) -> Iterator[str]:
    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    yield f"listening on http://{shown}:{port}, for the home {home}"
    if not is_loopback(host):
        yield (
            f"warning: {host} can be reached from other machines, and nothing is encrypted; "
            "put a proxy that speaks TLS before it, or listen on 127.0.0.1"
        )


class _Told(NamedTuple):
    signals: list[int]

    def __bool__(self) -> bool:
        return bool(self.signals)


@contextmanager
def _signals() -> Iterator[_Told]:
    """What signals told us to end, if this is the main thread; a handler may do no more than note it."""
    told = _Told([])
    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def note(number: int, _frame: FrameType | None) -> None:
        told.signals.append(number)

    before = {each: signal.signal(each, note) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for each, handler in before.items():
            with suppress(TypeError):  # a handler that was not set from Python cannot be set back
                signal.signal(each, handler)
