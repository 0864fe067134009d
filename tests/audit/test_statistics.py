"""Counts: right, and of nothing the caller may not see."""

from typing import Any

from elohim_kernel.audit.statistics import CountEverything
from elohim_kernel.workflows.work_items import CancelItem, ClaimItem, OpenWorkItem


def test_everything_is_counted_once(bench: Any):
    bench.fill(5)
    bench.root.do(ClaimItem(item="EL-1"))
    bench.root.do(CancelItem(item="EL-2", reason="superseded"))

    counts = bench.root.ask(CountEverything())

    assert dict(counts.items) == {"cancelled": 1, "claimed": 1, "pending": 3}
    assert counts.findings == {}
    assert counts.events["work_item.opened"] == 5
    assert sum(counts.events.values()) == counts.last_seq == bench.store.last_seq
    assert counts.head == bench.store.head


def test_nobody_learns_how_much_others_do(bench: Any):
    bench.team("payments")
    ann, bo = bench.add("ann", "viewer"), bench.add("bo")
    before = ann.ask(CountEverything())

    for who, visibility, team in ((bench.root, "team", "payments"), (bo, "personal", "")):
        flow = bench.workflow(who, visibility, team)
        who.do(OpenWorkItem(workflow=flow, title="x"))

    assert ann.ask(CountEverything()) == before
    assert (before.last_seq, before.head) == (0, "")


def test_who_may_read_the_trail_is_told_how_long_it_is(bench: Any):
    counts = bench.add("mo", "maintainer").ask(CountEverything())

    assert (counts.last_seq, counts.head) == (bench.store.last_seq, bench.store.head)
