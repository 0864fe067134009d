"""The one door. Whatever reads or changes anything passes here: authorised, transacted, recorded, measured.

No other place checks a permission, writes an audit entry or counts an operation.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from elohim_kernel.audit.metrics import Meter, Outcome
from elohim_kernel.errors import Conflict, Denied, Invalid, KernelError, NotFound, Unauthenticated
from elohim_kernel.model.access import WORKER, Need, Principal, Verdict, decide, may_anywhere
from elohim_kernel.model.command import Command, Query, name_of
from elohim_kernel.model.record import CommandFailed, CommandRefused
from elohim_kernel.model.run import Run
from elohim_kernel.model.token import Token, digest_of
from elohim_kernel.store.catalogue import ANYWHERE, Catalogue, CommandEntry
from elohim_kernel.store.changes import Changes, changes
from elohim_kernel.store.store import Caller, Done, Store
from elohim_kernel.store.unit import Reader, Unit
from elohim_kernel.store.wire import Wanted

C = TypeVar("C", bound=Command | Query)

_log: Final = logging.getLogger("elohim.gate")
_NAME_CAP: Final = 300  # characters of a message that go into the log
_KEPT: Final = (bytes,)  # bulk rows are not turned into text and back
_DEPTH_CAP: Final = 100


class Gate:
    """The door to one store."""

    def __init__(self, store: Store, catalogue: Catalogue, *, now: Callable[[], datetime]) -> None:
        self.store = store
        self.catalogue = catalogue
        self.meter = Meter()
        self._now = now

    def do(self, command: Command, caller: Caller) -> Any:
        """Do a command; its effect is durable on return. The result's type is the command's `result`, hence `Any`."""
        work = _CommandWork(self, checked(command), caller)
        return work.measured(lambda: self.store.do(work))

    def submit(self, command: Command, caller: Caller, done: Done) -> None:
        """Queue a command; `done(result, error)` is called when it is durable or refused."""
        work = _CommandWork(self, checked(command), caller)

        def measured(result: object, error: KernelError | None) -> None:
            work.count(error)
            done(result, error)

        self.store.submit(work, measured)

    def ask(self, query: Query, principal: str) -> Any:
        """Answer a query for a principal, by id. The answer's type is the query's `result`, hence `Any`."""
        query = checked(query)
        name = name_of(type(query))
        entry = self.catalogue.queries.get(name)
        if entry is None:
            raise NotFound(f"there is no query {name!r}")
        started = time.perf_counter()
        outcome = Outcome.FAILED
        try:
            reader = self.store.reader(principal)
            authorise(reader, query.need, entry.target(reader, query))
            answer = entry.answer(query, reader)
            outcome = Outcome.DONE
        except KernelError as error:
            outcome = _outcome(error)
            if not isinstance(error, Unauthenticated):
                self._record(_Refusal(name, error, Caller(principal=principal)))
            raise
        finally:
            self.meter.count(name, outcome, time.perf_counter() - started)
        return answer

    def _record(self, refusal: "_Refusal") -> None:
        try:
            self.store.do(refusal)
        except KernelError:
            # Whoever asked must hear why they were refused, not that the log is full.
            _log.exception("a refusal could not be recorded")

    def changes(self, principal: str, wanted: Wanted) -> Changes:
        """What a principal's copy of the store does not have yet: nothing but rows they may see."""
        started = time.perf_counter()
        reader = self.store.reader(principal)
        authorise(reader, Query.need, ANYWHERE)
        found = changes(self.store, principal, wanted)
        self.meter.count("changes", Outcome.DONE, time.perf_counter() - started)
        return found

    def principal_named(self, name: str) -> Principal:
        """The active principal people call `name`; raises `Unauthenticated`."""
        found = self.store.memory.find(Principal, name)
        if found is None or not found.active or found.id == WORKER:
            raise Unauthenticated(f"nobody here is called {name!r}", hint="see `elohim access user list`")
        return found

    def principal_with_id(self, identifier: str) -> Principal:
        """The principal with that id; raises `Unauthenticated`."""
        found = self.store.memory.get(Principal, identifier)
        if found is None:
            raise Unauthenticated(f"nobody here has the id {identifier!r}")
        return found

    def principal_with(self, secret: str) -> tuple[Principal, Token]:
        """Whom a bearer token stands for; raises `Unauthenticated` without saying why."""
        token = self.store.memory.find(Token, digest_of(secret))
        principal = self.store.memory.get(Principal, token.principal) if token else None
        run = self.store.memory.get(Run, token.run) if token and token.run else None
        over = run is not None and run.status.is_final
        if token is None or principal is None or over or not token.is_valid(self._now()) or not principal.active:
            raise Unauthenticated(
                "that token does not open this door", hint="make one with `elohim access token create`"
            )
        return principal, token

    def decode(self, name: str, body: bytes | Mapping[str, Any], *, kind: type[C]) -> C:
        """A command or query from its name and its fields as MessagePack or plain data; raises `Invalid`."""
        known: Any  # a command or query class, or None
        if issubclass(kind, Command):
            entry = self.catalogue.commands.get(name)
            known = entry.command if entry else None
        else:
            asked = self.catalogue.queries.get(name)
            known = asked.query if asked else None
        if known is None:
            raise NotFound(f"there is no {kind.__name__.lower()} {name!r}")
        try:
            value: C = (
                msgspec.msgpack.decode(body, type=known)
                if isinstance(body, bytes)
                else msgspec.convert(body, type=known)
            )
        except (msgspec.ValidationError, msgspec.DecodeError) as wrong:
            raise Invalid(f"{name}: {wrong}") from None
        return value


