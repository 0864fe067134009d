r"""Run a tool as a child: held as well as this machine can, with a deadline, caps, and an almost empty environment.

How well is said by `isolation.best_level`. At a level that isolates, the child sees the system's programs, its own
prefix, `cwd` and what is named readable, and changes nothing but what is named writable. At the level "limits" it is
the same user with the whole file system and network: only for repositories that the user trusts. POSIX only.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from elohim_kernel.ports import Completed
from elohim_kernel.runtime import bubblewrap, landlock
from elohim_kernel.runtime.child import Caps, Child
from elohim_kernel.runtime.isolation import BUBBLEWRAP, LANDLOCK, LIMITS, Level, best_level, why_not_better
from elohim_kernel.runtime.programs import child_search_path, is_broad, tool_path
from elohim_kernel.runtime.watch import Watch, below

__all__ = ["OUTPUT_CAP", "Level", "best_level", "never", "run_child", "tool_path", "why_not_better"]

OUTPUT_CAP: Final = 64 * 1024 * 1024

_DEFAULT_MEMORY_MB: Final = 4096
_SOON_S: Final = 5.0
_TICK_S: Final = 0.002


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
    readable: Sequence[Path] = (),
    writable: Sequence[Path] = (),
    variables: Mapping[str, str] = {},
    network: bool = False,
    level: Level | None = None,
    caps: Caps | None = None,
) -> Completed:
    r"""Run `argv` and wait. Nothing it does raises: `reason` says when it never started or was ended, and why.

    `exit_code` is None when it never started or we ended it, and negative (the signal) when something else did.
    `output_cap` bounds stdout and stderr together, in bytes. `memory_mb` bounds the memory its processes have in use
    together, and the address space of each; 0 leaves address space unlimited, for programs that reserve much of it, and
    memory in use at 4 GB. `cpu_s` is the processor time of each process, by default the deadline on every core. `caps`
    replaces all of these. `level` None takes the best there is, and refuses where that holds nothing hostile. When the
    child ends, whatever it left running ends with it.

    >>> run_child([sys.executable, "-c", "print(6 * 7)"], cwd=Path("/"), timeout_s=30).stdout
    b'42\n'
    """
    held = level or best_level()
    if level is None and not held.isolates:
        return _not_started(f"no isolation here: {why_not_better()}")
    places = tuple(str(place.absolute()) for place in (cwd, *readable, *writable))
    if held.isolates and (refused := next(filter(None, map(_why_not_shown, places)), "")):
        return _not_started(refused)
    program = tool_path(argv[0], hidden=places)
    if program is None:
        return _not_started(f"not found: {argv[0]}")
    child = Child(
        argv=(program, *argv[1:]),
        cwd=places[0],
        caps=caps or _caps(memory_mb, cpu_s if cpu_s is not None else int(timeout_s * (os.cpu_count() or 1)) + 1),
        search_path=child_search_path(program),
        readable=places[1 : 1 + len(readable)],
        writable=places[1 + len(readable) :],
        variables=variables,
        network=network,
    )
    return _ran(child, held, stdin, timeout_s=timeout_s, output_cap=output_cap, cancelled=cancelled)


def _why_not_shown(place: str) -> str:
    """Why no tool gets to see a folder; empty for one that it may."""
    if place == "/":
        return ""  # stands for no folder at all
    if is_broad(place):
        return f"no tool is shown the whole of {place}"
    # A tool that may write to a folder could have put a link there, for the next one to be let through.
    if os.path.realpath(place) != os.path.normpath(place):
        return f"no tool is shown what is behind a link: {place}"
    return ""


def _ran(
    child: Child, level: Level, stdin: bytes, *, timeout_s: float, output_cap: int, cancelled: Callable[[], bool]
) -> Completed:
    with ExitStack() as cleanup:
        try:
            process, child = _start(child, level, cleanup)
        except OSError as wrong:
            return _not_started(f"could not be started: {wrong.strerror}")
        watch = Watch(
            process,
            child,
            timeout_s=timeout_s,
            output_cap=output_cap,
            cancelled=cancelled,
            processes=_in_bubblewrap if level == BUBBLEWRAP else below,
        )
        return _completed(process, watch, level, stdin)


def _completed(process: "subprocess.Popen[bytes]", watch: Watch, level: Level, stdin: bytes) -> Completed:
    began, reason = time.monotonic(), None
    try:
        reason = watch.until_end(stdin, lambda: _end_group(process.pid))
    finally:
        # Before the child is reaped its id cannot belong to another process or group.
        if reason != "":
            _end_held(process.pid, level, watch)
        _end_group(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    code, stderr = _exit_code(process.returncode, level), bytes(watch.stderr)
    failure = _failure(level, code, stderr)
    return Completed(
        exit_code=None if reason or failure else code,
        stdout=bytes(watch.stdout),
        stderr=stderr,
        seconds=round(time.monotonic() - began, 4),
        reason=reason or failure or _signal_reason(code),
        cpu_seconds=round(usage.ru_utime + usage.ru_stime, 4),
    )


def _start(child: Child, level: Level, cleanup: ExitStack) -> tuple["subprocess.Popen[bytes]", Child]:
    """Start it at that level; also what it may write there. `cleanup` takes its things away. Raises `OSError`."""
    descriptors: tuple[int, ...] = ()
    if level == BUBBLEWRAP:
        os.stat(child.cwd)  # noqa: PTH116 - raises as starting it elsewhere would
        argv, descriptors = bubblewrap.command(child)
        cwd, environment = "/", {}
    else:
        home = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="elohim-home-", ignore_cleanup_errors=True))
        child = replace(child, writable=(*child.writable, home))
        argv = landlock.command(child) if level == LANDLOCK else list(child.argv)
        cwd, environment = child.cwd, child.environment(home)
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=descriptors,
        )
    finally:
        for each in descriptors:
            os.close(each)
    if level == LIMITS:
        _apply(child.caps, process.pid)
    _first_to_go(process.pid)
    return cleanup.enter_context(process), child


def _caps(memory_mb: int, cpu_s: int) -> Caps:
    return Caps(address_mb=memory_mb, memory_mb=memory_mb or _DEFAULT_MEMORY_MB, cpu_s=max(1, cpu_s))


def _apply(caps: Caps, pid: int) -> None:
    # Set from outside: code between fork and exec is unsafe once there are threads.
    if sys.platform != "linux":
        return
    limits = {
        resource.RLIMIT_AS: caps.address_mb << 20,
        resource.RLIMIT_CPU: caps.cpu_s,
        resource.RLIMIT_FSIZE: caps.file_mb << 20,
    }
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        for kind, amount in limits.items():
            _, hard = resource.prlimit(pid, kind)
            amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
            # At the soft limit of processor time a signal tells why; at the hard one the kernel only kills.
            spare = 2 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
            if amount:
                resource.prlimit(pid, kind, (amount, amount + spare))
    except (ProcessLookupError, PermissionError):
        return  # it has ended already


def _first_to_go(pid: int) -> None:
    """When memory runs out before we have noticed, the kernel is to end this one, and nobody's notebook."""
    try:
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    except OSError:
        return  # it has ended already, or this system has no such thing


