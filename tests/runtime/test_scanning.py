"""A scan looks at a commit or a change, records what it found, and says what it did not do."""

import threading

import pytest

from elohim_kernel.errors import Cancelled, Invalid, NotFound
from elohim_kernel.findings.decisions import DecideFindings
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, FindingState, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.ports import EngineTraits, Scope
from elohim_kernel.runtime.scanning import Wanted, scan
from elohim_kernel.testing import FakeClock, ScriptedEngine, memory_workbench


class Words(ScriptedEngine):
    """Finds every line with "bad" in the Python files it is asked about."""

    def __init__(self, name="words", **traits):
        super().__init__(name, self.look)
        self.TRAITS = EngineTraits(**{"scope": Scope.FILE, "cost": 1, **traits})

    def wants(self, path):
        return path.endswith(".py")

    def look(self, request, tools):
        repository = tools.repository(request.repository)
        paths = [path for path in request.candidates(repository) if self.wants(path)]
        sources = {path: repository.read(request.head, path) for path in paths}
        found = [
            Finding(rule="W1", severity=Severity.HIGH, message="bad", path=path, line=number, tool=self.NAME)
            for path, source in sources.items()
            for number, line in enumerate(source.splitlines(), 1)
            if b"bad" in line
        ]
        status = EngineStatus.FINDINGS if found else EngineStatus.CLEAN
        reason = f"{len(paths)} files"
        return EngineReport(
            engine=self.NAME, status=status, reason=reason, files=len(paths), covered=tuple(paths),
            findings=fingerprinted(found, sources),
        )  # fmt: skip


@pytest.fixture
def wb():
    with memory_workbench(FakeClock()) as made:
        yield made


@pytest.fixture
def look(wb, workshop):
    def look(*engines, cancelled=None, **wanted):
        there = {engine.NAME: engine for engine in engines or (Words(),)}
        return scan(
            wb.session,
            Wanted(repository=workshop.path, **wanted),
            engines=there,
            home=None,
            clock=FakeClock(),
            cancelled=cancelled,
        )

    return look


def states(wb):
    return {row["path"]: row["state"] for row in wb.sql("select path, state from findings").rows()}


def test_a_whole_tree_is_recorded_in_ones_own_workflow_for_scans(wb, workshop, look):
    head = workshop.commit({"a.py": "bad\n", "b.py": "fine\n"})

    found = look()

    assert (found.head, found.ref, found.change) == (head, "main", None)
    assert [(each.finding.path, each.state, each.new) for each in found.problems] == [("a.py", FindingState.NEW, True)]
    assert wb.workflow(found.workflow).definition.name == "Repository Scan"
    assert wb.sql("select id from findings").rows() == [{"id": found.problems[0].id}]


def test_the_same_again_is_known_and_not_new_and_what_went_is_fixed(wb, workshop, look):
    workshop.commit({"a.py": "bad\n", "gone.py": "bad\n", "moved.py": "x = 1\nbad = 2\n"})
    first = look()
    workshop.commit({"a.py": "x\n\nbad\n", "gone.py": None})

    second = look()

    assert {each.finding.path: each.new for each in second.problems} == {"a.py": False, "moved.py": False}
    assert {each.id for each in second.problems} < {each.id for each in first.problems}
    assert states(wb) == {"a.py": "open", "moved.py": "open", "gone.py": "fixed"}


def test_with_a_base_only_the_change_is_looked_at_and_new_means_brought_by_it(workshop, look):
    base = workshop.commit({"a.py": "bad one\n", "old.py": "bad\n"})
    workshop.commit({"a.py": "bad one\nbad two\n"}, branch="feature", parents=[base])

    found = look(base="main", head="feature")

    assert [(each.finding.path, each.finding.line, each.new) for each in found.problems] == [
        ("a.py", 1, False),
        ("a.py", 2, True),
    ]
    assert found.ref == "feature"


