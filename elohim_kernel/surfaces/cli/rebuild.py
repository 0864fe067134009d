"""`elohim rebuild`: make every table again from the log."""

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command
from elohim_kernel.surfaces.cli.layout import counted

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@command(app, "rebuild")
def rebuild(call: Call) -> None:
    """Make every table again from the log, which is the truth; the log itself is not touched.

    The store is needed for this alone: its owner is asked to end, and other commands wait or start another one after.
    """
    from elohim_kernel.errors import NotFound, Unavailable
    from elohim_kernel.runtime.inline import InlineSession
    from elohim_kernel.runtime.session import open_session
    from elohim_kernel.surfaces.cli.connection import owner_client

    if not (call.home / "elohim.duckdb").exists():
        raise NotFound(f"there is no store in {call.home}", hint="elohim demo makes one")
    owner_client(call.settings, start=False).stop()
    session = open_session(call.settings, inline=True, user=call.given.user)
    try:
        if not isinstance(session, InlineSession):
            raise Unavailable("another program was first to open the store", hint="close it, and try again")
        count = session.gate.store.rebuild()
    finally:
        session.close()
    call.show({"events": count}, lambda: [f"made again from {counted(count, 'event')}"])
