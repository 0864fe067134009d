"""Schedules: when a workflow opens an item by itself. Slots follow from the expression alone, never from the last run.

Daylight saving follows Debian's cron, as `cronsim` does: a job at a fixed time that falls into the skipped hour fires
once right after it, one in the repeated hour fires once; hourly and finer jobs follow elapsed time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from elohim_kernel.errors import Invalid
from elohim_kernel.model.value import Value

_SLOTS_CAP: Final = 100  # slots fired at once after a long absence


class Missed(StrEnum):
    """What happens to slots that passed while nobody was there."""

    LAST = "last"  # the newest fires, the others are counted
    ALL = "all"  # each fires, up to a hundred
    NONE = "none"  # only a slot within `max_lateness_minutes` fires


class Schedule(Value, frozen=True):
    """When, in which time zone, and what the items that are opened then are given."""

    name: str
    cron: str  # five fields
    zone: str = "UTC"
    title: str = ""  # of the items; "" uses the workflow's name and the time
    data: Mapping[str, Any] = {}  # JSON, hence Any
    missed: Missed = Missed.LAST
    max_lateness_minutes: int = 0  # 0: however late


class Due(Value, frozen=True):
    """The slots that fire now, and how many passed without firing."""

    slots: tuple[datetime, ...]
    skipped: int = 0


def next_fire(schedule: Schedule, after: datetime) -> datetime:
    """The first slot strictly after `after`, in the schedule's zone. Raises `Invalid` for one that never comes.

    >>> after = datetime(2026, 11, 22, 8, tzinfo=UTC)
    >>> next_fire(Schedule(name="weekly", cron="0 9 * * MON"), after).isoformat()
    '2026-11-23T09:00:00+00:00'
    """
    found = next(iter(upcoming(schedule, after, count=1)), None)
    if found is None:
        raise Invalid(f"schedule {schedule.name!r}: {schedule.cron!r} never fires")
    return found


def upcoming(schedule: Schedule, after: datetime, *, count: int = 10) -> tuple[datetime, ...]:
    """The next slots strictly after `after`, in the schedule's zone; fewer when it fires no more.

    Raises `Invalid` for an expression or a zone that cannot be.
    """
    return tuple(islice(_slots(schedule, after), count))


def due(schedule: Schedule, *, after: datetime, now: datetime) -> Due:
    """What fires at `now`, when every slot up to `after` is dealt with."""
    passed: list[datetime] = []
    count = 0
    for slot in _slots(schedule, after):
        if slot > now:
            break
        count += 1
        passed.append(slot)
        if len(passed) > _SLOTS_CAP:
            del passed[0]
    late_s = schedule.max_lateness_minutes * 60 or (60 if schedule.missed is Missed.NONE else 0)
    in_time = [slot for slot in passed if not late_s or (now - slot).total_seconds() <= late_s]
    firing = in_time if schedule.missed is Missed.ALL else in_time[-1:]
    return Due(slots=tuple(slot.astimezone(UTC) for slot in firing), skipped=count - len(firing))


def _slots(schedule: Schedule, after: datetime) -> CronSim:
    if len(schedule.cron.split()) != 5:
        raise Invalid(
            f"schedule {schedule.name!r}: {schedule.cron!r} is no cron expression of five fields",
            hint="minute hour day month weekday, such as 0 9 * * MON",
        )
    try:
        zone = ZoneInfo(schedule.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"schedule {schedule.name!r}: there is no time zone {schedule.zone!r}") from None
    try:
        return CronSim(schedule.cron, after.astimezone(zone))
    except CronSimError as wrong:
        raise Invalid(f"schedule {schedule.name!r}: {schedule.cron!r} is no cron expression: {wrong}") from None
