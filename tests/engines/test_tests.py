"""Test enrichment on one small library: what is accepted, what is told as changed, what is rejected and why.

The run is shared by the tests of this file, because it starts many processes.
"""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pygit2
import pytest

from elohim_kernel.engines import tests
from elohim_kernel.model.enrichment import Attempt, Enrichment, Verdict
from elohim_kernel.model.finding import EngineReport, EngineStatus
from elohim_kernel.model.value import convert
from elohim_kernel.ports import EngineRequest
from elohim_kernel.runtime.tools import LocalTools, MemoryJournal
from elohim_kernel.testing import FakeClock

BEFORE = """
def clamp(number, low=0, high=10):
    if number < low:
        return low
    return number


def price(cents: int) -> str:
    return f"{cents / 100:.2f}"


def same(text: str) -> str:
    return text.strip()
"""
AFTER = '''
import time


class Client:
    def __init__(self, socket: "Socket"):
        self.socket = socket


def clamp(number, low=0, high=10):
    """Keep a number in its bounds.

    >>> clamp(-3)
    0
    """
    if number < low:
        return low
    # An upper bound, too.
    if number > high:
        return high
    return number


def price(cents: int) -> str:
    euros = cents / 100
    return f"{euros:.2f}"


def same(text: str) -> str:
    # Only a comment is new.
    return text.strip()


def collapse_spaces(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError("only text")
    return " ".join(text.split())


def stamped(text: str) -> str:
    return f"{time.time()} {text}"


def saved(text: str) -> int:
    with open("/tmp/out.txt", "w") as out:
        return out.write(text)


def asked(client: Client) -> str:
    return client.socket.ask()


def unordered(word: str) -> list:
    return list({f"{word}{number}" for number in range(20)})


def countdown(start: int):
    while start > 0:
        yield start
        start -= 1
'''
TESTS = "from shop.text import clamp\n\n\ndef test_clamp_from_below():\n    assert clamp(-5) == 0\n"


class Ran(NamedTuple):
    """One enrichment, and the repository it was about."""

    repository: Path
    report: EngineReport
    made: Enrichment

    def of(self, function: str, verdict: Verdict) -> list[Attempt]:
        return [each for each in self.made.attempts if each.function.endswith(function) and each.verdict is verdict]

    def reasons(self, function: str) -> str:
        return "; ".join(each.reason for each in self.of(function, Verdict.REJECTED))


def commit(git: pygit2.Repository, branch: str, files: Mapping[str, str], parents: list[pygit2.Oid]) -> pygit2.Oid:
    index = pygit2.Index()
    for path, content in files.items():
        index.add(pygit2.IndexEntry(path, git.create_blob(content.encode()), pygit2.enums.FileMode.BLOB))
    who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000, 0)
    return git.create_commit(f"refs/heads/{branch}", who, who, "Change", index.write_tree(git), parents)


def enriched(folder: Path, before: Mapping[str, str], after: Mapping[str, str], **options: str) -> Ran:
    git = pygit2.init_repository(folder / "project", initial_head="main")
    commit(git, "feature", after, [commit(git, "main", before, [])])
    scratch = folder / "scratch"
    scratch.mkdir()
    tools = LocalTools(
        engines={"tests": tests},
        clock=FakeClock(),
        scratch=scratch,
        on_progress=lambda text, done, total: None,
        cancelled=threading.Event(),
        journal=MemoryJournal(),
        known=lambda repository: (),
    )
    change = tools.repository(str(folder / "project")).change("main", "feature")
    request = EngineRequest(
        repository=change.repository, head=change.head, change=change, timeout_s=120, options=options
    )
    report = tests.run(request, tools)
    made = convert(report.data[tests.DATA], Enrichment) if tests.DATA in report.data else None
    return Ran(folder / "project", report, made or Enrichment(repository="", base="", head=""))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    package = {"shop/__init__.py": "", "tests/test_text.py": TESTS}
    return enriched(
        tmp_path_factory.mktemp("shop"), {**package, "shop/text.py": BEFORE}, {**package, "shop/text.py": AFTER}
    )


def test_the_report_is_positive_only_about_what_ran(ran: Ran):
    assert ran.report.status is EngineStatus.CLEAN, ran.report.reason
    assert ran.report.covered == ("shop/text.py",)
    assert ran.report.isolation
    assert "accepted for" in ran.report.reason


