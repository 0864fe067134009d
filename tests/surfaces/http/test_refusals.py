"""A decision cannot be forged from another page, by another name, in another form, or with another token."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.datastructures import Headers

from elohim_kernel import registry
from elohim_kernel.access.people import DisablePrincipal
from elohim_kernel.access.tokens import ListTokens, RevokeToken
from elohim_kernel.errors import Denied, Unauthenticated
from elohim_kernel.surfaces.http.auth import Names, bearer, is_loopback

COMMANDS = sorted(name for name, entry in registry.catalogue().commands.items() if not entry.command.internal)
JSON = {"Content-Type": "application/json"}


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds within five seconds: a request is noted in the log after it was answered."""
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def events(site: Any) -> int:
    return site.bench.gate.store.last_seq


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_is_done_by_a_request_that_another_page_can_make(site, name: str):
    path, before = f"/api/v1/commands/{name}", events(site)
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    with site.client("root") as client, site.client() as stranger:
        got = {
            "no token": stranger.post(path, json={}).status_code,
            "another origin": client.post(path, json={}, headers={"Origin": "https://evil.example"}).status_code,
            "no origin at all": client.post(path, json={}, headers={"Origin": "null"}).status_code,
            "a form": client.post(path, content=b"item=EL-1", headers=form).status_code,
            "plain text": client.post(path, content=b"{}", headers={"Content-Type": "text/plain"}).status_code,
            "no type": client.post(path, content=b"{}").status_code,
            "GET": client.get(path).status_code,
            "PUT": client.put(path, json={}).status_code,
            "DELETE": client.delete(path).status_code,
            "OPTIONS": client.options(path, headers={"Origin": "https://evil.example"}).status_code,
        }

    assert got == {
        "no token": 401,
        "another origin": 403,
        "no origin at all": 403,
        "a form": 415,
        "plain text": 415,
        "no type": 415,
        "GET": 405,
        "PUT": 405,
        "DELETE": 405,
        "OPTIONS": 405,
    }
    assert events(site) == before


def test_a_page_that_this_server_could_have_served_may_ask(site):
    with site.client("vic") as client:
        got = client.post("/api/v1/queries/who_am_i", json={}, headers={"Origin": site.url})

    assert got.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:80", 200),
        ("localhost:8765", 200),
        ("LOCALHOST.", 200),
        ("elohim.localhost", 200),
        ("[::1]:80", 200),
        ("10.0.0.7", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("localhost@evil.example", 403),
        ("evil.example#localhost", 403),
        ("", 403),
    ],
)
def test_only_names_that_cannot_be_bound_anew_are_answered(site, host: str, status: int):
    with site.client("vic") as client:
        got = client.get("/api/v1/me", headers={"Host": host})

    assert got.status_code == status


def test_a_name_the_operator_gave_is_answered():
    names = Names(("Bench.example",))

    names.check(Headers({"host": "bench.example:8765", "origin": "https://bench.example:8765"}), changes=True)

    with pytest.raises(Denied):
        names.check(Headers({"host": "bench.example:8765", "origin": "https://bench.example"}), changes=True)


@pytest.mark.parametrize("origin", ["http://localhost:80/x", "http://a@localhost:80", "ws://localhost:80", "http://["])
def test_an_origin_is_compared_part_by_part(origin: str):
    with pytest.raises(Denied):
        Names().check(Headers({"host": "localhost:80", "origin": origin}), changes=True)


def test_every_token_that_is_not_valid_gets_the_same_answer(new_site):
    site = new_site()
    bench = site.bench
    valid = bench.secrets["vic"]
    revoked, expired = bench.token("vic"), bench.token("vic")
    tokens = bench.ask("root", ListTokens(principal="vic"))
    bench.do("root", RevokeToken(token=tokens[1].id))
    bench.add("dan", "viewer")
    bench.do("root", DisablePrincipal(principal="dan", reason="left"))
    bench.gate._now = lambda: datetime.now(UTC) + timedelta(days=91)
    secrets = {"expired": expired, "unknown": "elohim_x", "disabled": bench.secrets["dan"], "revoked": revoked}

    with site.client() as client:
        got = {
            what: client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
            for what, secret in secrets.items()
        }
        bench.gate._now = lambda: datetime.now(UTC)
        opened = client.get("/api/v1/me", headers={"Authorization": f"bearer {valid}"})

    assert {answer.status_code for answer in got.values()} == {401}
    assert len({answer.content for answer in got.values()}) == 1
    assert opened.json()["name"] == "vic"


def test_a_token_in_the_address_or_a_cookie_opens_nothing(site):
    secret = site.bench.secrets["root"]

    with site.client() as client:
        got = [
            client.get("/api/v1/me", params={"access_token": secret}),
            client.get("/api/v1/me", headers={"Cookie": f"token={secret}"}),
        ]

    assert [answer.status_code for answer in got] == [401, 401]


@pytest.mark.parametrize("given", [[], ["Bearer"], ["Bearer a b"], ["Bearer a", "Bearer a"], ["Token a"], ["Bearer é"]])
def test_only_one_well_formed_token_is_taken(given: list[str]):
    headers = Headers(raw=[(b"authorization", value.encode("latin-1")) for value in given])

    with pytest.raises(Unauthenticated):
        bearer(headers)


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1/", "/api/v1/items/", "/api/v1/../healthz", "//evil.example"])
def test_an_address_where_nothing_is_says_so_as_json_and_leads_nowhere_else(site, path: str):
    got = site.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    assert got.startswith(b"HTTP/1.1 404")
    assert b'"code":"not_found"' in got
    assert b"location" not in got.lower()


def test_every_answer_tells_browsers_to_keep_their_hands_off(site):
    with site.client("vic") as client, site.client() as stranger:
        answers = [client.get("/api/v1/me"), stranger.get("/api/v1/me"), client.get("/nowhere"), client.put("/healthz")]

    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not {name for name in answer.headers if name.startswith("access-control-") or name == "set-cookie"}


def test_the_log_holds_no_secret_no_parameter_and_nothing_from_outside(site, caplog):
    secret = site.bench.secrets["vic"]

    with caplog.at_level("INFO", logger="elohim.http"), site.client("vic") as client:
        client.get("/api/v1/queries/list_items", params={"text": "kanarienvogel"})
        client.get("/api/v1/items/kanarienvogel%0aforged")
        client.get("/kanarienvogel")
        client.request("BREW", "/api/v1/me")
        assert eventually(lambda: len([each for each in caplog.records if each.name == "elohim.http"]) == 4)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("elohim")]

    assert len(lines) == 4
    assert not any("kanarienvogel" in line or secret in line or "\n" in line or "BREW" in line for line in lines)
    assert re.fullmatch(r"GET list_items 200 \d+\.\d ms", lines[0])


def test_a_defect_of_ours_is_answered_without_its_details(new_site, caplog):
    def broken() -> None:
        raise ZeroDivisionError("inner kanarienvogel")

    site = new_site(probe=broken)

    with site.client() as client:
        got = client.get("/healthz")

    assert (got.status_code, got.json()["error"]["code"]) == (500, "fault")
    assert "kanarienvogel" not in got.text
    assert eventually(lambda: "inner kanarienvogel" in caplog.text)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("bench", False),
    ],
)
def test_loopback_is_told_from_the_network(host: str, private: bool):
    assert is_loopback(host) is private
