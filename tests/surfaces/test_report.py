import msgspec
import pandas as pd
import pytest

from elohim_kernel.model.form import Field, FieldType
from elohim_kernel.surfaces import report

ADVICE = {
    "verdict": "look closely",
    "summary": "One function does too much.",
    "risks": [{"title": "complexity", "detail": "plan_day went from 4 to 17", "level": "high", "evidence": ["E1"]}],
    "steps": [{"title": "read plan_day", "detail": "", "risk": "low", "minutes": 10, "evidence": ["E1", "E2"]}],
    "evidence": [
        {"id": "E1", "kind": "metric", "source": "breadrun/routes.py:40@abc", "text": "complexity 17"},
        {"id": "E2", "kind": "finding", "source": "breadrun/routes.py:52@abc", "text": "bare except"},
        {"id": "E3", "kind": "metric", "source": "README.md", "text": "nobody cites this"},
    ],
    "not_run": ["mypy: not run, because it is not installed"],
}


class Item(msgspec.Struct):
    reference: str = "REV-7"
    title: str = "Cache routes"
    status: str = "pending"
    stage: str = "Reviewer Review"
    data: dict = {}
    form: tuple[Field, ...] = ()


def findings(**columns):
    count = len(next(iter(columns.values())))
    rest = {
        "rule": "F821",
        "message": "undefined name",
        "state": "new",
        "tool": "ruff",
        "line": 1,
        "on_changed_line": True,
    }
    return pd.DataFrame({name: [value] * count for name, value in rest.items()} | columns)


def test_a_recommendation_shows_its_statements_with_the_evidence_they_cite():
    words = report.recommendation({"agent_recommendation": ADVICE})

    assert words.startswith("Look closely: One function does too much.")
    assert "1. complexity: plan_day went from 4 to 17 (high) [E1]" in words
    assert "1. read plan_day (low, about 10 min) [E1] [E2]" in words
    assert "[E2] breadrun/routes.py:52@abc: bare except" in words
    assert "nobody cites this" not in words
    assert words.endswith("This is advice. A person decides.")


def test_tools_that_did_not_run_are_told_once_with_their_reason():
    engines = [
        {"engine": "mypy", "status": "not_run", "reason": "it is not installed"},
        {"engine": "complexity", "status": "partial", "reason": "2 files do not parse"},
        {"engine": "ruff", "status": "findings", "reason": "7 rules matched"},
    ]
    data = {"agent_recommendation": ADVICE, "static_analysis": {"engines": engines}}

    words = report.not_run(data)

    assert words.splitlines() == [
        "• mypy: not run, because it is not installed",
        "• complexity: partly run, because 2 files do not parse",
    ]


def test_the_first_findings_are_the_worst_and_those_on_changed_lines():
    table = report.top_findings(
        findings(
            path=["old.py", "new.py", "mild.py", "worst.py"],
            severity=["high", "high", "low", "critical"],
            on_changed_line=[False, True, True, False],
        ),
        count=3,
    )

    assert list(table["path"]) == ["worst.py", "new.py", "old.py"]
    assert list(table.index) == [1, 2, 3]


def test_text_from_outside_stays_text_in_a_table():
    report.show_tables_plainly()
    hostile = findings(
        path=["<script>\x1b]0;x\x07.py"], severity=["low"], message=["$\\href{javascript:alert(1)}{x}$ <img src=x>"]
    )

    html = report.top_findings(hostile)._repr_html_()

    assert "<script>" not in html
    assert "<img" not in html
    assert "\x1b" not in html
    assert "mathjax_ignore" in html


def test_nothing_found_and_nothing_written_is_said_in_words():
    empty = findings(path=[], severity=[])

    assert report.top_findings(empty).empty
    assert report.recommendation({}) == "No recommendation was written."
    assert report.not_run({}) == "No tool has reported: nothing is known about this change yet."
    assert report.not_run({"agent_recommendation": {"summary": ""}}) == "Everything that was asked for has run."


def test_the_question_names_the_change_and_hides_no_direction_marks():
    change = {
        "base_name": "main",
        "head_name": "feature/\u202eroute",
        "merge_base": "1" * 40,
        "head": "2" * 40,
        "files": 10,
        "lines_added": 210,
        "lines_deleted": 12,
        "truncated": "1 file over 5 MB\x1b[2J",
    }

    words = report.asked(Item(data={"change": change}))

    assert "REV-7: Cache routes" in words
    assert "main → feature/�route (1111111111..2222222222)" in words
    assert "files 10, lines +210 −12" in words
    assert words.endswith("not everything was looked at: 1 file over 5 MB�[2J")


@pytest.mark.parametrize("reference", ["REV-7", "it's; rm"])
def test_the_commands_can_be_pasted_whatever_the_reference(reference):
    words = report.decision(Item(reference=reference))

    safe = {"REV-7": "REV-7", "it's; rm": "'it'\"'\"'s; rm'"}[reference]
    assert f"elohim item complete {safe} --note" in words
    assert f"wb.complete({reference!r}, note=" in words


def test_the_commands_answer_what_the_stage_asks():
    asked = Field(name="decision", type=FieldType.CHOICE, options=("accept it", "reject"), required=True)

    words = report.decision(Item(form=(asked, Field(name="comment"))))

    assert "elohim item complete REV-7 -f decision='accept it' --note" in words
    assert "wb.complete('REV-7', decision='accept it', note=" in words


def test_a_finished_item_asks_for_nothing():
    assert report.decision(Item(status="completed")) == "Nothing is asked of you: REV-7 is completed."
