"""What an owner process does, whatever operations it serves.

It takes the home's lock, or inherits it from the client that started it, opens the store, warms it, and only then
listens. It ends when nobody has been there for a while or on SIGTERM, after everything queued is durable.
"""

import argparse
import gc
import json
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from elohim_kernel.errors import Fault, KernelError, Unavailable
from elohim_kernel.gate import Gate
from elohim_kernel.model.access import WORKER
from elohim_kernel.model.command import Command, Query
from elohim_kernel.runtime.inline import Parts, open_gate, principal_of
from elohim_kernel.store.changes import pack
from elohim_kernel.store.home import Home, Mode, held_inline
from elohim_kernel.store.owner import BACKLOG, Owner
from elohim_kernel.store.store import Caller
from elohim_kernel.store.wire import Done, Fields, Kind, Request, Wanted, decoder, packed

_ROOM: Final = 64 * 1024 * 1024  # bytes on the disk below which folding the write-ahead log is put off
_SWITCH_S: Final = 0.0005  # the committer and the loop hand over often; Python's 5 ms would be felt in every reply

_COLLECT_AFTER: Final = (50_000, 50, 1_000)  # states live long and have no cycles: looking for some costs a fifth

_log: Final = logging.getLogger("elohim.owner")
_read_wanted: Final = decoder(Wanted)


class GateService:
    """Serves a gate to an `Owner`."""

    def __init__(self, gate: Gate, home: Home) -> None:
        self._gate = gate
        self._home = home

    def submit(self, request: Request, done: Done) -> None:
        """Queue a command; see `Service.submit`."""
        who = principal_of(self._gate, request.user, request.token, working=request.working)
        command = self._gate.decode(request.name, request.body, kind=Command)
        caller = Caller(
            principal=who.id,
            actor=WORKER if request.working else "",
            request=request.key,
            look_back=request.look_back,
            cause=request.cause,
            depth=request.depth,
        )

        def answered(result: object, error: KernelError | None) -> None:
            body = b""
            if error is None:
                try:
                    body = packed(result)
                except KernelError as wrong:
                    error = wrong
            done(body, error)

        self._gate.submit(command, caller, answered)

    def drain(self) -> int:
        """Commit a group."""
        return self._gate.store.drain()

    def answer(self, request: Request) -> bytes:
        """The answer to a query, or the changes of a copy."""
        who = principal_of(self._gate, request.user, request.token, working=request.working)
        if request.kind is Kind.CHANGES:
            return pack(self._gate.changes(who.id, _read_wanted(request.body)))
        query = self._gate.decode(request.name, request.body, kind=Query)
        return packed(self._gate.ask(query, who.id))

    def status(self) -> Fields:
        """Where the store is and how far it has come."""
        store = self._gate.store
        measured = msgspec.to_builtins(self._gate.meter.readings())
        return {
            "home": str(self._home.path),
            "store": str(self._home.store),
            "events": store.last_seq,
            "operations": measured,
        }

    def idle(self) -> None:
        """Flush the projections and fold the write-ahead log, unless a full disk would break the store over it."""
        if shutil.disk_usage(self._home.path).free > _ROOM:
            self._gate.store.idle()
        else:
            self._gate.store.flush()

    def is_sound(self) -> bool:
        """Whether the database still answers."""
        try:
            self._gate.store.database.rows("select 1")
        except KernelError:
            return False
        return True


class Owned(NamedTuple):
    """A store that this process owns, and the loop that serves it to clients: somebody has to `run()` it."""

    gate: Gate
    service: GateService
    owner: Owner


@contextmanager
def owning(home: Home, *, lock: int, idle_s: float, parts: Parts) -> Iterator[Owned]:
    """Own the store of `home` as long as the block lasts; `lock` is the descriptor that holds its lock.

    Inside the block clients are welcome. Raises `KernelError` when the store cannot be opened.
    """
    os.umask(0o077)
    try:
        gate = open_gate(home.store, parts)
    except BaseException:
        os.close(lock)
        raise
    path = home.socket()
    try:
        gate.store.flush()
        with _listening(path) as listener:
            service = GateService(gate, home)
            owner = Owner(listener, service, idle_s=idle_s)
            home.write_record(Mode.OWNER, path)
            _log.info("process %d owns %s", os.getpid(), home.store)
            yield Owned(gate, service, owner)
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            home.erase_record()
        gate.store.close()
        os.close(lock)
    _log.info("process %d has ended", os.getpid())


def run(
    home: Home,
    *,
    lock: int,
    idle_s: float,
    ready: Callable[[], None],
    parts: Parts,
) -> None:
    """Own the store of `home` until idle or told to end; `lock` is the descriptor that holds its lock.

    `ready` is called when clients are welcome. Raises `KernelError` when the store cannot be opened, or broke.
    """
    with owning(home, lock=lock, idle_s=idle_s, parts=parts) as owned:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: owned.owner.stop())
        ready()
        owned.owner.run()


def _listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(BACKLOG)
    except OSError as wrong:
        listener.close()
        raise Unavailable(f"the socket {path} cannot be made: {wrong.strerror}", hint="check the folder") from None
    return listener


@contextmanager
def tuned() -> Iterator[None]:
    """The interpreter set up for a process that owns a store, as long as the block lasts."""
    switch_s, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        sys.setswitchinterval(switch_s)
        gc.set_threshold(*thresholds)


def main(parts: Parts, argv: list[str] | None = None) -> int:
    """Run the owner process; returns its exit code. `None` reads the options of this process."""
    options = _options(argv)
    starter = _Starter(options.ready_fd)
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(process)d %(levelname)s %(message)s")
    home = Home(options.home)
    try:
        lock = options.lock_fd if options.lock_fd >= 0 else _locked(home)
        os.set_inheritable(lock, False)
        with tuned():
            run(home, lock=lock, idle_s=options.idle, ready=lambda: starter.tell(None), parts=parts)
    except KernelError as wrong:
        _log.error("%s", wrong)
        starter.tell(wrong)
        return wrong.exit_code
    except Exception as wrong:  # noqa: BLE001 - the outermost door: the client that waits must hear of it
        _log.exception("the owner failed")
        starter.tell(Fault(f"the owner process failed: {wrong}", hint=f"see {home.log}"))
        return Fault.exit_code
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m elohim_kernel.runtime.owner", description="Own a home's store.")
    parser.add_argument("--home", required=True, help="the home folder")
    parser.add_argument("--idle", type=float, default=300.0, help="end after so many seconds without clients")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument("--lock-fd", type=int, default=-1, help="a descriptor that holds the home's lock already")
    parser.add_argument(
        "--ready-fd", type=int, default=-1, help="a descriptor to tell when clients may come, or why not"
    )
    return parser.parse_args(argv)


def _locked(home: Home) -> int:
    home.prepare()
    lock = home.try_lock()
    if lock is not None:
        return lock
    record = home.record()
    if record is not None and record.mode is Mode.INLINE:
        raise held_inline(home, record)
    raise Unavailable(f"the store in {home.path} has an owner already", hint="clients find it by themselves")


class _Starter:
    """Whoever started us and waits at the other end of a pipe; told once, because the number is reused afterwards."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, problem: KernelError | None) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        said = {"code": problem.code, "message": problem.message, "hint": problem.hint} if problem else {}
        with suppress(BrokenPipeError):  # it has gone meanwhile, and the owner goes on
            os.write(descriptor, json.dumps(said).encode() + b"\n")
        os.close(descriptor)
