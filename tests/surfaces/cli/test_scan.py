"""`elohim scan` and `elohim engine`: an honest account, for people and as JSON."""

import json

import pytest
from typer.testing import CliRunner

from elohim_kernel.surfaces.cli.main import app

RUN_KEYS = {"engine", "status", "reason", "files", "seconds", "findings"}
FINDING_KEYS = {
    "id", "fingerprint", "state", "severity", "confidence", "category", "cwe", "rule", "tool", "path", "line",
    "message", "remediation", "also_seen_by", "new",
}  # fmt: skip


def test_a_scan_gives_runs_and_findings_under_their_names(terminal, sample):
    told = terminal.json(
        "scan", sample, "--engine", "ruff", "--engine", "policy", "--base", "main", "--head", "feature/route-cache"
    )

    runs = {run["engine"]: run for run in told["runs"]}
    assert set(runs) == {"ruff", "policy"}
    assert all(set(run) >= RUN_KEYS for run in told["runs"])
    assert all(set(finding) >= FINDING_KEYS for finding in told["findings"])
    assert sum(run["findings"] for run in told["runs"]) >= len(told["findings"]) > 0
    assert any(finding["new"] for finding in told["findings"])
    ranks = [("critical", "high", "medium", "low", "info").index(one["severity"]) for one in told["findings"]]
    assert ranks == sorted(ranks), "worst first"


def test_the_same_scan_again_knows_every_finding_and_answers_from_what_it_remembers(terminal, sample):
    first = terminal.json("scan", sample, "--engine", "ruff", "--workflow", _flow(terminal, "Again"))
    again = terminal.json("scan", sample, "--engine", "ruff", "--workflow", "Again")

    assert [one["id"] for one in first["findings"]] == [one["id"] for one in again["findings"]]
    assert {one["state"] for one in first["findings"]} == {"new"}
    assert {one["state"] for one in again["findings"]} == {"new"}, "at the same commit nothing has aged"
    assert again["runs"][0]["cached"] == again["runs"][0]["files"] > 0
    listed = terminal.json("sql", "select count(*) as n from findings where workflow = 'Again'")
    assert listed == [{"n": len({one["id"] for one in (*first["findings"], *first["told"])})}]


def _flow(terminal, name):
    file = terminal.home / f"{name}.yaml"
    file.write_text(f"name: {name}\nstages: [{{key: look}}]\n")
    terminal.says("workflow", "import", str(file))
    return name


def test_people_read_which_engines_ran_and_one_row_for_each_problem(terminal, sample):
    page = terminal.says("scan", sample, "--engine", "ruff", "--engine", "policy")

    assert "policy  not run" in page
    assert "there is no change, only a whole tree" in page
    assert "ruff    findings" in page
    assert "Findings" in page
    assert "\x1b" not in page


@pytest.mark.parametrize(("level", "code"), [("high", 1), ("new:high", 1), ("critical", 0), ("never", 0)])
def test_the_policy_is_in_the_exit_code_and_the_document_is_printed_all_the_same(terminal, sample, level, code):
    done = terminal(
        "scan",
        sample,
        "--engine",
        "ruff",
        "--base",
        "main",
        "--head",
        "feature/route-cache",
        "--no-record",
        "--fail-on",
        level,
        "--json",
    )

    assert done.exit_code == code, done.output
    assert json.loads(done.stdout)["runs"]


def test_without_recording_nothing_is_kept(terminal, sample):
    before = terminal.events()

    told = terminal.json("scan", sample, "--engine", "ruff", "--no-record")

    assert terminal.events() == before
    assert {one["id"] for one in told["findings"]} == {""}


def test_a_dry_run_shows_what_would_run_and_runs_nothing(terminal, sample):
    before = terminal.events()

    told = terminal.json("scan", sample, "--dry-run", "--base", "main", "--head", "feature/route-cache")

    assert {row["engine"] for row in told["engines"]} >= {"ruff", "policy"}
    assert "changed file" in told["size"]
    assert terminal.events() == before


def test_the_findings_are_written_as_sarif(terminal, sample, tmp_path):
    file = tmp_path / "out.sarif"

    told = terminal.json(
        "scan",
        sample,
        "--engine",
        "ruff",
        "--base",
        "main",
        "--head",
        "feature/route-cache",
        "--no-record",
        "--sarif",
        str(file),
    )

    (run,) = json.loads(file.read_text())["runs"]
    assert len(run["results"]) == len(told["findings"]) + len(told["told"])
    assert {result["baselineState"] for result in run["results"]} <= {"new", "unchanged"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--engine", "rugg"), "there is no engine 'rugg'"),
        (("--base", "nowhere"), "'nowhere' is not a branch, tag or commit here"),
        (("--fail-on", "terrible"), "none of"),
        (("--engine", "ruff", "--no-record", "--sarif", "/no/such/folder/x"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_recorded(terminal, sample, words, why):
    assert why in terminal.refused("scan", sample, *words)["message"]


def test_a_folder_that_is_no_repository_is_refused(terminal, tmp_path):
    assert "is not in a git repository" in terminal.refused("scan", str(tmp_path))["message"]


def test_progress_goes_to_standard_error(terminal, sample):
    done = CliRunner().invoke(app, ["--home", str(terminal.home), "scan", sample, "--engine", "ruff", "--no-record"])

    assert "ruff: " in done.stderr
    assert "ruff: " not in done.stdout


def test_engines_are_listed_with_what_they_are(terminal):
    told = {one["name"]: one for one in terminal.json("engine", "list")}

    assert told["ruff"]["security"] is True
    assert told["policy"]["scope"] == "change"
    assert all(one["label"] for one in told.values())
    assert "ruff" in terminal.says("engine", "list")


def test_the_doctor_of_engines_says_how_tools_are_held(terminal):
    told = terminal.json("engine", "doctor")

    assert told["isolation"]["words"]
    assert {one["engine"] for one in told["engines"]} >= {"ruff", "policy"}
    assert "isolation" in terminal.says("engine", "doctor")


def test_one_engine_shows_its_whole_report_and_records_nothing(terminal, sample):
    before = terminal.events()

    report = terminal.json("engine", "run", "ruff", sample)

    assert (report["engine"], report["status"]) == ("ruff", "findings")
    assert report["covered"]
    assert "ruff" in terminal.says("engine", "run", "ruff", sample)
    assert terminal.events() == before


def test_an_engine_that_is_not_installed_is_not_run_and_says_so(terminal, sample, monkeypatch):
    from elohim_kernel.engines import ruff

    monkeypatch.setattr(ruff, "available", lambda: "ruff is not installed; pip install 'elohim_kernel[engines]'")

    told = terminal.json("scan", sample, "--engine", "ruff", "--no-record")

    assert told["runs"][0]["status"] == "not_run"
    assert told["runs"][0]["reason"].startswith("ruff is not installed")
    assert told["findings"] == []
