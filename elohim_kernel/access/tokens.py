"""Bearer tokens: how a program proves whom it acts as. The secret is made by whoever asks, and never comes here.

`model.token.new_secret()` makes one and `digest_of` what `CreateToken` carries; so no event, log line, error or stored
result can hold the secret.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from elohim_kernel.access.authority import LOOK, MANAGE, check_rules
from elohim_kernel.access.names import principal_named
from elohim_kernel.errors import Conflict, Denied, Invalid, NotFound
from elohim_kernel.model.access import ACCESS, GLOBAL, WORKER, Principal
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.run import Run
from elohim_kernel.model.token import Token, TokenCreated, TokenRevoked
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry
from elohim_kernel.store.unit import Reader, Unit

EVERYBODY: Final = "*"  # no name can be this
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MOST_DAYS: Final = 3_660
_LABEL_CAP: Final = 100  # characters


class TokenState(StrEnum):
    """Whether a token opens the door."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


class NewToken(Value, frozen=True):
    """A token that was made; its secret is with whoever made it."""

    id: str
    label: str
    principal: str  # name
    expires_at: datetime | None  # None: until revoked


class TokenShown(Value, frozen=True):
    """A token as shown to people."""

    id: str
    label: str
    principal: str  # name
    state: TokenState
    expires_at: datetime | None  # None: until revoked
    run: str  # the run it was made for; "" for a person's


class CreateToken(Command, frozen=True):
    """Make a token, for oneself or, as an administrator, for another principal; it may do what they may.

    `digest` is the SHA-256 of the secret, in hex: the secret itself stays with the caller.
    """

    need = MANAGE
    result = NewToken
    example = {
        "label": "laptop",
        "days": 30,
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }

    digest: str
    label: str = ""  # needed unless it is for a run
    principal: str = ""  # "": oneself
    days: int = 90  # 0: until revoked, which only an administrator may ask for
    run: str = ""


def create_token(command: CreateToken, unit: Unit) -> NewToken:
    """Handle `CreateToken`."""
    owner = principal_named(unit, command.principal) if command.principal else unit.principal
    label = command.label.strip() or (f"run {command.run}" if command.run else "")
    _check_owner(unit, owner)
    _check_digest(unit, command.digest)
    _check_label(unit, owner, label)
    _check_run(unit, command.run)
    expires_at = _expiry(unit, command.days)
    subject = new_id("tk")
    unit.emit(
        TokenCreated(digest=command.digest, principal=owner.id, label=label, expires_at=expires_at, run=command.run),
        subject=subject,
        scope=owner.id,
    )
    return NewToken(id=subject, label=label, principal=owner.name, expires_at=expires_at)


def _check_owner(unit: Unit, owner: Principal) -> None:
    if owner.id == WORKER:
        raise Denied(f"nobody acts as {owner.name}: it is the workbench itself", hint="add a service of your own")
    if owner.id != unit.principal.id:
        check_rules(unit, f"a token that acts as {owner.name}")
    if not owner.active:
        raise Conflict(f"{owner.name} is disabled: a token of theirs would open nothing")


def _check_digest(unit: Unit, digest: str) -> None:
    # The value is not repeated: who mistakes the field may have put the secret itself there.
    if not _DIGEST.fullmatch(digest):
        raise Invalid("digest must be the SHA-256 of the secret as 64 digits of lower-case hex")
    if unit.by_key(Token, digest) is not None:
        raise Conflict("a token with that digest was made before", hint="make a new secret")


def _check_label(unit: Unit, owner: Principal, label: str) -> None:
    if not label or len(label) > _LABEL_CAP or not label.isprintable():
        raise Invalid(
            f"a token needs a label of 1 to {_LABEL_CAP} visible characters", hint="say where it will be used"
        )
    if label.startswith("elohim_"):
        raise Invalid("the label looks like a secret", hint="say where it will be used, and throw that secret away")
    if any(one.principal == owner.id and one.label == label and one.is_valid(unit.now) for one in unit.every(Token)):
        raise Conflict(f"{owner.name} has a token {label!r} already", hint="revoke it first, or take another label")