def test_accepted_tests_pass_on_both_sides_by_themselves(ran: Ran, tmp_path: Path):
    """Checked here without any of our machinery: a plain pytest in a plain checkout."""
    (file,) = (each for each in ran.made.files if not each.changes)
    old = [name for name in file.tests if "price" in name or "clamp" in name]

    for branch, wanted in (("main", old), ("feature", file.tests)):
        folder = tmp_path / branch
        (folder / "shop").mkdir(parents=True)
        (folder / "shop/__init__.py").touch()
        (folder / "shop/text.py").write_text(BEFORE if branch == "main" else AFTER)
        text = file.text if branch == "feature" else only(file.text, ("price", "clamp"))
        (folder / "test_proposed.py").write_text(text)
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_proposed.py"]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stdout
        assert f"{len(wanted)} passed" in done.stdout


def only(text: str, functions: tuple[str, ...]) -> str:
    """The text without imports of, and blocks about, other functions."""
    blocks = text.split("\n\n\n")
    kept = [block for block in blocks[1:] if any(f"test_{name}" in block for name in functions)]
    return "\n\n\n".join(["import pytest\n\nfrom shop.text import clamp, price", *kept])


def test_an_input_that_gives_something_else_now_is_told_and_not_accepted(ran: Ran):
    told = ran.of("clamp", Verdict.CHANGES_BEHAVIOUR)

    assert told
    assert all(each.expected != each.on_head for each in told)
    accepted = [each.call for each in ran.of("clamp", Verdict.ACCEPTED)]
    assert not set(accepted) & {each.call for each in told}
    (file,) = (each for each in ran.made.files if each.changes)
    assert file.path == "tests/test_text_changes.py"
    assert "clamp" in file.text


def test_a_new_function_is_recorded_on_the_head_and_says_so(ran: Ran):
    found = ran.of("collapse_spaces", Verdict.ACCEPTED)

    assert found
    assert all(each.reason.startswith(("new function", "doing it twice")) for each in found)


def test_a_generator_is_tested_by_what_it_yields(ran: Ran):
    found = ran.of("countdown", Verdict.ACCEPTED)

    assert found
    assert all(each.call.startswith("list(countdown(") for each in found)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("stamped", "depends on time()"),
        ("saved", "changes files"),
        ("asked", "inputs for parameter client: Client cannot be built"),
        ("unordered", "does not give the same each time"),
    ],
)
def test_what_cannot_be_tested_is_rejected_with_the_reason(ran: Ran, function: str, reason: str):
    assert reason in ran.reasons(function)
    assert ran.of(function, Verdict.ACCEPTED) == []


def test_a_function_whose_comments_alone_changed_is_no_target(ran: Ran):
    assert not any(each.function.endswith(".same") for each in ran.made.attempts)


def test_existing_tests_are_counted_and_what_they_kill_is_not_counted_again(ran: Ran):
    (clamp,) = (each for each in ran.made.functions if each.function.endswith("clamp"))

    assert (ran.made.existing.passed, ran.made.existing.failed) == (1, 0)
    assert clamp.score.killed_before is not None
    assert clamp.score.killed_before < clamp.score.killed_with_changes <= clamp.score.mutants
    assert ran.made.score.killed_with_changes >= 0.8 * ran.made.score.mutants


def test_the_patch_is_one_that_git_takes_and_overwrites_nothing(ran: Ran, tmp_path: Path):
    patch = tmp_path / "tests.patch"
    patch.write_text(ran.made.patch)
    git: Callable[..., object] = lambda *words: subprocess.run(  # noqa: E731
        ["git", "-C", str(tmp_path / "copy"), *words], check=True, capture_output=True
    )
    subprocess.run(["git", "clone", "-q", "-b", "feature", str(ran.repository), str(tmp_path / "copy")], check=True)

    git("apply", str(patch))

    (file,) = (each for each in ran.made.files if not each.changes)
    assert (tmp_path / "copy" / file.path).read_text() == file.text
    assert file.path == "tests/test_text_proposed.py"


def test_nothing_is_written_to_the_repository(ran: Ran):
    there = sorted(path.name for path in ran.repository.iterdir())

    assert there == [".git"]


@pytest.mark.skipif(importlib.util.find_spec("pynguin") is not None, reason="pynguin is installed here")
def test_that_pynguin_took_no_part_is_said(ran: Ran):
    assert ran.report.notes == ("pynguin is not installed, so its search took no part",)


def test_a_change_without_python_is_not_run(tmp_path: Path):
    ran = enriched(tmp_path, {"a.md": "one"}, {"a.md": "two"})

    assert ran.report.status is EngineStatus.NOT_RUN
    assert ran.report.reason == "no Python functions in the change"


def test_a_module_that_cannot_be_imported_is_a_failure_with_its_reason(tmp_path: Path):
    ran = enriched(tmp_path, {"a.py": "x = 1\n"}, {"a.py": "import no_such_thing\n\n\ndef f(n):\n    return n\n"})

    assert ran.report.status is EngineStatus.FAILED
    assert "No module named 'no_such_thing'" in ran.report.reason
    assert ran.report.skipped == ("a.py",)
