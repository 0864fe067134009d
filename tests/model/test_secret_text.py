"""How values look."""

import base64
import string
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.secret_text import Look, is_placeholder, look, oddness


@pytest.mark.parametrize(
    "value",
    ["", "abc", "${HOME}", "changeme", "<token>", "xxxxxxxx", "password", "12345678", "1.2.3", "ann@example.org",
     "/etc/passwd", "https://example.org/a", "aaaaaaaaaaaaaaaa", "qwertyuiop", "settings.SECRET_KEY", "two words",
     "$2b$12$abcdefghijklmnopqrstuv", "server.pem", "abcabcabcabc", "pässwörtchen"],
)  # fmt: skip
def test_what_stands_for_a_secret_is_none(value):
    assert look(value, name="password") is Look.NONE


@pytest.mark.parametrize("value", ["hunter2", "opensesame", "correct-horse", "Passw0rd!", "letmein99"])
def test_what_reads_like_words_is_only_weak(value):
    assert look(value, name="login") is Look.WEAK


def test_drawn_values_are_told_from_words_19_times_of_20():
    random = Random(2)
    drawn = ["".join(random.choices(string.ascii_letters + string.digits, k=12)) for _ in range(500)]
    words = [
        "kubernetes",
        "elasticsearch",
        "development",
        "mycompanyname",
        "springboot",
        "staging-server",
        "grafana-admin",
    ]

    assert sum(look(value) >= Look.LIKELY for value in drawn) >= 475
    assert [value for value in words if look(value) >= Look.LIKELY] == []


def test_a_wrapped_word_is_as_weak_as_the_word():
    assert look(base64.b64encode(b"opensesame12").decode(), name="x") is Look.WEAK


def test_a_value_that_repeats_its_name_is_none():
    assert look("MY_SERVICE_TOKEN", name="serviceToken") is Look.NONE


@given(value=st.text(max_size=200), name=st.text(max_size=30))
def test_any_text_has_a_look(value, name):
    assert look(value, name=name) in Look
    assert is_placeholder(value) in (True, False)


@given(value=st.text(string.ascii_letters + string.digits, max_size=40))
def test_oddness_does_not_depend_on_case(value):
    assert oddness(value) == oddness(value.upper())
