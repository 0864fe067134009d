"""Engines side by side: who may run, in which order, and what is put together from their reports."""

import sys
import threading
import time
from pathlib import Path

import pytest

from elohim_kernel.errors import Cancelled
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.ports import EngineRequest, EngineTraits, Purpose, Scope
from elohim_kernel.runtime import tools as room
from elohim_kernel.runtime.isolation import LIMITS, best_level
from elohim_kernel.testing import ScriptedEngine

REQUEST = EngineRequest(repository="/r", head="0" * 40)


def engine(name, *lines, **traits):
    made = ScriptedEngine(name, *lines)
    made.TRAITS = EngineTraits(**{"scope": Scope.CHANGE, "cost": 1, **traits})
    return made


def finding(path, line, tool, **fields):
    values = {"rule": f"{tool}-1", "severity": Severity.HIGH, "message": "m", "category": "code-injection", **fields}
    return Finding(path=path, line=line, tool=tool, **values)


def saying(name, *findings, **fields):
    return EngineReport(engine=name, status=EngineStatus.FINDINGS, reason="1 file", findings=findings, **fields)


def test_reports_come_in_the_order_of_the_names_and_one_that_breaks_touches_no_other(make_tools):
    broken = engine("broken", ZeroDivisionError("oh"))
    tools = make_tools(engines={"one": engine("one"), "broken": broken, "two": engine("two")})

    reports = tools.engines(("two", "broken", "absent", "one"), REQUEST)

    assert [report.engine for report in reports] == ["two", "broken", "absent", "one"]
    assert [report.status.value for report in reports] == ["clean", "failed", "not_run", "clean"]


def test_the_cheapest_come_first_and_the_costliest_never_waits(make_tools, monkeypatch):
    monkeypatch.setattr(room, "_cores", lambda: 1)
    began, costly = [], threading.Event()

    def note(name, wait):
        def run(request, tools):
            began.append(name)
            if wait:
                assert costly.wait(30)
            if name == "b4":
                costly.set()
            return EngineReport(engine=name, status=EngineStatus.CLEAN, reason="x")

        return run

    names = {f"b{cost}": engine(f"b{cost}", note(f"b{cost}", False), cost=cost) for cost in (3, 1, 4, 2)}
    names["slow"] = engine("slow", note("slow", True), cost=99)

    make_tools(engines=names).engines(tuple(names), REQUEST)

    assert sorted(began[:2]) == ["b1", "slow"]
    assert [name for name in began if name != "slow"] == ["b1", "b2", "b3", "b4"]


def test_each_report_is_told_when_it_comes_with_what_still_runs(make_tools):
    told, reports, held = [], [], threading.Event()

    def slow(request, tools):
        assert held.wait(30)
        return EngineReport(engine="slow", status=EngineStatus.CLEAN, reason="x")

    def heard(report):
        reports.append(report.engine)
        held.set()

    tools = make_tools(
        engines={"slow": engine("slow", slow, cost=9), "quick": engine("quick")},
        on_progress=lambda text, done, total: told.append(text),
        on_report=heard,
    )

    tools.engines(("slow", "quick"), REQUEST)

    assert reports == ["quick", "slow"]
    assert told[0].startswith("quick: nothing found, ")
    assert told[0].endswith("; still running: slow")
    assert told[1].startswith("slow: nothing found")


def test_cancelling_ends_all_of_them(make_tools, tmp_path):
    cancelled, running = threading.Event(), threading.Barrier(3, timeout=30)

    def long(request, tools):
        running.wait()
        tools.run([sys.executable, "-c", "import time; time.sleep(60)"], cwd=tools.scratch, timeout_s=60)

    tools = make_tools(cancelled=cancelled, engines={name: engine(name, long) for name in ("a", "b")})
    threading.Thread(target=lambda: (running.wait(), cancelled.set())).start()
    began = time.monotonic()

    with pytest.raises(Cancelled):
        tools.engines(("a", "b"), REQUEST)

    assert time.monotonic() - began < 50, "a bound against waiting for the children, not a measurement"


def test_an_engine_that_asks_a_service_runs_only_when_that_is_allowed(make_tools):
    tools = make_tools(engines={"audit": engine("audit", network=True)})
    allowed = EngineRequest(repository="/r", head="0" * 40, options={"network": "yes"})

    reports = [tools.engine("audit", request) for request in (REQUEST, allowed)]

    assert [report.status.value for report in reports] == ["not_run", "clean"]
    assert reports[0].reason == "it asks a service; allowed with --online"


def test_without_isolation_nothing_runs_unless_the_repository_is_trusted(make_tools, monkeypatch):
    monkeypatch.setattr(room, "best_level", lambda: LIMITS)
    argv = [sys.executable, "-c", "print(7)"]

    def child(request, tools):
        done = tools.run(argv, cwd=tools.scratch, timeout_s=30)
        return EngineReport(engine="child", status=EngineStatus.CLEAN, reason=done.stdout.decode().strip())

    engines = {"child": engine("child", child), "tests": engine("tests", executes=True)}

    careful = make_tools(engines=engines).engines(("child", "tests"), REQUEST)
    trusting = make_tools(engines=engines, trust=True).engines(("child", "tests"), REQUEST)

    assert [report.status.value for report in careful] == ["not_run", "not_run"]
    assert careful[0].reason.startswith("no isolation here")
    assert "nothing here holds a hostile program" in careful[1].reason
    assert [report.status.value for report in trusting] == ["clean", "clean"]
    assert (trusting[0].reason, trusting[0].isolation, trusting[1].isolation) == ("7", LIMITS.words, "")


