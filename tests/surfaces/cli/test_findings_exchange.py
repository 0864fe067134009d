"""`elohim findings import` and `export`: what comes in, what goes out, and what is said about it."""

import json

import pytest

REPORT = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "Finder"}},
            "results": [
                {
                    "ruleId": "R1",
                    "level": "error",
                    "message": {"text": "=danger"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "service/app.py"},
                                "region": {"startLine": 1},
                            }
                        }
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture
def report(tmp_path):
    file = tmp_path / "report.sarif"
    file.write_text(json.dumps(REPORT))
    return str(file)


def test_a_report_is_taken_in_twice_and_recorded_once(new_terminal, sample, report):
    terminal = new_terminal()

    first = terminal.json("findings", "import", report, "--repository", sample)
    again = terminal.json("findings", "import", report, "--repository", sample)

    assert [run["new"] for done in (first, again) for run in done["runs"]] == [1, 0]
    assert first["workflow"] == "Repository Scan"
    assert [one["tool"] for one in terminal.json("findings", "list")] == ["import:finder"]


def test_a_dry_run_says_so_and_records_nothing(new_terminal, sample, report):
    terminal = new_terminal()

    page = terminal.says("findings", "import", report, "--repository", sample, "--dry-run")

    assert "nothing was recorded" in page
    assert terminal.json("findings", "list") == []


def test_a_run_that_did_not_end_well_gives_exit_code_1(terminal, sample, tmp_path):
    file = tmp_path / "failed.sarif"
    file.write_text(json.dumps({"runs": [{**REPORT["runs"][0], "invocations": [{"executionSuccessful": False}]}]}))

    done = terminal("findings", "import", str(file), "--repository", sample)

    assert done.exit_code == 1
    assert "did not end well" in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nowhere.sarif",), "not_found"),
        (("{report}", "--repository", "/nowhere"), "invalid"),
        (("{report}", "--head", "no-such-branch"), "invalid"),
        (("{report}", "--workflow", "Nothing"), "not_found"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_recorded(new_terminal, sample, report, words, code):
    terminal = new_terminal()
    given = [each.format(report=report) for each in words]
    about = () if "--repository" in given else ("--repository", sample)

    assert terminal.refused("findings", "import", *given, *about)["code"] == code
    assert terminal.json("findings", "list") == []


def test_findings_are_written_in_every_format(new_terminal, sample, report, tmp_path):
    terminal = new_terminal()
    terminal.says("findings", "import", report, "--repository", sample)

    sarif = json.loads(terminal.says("findings", "export"))
    lines = terminal.says("findings", "export", "--format", "jsonl")
    table = terminal.says("findings", "export", "--format", "csv", "--severity", "high")
    told = terminal.json("findings", "export", "--format", "baseline", "--out", str(tmp_path / "b.json"))

    assert sarif["runs"][0]["tool"]["driver"]["name"] == "finder"
    assert json.loads(lines)["message"] == "=danger"
    assert "'=danger" in table
    assert told["bytes"] == (tmp_path / "b.json").stat().st_size


def test_a_file_that_cannot_be_written_is_an_error(terminal, tmp_path):
    assert terminal.refused("findings", "export", "--out", str(tmp_path / "no" / "where.sarif"))["code"] == "invalid"
