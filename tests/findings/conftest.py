"""A workbench with findings to decide about, and a clock."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from elohim_kernel.findings.recording import RecordFindings, finding_rows
from elohim_kernel.model.finding import EngineStatus, Finding, Severity
from elohim_kernel.testing import FakeClock, memory_workbench
from elohim_kernel.workbench import Workbench

POLICY = "name: Scan\nstages: [{key: look}]\nfindings: {four_eyes: [critical], require_reason_text: [high]}"
ONE = Finding(
    rule="S602", severity=Severity.HIGH, message="a shell", path="src/a.py", line=3, tool="ruff", category="xss",
    fingerprint="v1:one", problem="p1:x", context="c1", snippet="run(name, shell=True)",
)  # fmt: skip
LINKED = replace(ONE, tool="bandit", rule="B602", fingerprint="v1:two", severity=Severity.MEDIUM)
TEST = replace(ONE, rule="S311", path="tests/a.py", fingerprint="v1:three", severity=Severity.LOW, problem="p1:y")
GRAVE = replace(ONE, rule="S1", fingerprint="v1:four", severity=Severity.CRITICAL, problem="", path="src/b.py")


class Scans:
    """What was found, by whom it is looked at, and when it is."""

    one, linked, test, grave = ONE, LINKED, TEST, GRAVE

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ann = memory_workbench(self.clock, people={"ann": "admin", "bo": "analyst", "vic": "viewer"})
        self.bo, self.vic = self.ann.acting_as("bo"), self.ann.acting_as("vic")
        self.ann.define(POLICY, visibility="global")

    def see(self, *findings: Finding, tool: str = "ruff", **changed: Any) -> Any:
        """Record what a tool saw; it looked at every file."""
        command = RecordFindings(
            workflow="Scan",
            repository="/src",
            tool=tool,
            status=EngineStatus.FINDINGS if findings else EngineStatus.CLEAN,
            reason="",
            ref="main",
            covered=("src/a.py", "src/b.py", "tests/a.py"),
            rows=finding_rows(findings) if findings else b"",
        )
        return self.ann.do(replace(command, **changed))

    def see_all(self) -> None:
        """Both tools, everything."""
        self.see(ONE, TEST, GRAVE, head="h1")
        self.see(LINKED, tool="bandit", head="h1")
        self.clock.advance(hours=1)

    def states(self, wb: Workbench | None = None) -> dict[str, str]:
        """The state of each finding, by rule."""
        return {one.rule: one.state.value for one in (wb or self.ann).findings(state="", folded=False)}

    def id_of(self, rule: str) -> str:
        """The id of the finding of a rule."""
        (found,) = self.ann.findings(state="", rule=rule, folded=False)
        return str(found.id)

    def tables(self) -> dict[str, list[str]]:
        """The tables of findings and decisions, brought up to the log."""
        store = self.ann.session.gate.store
        store.flush()
        return {name: sorted(map(repr, store.database.rows(f"from {name}"))) for name in ("findings", "decisions")}


@pytest.fixture
def scans() -> Iterator[Scans]:
    made = Scans()
    yield made
    made.ann.close()


@pytest.fixture(scope="module")
def scans_once() -> Iterator[Scans]:
    """One for all examples of a property."""
    made = Scans()
    yield made
    made.ann.close()