@pytest.mark.skipif(not best_level().isolates, reason="nothing here isolates")
def test_a_child_sees_the_trees_of_its_run_and_cannot_change_them(make_tools, workshop):
    head = workshop.commit({"a.py": "x\n", "b.py": "y\n"})
    program = "import sys; print(open(sys.argv[1]).read()); open(sys.argv[1], 'w')"

    def look(request, tools):
        tree = tools.tree(request.repository, request.head, ["a.py"])
        seen = tools.run([sys.executable, "-c", program, f"{tree.root}/a.py"], cwd=tools.scratch, timeout_s=60)
        said = f"{seen.stdout.decode().strip()} {seen.exit_code} {seen.stderr.decode().strip()[-30:]}"
        return EngineReport(engine="look", status=EngineStatus.CLEAN, reason=said)

    report = make_tools(engines={"look": engine("look", look)}).engine(
        "look", EngineRequest(repository=workshop.path, head=head)
    )

    assert report.reason.startswith("x 1 ")
    assert report.isolation == best_level().words
    assert report.cpu_seconds > 0


def test_hashes_of_secrets_are_the_same_under_one_key_only(make_tools):
    one, same, other = (make_tools(key=key) for key in (b"a" * 32, b"a" * 32, b"b" * 32))

    hashes = [tools.keyed_hash(b"hunter2") for tools in (one, same, other)]

    assert hashes[0] == hashes[1] != hashes[2]
    assert one.keyed_hash(b"hunter3") != hashes[0]


def test_findings_get_owners_from_the_base_and_one_name_for_one_problem(make_tools, workshop):
    base = workshop.commit({"app.py": "eval(x)\n", "CODEOWNERS": "*.py @ann\n"})
    head = workshop.commit({"CODEOWNERS": "*.py @mallory\n"})
    source = {"app.py": b"eval(x)\n"}
    engines = {
        name: engine(name, saying(name, *fingerprinted([finding("app.py", 1, name)], source))) for name in ("a", "b")
    }

    reports = make_tools(engines=engines).engines(
        ("a", "b"), EngineRequest(repository=workshop.path, head=head, base=base)
    )

    found = [each for report in reports for each in report.findings]
    assert {each.owners for each in found} == {("@ann",)}
    assert len({each.problem for each in found}) == 1


def test_what_one_engine_refutes_another_only_suspects(make_tools, workshop):
    head = workshop.commit({"app.py": "eval('1')\neval(x)\nexec(y)\n"})
    refuted = [
        {"path": "app.py", "line": line, "category": "code-injection", "why": "the argument is constant"}
        for line in (1, 3)
    ]
    taint = saying("taint", finding("app.py", 3, "taint"), data={"refuted": refuted})
    ruff = saying(
        "ruff",
        finding("app.py", 1, "ruff", confidence=Confidence.LOW, cwe=95, rule="S307"),
        finding("app.py", 2, "ruff"),
        finding("app.py", 3, "ruff"),
    )
    bandit = saying("bandit", finding("app.py", 1, "bandit", confidence=Confidence.HIGH))
    engines = {report.engine: engine(report.engine, report) for report in (taint, ruff, bandit)}

    reports = make_tools(engines=engines).engines(
        ("taint", "ruff", "bandit"), EngineRequest(repository=workshop.path, head=head)
    )

    doubted, kept, seen = reports[1].findings
    assert (doubted.category, doubted.severity, doubted.cwe) == ("note", Severity.INFO, 0)
    assert doubted.message == "S307 (CWE-95) is not reported: m"
    assert doubted.evidence == "the argument is constant (taint)"
    assert [each.category for each in (kept, seen)] == ["code-injection"] * 2
    assert [each.category for each in reports[2].findings] == ["note"], "a proof beats a sure pattern"


@pytest.mark.parametrize(
    ("purpose", "names"),
    [
        (Purpose.SCAN, ("ruff", "mypy", "semgrep")),
        (Purpose.STATIC, ("ruff", "mypy")),
        (Purpose.SECURITY, ("ruff", "semgrep")),
        (Purpose.REVIEW, ("spread", "ruff")),
    ],
)
def test_which_engines_run_when_nobody_chose(make_tools, purpose, names):
    engines = {
        "semgrep": engine("semgrep", cost=30, security=True),
        "mypy": engine("mypy", cost=20),
        "ruff": engine("ruff", cost=3, security=True),
        "spread": engine("spread", default=False),
        "tests": engine("tests", default=False, executes=True),
    }

    assert make_tools(engines=engines).usual(purpose) == names


def test_scratch_folders_go_when_they_are_done_with():
    with room.scratch_folder() as folder:
        (folder / "x").write_text("x")
        assert folder.stat().st_mode & 0o077 == 0

    assert not Path(folder).exists()
