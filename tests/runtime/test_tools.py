"""The tools of a run: steps happen once, engines cannot break the run, cancelling is heard."""

import sys
import threading
from collections import Counter

import pytest

from elohim_kernel.errors import Cancelled, Invalid, NotRun
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.ports import EngineRequest
from elohim_kernel.runtime.tools import MemoryJournal
from elohim_kernel.testing import ScriptedEngine

REQUEST = EngineRequest(repository="/r", head="0" * 40)
REPORT = EngineReport(engine="good", status=EngineStatus.CLEAN, reason="1 file")
FINDING = Finding(rule="R1", severity=Severity.LOW, message="m", path="a.py", line=1, tool="t")


def engine(run, missing=""):
    return ScriptedEngine("e", run, missing=missing)


def raising(error):
    return ScriptedEngine("e", error)


def test_a_finished_step_is_not_repeated_even_by_another_process(make_tools):
    journal, done = MemoryJournal(), Counter()

    def work():
        done["work"] += 1
        return REPORT

    first = make_tools(journal=journal).step("look", {"a": 1}, EngineReport, work)
    again = make_tools(journal=journal).step("look", {"a": 1}, EngineReport, work)

    assert (first, again, done["work"]) == (REPORT, REPORT, 1)


def test_other_inputs_are_another_step(make_tools):
    tools, done = make_tools(), Counter()

    for number in (1, 2, 1):
        tools.step("look", {"a": number}, int, lambda: done.update(["work"]) or 0)

    assert done["work"] == 2


def test_a_step_that_fails_is_not_recorded(make_tools):
    journal = MemoryJournal()

    with pytest.raises(ZeroDivisionError):
        make_tools(journal=journal).step("look", 1, int, lambda: 1 // 0)

    assert journal.steps == {}


@pytest.mark.parametrize(
    ("part", "status", "reason"),
    [
        (None, EngineStatus.NOT_RUN, "there is no engine of this name; installed: good"),
        (engine(None, missing="ruff is not installed"), EngineStatus.NOT_RUN, "ruff is not installed"),
        (raising(NotRun("no isolation here")), EngineStatus.NOT_RUN, "no isolation here"),
        (raising(Invalid("bad path")), EngineStatus.FAILED, "invalid: bad path"),
        (raising(KeyError("x")), EngineStatus.FAILED, "KeyError: 'x'"),
        (raising(ValueError("y" * 999)), EngineStatus.FAILED, "ValueError: " + "y" * 288),
    ],
)
def test_an_engine_that_cannot_answer_is_a_report_that_says_why(make_tools, part, status, reason):
    engines = {"good": engine(lambda request, tools: REPORT), **({"bad": part} if part else {})}

    report = make_tools(engines=engines).engine("bad", REQUEST)

    assert (report.engine, report.status, report.reason) == ("bad", status, reason)


def test_an_engine_report_is_journalled(make_tools):
    done = Counter()
    tools = make_tools(engines={"good": engine(lambda request, tools: done.update(["run"]) or REPORT)})

    reports = [tools.engine("good", REQUEST), tools.engine("good", REQUEST)]

    assert reports[0] == reports[1]
    assert (reports[0].status, reports[0].reason, done["run"]) == (EngineStatus.CLEAN, "1 file", 1)


def test_cancelling_passes_through_engines_steps_progress_and_children(make_tools, tmp_path):
    cancelled = threading.Event()
    tools = make_tools(cancelled=cancelled, engines={"bad": raising(Cancelled("stop"))})

    with pytest.raises(Cancelled, match="stop"):
        tools.engine("bad", REQUEST)
    threading.Timer(0.2, cancelled.set).start()
    with pytest.raises(Cancelled):
        tools.run([sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path, timeout_s=60)
    for use in (lambda: tools.progress("x"), lambda: tools.step("x", 1, int, lambda: 1)):
        with pytest.raises(Cancelled):
            use()


def test_progress_time_scratch_and_known_findings_are_handed_on(make_tools, tmp_path):
    told = []
    tools = make_tools(
        on_progress=lambda *each: told.append(each), known=lambda path: (FINDING,) if path == "/r" else ()
    )

    tools.progress("Looking", 1, 3)

    assert told == [("Looking", 1, 3)]
    assert (tools.now().hour, tools.scratch, tools.known_findings("/r")) == (12, tmp_path / "scratch", (FINDING,))


def test_a_repository_is_opened_once(make_tools, workshop):
    workshop.commit({"a.py": "x\n"})
    tools = make_tools()

    assert tools.repository(workshop.path) is tools.repository(workshop.path)
