"""Clients whose owner is the small program beside this file, ended after each test."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from elohim_kernel.errors import KernelError
from elohim_kernel.store.client import Client

PROGRAM = ("-P", str(Path(__file__).with_name("owner_program.py")))


@pytest.fixture
def connect(home: Path) -> Iterator[Callable[..., Client]]:
    """Makes clients of this test's home."""
    made: list[Client] = []

    def make(**options: object) -> Client:
        made.append(Client(home, **{"owner": PROGRAM, "idle_s": 60.0, "timeout_s": 30.0, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        client.close()
    with contextlib.suppress(KernelError):
        Client(home, start=False).stop()


@pytest.fixture
def run_each(home: Path) -> Callable[..., list[str]]:
    """Runs the same Python text in several processes at once, with `client` made; gives what each printed."""
    head = (
        "import sys, time\nfrom elohim_kernel.store.client import Client\nnumber = int(sys.argv[1])\n"
        f"client = Client({str(home)!r}, owner={PROGRAM!r}, idle_s=60.0)\n"
    )

    def run(text: str, count: int) -> list[str]:
        children = [
            subprocess.Popen(
                [sys.executable, "-c", head + text, str(number)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(count)
        ]
        ended = [child.communicate(timeout=60) for child in children]
        assert [child.returncode for child in children] == [0] * count, "".join(errors for _, errors in ended)
        return [output.strip() for output, _ in ended]

    return run


@pytest.fixture
def owner_process(home: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts owners by hand and waits until they listen or end."""
    made: list[subprocess.Popen[str]] = []

    def start(*options: str, program: Sequence[str] = PROGRAM) -> "subprocess.Popen[str]":
        told, tell = os.pipe()
        argv = [sys.executable, *program, "--home", str(home), "--ready-fd", str(tell), *options]
        made.append(subprocess.Popen(argv, pass_fds=(tell,), stderr=subprocess.PIPE, text=True))
        os.close(tell)
        with os.fdopen(told, "rb") as said:
            said.readline()
        return made[-1]

    yield start
    for process in made:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
