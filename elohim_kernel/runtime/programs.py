"""Where tools are found, and which folders of this machine a tool needs to see to run.

A program is looked for beside our own interpreter, then on the system's paths, then on the PATH of the user, so that
tools installed by other package managers are found. Never below the folder we were started in: that may be a
stranger's checkout. What a program needs is its environment or prefix, never a home folder or anything above one.
"""

import os
import re
import stat
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
"""Folders that every program of the system needs."""

LOADING: Final = (
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"),
    *("/etc/ssl/certs", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs", "/etc/pki/ca-trust", "/etc/ca-certificates"),
)
"""What some programs do not start without, network or not: no private key among it."""

ASKING: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/run/systemd/resolve")
"""What it takes to find a service on the network."""

_SYSTEM_FOLDERS: Final = ("/usr/local/bin", "/usr/bin", "/bin")
_BROAD: Final = ("/", "/home", "/root", "/etc", "/var", "/tmp", "/opt", "/run", "/proc", "/sys", "/dev", "/mnt", "/srv")  # noqa: S108
_PACKAGE: Final = str(Path(__file__).resolve().parents[1])
_SHEBANG: Final = re.compile(rb"#!\s*(?P<program>\S+)(?:[ \t]+(?:-S[ \t]+)?(?P<argument>[^\s-]\S*))?")


def tool_path(name: str, *, hidden: Sequence[str] = ()) -> str | None:
    """Where a program is; None when it is not there. Of the user's PATH, what lies below `hidden` is not taken."""
    if os.sep in name:
        return name if os.access(name, os.X_OK) else None
    for folder in search_path():
        if folder not in _ours() and _is_below(os.path.realpath(folder), hidden):
            continue
        place = os.path.join(folder, name)  # noqa: PTH118 - runs for every child; a Path costs ten times as much
        if os.access(place, os.X_OK) and not os.path.isdir(place):  # noqa: PTH112
            return place
    return None


@cache
def search_path() -> tuple[str, ...]:
    """Folders with programs: ours, the system's, then those on the user's PATH that nobody else can write."""
    started_in = os.path.realpath(".")
    checkout = () if is_broad(started_in) else (started_in,)
    users = (
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder.startswith("/") and not _is_below(os.path.realpath(folder), checkout) and _is_private(folder)
    )
    return tuple(dict.fromkeys((*_ours(), *users)))


def child_search_path(program: str) -> str:
    """The PATH of a child that runs `program`: our scripts, the system's folders, and its own."""
    own = [os.path.dirname(place) for place in (program, *_interpreters(program))]  # noqa: PTH120
    return os.pathsep.join(dict.fromkeys((*_ours(), *own)))


@cache
def places_of(program: str) -> tuple[str, ...]:
    """What of this machine `program` needs to see, besides the system: its own and our environment, with their links.

    >>> any(sys.prefix == place or sys.prefix.startswith(place + "/") for place in places_of(sys.executable))
    True
    """
    wanted = [_PACKAGE, *_prefix_places(sys.prefix), *_prefix_places(sys.base_prefix)]
    for each in (program, *_interpreters(program)):
        for place in dict.fromkeys((each, os.path.realpath(each))):
            wanted.extend(_own_places(Path(place)))
    return outermost(wanted)


def outermost(places: Iterable[str]) -> tuple[str, ...]:
    """Those that do not lie below another one, sorted.

    >>> outermost(["/a/b", "/a", "/ab", "/a"])
    ('/a', '/ab')
    """
    kept: list[str] = []
    for place in sorted(set(places)):
        if not _is_below(place, kept):
            kept.append(place)
    return tuple(kept)


def is_broad(folder: str) -> bool:
    """Whether a folder holds far more than a tool may see: the root, a system folder, somebody's home or above it."""
    home = os.path.expanduser("~")  # noqa: PTH111
    return folder in _BROAD or os.path.dirname(folder) == "/home" or _is_below(home, (folder,))  # noqa: PTH120


@cache
def _ours() -> tuple[str, ...]:
    return (sysconfig.get_path("scripts"), *_SYSTEM_FOLDERS)


def _is_below(place: str, folders: Iterable[str]) -> bool:
    """Whether `place` is one of `folders` or lies in one of them."""
    return any(place == folder or place.startswith(folder.rstrip("/") + "/") for folder in folders)


def _is_private(folder: str) -> bool:
    try:
        found = os.stat(folder)  # noqa: PTH116
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and not found.st_mode & stat.S_IWOTH


@cache
def _interpreters(program: str) -> tuple[str, ...]:
    """What a script is run by, as its first line says: `env` is looked through."""
    try:
        with open(program, "rb") as file:  # noqa: PTH123 - a compiled program of 100 MB must not be read
            line = _SHEBANG.match(file.read(512))
    except OSError:
        return ()
    if line is None:
        return ()
    name = line["program"]
    if name.endswith(b"/env") and line["argument"]:
        name = line["argument"]
    found = tool_path(os.fsdecode(name))
    return (found,) if found and found != program else ()


def _own_places(program: Path) -> Iterator[str]:
    parts = program.parts
    if "node_modules" in parts:
        yield str(Path(*parts[: parts.index("node_modules") + 1]))
        return
    prefix = program.parent.parent
    if (prefix / "pyvenv.cfg").is_file():
        yield from _prefix_places(str(prefix))
        yield from _prefix_places(_home_of(prefix / "pyvenv.cfg"))
    elif program.parent.name in ("bin", "sbin") and not is_broad(str(prefix)):
        yield from _prefix_places(str(prefix))
    yield str(program)


def _home_of(settings: Path) -> str:
    """The prefix of the interpreter that a virtual environment was made with; the environment's own without one."""
    for line in settings.read_text("utf-8", errors="replace").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home" and value.strip().startswith("/"):
            return os.path.dirname(os.path.realpath(value.strip()))  # noqa: PTH120
    return str(settings.parent)


def _prefix_places(prefix: str) -> Iterator[str]:
    if not is_broad(prefix):
        yield prefix
        return
    for part in ("bin", "lib", "lib64", "include", "pyvenv.cfg"):
        if os.path.exists(os.path.join(prefix, part)):  # noqa: PTH110, PTH118
            yield os.path.join(prefix, part)  # noqa: PTH118
