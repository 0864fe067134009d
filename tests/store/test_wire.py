import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Incompatible, Invalid, NotFound, TooLarge, Unavailable
from elohim_kernel.store.wire import (
    PROTOCOL,
    Frames,
    Hello,
    Kind,
    Reply,
    Request,
    Welcome,
    check_welcome,
    decoder,
    failure,
    frame,
    packed,
    replies,
)


@given(st.lists(st.binary(max_size=200), max_size=8), st.data())
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(bodies: list[bytes], data: st.DataObject):
    stream = b"".join(struct.pack("!I", len(body)) + body for body in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    frames = Frames()

    found = [
        body
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for body in frames.feed(stream[start:end])
    ]

    assert found == bodies


requests = st.builds(
    Request,
    id=st.integers(0, 2**60),
    kind=st.sampled_from(Kind),
    name=st.text(max_size=20),
    body=st.binary(max_size=50),
    key=st.text(max_size=20),
    attempt=st.integers(1, 99),
    look_back=st.booleans(),
    depth=st.integers(0, 9),
)


@given(requests)
def test_a_request_survives_the_wire(request: Request):
    [body] = Frames().feed(frame(request))

    assert decoder(Request)(body) == request


@given(st.binary(max_size=300))
def test_bytes_that_are_no_request_are_refused_and_never_crash(body: bytes):
    with suppress(Invalid):
        assert isinstance(decoder(Request)(body), Request)


@given(st.binary(max_size=100), st.integers(1, 40))
def test_a_body_in_pieces_is_the_body(body: bytes, piece: int):
    parts = replies(7, body, piece=piece)

    assert b"".join(part.body for part in parts) == body
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert all(len(part.body) <= piece for part in parts)


def test_an_announced_length_over_the_cap_is_refused_before_it_arrives():
    with pytest.raises(TooLarge, match="4294967295 bytes was announced; the cap is 1000"):
        Frames(1000).feed(b"\xff\xff\xff\xff")


def test_an_error_keeps_its_class_message_and_hint():
    told = decoder(Reply)(packed(failure(3, NotFound("there is no item 'x'", hint="see the list"))))

    with pytest.raises(NotFound, match="there is no item 'x'; see the list"):
        raise told.error()


def test_a_value_without_a_form_on_the_wire_is_refused():
    with pytest.raises(Invalid, match="object cannot be sent"):
        packed(object())


def test_a_greeting_from_a_later_version_with_more_fields_is_still_read():
    later = packed({"protocol": 99, "version": "9.0", "pid": 1, "colour": "blue"})

    assert decoder(Hello)(later).protocol == 99
    assert decoder(Welcome)(later).version == "9.0"


@pytest.mark.parametrize(
    ("theirs", "hint"), [(PROTOCOL - 1, "end its other clients"), (PROTOCOL + 1, "upgrade elohim_kernel here")]
)
def test_another_protocol_is_incompatible_and_says_both_versions(theirs: int, hint: str):
    welcome = Welcome(protocol=theirs, version="0.0.9", pid=77)

    with pytest.raises(Incompatible, match=f"process 77 .*0.0.9 .protocol {theirs}.*this is 0.1.0.*{hint}"):
        check_welcome(welcome, "0.1.0")


def test_an_owner_that_refuses_us_is_unavailable():
    with pytest.raises(Unavailable, match="256 clients"):
        check_welcome(Welcome(protocol=PROTOCOL, version="0.1.0", pid=1, refused="256 clients are here"), "0.1.0")
