"""The code around a finding, read from git's objects at its commit, without what is secret in it."""

from collections.abc import Collection

from elohim_kernel.errors import KernelError
from elohim_kernel.model.masking import safe_line
from elohim_kernel.model.value import Value
from elohim_kernel.runtime.repository import open_repository

_WIDTH = 240  # characters of a line
_HIDDEN = "… (this line holds a secret)"


class CodeLine(Value, frozen=True):
    """One line of code as it may be shown; `flagged` is what the finding is about."""

    number: int
    text: str
    flagged: bool = False


def excerpt(
    repository: str,
    revision: str,
    path: str,
    line: int,
    *,
    end_line: int = 0,
    around: int = 4,
    private: Collection[int] = (),
) -> tuple[CodeLine, ...]:
    """The lines from `around` before to `around` after; empty when the repository, the commit or the file is not here.

    Lines in `private` are not shown at all, and what looks like a secret is cut out of the others.
    """
    if line < 1 or not revision:
        return ()
    try:
        content = open_repository(repository).read(revision, path)
    except KernelError:
        return ()
    lines = (content or b"").splitlines()
    last = min(max(line, end_line), line + 2 * around)
    return tuple(
        CodeLine(number=number, text=_shown(lines[number - 1], number, private), flagged=line <= number <= last)
        for number in range(max(1, line - around), min(len(lines), last + around) + 1)
    )


def _shown(line: bytes, number: int, private: Collection[int]) -> str:
    if number in private:
        return _HIDDEN
    return safe_line(line[: 4 * _WIDTH].decode(errors="replace"))[:_WIDTH]
