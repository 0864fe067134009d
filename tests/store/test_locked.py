"""A locked database: what one statement may do, how its parameters are bound, and how it ends."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from elohim_kernel.errors import Invalid, KernelError, TooLarge
from elohim_kernel.store import locked
from elohim_kernel.store.locked import Limits

secret_rows = pa.table({"leak": ["a Python variable"]})


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = locked.connect(Limits(threads=1))
    opened.execute("create table findings as select 'E' || range as rule, range as line from range(1000)")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) as n from findings",
        "with a as (from findings) select * from a",
        "from findings limit 3",
        "values (1)",
        "table findings",
        "describe findings",
        "summarize findings",
        "show tables",
        "explain select * from findings",
        "pivot findings on line % 2 using count(*)",
        "from findings pivot (count(*) for rule in ('E1', 'E2'))",
        "unpivot findings on line",
    ],
)
def test_every_way_of_reading_works(connection: duckdb.DuckDBPyConnection, sql: str):
    assert len(locked.run(connection, sql)) > 0


@pytest.mark.parametrize(
    "sql",
    [
        "delete from findings",
        "insert into findings values ('x', 1)",
        "with gone as (delete from findings returning *) from gone",
        "explain analyze delete from findings",
        "create table other as select 1",
        "create or replace view findings as select 1",
        "drop table findings",
        "attach ':memory:' as other",
        "set variable x = 1",
        "set threads = 9",
        "pragma threads = 9",
        "use memory",
        "begin",
        "call pragma_version()",
        "prepare x as select 1",
        "checkpoint",
        "select 1; delete from findings",
        "load json",
        "copy findings to 'out.csv'",
        "connect 'x'",
    ],
)
def test_nothing_that_changes_anything_is_run(
    connection: duckdb.DuckDBPyConnection, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    before = connection.sql("from findings").fetchall(), connection.sql("from duckdb_settings()").fetchall()

    with pytest.raises(Invalid):
        locked.run(connection, sql)

    assert (connection.sql("from findings").fetchall(), connection.sql("from duckdb_settings()").fetchall()) == before
    assert connection.sql("from duckdb_databases() where not internal").fetchall().__len__() == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "from '{file}'",
        "from read_text('{file}')",
        "from read_csv('{file}')",
        "from glob('{folder}/*')",
        "from query('from read_text(''{file}'')')",
        "select getenv('HOME')",
        "from secret_rows",
        "from connection",
    ],
)
def test_files_variables_and_the_environment_are_out_of_reach(
    connection: duckdb.DuckDBPyConnection, sql: str, tmp_path: Path
):
    file = tmp_path / "secret.csv"
    file.write_text("secret\n")

    try:
        said = str(locked.run(connection, sql.format(file=file, folder=tmp_path)).rows())
    except KernelError as refused:
        said = str(refused).replace(str(tmp_path), "")

    assert "secret\n" not in said
    assert "a Python variable" not in said
    assert str(Path.home()) not in said


def test_a_parameter_is_bound_and_never_pasted(connection: duckdb.DuckDBPyConnection):
    given = {"text": "x' or '1'='1", "many": ["E1", "E2"], "when": datetime(2026, 11, 22, tzinfo=UTC)}

    sql = "select count(*) filter (rule = $text) as none, count(*) filter (rule in $many) as two, max($when) as moment"
    result = locked.run(connection, f"{sql} from findings", given)

    assert result.rows() == [{"none": 0, "two": 2, "moment": "2026-11-22T00:00:00+00:00"}]


@pytest.mark.parametrize(
    ("sql", "given", "message"),
    [
        ("select $item", {}, r"uses \$item, which was not given; add item=…"),
        ("select $item", {"item": 1, "itme": 2}, r"does not use itme; it uses \$item"),
        ("select 1", {"item": 1}, r"does not use item; write \$name where"),
        ("select ?", {}, r"without a name cannot be bound; write \$name"),
        ("select $1", {"1": 2}, r"without a name cannot be bound"),
        ("select $item", {"item": object()}, "not right"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_with_what_to_do(
    connection: duckdb.DuckDBPyConnection, sql: str, given: dict[str, object], message: str
):
    with pytest.raises(Invalid, match=message):
        locked.run(connection, sql, given)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select * from finding", 'finding does not exist!; Did you mean "findings"'),
        ("select rul from findings", '"rul" not found in FROM clause!; Candidate bindings: "rule"'),
        ("selec 1", 'syntax error at or near "selec"'),
        ("", "no statements in this query; write one SELECT"),
        ("-- nothing", "no statements"),
        ("select 1; select 2", "2 statements"),
        ("delete from findings", "does not only read; write one SELECT"),
        ("select 'x'::int", "Could not convert string"),
    ],
)
def test_a_wrong_query_is_told_in_one_line_with_what_is_near(
    connection: duckdb.DuckDBPyConnection, sql: str, message: str
):
    with pytest.raises(Invalid, match=message) as refused:
        locked.run(connection, sql)

    assert "\n" not in str(refused.value)


def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_works(connection: duckdb.DuckDBPyConnection):
    started = time.monotonic()

    with pytest.raises(TooLarge, match=r"stopped after 0\.5 s; narrow it"):
        locked.run(connection, "select count(*) from range(10000000000) as a, range(1000)", None, Limits(seconds=0.5))

    assert time.monotonic() - started < 10
    assert locked.run(connection, "select 1 as one").rows() == [{"one": 1}]


def test_a_query_that_needs_too_much_memory_is_refused():
    small = Limits(memory_mb=64, threads=1)
    connection = locked.connect(small)

    with pytest.raises(TooLarge, match="more than 64 MB"):
        locked.run(connection, "select list(range) from range(100000000)", None, small)

    assert locked.run(connection, "select 1 as one", None, small).rows() == [{"one": 1}]


@pytest.mark.parametrize(("rows", "cut"), [(999, 0), (1_000, 0), (1_001, 1_000), (300_000, 1_000)])
def test_the_cap_on_rows_is_said_exactly_when_it_cuts(connection: duckdb.DuckDBPyConnection, rows: int, cut: int):
    sql = "select range as n from range($rows) order by n"

    result = locked.run(connection, sql, {"rows": rows}, Limits(rows=1_000))

    assert len(result) == min(rows, 1_000)
    assert result.cut == cut
    assert result.arrow()["n"].to_pylist() == list(range(min(rows, 1_000)))


def test_many_threads_query_one_copy_at_once(connection: duckdb.DuckDBPyConnection):
    found: list[int] = []

    def ask(number: int) -> None:
        rows = locked.run(
            connection, "select count(*) as n from findings where line < $below", {"below": number}
        ).rows()
        found.append(rows[0]["n"] - number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(0, 800, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [0] * len(threads)
