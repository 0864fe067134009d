"""Bearer tokens: only a digest is kept, each acts as one principal, and a run's token dies with the run."""

import hashlib
import secrets
from datetime import datetime

from msgspec.structs import replace

from elohim_kernel.model.value import Value


class Token(Value, frozen=True):
    """A token as we know it; the secret itself is shown once and never stored."""

    id: str
    digest: str
    principal: str
    label: str
    expires_at: datetime | None  # None: until revoked
    run: str = ""  # the run it was made for; "" for a person's token
    revoked: bool = False

    def is_valid(self, now: datetime) -> bool:
        """Whether it still opens the door at `now`."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)


class TokenCreated(Value, frozen=True, tag="token.created"):
    """A token was made; the log holds its digest only."""

    digest: str
    principal: str
    label: str
    expires_at: datetime | None = None
    run: str = ""


class TokenRevoked(Value, frozen=True, tag="token.revoked"):
    """A token was made useless."""

    reason: str = ""


def new_secret() -> str:
    """A fresh secret of 256 random bits, recognisable by secret scanners through its prefix."""
    return "elohim_" + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is stored instead of the secret. Plain SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def apply_token(state: Token | None, subject: str, data: TokenCreated | TokenRevoked) -> Token:
    """Fold one event into a token."""
    if isinstance(data, TokenCreated):
        return Token(
            id=subject,
            digest=data.digest,
            principal=data.principal,
            label=data.label,
            expires_at=data.expires_at,
            run=data.run,
        )
    assert state is not None
    return replace(state, revoked=True)
