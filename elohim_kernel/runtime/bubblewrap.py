"""The best way to hold a child on Linux: bubblewrap, with name spaces of its own for all there is.

It gets a file system of the system's programs, what it may read, what it may write, and a small one in memory for the
rest; a process table of its own, no network unless asked for, no rights, and our variables only. The first process in
there is a shell that sets limits, starts the tool and waits: when it ends, the kernel ends all that the tool left.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from elohim_kernel.runtime.child import HOME, Caps, Child
from elohim_kernel.runtime.programs import ASKING, LOADING, SYSTEM, outermost, places_of
from elohim_kernel.runtime.seccomp import inside_own_spaces

_PROGRAMS: Final = ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap", "/run/current-system/sw/bin/bwrap")
_ALONE: Final = ("--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1")
_NOBODY: Final = b"tool:x:65534:65534::" + HOME.encode() + b":/bin/sh\n"
_PROBE_S: Final = 20.0


def why_not() -> str:
    """Empty where it works, tried once with a real child; otherwise why it does not and what to install."""
    return _tried()[1]


def command(child: Child) -> tuple[list[str], tuple[int, ...]]:
    """The argument list that runs `child` in here, and the descriptors it reads; the caller closes them."""
    descriptors = (_in_memory(_NOBODY), _in_memory(inside_own_spaces()))
    return _arguments(_program() or "bwrap", child, descriptors, spaces=_tried()[0]), descriptors


def first_process(pid: int) -> int | None:
    """The child's first process, by its number out here: when it ends, all of the child's have ended."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(found[0]) if found else None


@cache
def _program() -> str | None:
    return next((place for place in _PROGRAMS if os.access(place, os.X_OK)), None)


@cache
def _tried() -> tuple[tuple[str, ...], str]:
    """The flags that work here, and why none do."""
    if sys.platform != "linux":
        return (), "bubblewrap is for Linux only"
    if _program() is None:
        return (), "bubblewrap is not installed; on Debian and Ubuntu: apt install bubblewrap"
    # The second set is for versions and kernels that cannot forbid further user name spaces; the filter does it too.
    wrong = ""
    for spaces in ((*_ALONE, "--disable-userns"), _ALONE):
        wrong = _probe(spaces)
        if not wrong:
            return spaces, ""
    return (), f"bubblewrap does not work here: {wrong}"


def _probe(spaces: tuple[str, ...]) -> str:
    """Run a child that looks whether it is held; empty when it is."""
    with tempfile.TemporaryDirectory(prefix="elohim-probe-") as folder:
        Path(folder, "private").write_text("not for the child\n")
        look = (
            f"import os; assert not os.path.exists({folder!r}), 'it sees our files'\n"
            "for place in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/self/oom_score_adj'):\n"
            "    try: os.close(os.open(place, os.O_WRONLY))\n"
            "    except OSError: continue\n"
            "    raise AssertionError('it may write ' + place)\n"
            "assert os.getppid() == 1 and os.getpid() < 50, 'it sees our processes'\n"
            "lines = open('/proc/net/dev').read().split()\n"
            "assert sum(word.endswith(':') for word in lines) == 1, 'it sees our network'\n"
            "assert not set(os.environ) & {'USER', 'LOGNAME', 'PYTHONPATH'}, 'it sees our variables'\n"
            "print('held')"
        )
        caps = Caps(address_mb=1024, memory_mb=1024, cpu_s=20)
        child = Child(argv=(sys.executable, "-I", "-S", "-c", look), cwd="/", caps=caps, search_path="/usr/bin:/bin")
        descriptors = (_in_memory(_NOBODY), _in_memory(inside_own_spaces()))
        try:
            argv = _arguments(_program() or "", child, descriptors, spaces=spaces)
            ended = subprocess.run(argv, capture_output=True, timeout=_PROBE_S, pass_fds=descriptors, check=False)
        except (OSError, subprocess.TimeoutExpired) as wrong:
            return str(wrong)
        finally:
            for each in descriptors:
                os.close(each)
    if ended.stdout == b"held\n" and ended.returncode == 0:
        return ""
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    return said[-1][:200] if said else f"exit code {ended.returncode}"


