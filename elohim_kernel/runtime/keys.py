"""The secret key under which a store recognises values it must not keep. It never leaves the home."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from elohim_kernel.errors import Invalid, Unavailable

KEY_BYTES: Final = 32


def findings_key(home: Path | None) -> bytes:
    """The key of a home for hashes of secrets, made when it is first needed; `None` (in memory) gives a fresh one.

    Raises `Invalid` for a damaged key file: a new key would forget every secret that is known. Raises `Unavailable`
    when the home cannot be written.
    """
    if home is None:
        return secrets.token_bytes(KEY_BYTES)
    file = home / "keys" / "findings.key"
    try:
        if not file.exists():
            _make(file)
        key = file.read_bytes()
    except OSError as wrong:
        raise Unavailable(f"the key {file} cannot be used: {wrong.strerror}", hint="check its rights") from None
    if len(key) != KEY_BYTES:
        raise Invalid(
            f"the key {file} has {len(key)} bytes, not {KEY_BYTES}",
            hint="restore it; if it is lost, remove it, and every known secret counts as new",
        )
    return key


def _make(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(secrets.token_bytes(KEY_BYTES))
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            # Of two that make it at once, the first one's counts.
            os.link(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