def _check_run(unit: Unit, run: str) -> None:
    if not run:
        return
    found = unit.find(Run, run)
    flow = unit.find(Workflow, found.workflow) if found else None
    if found is None or (flow is not None and not unit.principal.sees(flow.tenant)):
        raise NotFound(f"there is no run {run!r}")
    if found.status.is_final:
        raise Conflict(f"run {run} is {found.status.value}: it needs no token any more")


def _expiry(unit: Unit, days: int) -> datetime | None:
    if not 0 <= days <= _MOST_DAYS:
        raise Invalid(f"days must be 0 to {_MOST_DAYS}, got {days}")
    if days == 0:
        check_rules(unit, "a token that never expires")
        return None
    return unit.now + timedelta(days=days)


class RevokeToken(Command, frozen=True):
    """Make a token useless, at once and for good."""

    need = MANAGE
    result = TokenShown
    example = {"token": "laptop", "reason": "lost"}

    token: str  # id, or label
    reason: str = ""


def revoke_token(command: RevokeToken, unit: Unit) -> TokenShown:
    """Handle `RevokeToken`."""
    token = token_named(unit, command.token)
    if token.revoked:
        raise Conflict(f"token {token.label!r} is revoked already")
    unit.emit(TokenRevoked(reason=command.reason), subject=token.id, scope=token.principal)
    return _shown(unit, unit.get(Token, token.id))


def token_named(reader: Reader, name: str) -> Token:
    """A token the caller may know of, by id, or while it is valid by label; their own before others'.

    Raises `NotFound`, and `Invalid` when the label fits several.
    """
    seen = _seen_tokens(reader)
    by_id = [one for one in seen if one.id == name]
    fitting = by_id or [one for one in seen if one.label == name and one.is_valid(reader.now)]
    own = [one for one in fitting if one.principal == reader.principal.id]
    found = own or fitting
    if not found:
        # The name is not repeated: refusals are recorded, and people do paste the secret where its label should be.
        raise NotFound("there is no such token", hint="name one by its id or label: `elohim access token list`")
    if len(found) > 1:
        raise Invalid(f"the label {name!r} fits {', '.join(one.id for one in found)}", hint="name one by its id")
    return found[0]


def _seen_tokens(reader: Reader) -> list[Token]:
    all_seen = ACCESS in reader.scopes()
    return [one for one in reader.every(Token) if all_seen or one.principal == reader.principal.id]


class ListTokens(Query, frozen=True):
    """Tokens, without what they are checked by: one's own, somebody's, or `*` for everybody's."""

    need = LOOK
    result = tuple[TokenShown, ...]
    example = {"principal": "ann"}

    principal: str = ""  # "": oneself


def list_tokens(query: ListTokens, reader: Reader) -> tuple[TokenShown, ...]:
    """Answer `ListTokens`, oldest first."""
    if query.principal == EVERYBODY:
        owners = {one.id for one in reader.every(Principal)}
    else:
        owners = {(principal_named(reader, query.principal) if query.principal else reader.principal).id}
    tokens = sorted((one for one in reader.every(Token) if one.principal in owners), key=lambda one: one.id)
    return tuple(_shown(reader, one) for one in tokens)


def _shown(reader: Reader, token: Token) -> TokenShown:
    state = (
        TokenState.REVOKED if token.revoked else TokenState.LIVE if token.is_valid(reader.now) else TokenState.EXPIRED
    )
    return TokenShown(
        id=token.id,
        label=token.label,
        principal=reader.get(Principal, token.principal).name,
        state=state,
        expires_at=token.expires_at,
        run=token.run,
    )


def on_owner(reader: Reader, operation: CreateToken | ListTokens) -> str:
    """One's own space for one's own tokens; everywhere for those of others, whether or not they exist."""
    me = reader.principal
    return me.id if operation.principal in ("", me.id, me.name) else GLOBAL


def on_token(reader: Reader, operation: RevokeToken) -> str:
    """One's own space for one's own token; everywhere for another's."""
    owner = token_named(reader, operation.token).principal
    return owner if owner == reader.principal.id else GLOBAL


COMMANDS = (
    CommandEntry(CreateToken, create_token, on_owner),
    CommandEntry(RevokeToken, revoke_token, on_token),
)

QUERIES = (QueryEntry(ListTokens, list_tokens, on_owner),)
