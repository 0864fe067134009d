"""What a command says: a result on standard output, for people or as JSON; errors and remarks on standard error.

Everything for people passes `surfaces.text.text`. With `--json` standard output holds the result and nothing else.
"""

import os
import sys
from collections.abc import Iterable
from typing import Final, TextIO

from elohim_kernel.errors import KernelError
from elohim_kernel.surfaces.text import text

_COLOURS: Final = {
    "critical": "1;31", "failed": "31", "high": "31", "regressed": "31", "rejected": "31",
    "medium": "33", "waiting": "33", "stale": "33", "overdue": "33",
    "low": "36", "completed": "32", "approved": "32", "done": "32",
    "strong": "1", "faint": "2",
}  # fmt: skip


class Output:
    """Where a command's words go."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json

    def lines(self, lines: Iterable[str]) -> None:
        """Lines for people, already safe; nothing with `--json`."""
        if not self.json:
            _write(sys.stdout, "".join(f"{line}\n" for line in lines))

    def data(self, value: object) -> None:
        """The result as one JSON document. Keys are those of the operations, times are ISO 8601 in UTC."""
        _write(sys.stdout, f"{as_json(value)}\n")

    def remark(self, words: str) -> None:
        """A line on standard error, for people; nothing with `--json`."""
        if not self.json:
            _write(sys.stderr, f"{text(words)}\n")

    def error(self, wrong: KernelError) -> int:
        """Say what was wrong and what to do; returns the exit code."""
        return complain(wrong.code, wrong.message, wrong.hint, exit_code=wrong.exit_code, json=self.json)


def complain(code: str, message: str, hint: str | None, *, exit_code: int, json: bool) -> int:
    """An error on standard error: a sentence, or `{"error": {"code", "message", "hint"}}`; returns the exit code."""
    if json:
        _write(sys.stderr, f"{as_json({'error': {'code': code, 'message': message, 'hint': hint}})}\n")
    else:
        said = [f"elohim: {text(message, lines=True)}", *([f"  hint: {text(hint, lines=True)}"] if hint else [])]
        _write(sys.stderr, "".join(f"{line}\n" for line in said))
    return exit_code


def as_json(value: object) -> str:
    """Indented JSON in which nothing can act on a terminal."""
    from elohim_kernel.surfaces.cli.encoding import encoded

    return encoded(value)


def painted(words: str, kind: str, *, pad: int = 0) -> str:
    """Words in the colour of what they mean, where the terminal has colours; filled up to `pad` columns."""
    room = " " * (pad - len(words))
    colour = _COLOURS.get(kind, "") if has_colours() else ""
    return f"\x1b[{colour}m{words}\x1b[0m{room}" if colour else words + room


def has_colours() -> bool:
    """Whether standard output is a terminal that may be coloured: `NO_COLOR` and `TERM=dumb` say no."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def on_terminal() -> bool:
    """Whether somebody reads standard output as it appears."""
    return sys.stdout.isatty()


def _write(stream: TextIO, words: str) -> None:
    try:
        stream.write(words)
    except UnicodeEncodeError:
        # A terminal of another time: better a question mark than no answer.
        stream.write(words.encode(stream.encoding or "ascii", "replace").decode(stream.encoding or "ascii"))
    stream.flush()
