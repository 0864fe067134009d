import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from elohim_kernel.errors import Cancelled, Invalid, NotFound
from elohim_kernel.runtime.notebook import NotebookRun, NotebookStatus, describe, run_notebook
from elohim_kernel.runtime.shipped import shipped

PARAMETERS = "who: str = 'nobody'\ntimes: int = 1  # how often"


def code(source, *tags):
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": []}


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def written(path, *cells, kernel="python3", language="python", nbformat=4):
    notebook = {
        "nbformat": nbformat,
        "nbformat_minor": 4,
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel, "language": language}},
        "cells": list(cells),
    }
    path.write_text(json.dumps(notebook))
    return path


def run(
    notebook,
    *,
    parameters=None,
    environment=None,
    timeout_s=120.0,
    on_progress=None,
    cancelled=None,
    clock=time.monotonic,
) -> NotebookRun:
    return run_notebook(
        notebook,
        parameters=parameters or {},
        output=notebook.with_suffix(".done.ipynb"),
        environment=environment or {},
        cwd=notebook.parent,
        timeout_s=timeout_s,
        on_progress=on_progress or (lambda cell, total, line: None),
        cancelled=cancelled or (lambda: False),
        clock=clock,
    )


def marks(record):
    cells = json.loads(Path(record.output).read_text())["cells"]
    return [cell["metadata"]["papermill"]["status"] for cell in cells if cell["cell_type"] == "code"]


def printed(record):
    cells = json.loads(Path(record.output).read_text())["cells"]
    return "".join("".join(out.get("text", "")) for cell in cells for out in cell.get("outputs", []))


def test_a_run_gets_its_parameters_and_environment_and_leaves_an_executed_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", "of the worker")
    show = "import os\nprint(who * times, os.getcwd(), os.environ['ELOHIM_TOKEN'], 'WEBHOOK_SECRET' in os.environ)"
    leave = "import subprocess\nprint('left', subprocess.Popen(['sleep', '600']).pid)"
    place = tmp_path / "with {brace} and 'quote'"
    place.mkdir()
    notebook = written(place / "greet.ipynb", text("# Greet"), code(PARAMETERS, "parameters"), code(show), code(leave))
    seen = []

    record = run(
        notebook,
        parameters={"who": "é\"'\n{0}", "times": "2"},
        environment={"ELOHIM_TOKEN": "tk_run"},
        on_progress=lambda *event: seen.append(event),
    )

    assert (record.status, record.cells, record.ran, record.cell) == (NotebookStatus.DONE, 4, 4, 0)
    assert record.digest == describe(notebook).digest
    assert printed(record).startswith(f"é\"'\n{{0}}é\"'\n{{0}} {place} tk_run False")
    assert marks(record) == ["completed"] * 4
    assert [event[:2] for event in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert seen[2][2] == "import os"
    assert "tk_run" not in json.dumps(json.loads(Path(record.output).read_text())["metadata"])
    left = int(printed(record).split("left ")[1])
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE
    assert sorted(path.name for path in place.iterdir()) == ["greet.done.ipynb", "greet.ipynb"]


def test_a_cell_that_prints_faster_than_it_is_heard_loses_nothing(tmp_path):
    notebook = written(tmp_path / "loud.ipynb", code("for number in range(4000):\n    print(number, flush=True)"))

    record = run(notebook)

    assert record.status is NotebookStatus.DONE
    assert printed(record).split() == [str(number) for number in range(4000)]


def test_a_failing_cell_is_named_with_its_error_and_the_rest_did_not_run(tmp_path):
    notebook = written(
        tmp_path / "fails.ipynb", code("print('begun')"), code("shares = 1\nshares / 0"), code("print('after')")
    )

    record = run(notebook)

    assert (record.status, record.cell, record.ran) == (NotebookStatus.FAILED, 2, 2)
    assert (record.ename, record.evalue) == ("ZeroDivisionError", "division by zero")
    assert record.source == "shares = 1\nshares / 0"
    assert record.last_lines[-1] == "ZeroDivisionError: division by zero"
    assert not any("\x1b" in line for line in record.last_lines)
    assert marks(record) == ["completed", "failed", "pending"]
    assert printed(record) == "begun\n"


@pytest.mark.parametrize(
    ("death", "how"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "the kernel ended by SIGKILL"),
        ("os._exit(0)", "the kernel ended with exit code 0"),
    ],
)
def test_a_kernel_that_dies_is_lost_and_the_copy_does_not_claim_the_rest_ran(tmp_path, death, how):
    dies = f"import os, signal, sys, time\nprint('so far', flush=True)\ntime.sleep(0.5)\n{death}"
    notebook = written(
        tmp_path / "dies.ipynb", code("print('begun')"), code(dies), text("then"), code("print('after')")
    )

    record = run(notebook)

    assert (record.status, record.cell, record.ran) == (NotebookStatus.LOST, 2, 1)
    assert record.ename == "KernelDied"
    assert record.evalue.startswith(how)
    assert record.last_lines == ("so far",)
    assert marks(record) == ["completed", "lost", "pending"]
    saved = json.loads(Path(record.output).read_text())
    assert saved["cells"][0]["source"].startswith("**This run was lost: its kernel ended in `In [2]`.**")
    assert saved["metadata"]["papermill"]["exception"] is True
    assert saved["cells"][-1]["metadata"]["papermill"]["start_time"] is None


