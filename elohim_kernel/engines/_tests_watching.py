"""In a child process: what a call does besides computing, which lines it runs, what it leaves changed; and stand-ins.

Only the standard library is used.
"""

import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any, Final

_MOST_HELD: Final = 2_000  # a larger container would cost too much after each call
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EFFECTS: Final = {
    "socket.connect": "uses the network", "socket.bind": "uses the network", "socket.getaddrinfo": "uses the network",
    "subprocess.Popen": "starts a process", "os.system": "starts a process", "os.exec": "starts a process",
    "os.fork": "starts a process", "os.posix_spawn": "starts a process", "pty.spawn": "starts a process",
    "os.remove": "changes files", "os.rename": "changes files", "os.mkdir": "changes files",
    "os.rmdir": "changes files",
    "os.chmod": "changes files", "os.truncate": "changes files", "os.symlink": "changes files",
    "os.link": "changes files", "shutil.rmtree": "changes files", "time.sleep": "sleeps",
    "os.putenv": "changes the environment", "os.unsetenv": "changes the environment", "os.chdir": "changes the folder",
    "signal.signal": "changes how signals are handled", "os.kill": "sends signals", "builtins.input": "asks a person",
}  # fmt: skip
_MOVING: Final = {
    "now", "today", "utcnow", "time", "time_ns", "monotonic", "perf_counter", "getrandbits", "random", "urandom",
    "uuid1", "generate_time_safe", "getpid", "localtime", "gmtime", "token_bytes", "getcwd",
}  # fmt: skip
_MOVING_MODULES: Final = {"time", "posix", "_random", "_uuid", "os"}


class Effect(BaseException):
    """The call does something that a proposed test must not."""


class Watch:
    """What the code under test does besides computing; it looks only while a call is made."""

    def __init__(self) -> None:
        self.on = False
        self.seen = ""
        self.moving = ""

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """A hook for `sys.addaudithook`: stops what a proposed test must not do."""
        if not self.on:
            return
        why = _EFFECTS.get(event, "")
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            why = "changes files"
        if why:
            self.seen = self.seen or why
            raise Effect(why)

    def profile(self, _frame: FrameType, event: str, called: Any) -> None:
        """A hook for `sys.setprofile`: notes what depends on the time, on chance or on the process."""
        if event != "c_call" or self.moving:
            return
        if getattr(called, "__name__", "") not in _MOVING:
            return
        owner = getattr(called, "__self__", None)
        module = getattr(called, "__module__", None) or type(owner).__module__
        kind = owner if isinstance(owner, type) else type(owner)
        if module in _MOVING_MODULES or kind.__module__ in ("datetime", "random", "_random"):
            self.moving = f"depends on {called.__name__}()"


class Lines:
    """The lines of one file that run while it is active."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.ran: set[int] = set()

    def __enter__(self) -> "Lines":
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        return self._line if frame.f_code.co_filename == self._file else None

    def _line(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if event == "line":
            self.ran.add(frame.f_lineno)
        return self._line


class State:
    """Lists, dicts and sets of a module, put back after each call, so that no call changes what the next one gives."""

    def __init__(self, module: ModuleType) -> None:
        held = (value for value in vars(module).values() if type(value) in (list, dict, set))
        self._kept = [(value, value.copy()) for value in held if len(value) <= _MOST_HELD]

    def restore(self) -> None:
        """Put back what differs."""
        for value, copy in self._kept:
            if value != copy:
                value.clear()
                value.extend(copy) if isinstance(value, list) else value.update(copy)


class _Versions(MetaPathFinder, Loader):
    """Modules that only a build writes, with the version in them: a checkout lacks them, and its package needs them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Asked last, so only for what is not there."""
        last = name.rpartition(".")[2].strip("_")
        return ModuleSpec(name, self) if path is not None and last == "version" else None

    def exec_module(self, module: ModuleType) -> None:
        """Give it the names such modules have."""
        vars(module).update(version="0.0.0", __version__="0.0.0", version_tuple=(0, 0, 0), __version_tuple__=(0, 0, 0))


def stand_in_for_versions() -> None:
    """Let packages be imported whose `_version` module was not built."""
    sys.meta_path.append(_Versions())
