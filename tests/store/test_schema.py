"""Stores of earlier programs go on: what they lack is added, and what they hold stays."""

from functools import partial
from pathlib import Path

import duckdb
import pytest

from elohim_kernel import registry
from elohim_kernel.findings.recording import RecordFindings, finding_rows
from elohim_kernel.gate import Gate
from elohim_kernel.model.finding import EngineStatus, Finding, Severity
from elohim_kernel.runtime.inline import Parts, open_gate
from elohim_kernel.store.schema import MIGRATIONS, SCHEMA_VERSION, applied
from elohim_kernel.testing import FakeClock, workbench_on

FIRST = {
    "sightings": "is_new problem owners secret suppression_is_new suppressed related evidence advisories tool_severity"
    " aliases identity matched path_kind",
    "findings": "is_new problem owners secret suppression_is_new suppressed related evidence advisories tool_severity"
    " aliases identity path_kind seen decision reason decided_until fixed_at clock_from sla_due",
}


def opened(path: Path, clock: FakeClock) -> Gate:
    return open_gate(path, Parts(registry.catalogue, partial(registry.prepare, user="ann")), now=clock.now)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with two findings, one of them fixed."""
    found = tmp_path / "old.duckdb"
    clock = FakeClock()
    gate = opened(found, clock)
    ann = workbench_on(gate, "ann")
    ann.define("name: Scan\nstages: [{key: look}]")
    seen = [
        Finding(
            rule=rule, severity=severity, message="m", path="src/a.py", line=1, tool="ruff", fingerprint=f"v1:{rule}"
        )
        for rule, severity in (("E1", Severity.HIGH), ("E2", Severity.INFO))
    ]
    for findings in (seen, seen[:1]):
        clock.advance(hours=1)
        record = RecordFindings(
            workflow="Scan", repository="/src", tool="ruff", status=EngineStatus.FINDINGS, reason="", ref="main",
            covered=("src/a.py",), rows=finding_rows(findings), head=str(len(findings)),
        )  # fmt: skip
        ann.do(record)
    gate.store.close()
    return found


def made_old(path: Path) -> None:
    with duckdb.connect(str(path)) as store:
        for table, columns in FIRST.items():
            for column in columns.split():
                store.execute(f"alter table {table} drop column {column}")
        store.execute("drop table decisions")
        store.execute("delete from migrations where number > 1")
        assert applied(store) == 1


def findings(gate: Gate) -> list[str]:
    gate.store.flush()
    return sorted(map(repr, gate.store.database.rows("from findings")))


def test_a_store_of_the_first_schema_gets_what_it_lacks_and_keeps_what_it_has(path: Path):
    gate = opened(path, FakeClock())
    before = findings(gate)
    gate.store.close()
    made_old(path)

    gate = opened(path, FakeClock())
    after = findings(gate)
    gate.store.rebuild()

    assert after == before
    assert findings(gate) == before
    gate.store.close()


def test_every_migration_is_recorded_once(path: Path):
    with duckdb.connect(str(path)) as store:
        names = store.execute("select number, name from migrations order by number").fetchall()

    assert names == list(enumerate((name for name, _ in MIGRATIONS), start=1))
    assert len(names) == SCHEMA_VERSION
