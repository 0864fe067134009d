"""The parent of a tool where Landlock holds it: a program of its own, started with nothing of ours importable.

It forks; the child gives up its rights, takes the limits, the Landlock rules and the filter of system calls upon
itself and becomes the tool. The parent stays outside of the rules, gathers every process the tool leaves behind, ends
them when the tool has ended or when it is told to (SIGTERM), and then ends as the tool did.
"""

import base64
import ctypes
import json
import os
import resource
import signal
import struct
import sys
from typing import Any, Final, NoReturn

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _CAPSET_X86, _CAPSET_ARM = 444, 445, 446, 126, 91
_DEATH_SIGNAL, _SUBREAPER, _NO_NEW_PRIVILEGES, _DROP_RIGHT, _SET_FILTER = 1, 36, 38, 24, 22
_READ: Final = 0b1101  # run, read a file, read a folder
_WRITE_FILE: Final = 1 << 1
_OF_FILES: Final = 0b111 | 1 << 14 | 1 << 15  # what may be granted for something that is not a folder
_DEVICES: Final = 1 << 6 | 1 << 11  # make character and block devices
_RIGHTS_BY_VERSION: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_FAILED: Final = 125

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong)


def main() -> None:
    """`landlock_child.py JSON PROGRAM ARGUMENT…`: run the program as the JSON says."""
    told, argv = json.loads(sys.argv[1]), sys.argv[2:]
    _libc.prctl(_SUBREAPER, 1, None, 0, 0)
    _libc.prctl(_DEATH_SIGNAL, signal.SIGTERM, None, 0, 0)
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, _told_to_end)
    tool = os.fork()
    if tool == 0:
        try:
            _become(told, argv)
        except OSError as wrong:
            os.write(2, f"sandbox: {wrong}\n".encode())
            os._exit(_FAILED)
    for descriptor in range(3):
        os.close(descriptor)
    status = 0
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == tool:
            break
    _end_all()
    _end_as(os.waitstatus_to_exitcode(status))


def _end_as(code: int) -> NoReturn:
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _told_to_end(_signal: int, _frame: object) -> None:
    _end_all()
    os._exit(_FAILED)


def _end_all() -> None:
    """End everything below us. What loses its parent becomes our child, so at the end there is nobody left."""
    while True:
        for pid in _below(os.getpid(), set()):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def _below(pid: int, seen: "set[int]") -> "set[int]":
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - pathlib would double the time it takes to start
    except OSError:
        return seen
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                children = [int(word) for word in file.read().split()]
        except OSError:
            continue
        for child in children:
            if child not in seen:
                seen.add(child)
                _below(child, seen)
    return seen


def _become(told: "dict[str, Any]", argv: "list[str]") -> NoReturn:  # Any: JSON of our own
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
    os.setsid()
    _limit(told)
    _drop_rights()
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, None, 0, 0), "no new privileges")
    _restrict(told)
    _filter(base64.b64decode(told["filter"]))
    # Python ignores these two, and a tool would inherit that.
    for each in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(each, signal.SIG_DFL)
    os.execve(argv[0], argv, dict(os.environ))  # noqa: S606 - there is no shell on purpose


def _limit(told: "dict[str, Any]") -> None:
    wanted = (
        (resource.RLIMIT_CPU, told["cpu_s"], 2),
        (resource.RLIMIT_AS, told["address_mb"] << 20, 0),
        (resource.RLIMIT_FSIZE, told["file_mb"] << 20, 0),
    )
    for kind, amount, spare in wanted:
        hard = resource.getrlimit(kind)[1]
        if amount and (hard == resource.RLIM_INFINITY or amount + spare <= hard):
            resource.setrlimit(kind, (amount, amount + spare))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _drop_rights() -> None:
    for right in range(64):
        _libc.prctl(_DROP_RIGHT, right, None, 0, 0)  # refused to who has none: then there is nothing to drop
    header, nothing = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    capset = _CAPSET_X86 if os.uname().machine == "x86_64" else _CAPSET_ARM
    _checked(_libc.syscall(capset, header, nothing), "give up rights")


def _restrict(told: "dict[str, Any]") -> None:
    version = told["version"]
    handled = (1 << _RIGHTS_BY_VERSION.get(version, 16)) - 1
    network = 0b11 if version >= 4 and not told["network"] else 0
    scoped = 0b11 if version >= 6 else 0  # abstract sockets and signals to processes outside
    attributes = struct.pack("=QQQ", handled, network, scoped)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _checked(_libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0), "make rules")
    for place in told["readable"]:
        _grant(rules, place, _READ)
    for place in told["writable"]:
        _grant(rules, place, handled & ~_DEVICES)
    _grant(rules, "/dev/null", _READ | _WRITE_FILE)
    _grant(rules, f"/proc/{os.getpid()}", _READ)
    _checked(_libc.syscall(_RESTRICT_SELF, rules, 0), "take the rules")
    os.close(rules)


def _grant(rules: int, place: str, rights: int) -> None:
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(place):  # noqa: PTH112
        rights &= _OF_FILES
    rule = struct.pack("=Qi", rights, descriptor)
    _checked(_libc.syscall(_ADD_RULE, rules, 1, rule, 0), f"allow {place}")
    os.close(descriptor)


def _filter(program: bytes) -> None:
    content = ctypes.create_string_buffer(program, len(program))
    pointed = struct.pack("@HP", len(program) // 8, ctypes.addressof(content))
    _checked(_libc.prctl(_SET_FILTER, 2, pointed, 0, 0), "take the filter")


def _checked(answer: int, what: str) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"could not {what}: {os.strerror(number)}")
    return answer


if __name__ == "__main__":
    main()
