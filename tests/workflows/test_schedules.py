"""A schedule opens one item for each slot, whoever looks and however often, with its owner's rights."""

from datetime import UTC, datetime, timedelta

import pytest

from elohim_kernel.errors import Invalid
from elohim_kernel.model.workflow import ScheduleFired
from elohim_kernel.store.log import read_events
from elohim_kernel.testing import FakeClock, memory_workbench

NIGHTLY = """
name: Nightly scan
stages: [{key: look}]
schedules:
- {name: nightly, cron: "0 2 * * *", zone: Europe/Berlin, data: {scope: all}}
"""


@pytest.fixture
def clock():
    return FakeClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
def wb(clock):
    with memory_workbench(clock=clock, people={"ann": "admin"}) as workbench:
        yield workbench.acting_as("ann")


def fired(wb):
    log = read_events(wb.session.gate.store.database, after=0)
    return [event.data for event in log if isinstance(event.data, ScheduleFired)]


def test_a_slot_opens_one_item_for_its_owner_however_often_it_is_looked_for(wb, clock):
    wb.define(NIGHTLY)
    worker = wb.worker()

    before = worker.housekeeping()
    clock.advance(days=1)
    at_the_slot = [worker.housekeeping(), wb.worker().housekeeping()]

    (item,) = wb.items()
    assert (before, at_the_slot) == (0, [1, 0])
    assert wb.item(item.id).opened_by == "ann"
    assert wb.item(item.id).data == {"scope": "all"}
    assert [one.slot for one in fired(wb)] == [datetime(2026, 11, 23, 1, tzinfo=UTC)]


def test_after_a_long_absence_the_last_slot_fires_and_the_others_are_counted(wb, clock):
    wb.define(NIGHTLY)

    clock.advance(days=30)
    wb.worker().housekeeping()

    assert len(wb.items()) == 1
    assert fired(wb)[0].skipped == 29


def test_every_missed_slot_fires_when_that_is_asked_for(wb, clock):
    wb.define(NIGHTLY.replace("cron:", "missed: all, cron:"))

    clock.advance(days=3)
    wb.worker().housekeeping()

    assert len(wb.items()) == 3
    assert wb.worker().housekeeping() == 0


def test_a_slot_that_is_too_late_is_only_counted(wb, clock):
    wb.define(NIGHTLY.replace("cron:", "max_lateness_minutes: 30, cron:"))

    clock.advance(days=1)
    wb.worker().housekeeping()

    assert wb.items() == ()


def test_a_new_schedule_begins_with_the_revision_that_brought_it(wb, clock):
    wb.define(NIGHTLY.partition("schedules:")[0])
    clock.advance(days=5)
    wb.define(NIGHTLY)

    wb.worker().housekeeping()

    assert wb.items() == ()


def test_an_archived_workflow_fires_no_more(wb, clock):
    from elohim_kernel.workflows.definitions import ArchiveWorkflow

    flow = wb.define(NIGHTLY)
    wb.do(ArchiveWorkflow(workflow=flow.id))

    clock.advance(days=2)

    assert wb.worker().housekeeping() == 0


@pytest.mark.parametrize(
    ("cron", "zone", "wrong"),
    [
        ("61 2 * * *", "UTC", "line 5, column 25: schedule 'nightly': '61 2 * * *' is no cron expression"),
        ("0 2 * *", "UTC", "is no cron expression of five fields"),
        ("0 0 30 2 *", "UTC", "30 2"),
        ("0 2 * * *", "Nowhere/Else", "there is no time zone 'Nowhere/Else'"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_with_its_place(wb, cron, zone, wrong):
    text = NIGHTLY.replace("0 2 * * *", cron).replace("Europe/Berlin", zone)

    with pytest.raises(Invalid, match="line 5") as refused:
        wb.define(text)

    assert wrong in str(refused.value)
    assert wb.workflows() == ()


def test_time_passes_over_the_end_of_summer_time_without_a_doubled_slot(wb, clock):
    clock.advance(days=(datetime(2027, 10, 30, tzinfo=UTC) - clock.now()).days)
    wb.define(NIGHTLY.replace("0 2", "30 2"))

    for _ in range(8):
        clock.advance(hours=6)
        wb.worker().housekeeping()

    slots = [one.slot for one in fired(wb)]
    assert len(slots) == len(set(slots)) == 2
    assert slots[1] - slots[0] == timedelta(hours=25) or slots[1] - slots[0] == timedelta(hours=24)
