"""The kinds of columns, and the SQL form of each function for each kind."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple


class ColumnKind(StrEnum):
    """What a column holds. `NUMBER` is int or double where the difference does not matter; `LIST` is of strings."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    NUMBER = "number"
    STRING = "string"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    LIST = "list"


class Sql(NamedTuple):
    """A translated part. Timestamps and durations are BIGINT microseconds, so that no time zone setting matters."""

    text: str
    kind: ColumnKind
    constant: bool = False


class CallShape(NamedTuple):
    """One function on arguments of one kind."""

    function: str
    takes: ColumnKind
    gives: ColumnKind
    form: str


_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BOOL, _INT, _DOUBLE, _STRING = ColumnKind.BOOL, ColumnKind.INT, ColumnKind.DOUBLE, ColumnKind.STRING

CALLS: Final[tuple[CallShape, ...]] = (
    CallShape("size", _STRING, _INT, "length({})"),
    CallShape("size", ColumnKind.LIST, _INT, "len({})"),
    CallShape("startsWith", _STRING, _BOOL, "starts_with({}, {})"),
    CallShape("endsWith", _STRING, _BOOL, "ends_with({}, {})"),
    CallShape("contains", _STRING, _BOOL, "contains({}, {})"),
    CallShape("matches", _STRING, _BOOL, "regexp_matches({}, {})"),
    CallShape("lowerAscii", _STRING, _STRING, f"translate({{}}, '{_UPPER}', '{_UPPER.lower()}')"),
    CallShape("upperAscii", _STRING, _STRING, f"translate({{}}, '{_UPPER.lower()}', '{_UPPER}')"),
    CallShape("int", _INT, _INT, "{}"),
    CallShape("int", _DOUBLE, _INT, "nullif(TRY_CAST(trunc({}) AS BIGINT), -9223372036854775807 - 1)"),
    CallShape("int", _STRING, _INT, "TRY_CAST(nullif(regexp_extract({}, '^[-+]?[0-9]{{1,19}}$'), '') AS BIGINT)"),
    CallShape("double", _INT, _DOUBLE, "CAST({} AS DOUBLE)"),
    CallShape("double", _DOUBLE, _DOUBLE, "{}"),
    CallShape("string", _STRING, _STRING, "{}"),
    CallShape("string", _INT, _STRING, "CAST({} AS VARCHAR)"),
    CallShape("string", _BOOL, _STRING, "CAST({} AS VARCHAR)"),
)


def microseconds(value: datetime | timedelta) -> int:
    """Microseconds of a duration, or since 1970 of an instant."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return value // timedelta(microseconds=1)
