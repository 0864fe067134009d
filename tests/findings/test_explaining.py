"""Explaining a finding: every term, every sighting, every decision, and a plan that cites what it says."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from elohim_kernel.findings.explaining import ExplainFinding
from elohim_kernel.findings.recording import identified_rows
from elohim_kernel.model.category import CATEGORIES
from elohim_kernel.model.finding import Place
from elohim_kernel.model.identity import Identified
from elohim_kernel.model.priority import priority


def explained(scans: Any, rule: str) -> Any:
    return scans.ann.ask(ExplainFinding(finding=scans.id_of(rule)))


def test_the_terms_multiply_to_the_priority_that_lists_show(scans: Any):
    scans.see_all()
    for n in range(3):
        scans.see(replace(scans.test, fingerprint=f"v1:t{n}", problem=f"p1:t{n}"), covered=())
    scans.ann.findings.decide(scans.ann.findings(rule="S311")[0].id, outcome="dismissed", reason="false positive")

    for one in scans.ann.findings(state="", folded=False):
        told = scans.ann.ask(ExplainFinding(finding=one.id))
        assert priority(told.terms) == pytest.approx(one.priority, abs=0.101)

    terms = {term.name: term.factor for term in explained(scans, "S602").terms}
    assert (terms["tools"], terms["precision"]) == (1.2, 1.0)
    assert {term.name: term.value for term in told.terms}["precision"] == "1 of 1 wrong"


def test_how_each_sighting_was_recognised_is_told(scans: Any):
    scans.see(scans.one, head="h1")
    again = Identified(finding=replace(scans.one, line=9), identity="v1:one", how="fingerprint", why="same rule")
    scans.see(rows=identified_rows([again]), status="findings", head="h2")

    told = explained(scans, "S602")

    assert [(one.head, one.line, one.matched) for one in told.sightings] == [
        ("h1", 3, ""),
        ("h2", 9, "fingerprint: same rule"),
    ]
    assert (told.identity.identity, told.identity.rule, told.identity.path) == ("v1:one", "ruff:S602", "src/a.py")


def test_other_names_of_a_finding_are_kept(scans: Any):
    scans.see(scans.one)
    moved = replace(scans.one, fingerprint="v1:moved", aliases=("theirs:1",))

    scans.see(rows=identified_rows([Identified(finding=moved, identity="v1:one", how="same_symbol", why="x")]),
              status="findings")  # fmt: skip

    assert explained(scans, "S602").identity.aliases == ("theirs:1", "v1:moved")


def test_decisions_and_linked_findings_are_part_of_it(scans: Any):
    scans.see_all()
    made = scans.ann.findings.decide(rule="B602", outcome="dismissed", reason="false positive", text="constant")
    scans.bo.findings.undo(made.undo)
    scans.ann.findings.decide(
        outcome="accepted", reason="wont fix", reach="path", path="src/**", workflow="Scan", text="x"
    )

    told = explained(scans, "S602")

    assert [(one.reach, one.status, one.asked_by) for one in told.decisions] == [
        ("finding", "undone", "ann"),
        ("path", "active", "ann"),
    ]
    assert [(one.tool, one.rule) for one in told.linked] == [("bandit", "B602")]
    assert told.plan.summary == "Nothing is to be done: it is accepted."
    assert told.plan.steps == ()


def test_what_was_decided_about_findings_like_it_comes_nearest_first(scans: Any):
    near = replace(scans.one, fingerprint="v1:n", problem="p1:n", line=20)
    far = replace(scans.one, fingerprint="v1:f", problem="p1:f", context="c9", snippet="x = 1", message="other")
    scans.see(scans.one, near, far)
    for identity in ("v1:n", "v1:f"):
        (one,) = [each for each in scans.ann.findings(state="live", folded=False) if each.fingerprint == identity]
        scans.ann.findings.decide(one.id, outcome="dismissed", reason="false positive", text=identity)

    (live,) = scans.ann.findings(rule="S602")
    told = scans.ann.ask(ExplainFinding(finding=live.id))

    assert [(one.text, one.likeness) for one in told.alike] == [("v1:n", 1.0), ("v1:f", pytest.approx(0.3, abs=0.25))]
    assert [risk.title for risk in told.plan.risks] == ["It may be a false alarm"]


@settings(max_examples=15)
@given(
    category=st.sampled_from(sorted(CATEGORIES)), evidence=st.sampled_from(("", "from the request")), flow=st.booleans()
)
def test_a_plan_cites_only_evidence_it_brings(scans_once: Any, category: str, evidence: str, flow: bool):
    related = (Place(path="src/a.py", line=1, message="source", flow=flow),)
    scans_once.see(replace(scans_once.one, category=category, evidence=evidence, related=related))

    plan = explained(scans_once, "S602").plan

    assert plan.uncited() == ()
    assert plan.steps[0].title == "See whether it is true"
    assert all(step.evidence and step.minutes > 0 for step in plan.steps)
    assert ("why" in plan.steps[0].evidence) == bool(evidence)
    assert ("flow" in plan.steps[0].evidence) == flow


def test_lines_of_the_file_that_hold_secrets_are_named(scans: Any):
    secret = replace(scans.one, rule="S105", category="secret", line=7, end_line=8, fingerprint="v1:s", problem="")
    scans.see(scans.one, secret, replace(secret, path="src/b.py", line=1, end_line=0, fingerprint="v1:s2"))

    assert explained(scans, "S602").private_lines == (7, 8)
