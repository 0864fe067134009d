"""Running tests in a child process and believing the result only as far as three accounts of it agree.

The tests that were collected beforehand, the JUnit file and the signed account with the exit status must tell the same.
"No tests" is never a success.
"""

import hmac
import os
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from elohim_kernel.engines._tests_running import Deadline, Side, variables
from elohim_kernel.engines._tests_shapes import Mutant, Target
from elohim_kernel.model.value import Value
from elohim_kernel.ports import Tools

PASSED: Final = "passed"
_MEMORY_MB: Final = 2_048
_MOST_BYTES: Final = 32 * 1024 * 1024
_TEST_S: Final = 10.0


class Account(Value, frozen=True):
    """What a run of tests came to. `problem` says why it is not believed; "" when it is."""

    problem: str = ""
    collected: tuple[str, ...] = ()
    outcomes: Mapping[str, str] = {}
    lines: Mapping[str, tuple[int, ...]] = {}  # absolute path to the lines that ran
    killed: Mapping[str, bool | None] = {}  # mutant to whether a test failed; None: it cannot be made

    def names(self, *outcomes: str) -> tuple[str, ...]:
        """Tests that ended one of these ways."""
        return tuple(name for name, outcome in self.outcomes.items() if outcome in outcomes)


class _Told(msgspec.Struct, frozen=True):
    exit: int
    collected: tuple[str, ...]
    outcomes: dict[str, str]
    problems: tuple[str, ...]
    lines: dict[str, tuple[int, ...]]
    killed: dict[str, bool | None]


class _Signed(msgspec.Struct, frozen=True):
    told: str
    sign: str


class Suite(Value, frozen=True):
    """Tests to run: files relative to `folder`. Without `conftest`, no conftest.py is loaded."""

    folder: str  # absolute: where pytest's root is
    files: tuple[str, ...]
    roots: tuple[str, ...]  # absolute folders for Python's path
    conftest: bool
    import_mode: str = "importlib"


class Prover:
    """Runs suites on one side of a change."""

    def __init__(self, side: Side, tools: Tools, deadline: Deadline) -> None:
        self._side, self._tools, self._deadline = side, tools, deadline
        self.runs = 0

    def on(self, side: Side) -> "Prover":
        """The same for files in another place."""
        return Prover(side, self._tools, self._deadline)

    def collect(self, suite: Suite) -> Account:
        """The tests there are, without running one."""
        return self._run(suite, seed=0, targets=(), mutants=(), collect=True, most_s=60)

    def run(
        self,
        suite: Suite,
        expected: Sequence[str],
        *,
        seed: int,
        measured: Sequence[str] = (),
        targets: Sequence[Target] = (),
        mutants: Sequence[Mutant] = (),
        failing: Sequence[str] = (),
        most_s: float = 120,
    ) -> Account:
        """Run and compare with what was expected: exactly those tests, and exactly `failing` of them failed.

        `failing` None-like `("*",)` means any may fail: then only the accounts are compared.
        """
        account = self._run(
            suite, seed=seed, targets=targets, mutants=mutants, measured=measured, most_s=most_s, failing=failing
        )
        if account.problem:
            return account
        if sorted(account.collected) != sorted(expected):
            return Account(problem=_differ("collected other tests than there are", account.collected, expected))
        if sorted(account.outcomes) != sorted(expected):
            return Account(problem=_differ("did not run every test that was collected", account.outcomes, expected))
        return account

    def _run(
        self,
        suite: Suite,
        *,
        seed: int,
        targets: Sequence[Target],
        mutants: Sequence[Mutant],
        most_s: float,
        measured: Sequence[str] = (),
        failing: Sequence[str] = (),
        collect: bool = False,
    ) -> Account:
        self.runs += 1
        out = Path(tempfile.mkdtemp(dir=self._tools.scratch, prefix="pytest-")).resolve()
        settings = out / "settings.ini"
        settings.write_text("[pytest]\n", encoding="ascii")
        key = os.urandom(32)
        limit_s = self._deadline.share(most_s)
        job = {
            "key": key.hex(),
            "result": str(out / "result.json"),
            "junit": "" if collect else str(out / "junit.xml"),
            "settings": str(settings),
            "rootdir": suite.folder,
            "files": [str(Path(suite.folder, name)) for name in suite.files],
            "roots": suite.roots,
            "conftest": suite.conftest,
            "import_mode": suite.import_mode,
            "seed": seed,
            "measured": measured,
            "limit_s": _TEST_S,
            "budget_s": limit_s / 2,
            "targets": self._asked(targets, mutants),
        }
        completed = self._tools.run(
            (sys.executable, "-s", "-P", "-m", "elohim_kernel.engines._tests_pytest_child"),
            cwd=Path(suite.folder),
            timeout_s=limit_s,
            stdin=msgspec.json.encode(job),
            memory_mb=_MEMORY_MB,
            writable=(out,),
            variables=variables(seed),
        )
        self._side.cpu_seconds += completed.cpu_seconds
        if completed.reason:
            return Account(problem=f"the tests were {completed.reason}")
        told = _told(out / "result.json", key)
        if told is None:
            return Account(problem=f"the process ended with {completed.exit_code} and left no account that is signed")
        if told.exit != completed.exit_code:
            return Account(problem=f"exit status {completed.exit_code}, but the account says {told.exit}")
        account = Account(collected=told.collected, outcomes=told.outcomes, lines=told.lines, killed=told.killed)
        why = _collected(told) if collect else _disagreement(told, out / "junit.xml", failing)
        return Account(problem=why) if why else account

    def _asked(self, targets: Sequence[Target], mutants: Sequence[Mutant]) -> list[dict[str, object]]:
        return [
            {
                "key": each.key,
                "file": self._side.file(each.place),
                "qualname": each.qualname,
                "first": each.first,
                "begins": each.first,
                "ends": each.last,
                "lines": each.lines,
                "numbers": [(one.number, one.line) for one in mutants if one.key == each.key],
            }
            for each in targets
        ]


