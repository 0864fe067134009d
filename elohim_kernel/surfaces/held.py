"""The store that a server works on: owned by its process, or reached through the owner there is."""

import math
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Protocol

import msgspec

from elohim_kernel import registry
from elohim_kernel.audit.metrics import Reading
from elohim_kernel.config import Settings
from elohim_kernel.errors import KernelError, Unavailable
from elohim_kernel.runtime.inline import InlineSession, Parts
from elohim_kernel.runtime.serving import Owned, owning, tuned
from elohim_kernel.runtime.session import RemoteSession, Session
from elohim_kernel.store.client import Client
from elohim_kernel.store.home import Home, Mode, held_inline


class Store(Protocol):
    """The store that a server works on."""

    def session(self, token: str) -> Session:
        """A session for a bearer token; "" is the server's own, for its workers."""

    def readings(self) -> tuple[Reading, ...]:
        """What the gate has measured."""

    def check(self) -> None:
        """Raise `KernelError` when the server cannot go on with it."""


@contextmanager
def held_store(settings: Settings) -> Iterator[Store]:
    """The store of the settings' home, as long as the block lasts.

    Owned by this process if nobody owns it yet, and then open to clients; otherwise through its owner. Raises
    `Unavailable` when another process holds it for itself alone, or it cannot be opened.
    """
    home = Home(settings.home)
    home.prepare()
    lock = home.try_lock()
    if lock is not None:
        parts = Parts(registry.catalogue, registry.prepare)
        with tuned(), owning(home, lock=lock, idle_s=math.inf, parts=parts) as owned:
            store = _Embedded(owned, settings)
            try:
                yield store
            finally:
                store.end()
        return
    record = home.record()
    if record is not None and record.mode is Mode.INLINE and record.is_alive:
        raise held_inline(home, record)
    client = Client(
        settings.home,
        idle_s=settings.owner_idle_s,
        start_s=settings.owner_start_s,
        timeout_s=settings.command_timeout_s,
    )
    with closing(client):
        client.status()
        yield _Remote(client, settings)


class _Embedded:
    """The store of a home that this process owns."""

    def __init__(self, owned: Owned, settings: Settings) -> None:
        self._owned = owned
        self._settings = settings
        self._problem: KernelError | None = None
        self._thread = threading.Thread(target=self._run, name="owner", daemon=True)
        self._thread.start()

    def session(self, token: str) -> Session:
        user = "" if token else self._settings.user
        return InlineSession(self._owned.gate, user, token=token, home=self._settings.home)

    def readings(self) -> tuple[Reading, ...]:
        return self._owned.gate.meter.readings()

    def check(self) -> None:
        if not self._thread.is_alive():
            raise self._problem or Unavailable("another program made this one let go of the store")
        if not self._owned.service.is_sound():
            raise Unavailable("the store broke", hint="start again: what was acknowledged is there")

    def end(self) -> None:
        self._owned.owner.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._owned.owner.run()
        except KernelError as broken:
            self._problem = broken


class _Remote:
    """The store of a home that another process owns; the client finds, or starts, another owner when that one ends."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def session(self, token: str) -> Session:
        return RemoteSession(self._client, "" if token else self._settings.user, token=token)

    def readings(self) -> tuple[Reading, ...]:
        return msgspec.convert(self._client.status()["operations"], type=tuple[Reading, ...])

    def check(self) -> None:
        """It mends itself; `/healthz` tells while it has not."""
