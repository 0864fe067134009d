"""The one kind of value: frozen, keyword-only, with unknown fields refused; and how it becomes bytes and a digest."""

import hashlib
from typing import Any, TypeVar

import msgspec

from elohim_kernel.errors import Invalid

T = TypeVar("T")


# Frozen values cannot form cycles, so the garbage collector need not look at them (gc=False).
class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Root of every shape we define. Foreign payloads use `msgspec.Struct` and ignore what they do not read."""


_canonical = msgspec.json.Encoder(order="deterministic")


def to_json(value: object) -> str:
    """Canonical JSON: keys sorted, no spaces, so equal values give equal text."""
    return _canonical.encode(value).decode()


def from_json(text: str | bytes, kind: type[T]) -> T:
    """Decode and validate; raises `Invalid` naming the field that is wrong."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as wrong:
        raise Invalid(f"{kind.__name__}: {wrong}") from None


def convert(raw: object, kind: type[T], *, what: str | None = None) -> T:
    """Turn plain data (from YAML, options, a form) into `kind`; raises `Invalid` naming the field that is wrong."""
    try:
        return msgspec.convert(raw, type=kind)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"{what or getattr(kind, '__name__', str(kind))}: {wrong}") from None


def plain(value: object) -> Any:
    """The value as dicts, lists, strings, numbers: what JSON would hold. `Any` because JSON has no type."""
    return msgspec.to_builtins(value)


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, as `sha256:<hex>`: what an approval is bound to.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    return "sha256:" + hashlib.sha256(_canonical.encode(value)).hexdigest()
