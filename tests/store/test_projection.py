"""Projections follow the log: flushed as a whole or not at all, caught up after a crash, made again from nothing."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from elohim_kernel.errors import Incompatible, KernelError
from elohim_kernel.model.work_item import WorkItem
from elohim_kernel.store.database import Database
from elohim_kernel.store.schema import SCHEMA_VERSION, applied
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench


@pytest.fixture
def ann() -> Workbench:
    wb = memory_workbench()
    wb.define("name: Triage\nstages: [{key: look}]")
    wb.open_item("Triage", "x")
    return wb


def test_the_watermark_is_as_far_as_the_tables_are(ann: Workbench):
    store = ann.session.gate.store

    def mark() -> int:
        return int(store.database.rows("from watermark")[0]["seq"])

    assert mark() < store.last_seq
    store.flush()
    assert mark() == store.last_seq


def test_a_flush_that_fails_leaves_the_tables_as_they_were_and_is_done_the_next_time(ann: Workbench):
    store = ann.session.gate.store
    store.flush()
    ann.comment("EL-1", "hello")
    ann.change("EL-1", title="y")
    store.database.execute("alter table work_items rename to elsewhere")

    with pytest.raises(KernelError):
        store.flush()
    store.database.execute("alter table elsewhere rename to work_items")

    assert store.database.rows("select title from work_items") == [{"title": "x"}]
    store.flush()
    assert store.database.rows("select title from work_items") == [{"title": "y"}]


def test_a_flush_that_fails_in_the_background_is_no_failed_command(ann: Workbench, caplog: Any):
    store = ann.session.gate.store
    store.flush()
    store.database.execute("alter table work_items rename to elsewhere")

    ann.change("EL-1", title="y")
    store._flush_quietly()

    assert "could not be brought up to date" in caplog.text
    store.database.execute("alter table elsewhere rename to work_items")
    assert ann.items()[0].title == "y"


def test_tables_that_were_spoilt_are_made_again_from_the_log(ann: Workbench):
    store = ann.session.gate.store
    store.flush()
    store.database.execute("update work_items set title = 'spoilt'")
    store.database.execute("delete from notifications")

    count = store.rebuild()

    assert count == store.last_seq
    assert store.database.rows("select title from work_items") == [{"title": "x"}]
    assert store.memory.find(WorkItem, "EL-1").title == "x"
    assert ann.open_item("Triage", "y").reference == "EL-2"


def test_a_rebuild_that_fails_leaves_what_was_there(ann: Workbench):
    store = ann.session.gate.store
    store.flush()
    before = store.database.rows("from work_items")
    store.database.execute("update events set body = '{}' where seq = (select max(seq) from events)")

    with pytest.raises(Exception, match="data"):
        store.rebuild()

    assert store.database.rows("from work_items") == before


def test_a_store_of_a_newer_program_is_refused_with_what_to_do(tmp_path: Path):
    path = tmp_path / "store.duckdb"
    Database(path).close()
    with duckdb.connect(str(path)) as later:
        assert applied(later) == SCHEMA_VERSION
        later.execute("insert into migrations values ($1, 'from the future', now())", [SCHEMA_VERSION + 1])

    with pytest.raises(Incompatible, match=f"has schema {SCHEMA_VERSION + 1}, this program knows {SCHEMA_VERSION}"):
        Database(path)


def test_what_is_no_store_is_refused(tmp_path: Path):
    path = tmp_path / "store.duckdb"
    path.write_bytes(b"not a database at all" * 1_000)

    with pytest.raises(KernelError):
        Database(path)
