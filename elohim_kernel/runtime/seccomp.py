"""Filters of system calls, as programs for the kernel: what no tool needs and what its other walls do not hold.

The kernel's key rings, io_uring, performance counters and new name spaces are refused everywhere. Where a child shares
our file system and network, so are sockets and extended attributes; changing modes, owners and times does nothing and
says it did, since a tool that copies a file does not need it, and a hostile one would change files it may not write.
"""

import errno
import platform
import struct
from collections.abc import Sequence
from functools import cache
from typing import Final

from elohim_kernel.model.value import Value

_LOAD, _EQUAL, _AT_LEAST, _ALL_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_NEW_USER_SPACE: Final = 0x10000000
_NETWORK_FAMILIES: Final = (2, 10, 16)  # IPv4, IPv6, and the kernel's own, which resolvers ask for addresses


class _Machine(Value, frozen=True):
    """System call numbers of one kind of processor."""

    audit_arch: int
    socket: int
    clone: int
    refused: tuple[int, ...]  # key rings, name spaces, bpf, counters, page fault handling
    attributes: tuple[int, ...]
    pretended: tuple[int, ...]  # modes, owners, times


# The same everywhere: io_uring (3), file_setattr, setxattrat, removexattrat; and fchmodat2.
_NEW_REFUSED: Final = (425, 426, 427)
_NEW_ATTRIBUTES: Final = (463, 466, 469)
_FCHMODAT2, _CLONE3 = 452, 435

_MACHINES: Final = {
    "x86_64": _Machine(
        audit_arch=0xC000003E,
        socket=41,
        clone=56,
        refused=(248, 249, 250, 272, 308, 321, 298, 323),
        attributes=(188, 189, 190, 197, 198, 199),
        pretended=(90, 91, 268, 92, 93, 94, 260, 132, 235, 261, 280),
    ),
    "aarch64": _Machine(
        audit_arch=0xC00000B7,
        socket=198,
        clone=220,
        refused=(217, 218, 219, 97, 268, 280, 241, 282),
        attributes=(5, 6, 7, 14, 15, 16),
        pretended=(52, 53, 54, 55, 88),
    ),
}


def is_known() -> bool:
    """Whether we know the system calls of this machine."""
    return platform.machine() in _MACHINES


@cache
def inside_own_spaces() -> bytes:
    """For a child with a file system and a network of its own; empty on a machine whose calls we do not know."""
    machine = _MACHINES.get(platform.machine())
    return _program(machine, _refusals(machine)) if machine else b""


@cache
def beside_us(*, network: bool) -> bytes:
    """For a child that shares our file system and network; empty on a machine whose calls we do not know."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return b""
    rules = _refusals(machine)
    rules += [step for call in (*machine.attributes, *_NEW_ATTRIBUTES) for step in _answer(call, errno.EPERM)]
    rules += [step for call in (*machine.pretended, _FCHMODAT2) for step in _answer(call, 0)]
    return _program(machine, rules + _sockets(machine, network=network))


def _program(machine: _Machine, rules: Sequence[bytes]) -> bytes:
    start = [
        _step(_LOAD, _ARCH_AT),
        _step(_EQUAL, machine.audit_arch, yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
    ]
    # A second set of numbers, which would pass by every rule below.
    start += [_step(_AT_LEAST, 0x40000000, no=1), _step(_RETURN, _KILL)]
    return b"".join((*start, *rules, _step(_RETURN, _ALLOW)))


def _refusals(machine: _Machine) -> list[bytes]:
    rules = [step for call in (*machine.refused, *_NEW_REFUSED) for step in _answer(call, errno.EPERM)]
    # Its flags are out of a filter's sight; the C library takes the older call instead.
    rules += _answer(_CLONE3, errno.ENOSYS)
    rules += [
        _step(_EQUAL, machine.clone, no=4),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_ALL_BITS, _NEW_USER_SPACE, no=1),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_LOAD, _NUMBER_AT),
    ]
    return rules


def _sockets(machine: _Machine, *, network: bool) -> list[bytes]:
    if not network:
        return _answer(machine.socket, errno.EPERM)
    allowed = [step for family in _NETWORK_FAMILIES for step in (_step(_EQUAL, family, no=1), _step(_RETURN, _ALLOW))]
    inside = [_step(_LOAD, _FIRST_ARGUMENT_AT), *allowed, _step(_RETURN, _ERRNO | errno.EPERM)]
    return [_step(_EQUAL, machine.socket, no=len(inside)), *inside]


def _answer(call: int, error: int) -> list[bytes]:
    return [_step(_EQUAL, call, no=1), _step(_RETURN, _ERRNO | error)]


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
