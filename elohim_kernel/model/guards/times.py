"""Durations and timestamps as guards write them: Go's `1h30m` and RFC 3339 with an explicit zone."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from elohim_kernel.model.guards.signals import Broken

_UNITS: Final = {
    "h": Fraction(3_600_000_000),
    "m": Fraction(60_000_000),
    "s": Fraction(1_000_000),
    "ms": Fraction(1000),
    "us": Fraction(1),
    "ns": Fraction(1, 1000),
}
_PART: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(h|ms|m|s|us|ns)")
_DURATION: Final = re.compile(rf"([-+]?)((?:{_PART.pattern})+|0)")
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[-+][0-9]{2}:[0-9]{2})"
)


def duration(text: str) -> timedelta:
    """Parse a duration; parts below a microsecond are cut off. Raises `Broken` for anything else.

    >>> duration("-1.5h")
    datetime.timedelta(days=-1, seconds=81000)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Broken(f"{text!r} is no duration; write for example 90s, 5m or 1h30m (units h, m, s, ms, us, ns)")
    total = sum((Fraction(size) * _UNITS[unit] for size, unit in _PART.findall(match[2])), Fraction(0))
    try:
        return timedelta(microseconds=int(-total if match[1] == "-" else total))
    except OverflowError:
        raise Broken(f"{text!r} is too long a duration") from None


def timestamp(text: str) -> datetime:
    """Parse an instant into UTC; digits below a microsecond are cut off. Raises `Broken` for anything else.

    >>> timestamp("2026-11-22T09:30:00+01:00").isoformat()
    '2026-11-22T08:30:00+00:00'
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise Broken(f"{text!r} is no timestamp; write for example 2026-11-22T08:00:00Z, with a zone")
    day, clock, fraction, zone = match.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '')[:6]:0<6}{zone.upper()}")
        return whole.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise Broken(f"{text!r} is no timestamp: {wrong}") from None


def written_duration(value: timedelta) -> str:
    """CEL's text of a duration: seconds, with a fraction where there is one.

    >>> written_duration(timedelta(minutes=5)), written_duration(timedelta(milliseconds=-1500))
    ('300s', '-1.5s')
    """
    size = abs(value)
    whole, micros = size.days * 86_400 + size.seconds, size.microseconds
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{'-' if value < timedelta(0) else ''}{whole}{fraction}s"


def written_timestamp(value: datetime) -> str:
    """RFC 3339 in UTC, ending in Z."""
    if value.tzinfo is None:
        raise Broken("a timestamp without a time zone cannot be written")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