class _CommandWork:
    """A command waiting for its group."""

    def __init__(self, gate: Gate, command: Command, caller: Caller) -> None:
        self.caller = caller
        self._gate = gate
        self._command = command
        self._name = name_of(type(command))
        found = gate.catalogue.commands.get(self._name)
        if found is None:
            raise NotFound(f"there is no command {self._name!r}")
        self._entry: CommandEntry = found
        self._started = time.perf_counter()

    def run(self, unit: Unit) -> object:
        authorise(unit, self._command.need, self._entry.target(unit, self._command))
        return self._entry.handle(self._command, unit)

    def refuse(self, unit: Unit, error: KernelError) -> None:
        record_refusal(unit, self._name, error)

    def recall(self, result: str) -> object:
        kind = self._command.result
        try:
            return msgspec.json.decode(result, type=kind) if kind is not None else None
        except msgspec.ValidationError:
            raise Conflict("this key was used before, for another command", hint="use a fresh key") from None

    def count(self, error: KernelError | None) -> None:
        self._gate.meter.count(self._name, _outcome(error), time.perf_counter() - self._started)

    def measured(self, act: Callable[[], object]) -> object:
        try:
            result = act()
        except KernelError as error:
            self.count(error)
            raise
        self.count(None)
        return result


class _Refusal:
    """A refused query on its way to the log: looking where one may not look is recorded like doing."""

    def __init__(self, name: str, error: KernelError, caller: Caller) -> None:
        self.caller = caller
        self._name = name
        self._error = error

    def run(self, unit: Unit) -> None:
        record_refusal(unit, self._name, self._error)

    def refuse(self, unit: Unit, error: KernelError) -> None:
        """It asks for nothing that could be refused."""

    def recall(self, result: str) -> None:
        """It is never asked for twice: it has no request."""


def record_refusal(unit: Unit, operation: str, error: KernelError) -> None:
    """Record that an operation was refused or failed, for its caller and those who read the trail."""
    me = unit.principal.id
    message = error.message[:_NAME_CAP]
    if error.exit_code == 3:
        unit.emit(CommandFailed(command=operation, error=message), subject=me, scope=me)
    else:
        unit.emit(CommandRefused(command=operation, code=error.code, message=message), subject=me, scope=me)


def authorise(reader: Reader, need: Need, tenant: str) -> None:
    """Raise unless the reader's principal may: `NotFound` for what they may not see, else `Denied`."""
    who = reader.principal
    roles = reader.roles()
    if tenant == ANYWHERE:
        verdict = Verdict.ALLOWED if who.active and may_anywhere(who, need, roles) else Verdict.DENIED
    else:
        verdict = decide(who, need, tenant, roles)
    if verdict is Verdict.HIDDEN:
        raise NotFound("there is no such thing")
    if verdict is Verdict.DENIED:
        raise Denied(f"{who.name} lacks {need}", hint="ask whoever manages access: `elohim access user grant`")


def _outcome(error: KernelError | None) -> Outcome:
    if error is None:
        return Outcome.DONE
    return Outcome.FAILED if error.exit_code == 3 else Outcome.REFUSED


def checked(operation: C) -> C:
    """The operation with every field's type checked, and free data as the log can keep it.

    Values built in Python are not checked when they are built. Raises `Invalid` for what has no JSON: it would be one
    thing in the state and another in the log.
    """
    name = type(operation).__name__
    try:
        plain = msgspec.to_builtins(operation, builtin_types=_KEPT, str_keys=True)
        _check_kept(name, plain)
        # Through bytes, because that makes lists of tuples among the data, as the log will.
        return msgspec.msgpack.decode(msgspec.msgpack.encode(plain), type=type(operation))
    except (msgspec.ValidationError, TypeError, OverflowError, UnicodeEncodeError) as wrong:
        raise Invalid(f"{name}: {wrong}") from None
    except RecursionError:
        raise Invalid(f"{name}: the data is nested too deep", hint=f"{_DEPTH_CAP} levels are the most") from None


def _check_kept(name: str, value: Any, depth: int = 0) -> None:  # plain data of any type
    """Raise `Invalid` for numbers and text that the log and the tables cannot hold."""
    kind = type(value)
    if kind is str:
        if not value.isascii() and not _is_text(value):
            raise Invalid(f"{name}: {value[:80]!r} holds half a character, which is no text")
    elif kind is dict:
        _check_depth(name, depth)
        for key, each in value.items():
            _check_kept(name, key, depth)
            _check_kept(name, each, depth + 1)
    elif kind is list or kind is tuple:
        _check_depth(name, depth)
        for each in value:
            _check_kept(name, each, depth + 1)
    elif kind is int and not -(2**63) <= value < 2**63:
        raise Invalid(f"{name}: a number of {value.bit_length()} bits is too large", hint="write it as text")
    elif kind is float and not math.isfinite(value):
        raise Invalid(f"{name}: {value} is no number that can be kept", hint="leave it out")
    elif kind is bytes and depth > 1:
        raise Invalid(f"{name}: {len(value)} bytes among the data", hint="attach a file, or write them as text")


def _check_depth(name: str, depth: int) -> None:
    if depth > _DEPTH_CAP:
        raise Invalid(f"{name}: the data is nested too deep", hint=f"{_DEPTH_CAP} levels are the most")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
