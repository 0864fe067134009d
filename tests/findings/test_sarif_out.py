"""Writing SARIF that code-scanning hosts take: identities, suppressions, flows, limits, and what did not run."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.findings import sarif_out
from elohim_kernel.findings.sarif_in import read_sarif
from elohim_kernel.findings.sarif_out import Exported, sarif_of
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, FindingState, Place, Severity

SQL = Finding(
    rule="sql",
    severity=Severity.HIGH,
    message="Built from input",
    path="app/my db.py",
    line=4,
    end_line=5,
    column=3,
    tool="taint",
    category="sql-injection",
    cwe=89,
    snippet="db.execute(q)",
    symbol="find",
    fingerprint="v1:aa",
    related=(Place(path="app/in.py", line=1, message="source", flow=True), Place(path="app/near.py", line=2)),
)


def parsed(*findings: Exported, reports: tuple[EngineReport, ...] = ()) -> dict[str, Any]:
    return json.loads(sarif_of(findings, reports).content)


def flaws(log: dict[str, Any]) -> list[str]:
    """What of the standard's rules, as far as hosts insist on them, a file breaks."""
    found = [] if log["version"] == "2.1.0" and log["$schema"].startswith("https://") else ["version"]
    for run in log["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"].get("rules", [])]
        found += ["driver without name"] if not run["tool"]["driver"]["name"] else []
        found += ["a rule twice"] if len(set(rules)) != len(rules) else []
        found += ["no results"] if "results" not in run else []
        for invocation in run.get("invocations", []):
            found += ["executionSuccessful"] if not isinstance(invocation["executionSuccessful"], bool) else []
        for result in run["results"]:
            found += ["rule index"] if rules[result.get("ruleIndex", 0)] != result["ruleId"] else []
            found += ["level"] if result["level"] not in ("error", "warning", "note", "none") else []
            found += ["message"] if not result["message"]["text"] else []
            for location in result["locations"]:
                region = location["physicalLocation"].get("region", {"startLine": 1})
                found += ["startLine"] if region["startLine"] < 1 else []
                found += ["endLine"] if region.get("endLine", 10**9) < region["startLine"] else []
                uri = location["physicalLocation"]["artifactLocation"]["uri"]
                found += ["uri"] if " " in uri or "\\" in uri or uri.startswith("/") else []
    return found


def test_a_finding_is_written_with_everything_a_host_reads():
    log = parsed(Exported(finding=SQL, id="fd_1", baseline="new", also_seen_by=("bandit",)))

    (run,) = log["runs"]
    (result,) = run["results"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert flaws(log) == []
    assert result["partialFingerprints"] == {"elohim/v1": "v1:aa"}
    assert (result["level"], result["baselineState"]) == ("error", "new")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "app/my%20db.py"
    assert len(result["codeFlows"][0]["threadFlows"][0]["locations"]) == len(result["relatedLocations"]) == 1
    assert result["properties"]["alsoSeenBy"] == ["bandit"]
    assert rule["properties"] == {
        "tags": ["security", "sql-injection", "external/cwe/cwe-089"],
        "precision": "medium",
        "security-severity": "8.0",
    }


def test_what_is_not_a_security_problem_gets_no_security_number():
    plain = msgspec.structs.replace(SQL, category="style", cwe=0, severity=Severity.INFO)

    (run,) = parsed(Exported(finding=plain))["runs"]

    assert "security-severity" not in run["results"][0]["properties"]
    assert "security-severity" not in run["tool"]["driver"]["rules"][0]["properties"]


@pytest.mark.parametrize(
    ("state", "suppressed", "kinds"),
    [
        (FindingState.OPEN, "", []),
        (FindingState.DISMISSED, "", ["external"]),
        (FindingState.ACCEPTED, "", ["external"]),
        (FindingState.OPEN, "noqa: S608", ["inSource"]),
        (FindingState.DISMISSED, "nosec", ["inSource", "external"]),
    ],
)
def test_decisions_and_comments_are_suppressions(state: FindingState, suppressed: str, kinds: list[str]):
    finding = msgspec.structs.replace(SQL, suppressed=suppressed)

    (run,) = parsed(Exported(finding=finding, state=state, justification="false positive: checked"))["runs"]

    assert [one["kind"] for one in run["results"][0].get("suppressions", [])] == kinds


@pytest.mark.parametrize(
    ("status", "well", "words"),
    [
        (EngineStatus.NOT_RUN, False, "not run, because semgrep is not installed"),
        (EngineStatus.FAILED, False, "failed, because semgrep is not installed"),
        (EngineStatus.PARTIAL, True, "partly run, because semgrep is not installed"),
    ],
)
def test_a_tool_that_did_not_run_is_in_the_file_and_says_why(status: EngineStatus, well: bool, words: str):
    report = EngineReport(engine="semgrep", status=status, reason="semgrep is not installed")

    log = parsed(reports=(report,))

    (invocation,) = log["runs"][0]["invocations"]
    assert flaws(log) == []
    assert invocation["executionSuccessful"] is well
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == words


def test_past_a_hosts_limits_the_most_urgent_are_kept_and_the_cut_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sarif_out, "RESULTS_PER_RUN", 3)
    monkeypatch.setattr(sarif_out, "STEPS_PER_RESULT", 1)
    many = [Exported(finding=msgspec.structs.replace(SQL, line=line)) for line in range(1, 6)]
    long = msgspec.structs.replace(SQL, related=(Place(path="a.py", line=1, flow=True),) * 4)

    cut = sarif_of(many)
    shortened = sarif_of([Exported(finding=long)])

    (run,) = json.loads(cut.content)["runs"]
    assert [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in run["results"]] == [1, 2, 3]
    assert cut.notes == ("taint: 5 findings, of which the 3 most urgent are in the file",)
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == cut.notes[0]
    assert shortened.notes == ("taint: the data flow of 1 findings was cut to 1 steps",)


def test_more_tools_than_a_host_takes_are_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sarif_out, "RUNS_PER_FILE", 1)
    other = msgspec.structs.replace(SQL, tool="zebra")

    written = sarif_of([Exported(finding=SQL), Exported(finding=SQL), Exported(finding=other)])

    assert [run["tool"]["driver"]["name"] for run in json.loads(written.content)["runs"]] == ["taint"]
    assert written.notes == ("2 tools, of which the 1 with the most findings are in the file",)


_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(str.strip)
_NAMES = st.text("abcdefghij_", min_size=1, max_size=8)


@st.composite
def _findings(draw: st.DrawFn) -> list[Finding]:
    return [
        Finding(
            rule=draw(_NAMES),
            severity=draw(st.sampled_from(Severity)),
            message=draw(_TEXT).strip(),
            path=f"{draw(_NAMES)}/{draw(_NAMES)}.py",
            line=draw(st.integers(0, 5_000)),
            tool=draw(_NAMES).strip("_") or "x",
            category=draw(st.sampled_from(["sql-injection", "xss", "correctness"])),
            fingerprint=f"v1:{number:064x}",
        )
        for number in range(draw(st.integers(0, 6)))
    ]


@given(_findings())
def test_what_is_written_and_read_again_is_the_same(findings: list[Finding]):
    written = sarif_of([Exported(finding=each) for each in findings])

    read = [each for run in read_sarif(written.content) for part in run.identified({}) for each in part]

    assert flaws(json.loads(written.content)) == []
    kept = {(f"import:{one.tool}", one.rule, one.path, one.line, one.message): one.fingerprint for one in findings}
    assert {(one.tool, one.rule, one.path, one.line, one.message) for one in read} == set(kept)
    assert {one.fingerprint for one in read} <= {one.fingerprint for one in findings}
