"""`elohim findings`: what is found, why, and what people decide about it, as words and as JSON."""

from typing import Any

import pytest

LIST_KEYS = {
    "id", "fingerprint", "state", "severity", "confidence", "category", "cwe", "rule", "tool", "path", "line",
    "message", "remediation", "also_seen_by", "new", "priority", "owners", "sla_due", "overdue", "decision", "reason",
}  # fmt: skip


def one_of(terminal: Any, rule: str, state: str = "all") -> dict[str, Any]:
    found: list[dict[str, Any]] = terminal.json("findings", "list", "--rule", rule, "--state", state)
    return found[0]


def test_findings_have_the_promised_keys_and_the_worst_come_first(reviewed: Any):
    found = reviewed.json("findings", "list")

    assert set(found[0]) >= LIST_KEYS
    assert [one["priority"] for one in found] == sorted((one["priority"] for one in found), reverse=True)


def test_a_list_for_people_is_grouped_by_severity(reviewed: Any):
    page = reviewed.says("findings", "list")

    assert page.index("high  ") < page.index("S602")
    assert "PRIORITY" in page
    assert page.rstrip().endswith("elohim findings explain ID")


def test_filters_are_the_words_of_the_query(reviewed: Any):
    assert {one["rule"] for one in reviewed.json("findings", "list", "--rule", "S602")} == {"S602"}
    assert reviewed.json("findings", "list", "--path", "nowhere/**") == []
    assert reviewed.refused("findings", "list", "--state", "odd")["code"] == "usage"
    assert "no findings" in reviewed.says("findings", "list", "--rule", "none")


def test_an_explanation_shows_the_code_the_terms_and_what_to_do(reviewed: Any):
    found = one_of(reviewed, "S602")

    page = reviewed.says("findings", "explain", found["id"][:14])
    told = reviewed.json("findings", "explain", found["id"])

    for words in ("Identity", "Priority", "× 60", "What to do", "See whether it is true", "shell=True"):
        assert words in page
    flagged = [line["number"] for line in told["code"] if line["flagged"]]
    assert flagged[0] == found["line"]
    assert told["code"][0]["number"] == found["line"] - 4
    assert reviewed.json("findings", "explain", found["id"], "--no-code")["code"] == []


def test_a_finding_is_shown_by_the_beginning_of_its_id(reviewed: Any):
    found = one_of(reviewed, "S602")

    page = reviewed.says("findings", "show", found["id"][:14])

    assert found["id"] in page
    assert reviewed.refused("findings", "show", "fd_zz")["code"] == "not_found"


def test_a_decision_is_tried_made_listed_and_undone(reviewed: Any):
    found = one_of(reviewed, "S602")
    choice = ("findings", "decide", found["id"], "--outcome", "accepted", "--reason", "accepted risk", "-m", "internal")
    before = reviewed.events()

    tried = reviewed.json(*choice, "--expires", "2w", "--dry-run")
    assert (tried["dry_run"], tried["undo"], reviewed.events()) == (True, "", before)
    made = reviewed.says(*choice)
    (told,) = reviewed.json("findings", "decisions", "--status", "active")

    assert f"elohim findings undo {told['undo']}" in made
    assert one_of(reviewed, "S602")["state"] == "accepted"
    assert "accepted (accepted risk)" in reviewed.says("findings", "show", found["id"])
    assert "active" in reviewed.says("findings", "decisions")
    assert "1 decision undone" in reviewed.says("findings", "undo", told["undo"])
    assert one_of(reviewed, "S602")["state"] == "new"


def test_filters_choose_what_is_decided(reviewed: Any):
    tried = reviewed.json(
        "findings", "decide", "--severity", "low", "--path", "breadrun/**", "--reason", "test code", "--dry-run"
    )

    assert tried["matched"] > 1
    assert all(line["path"].startswith("breadrun/") for line in tried["lines"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rule", "S602", "--reason", "because"), "is no reason"),
        (("--reason", "test code"), "nothing says which findings are meant"),
        (("--rule", "S602", "--reason", "test code", "--expires", "soon"), "says no end"),
        (("--rule", "S602", "--reason", "test code", "--expires", "never"), "allows no decision without an end"),
        (("--rule", "S602", "--reason", "test code", "--reach", "path"), "names the path"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_what_to_do(reviewed: Any, words: tuple[str, ...], message: str):
    refused = reviewed.refused("findings", "decide", *words, "--workflow", "Standard Code Review")

    assert message in refused["message"]
    assert refused["hint"] or "end" in message or "path" in message


def test_counts_are_shown_by_what_is_asked(reviewed: Any):
    by_rule = reviewed.json("findings", "stats", "rule")

    assert "S602" in {one["name"] for one in by_rule}
    assert "PROBLEMS" in reviewed.says("findings", "stats")
    assert sum(one["findings"] for one in by_rule) == sum(
        one["findings"] for one in reviewed.json("findings", "stats", "severity")
    )


def test_the_ratchet_ends_with_one_when_there_is_too_much(reviewed: Any, sample: str):
    place = ("findings", "ratchet", sample, "--workflow", "Standard Code Review")

    assert "nothing is set yet" in reviewed.says(*place)
    assert "allowed" in reviewed.says(*place, "--set")
    assert reviewed(*place).exit_code == 0
    assert reviewed.json(*place)["problems"] == []


def test_a_decision_that_waits_is_confirmed_by_somebody_else_only(reviewed: Any, tmp_path: Any):
    file = tmp_path / "strict.yaml"
    definition = reviewed.json("workflow", "show", "Standard Code Review")["definition"]
    file.write_text(_strict(definition["name"]))
    reviewed.says("workflow", "import", str(file))
    found = one_of(reviewed, "S602")

    made = reviewed.json("findings", "decide", found["id"], "--reason", "false positive")

    assert (made["asked"], one_of(reviewed, "S602")["state"]) == (1, "new")
    assert "four eyes" in reviewed.refused("findings", "confirm", made["undo"])["message"]
    assert "four eyes" in reviewed.refused("findings", "refuse", made["undo"])["message"]
    assert "asked" in reviewed.says("findings", "decisions", "--status", "asked")


def _strict(name: str) -> str:
    return f"name: {name}\nstages: [{{key: look}}]\nfindings: {{four_eyes: [critical, high]}}\n"
