"""Forms: typed fields a person fills in to complete a stage, with options, limits and conditional display."""

import math
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from elohim_kernel.errors import Invalid
from elohim_kernel.model.guards import parse
from elohim_kernel.model.value import Value


class FieldType(StrEnum):
    """What a field holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"


class Field(Value, frozen=True):
    """One question of a form."""

    name: str
    type: FieldType = FieldType.TEXT
    label: str = ""
    help: str = ""
    required: bool = False
    options: tuple[str, ...] = ()
    default: str | int | float | bool | tuple[str, ...] | None = None
    minimum: float | None = None  # for text: least length
    maximum: float | None = None  # for text: greatest length
    shown_if: str = ""  # a guard over the other answers; "" shows it always


_KINDS: Mapping[FieldType, tuple[type[Any], ...]] = {  # types of JSON, hence Any
    FieldType.TEXT: (str,),
    FieldType.INTEGER: (int,),
    FieldType.NUMBER: (int, float),
    FieldType.BOOLEAN: (bool,),
    FieldType.DATE: (str,),
    FieldType.CHOICE: (str,),
    FieldType.CHOICES: (list, tuple),
}


def answers(fields: tuple[Field, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Check `given` against the form and fill in defaults; every mistake is named in one `Invalid`.

    Values are JSON, hence `Any`. A field that is not shown is left out, and giving it is a mistake.

    >>> answers((Field(name="ok", type=FieldType.BOOLEAN, required=True),), {"ok": True})
    {'ok': True}
    """
    if not fields and not given:
        return {}
    known = {field.name for field in fields}
    wrong = [
        f"{name}: not a field of this form ({', '.join(sorted(known)) or 'it has none'})"
        for name in given
        if name not in known
    ]
    taken: dict[str, Any] = {}
    for field in fields:
        hidden = bool(field.shown_if) and not parse(field.shown_if).evaluate({**given, **taken}).passed
        if hidden:
            if field.name in given:
                wrong.append(f"{field.name}: is only asked when {field.shown_if}")
            continue
        value = given.get(field.name, field.default)
        if value is None or value == "":
            if field.required:
                wrong.append(f"{field.name}: is required")
            continue
        problem = _problem(field, value)
        if problem:
            wrong.append(f"{field.name}: {problem}, got {value!r}")
        taken[field.name] = list(value) if isinstance(value, tuple) else value
    if wrong:
        raise Invalid("the form is not right: " + "; ".join(wrong))
    return taken


def _problem(field: Field, value: Any) -> str:
    kinds = _KINDS[field.type]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return f"must be of type {field.type.value}"
    if isinstance(value, float) and not math.isfinite(value):
        # JSON would keep it as null: state and log would differ.
        return "must be a finite number"
    if field.type is FieldType.DATE:
        try:
            msgspec.convert(value, type=date)
        except msgspec.ValidationError:
            return "must be a date such as 2026-11-22"
    if field.type is FieldType.CHOICE and value not in field.options:
        return f"must be one of {', '.join(field.options)}"
    if field.type is FieldType.CHOICES and any(one not in field.options for one in value):
        return f"must be among {', '.join(field.options)}"
    size = len(value) if isinstance(value, str | list | tuple) else value
    if field.minimum is not None and size < field.minimum:
        return f"must be at least {field.minimum:g}"
    if field.maximum is not None and size > field.maximum:
        return f"must be at most {field.maximum:g}"
    return ""
