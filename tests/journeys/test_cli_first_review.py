"""A person's first five minutes at the terminal, as the tutorial tells them."""

import json
import re
from pathlib import Path
from typing import Any


def test_the_demo_finds_reports_and_leaves_a_decision_to_a_person_as_often_as_one_likes(shell: Any):
    done = shell("demo")
    again = shell("demo", "--json")

    assert done.returncode == 0, done.stderr
    assert re.search(r"^EL-\d+  Plan routes once", done.stdout, re.MULTILINE)
    assert "3 high" in done.stdout
    assert "waits   reviewer_review" in done.stdout
    assert done.stdout.count("  elohim item ") == 3
    assert "\x1b" not in done.stdout + done.stderr
    report = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("report"))
    assert Path(report).stat().st_size > 10_000
    assert (again.returncode, again.stderr) == (0, "")
    assert Path(json.loads(again.stdout)["report"]["path"]).is_file()


def test_from_review_to_decision_audit_and_question(shell: Any, sample: Path):
    reviewed = shell.json("review", str(sample), "--no-report")
    reference = reviewed["reference"]

    shown = shell.json("item", "show", reference)
    claimed = shell.json("item", "claim", reference)
    completed = shell.json("item", "complete", reference, "-f", "decision=accept", "--note", "read the findings")
    history = shell.json("item", "show", reference)["history"]
    trail = shell.json("audit", "verify")
    counted = shell.json(
        "sql", "select count(*) as n from findings where severity = 'high' and item = $item", "-p", f"item={reference}"
    )

    assert (shown["stage"], shown["status"]) == ("reviewer_review", "pending")
    assert shown["recommendation"]["verdict"] == "look closely"
    assert (claimed["status"], completed["status"]) == ("claimed", "completed")
    assert history[-1]["note"] == "read the findings"
    assert trail["ok"]
    assert counted[0]["n"] == sum(one["severity"] == "high" for one in shown["findings"])


def test_findings_over_the_policy_give_exit_code_1_and_the_item_all_the_same(shell: Any, sample: Path):
    over = shell("review", str(sample), "--no-report", "--fail-on", "high", "--json")
    under = shell("review", str(sample), "--no-report", "--fail-on", "critical", "--json")

    assert (over.returncode, under.returncode) == (1, 0)
    assert over.stdout.startswith("{")


def test_a_dry_run_shows_the_change_and_records_nothing(shell: Any, sample: Path):
    before = shell.events()

    shown = shell.json("review", str(sample), "--dry-run")

    assert (shown["head_name"], shown["base_name"]) == ("feature/route-cache", "main")
    assert shown["files"]
    assert shell.events() == before


def test_work_that_is_due_is_done_once(shell: Any, sample: Path):
    flow = shell.json("workflow", "instantiate", "Standard Code Review")["id"]
    opened = shell.json("item", "open", flow, "By hand")["reference"]
    shell.json("item", "complete", opened, "-f", f"repository={sample}", "-f", "head=feature/route-cache")

    first = shell.json("work", "--once", "--item", opened)
    second = shell.json("work")

    assert [(one["item"], one["stage"], one["status"]) for one in first["stages"]] == [(opened, "agent_review", "done")]
    assert second["stages"] == []
