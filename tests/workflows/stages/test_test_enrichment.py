"""TEST_ENRICHMENT: what becomes data and facts, on a real change; and what a description alone is enough for."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from msgspec.structs import replace

from elohim_kernel.engines import tests
from elohim_kernel.errors import Invalid
from elohim_kernel.model.enrichment import Attempt, Enrichment, ExistingTests, ProposedFile, Verdict
from elohim_kernel.model.finding import EngineReport, EngineStatus
from elohim_kernel.model.value import plain
from elohim_kernel.workflows.stages import test_enrichment as stage

OLD = "def half(number: int) -> int:\n    return number // 2\n"
NEW = "def half(number: int) -> int:\n    halved = number // 2\n    return halved\n"
FILE = ProposedFile(path="tests/test_a_proposed.py", text="def test_a():\n    assert 1\n", tests=("test_a",))
MADE = Enrichment(
    repository="/src",
    base="1",
    head="2",
    files=(FILE, replace(FILE, path="tests/test_a_changes.py", changes=True)),
    attempts=(
        Attempt(function="a.f", verdict=Verdict.ACCEPTED, reason="kills 1"),
        Attempt(function="a.f", verdict=Verdict.CHANGES_BEHAVIOUR, reason="", call="f(1)", expected="12", on_head="13"),
        Attempt(function="a.g", verdict=Verdict.REJECTED, reason="sleeps", count=3),
    ),
    existing=ExistingTests(files=("tests/test_a.py",), passed=4, skipped=1),
)


def part(made: Enrichment | None, asked: list[object]):
    """An engine of somebody else, under the same name: what the stage makes of a report is all that is looked at."""

    def run(request, tools):
        asked.append(request)
        data = {"test_enrichment": plain(made)} if made else {}
        return EngineReport(engine="tests", status=EngineStatus.CLEAN, reason="done", data=data)

    return {"tests": SimpleNamespace(**{**vars(tests), "run": run})}


def test_a_real_change_gets_proven_tests_as_data_and_facts(project, run_stage):
    made = project({"shop.py": OLD}, {"shop.py": NEW})

    result = run_stage(stage, {"repository": made.path}, engines={"tests": tests})

    told = result.data["test_enrichment"]
    assert told["status"] == "clean", told["reason"]
    assert told["accepted"] == len(told["files"][0]["tests"]) > 0
    assert told["patch"].startswith("diff --git a/tests/test_shop_proposed.py")
    assert result.facts["tests"]["accepted"] == told["accepted"]
    assert result.facts["tests"]["all_passed"] is False, "no test was there before"
    assert result.change is not None
    assert msgspec.json.decode(msgspec.json.encode(result.data)) == result.data
    assert sorted(path.name for path in Path(made.path).iterdir()) == [".git"]


def test_facts_count_what_was_there_what_is_proposed_and_what_differs(project, run_stage):
    made = project({"a.py": OLD}, {"a.py": NEW})

    result = run_stage(stage, {"repository": made.path}, engines=part(MADE, []))

    assert result.facts["tests"] == {
        "passed": 4, "failed": 0, "skipped": 1, "all_passed": True, "proposed": 2, "accepted": 1,
        "changed_behaviour": 1,
    }  # fmt: skip
    told = result.data["test_enrichment"]
    assert told["changes_behaviour"] == [{"function": "a.f", "call": "f(1)", "base": "12", "head": "13"}]
    assert told["rejected"] == [{"function": "a.g", "reason": "sleeps", "count": 3}]
    assert "changes" not in told["patch"]


@pytest.mark.parametrize(
    "there",
    [
        ExistingTests(),
        ExistingTests(skipped=3),
        ExistingTests(passed=3, failed=1),
        ExistingTests(passed=3, problem="exit status 0 with 1 failed"),
    ],
)
def test_all_tests_pass_is_false_when_none_ran_or_one_failed_or_the_run_is_not_believed(there: ExistingTests):
    assert stage.facts(replace(MADE, existing=there))["all_passed"] is False


def test_an_engine_that_could_not_try_gives_facts_that_claim_nothing(project, run_stage):
    made = project({"a.py": OLD}, {"a.py": NEW})

    result = run_stage(stage, {"repository": made.path}, engines={})

    assert result.facts["tests"]["accepted"] == 0
    assert result.facts["tests"]["all_passed"] is False
    assert "no engine of this name" in result.note


def test_description_and_cause_are_handed_to_the_engine_and_are_enough_without_a_change(project, run_stage):
    asked: list[object] = []
    made = project({"a.py": OLD}, {"a.py": NEW})
    data = {"repository": made.path, "description": "`half` is wrong", "cause": "see `other`"}

    run_stage(stage, data, engines=part(MADE, asked))
    run_stage(stage, {**data, "base": "main", "head": "main"}, engines=part(MADE, asked))

    assert [each.options["describe"] for each in asked] == ["`half` is wrong\nsee `other`"] * 2
    assert asked[0].change is not None


def test_an_item_without_a_repository_is_refused(run_stage):
    with pytest.raises(Invalid, match="names no repository"):
        run_stage(stage, {"description": "`half` is wrong"}, engines=part(MADE, []))
