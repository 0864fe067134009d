"""`elohim engine`: which engines there are, which could run here, and one of them by itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OUR_FAULT, command, noun
from elohim_kernel.surfaces.cli.layout import pairs, table, width

if TYPE_CHECKING:
    from elohim_kernel.workbench.scanning import EngineInfo

app = noun("Engines: what is installed, and what could not run.")


@command(app, "list")
def show_list(call: Call) -> None:
    """List the engines: what each is, what it looks at, and whether it runs when nobody chose."""
    from elohim_kernel.model.value import plain
    from elohim_kernel.workbench.scanning import engines

    found = engines()
    call.show([plain(one) for one in found], lambda: _listed(found))


@command(app, "doctor")
def doctor(call: Call) -> None:
    """Say which engines could run here, why not the others, and how tools are held."""
    from elohim_kernel.runtime.isolation import best_level, why_not_better
    from elohim_kernel.workbench.scanning import engines

    level = best_level()
    rows = [
        {"engine": one.name, "version": one.version, "state": "missing" if one.why_not else "ok", "reason": one.why_not}
        for one in engines()
    ]
    told: dict[str, Any] = {
        "isolation": {"level": level.name, "holds": level.isolates, "words": level.words, "why": why_not_better()},
        "engines": rows,
    }
    call.show(told, lambda: _examined(told))


@command(app, "run")
def run(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The engine; see elohim engine list.")],
    repository: Annotated[
        Path, typer.Argument(metavar="[REPO]", help="A git repository, or a folder in one.")
    ] = Path(),
    base: Annotated[str | None, typer.Option(metavar="REV", help="Look only at what has changed since.")] = None,
    head: Annotated[str | None, typer.Option(metavar="REV", help="Look at this; else what is checked out.")] = None,
    online: Annotated[bool, typer.Option("--online", help="Let it ask services on the network.")] = False,
    trust_repo: Annotated[bool, typer.Option("--trust-repo", help="Run it even where nothing isolates it.")] = False,
    advisories: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known vulnerabilities, as an OSV export.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="S", help="Seconds it may take.")] = 600.0,
) -> int:
    """Run one engine on a repository and show its whole report; nothing is recorded.

    Exit code 3 when it failed.
    """
    from elohim_kernel.model.value import plain
    from elohim_kernel.runtime.scan import run_rows
    from elohim_kernel.runtime.scanning import Wanted
    from elohim_kernel.surfaces.cli.scanning import engines_table, findings_page, scanned

    wanted = Wanted(
        repository=str(repository.expanduser()),
        base=base,
        head=head,
        engines=(name,),
        trust=trust_repo,
        online=online,
        record=False,
        timeout_s=timeout,
        options={"advisories": str(advisories.expanduser().resolve())} if advisories else {},
    )
    done = scanned(call, wanted)
    rows = [each.row() for each in done.problems]
    shown = [row for row in rows if row["counts"]]

    def people() -> Iterator[str]:
        yield from engines_table(run_rows(done.runs), width())
        yield ""
        yield from findings_page(shown, len(rows) - len(shown), width())

    call.show(plain(done.runs[0]), people)
    return OUR_FAULT if done.runs[0].status.value == "failed" else OK


@command(app, "advisories")
def advisories(
    call: Call,
    source: Annotated[Path, typer.Option("--from", metavar="FILE", help="An OSV export: a zip, JSON or JSON lines.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the small form.")],
) -> None:
    """Make a small, dated file of an OSV export: what the advisories engine needs of it, and no more.

    Put it in the folder advisories of the home, or name it with --advisories.
    """
    from elohim_kernel.errors import Unavailable
    from elohim_kernel.model.advisory_file import read_snapshot, to_small

    try:
        with source.expanduser().open("rb") as file:
            snapshot = read_snapshot(file)
        small = to_small(snapshot)
        out.expanduser().write_bytes(small)
    except OSError as wrong:
        raise Unavailable(
            f"{wrong.filename}: {wrong.strerror}", hint="name a file that can be read or written"
        ) from None
    told = {
        "file": str(out),
        "advisories": snapshot.count,
        "date": snapshot.day.isoformat() if snapshot.day else None,
        "left_out": snapshot.left_out,
        "bytes": len(small),
    }
    call.show(told, lambda: pairs([(name, str(value)) for name, value in told.items()]))


def _listed(found: Sequence["EngineInfo"]) -> Iterator[str]:
    rows = [
        (
            one.name,
            one.label,
            one.version,
            one.scope.value,
            one.default,
            one.security,
            "asks a service" if one.network else "runs the code" if one.executes else "",
            one.why_not,
        )
        for one in found
    ]
    head = ("engine", "what", "version", "scope", "default", "security", "needs", "why not")
    yield from table(head, rows, room=width())


def _examined(told: dict[str, Any]) -> Iterator[str]:
    held = told["isolation"]
    yield from pairs([("isolation", held["words"]), ("better", held["why"])])
    yield ""
    rows = [(one["engine"], one["state"], one["version"], one["reason"]) for one in told["engines"]]
    yield from table(("engine", "state", "version", "reason"), rows, room=width(), paint={"state": ""})
