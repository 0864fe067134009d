"""`elohim playbook`: notebooks that run with parameters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OK, OUR_FAULT, command, noun
from elohim_kernel.surfaces.cli.layout import pairs, table, width, wrapped
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.text import text

app = noun("Playbooks: notebooks that run with parameters.")

Name = Annotated[str, typer.Argument(metavar="NAME")]


@command(app, "list")
def list_playbooks(call: Call) -> None:
    """List the playbooks there are."""
    from elohim_kernel.model.value import plain
    from elohim_kernel.runtime.playbooks import playbook_files, playbook_named

    home = call.home
    found = [plain(playbook_named(name, home)[1]) for name in playbook_files(home)]
    head = ("playbook", "parameters", "title")
    rows = [(one["name"], [each["name"] for each in one["parameters"]], one["title"]) for one in found]
    call.show(found, lambda: list(table(head, rows, room=width())) or ["no playbooks"])


@command(app, "show")
def show(call: Call, name: Name) -> None:
    """Show a playbook's parameters with their types and defaults."""
    from elohim_kernel.model.value import plain
    from elohim_kernel.runtime.playbooks import playbook_named

    path, described = playbook_named(name, call.home)
    found = {**plain(described), "path": str(path)}
    call.show(found, lambda: _page(found))


@command(app, "run")
def run(
    call: Call,
    name: Name,
    parameters: Annotated[
        list[str], typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeat for more.")
    ] = [],  # noqa: B006
    item: Annotated[str, typer.Option(help="The item it runs for; else the parameter `item`.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Put the executed copy there.")
    ] = None,
) -> int:
    """Run a playbook for an item, with a token that ends with the run. Exit code 3 when a cell failed."""
    from elohim_kernel.errors import Invalid
    from elohim_kernel.model.value import plain
    from elohim_kernel.surfaces.cli.progress import progress
    from elohim_kernel.surfaces.cli.values import named

    given = named(parameters)
    item = item or given.get("item", "")
    if not item:
        raise Invalid("a playbook runs for an item", hint=f"elohim playbook run {name} -p item=EL-1")
    with progress(json=call.given.json) as told:
        done = call.workbench.run_playbook(
            name,
            given,
            item=item,
            output=out.absolute() if out else None,
            on_progress=lambda cell, cells, words: told.tell(name, words, cell, cells),
        )
    found = {**plain(done), "ok": done.ok, "problem": done.problem, "output": done.notebook.output}
    call.show(found, lambda: _ended(found))
    return OK if done.ok else OUR_FAULT


def _page(found: dict[str, Any]) -> Iterator[str]:
    yield painted(text(found["title"]), "strong")
    yield from wrapped(found["description"], indent="  ", room=width())
    rows = [
        (one["name"], _type(one), "required" if one["required"] else one["default"], one["help"])
        for one in found["parameters"]
    ]
    yield from table(("parameter", "type", "default", "what it is"), rows, room=width())
    yield from pairs([("file", found["path"])])


def _type(parameter: dict[str, Any]) -> str:
    return f"{parameter['type']} or none" if parameter["optional"] else str(parameter["type"])


def _ended(found: dict[str, Any]) -> Iterator[str]:
    if not found["ok"]:
        yield text(found["problem"])
        for line in found["notebook"].get("printed", [])[-10:]:
            yield text(f"  {line}")
    yield from pairs([("copy", found["output"]), ("run", found["id"])])
