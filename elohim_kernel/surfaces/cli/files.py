"""Files that commands read and write."""

import hashlib
from pathlib import Path

from elohim_kernel.errors import Invalid, NotFound, Unavailable


def measured(path: Path) -> tuple[str, int, str]:
    """A file's full path, its size in bytes and its digest; raises `NotFound` when there is none."""
    if not path.is_file():
        raise NotFound(f"there is no file {str(path)!r}")
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return str(path.resolve()), path.stat().st_size, f"sha256:{digest}"


def read_text(path: Path) -> str:
    """A text file; raises `NotFound` or `Invalid` when it cannot be read as one."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no file {str(path)!r}") from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise Invalid(f"{str(path)!r} cannot be read as text: {wrong}") from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, readable by its owner only; raises `Unavailable` when that fails."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.chmod(0o600)
        beside.replace(path)
    except OSError as wrong:
        beside.unlink(missing_ok=True)
        raise Unavailable(f"{str(path)!r} cannot be written: {wrong.strerror}") from None
