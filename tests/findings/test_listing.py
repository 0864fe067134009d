"""Looking at findings: filters, folding, order, counts, and one finding by the beginning of its id."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from elohim_kernel.errors import Conflict, Invalid, NotFound
from elohim_kernel.findings.listing import ExportFindings, FindingFilter, ListFindings
from elohim_kernel.model.finding import Confidence, Finding, Severity
from elohim_kernel.model.priority import priority, terms


def rules(found: Any) -> list[str]:
    return [one.rule for one in found]


def test_one_problem_seen_by_two_tools_is_one_line_that_says_so(scans: Any):
    scans.see_all()

    found = scans.ann.findings()

    assert rules(found) == ["S1", "S602", "S311"]
    assert found[1].also_seen_by == ("bandit:B602",)
    assert sorted(rules(scans.ann.findings(folded=False))) == ["B602", "S1", "S311", "S602"]


def test_a_problem_stays_in_the_list_while_any_tool_still_sees_it(scans: Any):
    scans.see_all()

    scans.see(scans.test, scans.grave, head="h2")

    assert rules(scans.ann.findings()) == ["S1", "B602", "S311"]
    assert scans.ann.findings()[1].also_seen_by == ("ruff:S602",)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"severity": "high"}, {"S602", "S1"}),
        ({"category": "weak-random"}, {"S311"}),
        ({"rule": "S602"}, {"S602"}),
        ({"tool": "bandit"}, {"B602"}),
        ({"path": "src/*"}, {"S602", "B602", "S1"}),
        ({"owner": "@ann"}, {"S1"}),
        ({"owner": "nobody"}, {"S602", "B602", "S311"}),
        ({"repository": "/src"}, {"S602", "B602", "S1", "S311"}),
        ({"repository": "/other"}, set()),
        ({"new": "yes"}, {"S1"}),
        ({"text": "SHELL"}, {"S602", "B602", "S1", "S311"}),
        ({"text": "tests/"}, {"S311"}),
        ({"problem": "p1:x"}, {"S602", "B602"}),
        ({"state": "fixed"}, set()),
        ({"state": "settled"}, set()),
        ({"workflow": "Scan", "limit": 0}, set()),
    ],
)
def test_a_filter_keeps_what_fits(scans: Any, filters: dict[str, Any], expected: set[str]):
    grave = replace(scans.grave, owners=("@ann",), is_new=True)
    scans.see(scans.one, replace(scans.test, category="weak-random"), grave)
    scans.see(scans.linked, tool="bandit")

    assert set(rules(scans.ann.findings(folded=False, **filters))) == expected


def test_what_is_overdue_is_what_nobody_settled_in_time(scans: Any):
    scans.see_all()
    scans.clock.advance(days=31)
    scans.ann.findings.decide(rule="S1", outcome="accepted", reason="accepted risk", text="x")
    scans.bo.findings.confirm(scans.ann.findings.decisions()[0].id)

    assert rules(scans.ann.findings(overdue="yes", folded=False)) == ["S602"]
    assert scans.ann.findings.get(scans.id_of("S602")).sla == "overdue"
    assert scans.ann.findings.get(scans.id_of("S1")).sla == "stopped"


@pytest.mark.parametrize(
    ("order", "first"),
    [("priority", "S1"), ("severity", "S1"), ("path", "S602"), ("age", "S311"), ("due", "S1")],
)
def test_lists_have_an_order(scans: Any, order: str, first: str):
    scans.see(scans.test)
    scans.clock.advance(hours=1)
    scans.see(scans.one, scans.test, scans.grave)

    assert scans.ann.findings(order=order)[0].rule == first


def test_the_beginning_of_an_id_names_a_finding_where_it_is_the_only_one(scans: Any):
    scans.see_all()
    whole = scans.id_of("S602")

    assert scans.ann.findings.get(whole[:12]).id == whole
    for name in ("fd_zz", "fd_", "S602", ""):
        with pytest.raises(NotFound, match="there is no finding"):
            scans.ann.findings.get(name)


def test_a_beginning_that_several_ids_have_is_refused(scans: Any):
    scans.see(*[replace(scans.one, fingerprint=f"v1:{n}", problem=f"p1:{n}") for n in range(40)])
    begins = [one.id[:4] for one in scans.ann.findings()]
    several = next(one for one in begins if begins.count(one) > 1)

    with pytest.raises(Conflict, match=f"more than one finding begins with '{several}'"):
        scans.ann.findings.get(several)


def test_counts_are_of_problems_and_of_findings(scans: Any):
    scans.see_all()

    by_severity = {one.name: (one.problems, one.findings) for one in scans.ann.findings.stats()}
    by_owner = {one.name: one.problems for one in scans.ann.findings.stats("owner")}

    assert by_severity == {"critical": (1, 1), "high": (1, 1), "medium": (1, 1), "low": (1, 1)}
    assert by_owner == {"nobody": 3}
    assert sum(one.findings for one in scans.ann.findings.stats("tool", tool="bandit")) == 1


def test_an_unknown_filter_is_refused_by_its_name(scans: Any):
    with pytest.raises(Invalid, match="colour"):
        scans.ann.findings(colour="red")
    with pytest.raises(Invalid, match="severity"):
        scans.ann.findings(severity="awful")


def test_what_is_exported_says_why_it_is_settled(scans: Any):
    scans.see_all()
    scans.ann.findings.decide(rule="S602", outcome="dismissed", reason="false positive", text="a constant")

    found = {one.finding.rule: one for one in scans.ann.ask(ExportFindings(where=FindingFilter(path="src/a.py")))}

    assert found["S602"].justification == "false_positive: a constant"
    assert found["S602"].also_seen_by == ("bandit:B602",)
    assert found["S602"].finding == scans.one


def test_findings_of_another_workflow_say_nothing_about_these(scans: Any):
    scans.ann.define("name: Mine\nstages: [{key: look}]")
    scans.see(scans.one, workflow="Mine")
    scans.see(scans.linked, tool="bandit")

    (mine,) = scans.ann.findings(workflow="Mine")
    assert mine.also_seen_by == ()
    assert rules(scans.bo.findings()) == ["B602"]


@settings(max_examples=25)
@given(
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    path=st.sampled_from(("src/a.py", "tests/a.py", "docs/x.md", "uv.lock", "vendor/a.js", "LICENSE")),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_the_priority_of_a_list_is_the_product_that_is_explained(
    scans_once: Any, severity: Severity, confidence: Confidence, path: str, flags: tuple[bool, bool]
):
    one = Finding(
        rule="R", severity=severity, confidence=confidence, message="m", path=path, line=1, tool="ruff",
        is_new=flags[0], on_changed_line=flags[1], fingerprint="v1:p",
    )  # fmt: skip
    scans_once.see(one)

    (found,) = scans_once.ann.ask(ListFindings(state="", rule="R"))

    assert found.priority == pytest.approx(priority(terms(one)), abs=0.101)


def test_due_is_counted_from_the_first_sighting_and_again_from_a_regression(scans: Any):
    start = scans.clock.now()
    dues = []

    for day, findings in enumerate([(scans.one,), (scans.one,), (), (scans.one,)]):
        scans.see(*findings, head=str(day))
        dues.append(scans.ann.findings(state="", rule="S602")[0].sla_due)
        scans.clock.advance(days=1)

    assert dues == [start + timedelta(days=30)] * 3 + [start + timedelta(days=33)]
