"""CODE_REVIEW: advice cites what was checked, ranks what matters, and may have nothing to say."""

import pytest

from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.recommendation import Recommendation, Risk
from elohim_kernel.model.value import convert, to_json
from elohim_kernel.testing import ScriptedEngine
from elohim_kernel.workflows.stages import code_review

OLD = "def area(r):\n    return 3 * r * r\n"
RISKY = "def load(text, seen=[]):\n    return missing(text)\n"
BRANCHES = "def area(r):\n" + "".join(f"    if r == {n}:\n        return {n}\n" for n in range(15)) + "    return r\n"


@pytest.fixture
def review(project, run_stage):
    def run(before, after, **options):
        return run_stage(code_review, {"repository": project(before, after).path}, **options)

    return run


def fake(**fields):
    """An engine whose report is given, for what a real one would have to be broken to say."""
    said = EngineReport(**{"engine": "ruff", "status": EngineStatus.FINDINGS, "reason": "1 file", "files": 1, **fields})
    return ScriptedEngine("ruff", said)


def found(line, **fields):
    values = {"rule": "X1", "severity": Severity.HIGH, "message": "m", "path": "a.py", "tool": "ruff", "line": line}
    return Finding(**{**values, "on_changed_line": True, **fields})


def titles(result):
    return [step.title for step in result.recommendation.steps]


def test_a_bad_line_asks_to_look_closely_and_is_cited_at_its_commit(review):
    result = review(
        {"a.py": OLD, "tests/test_a.py": "\n"}, {"a.py": OLD + "\n\n" + RISKY, "tests/test_a.py": "x = 1\n"}
    )

    first = result.recommendation.steps[0]
    facts = {fact.id: fact for fact in result.recommendation.evidence}
    head = result.data["change"]["head"]
    assert result.recommendation.verdict == "look closely"
    assert first.title == "F821: Undefined name `missing`"
    assert first.risk is Risk.HIGH
    assert facts[first.evidence[0]].source == f"a.py:6@{head[:12]}"
    assert result.facts["findings"]["new"]["high"] == 1
    assert result.note.startswith("look closely: 2 new findings (1 high, 1 medium)")


def test_every_statement_cites_evidence_and_no_evidence_is_idle(review):
    result = review({"a.py": OLD}, {"a.py": BRANCHES + RISKY, "migrations/1.sql": "drop table x;\n"})

    advice = result.recommendation
    cited = {name for part in (*advice.steps, *advice.risks) for name in part.evidence}
    assert all(part.evidence for part in (*advice.steps, *advice.risks))
    assert cited == {fact.id for fact in advice.evidence}
    assert advice.uncited() == ()


def test_nothing_to_say_is_an_answer(review):
    result = review(
        {"a.py": OLD, "tests/test_a.py": "\n"}, {"a.py": OLD.replace("3", "4"), "tests/test_a.py": "x = 1\n"}
    )

    advice = result.recommendation
    assert (advice.verdict, advice.steps, advice.risks, advice.evidence) == ("nothing to say", (), (), ())
    assert "No new finding" in advice.summary


def test_old_problems_on_untouched_lines_are_recorded_but_not_raised(review):
    result = review({"a.py": RISKY}, {"a.py": RISKY + "x = 1\n", "tests/test_a.py": "x = 1\n"})

    assert result.facts["findings"]["total"] == 2
    assert result.recommendation.steps == ()


def test_a_function_that_grew_is_a_step(review):
    result = review({"a.py": OLD}, {"a.py": BRANCHES, "tests/test_a.py": "x = 1\n"})

    assert titles(result) == ["Split area, or test its branches: 1 → 16 paths"]


def test_sensitive_places_are_read_first_and_are_risks(review):
    result = review({"x": "x\n"}, {"migrations/1.sql": "drop table x;\n", "src/auth.py": "x = 1\n", "tests/t.py": ""})

    assert titles(result)[0] == "Read 2 sensitive files first: database migration, sign-in and permissions"
    assert {risk.title for risk in result.recommendation.risks} == {
        "Touches database migration",
        "Touches sign-in and permissions",
    }


