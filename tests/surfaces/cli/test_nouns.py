"""Workflows, access, audit, events, runs, SQL and playbooks at the terminal."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from elohim_kernel.surfaces.cli.sql import rows_for_people

TRIAGE = "name: Triage\nstages:\n- {key: look, name: Look}\n"


@pytest.fixture
def triage(tmp_path: Path) -> Path:
    file = tmp_path / "triage.yaml"
    file.write_text(TRIAGE)
    return file


def test_a_workflow_is_imported_revised_compared_and_exported(terminal: Any, triage: Path):
    first = terminal.json("workflow", "import", str(triage))
    same = terminal.says("workflow", "import", str(triage))
    triage.write_text(TRIAGE + "- {key: close, name: Close}\n")
    second = terminal.says("workflow", "import", str(triage), "--note", "closing")
    exported = terminal.says("workflow", "export", "Triage")

    assert first["revision"] == 1
    assert "unchanged" in same
    assert "revision 2" in second
    assert "+- key: close" in second
    assert terminal.json("workflow", "diff", "Triage", "--before", "1", "--after", "2")
    triage.write_text(exported)
    assert "unchanged" in terminal.says("workflow", "import", str(triage))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: X\nstages:\n- {key: a, name: A, routes: [{to: b}]}\n", "b"),
        ("name: X\nstages:\n- {key: a, name: A, routes: [{to: end, when: nobody.knows > 1}]}\n", "nobody"),
        ("name: X\nstages: [\n", "line"),
        ("name: X\n", "stages"),
        ("- 1\n", "mapping"),
        ("name: X\nstages:\n- {key: a, type: MAGIC}\n", "MAGIC"),
    ],
)
def test_a_bad_definition_is_named_with_its_place_and_nothing_is_saved(
    terminal: Any, tmp_path: Path, text: str, told: str
):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    before = terminal.events()

    checked = terminal.refused("workflow", "validate", str(file))
    refused = terminal.refused("workflow", "import", str(file))

    assert checked == refused
    assert told in checked["message"]
    assert "bad.yaml" in checked["message"]
    assert terminal.events() == before


def test_a_definition_may_come_from_standard_input(terminal: Any):
    done = terminal("workflow", "validate", "-", stdin=TRIAGE)

    assert done.exit_code == 0
    assert "Triage is fine" in done.stdout


def test_people_get_roles_and_act_as_themselves(terminal: Any):
    terminal.says("access", "team", "add", "payments", "--title", "Payments")
    terminal.says("access", "user", "add", "ann", "--title", "Ann Ode")
    terminal.says("access", "user", "grant", "ann", "approver", "--team", "payments")

    me = terminal.json("--as", "ann", "access", "whoami")

    assert (me["name"], me["teams"]) == ("ann", ["payments"])
    assert terminal.refused("access", "user", "add", "bo", "--as", "ann")["code"] in ("denied", "not_found")
    assert terminal.refused("item", "list", "--as", "nobody")["code"] == "unauthenticated"
    assert "ann" in terminal.says("access", "team", "list")
    terminal.says("access", "user", "revoke", "ann", "approver", "--team", "payments")
    terminal.says("access", "user", "disable", "ann", "--note", "left")
    assert terminal.refused("access", "whoami", "--as", "ann")["code"] == "unauthenticated"
    terminal.says("access", "user", "enable", "ann")
    assert terminal.says("access", "role", "define", "triage", "findings.decide=write") == "role triage is defined\n"
    assert terminal.refused("access", "role", "define", "triage", "findings.decide=all")["code"] == "invalid"


def test_the_secret_of_a_token_is_shown_once_and_kept_nowhere(terminal: Any, monkeypatch: pytest.MonkeyPatch):
    made = terminal.json("access", "token", "create", "--label", "laptop")
    everything = terminal.says("audit", "export") + terminal.says("access", "token", "list", "--json")

    assert made["secret"].startswith("elohim_")
    assert made["secret"] not in everything
    monkeypatch.setenv("ELOHIM_TOKEN", made["secret"])
    assert terminal.json("access", "whoami")["name"] == made["principal"]
    monkeypatch.delenv("ELOHIM_TOKEN")
    terminal.says("access", "token", "revoke", "laptop")
    monkeypatch.setenv("ELOHIM_TOKEN", made["secret"])
    assert terminal.refused("access", "whoami")["code"] == "unauthenticated"


def test_the_log_is_whole_and_a_kept_checkpoint_proves_more(terminal: Any, tmp_path: Path):
    kept, copy = tmp_path / "kept.json", tmp_path / "copy.jsonl"
    terminal.says("audit", "checkpoint", "--out", str(kept))
    terminal.says("audit", "export", "--out", str(copy))

    found = terminal.json("audit", "verify")

    assert (found["ok"], len(found["head"])) == (True, 64)
    assert terminal.json("audit", "verify", "--checkpoint", str(kept))["ok"]
    assert terminal.json("audit", "verify", "--against", str(copy))["ok"]
    assert len(copy.read_text().splitlines()) == json.loads(copy.read_text().splitlines()[-1])["seq"]


def test_a_checkpoint_the_log_does_not_fit_gives_exit_code_3(terminal: Any, tmp_path: Path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"seq": 2, "head": "0" * 64}))

    done = terminal("audit", "verify", "--checkpoint", str(other), "--json")

    assert done.exit_code == 3
    assert json.loads(done.stdout)["ok"] is False
    other.write_text("hello")
    assert terminal.refused("audit", "verify", "--checkpoint", str(other))["code"] == "invalid"


def test_what_happened_can_be_looked_at(reviewed: Any):
    [newest] = reviewed.json("event", "list", "--item", "EL-1", "--limit", "1")

    shown = reviewed.json("event", "show", newest["id"])

    assert shown["event"]["kind"] == newest["kind"]
    assert newest["id"] in reviewed.says("event", "show", str(newest["seq"]))
    [run] = reviewed.json("run", "list", "--item", "EL-1", "--status", "done")
    assert reviewed.json("run", "show", run["id"])["steps"] > 0
    assert reviewed.refused("run", "cancel", run["id"])["code"] == "conflict"


def test_sql_answers_in_rows_tables_csv_and_arrow(reviewed: Any, tmp_path: Path):
    query = "select severity, count(*) as n from findings where severity = $level group by all"
    file = tmp_path / "rows.arrow"

    rows = reviewed.json("sql", query, "-p", "level=high")
    plain = reviewed.says("sql", query, "-p", "level=high")
    told = list(csv.DictReader(io.StringIO(reviewed.says("sql", query, "-p", "level=high", "--csv"))))
    reviewed.says("sql", query, "-p", "level=high", "--arrow", str(file))

    assert rows == [{"severity": "high", "n": 3}]
    assert plain.split() == ["SEVERITY", "N", "high", "3"]
    assert told == [{"severity": "high", "n": "3"}]
    assert pa.ipc.open_file(file).read_all().to_pylist() == rows
    assert reviewed.json("sql", "select count(*) as n from work_items where 1 = $one", "-p", "one=2") == [{"n": 0}]


def test_rows_too_wide_for_the_terminal_are_shown_one_below_the_other():
    row = {f"column_{number}": f"value {number}" for number in range(9)}

    told = list(rows_for_people(list(row), [row, row], 80))

    assert told[:2] == ["row 1", "  column_0  value 0"]
    assert len(told) == 2 * (1 + len(row))
    assert next(iter(rows_for_people(list(row), [row], None))).startswith("COLUMN_0")


def test_csv_cells_never_start_a_formula(reviewed: Any):
    told = reviewed.says("sql", "select '=1+1' as sum, -5 as less", "--csv")

    assert told == "sum,less\n'=1+1,-5\n"


@pytest.mark.parametrize("query", ["drop table items", "select * from nothing", "selec", "copy items to '/tmp/x'"])
def test_sql_that_is_wrong_or_does_more_than_read_is_refused(reviewed: Any, query: str):
    assert reviewed.refused("sql", query)["code"] == "invalid"


def test_playbooks_say_what_they_take_and_refuse_the_rest(reviewed: Any):
    [listed] = [one for one in reviewed.json("playbook", "list") if one["name"] == "review_report"]

    assert "item" in [one["name"] for one in listed["parameters"]]
    assert "reference of the work item" in reviewed.says("playbook", "show", "review_report")
    assert reviewed.refused("playbook", "run", "nothing", "-p", "item=EL-1")["code"] == "not_found"
    assert reviewed.refused("playbook", "run", "review_report")["code"] == "invalid"


def test_the_doctor_finds_everything_this_needs(reviewed: Any):
    checks = {one["check"]: one for one in reviewed.json("doctor")}

    assert {name for name, one in checks.items() if one["state"] == "broken"} == set()
    assert {"duckdb", "git", "sandbox", "engine ruff", "extra notebook", "home", "owner"} <= set(checks)


def test_rebuilding_from_the_log_changes_no_item(reviewed: Any):
    before, events = reviewed.json("item", "show", "EL-1"), reviewed.events()

    done = reviewed.json("rebuild")

    assert done == {"events": events}
    assert reviewed.json("item", "show", "EL-1") == before
    assert reviewed.json("owner", "show")["pid"]
    assert reviewed.json("owner", "stop")["stopped"]
    assert reviewed.json("owner", "show")["pid"] is None