def _told(path: Path, key: bytes) -> _Told | None:
    """The child's account; None when it is not there or not signed."""
    content = _read(path)
    if content is None:
        return None
    try:
        signed = msgspec.json.decode(content, type=_Signed)
        if not hmac.compare_digest(hmac.digest(key, signed.told.encode(), "sha256").hex(), signed.sign):
            return None
        return msgspec.json.decode(signed.told, type=_Told)
    except msgspec.DecodeError:
        return None


def _read(path: Path) -> bytes | None:
    try:
        whole = path.is_file() and not path.is_symlink() and path.stat().st_size <= _MOST_BYTES
        return path.read_bytes() if whole else None
    except OSError:
        return None


def _collected(told: _Told) -> str:
    if told.problems:
        return f"{len(told.problems)} could not be collected: {told.problems[0]}"
    if told.exit != 0 or not told.collected:
        return "there are no tests" if not told.collected else f"collecting ended with {told.exit}"
    return ""


def _disagreement(told: _Told, junit: Path, failing: Sequence[str]) -> str:
    """Why the accounts of one run cannot all be true; "" when they agree."""
    if not told.collected:
        return "there are no tests"
    if told.problems:
        return f"{len(told.problems)} could not be collected: {told.problems[0]}"
    bad = sorted(name for name, outcome in told.outcomes.items() if outcome in ("failed", "error"))
    if told.exit != (1 if bad else 0):
        return f"exit status {told.exit} with {len(bad)} failed"
    if tuple(failing) != ("*",) and bad != sorted(failing):
        return _differ("failed", bad, sorted(failing)) if failing else f"failed: {', '.join(bad[:3])}"
    content = _read(junit)
    if content is None:
        return "there is no JUnit file"
    try:
        cases = list(ET.fromstring(content).iter("testcase"))  # noqa: S314 - capped, and expat bounds its entities
    except ET.ParseError as wrong:
        return f"the JUnit file cannot be read: {wrong}"
    named = {case.get("name", "") for case in cases}
    wanted = {name.rpartition("::")[2] if "[" not in name else _last(name) for name in told.outcomes}
    failed = {
        case.get("name", "") for case in cases if case.find("failure") is not None or case.find("error") is not None
    }
    if named != wanted:
        return _differ("the JUnit file names other tests", named, wanted)
    if failed != {_last(name) for name in bad}:
        return _differ("the JUnit file tells other failures", failed, bad)
    return ""


def _last(name: str) -> str:
    """The test's own name in its id; a parameter's id may hold anything, colons too."""
    plain, bracket, parameters = name.partition("[")
    return plain.rpartition("::")[2] + bracket + parameters


def _differ(what: str, there: Sequence[str] | set[str] | Mapping[str, str], wanted: Sequence[str] | set[str]) -> str:
    odd = sorted(set(there) ^ set(wanted))
    return f"{what}: {', '.join(odd[:3])}" if odd else what
