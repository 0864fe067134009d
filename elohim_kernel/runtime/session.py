"""A session: doing and asking as somebody, wherever the store is. The same calls, answers and errors in both places.

The store is behind the owner process (`RemoteSession`), or in this process (`runtime.inline.InlineSession`). Only the
latter loads the database, and late: a client of the owner stays light.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from elohim_kernel.config import Settings
from elohim_kernel.model.command import Command, Query, name_of
from elohim_kernel.runtime.token_scope import bound_to_token
from elohim_kernel.store.client import Client
from elohim_kernel.store.home import Home, Mode, held_inline
from elohim_kernel.store.wire import Wanted


class Session(Protocol):
    """Somebody at work on one store. Thread-safe."""

    def do(self, command: Command, *, key: str = "", fresh: bool = False) -> Any:
        """Do a command; its effect is durable on return. The result's type is `command.result`, hence `Any`.

        The same `key` gives the first result again, for the same principal; `fresh` says that this is its first use,
        so that the log need not be searched for it. Raises what the command raises.
        """

    def ask(self, query: Query) -> Any:
        """Answer a query. The answer's type is `query.result`, hence `Any`."""

    def changes(self, wanted: Wanted) -> bytes:
        """What this principal's copy of the store does not have yet, as `store.changes.unpack` reads it."""

    def acting_as(self, name: str) -> "Session":
        """A session for another principal over the same connection; raises `Denied` for one that a token opened."""

    def working_for(self, principal: str) -> "Session":
        """The worker's session for somebody, by id, with their rights; "" is the worker's own.

        Raises `Denied` for a session that a token opened.
        """

    def status(self) -> Mapping[str, Any]:
        """`home`, `store`, `owner` (a process number, or "inline"), `version`, `protocol`, `clients`, and more."""

    def close(self) -> None:
        """End it; sessions made by `acting_as` end with it."""


class RemoteSession:
    """A session through the owner process."""

    def __init__(self, client: Client, user: str = "", *, token: str = "", working: bool = False) -> None:
        """`user` is a principal's name; with a `token` it may be "", meaning whom the token stands for."""
        self._client = client
        self._user = user
        self._token = token
        self._working = working

    def do(self, command: Command, *, key: str = "", fresh: bool = False) -> Any:
        """See `Session.do`."""
        body = self._client.do(
            name_of(type(command)),
            command,
            user=self._user,
            token=self._token,
            working=self._working,
            key=key,
            fresh=fresh,
        )
        return msgspec.msgpack.decode(body, type=command.result) if command.result is not None else None

    def ask(self, query: Query) -> Any:
        """See `Session.ask`."""
        body = self._client.ask(name_of(type(query)), query, user=self._user, token=self._token, working=self._working)
        return msgspec.msgpack.decode(body, type=query.result) if query.result is not None else None

    def changes(self, wanted: Wanted) -> bytes:
        """See `Session.changes`."""
        return self._client.changes(wanted, user=self._user, token=self._token)

    def acting_as(self, name: str) -> "RemoteSession":
        """See `Session.acting_as`."""
        if self._token:
            raise bound_to_token(name)
        return RemoteSession(self._client, name)

    def working_for(self, principal: str) -> "RemoteSession":
        """See `Session.working_for`."""
        if self._token:
            raise bound_to_token("worker")
        return RemoteSession(self._client, principal, working=True)

    def status(self) -> Mapping[str, Any]:
        """See `Session.status`."""
        return self._client.status()

    def close(self) -> None:
        """See `Session.close`."""
        self._client.close()


def open_session(
    settings: Settings,
    *,
    path: Literal[":memory:"] | None = None,
    inline: bool = False,
    user: str | None = None,
    token: str | None = None,
) -> Session:
    """Open the store of `settings.home`, or a fresh one in memory, as `user`.

    `user=None` is the principal of the settings, or whom the token stands for; `token=None` is what `ELOHIM_TOKEN`
    holds. `inline` opens the store in this process, unless its owner is already serving: then this becomes a client.
    Raises `Unavailable` when the home cannot be used or another process holds the store for itself.
    """
    token = os.environ.get("ELOHIM_TOKEN", "") if token is None else token
    if user is None:
        user = "" if token else settings.user
    if path is None and not (inline or settings.store_inline):
        return RemoteSession(_client(settings), user, token=token)
    # The database and the parts are heavy, and a client of the owner must not pay for them.
    from elohim_kernel import registry
    from elohim_kernel.runtime.inline import Parts, open_inline, open_memory

    parts = Parts(registry.catalogue, registry.prepare)
    if path is not None:
        return open_memory(parts, user, token=token)
    home = Home(settings.home)
    home.prepare()
    lock = home.try_lock()
    if lock is not None:
        return open_inline(home, lock, parts, user, token=token)
    record = home.record()
    if record is not None and record.mode is Mode.INLINE and record.is_alive:
        raise held_inline(home, record)
    return RemoteSession(_client(settings), user, token=token)


def _client(settings: Settings) -> Client:
    return Client(
        settings.home,
        idle_s=settings.owner_idle_s,
        start_s=settings.owner_start_s,
        timeout_s=settings.command_timeout_s,
    )
