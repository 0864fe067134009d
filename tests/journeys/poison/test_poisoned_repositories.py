"""Repositories that would run code, reach the network or silence the tools: no engine does what they want."""

import os
import subprocess
import sys
from typing import Final

import pytest

from elohim_kernel import registry
from elohim_kernel.model.finding import EngineStatus
from elohim_kernel.runtime import isolation

NAMES: Final = [name for name in registry.engines() if name != "tests"]

# Slow ones look at what is aimed at them, and at everything at once further below.
SLOW: Final = {
    "mypy": ("mypy", "sitecustomize", "modules shadowed", "tools shadowed", "options"),
    "detect-secrets": ("detect-secrets", "tools shadowed", "modules shadowed"),
    "semgrep": ("semgrep", "tools shadowed", "options"),
}


def check(field, reports, before):
    """What holds whatever the repository tried."""
    assert field.sprung() == []
    assert field.state() == before
    for report in reports:
        if report.status is EngineStatus.CLEAN:
            assert (report.files > 0, report.skipped) == (True, ()), report.engine
        assert report.status is not EngineStatus.FAILED, f"{report.engine}: {report.reason}"
    found = {(finding.tool, finding.path) for report in reports for finding in report.findings}
    assert {("ruff", "app.py"), ("bandit", "app.py")} <= found, reports


def test_a_poisoned_repository_runs_nothing_and_silences_nobody(field, poison):
    files, git = field.poisons[poison]
    head = field.plant(files, git)
    before = field.state()

    reports = field.look(
        head, [each for each in NAMES if each not in SLOW or any(word in poison for word in SLOW[each])]
    )

    check(field, reports, before)


def test_names_that_git_itself_refuses_are_left_out(field):
    head = field.plant({"evil.py": "x = 1\n"}, {})
    tree = field.git[head].tree
    config = field.git.create_blob(b"[core]\n\tfsmonitor = touch " + os.fsencode(field.markers / "ran"))
    inner = field.raw_tree((b"100644", b"config", config))
    entries = [(f"{item.filemode:o}".encode(), item.name.encode(), item.id) for item in tree]
    entries += [(b"40000", name, inner) for name in (b".git", b".GIT", b"git~1", b"..")]
    head = str(field.git.create_commit(None, *[field.git[head].author] * 2, "Raw", field.raw_tree(*entries), [head]))
    before = field.state()

    reports = field.look(head, NAMES)

    check(field, reports, before)
    assert [path for path in field.scratch.rglob("*") if path.name.lower() in (".git", "git~1")] == []


@pytest.fixture
def no_isolation(monkeypatch):
    monkeypatch.setattr(isolation, "_BEST_FIRST", ())
    isolation.best_level.cache_clear()
    yield
    monkeypatch.undo()
    isolation.best_level.cache_clear()


def all_at_once(field):
    files = {path: content for files, _ in reversed(field.poisons.values()) for path, content in files.items()}
    git = {path: content for _, git in field.poisons.values() for path, content in git.items()}
    return field.plant(files, git)


def test_all_poisons_at_once_run_nothing(field):
    head = all_at_once(field)
    before = field.state()

    reports = field.look(head, NAMES)

    check(field, reports, before)


def test_nothing_runs_even_where_nothing_would_hold_it(field, no_isolation):
    """Isolation is the second wall: the adapters' own settings alone keep a repository's code from running."""
    head = all_at_once(field)
    before = field.state()

    reports = field.look(head, [name for name in NAMES if not registry.engines()[name].TRAITS.executes], trust=True)

    check(field, reports, before)


def test_without_isolation_and_without_trust_every_tool_says_that_it_did_not_run(field, no_isolation):
    head = field.plant({"a.js": "eval(x)\n"}, {})

    reports = field.look(head, ["ruff", "bandit", "mypy"])

    assert {report.status for report in reports} == {EngineStatus.NOT_RUN}
    assert all("no isolation here" in report.reason for report in reports)


def test_the_traps_work(field):
    """Otherwise every test above would pass on its own."""
    field.plant({"evil.py": field.python, "evil.sh": ("program", field.shell)}, {})

    subprocess.run([sys.executable, field.place / "evil.py"], check=True)
    sprung = field.sprung()
    (field.markers / "ran").unlink()
    subprocess.run([field.place / "evil.sh"], check=True)

    assert (sprung, field.sprung()) == (["ran", "network"], ["ran"])
