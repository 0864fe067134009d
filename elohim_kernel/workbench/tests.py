"""Proposed tests from Python: `wb.tests.propose(...)`, `wb.tests.show(id)`, `wb.tests.export(id)`.

Nothing is written to the repository: `export` gives a patch, or writes it where it is told to.
"""

import threading
from pathlib import Path
from typing import Any, Final, Protocol

from elohim_kernel.errors import Invalid, Unavailable
from elohim_kernel.findings.enrichment import (
    GetTestProposal,
    ListTestProposals,
    ProposalSummary,
    ProposedTests,
    proposal_of,
)
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.enrichment import Enrichment, patch_of
from elohim_kernel.model.finding import EngineStatus
from elohim_kernel.runtime.scan import Scan
from elohim_kernel.runtime.scanning import OnProgress, unwatched

ENGINE: Final = "tests"
_TIMEOUT_S: Final = 900.0


class Bench(Protocol):
    """What is needed of a workbench."""

    def do(self, command: Command, *, key: str = "") -> Any:
        """Do a command; of several types, hence `Any`."""

    def ask(self, query: Query) -> Any:
        """Answer a query."""

    @property
    def scan(self) -> Any:
        """Run engines on a repository; see `Workbench.scan`, whose many options are not said twice."""


class Tests:
    """The tests desk of a workbench."""

    __test__ = False  # its name would make pytest collect it

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __repr__(self) -> str:
        return "<Tests: .propose(repository, base=…), .show(id), .list(), .export(id)>"

    def propose(
        self,
        repository: str | Path,
        *,
        base: str | None = None,
        head: str | None = None,
        function: str = "",
        describe: str = "",
        workflow: str = "",
        pynguin_s: int = 0,
        trust: bool = False,
        timeout_s: float = _TIMEOUT_S,
        on_progress: OnProgress = unwatched,
        cancelled: threading.Event | None = None,
    ) -> ProposedTests:
        """Propose tests for what changed since `base`, or for functions that are named, and record the proposal.

        `function` keeps to these names, parted by commas; `describe` is the text of a bug report that names some.
        `pynguin_s` lets pynguin, where it is installed, search each module for inputs for so many seconds. The
        repository's code is run, so `trust` says that it may where nothing isolates it. `workflow` "" is the one that
        keeps scans. Raises `Invalid` before anything runs for an unknown repository or revision, and `Unavailable` when
        no test could be tried; the hint says why.
        """
        if base is None and not (function or describe):
            raise Invalid("nothing says which functions are meant", hint="give a base, a function or a description")
        wanted = {"function": function, "describe": describe, "pynguin": str(pynguin_s) if pynguin_s else ""}
        options = {name: text for name, text in wanted.items() if text}
        done: Scan = self._bench.scan(
            repository,
            base=base,
            head=head,
            engines=(ENGINE,),
            trust=trust,
            workflow=workflow,
            timeout_s=timeout_s,
            options=options,
            on_progress=on_progress,
            cancelled=cancelled,
        )
        report = done.runs[0]
        command = proposal_of(report, workflow=done.workflow)
        if command is None:
            state = "failed" if report.status is EngineStatus.FAILED else "could not be proposed"
            raise Unavailable(f"tests {state}: {report.reason}", hint="elohim engine doctor says what is missing here")
        identifier: str = self._bench.do(command)
        return self.show(identifier)

    def show(self, proposal: str) -> ProposedTests:
        """One proposal. Raises `NotFound`."""
        found: ProposedTests = self._bench.ask(GetTestProposal(proposal=proposal))
        return found

    def list(self, *, workflow: str = "", item: str = "", limit: int = 50) -> tuple[ProposalSummary, ...]:
        """Proposals you can see, newest first."""
        found: tuple[ProposalSummary, ...] = self._bench.ask(
            ListTestProposals(workflow=workflow, item=item, limit=limit)
        )
        return found

    def export(self, proposal: str, file: str | Path | None = None, *, changes: bool = False) -> str:
        """The accepted tests as a patch for `git apply`; written to `file` too when there is one.

        `changes` adds the tests of changed behaviour, which fail on the base. Raises `Invalid` when there is nothing to
        export or `file` exists already.
        """
        patch = patch_with(self.show(proposal).enrichment, changes=changes)
        if not patch:
            raise Invalid(f"{proposal} proposes no tests", hint="elohim tests show says what was tried and why not")
        if file is not None:
            write_new(Path(file), patch)
        return patch


def patch_with(enrichment: Enrichment, *, changes: bool) -> str:
    """The patch of the accepted tests, and with `changes` of those of changed behaviour too."""
    return "".join(patch_of(file) for file in enrichment.files if changes or not file.changes)


def write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet. Raises `Invalid` when it is, or when its folder is not."""
    try:
        with file.expanduser().open("x", encoding="utf-8", newline="") as out:
            out.write(text)
    except FileExistsError:
        raise Invalid(f"{str(file)!r} exists already", hint="name a new file, or leave it out to print") from None
    except OSError as wrong:
        raise Invalid(f"{str(file)!r} cannot be written: {wrong.strerror}") from None
