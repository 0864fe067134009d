"""The child process of the taint engine: analyses the files named on standard input, one JSON line each.

It only parses what it reads. Its share of the files goes to as many processes as it is told; every line is written as
soon as it is known, so what was finished survives a kill.
"""

import json
import os
import selectors
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from elohim_kernel.engines._taint_analysis import Analysis, analyse
from elohim_kernel.engines._taint_report import refuted, told

FILE_TIMEOUT_S: Final = 30
WORTH_A_PROCESS: Final = 20
_CHUNK: Final = 1 << 16


_DEFECTS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, TypeError, ValueError)
"""One file must not keep the others from being analysed; it is named as not analysed."""


class _Overdue(Exception):
    """A file took too long."""


def _overdue(_signal: int, _frame: FrameType | None) -> None:
    raise _Overdue


def answer(path: str, root: Path) -> dict[str, object]:
    """What is said about one file."""
    signal.setitimer(signal.ITIMER_REAL, FILE_TIMEOUT_S)
    try:
        analysis = analyse((root / path).read_bytes())
    except _Overdue:
        analysis = Analysis(problem=f"took more than {FILE_TIMEOUT_S} s")
    except _DEFECTS as wrong:
        analysis = Analysis(problem=f"a defect of this check: {type(wrong).__name__}")
    except OSError as wrong:
        analysis = Analysis(problem=f"could not be read: {wrong.strerror}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {
        "path": path,
        "problem": analysis.problem,
        "findings": told(analysis.outcomes),
        "refuted": [] if analysis.problem else refuted(analysis.outcomes),
    }


def work(paths: Sequence[str], root: Path, into: int) -> None:
    """Analyse files in a row, writing to a file descriptor."""
    signal.signal(signal.SIGALRM, _overdue)
    for path in paths:
        line = (json.dumps(answer(path, root)) + "\n").encode()
        while line:
            line = line[os.write(into, line) :]


def main() -> None:
    """Read a JSON object with `root`, `paths` and `processes`; write a line for each path."""
    asked = json.loads(sys.stdin.buffer.read())
    root, paths = Path(asked["root"]), asked["paths"]
    processes = max(1, min(asked["processes"], len(paths) // WORTH_A_PROCESS))
    if processes == 1:
        work(paths, root, sys.stdout.fileno())
        return
    pipes: list[int] = []
    for share in range(processes):
        reading, writing = os.pipe()
        if os.fork() == 0:
            work(paths[share::processes], root, writing)
            os._exit(0)
        os.close(writing)
        pipes.append(reading)
    _forward(pipes)


def _forward(pipes: Sequence[int]) -> None:
    """Copy whole lines as they come; lines of two processes never mix."""
    left = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, _CHUNK)
                if not data:
                    selector.unregister(key.fd)
                lines, mark, left[key.fd] = (left[key.fd] + data).rpartition(b"\n")
                sys.stdout.buffer.write(lines + mark)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # the interpreter's tidy end costs a tenth of the run
