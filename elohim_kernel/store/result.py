"""The answer to an analyst's query: Arrow inside, DataFrame, plain rows and two renderings on demand.

Rendered text is escaped, and control characters are written out. pandas is loaded when a DataFrame is asked for.
"""

import html
import importlib.util
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from elohim_kernel.errors import Unavailable

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN_ROWS: Final = 20
_SHOWN_WIDTH: Final = 60  # characters of a cell
_SAFE_INTEGER: Final = 2**63 - 1
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_STYLE: Final = (
    "border-collapse:collapse;font-size:90%",
    "text-align:left;padding:2px 8px;border-bottom:1px solid #888;white-space:nowrap",
    "text-align:left;padding:2px 8px;border-bottom:1px solid rgba(128,128,128,.35);vertical-align:top",
)


class Result:
    """Rows of one query. `cut` is the number of rows after which the rest was left out; 0 when nothing was."""

    def __init__(self, table: pa.Table, *, cut: int = 0) -> None:
        self._table = _with_plain_numbers(table.rename_columns(_told_apart(table.column_names)))
        self.cut = cut

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._table.column_names)

    @property
    def note(self) -> str:
        """What must be said about the answer; "" when it is complete."""
        return f"only the first {self.cut:,} rows: narrow the query, or add a limit" if self.cut else ""

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self._table

    def df(self) -> "DataFrame":
        """The rows as a pandas DataFrame, decimals as floats. Raises `Unavailable` where pandas is not installed."""
        if importlib.util.find_spec("pandas") is None:
            raise Unavailable("pandas is not installed", hint="pip install 'elohim_kernel[notebook]', or use .arrow()")
        table = self._table
        for place, field in enumerate(table.schema):
            if pa.types.is_decimal(field.type):
                table = table.set_column(place, field.name, table.column(place).cast(pa.float64()))
        return table.to_pandas()

    def rows(self) -> list[dict[str, Any]]:
        """The rows as dicts of what JSON can hold, hence `Any`: times and intervals are ISO text."""
        columns = [
            [_plain(each) for each in column.to_pylist(maps_as_pydicts="lossy")] for column in self._table.columns
        ]
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*columns, strict=True)]

    def __repr__(self) -> str:
        shown = ", ".join(map(visible, self.columns[:6])) + (", …" if len(self.columns) > 6 else "")
        return f"<{_count(len(self))}: {shown}{' (cut)' if self.cut else ''}>"

    def __str__(self) -> str:
        cells = [[visible(name) for name in self.columns], *self._cells()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, *self._below()])

    def _repr_html_(self) -> str:
        table, head, cell = _STYLE
        titles = "".join(f'<th style="{head}">{html.escape(name)}</th>' for name in map(visible, self.columns))
        body = "".join(
            "<tr>" + "".join(f'<td style="{cell}">{html.escape(text)}</td>' for text in row) + "</tr>"
            for row in self._cells()
        )
        below = "".join(f"<div>{html.escape(line)}</div>" for line in self._below())
        return f'<table style="{table}"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>{below}'

    def _cells(self) -> list[list[str]]:
        rows = Result(self._table.slice(0, SHOWN_ROWS)).rows()
        return [[_short(value) for value in row.values()] for row in rows]

    def _below(self) -> list[str]:
        hidden = f", the first {SHOWN_ROWS} shown" if len(self) > SHOWN_ROWS else ""
        return [f"{_count(len(self))}{hidden}", *([self.note] if self.note else [])]


def visible(text: str) -> str:
    """The text with control characters and marks of direction written out.

    >>> visible("safe\\x1b[2J\\u202e")
    'safe\\\\x1b[2J\\\\u202e'
    """
    return _UNSEEN.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def _count(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _told_apart(names: Sequence[str]) -> list[str]:
    told: list[str] = []
    for name in names:
        other, number = name, 1
        while other in told:
            number += 1
            other = f"{name}_{number}"
        told.append(other)
    return told


def _short(value: object) -> str:
    if value is None:
        return ""
    text = visible(value if isinstance(value, str) else str(value))
    return text if len(text) <= _SHOWN_WIDTH else text[: _SHOWN_WIDTH - 1] + "…"


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else None
        case datetime() | date() | time():
            return value.isoformat()
        case pa.MonthDayNano():
            return f"P{value.months}M{value.days}DT{f'{value.nanoseconds / 1e9:.6f}'.rstrip('0').rstrip('.')}S"
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case Sequence():
            return [_plain(each) for each in value]
        case _:
            return str(value)


def _with_plain_numbers(table: pa.Table) -> pa.Table:
    """DuckDB sums integers into decimals of 38 digits; people expect an integer, or a float where it does not fit."""
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and field.type.scale == 0:
            column = table.column(place)
            largest = pc.max(pc.abs(column)).as_py() if len(column) else None
            kind = pa.int64() if largest is None or largest <= _SAFE_INTEGER else pa.float64()
            table = table.set_column(place, field.name, column.cast(kind))
    return table
