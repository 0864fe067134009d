"""Runs one playbook notebook in processes of its own, and tells truthfully how it ended.

papermill lives in a child (`runtime.notebook_child`), the code in a kernel below it. Deadline and cancelling end both
with all they have started. The worker keeps no papermill state, no port is opened where unix sockets exist, and the
saved copy appears in one step, also after a death.
"""

import contextlib
import importlib.util
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

import msgspec

from elohim_kernel.errors import Cancelled, Invalid, NotRun, Unavailable
from elohim_kernel.model.literals import JSON
from elohim_kernel.model.parameters import bind
from elohim_kernel.runtime.notebook_child import Job, Told
from elohim_kernel.runtime.notebook_record import Course, NotebookRun, NotebookStatus, settle, tail, write_whole
from elohim_kernel.runtime.playbook import Cell, Playbook, cells_of, describe, described, read_notebook

__all__ = ["NotebookRun", "NotebookStatus", "Playbook", "describe", "run_notebook"]

OnProgress = Callable[[int, int, str], None]
_POLL_S: Final = 0.1
_GRACE_S: Final = 15.0  # for a child whose kernel has ended to save the copy
_PREVIEW_LINES: Final = 5
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]
_INHERITED: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP"),
    *("SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
)


def run_notebook(
    notebook: Path,
    *,
    parameters: Mapping[str, object],
    output: Path,
    environment: Mapping[str, str],
    cwd: Path,
    timeout_s: float,
    on_progress: OnProgress,
    cancelled: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> NotebookRun:
    """Execute a copy of `notebook` and place it at `output`, whatever happens; the account says how it ended.

    The kernel sees `environment` and a short list of harmless variables (path, home, language, time zone), nothing
    else of this process's. `on_progress(cell, cells, text)` is called when a code cell starts, with its first line;
    `cancelled()` is asked ten times a second. Both are called on this thread; either may raise `Cancelled` as well.
    `clock` gives seconds that never go back.

    Raises, before anything has started: `NotFound` and `Invalid` for the notebook, its parameters, a missing `cwd` or
    folder of `output`; `NotRun` without the `notebook` extra. Raises `Unavailable` when the copy cannot be saved.
    """
    content = read_notebook(notebook)
    playbook = described(content, name=notebook.stem)
    bound = bind(playbook.parameters, parameters)
    _check_places(output, cwd)
    began = clock()
    runnable = [cell for cell in cells_of(content, name=notebook.stem) if cell.runs]
    try:
        with tempfile.TemporaryDirectory(prefix="elohim-", ignore_cleanup_errors=True) as work:
            Path(work, "in.ipynb").write_bytes(content)
            watch = _Watch(_texts(runnable, bound), lambda: clock() > began + timeout_s, on_progress, cancelled)
            course = watch.follow(Job(work=work, cwd=str(cwd.absolute()), parameters=bound), environment)
            executed = _saved(Path(work, "out.ipynb"))
        copy, printed = settle(executed, content, course, paths=(str(notebook), str(output)))
        write_whole(copy, output)
    except OSError as wrong:
        raise Unavailable(f"cannot run {notebook.name} and save its copy at {str(output)!r}: {wrong}") from None
    return _account(course, watch.texts, printed, seconds=clock() - began, digest=playbook.digest, output=output)


class _Watch:
    """Follows one child: folds what it tells into a `Course`, and ends it when time is up or somebody cancels."""

    def __init__(
        self, texts: list[str], late: Callable[[], bool], on_progress: OnProgress, cancelled: Callable[[], bool]
    ) -> None:
        self.texts = texts
        self.course = Course()
        self._late = late
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._kernel = 0
        self._told: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._complaints: deque[bytes] = deque(maxlen=200)

    def follow(self, job: Job, environment: Mapping[str, str]) -> Course:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "elohim_kernel.runtime.notebook_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(environment),
            cwd=job.work,
            start_new_session=True,
        )
        listeners = self._listen(process)
        try:
            self._hand_over(process, job)
            self._fold_all()
        except Cancelled as asked:
            self.course.status, self.course.evalue = NotebookStatus.CANCELLED, asked.message
        finally:
            self._end(process)
            for listener in listeners:
                # Not for ever: a program that left the kernel's group may hold the pipe open.
                listener.join(timeout=1)
        if self.course.status is NotebookStatus.LOST and not self.course.ename:
            self._explain(process)
        return self.course

    def _listen(self, process: "subprocess.Popen[bytes]") -> list[threading.Thread]:
        def told(pipe: IO[bytes]) -> None:
            with pipe:
                for line in pipe:
                    self._told.put(line)
            self._told.put(None)

        def complained(pipe: IO[bytes]) -> None:
            with pipe:
                self._complaints.extend(pipe)

        listeners = [
            threading.Thread(target=told, args=(process.stdout,), daemon=True),
            threading.Thread(target=complained, args=(process.stderr,), daemon=True),
        ]
        for listener in listeners:
            listener.start()
        return listeners

    @staticmethod
    def _hand_over(process: "subprocess.Popen[bytes]", job: Job) -> None:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died at once: its complaints say why
            process.stdin.write(msgspec.json.encode(job) + b"\n")
            process.stdin.flush()

    def _fold_all(self) -> None:
        while True:
            try:
                line = self._told.get(timeout=_POLL_S)
            except queue.Empty:
                line = b""
            if line is None or (line and self._fold(msgspec.json.decode(line, type=Told))) or self._stopped():
                return

    def _stopped(self) -> bool:
        if self._late():
            self.course.status, self.course.evalue = NotebookStatus.TIMED_OUT, "its time was up"
        elif self._cancelled():
            self.course.status, self.course.evalue = NotebookStatus.CANCELLED, "somebody asked it to stop"
        return self.course.status is not NotebookStatus.LOST

    def _fold(self, told: Told) -> bool:
        """Take one event in; True when it is the last."""
        course = self.course
        match told.event:
            case "kernel":
                self._kernel = told.pid
            case "start":
                course.started = course.cell = told.cell
                text = "".join(self.texts[told.cell - 1 : told.cell])
                self._on_progress(told.cell, len(self.texts), text.strip().partition("\n")[0])
            case "end":
                course.ended = told.cell
            case "failed":
                course.status, course.cell = NotebookStatus.FAILED, told.cell
                course.ename, course.evalue, course.lines = told.ename, told.evalue, told.lines
            case "died":
                course.ename, course.evalue = "KernelDied", f"the kernel ended {told.evalue}"
            case "done":
                course.status, course.cell = NotebookStatus.DONE, 0
        return told.event in {"failed", "died", "done"}

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        told_its_end = self.course.status in (NotebookStatus.DONE, NotebookStatus.FAILED) or self.course.ename
        if not told_its_end:
            # The kernel leads a group of its own. When it dies the child notices, and saves what it has.
            _kill_group(self._kernel)
        if told_its_end or self._kernel:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_GRACE_S)
        if process.poll() is None:
            _kill_group(process.pid)
            process.kill()
        process.wait()
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()

    def _explain(self, process: "subprocess.Popen[bytes]") -> None:
        lines = [line.decode("utf-8", "replace") for line in list(self._complaints)]
        self.course.ename = "RunnerDied"
        self.course.evalue = f"the process that drives the kernel ended with code {process.returncode}"
        self.course.lines = tuple(lines)


