"""`elohim sql`: ask for what you may see."""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command
from elohim_kernel.surfaces.cli.layout import counted, cut, pairs, table, width
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.text import cell, text

_COLUMN: Final = 12  # columns of the terminal that a column needs to be readable

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
    taken = bound.keys() & {"query", "self"}
    if taken:
        raise Invalid(f"a parameter cannot be called {min(taken)!r}", hint="take another name for it")
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
    shown = rows_for_people(result.columns, rows, width())
    call.show(rows, lambda: [*shown] or [text(f"no rows of {', '.join(result.columns)}")])


def rows_for_people(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], room: int | None) -> Iterator[str]:
    """A table, or where so many columns do not fit the room, one row below the other."""
    if room is None or len(columns) * _COLUMN <= room:
        yield from table(columns, [tuple(row.values()) for row in rows], room=room)
        return
    for number, row in enumerate(rows, start=1):
        yield painted(f"row {number}", "strong")
        yield from (cut(line, room) for line in pairs(row.items(), indent="  "))
