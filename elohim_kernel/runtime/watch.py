"""Feeds and reads a child until it ends, or until it is over its time, its output, its memory or its disk.

Memory, processes and written files are looked at a few times a second, so a short child costs nothing; the kernel's
own limits hold what is quicker than that. No limit of the kernel covers memory or disk of several processes together.
"""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from elohim_kernel.runtime.child import Child

_TICK_S: Final = 0.05
_GRACE_S: Final = 0.5
_LOOK_S: Final = 0.2
_CHUNK: Final = 256 * 1024
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")

Processes = Callable[[int], Iterator[Path]]


def below(pid: int) -> Iterator[Path]:
    """The folders in /proc of a process and all below it, as far as they can be told from the outside."""
    waiting, seen = [pid], {pid}
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        yield folder
        try:
            children = [int(word) for file in folder.glob("task/*/children") for word in file.read_text().split()]
        except OSError:
            continue
        waiting += (new := set(children) - seen)
        seen |= new


class Watch:
    """One child's output so far, and why it has to be ended."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        child: Child,
        *,
        timeout_s: float,
        output_cap: int,
        cancelled: Callable[[], bool],
        processes: Processes,
    ) -> None:
        self.stdout, self.stderr = bytearray(), bytearray()
        self._process = process
        self._child = child
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._output_cap = output_cap
        self._cancelled = cancelled
        self._processes = processes
        self._look_at = time.monotonic() + _LOOK_S

    def until_end(self, stdin: bytes, ended: Callable[[], None]) -> str:
        """Empty when the child ended by itself; otherwise why it must be ended now.

        `ended` is called when the child itself has ended, to end what it left running.
        """
        with selectors.DefaultSelector() as selector, _exit_signal(self._process.pid) as signalled:
            self._register(selector, stdin)
            if signalled is not None:
                selector.register(signalled, selectors.EVENT_READ, "exit")
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
                if ended_at is None and self.has_ended():
                    ended_at = time.monotonic()
                    ended()
                # A stray grandchild may hold the pipes open for ever: the child's own end is what counts.
                if ended_at is not None and (not self._reading(selector) or time.monotonic() > ended_at + _GRACE_S):
                    return ""

    def has_ended(self) -> bool:
        """Whether the process itself has; it stays unreaped, so that its group can still be ended by its id."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def _register(self, selector: selectors.BaseSelector, stdin: bytes) -> None:
        for name, pipe in (
            ("stdout", self._process.stdout),
            ("stderr", self._process.stderr),
            ("stdin", self._process.stdin),
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
        pipe: IO[bytes] | None = self._process.stdin
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

    def _must_end(self) -> str:
        if self._cancelled():
            return "cancelled"
        now = time.monotonic()
        if now > self._deadline:
            return f"ended: over its deadline of {self._timeout_s:g} s"
        if len(self.stdout) + len(self.stderr) > self._output_cap:
            return f"ended: more than {self._output_cap:,} bytes of output"
        if now < self._look_at:
            return ""
        reason = self._takes_too_much()
        # Looking takes its share of time, never most of it, however much there is to look at.
        self._look_at = time.monotonic() + max(_LOOK_S, 10 * (time.monotonic() - now))
        return reason

    def _takes_too_much(self) -> str:
        caps = self._child.caps
        if sys.platform == "linux":
            count, pages = 0, 0
            for folder in self._processes(self._process.pid):
                count += 1
                if caps.processes and count > caps.processes:
                    return f"ended: more than {caps.processes} processes"
                try:
                    pages += int((folder / "statm").read_bytes().split()[1])
                except (OSError, IndexError):
                    continue  # it has ended meanwhile
            if caps.memory_mb and pages * _PAGE > caps.memory_mb << 20:
                return f"ended: more than {caps.memory_mb} MB of memory"
        return _wrote_too_much(self._child)


def _wrote_too_much(child: Child) -> str:
    caps, size, entries = child.caps, 0, 0
    waiting = list(child.writable)
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if size > caps.written_mb << 20:
                        return f"ended: wrote more than {caps.written_mb} MB"
                    if entries > caps.entries:
                        return f"ended: made more than {caps.entries:,} files"
        except OSError:
            continue  # it was removed meanwhile
    return ""


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
