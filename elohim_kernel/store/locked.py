"""A DuckDB in memory that reaches nothing outside itself, and one reading statement run in it.

It opens no file, loads no extension, sees no Python variable, and its settings are locked. A statement runs in a
read-only transaction that is rolled back, with bound parameters, a deadline and a cap on rows. That guards a process
against mistakes; against a hostile query only a child process with limits helps, because memory and time of one
operator are not bounded here.
"""

import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

import duckdb
import pyarrow as pa

from elohim_kernel.errors import Invalid, KernelError, TooLarge
from elohim_kernel.model.value import Value
from elohim_kernel.store.result import Result

T = TypeVar("T")

DATABASE: Final = "snapshot"
_BATCH: Final = 100_000  # rows fetched at a time
_HINTS: Final = ("Did you mean", "Candidate bindings", "Candidate functions")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KIND: Final = duckdb.StatementType
_READING: Final = frozenset({_KIND.SELECT, _KIND.EXPLAIN, _KIND.RELATION})
_ONLY: Final = "one SELECT, WITH, FROM, PIVOT, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN"


class Limits(Value, frozen=True):
    """What one query may take."""

    seconds: float = 60.0
    rows: int = 1_000_000
    memory_mb: int = 4_096
    threads: int = 0  # 0: as many as there are cores


DEFAULT: Final = Limits()


def connect(limits: Limits = DEFAULT) -> duckdb.DuckDBPyConnection:
    """An empty database, locked; it compresses what is put in, so that a copy costs little memory.

    Rows enter it only as Arrow tables registered on this connection; cursors made from it do not see those.
    """
    settings: dict[str, str | int | float | list[str]] = {
        "allow_community_extensions": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "max_temp_directory_size": "0GB",
        "memory_limit": f"{limits.memory_mb}MB",
        "python_enable_replacements": False,
        "temp_directory": "",
    }
    if limits.threads:
        settings["threads"] = limits.threads
    connection = duckdb.connect(":memory:", config=settings)
    for statement in (
        "set TimeZone = 'UTC'",
        f"attach ':memory:' as {DATABASE} (compress)",
        f"use {DATABASE}",
        "set enable_external_access = false",
        "set lock_configuration = true",
    ):
        connection.execute(statement)
    return connection


def run(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Mapping[str, object] | None = None,
    limits: Limits = DEFAULT,
) -> Result:
    """The answer to one reading statement, on a cursor of its own.

    Raises `Invalid` for a statement that is wrong or does more than read, and for parameters that do not fit it;
    `TooLarge` when it takes more time or memory than it may.
    """
    cursor = connection.cursor()
    try:
        cursor.execute(f"use {DATABASE}")
        return answer(cursor, sql, parameters, limits)
    finally:
        cursor.close()


def answer(
    cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object] | None, limits: Limits
) -> Result:
    """The same on a connection that nobody else uses meanwhile."""
    bound = _bound(_names(cursor, sql), parameters or {})
    cursor.execute("begin transaction read only")
    return _limited(cursor, limits, lambda: _fetch(cursor, sql, bound, limits.rows))


def _names(cursor: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """The names of the parameters of the one statement in `sql`."""
    try:
        statements = cursor.extract_statements(sql)
    except duckdb.Error as wrong:
        raise refusal(wrong) from None
    if len(statements) != 1:
        count = len(statements) or "no"
        raise Invalid(f"there are {count} statements in this query", hint=f"write {_ONLY}")
    if not _reads(statements[0]):
        raise Invalid("this statement does not only read", hint=f"write {_ONLY}; work moves through commands")
    return set(statements[0].named_parameters)


def _reads(statement: duckdb.Statement) -> bool:
    try:
        kind = statement.type
    except ValueError:  # a type that the Python client has no name for
        return False
    # PIVOT over values that are not written out is several statements in one, the last of which gives rows.
    pivots = kind == _KIND.MULTI and duckdb.ExpectedResultType.QUERY_RESULT in statement.expected_result_type
    return kind in _READING or pivots


def _bound(names: set[str], given: Mapping[str, object]) -> dict[str, object]:
    if any(not _NAME.fullmatch(name) for name in names):
        raise Invalid("parameters without a name cannot be bound", hint="write $name instead of ?, and give name=value")
    missing, unknown = sorted(names - given.keys()), sorted(given.keys() - names)
    if missing:
        raise Invalid(f"the query uses ${', $'.join(missing)}, which was not given", hint=f"add {missing[0]}=…")
    if unknown:
        use = f"it uses ${', $'.join(sorted(names))}" if names else "write $name where its value belongs"
        raise Invalid(f"the query does not use {', '.join(unknown)}", hint=use)
    return dict(given)


def _limited(cursor: duckdb.DuckDBPyConnection, limits: Limits, work: Callable[[], T]) -> T:
    late = threading.Event()

    def stop() -> None:
        late.set()
        cursor.interrupt()

    timer = threading.Timer(limits.seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        return work()
    except duckdb.OutOfMemoryException:
        raise TooLarge(
            f"the query needs more than {limits.memory_mb} MB", hint="narrow it, or aggregate before joining"
        ) from None
    except duckdb.Error as wrong:
        if late.is_set():
            raise TooLarge(
                f"the query was stopped after {limits.seconds:g} s", hint="narrow it, or give it more time"
            ) from None
        raise refusal(wrong) from None
    finally:
        timer.cancel()
        with suppress(duckdb.Error):
            cursor.execute("rollback")


def _fetch(cursor: duckdb.DuckDBPyConnection, sql: str, bound: dict[str, object], cap: int) -> Result:
    reader = cursor.sql(sql, params=bound or None).to_arrow_reader(_BATCH)
    batches, count = [], 0
    while count <= cap:
        try:
            batches.append(reader.read_next_batch())
        except StopIteration:
            break
        count += batches[-1].num_rows
    reader.close()
    table = pa.Table.from_batches(batches, schema=reader.schema)
    return Result(table.slice(0, cap), cut=cap) if count > cap else Result(table)


def refusal(wrong: duckdb.Error) -> KernelError:
    """DuckDB's complaint as ours: its first line, and what it proposes instead."""
    lines = [line.strip() for line in str(wrong).splitlines() if line.strip()]
    first = re.sub(r"^[A-Za-z ]+ Error: ", "", lines[0]) if lines else "no reason given"
    proposal = next((line for line in lines[1:] if line.startswith(_HINTS)), None)
    return Invalid(f"the query is not right: {first[:300]}", hint=proposal[:300] if proposal else None)
