"""`elohim findings import` and `export`: findings of other tools come in, ours go out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OVER_POLICY, command
from elohim_kernel.surfaces.cli.layout import counted, pairs, table, width
from elohim_kernel.surfaces.cli.progress import progress

In = Literal["sarif", "jsonl", "csv"]
Out = Literal["sarif", "jsonl", "csv", "baseline"]
Level = Literal["critical", "high", "medium", "low", "info"]
State = Literal["live", "settled", "new", "open", "fixed", "regressed", "dismissed", "accepted", "all"]


def add(app: typer.Typer) -> None:
    """Give the noun its two verbs of exchange."""
    command(app, "import")(take_in)
    command(app, "export")(write_out)


def take_in(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="SARIF of any tool, or our own JSON lines or CSV.")],
    repository: Annotated[
        Path, typer.Option(metavar="PATH", help="The git repository it is about; its content tells findings apart.")
    ] = Path(),
    head: Annotated[str | None, typer.Option(metavar="REV", help="The commit that was scanned; else HEAD.")] = None,
    workflow: Annotated[str, typer.Option(metavar="NAME", help="The workflow that keeps the findings.")] = "",
    kind: Annotated[In | None, typer.Option("--format", help="What the file is; else its first bytes say.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything; record nothing.")] = False,
) -> int:
    """Take in what another tool found.

    Findings are kept under `import:<tool>`, recognised when they come again, and never close those of an engine here.
    What was cut or could not be read is said. Exit code 1: the file holds runs that did not end well.
    """
    with progress(json=call.given.json) as told:
        done = call.workbench.import_findings(
            file.expanduser(),
            repository=str(repository.expanduser()),
            head=head,
            workflow=workflow,
            kind=kind,
            dry_run=dry_run,
            on_run=lambda tool, count: told.tell(str(file), f"{tool}: {counted(count, 'finding')}", 0, 0),
        )
    from elohim_kernel.model.value import plain

    shown = plain(done)
    call.show(shown, lambda: _taken(shown))
    return OVER_POLICY if any(run["status"] in ("failed", "partial") for run in shown["runs"]) else OK


def _taken(done: dict[str, Any]) -> Iterator[str]:
    yield from pairs([("file", done["file"]), ("repository", done["repository"]), ("workflow", done["workflow"])])
    yield ""
    head = ("tool", "status", "results", "findings", "new", "reason")
    rows = [
        (run["tool"], run["status"], run["results"], run["findings"], run["new"], run["reason"]) for run in done["runs"]
    ]
    yield from table(head, rows, room=width())
    for run in done["runs"]:
        for note in run["notes"]:
            yield f"{run['tool']}: {note}"
    if not done["runs"]:
        yield "the file holds no run, so nothing was taken"
    if done["dry_run"]:
        yield "nothing was recorded"


def write_out(
    call: Call,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; else standard output.")] = None,
    kind: Annotated[Out, typer.Option("--format", help="What to write.")] = "sarif",
    state: Annotated[State, typer.Option(help="Findings in this state.")] = "live",
    severity: Annotated[Level | None, typer.Option(metavar="LEVEL", help="At least this bad.")] = None,
    category: Annotated[str, typer.Option(metavar="NAME", help="Of this category.")] = "",
    rule: Annotated[str, typer.Option(metavar="RULE", help="Of this rule.")] = "",
    tool: Annotated[str, typer.Option(metavar="TOOL", help="Of this tool.")] = "",
    path: Annotated[str, typer.Option(metavar="GLOB", help="In such files.")] = "",
    repository: Annotated[str, typer.Option(metavar="PATH", help="Of this repository.")] = "",
    workflow: Annotated[str, typer.Option(metavar="NAME", help="Of this workflow.")] = "",
) -> int:
    """Write findings for other programs, the most urgent first.

    With --out and --json a document says how much was written, and what was left out because of a host's limits.
    """
    from elohim_kernel.model.finding import Severity

    written = call.workbench.export_findings(
        kind,
        state="" if state == "all" else state,
        severity=Severity(severity) if severity else None,
        category=category,
        rule=rule,
        tool=tool,
        path=path,
        repository=repository,
        workflow=workflow,
    )
    if out is None:
        sys.stdout.buffer.write(written.content)
        sys.stdout.buffer.flush()
    else:
        _save(out.expanduser(), written.content)
        shown = {"file": str(out), "bytes": len(written.content), "notes": list(written.notes)}
        call.show(shown, lambda: [f"{out}: {len(written.content):,} bytes", *written.notes])
        return OK
    for note in written.notes:
        call.out.remark(note)
    return OK


def _save(out: Path, content: bytes) -> None:
    from elohim_kernel.errors import Invalid

    try:
        out.write_bytes(content)
    except OSError as wrong:
        raise Invalid(f"{str(out)!r} cannot be written: {wrong.strerror}") from None
