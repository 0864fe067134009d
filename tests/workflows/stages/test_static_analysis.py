"""STATIC_ANALYSIS: reports are handed on whole, and what is new is what guards see."""

import msgspec
import pytest

from elohim_kernel.errors import Invalid
from elohim_kernel.model.finding import EngineStatus
from elohim_kernel.runtime.tools import MemoryJournal
from elohim_kernel.workflows.stages import static_analysis

OLD = "import os\n"
NEW = OLD + "\n\ndef load(text, seen=[]):\n    return eval(text)\n"


def test_what_the_change_brings_becomes_facts(project, run_stage):
    made = project({"app.py": OLD}, {"app.py": NEW})

    result = run_stage(static_analysis, {"repository": made.path, "base": "main", "head": "feature", "note": "kept"})

    assert result.facts["findings"]["total"] == 3
    assert result.facts["findings"]["new"] == {"critical": 0, "high": 0, "medium": 2, "low": 0, "info": 0}
    assert result.facts["tools"] == {"not_run": 0, "failed": 0, "partial": 0}
    assert result.note == "2 new findings in 1 changed file"
    assert [report.engine for report in result.reports] == ["ruff"]


def test_the_summary_is_plain_data_with_the_commits_it_is_about(project, run_stage):
    made = project({"app.py": OLD}, {"app.py": NEW})

    result = run_stage(static_analysis, {"repository": made.path})

    summary = result.data["static_analysis"]
    (engine,) = summary["engines"]
    assert msgspec.json.decode(msgspec.json.encode(result.data)) == result.data
    assert (engine["engine"], engine["status"], engine["files"], engine["findings"]) == ("ruff", "findings", 1, 3)
    assert summary["new"]["medium"] == 2
    assert (summary["head_name"], summary["base_name"], len(summary["head"])) == ("feature", "main", 40)


def test_a_tool_that_did_not_run_is_a_fact_and_in_the_note(project, run_stage):
    made = project({"app.py": OLD}, {"README.md": "# hi\n"})

    result = run_stage(static_analysis, {"repository": made.path})

    assert result.reports[0].status is EngineStatus.NOT_RUN
    assert result.facts["tools"]["not_run"] == 1
    assert result.note.endswith("ruff not_run: no Python files in the change")


def test_a_missing_engine_is_not_silence(project, run_stage):
    made = project({"app.py": OLD}, {"app.py": NEW})

    result = run_stage(static_analysis, {"repository": made.path}, engines={})

    assert result.facts["tools"]["not_run"] == 1
    assert "no engine of this name" in result.note


def test_the_path_of_the_item_is_used_when_its_data_names_none(project, run_stage):
    made = project({"app.py": OLD}, {"app.py": NEW})

    result = run_stage(static_analysis, {"base": "", "head": None}, target_path=made.path)

    assert result.data["static_analysis"]["head_name"] == "feature"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "WI-1 names no repository"),
        ({"repository": "/nowhere/at/all"}, "no folder"),
        ({"repository": 7}, "data of WI-1"),
    ],
)
def test_an_item_without_a_usable_repository_is_refused(run_stage, data, message):
    with pytest.raises(Invalid, match=message):
        run_stage(static_analysis, data)


def test_progress_is_told_and_ends_at_its_total(project, run_stage):
    made, told = project({"app.py": OLD}, {"app.py": NEW}), []

    run_stage(static_analysis, {"repository": made.path}, told=told)

    assert [text.partition(":")[0] for text, _, _ in told] == ["Reading the change", "Running ruff", "ruff", "Done"]
    assert told[-1][1:] == (2, 2)


def test_a_stage_that_begins_again_looks_at_the_same_commits_and_repeats_nothing(project, run_stage):
    made, journal = project({"app.py": OLD}, {"app.py": NEW}), MemoryJournal()
    data = {"repository": made.path, "base": "main", "head": "feature"}
    first = run_stage(static_analysis, data, journal=journal)

    moved = made.commit("feature", {"app.py": "x = 1\n"}, [made.git.references["refs/heads/feature"].target])
    again = run_stage(static_analysis, data, journal=journal)

    assert again == first
    assert first.data["static_analysis"]["head"] != str(moved)
