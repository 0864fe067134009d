"""`elohim tests`: propose tests for a change, look at a proposal, take its patch."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import counted, pairs, table, when, width
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.text import text

app = noun("Tests: propose them for a change, each proven; nothing is written to the repository.")

Proposal = Annotated[str, typer.Argument(metavar="ID", help="The proposal; see elohim tests list.")]

_SHOWN = 12
_ENDS = ("passed", "failed", "skipped")


@command(app, "propose")
def propose(
    call: Call,
    repository: Annotated[
        Path, typer.Argument(metavar="[REPO]", help="A git repository, or a folder in one.")
    ] = Path(),
    base: Annotated[str | None, typer.Option(metavar="REV", help="Test what has changed since.")] = None,
    head: Annotated[str | None, typer.Option(metavar="REV", help="Test this; else what is checked out.")] = None,
    function: Annotated[str, typer.Option(metavar="NAME", help="Only these functions, parted by commas.")] = "",
    describe: Annotated[str, typer.Option(metavar="TEXT", help="A bug report that names functions.")] = "",
    workflow: Annotated[str, typer.Option(metavar="NAME", help="Where it is kept.")] = "",
    pynguin: Annotated[int, typer.Option(metavar="S", help="Let pynguin search each module so long.")] = 0,
    trust_repo: Annotated[
        bool, typer.Option("--trust-repo", help="Run its code even where nothing isolates it.")
    ] = False,
    timeout: Annotated[float, typer.Option(metavar="S", help="Seconds it may take.")] = 900.0,
) -> None:
    """Propose tests for the functions that changed since a revision, or for functions that are named.

    The repository's code is run, in isolation. Each proposed test passed three times on both sides and covers a changed
    line or kills a mutant that nothing did before. What was rejected is listed, with the reason.
    """
    from elohim_kernel.model.value import plain
    from elohim_kernel.surfaces.cli.progress import progress
    from elohim_kernel.surfaces.cli.scanning import Listening
    from elohim_kernel.surfaces.cli.stopping import stoppable

    wb = call.workbench
    with progress(json=call.given.json) as told:
        heard = Listening(told)
        with stoppable(heard):
            made = wb.tests.propose(
                repository,
                base=base,
                head=head,
                function=function,
                describe=describe,
                workflow=workflow,
                pynguin_s=pynguin,
                trust=trust_repo,
                timeout_s=timeout,
                on_progress=heard.on_progress,
                cancelled=heard.cancelled,
            )
    found = plain(made)
    call.show(found, lambda: _page(found))


@command(app, "list")
def show_list(
    call: Call,
    workflow: Annotated[str, typer.Option(metavar="NAME", help="Only those kept here.")] = "",
    item: Annotated[str, typer.Option(help="Only of this item.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 50,
) -> None:
    """List proposals, newest first."""
    found = call.ask("list_test_proposals", workflow=workflow, item=item, limit=limit)
    head = ("proposal", "item", "tests", "functions", "killed", "repository", "proposed")
    rows = [
        (
            one["id"],
            one["item"],
            one["accepted"],
            one["functions"],
            _of(one["score"], "killed_after", "mutants"),
            one["repository"],
            when(one["proposed_at"]),
        )
        for one in found
    ]
    call.show(found, lambda: list(table(head, rows, room=width())) or ["no proposals"])


@command(app, "show")
def show(call: Call, proposal: Proposal) -> None:
    """Show one proposal: its files, what they are worth, and what was rejected and why."""
    found = call.ask("get_test_proposal", proposal=proposal)
    call.show(found, lambda: _page(found))


@command(app, "export")
def export(
    call: Call,
    proposal: Proposal,
    patch: Annotated[str, typer.Option("--patch", metavar="FILE", help="Write the patch here; - prints it.")] = "-",
    changes: Annotated[bool, typer.Option("--changes", help="With the tests of changed behaviour.")] = False,
) -> None:
    """Give the accepted tests as a patch for `git apply`. The repository is not touched."""
    from elohim_kernel.errors import Invalid
    from elohim_kernel.model.enrichment import Enrichment
    from elohim_kernel.model.value import convert
    from elohim_kernel.workbench.tests import patch_with, write_new

    found = convert(call.ask("get_test_proposal", proposal=proposal)["enrichment"], Enrichment)
    made = patch_with(found, changes=changes)
    if not made:
        raise Invalid(f"{proposal} proposes no tests", hint="elohim tests show says what was tried and why not")
    if patch != "-":
        write_new(Path(patch), made)
        call.show({"proposal": proposal, "patch": patch}, lambda: [f"wrote {text(patch)}; git apply takes it"])
    elif call.given.json:
        call.out.data({"proposal": proposal, "patch": made})
    else:
        # Not through the renderer of words for people: a patch must arrive as it is.
        sys.stdout.write(made)


def _page(found: Any) -> Iterator[str]:
    made, room = found["enrichment"], width()
    score, there = made["score"], made["existing"]
    kept = [file for file in made["files"] if not file["changes"]]
    accepted = sum(len(file["tests"]) for file in kept)
    yield f"{painted(text(found['id']), 'strong')}  {counted(accepted, 'test')} accepted"
    before = "unknown" if score["killed_before"] is None else str(score["killed_before"])
    yield from pairs(
        [
            ("repository", made["repository"]),
            ("change", f"{made['base'][:12]}..{made['head'][:12]}"),
            ("tests there", there["problem"] or ", ".join(f"{there[end]} {end}" for end in _ENDS)),
            ("mutants", f"{before} killed before, {_of(score, 'killed_after', 'mutants')} with the proposed tests"),
            ("lines", f"{_of(score, 'covered_after', 'lines')} changed lines covered"),
        ]
    )
    rows = [
        (one["function"], one["accepted"], _of(one["score"], "killed_after", "mutants")) for one in made["functions"]
    ]
    if rows:
        yield ""
        yield from table(("function", "tests", "killed"), rows, room=room)
    for title, verdict in (("Changed behaviour", "changes_behaviour"), ("Rejected", "rejected")):
        some = [one for one in made["attempts"] if one["verdict"] == verdict]
        if some:
            yield ""
            yield painted(title, "strong")
            lines = [(one["call"] or one["function"], one["count"], one["reason"]) for one in some[:_SHOWN]]
            yield from table(("call", "times", "why"), lines, room=room)
            if len(some) > _SHOWN:
                yield f"… and {len(some) - _SHOWN} more; --json has them all"
    yield ""
    for file in kept:
        yield f"  {text(file['path'])}: {counted(len(file['tests']), 'test')}"
    if kept:
        yield f"  elohim tests export {text(found['id'])} --patch tests.patch"
    yield from (f"  ! {text(note)}" for note in made["notes"])


def _of(score: Any, part: str, whole: str) -> str:
    return f"{score[part]} of {score[whole]}"
