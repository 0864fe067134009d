"""SQL run on behalf of somebody in a process that serves others: what it may say, and the child it runs in.

A statement is judged on DuckDB's own parse tree. Everything in the tree must be on a list: nodes, tables, functions and
types; what is not known is refused. It then runs in a child with nothing in its environment but the rows it needs.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import IO, Any, Final, NamedTuple

import duckdb
import msgspec
import pyarrow as pa

from elohim_kernel.errors import Fault, Invalid, TooLarge, error_from
from elohim_kernel.store import locked
from elohim_kernel.store.arrow import from_ipc, to_ipc
from elohim_kernel.store.functions import FUNCTIONS, TABLE_FUNCTIONS, TYPES
from elohim_kernel.store.locked import Limits
from elohim_kernel.store.result import Result
from elohim_kernel.store.views import VIEWS

_log: Final = logging.getLogger("elohim.store")

SHARED: Final = Limits(seconds=10.0, rows=100_000, memory_mb=2_048, threads=1)
_OUTPUT_CAP: Final = 64 * 1024 * 1024  # bytes
_START_S: Final = 5.0  # what starting a child may add to the deadline
_SQL_CAP: Final = 20_000  # characters
_DEPTH_CAP: Final = 250  # nodes inside nodes

_TABLE_NODES: Final = frozenset(
    {"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"}
)
_QUERY_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
_MODIFIERS: Final = frozenset(
    {"ASCENDING", "DESCENDING", "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_DEFAULT"}
    | {"ORDER_MODIFIER"}
)
_NODES: Final = _TABLE_NODES | _QUERY_NODES | _MODIFIERS
_CLASSES: Final = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA"}
    | {"OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"}
)
# DuckDB takes these for columns first, and calls the function when there is no such column.
_HIDDEN_CALLS: Final = frozenset({"current_catalog", "current_role", "current_schema", "current_user", "session_user"})

Node = Mapping[str, Any]  # one node of DuckDB's tree, as JSON


class Checked(NamedTuple):
    """A statement that passed, and the copied views whose rows it needs."""

    sql: str
    tables: frozenset[str]


def check(sql: str) -> Checked:
    """Refuse, with `Invalid`, whatever is not one SELECT over our views with functions on the list.

    >>> sorted(check("select stage, avg(seconds) from stage_times group by stage").tables)
    ['history']
    >>> check("select * from '/etc/passwd'")
    Traceback (most recent call last):
    elohim_kernel.errors.Invalid: the table '/etc/passwd' is not there; see the reference
    """
    if len(sql) > _SQL_CAP:
        raise TooLarge(f"the statement has {len(sql)} characters, the cap is {_SQL_CAP}")
    tables: set[str] = set()
    _walk(_tree(sql)["node"], frozenset(), tables, depth=0)
    needed = {copied for name in tables for copied in VIEWS[name].needs or (name,)}
    return Checked(sql, frozenset(needed))


def _tree(sql: str) -> Node:
    cursor = _parser().cursor()
    try:
        found = cursor.execute("select json_serialize_sql($sql)", {"sql": sql}).fetchall()
        parsed = msgspec.json.decode(found[0][0])
    except duckdb.Error as wrong:
        raise locked.refusal(wrong) from None
    except RecursionError:
        raise _too_deep() from None
    finally:
        cursor.close()
    if parsed["error"]:
        raise Invalid(f"the query is not right: {parsed['error_message'][:300]}", hint="write one SELECT")
    if len(parsed["statements"]) != 1:
        raise Invalid(
            f"there are {len(parsed['statements']) or 'no'} statements in this query", hint="write one SELECT"
        )
    statement: Node = parsed["statements"][0]
    return statement


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return locked.connect(Limits(memory_mb=256, threads=1))


def _walk(node: object, ctes: frozenset[str], tables: set[str], *, depth: int) -> None:
    if depth > _DEPTH_CAP:
        raise _too_deep()
    if isinstance(node, list):
        for each in node:
            _walk(each, ctes, tables, depth=depth + 1)
    elif isinstance(node, Mapping):
        _judge(node, ctes, tables)
        ctes = _with_own(node, ctes, tables, depth)
        for name, child in node.items():
            if name != "cte_map":
                _walk(child, ctes, tables, depth=depth + 1)


def _with_own(node: Node, ctes: frozenset[str], tables: set[str], depth: int) -> frozenset[str]:
    """The names a query may use: those around it and those of its own WITH, each known to the ones after it."""
    for entry in (node.get("cte_map") or {}).get("map", ()):
        name = entry["key"].lower()
        query = entry["value"]["query_node"]
        inside = ctes | {name} if query["type"] == "RECURSIVE_CTE_NODE" else ctes
        _walk(entry["value"], inside, tables, depth=depth + 1)
        ctes |= {name}
    return ctes


def _judge(node: Node, ctes: frozenset[str], tables: set[str]) -> None:
    kind, group = node.get("type"), node.get("class")
    if group is not None:
        if group not in _CLASSES:
            raise _unknown(group)
    elif isinstance(kind, str) and kind not in _NODES:
        raise _unknown(kind)
    if _is_qualified(node):
        raise Invalid("names of databases and schemas are not used here", hint="write the bare name")
    if group in ("FUNCTION", "WINDOW"):
        _judge_function(node["function_name"], FUNCTIONS)
    elif group == "TYPE" and node["type_name"].lower() not in TYPES:
        raise Invalid(f"the type {node['type_name']!r} is not used here")
    elif kind == "TABLE_FUNCTION":
        _judge_function(node["function"]["function_name"], TABLE_FUNCTIONS)
    elif kind == "SHOW_REF" and node.get("query") is None:
        raise Invalid("SHOW is not used here", hint="write DESCRIBE and the name of a table")
    elif kind == "BASE_TABLE":
        _judge_table(node, ctes, tables)
    elif kind == "COLUMN_REF" and node["column_names"][-1].lower() in _HIDDEN_CALLS:
        _judge_function(node["column_names"][-1], FUNCTIONS)


def _is_qualified(node: Node) -> bool:
    names = ("catalog", "schema", "catalog_name", "schema_name")
    path = (node.get("qualified_name") or {}).get("path", ())
    return any(node.get(name) for name in names) or len(path) > 1


def _judge_function(name: str, known: frozenset[str]) -> None:
    if name.lower() not in known:
        raise Invalid(f"the function {name!r} is not used here", hint="see the reference")


def _judge_table(node: Node, ctes: frozenset[str], tables: set[str]) -> None:
    name = node["table_name"].lower()
    if node.get("at_clause") is not None:
        raise Invalid("AT is not used here")
    if name in ctes:
        return
    if name not in VIEWS:
        raise Invalid(f"the table {node['table_name']!r} is not there", hint="see the reference")
    tables.add(name)


def _unknown(what: object) -> Invalid:
    return Invalid(f"{str(what).replace('_', ' ').lower()} is not used here", hint="write one SELECT")


def _too_deep() -> TooLarge:
    return TooLarge("the statement is nested too deeply", hint="write it flatter")


class Job(msgspec.Struct):
    """What the child is told. `views` are written out as SQL, tables without rows among them."""

    sql: str
    parameters: dict[str, Any]  # values to bind, hence Any
    limits: Limits
    tables: dict[str, bytes]
    views: dict[str, str]


class Answer(msgspec.Struct):
    """What the child says: rows as Arrow IPC, or an error."""

    rows: bytes = b""
    cut: int = 0
    code: str = ""
    message: str = ""
    hint: str | None = None


def run_in_child(
    checked: Checked,
    tables: Mapping[str, pa.Table],
    parameters: Mapping[str, object] | None = None,
    limits: Limits = SHARED,
) -> Result:
    """Run a statement that passed `check` in a process of its own, on the caller's rows of the views it needs.

    The child has an empty environment and limits on memory and processor time, and is killed at the deadline. Raises
    `Invalid` for a statement that is wrong and `TooLarge` when it takes more than it may.
    """
    missing = [name for name in checked.tables if name not in tables]
    sent = checked.tables.intersection(tables)
    views = {
        name: view.sql
        for name, view in VIEWS.items()
        if view.sql and (name in sent if view.select else checked.tables.issuperset(view.needs))
    }
    job = Job(
        sql=checked.sql,
        parameters=dict(parameters or {}),
        limits=limits,
        tables={name: to_ipc(tables[name]) for name in sorted(sent)},
        views={**{name: _without_rows(name) for name in missing}, **views},
    )
    try:
        body = msgspec.msgpack.encode(job)
    except TypeError as wrong:
        raise Invalid(
            f"a parameter cannot be sent: {wrong}", hint="use text, numbers, times or lists of them"
        ) from None
    answer = _asked(body, limits)
    if answer.code:
        raise error_from(answer.code, answer.message, answer.hint)
    return Result(from_ipc(answer.rows), cut=answer.cut)


def _without_rows(name: str) -> str:
    columns = ", ".join(f"null::{kind} as {column}" for column, kind in VIEWS[name].columns.items())
    return f"select {columns} limit 0"


def _asked(body: bytes, limits: Limits) -> Answer:
    argv = [sys.executable, "-I", "-m", "elohim_kernel.store.statement_child"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={}, start_new_session=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        deadline = threading.Timer(limits.seconds + _START_S, child.kill)
        writer = threading.Thread(target=_fed, args=(child.stdin, body), daemon=True)
        deadline.start()
        writer.start()
        try:
            said = child.stdout.read(_OUTPUT_CAP + 1)
            if len(said) > _OUTPUT_CAP:
                raise TooLarge(f"the answer is over {_OUTPUT_CAP // 2**20} MB", hint="ask for fewer rows or columns")
            complaint = child.stderr.read(4_096) if not said else b""
        finally:
            deadline.cancel()
            child.kill()
            writer.join()
    if said:
        return msgspec.msgpack.decode(said, type=Answer)
    if b"Error" in complaint and b"MemoryError" not in complaint:
        _log.error("the child for SQL failed: %s", complaint.decode(errors="replace"))
        raise Fault("the query could not be run because of a defect of ours", hint="see the log")
    raise TooLarge(
        f"the query needed more than {limits.seconds:g} s or {limits.memory_mb} MB and was ended", hint="narrow it"
    )


def _fed(pipe: IO[bytes], body: bytes) -> None:
    with suppress(BrokenPipeError), pipe:
        pipe.write(body)
