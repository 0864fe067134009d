"""`elohim scan`: look at a git repository with every engine that is there, and say what ran and what did not."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OVER_POLICY, command
from elohim_kernel.surfaces.cli.layout import counted, pairs, width

if TYPE_CHECKING:
    from elohim_kernel.runtime.scan import Scan

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FailOn = Literal[
    "new:critical", "new:high", "new:medium", "new:low", "critical", "high", "medium", "low", "info", "never"
]


Repo = Annotated[Path, typer.Argument(metavar="[REPO]", help="A git repository, or a folder in one.")]
Engines = Annotated[list[str] | None, typer.Option("--engine", metavar="NAME", help="Run this one; may be repeated.")]
Base = Annotated[str | None, typer.Option(metavar="REV", help="Look only at what has changed since then.")]
Head = Annotated[str | None, typer.Option(metavar="REV", help="Look at this; else what is checked out.")]
Sarif = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings there as SARIF.")]
Fail = Annotated[
    FailOn, typer.Option("--fail-on", metavar="LEVEL", help="Exit with 1 for such findings: high, new:high, never.")
]
Online = Annotated[bool, typer.Option("--online", help="Let engines ask services on the network.")]
Trust = Annotated[bool, typer.Option("--trust-repo", help="Run tools even where nothing can isolate them.")]
BaseRun = Annotated[bool, typer.Option("--base-run", help="Run engines that need a whole tree on the base too.")]
Advisories = Annotated[Path | None, typer.Option(metavar="FILE", help="Known vulnerabilities, as an OSV export.")]
Timeout = Annotated[float, typer.Option(metavar="S", help="Seconds for each engine.")]
Rules = Annotated[Path | None, typer.Option(metavar="PATH", help="Semgrep rules of yours: a file or a folder.")]
Flow = Annotated[str, typer.Option(metavar="NAME", help="The workflow that keeps the findings.")]
Record = Annotated[bool, typer.Option("--record/--no-record", help="Keep the findings.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would run; run and record nothing.")]


@command(app, "scan")
def scan(
    call: Call,
    repository: Repo = Path(),
    engine: Engines = None,
    base: Base = None,
    head: Head = None,
    sarif: Sarif = None,
    fail_on: Fail = "never",
    online: Online = False,
    trust_repo: Trust = False,
    base_run: BaseRun = False,
    advisories: Advisories = None,
    rules: Rules = None,
    timeout: Timeout = 600.0,
    workflow: Flow = "",
    record: Record = True,
    dry_run: DryRun = False,
) -> int:
    """Look at a git repository with every engine that is there.

    Content is read from git's object store, never from the working tree, and tools run isolated, with our settings.
    With --json one document is printed, also with exit code 1. An engine that did not run says why; that is never the
    same as having found nothing.
    """
    from elohim_kernel.runtime.scanning import Wanted
    from elohim_kernel.surfaces.cli.scanning import preview, scanned

    wanted = Wanted(
        repository=str(repository.expanduser()),
        base=base,
        head=head,
        engines=tuple(engine or ()),
        trust=trust_repo,
        online=online,
        base_run=base_run,
        workflow=workflow,
        record=record,
        timeout_s=timeout,
        options=_options(advisories=advisories, semgrep_rules=rules),
    )
    if dry_run:
        preview(call, wanted)
        return OK
    done = scanned(call, wanted)
    told = _document(done, [*done.notes, *(_written(done, sarif) if sarif is not None else ())])
    call.show(told, lambda: _page(done, told))
    return OVER_POLICY if _over(done, fail_on) else OK


def _options(**files: Path | None) -> dict[str, str]:
    return {name: str(file.expanduser().resolve()) for name, file in files.items() if file is not None}


def _document(done: "Scan", notes: list[str]) -> dict[str, Any]:  # JSON
    from elohim_kernel.runtime.scan import run_rows

    rows = [each.row() for each in done.problems]
    return {
        "repository": done.repository,
        "head": done.head,
        "ref": done.ref,
        "base": done.change.base_name if done.change else None,
        "workflow": done.workflow,
        "notes": notes,
        "runs": run_rows(done.runs),
        "findings": [row for row in rows if row["counts"]],
        "told": [row for row in rows if not row["counts"]],
    }


def _over(done: "Scan", fail_on: str) -> bool:
    from elohim_kernel.model.finding import Severity

    if fail_on == "never":
        return False
    only_new, _, level = fail_on.rpartition(":")
    return bool(done.over(Severity(level), only_new=bool(only_new)))


def _written(done: "Scan", file: Path) -> Iterator[str]:
    from elohim_kernel.errors import Invalid
    from elohim_kernel.findings.sarif_out import Exported, sarif_of

    exported = [
        Exported(
            finding=each.finding,
            id=each.id,
            state=each.state,
            baseline=("new" if each.new else "unchanged") if done.change else "",
            also_seen_by=each.also_seen_by,
        )
        for each in done.problems
    ]
    written = sarif_of(exported, done.runs)
    try:
        file.expanduser().write_bytes(written.content)
    except OSError as wrong:
        raise Invalid(f"{str(file)!r} cannot be written: {wrong.strerror}") from None
    yield from written.notes


def _page(done: "Scan", told: dict[str, Any]) -> Iterator[str]:
    from elohim_kernel.surfaces.cli.scanning import engines_table, findings_page

    room = width()
    commit = f"{done.ref} at {done.head[:12]}" if done.ref != done.head else done.head[:12]
    size = counted(len(done.change.files), "changed file") if done.change else ""
    yield from pairs(
        [
            ("repository", done.repository),
            ("looked at", f"{commit}, {size} since {done.change.base_name}" if done.change else commit),
            *(("note", note) for note in told["notes"]),
        ]
    )
    yield ""
    yield from engines_table(told["runs"], room)
    yield ""
    yield from findings_page(told["findings"], len(told["told"]), room)
