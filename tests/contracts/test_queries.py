"""Every named query keeps to the caller's scopes wherever it reads, and every value in it is bound."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from elohim_kernel.store.queries import QUERIES
from elohim_kernel.store.schema import MIGRATIONS
from elohim_kernel.store.tables import TABLES

TENANT_TABLES = {*(table.name for table in TABLES), "events", "notifications", "findings", "sightings"}
VISIBLE = "scopes"


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    for _, change in MIGRATIONS:
        change(made)
    return made


def tree_of(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """DuckDB's own reading of a statement, as JSON."""
    (text,) = connection.execute("select json_serialize_sql($sql::varchar)", {"sql": sql}).fetchone() or ("",)
    tree = json.loads(text)
    assert not tree["error"], tree
    return tree["statements"][0]["node"]


def unbound(tree: Any) -> Iterator[str]:
    """Tables that a select reads without comparing their `scope` with `$scopes`, at the top of its `where`."""
    for select in _selects(tree):
        for table in _tables(select["from_table"]):
            if table in TENANT_TABLES and not any(map(_is_visible, _conjuncts(select["where_clause"]))):
                yield table


def _selects(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "SELECT_NODE":
            yield node
        for value in node.values():
            yield from _selects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _selects(value)


def _tables(node: Any) -> Iterator[str]:
    """Tables of one `from`, joins included, subqueries not: these are selects of their own."""
    if not isinstance(node, dict) or node.get("type") == "SUBQUERY":
        return
    if node.get("type") == "BASE_TABLE":
        yield node["table_name"]
    for value in node.values():
        yield from _tables(value)


def _conjuncts(node: Any) -> list[Any]:
    if isinstance(node, dict) and node.get("type") == "CONJUNCTION_AND":
        return [part for child in node["children"] for part in _conjuncts(child)]
    return [node]


def _is_visible(node: Any) -> bool:
    text = json.dumps(node)
    return (
        isinstance(node, dict)
        and node.get("type") == "SUBQUERY"
        and node.get("subquery_type") == "ANY"
        and '"column_names": ["scope"]' in text
        and f'"identifier": "{VISIBLE}"' in text
    )


def literals(sql: str) -> list[str]:
    """Texts in a statement that may be no words of ours: anything but lower-case words and paths of JSON."""
    return [one for one in re.findall(r"'([^']*)'", sql) if not re.fullmatch(r"[a-z_.]*|\$\.[a-z.]+", one)]


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_named_query_reads_nothing_outside_the_scopes_of_its_caller(connection: Any, name: str):
    assert list(unbound(tree_of(connection, QUERIES[name]))) == []


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_named_query_binds_its_values_and_nothing_else(connection: Any, name: str):
    sql = QUERIES[name]
    bound = set(re.findall(r"\$([a-z]+)\b", re.sub(r"'[^']*'", "", sql)))

    assert VISIBLE in bound
    assert literals(sql) == []
    assert "{" not in sql
    values: dict[str, Any] = {one: [] if one in ("scopes", "ids", "addresses") else _value(one) for one in bound}
    connection.execute(sql, values)  # what is not bound, or bound and not asked for, is refused


def _value(name: str) -> object:
    if name in ("limit", "after", "seq"):
        return 1
    if name == "open":
        return True
    return "2026-11-22" if name == "until" else ""


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select id from work_items", ["work_items"]),
        ("select id from work_items where scope in (select unnest($scopes)) or true", ["work_items"]),
        ("select id from work_items where not scope in (select unnest($scopes))", ["work_items"]),
        ("select id from work_items where id in (select unnest($scopes))", ["work_items"]),
        (
            "select id from runs where scope in (select unnest($scopes)) and item in (select id from work_items)",
            ["work_items"],
        ),
        ("select id from (select id from findings)", ["findings"]),
        ("select id from runs where scope in (select unnest($scopes)) and status = ''", []),
    ],
)
def test_a_query_that_reads_more_is_found(connection: Any, sql: str, found: list[str]):
    assert list(unbound(tree_of(connection, sql))) == found


def test_a_value_written_into_a_query_is_found():
    assert literals("select 1 where name = 'Ann Ode' and status = 'open'") == ["Ann Ode"]
