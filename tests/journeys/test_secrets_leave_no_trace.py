"""Secrets of every kind in code and settings, scanned for real: no value lies anywhere afterwards."""

import base64
import json
import runpy
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pygit2
import pytest

import elohim_kernel as ek
from elohim_kernel.model.value import to_json
from elohim_kernel.store.client import Client

PLANTED = runpy.run_path(str(Path(__file__).parents[1] / "engines" / "planted_secrets.py"))
SECRETS = list(PLANTED["positives"](31, each=10))
ENGINES = ("ruff", "bandit", "secrets", "detect-secrets")

CODE = """import os, pickle


def open_it(host, password={value}):
    unused = 1
    pickle.loads(b""), eval({value})
    return connect(host, user="me", password={value})


TOKEN = {value}
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with three hundred secrets, half of them in code that other tools complain about."""
    place = tmp_path_factory.mktemp("leaky") / "service"
    git = pygit2.init_repository(place, initial_head="main")
    index = pygit2.Index()
    for number, (kind, value, line) in enumerate(SECRETS):
        in_code = number % 2
        path = f"app/m{number}.py" if in_code else f"conf/c{number}.conf"
        text = CODE.format(value=json.dumps(value)) if in_code else f"# {kind}\n{line}\n"
        index.add(pygit2.IndexEntry(path, git.create_blob(text.encode()), pygit2.enums.FileMode.BLOB))
    who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000, 0)
    git.create_commit("refs/heads/main", who, who, "Begin", index.write_tree(git), [])
    return place


def needles() -> list[bytes]:
    """Every value, each line of those that have several, and both in base64."""
    parts = {value for _, value, _ in SECRETS}
    parts |= {line for value in parts for line in value.splitlines() if not line.startswith("-----")}
    plain = [part.encode() for part in parts]
    return [*plain, *(base64.b64encode(part) for part in plain)]


def found_in(content: bytes) -> list[bytes]:
    return [needle for needle in needles() if needle in content]


def rows_of(database: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            rows = connection.table(name).project("cast(columns(*) as varchar)").fetchall()
            yield name, "\n".join(map(repr, rows)).encode()


def cached_in(file: Path) -> bytes:
    with sqlite3.connect(file) as connection:
        values = [value for (value,) in connection.execute("select value from entries")]
    return b"\n".join(values + [_inflated(value) for value in values])


def _inflated(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


def test_three_hundred_secrets_leave_no_trace_in_store_cache_log_or_report(shell: Any, hostile: Path, tmp_path: Path):
    choice = [word for name in ENGINES for word in ("--engine", name)]
    sarif = tmp_path / "out.sarif"

    done = shell("scan", str(hostile), *choice, "--sarif", str(sarif), "--json")
    listed = shell("findings", "list", "--json")
    Client(shell.home, start=False).stop()

    told = json.loads(done.stdout)
    assert {run["engine"]: run["status"] for run in told["runs"]} == dict.fromkeys(ENGINES, "findings")
    assert sum(run["findings"] for run in told["runs"] if run["engine"] == "secrets") >= 300
    traces = {"json": done.stdout.encode(), "complaints": done.stderr.encode(), "sarif": sarif.read_bytes()}
    traces["list"] = (listed.stdout + listed.stderr).encode()
    traces |= {str(path): path.read_bytes() for path in shell.home.rglob("*") if path.is_file()}
    traces |= dict(rows_of(next(shell.home.glob("*.duckdb"))))
    traces["cached"] = cached_in(next(shell.home.rglob("engines.sqlite")))
    assert len(traces["sightings"]) > 100_000
    assert len(traces["cached"]) > 10_000
    assert {name: found_in(content)[:3] for name, content in traces.items() if found_in(content)} == {}


def test_a_workbench_in_memory_tells_none_of_them_either(hostile: Path):
    with ek.open(":memory:") as workbench:
        scan = workbench.scan(hostile, engines=("ruff", "secrets"))
        rows = workbench.sql("from findings").rows()

    assert len(rows) >= 300
    assert found_in(to_json(scan).encode()) == []
    assert found_in(repr(rows).encode()) == []
