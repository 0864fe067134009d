"""The home folder: what lies in it, who may use it, and which process owns its store.

A `flock` on `owner.lock` decides who owns; the kernel lets go of it when the owner dies, however it dies. `owner.json`
only tells where to find the owner and proves nothing. Light on purpose: clients import this, and no database.
"""

import errno
import fcntl
import hashlib
import json
import os
import stat
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from elohim_kernel.errors import Invalid, Unavailable
from elohim_kernel.store.wire import PROTOCOL
from elohim_kernel.version import __version__

_SOCKET_PATH_CAP: Final = 100  # bytes; the system's limit is 104 to 108
_LOG_CAP: Final = 5_000_000  # bytes
_ELSEWHERE: Final = "name another with --home or ELOHIM_HOME"


class Mode(StrEnum):
    """How the store is held."""

    OWNER = "owner"  # by a process that serves others
    INLINE = "inline"  # by a process for itself


class OwnerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What `owner.json` says. Read leniently: another version may have written it."""

    pid: int
    mode: Mode
    version: str
    protocol: int
    socket: str = ""  # "" for an inline process
    program: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether a process with that number exists."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class Home:
    """One home folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser().absolute()
        self.store = self.path / "elohim.duckdb"
        self.log = self.path / "owner.log"
        self.runs = self.path / "runs"
        self._lock = self.path / "owner.lock"
        self._record = self.path / "owner.json"

    def prepare(self) -> None:
        """Make the folder, private to this account; raises `Invalid` or `Unavailable` when it cannot serve."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.stat()
            if found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077:
                self.path.chmod(0o700)
            self.runs.mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise Invalid(f"the home {self.path} is not a folder", hint=_ELSEWHERE) from None
        except OSError as wrong:
            raise self._unusable(wrong) from None
        if not os.access(self.path, os.W_OK | os.X_OK):
            reason = errno.EROFS if os.statvfs(self.path).f_flag & os.ST_RDONLY else errno.EACCES
            raise self._unusable(OSError(reason, os.strerror(reason)))

    def try_lock(self) -> int | None:
        """A descriptor that holds the owner's lock until it, and every copy a child got, is closed; `None`: taken."""
        try:
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as wrong:
            raise self._unusable(wrong) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        except OSError as wrong:
            os.close(lock)
            raise self._unusable(wrong) from None
        return lock

    def record(self) -> OwnerRecord | None:
        """Who says to own the store; `None` when nobody does or the note is unreadable."""
        try:
            return msgspec.json.decode(self._record.read_bytes(), type=OwnerRecord)
        except (OSError, msgspec.DecodeError):
            return None

    def write_record(self, mode: Mode, socket: Path | None = None) -> None:
        """Say that this process owns the store. Only the holder of the lock may."""
        record = OwnerRecord(
            pid=os.getpid(),
            mode=mode,
            version=__version__,
            protocol=PROTOCOL,
            socket=str(socket or ""),
            program=" ".join([Path(sys.executable).name, *sys.argv])[:200],
        )
        fresh = self._record.with_suffix(f".{os.getpid()}")
        try:
            fresh.write_bytes(json.dumps(msgspec.to_builtins(record), indent=1).encode())
            fresh.chmod(0o600)
            fresh.replace(self._record)
        except OSError as wrong:
            fresh.unlink(missing_ok=True)
            raise self._unusable(wrong) from None

    def erase_record(self) -> None:
        """Take the note away. Only the holder of the lock may."""
        self._record.unlink(missing_ok=True)

    def socket(self) -> Path:
        """Where the owner of this home listens; made fit for the system's limit on the length of such paths."""
        here = self.path / "owner.sock"
        if len(os.fsencode(here)) <= _SOCKET_PATH_CAP:
            return here
        for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108
            if base and len(os.fsencode(base)) <= _SOCKET_PATH_CAP - 60:
                return self._private_folder(Path(base)) / f"{self._digest()}.sock"
        raise Invalid(f"the socket of {self.path} has no place: every path is too long", hint=_ELSEWHERE)

    def open_log(self) -> int:
        """A descriptor that appends to `owner.log`, which is moved aside when it is large."""
        try:
            if self.log.exists() and self.log.stat().st_size > _LOG_CAP:
                self.log.replace(self.log.with_suffix(".log.1"))
            return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as wrong:
            raise self._unusable(wrong) from None

    def _digest(self) -> str:
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:24]

    def _private_folder(self, base: Path) -> Path:
        folder = base / f"elohim-{os.getuid()}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError as wrong:
            raise Unavailable(f"the folder {folder} for the socket cannot be made: {wrong.strerror}") from None
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise Unavailable(f"{folder} is not a private folder of ours", hint="remove it, or use a shorter home")
        return folder

    def _unusable(self, wrong: OSError) -> Unavailable:
        full = wrong.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "free some space" if full else f"check its rights, or {_ELSEWHERE}"
        return Unavailable(f"the home {self.path} cannot be used: {wrong.strerror}", hint=hint)


def held_inline(home: Home, record: OwnerRecord) -> Unavailable:
    """The error for a store that another process has opened for itself."""
    mine = " (this one)" if record.pid == os.getpid() else ""
    return Unavailable(
        f"the store in {home.path} is open in process {record.pid}{mine}, for itself alone: {record.program}",
        hint="wait until it ends, or let it use the owner process instead of opening the store inline",
    )
