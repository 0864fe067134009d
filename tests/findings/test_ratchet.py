"""The ratchet: what there is may stay, more of anything may not, unless somebody says why."""

from typing import Any

import pytest
from msgspec.structs import replace

from elohim_kernel.errors import Invalid
from elohim_kernel.model.ratchet import RatchetCount, counts_of, ratchet_problems


def test_nothing_is_held_before_it_is_set(scans: Any):
    scans.see_all()

    told = scans.ann.findings.ratchet("Scan", "/src")

    assert (told.set_at, told.problems) == (None, ())
    assert sum(one.count for one in told.counts) == 4


def test_more_than_was_there_is_a_problem_and_less_is_not(scans: Any):
    scans.see_all()
    scans.ann.findings.set_ratchet("Scan", "/src")

    scans.see(scans.one, replace(scans.one, fingerprint="v1:9", line=9), head="h2")

    told = scans.ann.findings.ratchet("Scan", "/src")
    assert told.problems == ("ruff S602 in src: 2, where 1 are allowed",)
    with pytest.raises(Invalid, match="more than before: ruff S602 in src"):
        scans.ann.findings.set_ratchet("Scan", "/src")
    assert scans.bo.findings.set_ratchet("Scan", "/src", allow_rise="legacy code came in").problems == ()
    assert scans.ann.findings.ratchet("Scan", "/src").reason == "legacy code came in"


def test_what_is_settled_does_not_count(scans: Any):
    scans.see_all()
    scans.ann.findings.decide(rule="S602", outcome="dismissed", reason="false positive", text="x")

    told = scans.ann.findings.set_ratchet("Scan", "/src")

    assert {(one.rule, one.folder) for one in told.counts} == {("S1", "src"), ("S311", "tests")}


def test_each_repository_of_each_workflow_has_its_own(scans: Any):
    scans.see_all()
    scans.ann.findings.set_ratchet("Scan", "/src")

    assert scans.ann.findings.ratchet("Scan", "/other").set_at is None


def test_counts_are_by_rule_and_folder(scans: Any):
    counts = counts_of([scans.one, scans.test, replace(scans.one, path="setup.py"), scans.one])

    assert [(one.rule, one.folder, one.count) for one in counts] == [
        ("S311", "tests", 1),
        ("S602", ".", 1),
        ("S602", "src", 2),
    ]
    assert ratchet_problems(counts, counts) == ()
    assert ratchet_problems((), counts) == ()
    assert len(ratchet_problems(counts, [RatchetCount(tool="ruff", rule="S602", folder="src", count=1)])) == 3
