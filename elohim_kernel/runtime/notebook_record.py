"""What a notebook run came to, and the executed copy that says the same.

papermill marks every cell completed when a kernel dies, also those that never ran. Here each cell's mark follows from
what the child told while it ran: a cell that never ran has no output, no number and no time.
"""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from elohim_kernel.model.value import Value
from elohim_kernel.runtime.playbook import Cell

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_LAST_LINES: Final = 12
_LINE_WIDTH: Final = 300
_NOTE_ID: Final = "elohim-run-note"


class NotebookStatus(StrEnum):
    """How a run ended. `lost` means that the kernel, or the process that drives it, died."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"


class NotebookRun(Value, frozen=True):
    """The account of one run. Texts come from the notebook: plain, without control characters, capped, never markup."""

    status: NotebookStatus
    seconds: float
    digest: str  # "sha256:<hex>" of the notebook that was run
    output: str  # path of the executed copy
    cells: int  # code cells that were to run
    ran: int  # code cells that ended, the failed one included
    cell: int = 0  # where it stopped, as in `In [n]`; 0 when it is done or never began
    source: str = ""  # first lines of that cell
    ename: str = ""
    evalue: str = ""
    last_lines: tuple[str, ...] = ()  # end of the traceback, else of what the cell printed


class Course(msgspec.Struct):
    """How far a run has come, as its child told it; the runner keeps it up to date."""

    started: int = 0
    ended: int = 0
    status: NotebookStatus = NotebookStatus.LOST
    cell: int = 0
    ename: str = ""
    evalue: str = ""
    lines: tuple[str, ...] = ()


def settle(executed: bytes | None, source: bytes, course: Course, *, paths: tuple[str, str]) -> tuple[bytes, list[str]]:
    """The executed copy with truthful marks, and the last lines that the cell where it stopped has printed.

    `executed` is None when nothing was saved: then the copy is made from `source`, and says that nothing is known of
    the outputs. `paths` are the notebook's and the copy's own, in place of those of the private working folder.
    """
    notebook = json.loads(source if executed is None else executed)
    marks: dict[str, Any] = notebook.setdefault("metadata", {}).setdefault("papermill", {})  # foreign JSON
    marks["input_path"], marks["output_path"] = paths
    marks["exception"] = course.status is not NotebookStatus.DONE
    notebook["metadata"]["elohim"] = {"status": str(course.status), "cell": course.cell}
    printed = _mark_cells(notebook["cells"], course)
    if course.status not in (NotebookStatus.DONE, NotebookStatus.FAILED):
        notebook["cells"].insert(0, _note(course, with_id=notebook.get("nbformat_minor", 0) >= 5))
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace"), printed


def tail(lines: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """The last lines, without colours and control characters, each capped; empty ones are left out.

    >>> tail(["\\x1b[31mValueError\\x1b[0m", "", "bad"])
    ('ValueError', 'bad')
    """
    clean = [_ESCAPES.sub("", line.rpartition("\r")[2]).rstrip()[:_LINE_WIDTH] for line in lines[-200:]]
    return tuple([line for line in clean if line][-_LAST_LINES:])


def write_whole(content: bytes, output: Path) -> None:
    """Place a file in one step: readers see the old one or the new one."""
    beside = output.with_name(f".{output.name}.new")
    beside.write_bytes(content)
    beside.replace(output)


def _mark_cells(cells: list[dict[str, Any]], course: Course) -> list[str]:
    """Set each cell's status; `cells` is foreign JSON. Returns what the cell where it stopped has printed."""
    number, printed, passed = 0, [""], True
    for raw in cells:
        cell = msgspec.convert(raw, type=Cell)
        number += cell.runs
        marks = raw.setdefault("metadata", {}).setdefault("papermill", {})
        if cell.runs:
            passed = number <= course.started
        if cell.runs and number == course.cell:
            marks["status"] = str(course.status)
            marks["exception"] = True
            printed = _printed(raw)
        elif passed:
            marks["status"] = "completed"
        else:
            _unmark(raw, marks)
    return printed


def _unmark(raw: dict[str, Any], marks: dict[str, Any]) -> None:
    marks.update(status="pending", exception=None, start_time=None, end_time=None, duration=None)
    raw["metadata"].pop("execution", None)
    if raw.get("cell_type") == "code":
        raw.update(outputs=[], execution_count=None)


def _printed(raw: dict[str, Any]) -> list[str]:
    texts = [out.get("text", "") for out in raw.get("outputs", []) if out.get("output_type") == "stream"]
    return "".join("".join(text) for text in texts).splitlines()


def _note(course: Course, *, with_id: bool) -> dict[str, Any]:
    """A first cell that says what happened, in our words only: it is markdown, so nothing foreign may be in it."""
    how = {
        NotebookStatus.TIMED_OUT: "ran out of time",
        NotebookStatus.CANCELLED: "was cancelled",
        NotebookStatus.LOST: "was lost: its kernel ended",
    }[course.status]
    where = f" in `In [{course.cell}]`" if course.cell else " before its first cell"
    text = f"**This run {how}{where}.** The cells after that did not run."
    note = {"cell_type": "markdown", "metadata": {"tags": ["papermill-error-cell-tag"]}, "source": text}
    return note | ({"id": _NOTE_ID} if with_id else {})
