"""The child process that runs pytest for test enrichment: once, watched, in an order of ours, then against mutants.

What it reports is signed with a key that comes on standard input before any code of the repository is loaded. That
catches a module that ends the process and leaves a report behind; it does not hold an adversary who reads memory.
"""

import contextlib
import hmac
import json
import os
import random
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import coverage
import pytest
from _pytest.runner import runtestprotocol

from elohim_kernel.engines._tests_swap import Swappable
from elohim_kernel.engines._tests_watching import stand_in_for_versions

Job = dict[str, Any]  # JSON from our parent

_RANK: Final = ("passed", "skipped", "xfailed", "xpassed", "error", "failed")


class _Overdue(BaseException):
    """A test took too long."""


def _overdue(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Overdue


class _Watching:
    """A plugin: the order, the outcomes, which lines each test runs, and which mutants each test kills."""

    def __init__(self, job: Job, measuring: coverage.Coverage) -> None:
        self._job, self._measuring = job, measuring
        self._is_measuring = True
        self._repeatable: dict[str, bool] = {}
        self.collected: list[str] = []
        self.outcomes: dict[str, str] = {}
        self.problems: list[str] = []
        self.killed: dict[str, bool | None] = {}
        self.lines: dict[str, list[int]] = {}
        self._limit_s = float(job["limit_s"])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problems.append(f"{report.nodeid}: {str(report.longrepr).strip().splitlines()[-1:]}"[:300])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._job["seed"]:
            random.Random(self._job["seed"]).shuffle(items)  # noqa: S311 - an order, not a secret
        self.collected = [item.nodeid for item in items]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if self._is_measuring:
            self._measuring.switch_context(item.nodeid)
        with self._alarm():
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._note(report.nodeid, _outcome(report))

    def _note(self, name: str, outcome: str) -> None:
        before = self.outcomes.get(name, "passed")
        self.outcomes[name] = max(before, outcome, key=_RANK.index)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        self._measuring.stop()
        self._is_measuring = False
        self._read_lines()
        if self._job["targets"] and not session.config.option.collectonly:
            self._against_mutants(session.items)
        return result

    def _read_lines(self) -> None:
        data = self._measuring.get_data()
        for file in self._job["measured"]:
            self.lines[file] = sorted(data.lines(file) or [])

    def _against_mutants(self, items: list[pytest.Item]) -> None:
        good = {item.nodeid: item for item in items if self.outcomes.get(item.nodeid) == "passed"}
        data = self._measuring.get_data()
        end = _now() + float(self._job["budget_s"])
        for target in self._job["targets"]:
            by_line = data.contexts_by_lineno(target["file"])
            with contextlib.suppress(OSError, SyntaxError):
                swap = Swappable(target["file"], target["qualname"], target["first"], set(target["lines"]))
                for number, line in target["numbers"]:
                    near = {
                        name for each in range(target["begins"], target["ends"] + 1) for name in by_line.get(each, ())
                    }
                    names = [name for name in by_line.get(line, ()) if name in good] or [
                        name for name in near if name in good
                    ]
                    if swap.missing or _now() > end:
                        return
                    self.killed[f"{target['key']}#{number}"] = self._is_killed(
                        swap, number, [good[name] for name in names]
                    )

    def _is_killed(self, swap: Swappable, number: int, items: list[pytest.Item]) -> bool | None:
        items = [item for item in items if self._is_repeatable(item)]
        with swap.mutated(number) as fits:
            return any(not self._passes_again(item) for item in items) if fits else None

    def _is_repeatable(self, item: pytest.Item) -> bool:
        """Whether it passes a second time in one process as the code is: else its failing would prove nothing."""
        if item.nodeid not in self._repeatable:
            self._repeatable[item.nodeid] = self._passes_again(item)
        return self._repeatable[item.nodeid]

    def _passes_again(self, item: pytest.Item) -> bool:
        self._limit_s = 1.0
        return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        signal.setitimer(signal.ITIMER_REAL, self._limit_s, 0.5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    return "error" if report.failed and report.when != "call" else str(report.outcome)


def _now() -> float:
    return os.times().elapsed


def _arguments(job: Job) -> list[str]:
    plain = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:doctest", "--color=no", "--tb=line"]
    plain += ["-c", job["settings"], f"--rootdir={job['rootdir']}", f"--import-mode={job['import_mode']}"]
    plain += [f"--junitxml={job['junit']}"] if job["junit"] else ["--collect-only"]
    return [*plain, *([] if job["conftest"] else ["--noconftest"]), *job["files"]]


def main() -> None:
    """Do the job on standard input."""
    job: Job = json.loads(sys.stdin.buffer.read())
    key = bytes.fromhex(job.pop("key"))
    result = job.pop("result")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGALRM, _overdue)
    for name in [name for name in sys.modules if name.partition(".")[0] == "elohim_kernel"]:
        del sys.modules[name]
    sys.path[:0] = job["roots"]
    stand_in_for_versions()
    measuring = coverage.Coverage(data_file=None, config_file=False, include=job["measured"] or ["/nowhere"])
    watching = _Watching(job, measuring)
    sign, dump, write = hmac.digest, json.dumps, Path.write_text
    measuring.start()
    code = int(pytest.main(_arguments(job), plugins=[watching]))
    told = dump(
        {
            "exit": code,
            "collected": watching.collected,
            "outcomes": watching.outcomes,
            "problems": watching.problems,
            "lines": watching.lines,
            "killed": watching.killed,
        }
    )
    write(Path(result), dump({"told": told, "sign": sign(key, told.encode(), "sha256").hex()}))
    os._exit(code)


if __name__ == "__main__":
    main()
