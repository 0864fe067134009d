"""The child process of the complexity engine: lizard on the texts given on standard input, one JSON line each.

It runs apart because a hostile text can keep a regular expression busy for ever: each text has its own time limit, and
the parent has one for all. Every line is written as soon as it is known, so what was finished survives a kill.
"""

import contextlib
import json
import os
import signal
import sys
from types import FrameType
from typing import Final

import lizard

FILE_TIMEOUT_S: Final = 10


class _Overdue(Exception):
    pass


def _overdue(_signal: int, _frame: FrameType | None) -> None:
    raise _Overdue


def _functions(path: str, text: str, analyse: "lizard.FileAnalyzer") -> list[dict[str, object]]:
    found = analyse.analyze_source_code(path, text).function_list
    return [
        {"name": each.name, "first": each.start_line, "last": each.end_line, "branches": each.cyclomatic_complexity}
        for each in found
    ]


def main() -> None:
    """Read a JSON list of (side, path, text), write `{"side", "path", "functions", "problem"}` lines."""
    analyse = lizard.FileAnalyzer(lizard.get_extensions([]))
    signal.signal(signal.SIGALRM, _overdue)
    for side, path, text in json.loads(sys.stdin.buffer.read()):
        functions, problem = [], ""
        complaint = _Complaint()
        signal.alarm(FILE_TIMEOUT_S)
        try:
            with contextlib.redirect_stderr(complaint):
                functions = _functions(path, text, analyse)
        except _Overdue:
            problem = f"took more than {FILE_TIMEOUT_S} s"
        except (ValueError, IndexError, AttributeError, TypeError, KeyError, RecursionError) as wrong:
            problem = f"lizard could not read it: {type(wrong).__name__}"
        finally:
            signal.alarm(0)
        answer = {"side": side, "path": path, "functions": functions, "problem": problem or complaint.text}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class _Complaint:
    """Lizard says on standard error that it gave up on a file, and then returns what it has."""

    text = ""

    def write(self, text: str) -> int:
        self.text = (self.text + text).strip()[:200]
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # the interpreter's tidy end costs a tenth of the run