def test_source_without_a_test_is_a_step_and_raises_no_risk(review):
    result = review({"a.py": OLD}, {"a.py": OLD.replace("3", "4")})

    assert titles(result) == ["Name the test that covers this change, or add one"]
    assert result.recommendation.risks == ()
    assert result.recommendation.verdict == "comment"


def test_a_lock_file_that_changed_alone_is_a_question(review):
    result = review({"package.json": "{}", "yarn.lock": "a\n"}, {"yarn.lock": "b\n"})

    assert titles(result) == ["Ask why yarn.lock changed alone: lock file without its manifest"]


def test_at_most_eight_steps_riskiest_first(review):
    lines = "".join(f"def f{n}(a=[{n}]):\n    return a\n\n\n" for n in range(3))
    rules = {f"X{n}": Severity.HIGH if n % 2 else Severity.MEDIUM for n in range(12)}
    reports = tuple(found(1, rule=rule, severity=severity) for rule, severity in rules.items())

    result = review({"x": "x\n"}, {"a.py": lines}, engines={"ruff": fake(findings=reports)})

    risks = [step.risk for step in result.recommendation.steps]
    assert len(risks) == 8
    assert risks == [Risk.HIGH] * 6 + [Risk.MEDIUM] * 2


def test_many_of_one_rule_are_one_step_and_small_things_another(review):
    findings = (*(found(n, rule="X1") for n in (1, 2)), *(found(n, rule="L", severity=Severity.LOW) for n in (1, 2)))

    result = review({"x": "x\n"}, {"a.py": "a\nb\n"}, engines={"ruff": fake(findings=findings)})

    assert titles(result)[:2] == ["2 × X1: m", "Tidy up 2 small things on changed lines"]
    assert [step.minutes for step in result.recommendation.steps[:2]] == [30, 6]
    assert len(result.recommendation.steps[0].evidence) == 2


@pytest.mark.parametrize("wrong", [found(99), found(0), found(1, snippet="not there"), found(1, path="gone.py")])
def test_a_finding_that_is_not_in_the_commit_is_not_cited(review, wrong):
    result = review({"x": "x\n"}, {"a.py": "x = 1\n", "tests/t.py": ""}, engines={"ruff": fake(findings=(wrong,))})

    assert result.recommendation.steps == ()
    assert result.recommendation.not_run[-1] == ("1 finding not cited, because the quoted line is not in the commit")


def test_what_did_not_run_is_listed_with_its_reason_and_never_nothing_to_say(review):
    broken = ScriptedEngine("ruff", lambda request, tools: 1 // 0)

    result = review({"a.py": OLD}, {"README.md": "x\n"}, engines={"ruff": broken})

    assert result.recommendation.verdict == "comment"
    assert result.recommendation.not_run[0].startswith("ruff: failed, because ZeroDivisionError")
    assert result.facts["tools"] == {"not_run": 3, "failed": 1, "partial": 0}


def test_files_a_tool_could_not_read_are_a_risk(review):
    result = review({"x": "x\n"}, {"bad.py": "def f(:\n", "ok.py": "x = 1\n", "tests/t.py": ""})

    assert "ruff could not analyse 1 file" in {risk.title for risk in result.recommendation.risks}
    assert result.recommendation.verdict == "look closely"


def test_the_result_is_plain_data_under_the_keys_others_read(review):
    result = review({"a.py": OLD}, {"a.py": OLD + RISKY})

    assert set(result.data) == {"agent_recommendation", "static_analysis", "change"}
    assert convert(result.data["agent_recommendation"], Recommendation) == result.recommendation
    change = result.data["change"]
    assert (change["title"], change["files"], change["lines_added"]) == ("Load text faster", 1, 2)
    assert {"score", "level", "contributions"} == set(change["risk"])
    assert result.facts["change"]["risk"] == change["risk"]["score"]


def test_the_same_change_gives_the_same_recommendation(project, run_stage):
    made = project({"a.py": OLD}, {"a.py": BRANCHES + RISKY, "auth.py": "import os\n"})

    one, other = (run_stage(code_review, {"repository": made.path}) for _ in range(2))

    assert to_json(one.recommendation) == to_json(other.recommendation)
    assert one.facts == other.facts
