"""The schema and its migrations: each runs once, in one transaction with its record."""

from collections.abc import Callable
from typing import Final

import duckdb
import pyarrow as pa

from elohim_kernel.errors import Incompatible
from elohim_kernel.store.tables import NOTIFICATIONS, SIGHTINGS, TABLES, sql_of

_EVENTS: Final = (
    "create table events (seq BIGINT, ts TIMESTAMPTZ, kind VARCHAR, subject VARCHAR, scope VARCHAR, actor VARCHAR,"
    " request VARCHAR, body VARCHAR, hash VARCHAR)"
)

_FINDINGS: Final = (
    "create table findings (id VARCHAR, scope VARCHAR, seq BIGINT, repository VARCHAR, item VARCHAR, state VARCHAR,"
    " tool VARCHAR, rule VARCHAR, severity VARCHAR, confidence VARCHAR, category VARCHAR, cwe BIGINT, path VARCHAR,"
    ' line BIGINT, end_line BIGINT, "column" BIGINT, symbol VARCHAR, message VARCHAR, snippet VARCHAR,'
    " remediation VARCHAR, on_changed_line BOOLEAN, tool_id VARCHAR, context VARCHAR, fingerprint VARCHAR, ref VARCHAR,"
    " head VARCHAR, first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ, first_seq BIGINT, sightings BIGINT,"
    " regressions BIGINT)"
)


_LATER: Final = frozenset({"decisions"})  # tables that later migrations bring
_SIGHTINGS_AT_FIRST: Final = 27  # columns

_FINDINGS_MORE: Final = (
    "seen VARCHAR",
    "tool_severity VARCHAR",
    "advisories VARCHAR[]",
    "evidence VARCHAR",
    "related VARCHAR",
    "suppressed VARCHAR",
    "suppression_is_new BOOLEAN",
    "secret VARCHAR",
    "owners VARCHAR[]",
    "problem VARCHAR",
    "is_new BOOLEAN",
    "aliases VARCHAR[]",
    "identity VARCHAR",
    "path_kind VARCHAR",
    "decision VARCHAR",
    "reason VARCHAR",
    "decided_until TIMESTAMPTZ",
    "fixed_at TIMESTAMPTZ",
    "clock_from TIMESTAMPTZ",
    "sla_due TIMESTAMPTZ",
)
_EMPTY: Final = {"VARCHAR": "''", "VARCHAR[]": "[]::VARCHAR[]", "BOOLEAN": "false", "TIMESTAMPTZ": "null"}


def _first(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(_EVENTS)
    for table in TABLES:
        if table.name not in _LATER:
            connection.execute(f"create table {table.name} ({table.sql_columns})")
    connection.execute(f"create table notifications ({sql_of(NOTIFICATIONS)})")
    connection.execute(f"create table sightings ({sql_of(pa.schema(list(SIGHTINGS)[:_SIGHTINGS_AT_FIRST]))})")
    connection.execute(_FINDINGS)
    connection.execute("create table watermark (seq BIGINT)")
    connection.execute("insert into watermark values (0)")


def _findings_with_evidence(connection: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES:
        if table.name == "decisions":
            connection.execute(f"create table {table.name} ({table.sql_columns})")
    sightings = sql_of(pa.schema(list(SIGHTINGS)[_SIGHTINGS_AT_FIRST:])).split(", ")
    for name, columns in (("sightings", sightings), ("findings", _FINDINGS_MORE)):
        for column in columns:
            kind = column.rpartition(" ")[2]
            connection.execute(f"alter table {name} add column {column} default {_EMPTY[kind]}")
    connection.execute("update sightings set identity = fingerprint, path_kind = 'source', related = '[]'")
    # Days as they were by default: the policy of workflows came with this migration.
    connection.execute(
        "update findings set seen = state, identity = fingerprint, path_kind = 'source', related = '[]',"
        " clock_from = first_seen, sla_due = first_seen + to_days(case severity when 'critical' then 7"
        " when 'high' then 30 when 'medium' then 90 when 'low' then 180 end),"
        " fixed_at = case when state = 'fixed' then (select e.ts from events e where e.seq = findings.seq) end"
    )


MIGRATIONS: Final[tuple[tuple[str, Callable[[duckdb.DuckDBPyConnection], None]], ...]] = (
    ("first schema", _first),
    ("findings with evidence", _findings_with_evidence),
)
SCHEMA_VERSION: Final = len(MIGRATIONS)


def applied(connection: duckdb.DuckDBPyConnection) -> int:
    """How many migrations the store has seen; reads only."""
    # fetchall, not fetchone: a result that is not read to its end keeps the connection busy.
    if not connection.execute("select 1 from duckdb_tables() where table_name = 'migrations'").fetchall():
        return 0
    return int(connection.execute("select count(*) from migrations").fetchall()[0][0])


def migrate(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Bring the store to our schema; raises `Incompatible` when a newer program has been here."""
    done = applied(connection)
    if done > SCHEMA_VERSION:
        raise Incompatible(
            f"{path} has schema {done}, this program knows {SCHEMA_VERSION}",
            hint="use the newer elohim_kernel, or another home",
        )
    for number, (name, change) in enumerate(MIGRATIONS[done:], start=done + 1):
        connection.execute("begin")
        try:
            connection.execute(
                "create table if not exists migrations (number BIGINT, name VARCHAR, applied_at TIMESTAMPTZ)"
            )
            change(connection)
            connection.execute("insert into migrations values ($1, $2, now())", [number, name])
            connection.execute("commit")
        except BaseException:
            connection.rollback()
            raise
