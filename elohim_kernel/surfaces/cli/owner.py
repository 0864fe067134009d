"""`elohim owner`: the process that holds the store for everybody on this machine."""

from collections.abc import Iterator
from typing import Any

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import pairs
from elohim_kernel.surfaces.text import text

app = noun("The process that holds the store.")


@command(app, "show")
def show(call: Call) -> None:
    """Show which process holds the store; none is started for it."""
    from elohim_kernel.store.home import Home

    record = Home(call.home).record()
    there = record is not None and record.is_alive
    found: dict[str, Any] = {"home": str(call.home), "pid": record.pid if record and there else None}
    if record is not None and there:
        found |= {"mode": record.mode.value, "version": record.version, "protocol": record.protocol}
    call.show(found, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if found["pid"] is None:
        yield text(f"nobody holds the store in {found['home']}")
    else:
        yield from pairs(found.items())


@command(app, "stop")
def stop(call: Call) -> None:
    """Let the owner finish what is queued and end; the next command starts another one."""
    from elohim_kernel.store.home import Home
    from elohim_kernel.surfaces.cli.connection import owner_client

    record = Home(call.home).record()
    there = record is not None and record.is_alive
    owner_client(call.settings, start=False).stop()
    told = f"process {record.pid} has ended" if record is not None and there else "there was no owner to stop"
    call.show({"stopped": record.pid if record is not None and there else None}, lambda: [told])
