"""The child that runs one checked statement: the rows it was sent, then limits on itself, then the answer.

It knows nothing of the store; whoever started it sends the rows it may see. Not for Windows, which has no such limits.
"""

import resource
import sys
from pathlib import Path
from typing import Final

import msgspec

from elohim_kernel.errors import KernelError, TooLarge
from elohim_kernel.store import locked
from elohim_kernel.store.arrow import from_ipc, to_ipc
from elohim_kernel.store.locked import Limits
from elohim_kernel.store.statements import Answer, Job

_DATABASE_SHARE: Final = 0.8  # of the memory; the rest is for rows on their way


def main() -> None:
    """Read a `Job` from standard input, write an `Answer` to standard output."""
    body = sys.stdin.buffer.read()
    job = msgspec.msgpack.decode(body, type=Job)
    try:
        answer = _answer(job)
    except KernelError as refused:
        answer = _refused(refused)
    except MemoryError:
        answer = _refused(TooLarge(f"the query needs more than {job.limits.memory_mb} MB", hint="narrow it"))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    sys.stdout.buffer.flush()


def _limit(limits: Limits) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if _has_statm() else 2**30
    caps = {
        resource.RLIMIT_AS: used + limits.memory_mb * 2**20,
        resource.RLIMIT_CPU: int(limits.seconds * max(limits.threads, 1)) + 2,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for what, cap in caps.items():
        resource.setrlimit(what, (cap, cap))


def _has_statm() -> bool:
    return Path("/proc/self/statm").exists()


def _answer(job: Job) -> Answer:
    own = msgspec.structs.replace(job.limits, memory_mb=int(job.limits.memory_mb * _DATABASE_SHARE))
    connection = locked.connect(own)
    tables = {name: from_ipc(rows) for name, rows in job.tables.items()}
    connection.execute("create schema raw")
    for name, rows in tables.items():
        connection.register(f"copied_{name}", rows)
        connection.execute(f"create view raw.{name} as from copied_{name}")
        if name not in job.views:
            connection.execute(f"create temp view {name} as from raw.{name}")
    for name, sql in job.views.items():
        connection.execute(f"create temp view {name} as {sql}")
    _limit(job.limits)
    result = locked.answer(connection, job.sql, job.parameters, own)
    return Answer(rows=to_ipc(result.arrow()), cut=result.cut)


def _refused(error: KernelError) -> Answer:
    return Answer(code=error.code, message=error.message, hint=error.hint)


if __name__ == "__main__":
    main()
