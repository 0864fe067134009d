"""One DuckDB database: opening it, our settings, and turning its errors into ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from elohim_kernel.errors import Fault, Incompatible, KernelError, Unavailable
from elohim_kernel.store.schema import SCHEMA_VERSION, migrate

MEMORY = ":memory:"

_SETTINGS: dict[str, str | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
}


class Database:
    """A connection that counts its statements and commits, so that tests can hold us to them."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self.statements = 0
        self.commits = 0
        with translated(path):
            self._connection = duckdb.connect(str(path), config=_SETTINGS)
            self._connection.execute("set TimeZone = 'UTC'")
            migrate(self._connection, str(path))

    def execute(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> None:
        """Run one statement that changes something; alone it is its own transaction."""
        with translated(self.path):
            self._connection.execute(sql, parameters or None)
        self.statements += 1
        self.commits += not self._in_transaction

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append Arrow rows to a table with the same columns in the same order."""
        with translated(self.path):
            # A third cheaper than registering the rows under a name and selecting from it.
            self._connection.from_arrow(rows).insert_into(table)
        self.statements += 1
        self.commits += not self._in_transaction

    def replace(self, table: str, rows: pa.Table) -> None:
        """Put rows in place of those with the same id: two statements, whatever the number of rows."""
        with self._shown(rows):
            self.execute(f"delete from {table} where id in (select id from incoming)")
            self.execute(f"insert into {table} by name select * from incoming")

    _in_transaction = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.execute_control("begin")
        self._in_transaction = True
        try:
            yield
            self.execute_control("commit")
            self.commits += 1
        except BaseException:
            self._in_transaction = False
            # A commit that failed has ended the transaction, or broken the database: that must not hide why it failed.
            with suppress(duckdb.Error):
                self._connection.rollback()
            raise
        finally:
            self._in_transaction = False

    def execute_control(self, word: str) -> None:
        """`begin`, `commit` or `checkpoint`: not counted as statements."""
        with translated(self.path):
            self._connection.execute(word)

    def read(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Rows as Arrow, read on a cursor of its own so that readers do not wait for the writer."""
        with translated(self.path):
            cursor = self._connection.cursor()
            try:
                return cursor.sql(sql, params=dict(parameters) if parameters else None).to_arrow_table()
            finally:
                cursor.close()

    @contextmanager
    def reading(self) -> Iterator[Callable[[str, Mapping[str, object]], pa.Table]]:
        """A function that reads; all that it reads is the store as it is at one moment."""
        with translated(self.path):
            cursor = self._connection.cursor()
            try:
                cursor.execute("begin transaction read only")
                yield lambda sql, parameters: cursor.sql(sql, params=dict(parameters) or None).to_arrow_table()
                cursor.execute("rollback")
            finally:
                cursor.close()

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """Rows as dicts: for few rows. Values are SQL values, hence `Any`."""
        found: list[dict[str, Any]] = self.read(sql, parameters).to_pylist()
        return found

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file."""
        self.execute_control("checkpoint")

    def close(self) -> None:
        """Close the file; a later process may open it."""
        self._connection.close()

    @contextmanager
    def _shown(self, rows: pa.Table) -> Iterator[None]:
        self._connection.register("incoming", rows)
        try:
            yield
        finally:
            # In a transaction that failed this fails too, and must not hide why it did.
            with suppress(duckdb.Error):
                self._connection.unregister("incoming")


@contextmanager
def translated(path: Path | str) -> Iterator[None]:
    """Turn DuckDB's errors into ours, keeping the cause."""
    try:
        yield
    except KernelError:
        raise
    except duckdb.IOException as wrong:
        text = str(wrong)
        if "Could not set lock" in text:
            raise Unavailable(f"another process holds {path}", hint="it will be used through its owner") from wrong
        if "newer version" in text or "version number" in text:
            raise Incompatible(
                f"{path} was written by another version of DuckDB", hint=f"ours is {duckdb.__version__}"
            ) from wrong
        raise Unavailable(
            f"the store {path} cannot be used: {_first_line(text)}", hint="check space and rights"
        ) from wrong
    except duckdb.TransactionException as wrong:
        raise Unavailable(
            f"the store {path} could not be written: {_first_line(str(wrong))}", hint="check the disk"
        ) from wrong
    except (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException) as wrong:
        raise Unavailable(
            f"the store {path} is damaged or full: {_first_line(str(wrong))}", hint="check the disk"
        ) from wrong
    except duckdb.Error as wrong:
        raise Fault(f"the store refused a statement of ours: {_first_line(str(wrong))}") from wrong


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else "no reason given"


__all__ = ["MEMORY", "SCHEMA_VERSION", "Database", "translated"]