def _in_bubblewrap(pid: int) -> Iterator[Path]:
    """The folders in /proc of all the child's processes: its own process table has nobody else."""
    first = bubblewrap.first_process(pid)
    if first is None:
        return
    try:
        names = os.listdir(f"/proc/{first}/root/proc")  # noqa: PTH208 - a Path for each is not needed
    except OSError:
        yield from below(first)
        return
    yield from (Path(f"/proc/{first}/root/proc", name) for name in names if name.isdigit())


def _end_held(pid: int, level: Level, watch: Watch) -> None:
    """End it in the way that takes all of its processes along, and wait until they are gone."""
    if level == LIMITS:
        return
    first = bubblewrap.first_process(pid) if level == BUBBLEWRAP else None
    try:
        if first is not None:
            os.kill(first, signal.SIGKILL)
        elif level == LANDLOCK:
            os.kill(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return
    until = time.monotonic() + (_SOON_S if first is not None or level == LANDLOCK else 0)
    while not watch.has_ended() and time.monotonic() < until:
        time.sleep(_TICK_S)


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _exit_code(code: int, level: Level) -> int:
    """The tool's own: the shell that waits for it inside tells a signal as 128 and its number."""
    signalled = level == BUBBLEWRAP and code - 128 in set(signal.Signals)
    return 128 - code if signalled else code


def _failure(level: Level, code: int, stderr: bytes) -> str:
    """Why the tool was never started, where what was to hold it says so."""
    speaker, failed = (b"bwrap: ", 1) if level == BUBBLEWRAP else (b"sandbox: ", landlock.FAILED)
    if level == LIMITS or code != failed or not stderr.startswith(speaker):
        return ""
    return f"could not be started: {stderr.removeprefix(speaker).decode(errors='replace').strip()[:200]}"


def _signal_reason(code: int) -> str:
    if code >= 0:
        return ""
    if -code == signal.SIGXCPU:
        return "ended: used up its processor time"
    return f"ended by signal {signal.Signals(-code).name if -code in set(signal.Signals) else -code}"


def _not_started(reason: str) -> Completed:
    return Completed(exit_code=None, stdout=b"", stderr=b"", seconds=0.0, reason=reason)
