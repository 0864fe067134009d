"""Findings from Python: short words in a notebook, tables on demand, and nothing from outside as markup."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pygit2
import pytest
from msgspec.structs import replace

from elohim_kernel.errors import Invalid, NotFound
from elohim_kernel.findings.recording import RecordFindings, finding_rows
from elohim_kernel.model.finding import EngineStatus, Finding, Severity
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench

HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m\u202e'
ONE = Finding(
    rule="S602", severity=Severity.HIGH, message="a shell", path="src/a.py", line=2, tool="ruff", fingerprint="v1:one"
)
SECRET = replace(ONE, rule="S105", category="secret", line=3, fingerprint="v1:secret", severity=Severity.LOW)
SOURCE = b'import os\nos.system(name)\nkey = "hunter2-hunter2"\ntoken = "ghp_0123456789abcdefghijABCDEFGHIJ456789"\n'


def repository(folder: Path) -> tuple[str, str]:
    """A repository with one commit; its path and the commit."""
    git = pygit2.init_repository(str(folder), initial_head="main")
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_bytes(SOURCE)
    git.index.add_all()
    who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000, 0)
    commit = git.create_commit("refs/heads/main", who, who, "x", git.index.write_tree(), [])
    return str(folder), str(commit)


@pytest.fixture
def ann(tmp_path: Path) -> Iterator[Workbench]:
    with memory_workbench() as wb:
        wb.define("name: Scan\nstages: [{key: look}]")
        place, head = repository(tmp_path)
        record(wb, ONE, SECRET, repository=place, head=head)
        yield wb


def record(wb: Workbench, *findings: Finding, repository: str = "/src", head: str = "") -> None:
    wb.do(
        RecordFindings(
            workflow="Scan",
            repository=repository,
            tool="ruff",
            status=EngineStatus.FINDINGS,
            reason="",
            head=head,
            rows=finding_rows(findings),
        )
    )


def test_a_list_says_in_one_line_how_much_there_is(ann: Workbench):
    assert repr(ann.findings()) == "<2 findings: 1 high, 1 low>"
    assert repr(ann.findings(rule="S602")) == "<1 finding: 1 high>"
    assert repr(ann.findings(rule="none")) == "<0 findings>"
    assert repr(ann.findings.list()[:1]) == "<1 finding: 1 high>"


def test_a_list_is_a_sequence_and_a_table(ann: Workbench):
    found = ann.findings()

    assert [one.rule for one in found] == ["S602", "S105"]
    assert list(found.df()["rule"]) == ["S602", "S105"]
    assert found.df()["first_seen"].dt.tz is not None
    assert found.rows()[0]["severity"] == "high"


class Reader(HTMLParser):
    """What is in the markup: tags with their attributes, and text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def test_nothing_from_outside_becomes_markup_in_a_notebook(ann: Workbench):
    hostile = dict.fromkeys(("rule", "message", "path", "snippet", "symbol", "category"), HOSTILE)
    record(ann, replace(ONE, **hostile, fingerprint="v1:h", owners=(HOSTILE,)))

    markup = ann.findings()._repr_html_()
    explained = ann.findings.explain(ann.findings(severity="high", text="onerror")[0].id)

    tags = {tag for tag, _ in Reader(markup).tags}
    assert tags <= {"details", "summary", "table", "thead", "tbody", "tr", "th", "td", "div"}
    assert {name for _, names in Reader(markup).tags for name in names} <= {"open", "style"}
    for text in (markup, str(explained), repr(explained)):
        assert not re.search("[\x1b\u202e]", text)


def test_a_notebook_shows_the_worst_severity_open(ann: Workbench):
    markup = ann.findings()._repr_html_()

    assert markup.startswith("<details open><summary>1 high</summary>")
    assert "<details><summary>1 low</summary>" in markup
    assert ann.findings(rule="none")._repr_html_() == "<div>no findings</div>"


def test_the_code_is_shown_without_what_is_secret_in_it(ann: Workbench):
    explained = ann.findings.explain(ann.findings(rule="S602")[0].id)

    shown = {line.number: line.text for line in explained.code}
    assert shown[2] == "os.system(name)"
    assert [line.number for line in explained.code if line.flagged] == [2]
    assert "secret" in shown[3]
    assert not re.search("hunter2|ghp_0123", str(explained))
    assert "priority 48 = severity 60 × confidence 0.8" in str(explained)


def test_code_that_is_not_here_is_left_out(ann: Workbench):
    record(ann, replace(ONE, rule="E1", fingerprint="v1:e"), repository="/nowhere", head="c0ffee")

    assert ann.findings.explain(ann.findings(rule="E1")[0].id).code == ()


def test_decisions_are_made_and_undone_with_few_words(ann: Workbench):
    made = ann.findings.decide(rule="S602", outcome="dismissed", reason="false positive", workflow="Scan")

    assert [one.status for one in ann.findings.decisions()] == ["active"]
    assert repr(ann.findings()) == "<1 finding: 1 low>"
    ann.findings.undo(made.undo)
    assert len(ann.findings()) == 2


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"outcome": "gone", "reason": "test code"}, Invalid),
        ({"outcome": "dismissed", "reason": "test code", "colour": "red"}, Invalid),
        ({"outcome": "dismissed", "reason": "test code", "rule": "none", "workflow": "Scan"}, NotFound),
    ],
)
def test_a_wrong_word_is_refused_by_its_name(ann: Workbench, given: dict[str, Any], error: type[Exception]):
    with pytest.raises(error):
        ann.findings.decide(**given)