def test_a_run_over_its_time_is_ended_with_all_it_has_started(tmp_path):
    leave = "import os, subprocess\npid = subprocess.Popen(['sleep', '600']).pid\nopen('new', 'w').write(str(pid))\n"
    busy = leave + "os.rename('new', 'pid')\nwhile True: pass"
    notebook = written(tmp_path / "slow.ipynb", code(busy), code("print('after')"))

    record = run(notebook, timeout_s=3600, clock=lambda: 7200.0 if (tmp_path / "pid").is_file() else 0.0)

    assert (record.status, record.cell, record.ran) == (NotebookStatus.TIMED_OUT, 1, 0)
    assert record.seconds == 7200
    assert marks(record) == ["timed_out", "pending"]
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_cancelled_run_stops_and_keeps_what_was_done_and_printed(tmp_path):
    sleeps = "import time\nprint('so far', flush=True)\ntime.sleep(0.5)\nopen('here', 'w').close()\ntime.sleep(600)"
    notebook = written(tmp_path / "long.ipynb", code("print('begun')"), code(sleeps), code("print('after')"))

    record = run(notebook, cancelled=lambda: (tmp_path / "here").exists())

    assert (record.status, record.cell, record.ran) == (NotebookStatus.CANCELLED, 2, 1)
    assert marks(record) == ["completed", "cancelled", "pending"]
    assert printed(record) == "begun\nso far\n"
    assert record.last_lines == ("so far",)


def test_progress_may_cancel_by_raising(tmp_path):
    notebook = written(tmp_path / "long.ipynb", code("import time\ntime.sleep(600)"))

    def stop(cell, total, line):
        raise Cancelled("cancelled by ana")

    record = run(notebook, on_progress=stop)

    assert (record.status, record.evalue) == (NotebookStatus.CANCELLED, "cancelled by ana")


@pytest.mark.skipif(
    not hasattr(os, "killpg"), reason="a kernel outlives a killed parent only where process groups exist"
)
def test_a_killed_worker_leaves_no_kernel_behind(tmp_path):
    notebook = written(
        tmp_path / "long.ipynb", code("import os, time\nopen('pid', 'w').write(str(os.getpid()))\nwhile True: pass")
    )
    program = (
        "import sys; from pathlib import Path; from elohim_kernel.runtime.notebook import run_notebook\n"
        "nb = Path(sys.argv[1])\n"
        "run_notebook(nb, parameters={}, output=nb.with_suffix('.done.ipynb'), environment={}, cwd=nb.parent,"
        " timeout_s=60, on_progress=lambda *_: None, cancelled=lambda: False)"
    )
    temporary = tmp_path / "t"
    temporary.mkdir()
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(notebook)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    kernel = wait_for(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text())

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    assert gone(int(kernel))
    assert wait_for(lambda: not list(temporary.iterdir()))


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"whom": "x"}, "did you mean 'who'?"),
        ({"times": "two"}, "times: 'two' is not a whole number"),
        ({"who = 1\nimport os": "x"}, "is not a parameter"),
    ],
)
def test_parameters_are_checked_before_anything_starts(tmp_path, given, complaint):
    notebook = written(tmp_path / "greet.ipynb", code(PARAMETERS, "parameters"))

    with pytest.raises(Invalid) as refused:
        run(notebook, parameters=given)

    assert complaint in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["greet.ipynb"]


def test_a_playbook_says_what_it_is_and_asks_for(tmp_path):
    notebook = written(
        tmp_path / "weekly.ipynb",
        text("# Weekly <b>risk</b>\n\nWhat changed,\nand who looks.\n\nMore."),
        code(PARAMETERS, "parameters"),
    )

    playbook = describe(notebook)

    assert (playbook.name, playbook.title) == ("weekly", "Weekly <b>risk</b>")
    assert playbook.description == "What changed, and who looks."
    assert [(each.name, each.default) for each in playbook.parameters] == [("who", "nobody"), ("times", 1)]
    assert playbook.parameters[1].help == "how often"


def test_a_file_that_cannot_be_a_playbook_is_refused(tmp_path):
    twice = written(tmp_path / "twice.ipynb", code("a: int = 1", "parameters"), code("b: int = 1", "parameters"))
    foreign = written(tmp_path / "foreign.ipynb", kernel="ir", language="R")
    unknown = written(tmp_path / "unknown.ipynb", kernel="bash", language="")
    old = written(tmp_path / "old.ipynb", nbformat=3)
    untyped = written(tmp_path / "untyped.ipynb", code("a = 1", "parameters"))
    broken = tmp_path / "broken.ipynb"
    broken.write_text('{"cells": [')
    deep = tmp_path / "deep.ipynb"
    deep.write_text("[" * 100_000)
    complaints = {
        twice: "2 cells are tagged 'parameters'",
        foreign: "written for 'R'",
        unknown: "written for 'bash'",
        old: "notebook format 3",
        untyped: "line 1: only `name: type = literal`",
        broken: "broken is not a notebook",
        deep: "deep is not a notebook",
    }

    for notebook, complaint in complaints.items():
        with pytest.raises(Invalid) as refused:
            describe(notebook)
        assert complaint in str(refused.value)
    with pytest.raises(NotFound, match="absent"):
        describe(tmp_path / "absent.ipynb")


def test_shipped_playbooks_are_typed_and_carry_no_outputs():
    notebooks = sorted(shipped("playbooks").glob("*.ipynb"))

    playbooks = [describe(notebook) for notebook in notebooks]

    assert "review_report" in {playbook.name for playbook in playbooks}
    assert all(playbook.title and playbook.description and playbook.parameters for playbook in playbooks)
    cells = [cell for notebook in notebooks for cell in json.loads(notebook.read_text())["cells"]]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def wait_for(answer, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not (found := answer()):
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.05)
    return found


def gone(pid):
    return wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 10.0)
