"""SECURITY_REVIEW: the security engines, told whole, for a person; and nothing that goes on without one."""

import msgspec

from elohim_kernel import registry
from elohim_kernel.engines import policy, ruff
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.ports import EngineTraits, Scope
from elohim_kernel.testing import ScriptedEngine
from elohim_kernel.workflows.stages import security_review

OLD = "import os\n"
NEW = OLD + "\n\ndef load(text):\n    return eval(text)\n"
ENGINES = {"policy": policy, "ruff": ruff}


def scanner(name, *findings, status=EngineStatus.FINDINGS, reason="1 file"):
    made = ScriptedEngine(name, EngineReport(engine=name, status=status, reason=reason, findings=findings))
    made.TRAITS = EngineTraits(scope=Scope.CHANGE, cost=1, security=True)
    return made


def test_what_the_change_brings_is_summed_up_and_the_rows_are_handed_on(project, run_stage):
    made = project({"app.py": OLD}, {"app.py": NEW, ".github/workflows/ci.yml": "on: push\n"})
    secret = Finding(
        rule="key", severity=Severity.CRITICAL, message="m", path="app.py", line=1, tool="secrets", category="secret",
        fingerprint="v1:1", is_new=True,
    )  # fmt: skip

    result = run_stage(
        security_review, {"repository": made.path}, engines={**ENGINES, "secrets": scanner("secrets", secret)}
    )

    told = result.data["security_findings"]
    assert set(result.data) == {StageType.SECURITY_REVIEW.traits.data_key}
    assert msgspec.json.decode(msgspec.json.encode(result.data)) == result.data
    assert (told["worst_new"], told["new"]["critical"]) == ("critical", 1)
    assert told["by_category"]["policy"] == 1
    assert told["by_file"]["app.py"] == 2
    assert [each["category"] for each in told["top"]][:2] == ["secret", "policy"]
    assert result.facts["secrets"] == {"new": 1}
    assert result.facts["policy"] == {"new": 1}
    assert {report.engine for report in result.reports} == {"policy", "ruff", "secrets"}
    assert result.note.startswith("3 new security findings (1 critical, ")
    assert result.recommendation is None, "it proposes nothing"


def test_what_did_not_run_is_said_and_counted(project, run_stage):
    made = project({"app.py": OLD}, {"app.py": NEW})
    failed = scanner("semgrep", status=EngineStatus.FAILED, reason="killed")
    partial = scanner("bandit", status=EngineStatus.PARTIAL, reason="1 file could not be read")

    result = run_stage(
        security_review, {"repository": made.path}, engines={"ruff": ruff, "semgrep": failed, "bandit": partial}
    )

    assert result.facts["tools"] == {"not_run": 2, "failed": 1, "partial": 1}
    assert "semgrep: failed, because killed" in result.data["security_findings"]["not_run"]
    assert "bandit: partly run, because 1 file could not be read" in result.note
    assert "policy: not run, because there is no engine of this name" in result.note


def test_its_template_is_followed_by_a_person(project, run_stage):
    definition = next(each for name, _, each in registry.system_templates() if name == "tp_security_review")

    intake, scan, person = definition.stages
    assert (scan.type, scan.agent_auto_apply) == (StageType.SECURITY_REVIEW, False)
    assert (person.type, person.name) == (StageType.HUMAN, "Human Security Review")
    assert [each.options for each in person.form if each.name == "decision"] == [
        ("accept", "request changes", "reject")
    ]
    assert intake.type is StageType.HUMAN
