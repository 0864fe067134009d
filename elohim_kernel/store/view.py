"""How a view of the analysts' copy is written down: its columns, and the select that yields its rows from the store.

Every select keeps to the caller's scopes and to a span of the log. Names of people, items and workflows stand in place
of ids wherever the caller may know them.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

TEXT: Final = "VARCHAR"
INT: Final = "BIGINT"
REAL: Final = "DOUBLE"
BOOL: Final = "BOOLEAN"
TIME: Final = "TIMESTAMP WITH TIME ZONE"

Columns = Mapping[str, tuple[str, str]]  # name → SQL type, expression


class View(NamedTuple):
    """One view: `doc` says what a row is, `columns` maps names to SQL types.

    A view with a `select` is copied from the store; `key` is the column whose rows are replaced when they change, ""
    when rows are only added; `born`, where there is one, is the column with the event that made the row. `source` is
    the table it is read from and `kinds`, for events, how the kinds it is about begin. A view with `sql` is worked out
    from the views it `needs`, or, where it has a `select` too, from its own copied rows in `raw`.
    """

    doc: str
    columns: Mapping[str, str]
    select: str = ""
    key: str = ""
    born: str = ""
    source: str = ""
    kinds: tuple[str, ...] = ()
    sql: str = ""
    needs: tuple[str, ...] = ()


VISIBLE: Final = "scope in (select unnest($scopes))"
NAMES: Final = (
    "with people as (select id, name from principals where id in (select unnest($people))),"
    f" flows as (select id, name from workflows where {VISIBLE}),"
    f" items as (select id, reference from work_items where {VISIBLE})"
)


def new(alias: str) -> str:
    """Rows that changed after `$since`, as far as the projections are."""
    return f"{alias}.seq > $since and {alias}.seq <= (select m.seq from watermark m)"


def as_is(alias: str, names: str, kind: str = TEXT) -> dict[str, tuple[str, str]]:
    """Columns as they stand in the store; `names` are parted by spaces."""
    return {name: (kind, f"{alias}.{name}") for name in names.split()}


def or_null(alias: str, names: str) -> dict[str, tuple[str, str]]:
    """Texts of which the empty one means that there is none."""
    return {name: (TEXT, f"nullif({alias}.{name}, '')") for name in names.split()}


def person(identifier: str) -> tuple[str, str]:
    """A person's name where the caller may know it, else the id."""
    return TEXT, f"coalesce((select p.name from people p where p.id = {identifier}), nullif({identifier}, ''))"


def item(identifier: str) -> dict[str, tuple[str, str]]:
    """The reference and the id of a work item."""
    reference = f"(select i.reference from items i where i.id = {identifier})"
    return {"item": (TEXT, reference), "item_id": (TEXT, f"nullif({identifier}, '')")}


def workflow(scope: str) -> dict[str, tuple[str, str]]:
    """The name and the id of a workflow."""
    return {"workflow": (TEXT, f"(select w.name from flows w where w.id = {scope})"), "workflow_id": (TEXT, scope)}


def data(name: str, kind: str = TEXT) -> tuple[str, str]:
    """A value of an event's data; empty text is null."""
    value = f"e.body ->> '$.data.{name}'"
    return kind, f"nullif({value}, '')" if kind == TEXT else f"({value})::{kind}"


def json(name: str) -> tuple[str, str]:
    """A part of an event's data, as JSON."""
    return TEXT, f"(e.body -> '$.data.{name}')::VARCHAR"


def copied(doc: str, columns: Columns, source: str, *, key: str = "id", only: str = "") -> View:
    """A view that is copied from a table; `source` is its name and an alias, and what is joined to it."""
    alias = source.split()[1]
    chosen = ", ".join(f'{expression} as "{name}"' for name, (_, expression) in columns.items())
    select = (f"{NAMES} select {chosen} from {source} where {alias}.{VISIBLE} and {new(alias)}") + (
        f" and {only}" if only else ""
    )
    return View(doc, {name: kind for name, (kind, _) in columns.items()}, select, key, source=source.split()[0])


def told(doc: str, columns: Columns, *kinds: str, join: str = "") -> View:
    """A view whose rows are events; with `kinds`, only those whose kind begins so."""
    only = " or ".join(f"starts_with(e.kind, '{kind}')" for kind in kinds)
    view = copied(doc, {"seq": (INT, "e.seq"), **columns}, f"events e {join}", key="", only=only and f"({only})")
    return view._replace(kinds=kinds or ("",))
