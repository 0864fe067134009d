"""Tokens: what is kept, how long it opens the door, and that the secret cannot be found in what is kept."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.token import TokenCreated, TokenRevoked, apply_token, digest_of, new_secret
from elohim_kernel.model.value import to_json

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def made(expires_at: datetime | None) -> TokenCreated:
    return TokenCreated(digest=digest_of("elohim_x"), principal="us_a", label="laptop", expires_at=expires_at)


def test_secrets_are_recognisable_and_never_repeat():
    secrets = {new_secret() for _ in range(1_000)}

    assert len(secrets) == 1_000
    assert all(re.fullmatch(r"elohim_[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_the_secret_is_not_in_the_token_nor_in_its_event():
    secret = new_secret()
    event = TokenCreated(digest=digest_of(secret), principal="us_a", label="laptop")

    token = apply_token(None, "tk_1", event)

    assert secret not in to_json(token) + to_json(event) + repr(token) + repr(event)


@given(st.integers(min_value=-5_000_000, max_value=5_000_000))
def test_a_token_opens_the_door_until_the_moment_it_expires(seconds: int):
    token = apply_token(None, "tk_1", made(NOW + timedelta(seconds=seconds)))

    assert token.is_valid(NOW) is (seconds > 0)


def test_a_token_without_an_end_opens_the_door_until_it_is_revoked():
    token = apply_token(None, "tk_1", made(None))

    assert token.is_valid(NOW + timedelta(days=36_500))
    assert not apply_token(token, "tk_1", TokenRevoked(reason="lost")).is_valid(NOW)


@given(st.text(), st.text())
def test_digests_are_equal_exactly_when_secrets_are(one: str, other: str):
    assert (digest_of(one) == digest_of(other)) is (one == other)
