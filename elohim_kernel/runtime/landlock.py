"""The second best way to hold a child on Linux: Landlock for files, a filter of system calls for the network.

Needs no program and no right, only a kernel that has both. The child shares our name spaces: what that leaves open is
said by `WORDS`. The work is done by `landlock_child.py`, a program of its own that becomes the tool's parent.
"""

import base64
import ctypes
import errno
import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

from elohim_kernel.runtime.child import Child
from elohim_kernel.runtime.programs import ASKING, LOADING, SYSTEM, outermost, places_of
from elohim_kernel.runtime.seccomp import beside_us, is_known

WORDS: Final = (
    "Landlock and a filter of system calls: files outside cannot be read or written, no network, no new rights, "
    "limits; but names and sizes of files can be seen, shared memory of this user reached, and before Linux 6.12 "
    "other programs of this user ended"
)

FAILED: Final = 125  # how the launcher ends when it could not start the tool

_NEEDED_VERSION: Final = 3  # before, a file outside could be emptied
_CREATE_RULESET: Final = 444
_LAUNCHER: Final = str(Path(__file__).with_name("landlock_child.py"))
_KERNEL: Final = (
    "/etc/passwd",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
)


def why_not() -> str:
    """Empty where it works; otherwise what this machine lacks."""
    if sys.platform != "linux":
        return "Landlock is for Linux only"
    found = version()
    if found < _NEEDED_VERSION:
        return f"Landlock is not in this kernel (version {found} of at least {_NEEDED_VERSION}; Linux 6.2 has it)"
    if not is_known():
        return f"the system calls of {os.uname().machine} are not known to us, so the network would stay open"
    return ""


@cache
def version() -> int:
    """What the kernel's Landlock can do, as it numbers that; 0 where it is not there or switched off."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    return found if found > 0 and ctypes.get_errno() not in (errno.ENOSYS, errno.EOPNOTSUPP) else max(found, 0)


def command(child: Child) -> list[str]:
    """The argument list that runs `child` in here. Its home must be one of the folders it may write to."""
    asking = ASKING if child.network else ()
    told = {
        "version": version(),
        "readable": outermost((*SYSTEM, *LOADING, *asking, *_KERNEL, *_seen(child))),
        "writable": child.writable,
        "filter": base64.b64encode(beside_us(network=child.network)).decode(),
        "network": child.network,
        "address_mb": child.caps.address_mb,
        "cpu_s": child.caps.cpu_s,
        "file_mb": child.caps.file_mb,
    }
    return [sys.executable, "-I", "-S", _LAUNCHER, json.dumps(told), *child.argv]


def _seen(child: Child) -> tuple[str, ...]:
    cwd = () if child.cwd == "/" else (child.cwd,)
    return (*places_of(child.argv[0]), *child.readable, *cwd)
