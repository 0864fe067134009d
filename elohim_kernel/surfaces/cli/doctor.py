"""`elohim doctor`: what is installed here, and what could not run."""

import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import typer

from elohim_kernel.errors import KernelError
from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OUR_FAULT, command
from elohim_kernel.surfaces.cli.installed import lacking, version_of
from elohim_kernel.surfaces.cli.layout import table, width
from elohim_kernel.version import __version__

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Check(NamedTuple):
    """One thing that was looked at. `state` is "ok", "missing" for what one may do without, or "broken"."""

    check: str
    state: str
    detail: str


@command(app, "doctor")
def doctor(call: Call) -> int:
    """Show what is installed here, which engines can run and why not the others, and whether the home is usable.

    Exit code 3 when something is broken; what is merely missing is said, and leaves the exit code at 0.
    """
    found = [*_program(), *_engines(), *_extras(), *_home(call), *_parts()]
    rows = [(one.check, one.state, one.detail) for one in found]
    paint = {"state": ""}
    call.show(
        [one._asdict() for one in found],
        lambda: table(("check", "state", "detail"), rows, room=width(), paint=paint),
    )
    return OUR_FAULT if any(one.state == "broken" for one in found) else OK


def _program() -> Iterator[Check]:
    yield Check("elohim", "ok", f"{__version__} on Python {platform.python_version()}, {platform.platform(terse=True)}")
    for package in ("duckdb", "pyarrow", "msgspec"):
        version = version_of(package)
        yield Check(package, "ok" if version else "broken", version or "not installed: pip install elohim_kernel")
    yield Check("git", *_git())
    yield _sandbox()


def _sandbox() -> Check:
    """How well tools are held here, and what a better way would take."""
    from elohim_kernel.runtime.isolation import best_level, why_not_better

    level, why_not = best_level(), why_not_better()
    better = f"; not better, because {why_not}" if why_not else ""
    alone = "" if level.isolates else "; tools run only with --trust-repo"
    return Check("sandbox", "missing" if why_not else "ok", f"{level.words}{alone}{better}")


def _git() -> tuple[str, str]:
    """Whether objects of a repository can be read: of the sample's, made for this and thrown away."""
    from elohim_kernel.runtime.repository import open_repository
    from elohim_kernel.runtime.sample import build_sample_repository

    try:
        with tempfile.TemporaryDirectory(prefix="elohim-doctor-") as folder:
            made = build_sample_repository(Path(folder, "sample"))
            change = open_repository(made.path).change(None, None)
    except KernelError as wrong:
        return "broken", str(wrong)
    return (
        "ok",
        f"pygit2 {version_of('pygit2')}, objects can be read ({len(change.files)} files of the sample's change)",
    )


def _engines() -> Iterator[Check]:
    from elohim_kernel import registry

    for name, engine in registry.engines().items():
        why_not = engine.available()
        detail = engine.LABEL if why_not is None else f"not run, because {why_not}"
        yield Check(f"engine {name}", "missing" if why_not else "ok", f"{detail} {engine.version()}".strip())


def _extras() -> Iterator[Check]:
    extras = {
        "notebook": ("papermill", "nbformat", "ipykernel", "pandas", "altair"),
        "serve": ("starlette", "uvicorn"),
    }
    for extra, modules in extras.items():
        absent = lacking(modules)
        detail = f"lacks {', '.join(absent)}: pip install 'elohim_kernel[{extra}]'" if absent else ", ".join(modules)
        yield Check(f"extra {extra}", "missing" if absent else "ok", detail)


def _home(call: Call) -> Iterator[Check]:
    from elohim_kernel.store.home import Home
    from elohim_kernel.surfaces.cli.connection import owner_client

    home = call.home
    nearest = next(place for place in (home, *home.parents) if place.exists())
    usable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    made = "" if home.exists() else ", which does not exist yet"
    yield Check("home", "ok" if usable else "broken", f"{home}{made}{'' if usable else ' cannot be written'}")
    record = Home(home).record()
    if record is None or not record.is_alive:
        yield Check("owner", "ok", "none is running; a command that needs one starts it")
        return
    client = owner_client(call.settings, start=False)
    try:
        told = client.status()
        yield Check("owner", "ok", f"process {told['owner']}, version {told['version']}, {told['clients']} clients")
    except KernelError as wrong:
        yield Check("owner", "broken", str(wrong))
    finally:
        client.close()


def _parts() -> Iterator[Check]:
    from elohim_kernel import registry

    for part in registry.broken():
        yield Check(f"part {part.name}", "broken", f"of {part.package}: {part.problem}")
