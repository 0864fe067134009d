"""A client of the owner: finds it, starts it when there is none, and goes on by itself when it dies.

What was asked and not answered is asked again, under the same key, so that the effect happens once. Thread-safe.
Loads no database: only the standard library and msgspec.
"""

import itertools
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from elohim_kernel.errors import KernelError, Unavailable, error_from
from elohim_kernel.model.ids import new_id
from elohim_kernel.store.home import Home, Mode, held_inline
from elohim_kernel.store.link import Late, Link, Lost
from elohim_kernel.store.wire import PROTOCOL, Hello, Kind, Request, Wanted, Welcome, check_welcome, is_older, packed
from elohim_kernel.version import __version__

OWNER: Final = ("-P", "-m", "elohim_kernel.runtime.owner")  # what the interpreter is asked to run
_GREETING_S: Final = 10.0
_MAX_ATTEMPTS: Final = 20


class Client:
    """A connection to the owner of one home, made when it is first needed."""

    def __init__(
        self,
        home: Path | str,
        *,
        idle_s: float = 300.0,
        start_s: float = 30.0,
        timeout_s: float = 120.0,
        start: bool = True,
        owner: Sequence[str] = OWNER,
    ) -> None:
        """`start=False` never starts an owner. `owner` is what the interpreter runs to become one. Times in seconds."""
        self.home = Home(home)
        self._idle_s = idle_s
        self._start_s = start_s
        self._timeout_s = timeout_s
        self._start = start
        self._owner = tuple(owner)
        self._link: Link | None = None
        self._pid = os.getpid()
        self._ids = itertools.count(1)
        self._connecting = threading.Lock()

    def do(
        self,
        name: str,
        command: object,
        *,
        user: str = "",
        token: str = "",
        working: bool = False,
        key: str = "",
        fresh: bool = False,
        cause: str = "",
        depth: int = 0,
        timeout_s: float | None = None,
    ) -> bytes:
        """Do a command; returns its result as MessagePack, durable.

        A `key` of the caller's own makes the command happen once, whoever repeats it whenever; without one it happens
        once however often the owner dies meanwhile. Raises what the command raises, and `Unavailable` when there is no
        answer in time: it may have happened then, and repeating it with the key named in the hint is safe.
        """
        request = Request(
            id=next(self._ids),
            kind=Kind.DO,
            name=name,
            body=packed(command),
            user=user,
            token=token,
            working=working,
            key=key or new_id("rq"),
            look_back=bool(key) and not fresh,
            cause=cause,
            depth=depth,
        )
        return self._call(request, timeout_s)

    def ask(
        self,
        name: str,
        query: object,
        *,
        user: str = "",
        token: str = "",
        working: bool = False,
        timeout_s: float | None = None,
    ) -> bytes:
        """Answer a query, as MessagePack."""
        request = Request(
            id=next(self._ids), kind=Kind.ASK, name=name, body=packed(query), user=user, token=token, working=working
        )
        return self._call(request, timeout_s)

    def changes(self, wanted: Wanted, *, user: str = "", token: str = "", timeout_s: float | None = None) -> bytes:
        """What the caller's copy of the store does not have yet, as `store.changes.unpack` reads it."""
        request = Request(id=next(self._ids), kind=Kind.CHANGES, body=packed(wanted), user=user, token=token)
        return self._call(request, timeout_s)

    def status(self) -> Mapping[str, Any]:
        """What the owner says of itself and its store: plain data, hence `Any`."""
        body = self._call(Request(id=next(self._ids), kind=Kind.STATUS), None)
        found: Mapping[str, Any] = msgspec.msgpack.decode(body)
        return found

    def stop(self) -> None:
        """Ask the owner to finish what is queued, and wait until it has ended; nothing to do when there is none."""
        self.close()
        link = self._greeted(replacing=False)
        if link is None:
            return
        try:
            link.listen()
            link.exchange(Request(id=next(self._ids), kind=Kind.STOP), timeout_s=_GREETING_S)
        except Lost:
            pass  # that is an answer, too
        finally:
            link.close()
        deadline = time.monotonic() + self._start_s
        while not self._is_free():
            record = self.home.record()
            if record is not None and record.pid != link.welcome.pid:
                return  # somebody else has needed an owner meanwhile
            if time.monotonic() > deadline:
                raise Unavailable(f"the owner of {self.home.path} has not ended yet", hint=self._hint())
            time.sleep(0.01)

    def close(self) -> None:
        """Hang up. The owner stays until it is idle."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _call(self, request: Request, timeout_s: float | None) -> bytes:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit_s
        problem = f"the owner of {self.home.path} went away {_MAX_ATTEMPTS} times"
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            sent = replace(request, attempt=attempt, look_back=True) if attempt > 1 else request
            try:
                link = self._connected(max(0.0, deadline - time.monotonic()))
                return link.exchange(sent, timeout_s=max(0.0, deadline - time.monotonic()))
            except Late:
                problem = f"the owner of {self.home.path} gave no answer within {limit_s:g} s"
                break
            except Lost:
                continue
            except Unavailable as wrong:
                if attempt == 1:
                    raise
                hints = filter(None, (wrong.hint, _safe_again(request)))
                raise Unavailable(wrong.message, hint="; ".join(hints)) from None
        raise Unavailable(problem, hint=_safe_again(request))

    def _connected(self, timeout_s: float) -> Link:
        link = self._link
        if link is not None and not link.is_lost and self._pid == os.getpid():
            return link
        with self._connecting:
            link = self._link
            if link is not None and self._pid != os.getpid():
                link.abandon()
            if link is None or link.is_lost:
                self._pid = os.getpid()
                link = self._link = self._connect(min(timeout_s, self._start_s))
                link.listen()
            return link

    def _connect(self, timeout_s: float) -> Link:
        deadline = time.monotonic() + timeout_s
        pause_s = 0.002
        if self._start:
            self.home.prepare()
        while True:
            link = self._greeted(replacing=False)
            if link is not None:
                return link
            if not self._start and self._is_free():
                raise Unavailable(f"nobody owns the store in {self.home.path}", hint="any command starts its owner")
            if self._start and self._started(deadline):
                continue
            record = self.home.record()
            if record is not None and record.mode is Mode.INLINE and record.is_alive:
                raise held_inline(self.home, record)
            if time.monotonic() > deadline:
                slow = f"the owner of {self.home.path} did not answer within {timeout_s:g} s"
                raise Unavailable(slow, hint=self._hint())
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.05)

    def _greeted(self, *, replacing: bool) -> Link | None:
        record = self.home.record()
        if record is None or not record.socket:
            return None
        hello = Hello(protocol=PROTOCOL, version=__version__, pid=os.getpid(), replace=replacing)
        try:
            link = Link(Path(record.socket), hello, timeout_s=_GREETING_S)
        except OSError:
            return None
        if not replacing and self._start and _is_outdated(link.welcome) and not link.welcome.busy:
            link.close()
            return self._greeted(replacing=True)
        if link.welcome.ending:
            link.close()
            return None
        try:
            check_welcome(link.welcome, __version__)
        except KernelError:
            link.close()
            raise
        return link

    def _started(self, deadline: float) -> bool:
        """Start an owner unless somebody holds the lock; raises the owner's own error when it cannot start."""
        lock = self.home.try_lock()
        if lock is None:
            return False
        told, tell = os.pipe()
        log = None
        try:
            log = self.home.open_log()
            self._spawn(lock, tell, log)
            os.close(tell)
            tell = -1
            self._await(told, deadline)
        finally:
            for descriptor in (lock, told, tell, log):
                if descriptor is not None and descriptor >= 0:
                    os.close(descriptor)
        return True

    def _is_free(self) -> bool:
        if not self.home.path.is_dir():
            return True
        lock = self.home.try_lock()
        if lock is not None:
            os.close(lock)
        return lock is not None

    def _spawn(self, lock: int, tell: int, log: int) -> None:
        # The child inherits the lock itself, so that there is no moment in which nobody holds it.
        options = ["--home", str(self.home.path), "--idle", f"{self._idle_s:g}"]
        options += ["--lock-fd", str(lock), "--ready-fd", str(tell)]
        process = subprocess.Popen(
            [sys.executable, *self._owner, *options],
            pass_fds=(lock, tell),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.home.path,
            env={name: value for name, value in os.environ.items() if name != "ELOHIM_TOKEN"},
            start_new_session=True,
        )
        threading.Thread(target=process.wait, name="elohim-owner", daemon=True).start()

    def _await(self, told: int, deadline: float) -> None:
        said = b""
        poll = select.poll()
        poll.register(told, select.POLLIN)
        while not said.endswith(b"\n"):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not poll.poll(left_s * 1000):
                raise Unavailable(f"the owner of {self.home.path} did not start in time", hint=self._hint())
            data = os.read(told, 65_536)
            if not data:
                raise Unavailable(f"the owner of {self.home.path} ended while it started", hint=self._hint())
            said += data
        problem = json.loads(said)
        if problem:
            raise error_from(problem["code"], problem["message"], problem["hint"])

    def _hint(self) -> str:
        return f"see {self.home.log}"


def _is_outdated(welcome: Welcome) -> bool:
    return welcome.protocol < PROTOCOL or (welcome.protocol == PROTOCOL and is_older(welcome.version, __version__))


def _safe_again(request: Request) -> str | None:
    if request.kind is not Kind.DO:
        return None
    return f"it may have happened; repeating it with the key {request.key!r} is safe"
