"""One verb on many items: shown first, then all or nothing, or all that agree."""

import pytest

from elohim_kernel.errors import Invalid
from elohim_kernel.testing import FakeClock, memory_workbench
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.bulk import BulkItems


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ann(clock: FakeClock) -> Workbench:
    wb = memory_workbench(clock, people={"ann": "maintainer", "bo": "analyst"})
    wb.define("name: Triage\nstages: [{key: look}, {key: do}]", visibility="global")
    for number in range(4):
        wb.open_item("Triage", f"item {number}", data={"n": number})
    wb.cancel("EL-4", reason="done")
    wb.acting_as("bo").claim("EL-1")
    return wb


def state(wb: Workbench) -> list[object]:
    return [wb.item(f"EL-{n}") for n in range(1, 5)]


def test_a_dry_run_lists_what_would_happen_and_changes_nothing(ann: Workbench):
    before, events = state(ann), ann.status()["events"]

    told = ann.do(BulkItems(workflow="Triage", verb="claim", dry_run=True))

    assert (told.dry_run, told.matched, told.done) == (True, 3, 0)
    assert [(line.reference, bool(line.problem)) for line in told.lines] == [
        ("EL-3", False),
        ("EL-2", False),
        ("EL-1", True),
    ]
    assert (state(ann), ann.status()["events"]) == (before, events)


def test_one_refusal_changes_nothing_at_all_and_is_named(ann: Workbench):
    before = state(ann)

    with pytest.raises(Invalid, match="1 of 3 items refuse claim, nothing was changed; EL-1: EL-1 is already taken"):
        ann.do(BulkItems(workflow="Triage", verb="claim"))

    assert state(ann) == before


def test_those_that_refuse_may_be_left_out(ann: Workbench):
    told = ann.do(BulkItems(workflow="Triage", verb="claim", skip_refused=True))

    assert (told.matched, told.done) == (3, 2)
    assert [ann.item(f"EL-{n}").assignee for n in (1, 2, 3)] == ["bo", "ann", "ann"]


def test_only_open_items_for_which_the_guard_is_true_are_meant(ann: Workbench, clock: FakeClock):
    clock.advance(hours=2)
    ann.open_item("Triage", "young", data={"n": 9})

    told = ann.do(
        BulkItems(workflow="Triage", verb="tag", argument="stale", where="item.age_minutes >= 120 && data.n > 0")
    )

    assert [line.reference for line in told.lines] == ["EL-3", "EL-2"]
    assert [item.reference for item in ann.items(tag="stale")] == ["EL-3", "EL-2"]


@pytest.mark.parametrize(
    ("verb", "argument", "looks"),
    [
        ("reassign", "bo", lambda item: item.assignee == "bo"),
        ("cancel", "superseded", lambda item: (item.status, item.resolution) == ("cancelled", "superseded")),
        ("tag", "x", lambda item: item.tags == ("x",)),
        ("comment", "hello", lambda item: [one.text for one in item.comments] == ["hello"]),
        ("priority", "urgent", lambda item: item.priority == "urgent"),
    ],
)
def test_every_verb_does_what_it_does_to_one_item(ann: Workbench, verb, argument: str, looks):
    ann.do(BulkItems(workflow="Triage", verb=verb, argument=argument, where="data.n == 1"))

    assert looks(ann.item("EL-2"))
    assert not looks(ann.item("EL-3"))


def test_release_and_send_back_are_verbs_too(ann: Workbench):
    ann.do(BulkItems(workflow="Triage", verb="release", where="data.n == 0"))
    ann.complete("EL-1")

    ann.do(BulkItems(workflow="Triage", verb="send_back", argument="again", where="item.stage == 'do'"))

    assert (ann.item("EL-1").stage, ann.item("EL-1").assignee) == ("look", "")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"verb": "cancel"}, "cancel needs an argument"),
        ({"verb": "priority", "argument": "soon"}, "is no priority"),
        ({"verb": "claim", "where": "data.n >"}, "expected a value"),
        ({"verb": "claim", "where": "colour == 'red'"}, "nothing here is called colour"),
        ({"verb": "explode"}, "verb"),
    ],
)
def test_what_makes_no_sense_is_refused(ann: Workbench, changed, why: str):
    with pytest.raises(Invalid, match=why):
        ann.do(BulkItems(workflow="Triage", **changed))


def test_a_whole_bulk_is_one_commit(ann: Workbench):
    store = ann.session.gate.store
    store.flush()
    before = store.database.commits

    ann.do(BulkItems(workflow="Triage", verb="tag", argument="x"))

    assert store.database.commits == before + 1
