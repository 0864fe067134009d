"""Slots are strictly later, fit the expression, and none is passed over, counted twice or invented."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.model.schedule import Missed, Schedule, due, next_fire, upcoming

MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.integers(0, 59), st.integers(0, 23))
def test_the_next_slot_is_the_first_moment_that_fits(after, minute, hour):
    slot = next_fire(Schedule(name="daily", cron=f"{minute} {hour} * * *"), after)

    assert (slot.minute, slot.hour, slot.second) == (minute, hour, 0)
    assert timedelta(0) < slot - after <= timedelta(days=1)


@given(MOMENTS, st.integers(1, 40), st.sampled_from(list(Missed)))
def test_every_slot_that_passed_fires_or_is_counted(after, days, missed):
    schedule = Schedule(name="hourly", cron="0 * * * *", missed=missed)
    now = after + timedelta(days=days / 10)
    passed = [slot for slot in upcoming(schedule, after, count=200) if slot <= now]

    found = due(schedule, after=after, now=now)

    assert len(found.slots) + found.skipped == len(passed)
    assert set(found.slots) <= set(passed)
    if missed is Missed.LAST:
        assert list(found.slots) == passed[-1:]


@given(MOMENTS, st.lists(st.integers(1, 600), min_size=1, max_size=9))
def test_looking_often_or_seldom_fires_the_same_slots(after, minutes):
    schedule = Schedule(name="hourly", cron="0 * * * *", missed=Missed.ALL)
    now, seen, fired = after, after, []

    for step in minutes:
        now += timedelta(minutes=step)
        slots = due(schedule, after=seen, now=now).slots
        fired += slots
        seen = slots[-1] if slots else seen

    assert tuple(fired) == due(schedule, after=after, now=now).slots[-len(fired) :] if fired else True
    assert len(fired) == len(set(fired))


def test_a_job_at_a_fixed_time_in_the_skipped_hour_fires_right_after_it():
    schedule = Schedule(name="early", cron="30 2 * * *", zone="Europe/Berlin")

    slot = next_fire(schedule, datetime(2027, 3, 28, 0, 0, tzinfo=ZoneInfo("Europe/Berlin")))

    assert slot.isoformat() == "2027-03-28T03:00:00+02:00"


def test_a_job_at_a_fixed_time_in_the_repeated_hour_fires_once():
    schedule = Schedule(name="early", cron="30 2 * * *", zone="Europe/Berlin")

    first, second = upcoming(schedule, datetime(2027, 10, 31, 0, 0, tzinfo=ZoneInfo("Europe/Berlin")), count=2)

    assert (first.day, second.day) == (31, 1)


@pytest.mark.parametrize("cron", ["", "* * * * * *", "99 * * * *", "@daily", "0 0 31 2 *"])
def test_an_expression_that_cannot_be_is_refused_by_name(cron):
    with pytest.raises(Invalid, match="schedule 'odd'"):
        next_fire(Schedule(name="odd", cron=cron), datetime(2026, 1, 1, tzinfo=UTC))
