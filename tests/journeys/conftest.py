"""The program as people start it: real processes on a real home."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from elohim_kernel.runtime.sample import build_sample_repository
from elohim_kernel.store.client import Client

PROGRAM = (sys.executable, "-c", "from elohim_kernel.surfaces.cli.main import run; run()")


class Shell:
    """Starts `elohim` in processes of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """A process that runs `elohim` with these words."""
        return subprocess.Popen(
            [*PROGRAM, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "ELOHIM_HOME": str(self.home), **(environment or {})},
        )

    def __call__(self, *words: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run it to its end."""
        with self.start(*words, environment=environment) as process:
            told, complained = process.communicate(timeout=120)
        return subprocess.CompletedProcess(list(words), process.returncode, told, complained)

    def json(self, *words: str) -> Any:
        """What a command that succeeds prints with `--json`."""
        done = self(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def events(self) -> int:
        """How many events the log holds."""
        found: int = self.json("audit", "verify")["events"]
        return found


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample repository."""
    return Path(build_sample_repository(tmp_path_factory.mktemp("sample") / "service").path)


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    """A shell on one home for all tests of a module; its owner ends with them."""
    home = Path(tempfile.mkdtemp(prefix="ek-"))
    yield Shell(home)
    Client(home, start=False).stop()
    shutil.rmtree(home, ignore_errors=True)
