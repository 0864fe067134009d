"""What a long command is doing, told on standard error: one line that changes on a terminal, plain lines in a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from elohim_kernel.surfaces.cli.layout import cut, width
from elohim_kernel.surfaces.text import text


class Progress:
    """Tells how far the work is. `quiet` tells nobody."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._last = ""

    def tell(self, what: str, words: str, done: int, total: int) -> None:
        """Say that `done` of `total` steps of `what` are over and what comes now; `total` 0 means unknown."""
        count = f"[{done}/{total}] " if total else ""
        line = text(f"{what}  {count}{words}")
        if self._quiet or line == self._last:
            return
        self._last = line
        if self._live:
            sys.stderr.write(f"\r\x1b[K{cut(line, (width() or 80) - 1)}")
        else:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the changing line away."""
        if self._live and self._last and not self._quiet:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._last = ""


@contextmanager
def progress(*, json: bool) -> Iterator[Progress]:
    """Progress as long as the block lasts. With `--json` only a terminal is told: a log holds the document alone."""
    told = Progress(quiet=json and not sys.stderr.isatty())
    try:
        yield told
    finally:
        told.clear()
