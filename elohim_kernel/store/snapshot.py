"""The caller's own copy of the rows they may see, in memory, and the SQL they run on it.

A view is copied when a query first names it, and brought up to date by what changed since; when the caller may see more
or less than before, it is copied anew. Nothing of another tenant is ever in the copy, so no query can reach it.
"""

import re
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import duckdb

from elohim_kernel.store import locked
from elohim_kernel.store.changes import Changes
from elohim_kernel.store.locked import DEFAULT, Limits
from elohim_kernel.store.result import Result
from elohim_kernel.store.views import COPIED, VIEWS
from elohim_kernel.store.wire import Wanted

Fetch = Callable[[Wanted], Changes]

_PACK_AT: Final = 50_000  # loose rows from which packing them is worth the time
_BY_TEXT: Final = frozenset({"query", "query_table"})  # what they read is not written as a name


class Snapshot:
    """One caller's copy. Thread-safe: queries see the copy before a refresh or after it, never half of one.

    >>> copy = Snapshot(lambda wanted: Changes(0, "", (), {}))
    >>> copy.query("select 40 + $more as answer", {"more": 2}).rows()
    [{'answer': 42}]
    """

    def __init__(self, fetch: Fetch, *, limits: Limits = DEFAULT) -> None:
        self._fetch = fetch
        self._limits = limits
        self._lock = threading.Lock()
        self._have = Wanted()
        self._copy: _Copy | None = None

    @property
    def upto(self) -> int:
        """The number of the newest event in the copy; 0 when nothing is copied yet."""
        return self._have.since

    def refresh(self) -> int:
        """Bring what is copied up to date; returns how many rows were fetched for it."""
        with self._lock:
            return self._refreshed(self._opened(), ())

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Result:
        """The answer to one reading statement on the copy as it is; views that it names first are copied first.

        `$name` in the statement is bound to `parameters["name"]`. Raises `Invalid` for a statement that is wrong or
        does more than read, and `TooLarge` when it takes more time or memory than the limits allow.
        """
        copy, named = self._copy, _named(sql)
        if copy is None or not named.issubset(self._have.held):
            with self._lock:
                copy = self._opened()
                missing = named.difference(self._have.held)
                if missing:
                    self._refreshed(copy, sorted(missing))
        else:
            copy.pack()
        return locked.run(copy.connection, sql, parameters, self._limits)

    def close(self) -> None:
        """Forget the copy; the next query makes it anew."""
        with self._lock:
            if self._copy is not None:
                self._copy.close()
            self._copy, self._have = None, Wanted()

    def _opened(self) -> "_Copy":
        if self._copy is None:
            self._copy = _Copy(self._limits)
        return self._copy

    def _refreshed(self, copy: "_Copy", new: Iterable[str]) -> int:
        wanted = Wanted(since=self._have.since, visibility=self._have.visibility, held=self._have.held, new=tuple(new))
        found = self._fetch(wanted)
        copy.take(found, wanted.since)
        self._have = Wanted(since=found.upto, visibility=found.visibility, held=(*wanted.held, *wanted.new))
        return found.rows


class _Copy:
    """The database that holds the copy: all views are there from the start, without rows."""

    def __init__(self, limits: Limits) -> None:
        self.connection = locked.connect(limits)
        self._loose = 0
        self._packers: list[threading.Thread] = []
        # The end of the program must not pull the database away from under a packer.
        weakref.finalize(self, _joined, self._packers)
        self.connection.execute("create schema raw")
        for name, view in VIEWS.items():
            if view.select:
                self.connection.execute(_empty(name))
            self.connection.execute(f"create view {name} as {view.sql or f'from raw.{name}'}")

    def take(self, found: Changes, since: int) -> None:
        """Put new rows in place, all or none; what the copy holds is as of event `since`."""
        if not found.tables and not found.whole:
            return
        self.connection.execute("begin")
        try:
            for name in found.whole:
                self.connection.execute(_empty(name))
            for name, rows in found.tables.items():
                self.connection.register("incoming", rows)
                try:
                    _put(self.connection, name, 0 if name in found.whole else since)
                finally:
                    self.connection.unregister("incoming")
            self.connection.execute("commit")
        except BaseException:
            with suppress(duckdb.TransactionException):
                self.connection.rollback()
            raise
        self._loose += found.rows

    def pack(self) -> None:
        """Begin to compress loose rows, beside the queries: they take less memory then, and are read faster."""
        if self._loose < _PACK_AT or any(packer.is_alive() for packer in self._packers):
            return
        self._loose = 0
        self._packers[:] = [threading.Thread(target=_packed, args=(self.connection.cursor(),), daemon=True)]
        self._packers[0].start()

    def close(self) -> None:
        """Give the memory back."""
        _joined(self._packers)
        self.connection.close()


def _packed(cursor: duckdb.DuckDBPyConnection) -> None:
    # It is an optimisation: what stands in its way now will not the next time.
    with suppress(duckdb.Error):
        cursor.execute(f"checkpoint {locked.DATABASE}")
    cursor.close()


def _joined(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


def _named(sql: str) -> frozenset[str]:
    """The copied views that a statement may need: too many cost time, too few would look like no rows."""
    words = frozenset(re.findall(r"\w+", sql.lower()))
    if words & _BY_TEXT:
        return frozenset(COPIED)
    named = [name for name in VIEWS if name in words]
    return frozenset(copied for name in named for copied in VIEWS[name].needs or (name,))


def _empty(name: str) -> str:
    columns = ", ".join(f"{column} {kind}" for column, kind in VIEWS[name].columns.items())
    return f"create or replace table raw.{name} ({columns})"


def _put(connection: duckdb.DuckDBPyConnection, name: str, since: int) -> None:
    """Add the incoming rows; those that the table may hold already, as of event `since`, take the old ones' place."""
    view = VIEWS[name]
    if view.key and since:
        known = f"where {view.born} <= {since:d}" if view.born else ""
        connection.execute(f"delete from raw.{name} where {view.key} in (select {view.key} from incoming {known})")
    connection.execute(f"insert into raw.{name} by name from incoming")
