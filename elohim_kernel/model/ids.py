"""Identifiers: a prefix that names the noun, then a UUIDv7, so that ids sort by time and zone maps can skip."""

import os
import threading
import time
from typing import NewType

ItemId = NewType("ItemId", str)
WorkflowId = NewType("WorkflowId", str)
PrincipalId = NewType("PrincipalId", str)
TeamId = NewType("TeamId", str)
EventId = NewType("EventId", str)

PREFIXES = {
    "wi": "work item",
    "wf": "workflow",
    "tp": "template",
    "ap": "approval",
    "run": "run",
    "fd": "finding",
    "fdd": "decision",
    "rt": "ratchet",
    "rec": "recommendation",
    "te": "proposal of tests",
    "us": "principal",
    "tm": "team",
    "rl": "role",
    "tk": "token",
    "ev": "event",
    "dl": "delivery",
    "rq": "request",
    "at": "attachment",
    "cm": "comment",
}

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """A fresh id such as `wi_0198c2…`: strictly increasing within this process, random across processes.

    Layout of RFC 9562 UUIDv7: 48 bits of milliseconds, then 12 bits that count up inside a millisecond, then random.
    """
    global _last
    with _lock:
        stamp = max((time.time_ns() // 1_000_000) << 12, _last + 1)
        _last = stamp
    tail = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    number = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0x2 << 62 | tail
    return f"{prefix}_{number:032x}"


def prefix_of(identifier: str) -> str:
    """The noun's prefix: `prefix_of("wi_0198…")` is `"wi"`; an empty string where there is none."""
    return identifier.partition("_")[0] if "_" in identifier else ""
