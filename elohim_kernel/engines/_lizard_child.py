"""The child process of the complexity engine: lizard on the files named on standard input, one JSON line per file.

It runs apart because a hostile file can keep a regular expression busy for ever: each file has its own time limit, and
the parent has one for all. Every line is written as soon as it is known, so what was finished survives a kill.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

import lizard

FILE_TIMEOUT_S: Final = 10


class _Overdue(Exception):
    pass


def _overdue(_signal: int, _frame: FrameType | None) -> None:
    raise _Overdue


def _functions(name: str, analyse: "lizard.FileAnalyzer") -> list[dict[str, object]]:
    text = Path(name).read_bytes().decode(errors="replace")
    found = analyse.analyze_source_code(name, text).function_list
    return [
        {
            "name": each.name,
            "first": each.start_line,
            "last": each.end_line,
            "branches": each.cyclomatic_complexity,
        }
        for each in found
    ]


def main() -> None:
    """Read a JSON list of file names, write `{"file", "functions", "problem"}` lines."""
    analyse = lizard.FileAnalyzer(lizard.get_extensions([]))
    signal.signal(signal.SIGALRM, _overdue)
    for name in json.loads(sys.stdin.read()):
        functions, problem = [], ""
        complaint = _Complaint()
        signal.alarm(FILE_TIMEOUT_S)
        try:
            with contextlib.redirect_stderr(complaint):
                functions = _functions(name, analyse)
        except _Overdue:
            problem = f"took more than {FILE_TIMEOUT_S} s"
        except (OSError, ValueError, IndexError, AttributeError, TypeError, KeyError, RecursionError) as wrong:
            problem = f"lizard could not read it: {type(wrong).__name__}"
        finally:
            signal.alarm(0)
        answer = {"file": name, "functions": functions, "problem": problem or complaint.text}
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
