"""A hostile tool does not go on for ever, does not fill the machine, and leaves no process behind."""

import os
import subprocess
import sys
import threading
import time

import pytest

ENDLESS = {
    "a loop": ("while True: pass", {"cpu_s": 1}, "ended: used up its processor time"),
    "a deaf sleeper": (
        "import time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(60)",
        {"timeout_s": 0.7},
        "ended: over its deadline of 0.7 s",
    ),
    "output": ("while True: os.write(1, b'x' * 65536)", {}, "ended: more than 1,000,000 bytes of output"),
    "processes": (
        "import time\nfor _ in range(1500):\n    if os.fork() == 0: time.sleep(60)\ntime.sleep(60)",
        {"processes": 60},
        "ended: more than 60 processes",
    ),
    "a daemon": (
        "import time\nif os.fork(): time.sleep(60)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(60)",
        {"timeout_s": 0.7},
        "ended: over its deadline of 0.7 s",
    ),
    "memory of many": (
        "import time\nfor _ in range(4): os.fork()\nx = b'x' * (24 << 20); time.sleep(60)",
        {"memory_mb": 200},
        "ended: more than 200 MB of memory",
    ),
    "a large file": (
        "f = open(scratch / 'x', 'wb')\nwhile True: f.write(bytes(1 << 20))",
        {"written_mb": 20, "file_mb": 60},
        ("ended: wrote more than 20 MB", ""),  # the file's own limit may come first
    ),
    "many large files": (
        "for n in range(60): (scratch / str(n)).write_bytes(bytes(1 << 20))\nimport time; time.sleep(60)",
        {"written_mb": 20},
        "ended: wrote more than 20 MB",
    ),
    "many files": (
        "for n in range(500): (scratch / str(n)).mkdir()\nimport time; time.sleep(60)",
        {"entries": 300},
        "ended: made more than 300 files",
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_would_never_end_is_ended_and_leaves_no_process(machine, with_word, name):
    code, caps, reason = ENDLESS[name]
    word = f"w-{name.replace(' ', '-')}-{os.getpid()}"

    ended = machine.attack(code, word, **caps)

    assert ended.reason in (reason if isinstance(reason, tuple) else (reason,))
    assert with_word(word) == []
    assert ended.seconds < 10


def test_a_daemon_does_not_outlive_the_tool(machine, with_word):
    word = f"w-daemon-{os.getpid()}"
    code = """
import time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait()
print('up')
"""

    ended = machine.attack(code, word)

    assert (ended.exit_code, ended.stdout) == (0, b"up\n")
    assert with_word(word) == []


def test_one_process_gets_no_more_address_space_than_allowed(machine):
    ended = machine.attack("attempt(lambda: len(bytearray(8 << 30)))", address_mb=512)

    assert ended.stdout == b"refused: MemoryError\n"


def test_the_tool_ends_with_whoever_started_it(machine, with_word):
    word = f"w-orphan-{os.getpid()}"
    code = (
        "import sys; from pathlib import Path\n"
        "from elohim_kernel.runtime import sandbox, isolation\n"
        f"level = isolation.{machine.level.name.upper()}\n"
        f"argv = [sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)', {word!r}]\n"
        f"sandbox.run_child(argv, cwd=Path({str(machine.tree)!r}), timeout_s=60, level=level)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 15
    while len(with_word(word)) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    started = len(with_word(word))

    starter.kill()
    starter.wait()

    assert started >= 3
    while with_word(word) and time.monotonic() < until:
        time.sleep(0.02)
    assert with_word(word) == []


def test_attacks_side_by_side_do_not_end_each_other(machine):
    ends = []

    def attack(code):
        ends.append(machine.attack(code, timeout_s=20).reason)

    threads = [threading.Thread(target=attack, args=("import time; time.sleep(0.5); print('fine')",)) for _ in range(2)]
    threads.append(threading.Thread(target=attack, args=("os.killpg(0, 9)",)))
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(ends) == ["", "", "ended by signal SIGKILL"]
