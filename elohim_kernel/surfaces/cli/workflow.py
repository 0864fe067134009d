"""`elohim workflow`: define workflows as YAML, check, compare and share them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import counted, pairs, table, when, width, wrapped
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.text import text

app = noun("Workflows: define, check, compare, share.")

Workflow = Annotated[str, typer.Argument(metavar="WORKFLOW", help="Name or id.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML; `-` reads standard input.")]
Visibility = Annotated[Literal["personal", "team", "global"], typer.Option(help="Who sees it and all in it.")]
Team = Annotated[str, typer.Option(help="Whose it is, when it is a team's.")]
Note = Annotated[str, typer.Option("--note", "-m", help="What changed, in your words.")]


@command(app, "list")
def list_workflows(
    call: Call, archived: Annotated[bool, typer.Option("--archived", help="Archived ones, too.")] = False
) -> None:
    """List the workflows you can see."""
    found = call.ask("list_workflows", archived=archived)
    head = ("workflow", "revision", "visibility", "owner", "stages")
    rows = [(one["name"], one["revision"], one["visibility"], one["owner"], " → ".join(one["stages"])) for one in found]
    none = ["no workflows yet: elohim template list"]
    call.show(found, lambda: list(table(head, rows, room=width())) or none)


@command(app, "show")
def show(call: Call, workflow: Workflow, revision: Annotated[int, typer.Option(help="0 is the newest.")] = 0) -> None:
    """Show a workflow's stages, routes and revisions."""
    found = call.ask("get_workflow", workflow=workflow, revision=revision)
    call.show(found, lambda: _page(found))


@command(app, "validate")
def validate(call: Call, file: File) -> None:
    """Check a definition; a mistake is named with its line and column. Nothing is saved."""
    definition = _parsed(file)
    stages = [stage.key for stage in definition.stages]
    line = f"{definition.name} is fine: {counted(len(stages), 'stage')}, {' → '.join(stages)}"
    call.show({"ok": True, "name": definition.name, "stages": stages}, lambda: [text(line)])


@command(app, "import")
def import_workflow(
    call: Call, file: File, visibility: Visibility = "personal", team: Team = "", note: Note = ""
) -> None:
    """Create a workflow from YAML, or save a new revision of the one of that name and visibility."""
    from elohim_kernel.model.value import plain

    parsed = _parsed(file)
    definition = plain(parsed)
    seen = [one for one in call.ask("list_workflows") if (one["name"], one["visibility"]) == (parsed.name, visibility)]
    if not seen:
        saved = call.do("create_workflow", definition=definition, visibility=visibility, team=team, note=note)
        call.show(saved, lambda: [_saved(saved, "created")])
        return
    known = seen[0]
    saved = call.do("revise_workflow", workflow=known["id"], definition=definition, note=note)
    if saved["revision"] == known["revision"]:
        call.show(saved, lambda: [text(f"{saved['name']} is unchanged at revision {saved['revision']}")])
        return
    lines = call.ask("diff_workflow", workflow=known["id"])
    call.show(saved, lambda: [_saved(saved, "saved"), *map(_coloured, lines)])


@command(app, "export")
def export(call: Call, workflow: Workflow, revision: Annotated[int, typer.Option(help="0 is the newest.")] = 0) -> None:
    """Print a workflow as YAML, ready for `import`."""
    found = call.ask("get_workflow", workflow=workflow, revision=revision)
    call.show(found["definition"], lambda: text(found["yaml"], lines=True).rstrip("\n").split("\n"))


@command(app, "diff")
def diff(
    call: Call,
    workflow: Workflow,
    before: Annotated[int, typer.Option(help="A revision; 0 is the one before.")] = 0,
    after: Annotated[int, typer.Option(help="A revision; 0 is the newest.")] = 0,
) -> None:
    """Show what changed between two revisions."""
    lines = call.ask("diff_workflow", workflow=workflow, before=before, after=after)
    call.show(lines, lambda: map(_coloured, lines))


@command(app, "instantiate")
def instantiate(
    call: Call,
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Name or id; see template list.")],
    name: Annotated[str, typer.Option(help="Another name for the workflow.")] = "",
    visibility: Visibility = "personal",
    team: Team = "",
) -> None:
    """Make a workflow from a template; the one you already made from it is left as it is."""
    saved = call.do("instantiate_template", template=template, name=name, visibility=visibility, team=team)
    call.show(saved, lambda: [_saved(saved, "is there")])


@command(app, "share")
def share(call: Call, workflow: Workflow, visibility: Visibility, team: Team = "") -> None:
    """Change who sees a workflow, its items, runs and findings."""
    saved = call.do("share_workflow", workflow=workflow, visibility=visibility, team=team)
    call.show(saved, lambda: [text(f"{saved['name']} is {saved['visibility']} now")])


@command(app, "archive")
def archive(call: Call, workflow: Workflow, note: Note = "") -> None:
    """Let no new items be opened in a workflow; those that are open go on."""
    saved = call.do("archive_workflow", workflow=workflow, reason=note)
    call.show(saved, lambda: [text(f"{saved['name']} is archived")])


def _parsed(file: Path) -> Any:  # a Definition, whose module is loaded late
    from elohim_kernel.model.definition_text import parse_definition
    from elohim_kernel.surfaces.cli.files import read_text

    if str(file) == "-":
        return parse_definition(sys.stdin.read(), name="standard input")
    return parse_definition(read_text(file), name=file.name)


def _saved(saved: dict[str, Any], how: str) -> str:
    return text(f"{saved['name']} {how}: revision {saved['revision']}, {saved['visibility']}, {saved['id']}")


def _coloured(line: str) -> str:
    kind = "done" if line.startswith("+") else "failed" if line.startswith("-") else ""
    return painted(text(line), kind)


def _page(found: dict[str, Any]) -> Iterator[str]:
    definition = found["definition"]
    yield painted(text(found["name"]), "strong")
    yield from wrapped(definition["description"], indent="  ", room=width())
    yield from stages_table(definition)
    yield ""
    yield from pairs([("visibility", found["visibility"]), ("owner", found["owner"]), ("id", found["id"])])
    for name, slots in found.get("next_fires", {}).items():
        yield text(f"schedule {name}: next {', '.join(when(slot) for slot in slots[:3])}")
    for one in found["revisions"]:
        chosen = " (shown)" if one["number"] == found["revision"] else ""
        yield text(f"revision {one['number']}{chosen}: {when(one['saved_at'])} by {one['by']} {one['note']}".rstrip())


def stages_table(definition: dict[str, Any]) -> Iterator[str]:
    """A table of a definition's stages."""
    rows = [(stage["key"], stage["type"], _who(stage), _routes(stage), stage["name"]) for stage in definition["stages"]]
    yield from table(("stage", "type", "who", "then", "name"), rows, room=width())


def _who(stage: dict[str, Any]) -> str:
    assignment = stage.get("assignment") or {}
    return " ".join(str(assignment[key]) for key in ("to", "who") if assignment.get(key))


def _routes(stage: dict[str, Any]) -> str:
    routes = [f"{route['to']} when {route['when']}" if route.get("when") else route["to"] for route in stage["routes"]]
    return "; ".join([*routes, *([stage["next"]] if stage.get("next") else [])])
