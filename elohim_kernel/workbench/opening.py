"""Opening a workbench."""

from pathlib import Path

from elohim_kernel.config import load
from elohim_kernel.runtime.session import open_session
from elohim_kernel.workbench.workbench import Workbench


def open(
    home: str | Path | None = None,
    *,
    user: str | None = None,
    inline: bool = False,
    token: str | None = None,
) -> Workbench:
    """Open a workbench.

    `home` is its folder (`None`: the setting, then the place your system keeps such data); ":memory:" opens a fresh
    store that lives as long as the workbench. `inline` holds the store in this process instead of sharing it through
    its owner. `user` is the principal's name (`None`: you, or whom `ELOHIM_TOKEN` stands for). Raises `Unavailable`
    when the home cannot be used, `Unauthenticated` when nobody there is called `user`.

    >>> wb = open(":memory:")
    >>> [template.name for template in wb.templates()]
    ['Bug Fix + Test', 'Repository Scan', 'Security Review', 'Standard Code Review']
    >>> wb.close()
    """
    in_memory = home == ":memory:"
    flags = {"home": None if in_memory or home is None else str(home), "user": user}
    settings = load(flags).settings
    session = open_session(settings, path=":memory:" if in_memory else None, inline=inline, user=user, token=token)
    return Workbench(session, settings, home=None if in_memory else Path(settings.home))
