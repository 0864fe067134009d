"""Bodies: read under a cap and a deadline, checked for depth and doubled names, and only then decoded."""

import asyncio
import functools
import json
import re
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.command import Command, Query, name_of
from elohim_kernel.model.value import Value
from elohim_kernel.surfaces.http.refusals import SlowBody, WrongType

C = TypeVar("C", bound=Command | Query)

# Possessive, and content with a string that does not end: so the scan is linear whatever it is given.
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_DRAINED: Final = 16  # times the cap: what is read and thrown away so that the client can read our refusal
_SEVERAL: Final = (msgspec.inspect.VarTupleType, msgspec.inspect.ListType, msgspec.inspect.SetType)
_SIMPLE: Final = (
    msgspec.inspect.StrType,
    msgspec.inspect.IntType,
    msgspec.inspect.FloatType,
    msgspec.inspect.BoolType,
    msgspec.inspect.DateTimeType,
    msgspec.inspect.EnumType,
    msgspec.inspect.LiteralType,
    msgspec.inspect.NoneType,
)


class Limits(Value, frozen=True):
    """What a request may cost."""

    body: int = 1024 * 1024  # bytes
    body_s: float = 15.0  # seconds in which a body must have arrived
    depth: int = 32  # arrays and objects inside each other
    threads: int = 16  # commands and queries done at a time


async def read_body(request: Request, limits: Limits) -> bytes:
    """The body of a request that says it is JSON. Raises `WrongType`, `TooLarge`, `SlowBody`."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != "application/json":
        raise WrongType(f"the body must be application/json, not {said[:60] or 'of an unknown type'!r}")
    try:
        async with asyncio.timeout(limits.body_s):
            return await _received(request, limits)
    except TimeoutError:
        raise SlowBody(f"the body did not arrive within {limits.body_s:g} s") from None


async def _received(request: Request, limits: Limits) -> bytes:
    kept, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= limits.body:
            kept += piece
        elif size > limits.body * _DRAINED:
            break
    if size > limits.body:
        raise TooLarge(f"the body is over the cap of {limits.body} bytes", hint="send it in parts")
    return bytes(kept)


def decoded(kind: type[C], body: bytes, limits: Limits) -> C:
    """A command or query from its fields as JSON. Raises `Invalid` for anything that is not exactly that."""
    name = _name(kind)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Invalid(f"{name}: the body is not UTF-8") from None
    check_json(text, name, depth=limits.depth)
    try:
        value: C = msgspec.json.decode(text, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as wrong:
        raise Invalid(f"{name}: {wrong}") from None
    return value


def check_json(text: str, what: str, *, depth: int) -> None:
    """Raise `Invalid` for text that is no JSON, is nested deeper than `depth`, or names a field twice.

    >>> check_json('{"a": [1, {"a": 2}]}', "a thing", depth=3)
    """
    level = 0
    for token in _STRUCTURE.finditer(text):
        first = text[token.start()]
        level += (first in "[{") - (first in "]}")
        if level > depth:
            raise Invalid(f"{what}: the body is nested more than {depth} deep")
    try:
        json.loads(text, object_pairs_hook=_names_once, parse_constant=_no_number)
    except _Twice as twice:
        raise Invalid(f"{what}: the body names {twice.args[0]!r} twice") from None
    except ValueError as wrong:
        raise Invalid(f"{what}: the body is not JSON: {wrong}") from None


class _Twice(Exception):
    pass


def _names_once(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _Twice(name[:60])
        seen.add(name)


def _no_number(constant: str) -> object:
    raise ValueError(f"{constant} is no number")


def from_parameters(kind: type[C], pairs: Sequence[tuple[str, str]]) -> C:
    """A query from the parameters of an address, whose texts are read as numbers and booleans where those are wanted.

    A field that holds several values takes several parameters. Raises `Invalid`.

    >>> class Find(Query, frozen=True):
    ...     "Find things."
    ...     tags: tuple[str, ...] = ()
    ...     limit: int = 10
    >>> from_parameters(Find, [("tags", "a"), ("tags", "b"), ("limit", "5")])
    Find(tags=('a', 'b'), limit=5)
    """
    known = shapes(kind)  # type: ignore[arg-type]  # mypy does not see that a class can be hashed
    several = {name for name, shape in known.items() if isinstance(shape, _SEVERAL)}
    fields: dict[str, str | list[str]] = {}
    for name, value in pairs:
        kept = fields.get(name)
        if isinstance(kept, list):
            kept.append(value)
        elif kept is not None:
            raise Invalid(f"{_name(kind)}: {name[:60]!r} is given twice")
        else:
            fields[name] = [value] if name in several else value
    try:
        return msgspec.convert(fields, type=kind, strict=False)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"{_name(kind)}: {wrong}") from None


def _name(kind: type[Value]) -> str:
    assert issubclass(kind, Command | Query)
    return name_of(kind)


@functools.cache
def shapes(kind: type[Value]) -> dict[str, msgspec.inspect.Type]:
    """What each field of an operation holds, by the field's name outside Python."""
    return {field.encode_name: msgspec.inspect.type_info(field.type) for field in msgspec.structs.fields(kind)}


def fits_address(shape: msgspec.inspect.Type) -> bool:
    """Whether a field of that shape can be given in an address."""
    if isinstance(shape, msgspec.inspect.UnionType):
        return all(isinstance(one, _SIMPLE) for one in shape.types)
    if isinstance(shape, _SEVERAL):
        return isinstance(shape.item_type, _SIMPLE)
    return isinstance(shape, _SIMPLE)
