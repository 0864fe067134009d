"""The program in this process, on a home that its own owner process serves: quick, and real all the way down."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from elohim_kernel.config import load
from elohim_kernel.runtime.sample import build_sample_repository
from elohim_kernel.store.client import Client
from elohim_kernel.surfaces.cli.main import app


class Terminal:
    """Types commands on one home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *words: str, stdin: str | None = None) -> Result:
        """Run `elohim` with these words."""
        return CliRunner().invoke(app, ["--home", str(self.home), *words], input=stdin)

    def says(self, *words: str) -> str:
        """What a command that succeeds prints."""
        done = self(*words)
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *words: str) -> Any:
        """What a command that succeeds prints with `--json`."""
        done = self(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def refused(self, *words: str) -> dict[str, Any]:
        """The error of a command that is refused with exit code 2, and prints no result."""
        done = self(*words, "--json")
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        error: dict[str, Any] = json.loads(done.stderr)["error"]
        return error

    def events(self) -> int:
        """How many events the log holds."""
        found: int = self.json("audit", "verify")["events"]
        return found


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample repository."""
    return build_sample_repository(tmp_path_factory.mktemp("sample") / "service").path


@pytest.fixture(scope="module")
def new_terminal() -> Iterator[Callable[[], Terminal]]:
    """Makes terminals, each on a home of its own, whose owner ends with the module."""
    homes: list[Path] = []

    def make() -> Terminal:
        homes.append(Path(tempfile.mkdtemp(prefix="ek-")))
        return Terminal(homes[-1])

    yield make
    for home in homes:
        Client(load({"home": str(home)}).settings.home, start=False).stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def terminal(new_terminal: Callable[[], Terminal]) -> Terminal:
    """A terminal on one home for all tests of a module."""
    return new_terminal()


@pytest.fixture(scope="module")
def reviewed(new_terminal: Callable[[], Terminal], sample: str) -> Terminal:
    """A terminal on a home that holds EL-1, a review of the sample's change that waits for a person."""
    terminal = new_terminal()
    terminal.says("review", sample, "--no-report")
    return terminal
