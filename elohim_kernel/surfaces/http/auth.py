"""Who may knock, and as whom: bearer tokens, the names this server answers to, and pages it did not serve.

There are no cookies, so a foreign page cannot borrow anybody's session. Names are checked all the same, because a page
whose name was bound anew to this machine would count as ours in a browser.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from elohim_kernel.errors import Denied, Invalid
from elohim_kernel.surfaces.http.refusals import unauthenticated

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,512})", re.IGNORECASE)
_KEY: Final = re.compile(r"[!-~]{1,200}")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def bearer(headers: Headers) -> str:
    """The token of a request, not yet checked; raises `Unauthenticated` when it carries none, or more than one.

    >>> bearer(Headers({"Authorization": "Bearer elohim_x"}))
    'elohim_x'
    """
    given = headers.getlist("authorization")
    found = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        raise unauthenticated()
    return found.group(1)


def idempotency_key(headers: Headers) -> str:
    """The key under which a command happens once; "" when none was given. Raises `Invalid`."""
    given = headers.getlist("idempotency-key")
    if not given:
        return ""
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Invalid("Idempotency-Key must be given once, as 1 to 200 visible ASCII characters")
    return given[0]


class Names:
    """The host names that this server answers to, besides addresses and those of the loopback interface."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._names = frozenset(_plain(name) for name in names)

    def check(self, headers: Headers, *, changes: bool) -> None:
        """Raise `Denied` for a name that is not ours, and for a page of another origin that wants to change something.

        >>> Names().check(Headers({"host": "localhost:8765"}), changes=True)
        """
        name = called_name(headers)
        if not self._is_ours(name):
            raise Denied("this server does not go by that name", hint="name it when it is started: see `elohim serve`")
        if changes and not all(_same(origin, headers["host"]) for origin in headers.getlist("origin")):
            raise Denied("a page of another origin may not change anything here")

    def _is_ours(self, name: str) -> bool:
        # An address in the name's place cannot have been bound anew: only names can.
        return name == "localhost" or name.endswith(".localhost") or name in self._names or is_address(name)


def called_name(headers: Headers) -> str:
    """The name or address that a request calls the server by, without its port; "" when it is none.

    >>> called_name(Headers({"host": "Bench.example.:8765"}))
    'bench.example'
    """
    given = headers.getlist("host")
    found = _HOST.fullmatch(given[0]) if len(given) == 1 else None
    return _plain(found.group(1)) if found else ""


def is_address(name: str) -> bool:
    """Whether it is an IP address and no name.

    >>> is_address("127.0.0.1"), is_address("[::1]"), is_address("example.org")
    (True, True, False)
    """
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host.strip("[]")).is_loopback)


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    bare = f"{parts.scheme}://{parts.netloc}" == origin
    return bare and parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()