def _arguments(program: str, child: Child, descriptors: tuple[int, ...], *, spaces: tuple[str, ...]) -> list[str]:
    passwd, filters = descriptors
    size = str(child.caps.private_mb * 1024 * 1024)
    arguments = [program, *spaces, "--cap-drop", "ALL", "--clearenv", "--hostname", "tool"]
    if child.network:
        arguments.append("--share-net")
    arguments += ["--uid", "65534", "--gid", "65534", "--proc", "/proc", "--dev", "/dev"]
    arguments += ["--size", size, "--tmpfs", "/dev/shm", "--size", size, "--tmpfs", "/tmp", "--dir", HOME]  # noqa: S108
    arguments += _system(network=child.network)
    arguments += ["--ro-bind-data", str(passwd), "/etc/passwd"]
    for flag, place in _binds(child):
        arguments += [flag, place, place]
    # The kernel's settings in /proc belong to root, and a child of root's is root to them, whatever rights it lacks.
    # What is left of the file system is bubblewrap's own, in memory and without a limit: nobody writes to it.
    arguments += ["--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", child.cwd]
    for name, value in child.environment(HOME).items():
        arguments += ["--setenv", name, value]
    if inside_own_spaces():
        arguments += ["--seccomp", str(filters)]
    return [*arguments, "--", "/bin/sh", "-c", _first(child.caps), "sh", *child.argv]


@cache
def _system(*, network: bool) -> tuple[str, ...]:
    """What every program needs. Each mount takes its time: what is a link here is a link in there, not a mount."""
    arguments: list[str] = []
    for place in (*SYSTEM, *LOADING, *(ASKING if network else ())):
        if os.path.islink(place) and place in SYSTEM:  # noqa: PTH114
            arguments += ["--symlink", os.readlink(place), place]  # noqa: PTH115
        elif os.path.exists(place):  # noqa: PTH110
            arguments += ["--ro-bind", place, place]
    return tuple(arguments)


def _binds(child: Child) -> Iterator[tuple[str, str]]:
    """Outer folders before inner ones, so that a folder it may write to can lie in one it may only read."""
    readable = outermost((*places_of(child.argv[0]), *child.readable, *(() if child.cwd == "/" else (child.cwd,))))
    system = tuple(f"{place}/" for place in SYSTEM)
    wanted = dict.fromkeys(readable, "--ro-bind") | dict.fromkeys(child.writable, "--bind")
    for place in sorted(wanted):
        if not place.startswith(system) and place not in SYSTEM:
            yield wanted[place], place


@cache
def _first(caps: Caps) -> str:
    """What the first process does. Its own words go nowhere, so that stderr is the tool's alone."""
    processes = "-u" if "bash" in os.path.realpath("/bin/sh") else "-p"
    limits = [
        ("-S -t", resource.RLIMIT_CPU, caps.cpu_s),
        # At the soft limit of processor time a signal tells why; at the hard one the kernel only kills.
        ("-H -t", resource.RLIMIT_CPU, caps.cpu_s and caps.cpu_s + 2),
        ("-v", resource.RLIMIT_AS, caps.address_mb * 1024),
        ("-f", resource.RLIMIT_FSIZE, caps.file_mb * 2048),
    ]
    if _counts_by_space():
        limits.append((processes, resource.RLIMIT_NPROC, caps.processes * 4))  # threads count too
    lines = ["exec 3>&2 2>/dev/null", "unset PWD OLDPWD", "ulimit -c 0"]
    lines += [f"ulimit {flag} {amount}" for flag, kind, amount in limits if amount and _may_set(kind, amount)]
    return "; ".join((*lines, '(exec "$@" 2>&3 3>&-)', "exit $?"))


def _may_set(kind: int, amount: int) -> bool:
    unit = {resource.RLIMIT_AS: 1024, resource.RLIMIT_FSIZE: 512}.get(kind, 1)
    hard = resource.getrlimit(kind)[1]
    return hard == resource.RLIM_INFINITY or amount * unit <= hard  # otherwise the tighter one is there already


@cache
def _counts_by_space() -> bool:
    """Whether the kernel counts a user's processes per name space: before 5.14 all of the user's would count."""
    major, minor = (int("".join(filter(str.isdigit, part)) or 0) for part in os.uname().release.split(".")[:2])
    return (major, minor) >= (5, 14)


def _in_memory(content: bytes) -> int:
    descriptor = os.memfd_create("elohim")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
