"""`elohim review`: review a change of a git repository, as far as no person is needed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OUR_FAULT, OVER_POLICY, command
from elohim_kernel.surfaces.cli.layout import counted, pairs, table, width

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FailOn = Literal["critical", "high", "medium", "low", "info", "never"]


@command(app, "review")
def review(
    call: Call,
    repository: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="A git repository, or a folder in one.")
    ] = Path(),
    base: Annotated[str | None, typer.Option(metavar="REV", help="Compare with this; else the default branch.")] = None,
    head: Annotated[str | None, typer.Option(metavar="REV", help="Review this; else what is checked out.")] = None,
    template: Annotated[str, typer.Option(metavar="NAME", help="The workflow to review in.")] = "Standard Code Review",
    report: Annotated[bool, typer.Option("--report/--no-report", help="Run the report notebook.")] = True,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", metavar="LEVEL", help="Exit with 1 for such findings on changed lines.")
    ] = "never",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be reviewed; record nothing.")] = False,
) -> int:
    """Review a change of a git repository; the item then waits for a person.

    Content is read from git's object store, never from the working tree. With --json the item is printed, also with
    exit code 1. When an engine did not run the item says so; a stage that failed gives exit code 3.
    """
    place = str(repository.expanduser())
    if dry_run:
        _preview(call, place, base, head)
        return OK
    from elohim_kernel.surfaces.cli.reviewing import closing, over_policy, reviewed

    done = reviewed(call, place, base=base, head=head, template=template, report=report)
    extra = {"report": {"path": done.report.path, "problem": done.report.problem}}
    call.show({**done.item, **extra}, lambda: closing(call, done))
    if done.item["status"] == "failed":
        return OUR_FAULT
    return OVER_POLICY if over_policy(done.item, fail_on) else OK


def _preview(call: Call, place: str, base: str | None, head: str | None) -> None:
    from elohim_kernel.model.value import plain
    from elohim_kernel.runtime.repository import open_repository

    change = open_repository(place).change(base, head)
    told = plain(change)
    told |= {"lines_added": change.lines_added, "lines_deleted": change.lines_deleted}
    call.show(told, lambda: _summary(told))


def _summary(change: dict[str, Any]) -> Iterator[str]:
    size = f"{counted(len(change['files']), 'file')}, {change['lines_added']:,} lines added"
    yield from pairs(
        [
            ("repository", change["repository"]),
            ("change", f"{change['head_name']} against {change['base_name']}"),
            ("title", change["title"]),
            ("commits", f"{change['commits']:,} by {', '.join(change['authors'][:5]) or 'nobody named'}"),
            ("size", f"{size}, {change['lines_deleted']:,} deleted"),
            ("left out", change["truncated"]),
        ]
    )
    yield ""
    rows = [(one["status"], one["added"], one["deleted"], one["path"]) for one in change["files"]]
    yield from table(("what", "added", "deleted", "file"), rows, room=width())
    yield "nothing was recorded"
