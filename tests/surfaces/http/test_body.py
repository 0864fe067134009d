"""Bodies: capped, timed, and exactly what the command wants."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.surfaces.http.body import Limits, check_json, decoded, from_parameters
from elohim_kernel.workflows.details import CommentItem, TagItem
from elohim_kernel.workflows.inspection import ListItems
from elohim_kernel.workflows.work_items import OpenWorkItem

PATH = "/api/v1/commands/comment_item"
LIMITS = Limits()
CAP = LIMITS.body
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(plain)
def test_whatever_is_json_passes_up_to_its_depth_and_no_further(value: Any):
    text = json.dumps(value)

    check_json(text, "it", depth=depth(value))

    if depth(value):
        with pytest.raises(Invalid, match="deep"):
            check_json(text, "it", depth=depth(value) - 1)


@given(st.text(alphabet='{}[]":,\\a1 ', max_size=40))
def test_what_is_no_json_is_refused_and_never_breaks_anything(text: str):
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(Invalid):
            check_json(text, "it", depth=32)


@pytest.mark.parametrize(
    "text",
    ['{"item": "EL-1", "item": "EL-2"}', r'{"item": "EL-1", "it\u0065m": "EL-2"}', '{"item": {"a": 1, "a": 1}}'],
)
def test_a_name_given_twice_is_refused_however_it_is_spelled(text: str):
    with pytest.raises(Invalid, match="twice"):
        check_json(text, "it", depth=32)


@pytest.mark.parametrize("text", ['{"a": NaN}', "[Infinity]", "-Infinity", '{"a": 1}x', "", "\ufeff{}", "1" * 5000])
def test_what_only_some_readers_take_for_json_is_refused(text: str):
    with pytest.raises(Invalid):
        check_json(text, "it", depth=32)


@pytest.mark.parametrize(
    "bomb", ["[" * CAP, '{"a":' * (CAP // 5), '"' + "\\" * (CAP - 1), '"\\"' * (CAP // 3), "[]," * 350_000]
)
def test_a_bomb_is_refused_in_little_time(bomb: str):
    began = time.process_time()

    with pytest.raises(Invalid):
        check_json(bomb, "it", depth=32)

    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"item": 1, "text": "x"}',
        b'{"item": "EL-1", "text": "x", "colour": "red"}',
        b'{"item": "EL-1", "text": "\\ud800"}',
        b'{"item": "EL-1", "text": "\xff"}',
        '{"item": "EL-1", "text": "x"}'.encode("utf-16"),
    ],
)
def test_only_exactly_the_fields_of_the_command_are_taken(body: bytes):
    with pytest.raises(Invalid, match="comment_item"):
        decoded(CommentItem, body, LIMITS)


def test_a_right_body_becomes_the_command():
    body = b'{"workflow": "Triage", "title": "caf\\u00e9", "data": {"a": [1, {"b": null}]}, "priority": "high"}'

    command = decoded(OpenWorkItem, body, LIMITS)

    assert (command.title, command.data, command.priority.value) == ("café", {"a": [1, {"b": None}]}, "high")


def test_parameters_become_the_types_of_their_fields():
    query = from_parameters(ListItems, [("open", "true"), ("limit", "7"), ("status", "5")])
    command = from_parameters(TagItem, [("item", "EL-1"), ("add", "a"), ("add", "b")])

    assert query == ListItems(open=True, limit=7, status="5")
    assert command == TagItem(item="EL-1", add=("a", "b"))


@pytest.mark.parametrize("value", ["5", "EL-1"])
def test_a_parameter_given_twice_is_refused_even_when_both_agree(value: str):
    with pytest.raises(Invalid, match="twice"):
        from_parameters(ListItems, [("text", value), ("text", value)])


def test_a_body_up_to_the_cap_is_read_and_one_over_it_is_not(site):
    fitting = json.dumps({"item": "EL-1", "text": ""}).encode()

    with site.client("root") as client:
        headers = {"Content-Type": "application/json"}
        at_cap = client.post(PATH, content=fitting + b" " * (CAP - len(fitting)), headers=headers)
        over = client.post(PATH, content=b" " * (CAP + 1), headers=headers)
        streamed = client.post(PATH, content=iter([b" " * 65_536] * 17), headers=headers)

    assert at_cap.status_code == 422
    assert "comment_item" not in at_cap.json()["error"]["message"]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in (over, streamed)] == [
        (413, "too_large"),
        (413, "too_large"),
    ]


def head(site: Any, length: int) -> bytes:
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {site.bench.secrets['root']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def test_a_body_that_dawdles_is_not_waited_for(hasty):
    began = time.monotonic()

    got = hasty.raw(head(hasty, 100) + b'{"item":')

    assert got.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in got.lower()
    assert time.monotonic() - began < 5


def test_a_body_far_over_the_cap_is_not_read_to_its_end(site):
    with site.client() as client:
        got = site.raw(head(site, 10**12) + b" " * (17 * CAP))
        after = client.get("/healthz")

    assert got.startswith(b"HTTP/1.1 413") or got == b""
    assert after.status_code == 200


@pytest.mark.parametrize("start", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_request_that_never_announces_itself_is_hung_up_on(hasty, start: bytes):
    began = time.monotonic()

    got = hasty.raw(start)

    assert got == b""
    assert time.monotonic() - began < 5


def test_a_line_that_stays_open_serves_one_request_after_another(hasty):
    with hasty.client("vic") as client:
        answers = []
        for _ in range(3):
            answers.append(client.get("/api/v1/me").status_code)
            time.sleep(0.3)  # longer than the head of a request may take, so that the wait must begin anew

    assert answers == [200, 200, 200]