def _account(
    course: Course, texts: list[str], printed: list[str], *, seconds: float, digest: str, output: Path
) -> NotebookRun:
    source = "".join(texts[course.cell - 1 : course.cell]) if course.cell else ""
    return NotebookRun(
        status=course.status,
        seconds=seconds,
        digest=digest,
        output=str(output),
        cells=len(texts),
        ran=course.ended,
        cell=course.cell,
        source="\n".join(source.strip().splitlines()[:_PREVIEW_LINES]),
        ename=course.ename,
        evalue=" ".join(tail(course.evalue.splitlines())),
        last_lines=tail(course.lines or printed),
    )


def _texts(runnable: list[Cell], bound: Mapping[str, JSON]) -> list[str]:
    """The cells that will run, in order: papermill puts the values into a cell of their own."""
    texts = [cell.text for cell in runnable]
    injected = next((n for n, cell in enumerate(runnable) if "injected-parameters" in cell.metadata.tags), None)
    declares = next((n for n, cell in enumerate(runnable) if "parameters" in cell.metadata.tags), -1)
    values = "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in bound.items())
    if bound and injected is None:
        texts.insert(declares + 1, values)
    elif bound and injected is not None:
        texts[injected] = values
    return texts


def _check_places(output: Path, cwd: Path) -> None:
    if importlib.util.find_spec("papermill") is None or importlib.util.find_spec("ipykernel") is None:
        raise NotRun("notebooks need papermill and ipykernel", hint="install elohim_kernel[notebook]")
    if not cwd.is_dir():
        raise Invalid(f"the working folder {str(cwd)!r} does not exist")
    if not output.parent.is_dir() or output.is_dir():
        raise Invalid(f"cannot place the executed copy at {str(output)!r}: its folder must exist, and it be a file")


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # A checkout that is run in place is not on the path of a new interpreter.
    if (_PACKAGE_ROOT / "pyproject.toml").is_file():
        inherited["PYTHONPATH"] = str(_PACKAGE_ROOT)
    return inherited | dict(given)


def _saved(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _kill_group(leader: int) -> None:
    if leader and hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
