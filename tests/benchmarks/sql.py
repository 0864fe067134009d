"""Analyst SQL on a copy of a million findings, against the same query asked of DuckDB directly.

Two floors: the store's own file, and a table in memory that was made of the same rows. Each query is timed in turns
with its floors, so that a busy machine slows all of them. Then what making the copy and refreshing it costs.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from elohim_kernel.errors import KernelError
from elohim_kernel.model.access import GLOBAL, Principal, Visibility
from elohim_kernel.model.record import FindingsRecorded
from elohim_kernel.model.workflow import Definition, Stage, WorkflowCreated
from elohim_kernel.store.changes import changes
from elohim_kernel.store.snapshot import Snapshot
from elohim_kernel.store.store import Caller, Store
from elohim_kernel.store.tables import SIGHTINGS
from elohim_kernel.store.unit import Unit

FINDINGS = 1_000_000
ROUNDS = 9
_WHO, _FLOW = "us_bench", "wf_bench"
_NOW = datetime(2026, 11, 22, tzinfo=UTC)

QUERIES = {
    "by severity": "select severity, count(*) as n from findings group by all",
    "by severity and week": (
        "select severity, date_trunc('week', first_seen) as week, count(*) as n from findings group by all"
    ),
    "top files": "select path, count(*) as n from findings group by path order by n desc limit 20",
    "open and severe by rule": (
        "select rule, count(*) as n from findings where state = 'new' and severity in ('critical', 'high')"
        " group by rule"
    ),
    "text search": "select count(*) as n from findings where contains(message, '4321')",
    "distinct": "select count(distinct fingerprint) as n from findings",
    "one finding": "select id, path, line, message from findings where id = 'fd_000000000000000000000000000b71b0'",
    "newest hundred": "select id, rule, path, last_seen from findings order by last_seen desc, id limit 100",
    "worst per file": (
        "select path, rule, severity, line from findings where severity = 'critical'"
        " qualify row_number() over (partition by path order by line, id) = 1"
    ),
}

Row = dict[str, object]


class _Deed:
    """Events to be recorded, decided by a function."""

    def __init__(self, act: Callable[[Unit], object]) -> None:
        self.caller = Caller(principal=_WHO)
        self._act = act

    def run(self, unit: Unit) -> None:
        self._act(unit)

    def refuse(self, unit: Unit, error: KernelError) -> None: ...

    def recall(self, result: str) -> None: ...


def run() -> list[Row]:
    """Queries, then the copy."""
    with _store() as store:
        copy = Snapshot(lambda wanted: changes(store, _WHO, wanted))
        before = _resident_mb()
        first = _seconds(lambda: copy.query(QUERIES["by severity"]))
        loose = _resident_mb() - before
        copy.query(QUERIES["by severity"])
        packing = _seconds(_until_packed)
        rows = [*_queries(store, copy), *_copying(store, copy, first), _row("packing it, beside queries", packing, "s")]
        copy.close()
    return [*rows, _row("memory of the copy before it is packed", loose, "MB")]


def _until_packed() -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()


def _queries(store: Store, copy: Snapshot) -> Iterator[Row]:
    memory = duckdb.connect(":memory:")
    memory.execute("set TimeZone = 'UTC'")
    memory.register("incoming", store.database.read("from findings"))
    memory.execute("create table findings as from incoming")
    memory.unregister("incoming")
    ratios: dict[str, list[float]] = {"the store's file": [], "a table in memory": []}
    for name, sql in QUERIES.items():
        floors = {
            "the store's file": lambda sql=sql: store.database.read(sql),
            "a table in memory": lambda sql=sql: memory.sql(sql).to_arrow_table(),
        }
        ours, least = _in_turns(lambda sql=sql: copy.query(sql), floors)
        for floor, seconds in least.items():
            ratios[floor].append(ours / seconds)
        file = least["the store's file"]
        yield _row(f"sql, {name}, to the file", ours * 1000, "ms", file * 1000, ours / file)
    memory.close()
    for floor, found in ratios.items():
        yield _row(f"sql, median ratio to {floor}", "", "", "", statistics.median(found), "≤ 1.3")


def _in_turns(ours: Callable[[], object], floors: dict[str, Callable[[], object]]) -> tuple[float, dict[str, float]]:
    times: dict[str, list[float]] = {name: [] for name in ("", *floors)}
    for _ in range(ROUNDS + 1):
        for name, ask in (("", ours), *floors.items()):
            times[name].append(_seconds(ask))
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}
    return medians.pop(""), medians


def _copying(store: Store, copy: Snapshot, first: float) -> Iterator[Row]:
    bare = _seconds(lambda: store.database.read("from findings"))
    yield _row("first copy of 1 M findings, to reading them from the file", first, "s", bare, first / bare)
    used = copy.query("select sum(memory_usage_bytes) / 1e6 as mb from duckdb_memory()").rows()[0]["mb"]
    yield _row("memory of the copy", used, "MB")
    for count in (1_000, 10_000):
        seconds = []
        for turn in range(5):
            _record(store, FINDINGS + turn * 20_000 + count, count)
            store.flush()
            seconds.append(_seconds(copy.refresh))
        taken = statistics.median(seconds)
        name = f"refresh after {count:,} new findings, to the first copy"
        yield _row(name, taken * 1000, "ms", first * 1000, taken / first)
    yield _row("refresh with nothing new", _seconds(copy.refresh) * 1000, "ms")


def _row(measure: str, value: object, unit: str, floor: object = "", ratio: object = "", bound: str = "") -> Row:
    shown = [round(each, 2) if isinstance(each, float) else each for each in (value, floor, ratio)]
    return {
        "measure": measure,
        "value": shown[0],
        "unit": unit,
        "floor": shown[1],
        "ratio": shown[2],
        "bound": bound,
    }


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@contextmanager
def _store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="elohim-bench-") as folder:
        store = Store(Path(folder) / "bench.duckdb", now=lambda: _NOW)
        store.memory.put(Principal(id=_WHO, name="bench"), 0, dirty=False)
        plan = Definition(name="Review", stages=(Stage(key="triage", name="Triage"),))
        made = WorkflowCreated(name="Review", visibility=Visibility.GLOBAL, tenant=GLOBAL, definition=plan)
        store.do(_Deed(lambda unit: unit.emit(made, subject=_FLOW, scope=_FLOW)))
        for first in range(0, FINDINGS, 100_000):
            _record(store, first, 100_000)
        store.idle()
        yield store
        store.close()


def _record(store: Store, first: int, count: int) -> None:
    numbers = range(first, first + count)

    def act(unit: Unit) -> None:
        unit.insert("sightings", _sightings(unit.next_seq, numbers))
        found = FindingsRecorded(
            workflow=_FLOW,
            repository="/src",
            tool="ruff",
            status="findings",
            reason="",
            head="h",
            ref="main",
            count=count,
        )
        unit.emit(found, subject=_FLOW, scope=_FLOW)

    store.do(_Deed(act))


def _sightings(seq: int, numbers: range) -> pa.Table:
    severities = ("critical", "high", "medium", "low", "info")
    varied: dict[str, Callable[[int], object]] = {
        "finding": lambda n: f"fd_{n:032x}",
        "rule": lambda n: f"E{n * 7 % 300}",
        "severity": lambda n: severities[n * 31 % 97 % 5],
        "path": lambda n: f"src/package{n * 13 % 41}/module{n * 17 % 1999}.py",
        "line": lambda n: n * 13 % 800,
        "symbol": lambda n: f"function_{n % 900}",
        "message": lambda n: f"the value of thing number {n % 50_000} is never used",
        "snippet": lambda n: f"value_{n % 70_001} = compute({n % 1_009})",
        "fingerprint": lambda n: f"v1:{n * 2_654_435_761 % 2**64:016x}",
        "seen_at": lambda n: _NOW - timedelta(minutes=n % 300_000),
    }
    same = {"seq": seq, "scope": _FLOW, "tool": "ruff", "repository": "/src", "ref": "main", "head": "h"}
    same |= {"confidence": "medium", "category": "quality"}
    blank = {pa.int64(): 0, pa.bool_(): False}
    columns = [
        pa.array(map(varied[field.name], numbers), field.type)
        if field.name in varied
        else pa.repeat(pa.scalar(same.get(field.name, blank.get(field.type, "")), field.type), len(numbers))
        for field in SIGHTINGS
    ]
    return pa.Table.from_arrays(columns, schema=SIGHTINGS)
