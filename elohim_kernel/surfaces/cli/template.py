"""`elohim template`: what a workflow may start from."""

from pathlib import Path
from typing import Annotated, Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import table, width, wrapped
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.cli.workflow import Team, Visibility, stages_table
from elohim_kernel.surfaces.text import text

app = noun("Templates to start a workflow from.")


@command(app, "list")
def list_templates(call: Call) -> None:
    """List the templates, recommended ones first."""
    found = call.ask("list_templates")
    head = ("template", "category", "from", "in use", "stages")
    rows = [(one["name"], one["category"], _origin(one), one["instances"], " → ".join(one["stages"])) for one in found]
    call.show(found, lambda: table(head, rows, room=width()))


@command(app, "show")
def show(call: Call, template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Name or id.")]) -> None:
    """Show a template's stages."""
    found = call.ask("get_template", template=template)
    call.show(found, lambda: _page(found))


@command(app, "save")
def save(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML of a workflow.")],
    visibility: Visibility = "personal",
    team: Team = "",
) -> None:
    """Save a definition as a template of your own, your team's or everybody's."""
    from elohim_kernel.model.definition_text import parse_definition
    from elohim_kernel.model.value import plain
    from elohim_kernel.surfaces.cli.files import read_text

    parsed = parse_definition(read_text(file), name=file.name)
    saved = call.do("save_template", definition=plain(parsed), visibility=visibility, team=team)
    call.show({"id": saved, "name": parsed.name}, lambda: [text(f"template {parsed.name} is saved as {saved}")])


def _origin(template: dict[str, Any]) -> str:
    return "the package" if template["system"] else "people here"


def _page(found: dict[str, Any]) -> list[str]:
    lines = [painted(text(found["name"]), "strong"), *wrapped(found["description"], indent="  ", room=width())]
    use = f'elohim workflow instantiate "{text(found["name"])}"'
    return [*lines, *stages_table(found), "", painted("Next", "strong"), f"  {use}"]
