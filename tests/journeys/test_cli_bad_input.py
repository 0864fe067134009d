"""What is wrong is said, with its exit code; and nothing was changed by it."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pygit2
import pytest


def refusal(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.stdout == ""
    error: dict[str, Any] = json.loads(done.stderr)["error"]
    return error


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty repository, and one without any."""
    folder = tmp_path_factory.mktemp("places")
    pygit2.init_repository(folder / "empty")
    (folder / "plain").mkdir()
    return folder


@pytest.mark.parametrize(
    ("place", "told"), [("missing", "no folder"), ("plain", "not in a git repository"), ("empty", "no commits")]
)
def test_a_place_without_a_change_is_refused_and_nothing_is_recorded(shell: Any, places: Path, place: str, told: str):
    before = shell.events()

    done = shell("review", str(places / place), "--json")

    assert done.returncode == 2
    assert told in refusal(done)["message"]
    assert shell.events() == before


def test_an_unknown_revision_or_template_is_refused_and_nothing_is_opened(shell: Any, sample: Path):
    before, items = shell.events(), shell.json("item", "list")

    revision = shell("review", str(sample), "--head", "no-such-branch", "--json")
    template = shell("review", str(sample), "--template", "No such template", "--json")

    assert (revision.returncode, template.returncode) == (2, 2)
    assert "no-such-branch" in refusal(revision)["message"]
    assert "No such template" in refusal(template)["message"]
    assert shell.json("item", "list") == items
    # The refusal of the second is an event: it came as far as the gate.
    assert shell.events() == before + 1


def test_a_dirty_working_tree_does_not_matter(shell: Any, sample: Path):
    clean = shell.json("review", str(sample), "--no-report")
    untracked, tracked = sample / "untracked.py", sample / "breadrun" / "app.py"
    before = tracked.read_text()
    try:
        untracked.write_text("import os, sys\n")
        tracked.write_text("this is not python (\n")
        dirty = shell.json("review", str(sample), "--no-report")
        kept = tracked.read_text()
    finally:
        tracked.write_text(before)
        untracked.unlink()

    assert kept == "this is not python (\n"
    assert [one["fingerprint"] for one in dirty["findings"]] == [one["fingerprint"] for one in clean["findings"]]


@pytest.mark.parametrize("words", [["item", "list"], ["review"], ["demo"]], ids=" ".join)
def test_a_home_that_is_no_folder_is_refused(shell: Any, sample: Path, tmp_path: Path, words: list[str]):
    file = tmp_path / "file"
    file.write_text("a letter\n")
    arguments = [*words, str(sample)] if words == ["review"] else words

    done = shell(*arguments, "--home", str(file), "--json")

    assert done.returncode == 2
    assert str(file) in refusal(done)["message"]
    assert file.read_text() == "a letter\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator of a machine may write everywhere")
def test_a_home_that_cannot_be_written_is_our_fault_and_says_what_to_do(shell: Any, tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        done = shell("item", "list", "--home", str(tmp_path / "e"), "--json")
    finally:
        tmp_path.chmod(0o700)

    assert done.returncode == 3
    assert refusal(done)["code"] == "unavailable"


def test_a_title_that_acts_on_terminals_is_shown_as_text(shell: Any):
    flow = shell.json("workflow", "instantiate", "Standard Code Review")["id"]
    title = "\x1b[2J\x1b]0;owned\x07 harmless \u202egpj.exe"

    opened = shell.json("item", "open", flow, title)["reference"]
    shown = "".join(shell(*words).stdout for words in (["item", "list"], ["item", "show", opened], ["inbox"]))

    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "<U+202E>gpj.exe" in shown
    assert "\x1b" not in shell("item", "list", "--json").stdout


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A repository whose change takes the engines a while."""
    function = "def f{0}(a, b):\n    if a:\n        return b\n    for x in a:\n        b += x\n    return b\n\n\n"
    git = pygit2.init_repository(tmp_path / "slow", initial_head="main")
    index, who = pygit2.Index(), pygit2.Signature("Ada", "ada@example.org", 1_700_000_000, 0)
    git.create_commit("HEAD", who, who, "Begin", index.write_tree(git), [])
    body = "".join(function.format(number) for number in range(60)).encode()
    for number in range(600):
        blob = git.create_blob(body + f"# {number}\n".encode())
        index.add(pygit2.IndexEntry(f"m{number}.py", blob, pygit2.enums.FileMode.BLOB))
    git.create_commit("refs/heads/wide", who, who, "Much", index.write_tree(git), [git.head.target])
    return tmp_path / "slow"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_review_that_is_stopped_leaves_nothing_running(shell: Any, slow: Path, how: signal.Signals):
    with shell.start("review", str(slow), "--no-report") as process:
        guard = threading.Timer(60, process.kill)
        guard.start()
        for line in process.stderr:
            if "Running" in line:
                break
        process.send_signal(how)
        code = process.wait(timeout=60)
        guard.cancel()
    newest = shell.json("run", "list", "--limit", "1")[0]
    item = shell.json("item", "list", "--limit", "1")[0]

    assert code == 130
    assert newest["status"] == "cancelled"
    assert item["status"] == "failed"
    assert shell.json("item", "retry", item["reference"])["status"] != "failed"
    shell.json("item", "cancel", item["reference"], "--note", "enough")


def test_output_that_nobody_reads_to_its_end_is_no_error(shell: Any):
    with shell.start("event", "list", "--limit", "1000", "--json") as process:
        process.stdout.close()
        process.stdout = None
        _, complained = process.communicate(timeout=60)

    assert process.returncode == 0
    assert complained == ""
