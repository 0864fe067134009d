"""The store inside this process: opening it with its gate, and a session on it. Loads the database."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from elohim_kernel.gate import Gate
from elohim_kernel.model.access import WORKER, Principal
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.ids import new_id
from elohim_kernel.runtime.token_scope import bound_to_token
from elohim_kernel.store.catalogue import Catalogue
from elohim_kernel.store.changes import pack
from elohim_kernel.store.database import MEMORY
from elohim_kernel.store.home import Home, Mode
from elohim_kernel.store.store import Caller, Store
from elohim_kernel.store.wire import PROTOCOL, Wanted
from elohim_kernel.version import __version__


class Parts(NamedTuple):
    """What a store is opened with: its operations, and what seeds it when it is new."""

    catalogue: Callable[[], Catalogue]
    prepare: Callable[[Gate], None]


def system_time() -> datetime:
    """The time of this machine, aware, UTC."""
    return datetime.now(UTC)


def open_gate(path: Path | str, parts: Parts, *, now: Callable[[], datetime] = system_time) -> Gate:
    """The gate to the store at `path`, made and seeded when it is new. The caller closes `gate.store`.

    `now` is where all its times come from.
    """
    store = Store(path, now=now)
    try:
        gate = Gate(store, parts.catalogue(), now=now)
        parts.prepare(gate)
    except BaseException:
        store.close()
        raise
    return gate


def principal_of(gate: Gate, user: str, token: str, *, working: bool = False) -> Principal:
    """Whom a name, a token or both stand for; raises `Unauthenticated`, and `Denied` when they disagree.

    For the worker `user` is the id of whom it works for, or "" for itself; a token opens no such session.
    """
    if working:
        if token:
            raise bound_to_token("worker")
        return gate.principal_with_id(user or WORKER)
    if not token:
        return gate.principal_named(user)
    principal, _ = gate.principal_with(token)
    if user and user != principal.name:
        raise bound_to_token(user)
    return principal


class InlineSession:
    """A session on a gate in this process; see `runtime.session.Session` for what its calls promise."""

    def __init__(
        self,
        gate: Gate,
        user: str = "",
        *,
        token: str = "",
        working: bool = False,
        home: str = "",
        close: Callable[[], None] | None = None,
    ) -> None:
        """`close` is called once when the session ends; `None` leaves the gate's store open."""
        self.gate = gate
        self._user = user
        self._token = token
        self._working = working
        self._home = home
        self._close = close

    def do(self, command: Command, *, key: str = "", fresh: bool = False) -> Any:
        """See `Session.do`."""
        actor = WORKER if self._working else ""
        look_back = bool(key) and not fresh
        caller = Caller(principal=self._who(), actor=actor, request=key or new_id("rq"), look_back=look_back)
        return self.gate.do(command, caller)

    def ask(self, query: Query) -> Any:
        """See `Session.ask`."""
        return self.gate.ask(query, self._who())

    def changes(self, wanted: Wanted) -> bytes:
        """See `Session.changes`."""
        return pack(self.gate.changes(self._who(), wanted))

    def acting_as(self, name: str) -> "InlineSession":
        """See `Session.acting_as`."""
        if self._token:
            raise bound_to_token(name)
        return InlineSession(self.gate, name, home=self._home)

    def working_for(self, principal: str) -> "InlineSession":
        """See `Session.working_for`."""
        if self._token:
            raise bound_to_token("worker")
        return InlineSession(self.gate, principal, working=True, home=self._home)

    def _who(self) -> str:
        return principal_of(self.gate, self._user, self._token, working=self._working).id

    def status(self) -> Mapping[str, Any]:
        """See `Session.status`."""
        return {
            "home": self._home,
            "store": str(self.gate.store.database.path),
            "events": self.gate.store.last_seq,
            "owner": "inline",
            "version": __version__,
            "protocol": PROTOCOL,
            "clients": 0,
        }

    def close(self) -> None:
        """See `Session.close`."""
        close, self._close = self._close, None
        if close is not None:
            close()


def open_memory(parts: Parts, user: str, *, token: str = "") -> InlineSession:
    """A session on a fresh store that ends with it."""
    gate = open_gate(MEMORY, parts)
    return InlineSession(gate, user, token=token, close=gate.store.close)


def open_inline(home: Home, lock: int, parts: Parts, user: str, *, token: str = "") -> InlineSession:
    """A session on the store of `home`, whose owner's lock the caller has taken and hands over."""

    def release() -> None:
        try:
            gate.store.close()
        finally:
            home.erase_record()
            os.close(lock)

    try:
        home.write_record(Mode.INLINE)
        gate = open_gate(home.store, parts)
    except BaseException:
        home.erase_record()
        os.close(lock)
        raise
    with suppress(OSError):
        home.store.chmod(0o600)
    return InlineSession(gate, user, token=token, home=str(home.path), close=release)
