"""What clients and the owner say to each other: frames of MessagePack over a stream socket.

A frame is a 4-byte big-endian length and that many bytes. The greeting (`Hello`, `Welcome`) is read leniently and stays
readable by every version, so that two that do not fit can say so; everything after it is strict.
"""

import struct
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, Protocol, TypeVar

import msgspec

from elohim_kernel.errors import Incompatible, Invalid, KernelError, TooLarge, Unavailable, error_from
from elohim_kernel.model.value import Value

PROTOCOL: Final = 1
FRAME_CAP: Final = 256 * 1024 * 1024  # bytes
GREETING_CAP: Final = 64 * 1024  # bytes that somebody who has not greeted may send at once
PIECE: Final = 8 * 1024 * 1024  # bytes of a body that one reply carries; the rest follows in further replies

T = TypeVar("T")

_LENGTH: Final = struct.Struct("!I")
_encode: Final = msgspec.msgpack.Encoder().encode


class Kind(StrEnum):
    """What a request wants."""

    DO = "do"
    ASK = "ask"
    CHANGES = "changes"
    STATUS = "status"
    STOP = "stop"


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """A client's first frame. `replace` asks an owner that serves nobody else to end, so that ours can start."""

    protocol: int
    version: str
    pid: int
    replace: bool = False


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's answer. `refused` says why it will not serve; "" when it will."""

    protocol: int
    version: str
    pid: int
    busy: bool = False  # somebody else is being served
    ending: bool = False  # it agreed to be replaced
    refused: str = ""


class Request(Value, frozen=True, array_like=True):
    """One thing a client wants. `name` is an operation's or a table's; `body` the operation as MessagePack.

    `look_back` says that an earlier owner may have done this already, so that the key is looked up in the log.
    """

    id: int
    kind: Kind
    name: str = ""
    body: bytes = b""
    user: str = ""  # name of the principal to act as
    token: str = ""  # bearer token instead of, or to confirm, a name
    working: bool = False  # the worker acts, and `user` is the id of whom it acts for; "" for itself
    key: str = ""  # idempotency key
    attempt: int = 1
    look_back: bool = False
    cause: str = ""
    depth: int = 0


class Wanted(Value, frozen=True):
    """What a copy of the store asks for: changes of the views it holds, and whole views that it wants besides.

    `since` and `visibility` are those of the last answer: up to which event the copy goes, and what it could see.
    """

    since: int = 0
    visibility: str = ""
    held: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


class Reply(Value, frozen=True, array_like=True):
    """The answer to request `id`: a body, or the code, message and hint of an error. `more` announces another piece."""

    id: int
    ok: bool
    body: bytes = b""
    more: bool = False
    code: str = ""
    message: str = ""
    hint: str | None = None

    def error(self) -> KernelError:
        """The error this reply tells of."""
        return error_from(self.code, self.message, self.hint)


def failure(request: int, error: KernelError) -> Reply:
    """The reply that carries an error."""
    return Reply(id=request, ok=False, code=error.code, message=error.message, hint=error.hint)


def replies(request: int, body: bytes, *, piece: int = PIECE) -> list[Reply]:
    """The replies that carry a body, cut so that no single one is large.

    >>> [(reply.body, reply.more) for reply in replies(1, b"abcde", piece=2)]
    [(b'ab', True), (b'cd', True), (b'e', False)]
    """
    if len(body) <= piece:
        return [Reply(id=request, ok=True, body=body)]
    starts = range(0, len(body), piece)
    return [Reply(id=request, ok=True, body=body[at : at + piece], more=at + piece < len(body)) for at in starts]


def packed(value: object) -> bytes:
    """A value as MessagePack; raises `Invalid` for one that has no such form."""
    try:
        return _encode(value)
    except (TypeError, ValueError, msgspec.MsgspecError) as wrong:
        raise Invalid(f"{type(value).__name__} cannot be sent: {wrong}") from None


def frame(message: object) -> bytes:
    """A message with its length before it; raises `TooLarge`."""
    body = packed(message)
    if len(body) > FRAME_CAP:
        raise TooLarge(f"a message of {len(body)} bytes is over the cap of {FRAME_CAP}", hint="send it in parts")
    return _LENGTH.pack(len(body)) + body


def decoder(kind: type[T]) -> Callable[[bytes], T]:
    """Read messages of one kind; the function raises `Invalid` for bytes that are none."""
    decode = msgspec.msgpack.Decoder(kind).decode

    def read(body: bytes) -> T:
        try:
            return decode(body)
        except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as wrong:
            raise Invalid(f"that is no {kind.__name__}: {wrong}") from None

    return read


class Frames:
    """Cuts a stream into frames, whatever pieces it arrives in."""

    def __init__(self, cap: int = FRAME_CAP) -> None:
        self.cap = cap
        self._kept = bytearray()

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """The frames that `data` completes; raises `TooLarge` as soon as a length over the cap is announced.

        >>> frames = Frames()
        >>> frames.feed(b"\\0\\0\\0\\2a"), frames.feed(b"b\\0\\0\\0\\0\\0")
        ([], [b'ab', b''])
        """
        kept = self._kept
        kept += data
        found: list[bytes] = []
        start = 0
        while len(kept) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(kept, start)
            if length > self.cap:
                raise TooLarge(f"a message of {length} bytes was announced; the cap is {self.cap}")
            end = start + _LENGTH.size + length
            if len(kept) < end:
                break
            found.append(bytes(kept[start + _LENGTH.size : end]))
            start = end
        del kept[:start]
        return found


def check_welcome(welcome: Welcome, version: str) -> None:
    """Raise `Incompatible` unless the owner that sent `welcome` speaks our protocol, `Unavailable` if it refuses us."""
    if welcome.protocol != PROTOCOL:
        older = welcome.protocol < PROTOCOL
        theirs = f"elohim_kernel {welcome.version} (protocol {welcome.protocol})"
        raise Incompatible(
            f"process {welcome.pid} of {theirs} owns the store; this is {version} (protocol {PROTOCOL})",
            hint="end its other clients: then it makes room" if older else "upgrade elohim_kernel here",
        )
    if welcome.refused:
        raise Unavailable(f"the owner process {welcome.pid} refused: {welcome.refused}")


def is_older(theirs: str, ours: str) -> bool:
    """Whether a version's leading numbers are lower.

    >>> is_older("0.9.1", "0.10.0"), is_older("0.10.0.dev1", "0.10.0")
    (True, False)
    """
    return _numbers(theirs) < _numbers(ours)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


Fields = Mapping[str, object]  # plain data that a status consists of
Done = Callable[[bytes, KernelError | None], None]


class Service(Protocol):
    """What an owner serves. `submit` and `answer` raise `KernelError` to refuse at once."""

    def submit(self, request: Request, done: Done) -> None:
        """Queue a command; `done` is called from `drain` when it is durable or refused."""

    def drain(self) -> int:
        """Commit a group of what is queued; returns how many commands that were."""

    def answer(self, request: Request) -> bytes:
        """The answer to a question, or the changes of a copy."""

    def status(self) -> Fields:
        """What the service says of itself: plain data."""

    def idle(self) -> None:
        """Housekeeping in a quiet moment."""

    def is_sound(self) -> bool:
        """Whether the store still works after it has failed once."""
