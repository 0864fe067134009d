"""Tokens: made for oneself by anybody, for others by administrators; and the secret is nowhere in what is kept."""

import logging
from typing import Any

import pytest

from elohim_kernel.access.people import DisablePrincipal
from elohim_kernel.access.roles import DefineRole
from elohim_kernel.access.tokens import CreateToken, ListTokens, RevokeToken, TokenState
from elohim_kernel.errors import Conflict, Denied, Invalid, NotFound, Unauthenticated
from elohim_kernel.model.access import WORKER, Level, Permission
from elohim_kernel.model.token import digest_of, new_secret


def made(who: Any, label: str = "laptop", **fields: Any) -> tuple[str, Any]:
    """A secret, and what making its token answered."""
    secret = new_secret()
    return secret, who.do(CreateToken(digest=digest_of(secret), label=label, **fields))


def test_a_token_opens_the_door_as_its_principal_until_it_expires(bench: Any):
    ann = bench.add("ann")

    secret, token = made(ann, days=30)

    principal, known = bench.gate.principal_with(secret)
    assert (principal.name, known.id) == ("ann", token.id)
    bench.later(days=29, hours=23)
    bench.gate.principal_with(secret)
    bench.later(hours=1)
    with pytest.raises(Unauthenticated):
        bench.gate.principal_with(secret)


