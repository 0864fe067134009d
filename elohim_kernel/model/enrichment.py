"""What test enrichment comes to: proposed files, what was tried and why it was kept or not, and what it is worth."""

from enum import StrEnum
from typing import Final

from elohim_kernel.model.value import Value


class Verdict(StrEnum):
    """What became of a test that was tried."""

    ACCEPTED = "accepted"
    CHANGES_BEHAVIOUR = (
        "changes_behaviour"  # the head gives something else than the base: a person must say which is right
    )
    REJECTED = "rejected"


class Attempt(Value, frozen=True):
    """One row of the ledger: a test, or several that ended alike, and why."""

    function: str  # dotted name
    verdict: Verdict
    reason: str
    call: str = ""  # the expression; "" when there was none
    expected: str = ""  # what the base gives, or the head for a new function
    on_head: str = ""  # only where it differs
    test: str = ""  # id of the accepted test in its file
    kills: int = 0  # mutants on changed lines that existing tests leave alive
    lines: int = 0  # changed lines that no test ran before
    count: int = 1  # how many calls ended so


class Score(Value, frozen=True):
    """Coverage of changed lines and mutants on them. None: existing tests could not be run, so it is not known."""

    lines: int = 0
    covered_before: int | None = None
    covered_after: int = 0
    mutants: int = 0
    killed_before: int | None = None
    killed_after: int = 0
    killed_with_changes: int = 0  # with the tests of changed behaviour too, when a person takes them


class FunctionScore(Value, frozen=True):
    """What the tests of one function are worth."""

    function: str
    path: str
    is_new: bool
    inputs: int  # calls that were tried
    accepted: int
    score: Score


class ProposedFile(Value, frozen=True):
    """A new file of tests. `path` is relative to the repository and taken by nothing there."""

    path: str
    text: str
    tests: tuple[str, ...]  # ids in the file
    changes: bool = False  # tests of changed behaviour: they fail on the base on purpose


class ExistingTests(Value, frozen=True):
    """How the tests that are there already ended on the head. `problem` says why they tell nothing; "" when they do."""

    files: tuple[str, ...] = ()
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problem: str = ""


class Enrichment(Value, frozen=True):
    """All that one enrichment came to. Nothing of it is written to the repository."""

    repository: str
    base: str
    head: str
    files: tuple[ProposedFile, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    functions: tuple[FunctionScore, ...] = ()
    score: Score = Score()
    existing: ExistingTests = ExistingTests()
    runs: int = 0  # times the accepted tests were run, on each side, in another order each time
    notes: tuple[str, ...] = ()

    @property
    def accepted(self) -> int:
        """Tests that are proposed."""
        return sum(len(file.tests) for file in self.files if not file.changes)

    @property
    def patch(self) -> str:
        """The proposed files as a unified diff that `git apply` takes; "" when there are none."""
        return "".join(patch_of(file) for file in self.files if not file.changes)


class EnrichmentRecorded(Value, frozen=True, tag="tests.proposed"):
    """Tests were proposed for a change; `enrichment` holds the files, the ledger and what they are worth."""

    workflow: str
    enrichment: Enrichment
    item: str = ""
    run: str = ""


NO_NEWLINE: Final = "\\ No newline at end of file\n"


def patch_of(file: ProposedFile) -> str:
    r"""One new file as a unified diff.

    >>> print(patch_of(ProposedFile(path="tests/a.py", text="x = 1\n", tests=())), end="")
    diff --git a/tests/a.py b/tests/a.py
    new file mode 100644
    --- /dev/null
    +++ b/tests/a.py
    @@ -0,0 +1,1 @@
    +x = 1
    """
    # Only line feeds end a line of a diff: a form feed inside a text must stay where it is.
    lines = file.text.removesuffix("\n").split("\n")
    ending = "" if file.text.endswith("\n") else NO_NEWLINE
    body = "".join(f"+{line}\n" for line in lines)
    return (
        f"diff --git a/{file.path} b/{file.path}\nnew file mode 100644\n--- /dev/null\n+++ b/{file.path}\n"
        f"@@ -0,0 +1,{len(lines)} @@\n{body}{ending}"
    )
