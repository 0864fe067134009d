import json
from pathlib import Path
from typing import Any

import pytest

# What scripts of others rely on.
ITEM_KEYS = {
    "reference", "id", "workflow", "revision", "stage", "stage_type", "status", "priority", "assignee", "visibility",
    "sla_due", "data", "history", "findings", "recommendation", "approvals",
}  # fmt: skip
FINDING_KEYS = {"id", "severity", "rule", "path", "line", "message", "state"}
APPROVED = """
name: Release
stages:
- key: prepare
- key: decide
  type: APPROVAL
  requires_approval: {need: 1, forbid_requester: false, forbid_last_editor: false}
  on_reject: prepare
"""


@pytest.fixture
def release(terminal: Any, tmp_path: Path) -> str:
    """An item that waits for an approval."""
    file = tmp_path / "release.yaml"
    file.write_text(APPROVED)
    terminal.says("workflow", "import", str(file))
    opened = terminal.json("item", "open", "Release", "Version 2", "-f", "version=2", "--tag", "web")
    terminal.says("item", "complete", opened["reference"])
    reference: str = opened["reference"]
    return reference


def test_an_item_and_its_findings_have_the_promised_keys(reviewed: Any):
    item = reviewed.json("item", "show", "EL-1")

    assert set(item) >= ITEM_KEYS
    assert set(item["findings"][0]) >= FINDING_KEYS
    assert set(item["history"][0]) >= {"from", "to", "by", "when", "note"}


def test_the_page_of_an_item_tells_what_was_found_what_is_advised_and_what_to_do(reviewed: Any):
    page = reviewed.says("item", "show", "EL-1")

    for words in (
        "EL-1",
        "Advice: look closely",
        "S602",
        "breadrun/store.py:34",
        "History",
        "elohim item complete EL-1",
    ):
        assert words in page
    assert "decision: accept | request changes | reject" in page


def test_a_list_can_be_narrowed(reviewed: Any):
    assert [one["reference"] for one in reviewed.json("item", "list", "--status", "pending")] == ["EL-1"]
    assert reviewed.json("item", "list", "--text", "no such words") == []
    assert "no items" in reviewed.says("item", "list", "--status", "failed")


def test_an_item_goes_from_hand_to_hand_and_back(terminal: Any, release: str):
    terminal.says("item", "reject", release, "--note", "not yet")

    assert terminal.json("item", "claim", release)["status"] == "claimed"
    assert terminal.json("item", "release", release)["status"] == "pending"
    assert terminal.json("item", "reassign", release, terminal.json("access", "whoami")["name"])["status"] == "claimed"
    terminal.says("item", "comment", release, "a \x1b[31mred\x1b[0m word")
    terminal.says("item", "tag", release, "urgent", "--remove", "web")
    terminal.says("item", "change", release, "--priority", "high", "-f", "version=3")
    terminal.says("item", "link", release, "https://example.com/plan")
    terminal.says("item", "link", release, "https://example.com/plan", "--remove")

    shown = terminal.json("item", "show", release)
    page = terminal.says("item", "show", release)

    assert (shown["priority"], shown["tags"], shown["data"]["version"], shown["links"]) == ("high", ["urgent"], 3, [])
    assert "a [31mred[0m word" in page
    assert "\x1b" not in page


def test_a_file_is_attached_by_reference(terminal: Any, release: str, tmp_path: Path):
    trace = tmp_path / "trace.log"
    trace.write_bytes(b"one line\n")

    terminal.says("item", "attach", release, str(trace))

    [attached] = terminal.json("item", "show", release)["attachments"]
    assert (attached["name"], attached["size"], attached["digest"][:7]) == ("trace.log", 9, "sha256:")
    assert terminal.refused("item", "attach", release, str(tmp_path / "gone"))["code"] == "not_found"


def test_an_approval_is_bound_to_what_was_shown(terminal: Any, release: str):
    [asked] = terminal.json("item", "show", release)["approvals"]
    terminal.says("item", "change", release, "-f", "version=4")

    late = terminal.refused("item", "approve", release, "--digest", asked["digest"])
    fresh = next(one for one in terminal.json("item", "approvals", release) if one["status"] == "open")
    done = terminal.json("item", "approve", release, "--digest", fresh["digest"], "--note", "ship it")

    assert late["code"] == "stale"
    assert (done["status"], done["item_status"]) == ("approved", "completed")


def test_bulk_shows_first_and_does_then(terminal: Any, release: str):
    words = ["item", "bulk", "tag", "stale", "--workflow", "Release", "--where", 'item.priority == "normal"']

    shown = terminal.json(*words, "--dry-run")
    untouched = terminal.json("item", "show", release)["tags"]
    done = terminal.json(*words)

    assert (shown["dry_run"], shown["done"], shown["matched"]) == (True, 0, done["done"])
    assert untouched == ["web"]
    assert "stale" in terminal.json("item", "show", release)["tags"]


def test_a_missing_answer_is_refused_before_anything_is_sent(reviewed: Any):
    before = reviewed.events()

    error = reviewed.refused("item", "complete", "EL-1")

    assert "decision" in error["message"]
    assert "accept | request changes | reject" in error["hint"]
    assert reviewed.events() == before


def test_what_is_not_there_is_not_found_by_every_verb(terminal: Any):
    for words in (["show"], ["claim"], ["approve"], ["cancel", "--note", "x"], ["comment", "--", "hello"]):
        verb, *rest = words
        rest = [each for each in rest if each != "--"]

        assert terminal.refused("item", verb, "EL-999", *rest)["code"] == "not_found"


def test_the_inbox_says_what_arrived_and_forgets_what_was_read(reviewed: Any):
    first = reviewed.json("inbox", "--read")

    assert [one["reference"] for one in first] == ["EL-1"]
    assert reviewed.json("inbox") == []
    assert len(reviewed.json("inbox", "--all")) == 1


def test_json_holds_the_result_alone_and_errors_go_the_other_way(terminal: Any):
    done = terminal("item", "show", "EL-999", "--json")

    assert (done.exit_code, done.stdout) == (2, "")
    assert json.loads(done.stderr)["error"]["code"] == "not_found"
