"""The store as the light commands use it: operations by the names and fields they have outside Python.

Behind the owner process nothing heavy is loaded. A store that this process holds itself gives the same answers, and
loads the database.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from elohim_kernel.config import Settings
from elohim_kernel.store.client import Client

if TYPE_CHECKING:
    from elohim_kernel.runtime.session import Session

Plain = Any  # what JSON can hold, and times: operations have answers of many shapes


class Connection(Protocol):
    """Somebody's way to one store."""

    def do(self, name: str, fields: Mapping[str, object]) -> Plain:
        """Do a command; its effect is durable on return. Raises what the command raises."""

    def ask(self, name: str, fields: Mapping[str, object]) -> Plain:
        """Answer a query."""

    def status(self) -> Mapping[str, Plain]:
        """What whoever holds the store says of it."""

    def close(self) -> None:
        """Let the store go."""


class OwnerConnection:
    """Through the owner process."""

    def __init__(self, settings: Settings, user: str, token: str) -> None:
        """`user` may be "" with a `token`, meaning whom it stands for."""
        self._client = owner_client(settings)
        self._user = user
        self._token = token

    def do(self, name: str, fields: Mapping[str, object]) -> Plain:
        """See `Connection.do`."""
        return msgspec.msgpack.decode(self._client.do(name, fields, user=self._user, token=self._token))

    def ask(self, name: str, fields: Mapping[str, object]) -> Plain:
        """See `Connection.ask`."""
        return msgspec.msgpack.decode(self._client.ask(name, fields, user=self._user, token=self._token))

    def status(self) -> Mapping[str, Plain]:
        """See `Connection.status`."""
        return self._client.status()

    def close(self) -> None:
        """See `Connection.close`."""
        self._client.close()


class SessionConnection:
    """Through a session of this process, which has loaded every operation anyway."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def do(self, name: str, fields: Mapping[str, object]) -> Plain:
        """See `Connection.do`."""
        from elohim_kernel.model.value import convert
        from elohim_kernel.registry import commands

        return _plain(self._session.do(convert(dict(fields), commands()[name], what=name)))

    def ask(self, name: str, fields: Mapping[str, object]) -> Plain:
        """See `Connection.ask`."""
        from elohim_kernel.model.value import convert
        from elohim_kernel.registry import queries

        return _plain(self._session.ask(convert(dict(fields), queries()[name], what=name)))

    def status(self) -> Mapping[str, Plain]:
        """See `Connection.status`."""
        return self._session.status()

    def close(self) -> None:
        """See `Connection.close`."""
        self._session.close()


def connect(settings: Settings, user: str, token: str) -> Connection:
    """The way to the store that the settings ask for; the owner is started when it is first needed."""
    if not settings.store_inline:
        return OwnerConnection(settings, user, token)
    from elohim_kernel.runtime.session import open_session

    return SessionConnection(open_session(settings, inline=True, user=user, token=token))


def owner_client(settings: Settings, *, start: bool = True) -> Client:
    """A client of the home's owner; `start=False` leaves an owner that is not there unstarted."""
    return Client(
        settings.home,
        idle_s=settings.owner_idle_s,
        start_s=settings.owner_start_s,
        timeout_s=settings.command_timeout_s,
        start=start,
    )


def _plain(answer: object) -> Plain:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(answer))
