"""Findings as they live: new, open, fixed, regressed; fixed only on proof; the same one after its file was renamed."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pygit2
import pytest
from msgspec.structs import replace
from pygit2.enums import FileMode

from elohim_kernel.errors import Invalid, NotFound
from elohim_kernel.findings.recording import (
    FINDING_ROWS,
    KnownFindings,
    RecordFindings,
    RememberFindings,
    finding_rows,
)
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Place, Severity
from elohim_kernel.model.identity import Remembered
from elohim_kernel.ports import StageResult
from elohim_kernel.store.arrow import to_ipc
from elohim_kernel.testing import ScriptedStage, memory_workbench, worker_with
from elohim_kernel.workbench import Workbench

ONE = Finding(
    rule="F401", severity=Severity.LOW, message="unused", path="a.py", line=3, tool="ruff", fingerprint="v1:one"
)
TWO = replace(ONE, rule="F821", severity=Severity.HIGH, line=9, fingerprint="v1:two")
PLAIN = RecordFindings(
    workflow="Scan",
    repository="/src",
    tool="ruff",
    status=EngineStatus.FINDINGS,
    reason="",
    ref="main",
    covered=("a.py",),
)


@pytest.fixture
def ann() -> Any:
    with memory_workbench(people={"ann": "admin", "bo": "analyst"}) as wb:
        wb.define("name: Scan\nstages: [{key: look}]", visibility="global")
        yield wb


def record(wb: Workbench, *findings: Finding, **changed: Any) -> Any:
    status = EngineStatus.FINDINGS if findings else EngineStatus.CLEAN
    rows = finding_rows(findings) if findings else b""
    return wb.do(replace(PLAIN, **{"status": status, "rows": rows, **changed}))


def states(wb: Workbench) -> dict[str, str]:
    return {row["rule"]: row["state"] for row in wb.sql("select rule, state from findings order by rule").rows()}


def test_a_finding_is_new_then_open_then_fixed_then_regressed(ann: Workbench):
    lives = []

    for head, seen in enumerate(((ONE, TWO), (ONE, TWO), (TWO,), (TWO,), (ONE, TWO), (ONE, TWO))):
        record(ann, *seen, head=str(head))
        lives.append(states(ann)["F401"])

    assert lives == ["new", "open", "fixed", "fixed", "regressed", "regressed"]
    told = ann.sql("select sightings, regressions from findings where rule = 'F401'").rows()
    assert told == [{"sightings": 4, "regressions": 1}]


@pytest.mark.parametrize("status", [EngineStatus.NOT_RUN, EngineStatus.FAILED])
def test_a_tool_that_did_not_finish_proves_nothing_fixed(ann: Workbench, status: EngineStatus):
    record(ann, ONE)

    record(ann, status=status)

    assert states(ann) == {"F401": "new"}


def test_a_tool_that_finished_a_part_proves_something_for_that_part(ann: Workbench):
    record(ann, ONE, replace(TWO, path="b.py"), covered=("a.py", "b.py"))

    record(ann, status=EngineStatus.PARTIAL, covered=("b.py",))

    assert states(ann) == {"F401": "new", "F821": "fixed"}


def test_a_rule_that_was_not_looked_for_is_not_fixed(ann: Workbench):
    record(ann, ONE, TWO)

    record(ann, rules=("F821", "E501"))

    assert states(ann) == {"F401": "new", "F821": "fixed"}


def test_the_same_report_at_the_same_commit_says_nothing_new(ann: Workbench):
    for _ in range(5):
        record(ann, ONE, TWO, head="c0ffee")

    assert states(ann) == {"F401": "new", "F821": "new"}
    record(ann, TWO, ONE, head="decade")
    assert states(ann) == {"F401": "open", "F821": "open"}


def test_what_an_engine_says_of_a_finding_is_kept(ann: Workbench):
    rich = replace(
        ONE,
        advisories=("CVE-2026-1",),
        evidence="it comes from request.args",
        related=(Place(path="a.py", line=1, message="source", flow=True),),
        owners=("@ann",),
        problem="p1:a",
        is_new=True,
        aliases=("theirs:1",),
        tool_severity="ERROR",
        secret="k1:ab:yz",
    )

    record(ann, rich)

    assert ann.ask(KnownFindings(workflow="Scan", repository="/src")) == (rich,)
    (remembered,) = ann.ask(RememberFindings(workflow="Scan", repository="/src", ref="main")).here
    assert remembered == Remembered(finding=rich, identity="v1:one")


def test_what_is_remembered_is_sorted_by_how_near_it_is(ann: Workbench):
    record(ann, ONE, TWO)
    record(ann, TWO, covered=("a.py",))
    record(ann, replace(ONE, rule="E1", fingerprint="v1:three"), ref="feature")

    known = ann.ask(RememberFindings(workflow="Scan", repository="/src", ref="feature"))

    parts = (known.here, known.elsewhere, known.fixed)
    assert [[each.finding.rule for each in part] for part in parts] == [["E1"], ["F821"], ["F401"]]


@pytest.mark.parametrize(
    "elsewhere",
    [{"covered": ("b.py",)}, {"covered": ()}, {"ref": "feature"}, {"tool": "mypy"}, {"repository": "/other"}],
)
def test_absence_counts_only_for_the_same_tool_place_ref_and_covered_file(ann: Workbench, elsewhere: dict[str, Any]):
    record(ann, ONE)

    record(ann, **elsewhere)

    assert states(ann) == {"F401": "new"}


def test_the_same_record_twice_by_its_key_is_once(ann: Workbench):
    command = replace(PLAIN, rows=finding_rows([ONE]))

    first, second = ann.do(command, key="run_1/ruff"), ann.do(command, key="run_1/ruff")

    assert first == second
    assert ann.sql("select count(*) as n from sightings").rows() == [{"n": 1}]


def test_findings_of_one_workflow_are_not_those_of_another(ann: Workbench):
    ann.define("name: Other\nstages: [{key: look}]")
    record(ann, ONE)

    record(ann, ONE, workflow="Other")

    assert ann.sql("select count(distinct id) as n from findings").rows() == [{"n": 2}]
    assert len(ann.ask(KnownFindings(workflow="Scan", repository="/src"))) == 1


def test_event_and_rows_are_one_commit(ann: Workbench):
    database = ann.session.gate.store.database
    ann.session.gate.store.flush()
    before = (database.statements, database.commits)

    record(ann, ONE, TWO)

    assert (database.statements - before[0], database.commits - before[1]) == (2, 1)


def test_what_cannot_be_is_refused_and_leaves_nothing(ann: Workbench):
    nulls = pa.table({f.name: pa.array([None], f.type) for f in FINDING_ROWS}, schema=FINDING_ROWS)
    wrong = [
        ({"status": EngineStatus.CLEAN, "rows": finding_rows([ONE])}, "brings 1 findings"),
        ({"rows": b"no arrow"}, "not an Arrow stream"),
        ({"rows": to_ipc(pa.table({"rule": ["x"]}))}, "wrong columns"),
        ({"rows": to_ipc(nulls)}, "none may be null"),
        ({"rows": finding_rows([replace(ONE, fingerprint="")])}, "no fingerprint"),
    ]

    for changed, why in wrong:
        with pytest.raises(Invalid, match=why):
            record(ann, **changed)

    assert states(ann) == {}
    assert ann.sql("select count(*) as n from sightings").rows() == [{"n": 0}]


def test_findings_are_recorded_where_their_item_is(ann: Workbench):
    ann.define("name: Mine\nstages: [{key: look}]")
    mine = ann.open_item("Mine", "x").reference

    with pytest.raises(Invalid, match="EL-1 is not in workflow 'Scan'"):
        record(ann, ONE, item=mine)
    with pytest.raises(NotFound):
        record(ann.acting_as("bo"), ONE, item=mine)


def test_a_resumed_run_records_each_report_once():
    with memory_workbench() as ann:
        ann.define("name: Scan\nstages: [{key: scan, type: CODE_REVIEW}, {key: read}]")
        ann.open_item("Scan", "x", data={"repository": "/src"})
        report = EngineReport(engine="ruff", status=EngineStatus.FINDINGS, reason="", findings=(ONE,))
        broken = StageResult(note="", reports=(report,), data={"n": float("nan")})
        stage = ScriptedStage("CODE_REVIEW", broken, StageResult(note="", reports=(report,)))
        worker = worker_with(ann, stages=[stage])

        worker.drain()
        ann.retry("EL-1")
        worker.drain()

        assert ann.item("EL-1").stage == "read"
        assert ann.sql("select count(*) as n from sightings").rows() == [{"n": 1}]


BAD = 'import os\n\n\ndef load(path):\n    """Read it."""\n    return undefined_name(path)\n'


def test_a_finding_is_the_same_after_its_file_was_renamed(tmp_path: Path):
    """Two reviews in a row, by the real engine, on a repository made here."""
    git = pygit2.init_repository(tmp_path / "repo", initial_head="main")
    main = _commit(git, "main", {"app.py": BAD}, [])
    _commit(git, "first", {"app.py": BAD + "\n\nVERSION = 1\n"}, [main])
    _commit(git, "second", {"app.py": None, "core.py": "# moved\n" + BAD}, [main])
    with memory_workbench() as ann:
        ann.define("name: Lint\nstages: [{key: scan, type: STATIC_ANALYSIS}, {key: read}]")
        for head in ("first", "second"):
            ann.open_item("Lint", head, data={"repository": git.workdir, "base": "main", "head": head})
            ann.drain()

        found = ann.sql("select rule, path, sightings, state from findings where rule = 'F821'").rows()

    assert found == [{"rule": "F821", "path": "core.py", "sightings": 2, "state": "open"}]


def _commit(git: Any, branch: str, files: dict[str, str | None], parents: list[Any]) -> Any:
    index = pygit2.Index()
    if parents:
        index.read_tree(git[parents[0]].tree)
    for path, text in files.items():
        if text is None:
            index.remove(path)
        else:
            index.add(pygit2.IndexEntry(path, git.create_blob(text.encode()), FileMode.BLOB))
    who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000 + len(files), 0)
    made = git.create_commit(None, who, who, branch, index.write_tree(git), parents)
    git.references.create(f"refs/heads/{branch}", made)
    return made
