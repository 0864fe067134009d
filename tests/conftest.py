"""What holds for every test: no network beyond this machine, no real home folder, no clock-bound property tests."""

import itertools
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline in wall time fails on a busy machine and proves nothing on a quiet one.
settings.register_profile("elohim", deadline=None, print_blob=True)
settings.load_profile("elohim")

_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None}  # noqa: S104
_NOWHERE = "http://127.0.0.1:9"  # the discard port: a child that honours proxies gets nowhere
_numbers = itertools.count(1)


class NetworkRefused(Exception):
    """A test, or the code it tests, tried to leave this machine."""


def _refuse_unless_local(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in _LOCAL or (isinstance(name, str) and name.startswith("127.")):
        return
    raise NetworkRefused(f"tests do not use the network, but something asked for {name!r}; serve it on 127.0.0.1")


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    lookup = socket.getaddrinfo

    def check(sock: socket.socket, address: object) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            _refuse_unless_local(address[0])

    def guarded_connect(self: socket.socket, address: object) -> None:
        check(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        check(self, address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, *parts: object) -> int:
        check(self, parts[-1])
        return sendto(self, *parts)

    def guarded_lookup(host: object, *rest: object, **named: object) -> object:
        _refuse_unless_local(host)
        return lookup(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", guarded_lookup)
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, _NOWHERE)
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost,::1")
        yield


@pytest.fixture(scope="session", autouse=True)
def _private_root() -> Iterator[Path]:
    # Short on purpose: a unix socket's path may have about 100 characters, and pytest's own folders use most of them.
    root = Path(tempfile.mkdtemp(prefix="ek-"))
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ELOHIM_", "XDG_", "JUPYTER_"))]:
            if name != "ELOHIM_TORTURE":
                patch.delenv(name)
        patch.setenv("HOME", str(root))
        patch.setenv("USERPROFILE", str(root))
        patch.setenv("ELOHIM_HOME", str(root / "elohim"))
        yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(autouse=True)
def home(_private_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own `ELOHIM_HOME`, not made yet, inside a `HOME` of its own; short enough to hold a socket."""
    person = _private_root / f"{next(_numbers)}"
    person.mkdir()
    monkeypatch.setenv("HOME", str(person))
    monkeypatch.setenv("USERPROFILE", str(person))
    monkeypatch.setenv("ELOHIM_HOME", str(person / "e"))
    return person / "e"
