"""Run a tool as a child: argument list, almost empty environment, own session, limits, deadline, output cap.

This is isolation against accidents and runaway tools, not against a hostile program: the child is still the same user,
sees the file system and the network. So only tools that never execute what they read may run on a stranger's files,
and only on an exported copy. `LEVEL` says this to people. POSIX only.
"""

import os
import resource
import selectors
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from elohim_kernel.ports import Completed

LEVEL: Final = "resource limits, new session, empty environment, empty home; no file system or network isolation"
OUTPUT_CAP: Final = 64 * 1024 * 1024

_TICK_S: Final = 0.05
_GRACE_S: Final = 0.5
_CHUNK: Final = 256 * 1024
_MAX_FILE_BYTES: Final = 1024 * 1024 * 1024


def never() -> bool:
    """The answer of somebody who never cancels."""
    return False


def run_child(
    argv: Sequence[str],
    *,
    cwd: Path,
    timeout_s: float,
    stdin: bytes = b"",
    output_cap: int = OUTPUT_CAP,
    cancelled: Callable[[], bool] = never,
    memory_mb: int = 2048,
    cpu_s: int | None = None,
) -> Completed:
    r"""Run `argv` and wait. Nothing it does raises: `reason` says when it never started or was ended, and why.

    `exit_code` is None when it never started or we ended it, and negative (the signal) when something else did.
    `output_cap` bounds stdout and stderr together, in bytes; `memory_mb` the address space of each process; `cpu_s` the
    processor time of each process, by default the deadline on every core. When the child ends, whatever it left
    running in its process group ends with it.

    >>> run_child([sys.executable, "-c", "print(6 * 7)"], cwd=Path("/"), timeout_s=30).stdout
    b'42\n'
    """
    began = time.monotonic()
    program = tool_path(argv[0])
    if program is None:
        return Completed(exit_code=None, stdout=b"", stderr=b"", seconds=0.0, reason=f"not found: {argv[0]}")
    with tempfile.TemporaryDirectory(prefix="elohim-home-") as home:
        try:
            child = subprocess.Popen(
                [program, *argv[1:]],
                cwd=cwd,
                env=environment(home),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as wrong:
            reason = f"could not be started: {wrong.strerror}"
            return Completed(exit_code=None, stdout=b"", stderr=b"", seconds=0.0, reason=reason)
        with child:
            limits = _limits(memory_mb, cpu_s if cpu_s is not None else int(timeout_s * (os.cpu_count() or 1)) + 1)
            watch = _Watch(child, began + timeout_s, output_cap, cancelled)
            try:
                _apply(limits, child.pid)
                reason = watch.until_end(stdin)
            finally:
                # Before the child is reaped its id cannot belong to another group.
                _end_group(child.pid)
            code = child.wait()
    return Completed(
        exit_code=None if reason else code,
        stdout=bytes(watch.stdout),
        stderr=bytes(watch.stderr),
        seconds=round(time.monotonic() - began, 4),
        reason=reason.format(timeout_s=timeout_s, cap=output_cap) if reason else _signal_reason(code),
    )


def tool_path(name: str) -> str | None:
    """Where a program is: beside our own interpreter first, then on the system's paths; None when it is not there."""
    if os.sep in name:
        return name if os.access(name, os.X_OK) else None
    for folder in _search_path():
        place = os.path.join(folder, name)  # noqa: PTH118 - runs for every child; a Path costs ten times as much
        if os.access(place, os.X_OK) and not os.path.isdir(place):  # noqa: PTH112
            return place
    return None


def environment(home: str) -> Mapping[str, str]:
    """All the variables a child sees: no token, proxy, editor or Python setting of ours among them."""
    return {
        "PATH": os.pathsep.join(_search_path()),
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
    }


def _search_path() -> tuple[str, ...]:
    return (sysconfig.get_path("scripts"), "/usr/local/bin", "/usr/bin", "/bin")


def _limits(memory_mb: int, cpu_s: int) -> Mapping[int, int]:
    return {
        resource.RLIMIT_AS: memory_mb * 1024 * 1024,
        resource.RLIMIT_CPU: max(1, cpu_s),
        resource.RLIMIT_FSIZE: _MAX_FILE_BYTES,
        resource.RLIMIT_CORE: 0,
    }


def _apply(limits: Mapping[int, int], pid: int) -> None:
    # Set from outside: code between fork and exec is unsafe once there are threads.
    if sys.platform != "linux":
        return
    for kind, amount in limits.items():
        try:
            _, hard = resource.prlimit(pid, kind)
            amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
            # At the soft limit of processor time a signal tells why; at the hard one the kernel only kills.
            spare = 2 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
            resource.prlimit(pid, kind, (amount, amount + spare))
        except (ProcessLookupError, PermissionError):
            return  # it has ended already


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _signal_reason(code: int) -> str:
    if code >= 0:
        return ""
    if -code == signal.SIGXCPU:
        return "ended: used up its processor time"
    return f"ended by signal {signal.Signals(-code).name if -code in set(signal.Signals) else -code}"


@contextmanager
def _exit_signal(pid: int) -> Iterator[int | None]:
    """A descriptor that becomes readable when the process ends; None where the system has none."""
    descriptor = _pidfd(pid)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _pidfd(pid: int) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None  # a kernel before 5.3: the tick finds out instead


class _Watch:
    """Feeds and reads the child until it ends or has to be ended."""

    def __init__(
        self, child: "subprocess.Popen[bytes]", deadline: float, output_cap: int, cancelled: Callable[[], bool]
    ) -> None:
        self.stdout, self.stderr = bytearray(), bytearray()
        self._child = child
        self._deadline = deadline
        self._output_cap = output_cap
        self._cancelled = cancelled

    def until_end(self, stdin: bytes) -> str:
        """Empty when the child ended by itself; otherwise why it must be ended now."""
        with selectors.DefaultSelector() as selector, _exit_signal(self._child.pid) as ended:
            self._register(selector, stdin)
            if ended is not None:
                selector.register(ended, selectors.EVENT_READ, "exit")
            unsent = memoryview(stdin)
            ended_at: float | None = None
            while True:
                for key, _ in selector.select(self._wait_s()):
                    if key.data == "stdin":
                        unsent = self._feed(selector, unsent)
                    elif key.data == "exit":
                        selector.unregister(key.fileobj)
                    else:
                        self._read(selector, key.fd, key.data)
                if reason := self._must_end():
                    return reason
                if ended_at is None and self._has_ended():
                    ended_at = time.monotonic()
                    _end_group(self._child.pid)
                # A stray grandchild may hold the pipes open for ever: the child's own end is what counts.
                if ended_at is not None and (not self._reading(selector) or time.monotonic() > ended_at + _GRACE_S):
                    return ""

    def _register(self, selector: selectors.BaseSelector, stdin: bytes) -> None:
        for name, pipe in (
            ("stdout", self._child.stdout),
            ("stderr", self._child.stderr),
            ("stdin", self._child.stdin),
        ):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            if name == "stdin" and not stdin:
                pipe.close()
            else:
                selector.register(pipe, selectors.EVENT_WRITE if name == "stdin" else selectors.EVENT_READ, name)

    def _wait_s(self) -> float:
        return max(0.0, min(_TICK_S, self._deadline - time.monotonic()))

    def _feed(self, selector: selectors.BaseSelector, unsent: memoryview) -> memoryview:
        pipe: IO[bytes] | None = self._child.stdin
        assert pipe is not None
        try:
            unsent = unsent[os.write(pipe.fileno(), unsent[:_CHUNK]) :]
        except BlockingIOError:
            return unsent
        except OSError:
            unsent = unsent[:0]  # it closed its end: it wants no more
        if not unsent:
            selector.unregister(pipe)
            pipe.close()
        return unsent

    def _read(self, selector: selectors.BaseSelector, descriptor: int, name: str) -> None:
        chunk = os.read(descriptor, _CHUNK)
        if chunk:
            (self.stdout if name == "stdout" else self.stderr).extend(chunk)
        else:
            selector.unregister(descriptor)

    def _reading(self, selector: selectors.BaseSelector) -> bool:
        return any(key.data in ("stdout", "stderr") for key in selector.get_map().values())

    def _has_ended(self) -> bool:
        # WNOWAIT leaves it unreaped, so that its group can still be ended by its id.
        return os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def _must_end(self) -> str:
        if self._cancelled():
            return "cancelled"
        if time.monotonic() > self._deadline:
            return "ended: over its deadline of {timeout_s:g} s"
        if len(self.stdout) + len(self.stderr) > self._output_cap:
            return "ended: more than {cap:,} bytes of output"
        return ""