def test_nothing_is_recorded_when_that_was_not_wanted(wb, workshop, look):
    workshop.commit({"a.py": "bad\n"})
    before = wb.status()["events"]

    found = look(record=False)

    assert (wb.status()["events"], found.workflow, found.problems[0].id) == (before, "", "")
    assert found.problems[0].new


def test_another_workflow_may_keep_them_and_one_that_is_not_there_is_refused_before_anything_runs(wb, workshop, look):
    workshop.commit({"a.py": "bad\n"})
    flow, engine = wb.define("name: Nightly\nstages: [{key: look}]"), Words()

    found = look(workflow="Nightly")
    with pytest.raises(NotFound):
        look(engine, workflow="Daily")

    assert (found.workflow, engine.requests) == (flow.id, [])


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"engines": ("wards",)}, "there is no engine 'wards'; there is words"),
        ({"head": "nowhere"}, "'nowhere' is not a branch, tag or commit here"),
        ({"base": "nowhere"}, "'nowhere' is not a branch, tag or commit here"),
    ],
)
def test_what_is_not_there_is_refused(workshop, look, wanted, why):
    workshop.commit({"a.py": "bad\n"})

    with pytest.raises(Invalid) as refused:
        look(**wanted)

    assert why in str(refused.value)


def test_what_a_person_dismissed_is_no_problem_any_more_and_what_comes_back_says_so(wb, workshop, look):
    workshop.commit({"a.py": "bad\n", "b.py": "bad\n"})
    first = look()
    name = next(each.id for each in first.problems if each.finding.path == "a.py")
    wb.do(DecideFindings(findings=(name,), outcome="dismissed", reason="false_positive", text="checked by hand"))
    workshop.commit({"b.py": "fine\n"})
    look()
    workshop.commit({"b.py": "bad\n"})

    third = look()

    told = {each.finding.path: (each.state.value, each.counts) for each in third.problems}
    assert told == {"a.py": ("dismissed", False), "b.py": ("regressed", True)}


def test_a_tool_that_failed_fixes_nothing(wb, workshop, look):
    workshop.commit({"a.py": "bad\n"})
    look()
    workshop.commit({"a.py": "fine\n"})
    failed = ScriptedEngine("words", EngineReport(engine="words", status=EngineStatus.FAILED, reason="killed"))

    found = look(failed)

    assert repr(found).endswith(": nothing found; 1 engines, 1 not run>")
    assert states(wb) == {"a.py": "new"}


def test_a_rule_may_be_named_by_how_its_family_begins(wb, workshop, look):
    """Engines say which rules they cover as they select them: `W` means W1 too."""
    workshop.commit({"a.py": "bad\n"})
    look()
    workshop.commit({"a.py": "fine\n"})
    clean = EngineReport(
        engine="words", status=EngineStatus.CLEAN, reason="1 file", files=1, covered=("a.py",), rules=("W",)
    )

    look(ScriptedEngine("words", clean))

    assert states(wb) == {"a.py": "fixed"}


def test_what_is_not_committed_is_not_looked_at_and_that_is_said(workshop, look, tmp_path):
    workshop.commit({"a.py": "fine\n"})
    (tmp_path / "work" / "a.py").write_text("bad\n")

    found = look()

    assert found.problems == ()
    assert "only the commit was looked at" in found.notes[0]


def test_a_cancelled_scan_records_nothing(wb, workshop, look):
    workshop.commit({"a.py": "bad\n"})
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(Cancelled):
        look(cancelled=cancelled)

    assert states(wb) == {}


def test_a_scan_is_a_table_and_knows_what_is_over_a_policy(workshop, look):
    pytest.importorskip("pandas")
    workshop.commit({"a.py": "bad\n", "b.py": "bad\n"})

    found = look()

    assert list(found.df()["path"]) == ["a.py", "b.py"]
    assert len(found.over(Severity.HIGH, only_new=True)) == 2
    assert found.over(Severity.CRITICAL, only_new=False) == ()
    assert repr(found).endswith(": 2 high; 1 engines>")
