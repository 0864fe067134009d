"""The process that executes one notebook with papermill, and tells its parent line by line what happens.

Started by `runtime.notebook`, never imported by it: papermill changes directories, holds singletons and takes a second
to import. A job comes as the first line of standard input, which then stays open: when it ends the parent is gone, and
kernel and child end too. papermill, nbclient, jupyter_client and traitlets are heavy and imported inside functions.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from subprocess import Popen
from typing import Any, Final

import msgspec

_IOPUB_TIMEOUT_S: Final = 120  # the default of 4 s loses the output of a cell that prints a lot on a busy machine
_LONGEST_SOCKET: Final = 90  # a unix socket's path ends near 104 characters, and the port number is appended


class Job(msgspec.Struct, frozen=True):
    """What the parent asks for; all paths are absolute, `work` is private and removed by the parent."""

    work: str
    cwd: str
    parameters: dict[str, Any]  # JSON, hence Any; bound by `model.parameters`


class Told(msgspec.Struct, frozen=True):
    """One line from the child. `cell` counts the code cells that run, from 1, as the notebook's `In [n]` does."""

    event: str  # "kernel", "start", "end", "done", "failed", "died"
    cell: int = 0
    pid: int = 0
    ename: str = ""
    evalue: str = ""
    lines: tuple[str, ...] = ()


class _Teller:
    """Writes events to the pipe that was standard output, and keeps count of cells."""

    def __init__(self) -> None:
        self._pipe = os.fdopen(os.dup(1), "wb")
        # What libraries and the kernel print on descriptor 1 must not mix with the events.
        os.dup2(2, 1)
        self.numbers: dict[int, int] = {}
        self.kernel: Popen[bytes] | None = None

    def tell(self, told: Told) -> None:
        self._pipe.write(msgspec.json.encode(told) + b"\n")
        self._pipe.flush()

    def kernel_started(self, process: "Popen[bytes]") -> None:
        self.kernel = process
        self.tell(Told(event="kernel", pid=process.pid))

    def cell_starts(self, cell: object, cell_index: int) -> None:
        self.numbers[cell_index] = len(self.numbers) + 1
        self.tell(Told(event="start", cell=self.numbers[cell_index]))

    def cell_ended(self, cell: object, cell_index: int, execute_reply: object) -> None:
        self.tell(Told(event="end", cell=self.numbers[cell_index]))

    def end_kernel(self) -> None:
        """End what is left of the kernel's process group, such as programs a cell has started."""
        if self.kernel is not None and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.kernel.pid, signal.SIGKILL)


def main() -> None:
    """Run the job from standard input to its end; exit 0 when the end was told, whatever it was."""
    teller = _Teller()
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    threading.Thread(target=_end_with_parent, args=(teller, job.work), daemon=True).start()
    _prepare_kernel(Path(job.work))
    try:
        teller.tell(_execute(job, teller))
    finally:
        teller.end_kernel()


def _end_with_parent(teller: _Teller, work: str) -> None:
    # Not through sys.stdin: a thread that holds its lock when the interpreter ends is a fatal error.
    while os.read(0, 4096):
        pass
    teller.end_kernel()
    shutil.rmtree(work, ignore_errors=True)
    os._exit(1)


def _prepare_kernel(work: Path) -> None:
    """A kernel spec of our own interpreter, without the user's IPython start-up files, history and Jupyter config."""
    spec = work / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    kernel = ("-P", "-m", "elohim_kernel.runtime.notebook_kernel")
    argv = [sys.executable, *kernel, "-f", "{connection_file}", "--HistoryManager.enabled=False"]
    spec.joinpath("kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}), encoding="utf-8"
    )
    for name in ("JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        os.environ[name] = str(work / "jupyter")


def _execute(job: Job, teller: _Teller) -> Told:
    import papermill
    from nbclient.exceptions import DeadKernelError

    work = Path(job.work)
    _save_whole_files(str(work))
    try:
        papermill.execute_notebook(
            # papermill formats paths with the parameters: doubled braces keep a brace in ours a brace.
            str(work / "in.ipynb").replace("{", "{{").replace("}", "}}"),
            str(work / "out.ipynb").replace("{", "{{").replace("}", "}}"),
            parameters=job.parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=job.cwd,
            start_timeout=120,
            iopub_timeout=_IOPUB_TIMEOUT_S,
            coalesce_streams=True,
            kernel_manager_class=_kernel_manager(teller, work),
            on_cell_execute=teller.cell_starts,
            on_cell_executed=teller.cell_ended,
        )
    except papermill.PapermillExecutionError as wrong:
        number = teller.numbers.get(wrong.cell_index, 0)
        lines = tuple("\n".join(wrong.traceback).splitlines())
        return Told(event="failed", cell=number, ename=wrong.ename, evalue=wrong.evalue, lines=lines)
    except DeadKernelError:
        return Told(event="died", evalue=_how_it_ended(teller.kernel))
    return Told(event="done")


def _save_whole_files(folder: str) -> None:
    """Make papermill replace its output file: a kill in the middle of a write would leave half a notebook."""
    from papermill.iorw import LocalHandler, papermill_io

    class _Whole(LocalHandler):  # type: ignore[misc]  # papermill has no types
        def write(self, buf: str, path: str) -> None:
            Path(path + ".new").write_text(buf, encoding="utf-8")
            Path(path + ".new").replace(path)

    papermill_io.register(folder, _Whole())


def _kernel_manager(teller: _Teller, work: Path) -> type:
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class _Patient(AsyncKernelClient):
        """Takes in all a kernel prints: beyond 1,000 messages in hand ØMQ drops them, the end of the cell as well."""

        def _context_default(self) -> Any:  # zmq's context, whose attributes are its sockets' default options
            context = super()._context_default()
            context.rcvhwm = 0
            return context

    class _Told(AsyncKernelManager):
        """Talks over private unix sockets where it can, and tells the kernel's process id."""

        @default("client_factory")
        def _patient(self) -> type:
            return _Patient

        @default("connection_file")
        def _with_the_rest(self) -> str:
            return str(work / "connection.json")  # holds the key to the kernel, and goes when `work` goes

        @default("transport")
        def _private(self) -> str:
            fits = len(str(work / "k")) < _LONGEST_SOCKET
            return "ipc" if fits and os.name == "posix" else "tcp"

        @default("ip")
        def _socket(self) -> str:
            return str(work / "k") if self.transport == "ipc" else "127.0.0.1"

        async def _async_post_start_kernel(self, **kw: Any) -> None:  # the base class's signature
            await super()._async_post_start_kernel(**kw)
            process = getattr(self.provisioner, "process", None)
            if process is not None:
                teller.kernel_started(process)

        post_start_kernel = _async_post_start_kernel

    return _Told


def _how_it_ended(kernel: "Popen[bytes] | None") -> str:
    code = None if kernel is None else kernel.poll()
    if code is None:
        return "in an unknown way"
    if code >= 0:
        return f"with exit code {code}"
    by = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"by {by}" + (", often a sign that memory ran out" if by == "SIGKILL" else "")


if __name__ == "__main__":
    main()
