"""Reading many files of one commit, bounded."""

from collections.abc import Iterable
from typing import Final

from elohim_kernel.errors import TooLarge
from elohim_kernel.ports import Repository

MAX_TOTAL_BYTES: Final = 256 * 1024 * 1024


def contents(repository: Repository, revision: str, paths: Iterable[str]) -> dict[str, bytes]:
    """Path to content, of those that are regular files there; what is too large, alone or in all, is left out."""
    found: dict[str, bytes] = {}
    left = MAX_TOTAL_BYTES
    for path in sorted(paths):
        try:
            content = repository.read(revision, path) if path else None
        except TooLarge:
            continue
        if content is not None and len(content) <= left:
            found[path] = content
            left -= len(content)
    return found
