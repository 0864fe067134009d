"""The caller's own copy of the rows they may see, in memory, and the SQL they run on it.

The copy is made at the first query and brought up to date by what changed since; when the caller may see more or less
than before, it is made anew. Nothing of another tenant is ever in it, so no query can reach it.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import duckdb

from elohim_kernel.store import locked
from elohim_kernel.store.changes import Changes
from elohim_kernel.store.locked import DEFAULT, Limits
from elohim_kernel.store.result import Result
from elohim_kernel.store.views import VIEWS

Fetch = Callable[[int, str], Changes]  # newest event we have, what we could see → what we do not have

_COMPRESS_AT: Final = 50_000  # new rows from which packing them is worth the time


class Snapshot:
    """One caller's copy. Thread-safe: queries see the copy before a refresh or after it, never half of one.

    >>> from datetime import UTC, datetime
    >>> from elohim_kernel.store.snapshot import Snapshot
    >>> nothing = Changes(0, "", False, {})
    >>> copy = Snapshot(lambda upto, visibility: nothing)
    >>> copy.query("select 40 + $more as answer", {"more": 2}).rows()
    [{'answer': 42}]
    """

    def __init__(self, fetch: Fetch, *, limits: Limits = DEFAULT) -> None:
        self._fetch = fetch
        self._limits = limits
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._upto = 0
        self._visibility = ""
        self._unpacked = 0

    @property
    def upto(self) -> int:
        """The number of the newest event in the copy; 0 before the first refresh."""
        return self._upto

    def refresh(self) -> int:
        """Bring the copy up to date; returns how many rows were fetched for it."""
        with self._lock:
            return self._refreshed(self._opened())

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Result:
        """The answer to one reading statement on the copy as it is; the first query makes the copy.

        `$name` in the statement is bound to `parameters["name"]`. Raises `Invalid` for a statement that is wrong
        or does more than read, and `TooLarge` when it takes more time or memory than the limits allow.
        """
        with self._lock:
            fresh = self._connection is None
            connection = self._opened()
            if fresh:
                self._refreshed(connection)
        return locked.run(connection, sql, parameters, self._limits)

    def close(self) -> None:
        """Forget the copy; the next query makes it anew."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._upto, self._visibility, self._unpacked = None, 0, "", 0

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = locked.connect(self._limits)
            self._connection.execute("create schema raw")
        return self._connection

    def _refreshed(self, connection: duckdb.DuckDBPyConnection) -> int:
        found = self._fetch(self._upto, self._visibility)
        if found.tables or found.whole:
            _take(connection, found)
            self._unpacked += found.rows
            self._pack(connection)
        self._upto, self._visibility = found.upto, found.visibility
        return found.rows

    def _pack(self, connection: duckdb.DuckDBPyConnection) -> None:
        if self._unpacked < _COMPRESS_AT:
            return
        # A query that runs right now may stand in the way; then the next refresh does it.
        with suppress(duckdb.TransactionException):
            connection.execute(f"checkpoint {locked.DATABASE}")
            self._unpacked = 0


def _take(connection: duckdb.DuckDBPyConnection, found: Changes) -> None:
    connection.execute("begin")
    try:
        if found.whole:
            _make_anew(connection)
        for name, rows in found.tables.items():
            connection.register("incoming", rows)
            try:
                _put(connection, name)
            finally:
                connection.unregister("incoming")
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.TransactionException):
            connection.rollback()
        raise


def _make_anew(connection: duckdb.DuckDBPyConnection) -> None:
    for name, view in VIEWS.items():
        if view.select:
            columns = ", ".join(f"{column} {kind}" for column, kind in view.columns.items())
            connection.execute(f"create or replace table raw.{name} ({columns})")
        connection.execute(f"create or replace view {name} as {view.sql or f'from raw.{name}'}")


def _put(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    key = VIEWS[name].key
    if key:
        connection.execute(f"delete from raw.{name} where {key} in (select {key} from incoming)")
    connection.execute(f"insert into raw.{name} by name from incoming")