def test_the_secret_is_nowhere_in_what_is_kept_said_or_logged(bench: Any, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    ann = bench.add("ann")
    secret, token = made(ann)
    said = [str(token), str(ann.ask(ListTokens()))]

    for mistake in (
        CreateToken(digest=secret, label="other"),
        CreateToken(digest=digest_of("x"), label=secret),
        RevokeToken(token=secret),
    ):
        with pytest.raises((Invalid, NotFound)) as refused:
            ann.do(mistake)
        said.append(str(refused.value))

    assert secret not in bench.texts() + caplog.text + "".join(said)
    assert "command.refused" in bench.texts()


def test_no_list_of_tokens_shows_a_digest(bench: Any):
    secret, _ = made(bench.root)

    assert digest_of(secret) not in str(bench.root.ask(ListTokens(principal="*")))


def test_the_first_answer_is_given_again_for_the_same_request(bench: Any):
    command = CreateToken(digest=digest_of(new_secret()), label="laptop")

    first = bench.root.do(command, request="once")
    again = bench.root.do(command, request="once")

    assert first == again
    assert len(bench.root.ask(ListTokens())) == 1


def test_a_token_for_another_takes_an_administrator(bench: Any):
    bench.root.do(DefineRole(name="manager", permissions={Permission.ACCESS_MANAGE: Level.WRITE}))
    mia = bench.add("mia", "manager")
    ann = bench.add("ann")

    for principal in ("mia", mia.id):
        with pytest.raises(Denied):
            made(ann, principal=principal)
    with pytest.raises(Denied, match="a token that acts as root needs"):
        made(mia, principal="root")
    secret, token = made(bench.root, principal="ann")

    assert token.principal == "ann"
    assert bench.gate.principal_with(secret)[0].id == ann.id


def test_whether_somebody_exists_is_not_told_to_who_may_not_ask(bench: Any):
    ann = bench.add("ann")
    said = []
    for name in ("root", "nobody"):
        with pytest.raises(Denied) as refused:
            made(ann, principal=name)
        said.append(str(refused.value))

    assert said[0] == said[1]


def test_nobody_acts_as_the_worker(bench: Any):
    with pytest.raises(Denied, match="nobody acts as worker"):
        made(bench.root, principal=WORKER)


def test_a_token_of_a_disabled_principal_is_not_made_and_does_not_open(bench: Any):
    ann = bench.add("ann")
    secret, _ = made(ann)
    bench.root.do(DisablePrincipal(principal="ann", reason="left"))

    with pytest.raises(Unauthenticated):
        bench.gate.principal_with(secret)
    with pytest.raises(Conflict, match="would open nothing"):
        made(bench.root, label="other", principal="ann")


def test_a_token_without_an_end_takes_an_administrator(bench: Any):
    ann = bench.add("ann", "maintainer")

    with pytest.raises(Denied, match="a token that never expires needs"):
        made(ann, days=0)
    secret, token = made(bench.root, days=0)

    assert token.expires_at is None
    bench.later(days=10_000)
    assert bench.gate.principal_with(secret)[0].name == "root"


@pytest.mark.parametrize("days", [-1, 3_661, 10**9])
def test_days_have_limits(bench: Any, days: int):
    with pytest.raises(Invalid, match=f"days must be 0 to 3660, got {days}"):
        made(bench.root, days=days)


@pytest.mark.parametrize("digest", ["", "x" * 64, digest_of("a").upper(), digest_of("a")[:-1], digest_of("a") + "\n"])
def test_a_digest_is_what_sha_256_gives(bench: Any, digest: str):
    with pytest.raises(Invalid, match="digest must be the SHA-256"):
        bench.root.do(CreateToken(digest=digest, label="laptop"))


def test_a_secret_makes_one_token(bench: Any):
    secret, _ = made(bench.root)

    with pytest.raises(Conflict, match="a token with that digest was made before"):
        bench.root.do(CreateToken(digest=digest_of(secret), label="other"))


@pytest.mark.parametrize("label", ["", "  ", "x" * 101, "a\nb", "\u202elaptop"])
def test_a_label_can_be_read(bench: Any, label: str):
    with pytest.raises(Invalid, match="a token needs a label"):
        made(bench.root, label=label)


def test_a_label_is_free_again_when_its_token_is_not_valid_any_more(bench: Any):
    made(bench.root, days=1)
    with pytest.raises(Conflict, match="root has a token 'laptop' already"):
        made(bench.root)

    bench.later(days=2)
    made(bench.root)
    bench.root.do(RevokeToken(token="laptop"))
    made(bench.root)

    assert [token.state for token in bench.root.ask(ListTokens())] == [
        TokenState.EXPIRED,
        TokenState.REVOKED,
        TokenState.LIVE,
    ]


def test_a_token_is_revoked_by_label_or_id_once_and_for_good(bench: Any):
    ann = bench.add("ann")
    by_label, _ = made(ann)
    by_id, second = made(ann, label="phone")

    ann.do(RevokeToken(token="laptop", reason="lost"))
    shown = ann.do(RevokeToken(token=second.id))

    assert shown.state is TokenState.REVOKED
    for secret in (by_label, by_id):
        with pytest.raises(Unauthenticated):
            bench.gate.principal_with(secret)
    with pytest.raises(Conflict, match="revoked already"):
        ann.do(RevokeToken(token=second.id))


def test_anothers_token_is_as_absent_as_one_that_never_was(bench: Any):
    ann, bo = bench.add("ann"), bench.add("bo")
    _, token = made(ann)
    said = []
    for name in (token.id, "laptop", "tk_0", "nothing"):
        with pytest.raises(NotFound) as refused:
            bo.do(RevokeToken(token=name))
        said.append(str(refused.value))

    assert len(set(said)) == 1


def test_who_manages_access_revokes_anybodys_token_but_must_say_which(bench: Any):
    secrets = [made(bench.add(name))[0] for name in ("ann", "bo")]
    tokens = bench.root.ask(ListTokens(principal="*"))

    with pytest.raises(Invalid, match="the label 'laptop' fits tk_"):
        bench.root.do(RevokeToken(token="laptop"))
    bench.root.do(RevokeToken(token=tokens[0].id))

    with pytest.raises(Unauthenticated):
        bench.gate.principal_with(secrets[0])
    assert bench.gate.principal_with(secrets[1])[0].name == "bo"


def test_ones_own_label_comes_before_that_of_others(bench: Any):
    ann_secret, _ = made(bench.add("ann"))
    root_secret, _ = made(bench.root)

    bench.root.do(RevokeToken(token="laptop"))

    assert bench.gate.principal_with(ann_secret)[0].name == "ann"
    with pytest.raises(Unauthenticated):
        bench.gate.principal_with(root_secret)


def test_everybody_lists_their_own_tokens_and_managers_those_of_others(bench: Any):
    ann = bench.add("ann")
    made(ann)
    made(bench.root, label="server")

    assert [token.label for token in ann.ask(ListTokens())] == ["laptop"]
    assert [token.label for token in ann.ask(ListTokens(principal="ann"))] == ["laptop"]
    for others in ("root", "*", "nobody"):
        with pytest.raises(Denied):
            ann.ask(ListTokens(principal=others))
    assert [token.label for token in bench.root.ask(ListTokens(principal="ann"))] == ["laptop"]
    assert [token.principal for token in bench.root.ask(ListTokens(principal="*"))] == ["ann", "root"]


def test_a_token_for_a_run_needs_a_run_that_is_there(bench: Any):
    with pytest.raises(NotFound, match="there is no run 'run_0'"):
        made(bench.root, label="", run="run_0")
