"""How long a finding may stay: days by severity, counted from when it was first seen or came back.

The clock starts at the first sighting. It starts anew when the finding comes back after being fixed, and when an
acceptance of it runs out. Days are those of the workflow when the clock started, or when its policy was changed.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from elohim_kernel.model.finding import Severity
from elohim_kernel.model.value import Value


class SlaDays(Value, frozen=True):
    """Days until a finding must be dealt with, by severity; 0 is never."""

    critical: int = 7
    high: int = 30
    medium: int = 90
    low: int = 180
    info: int = 0

    def of(self, severity: Severity) -> int:
        """The days for that severity; 0 is never."""
        days: int = getattr(self, severity.value)
        return days


class SlaState(StrEnum):
    """How a finding stands against its time."""

    NONE = "none"  # it has none
    RUNNING = "running"
    OVERDUE = "overdue"
    STOPPED = "stopped"  # dismissed or accepted: nothing is waited for
    MET = "met"
    MISSED = "missed"


def due(started: datetime, severity: Severity, days: SlaDays) -> datetime | None:
    """When it must be dealt with; `None` for never.

    >>> from datetime import UTC
    >>> due(datetime(2026, 11, 22, tzinfo=UTC), Severity.CRITICAL, SlaDays()).isoformat()
    '2026-11-29T00:00:00+00:00'
    """
    count = days.of(severity)
    return started + timedelta(days=count) if count else None


def standing(state: str, due_at: datetime | None, fixed_at: datetime | None, now: datetime) -> SlaState:
    """How a finding in that state stands at `now`; met or missed is kept for what is fixed.

    >>> standing("fixed", None, None, datetime(2026, 11, 22)).value
    'none'
    """
    if due_at is None:
        return SlaState.NONE
    if state == "fixed":
        return SlaState.MISSED if fixed_at is not None and fixed_at > due_at else SlaState.MET
    if state in ("dismissed", "accepted"):
        return SlaState.STOPPED
    return SlaState.OVERDUE if now > due_at else SlaState.RUNNING
