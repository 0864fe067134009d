"""A child has a deadline, a cap, limits and nothing of ours; nothing it does raises."""

import ast
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from elohim_kernel.runtime import sandbox
from elohim_kernel.runtime.isolation import BUBBLEWRAP, LANDLOCK, LIMITS
from elohim_kernel.runtime.sandbox import run_child, tool_path

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="limits are set through prlimit")


def python(code, tmp_path, **options):
    return run_child([sys.executable, "-c", code], cwd=tmp_path, **{"timeout_s": 20, **options})


def started_with(word):
    """Processes of this machine, wherever they run, that have `word` among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(folder.name)
        except OSError:
            continue
    return found


def test_output_exit_code_and_time_come_back(tmp_path):
    ended = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path)

    assert (ended.exit_code, ended.stdout, ended.stderr, ended.reason) == (3, b"out\n", b"err\n", "")
    assert 0 < ended.seconds < 20


def test_input_larger_than_a_pipe_arrives_whole(tmp_path):
    ended = python("import sys; print(len(sys.stdin.buffer.read()))", tmp_path, stdin=b"x" * 3_000_000)

    assert ended.stdout == b"3000000\n"


def test_a_child_that_does_not_read_its_input_is_no_error(tmp_path):
    ended = python("import os; os.close(0); print('done')", tmp_path, stdin=b"x" * 3_000_000)

    assert (ended.exit_code, ended.stdout) == (0, b"done\n")


def test_a_missing_program_is_said(tmp_path):
    ended = run_child(["no-such-tool"], cwd=tmp_path, timeout_s=5)

    assert (ended.exit_code, ended.reason) == (None, "not found: no-such-tool")


def test_a_missing_folder_is_said(tmp_path):
    ended = run_child([sys.executable, "-V"], cwd=tmp_path / "nowhere", timeout_s=5)

    assert ended.exit_code is None
    assert ended.reason.startswith("could not be started")


def test_the_deadline_ends_a_child_that_ignores_polite_signals(tmp_path):
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"

    ended = python(code, tmp_path, timeout_s=0.5)

    assert (ended.exit_code, ended.reason) == (None, "ended: over its deadline of 0.5 s")
    assert ended.stdout == b"up\n"
    assert ended.seconds < 5


def test_too_much_output_ends_it(tmp_path):
    ended = python("while True: print('x' * 1000)", tmp_path, output_cap=100_000)

    assert ended.reason == "ended: more than 100,000 bytes of output"
    assert 100_000 < len(ended.stdout) < 1_000_000


def test_cancelling_from_another_thread_ends_it(tmp_path):
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()

    ended = python("import time; time.sleep(60)", tmp_path, cancelled=cancelled.is_set)

    assert (ended.exit_code, ended.reason) == (None, "cancelled")


@linux_only
def test_processor_time_is_limited(tmp_path):
    ended = python("while True: pass", tmp_path, cpu_s=1)

    assert ended.reason == "ended: used up its processor time"
    assert ended.exit_code == -signal.SIGXCPU


@linux_only
def test_memory_is_limited(tmp_path):
    ended = python("x = bytearray(2 << 30)", tmp_path, memory_mb=512)

    assert ended.exit_code == 1
    assert b"MemoryError" in ended.stderr


def test_a_crash_names_its_signal(tmp_path):
    ended = python("import os; os.kill(os.getpid(), 11)", tmp_path)

    assert (ended.exit_code, ended.reason) == (-11, "ended by signal SIGSEGV")


def test_the_environment_holds_nothing_of_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "t0ps3cret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")

    ended = python("import os; print(sorted(os.environ)); print(os.listdir(os.environ['HOME']))", tmp_path)

    names, home = ended.stdout.decode().splitlines()
    assert set(ast.literal_eval(names)) <= {
        "HOME",
        "LANG",
        "LC_CTYPE",
        "PATH",
        "PYTHONNOUSERSITE",
        "PYTHONSAFEPATH",
        "TMPDIR",
    }
    assert home == "[]"


def test_a_module_beside_the_files_does_not_shadow_a_library(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')\n")

    ended = python("import json; print(json.dumps(1))", tmp_path)

    assert ended.stdout == b"1\n"


@linux_only
def test_a_grandchild_does_not_outlive_the_child(tmp_path):
    word = f"w-grandchild-{os.getpid()}"
    code = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', '{word}'])\n"
        "print('up', flush=True)"
    )

    ended = python(code, tmp_path)

    until = time.monotonic() + 5
    while (left := started_with(word)) and time.monotonic() < until:
        time.sleep(0.01)
    assert (ended.exit_code, ended.stdout, left) == (0, b"up\n", [])


def test_a_daemon_that_holds_the_pipes_does_not_hold_us(tmp_path):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    time.sleep(3)\n"
        "    os._exit(0)\n"
        "print('gone', flush=True)\n"
    )

    ended = python(code, tmp_path)

    assert (ended.exit_code, ended.stdout) == (0, b"gone\n")
    assert ended.seconds < 2.5


def test_tools_of_our_own_environment_come_first(tmp_path):
    found = tool_path("python3")

    assert found is not None
    assert found.startswith(sys.prefix)


def test_processor_time_of_all_it_started_is_told(tmp_path):
    code = "import os, time\nif os.fork():\n    os.wait()\nelse:\n    while time.process_time() < 0.4: pass"

    ended = python(code, tmp_path)

    assert 0.4 <= ended.cpu_seconds < 2


def test_variables_are_added_and_nothing_else(tmp_path):
    ended = python("import os; print(os.environ['TOOL_MODE'])", tmp_path, variables={"TOOL_MODE": "quiet"})

    assert ended.stdout == b"quiet\n"


@linux_only
def test_a_program_that_reserves_much_and_uses_little_may_run_without_the_limit_on_it(tmp_path):
    code = "import mmap; m = mmap.mmap(-1, 6 << 30); print(len(m) >> 30)"

    ended = [python(code, tmp_path, memory_mb=amount) for amount in (0, 512)]

    assert [(each.exit_code, each.stdout) for each in ended] == [(0, b"6\n"), (1, b"")]


def test_a_folder_it_may_write_to_can_lie_in_one_it_may_only_read(tmp_path):
    (tmp_path / "out").mkdir()

    ended = python("open('out/x', 'w').write('1'); open('y', 'w')", tmp_path, writable=(tmp_path / "out",))

    assert (tmp_path / "out" / "x").read_text() == "1"
    assert (ended.exit_code, (tmp_path / "y").exists()) == (1, False)


def test_nobody_is_shown_a_whole_home_folder(tmp_path):
    ended = run_child([sys.executable, "-V"], cwd=Path.home(), timeout_s=5)

    assert (ended.exit_code, ended.reason) == (None, f"no tool is shown the whole of {Path.home()}")


@pytest.mark.parametrize("name", ["cwd", "readable", "writable"])
def test_what_an_earlier_tool_may_have_put_a_link_in_is_not_shown(tmp_path, name):
    for folder in ("outside", "own"):
        (tmp_path / folder).mkdir()
    (tmp_path / "own" / "out").symlink_to(tmp_path / "outside")
    asked = {"cwd": tmp_path / "own", "readable": [], "writable": []}
    asked[name] = tmp_path / "own" / "out" if name == "cwd" else [tmp_path / "own" / "out"]

    ended = run_child([sys.executable, "-V"], timeout_s=5, **asked)

    assert ended.reason == f"no tool is shown what is behind a link: {tmp_path}/own/out"


def test_where_nothing_holds_a_hostile_program_it_is_not_started_unless_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "best_level", lambda: LIMITS)
    monkeypatch.setattr(sandbox, "why_not_better", lambda: "bubblewrap is not installed")

    unasked, asked = python("print(1)", tmp_path), python("print(1)", tmp_path, level=LIMITS)

    assert (unasked.exit_code, unasked.reason) == (None, "no isolation here: bubblewrap is not installed")
    assert (asked.exit_code, asked.stdout) == (0, b"1\n")


@linux_only
@pytest.mark.parametrize("level", [BUBBLEWRAP, LANDLOCK, LIMITS], ids=lambda level: level.name)
def test_the_same_is_told_of_a_child_at_every_level(tmp_path, level):
    codes = ("raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)", "while True: pass", "import os; os.abort()")

    ended = [python(code, tmp_path, level=level, cpu_s=1) for code in codes]

    assert [(each.exit_code, each.reason) for each in ended] == [
        (3, ""),
        (-9, "ended by signal SIGKILL"),
        (-24, "ended: used up its processor time"),
        (-6, "ended by signal SIGABRT"),
    ]
    assert [each.stderr for each in ended] == [b""] * 4


@linux_only
@pytest.mark.parametrize("level", [BUBBLEWRAP, LANDLOCK, LIMITS], ids=lambda level: level.name)
def test_a_program_that_cannot_be_started_is_said_at_every_level(tmp_path, level):
    broken = tmp_path / "tool"
    broken.write_bytes(b"#!/no/such/interpreter\n")
    broken.chmod(0o755)

    ended = run_child([str(broken)], cwd=tmp_path, timeout_s=10, level=level)

    assert ended.exit_code in (None, 127)
    assert ended.reason.startswith("could not be started") or b"not found" in ended.stderr
