"""`elohim sql`: ask for what you may see."""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command
from elohim_kernel.surfaces.cli.layout import counted, table, width
from elohim_kernel.surfaces.text import cell, text

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@command(app, "sql")
def sql(
    call: Call,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One statement that reads; `-` reads standard input.")],
    parameters: Annotated[
        list[str], typer.Option("--param", "-p", metavar="NAME=VALUE", help="Bound to $NAME; repeat for more.")
    ] = [],  # noqa: B006
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV; cells never start a formula.")] = False,
    arrow: Annotated[Path | None, typer.Option("--arrow", metavar="FILE", help="Write an Arrow file.")] = None,
) -> None:
    """Run one reading statement on your own copy of the rows you may see.

    A value that reads as a number, true, false or null is bound as such; put it into double quotes to bind text.
    """
    from elohim_kernel.errors import Invalid
    from elohim_kernel.surfaces.cli.values import literal, named

    bound = {name: literal(word) for name, word in named(parameters).items()}
    if "query" in bound:
        raise Invalid("a parameter cannot be called 'query'", hint="take another name for it")
    result = call.workbench.sql(sys.stdin.read() if query == "-" else query, **bound)
    if result.note:
        call.out.remark(result.note)
    if arrow is not None:
        from elohim_kernel.surfaces.cli.arrow_file import write_arrow

        write_arrow(result.arrow(), arrow)
        told = {"rows": len(result), "columns": result.columns, "out": str(arrow)}
        call.show(told, lambda: [text(f"{counted(len(result), 'row')} written to {arrow}")])
        return
    rows: list[dict[str, Any]] = result.rows()
    if as_csv and not call.given.json:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([cell(name) for name in result.columns])
        writer.writerows([cell(value) for value in row.values()] for row in rows)
        return
    lines = table(result.columns, [tuple(row.values()) for row in rows], room=width())
    call.show(rows, lambda: [*lines] or [text(f"no rows of {', '.join(result.columns)}")])
