"""Patterns: the same answers as Python, Rust and DuckDB on the agreed subset, refusals outside it, and linear time."""

import re

import cel
import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elohim_kernel.model.guards.patterns import MAX_STEPS, pattern
from elohim_kernel.model.guards.signals import Broken

FOUND = [
    ("", "anything"),
    ("^$", ""),
    ("a|b|", "zzz"),
    ("^fix(up)?!", "fixup! tests"),
    ("(ab)*c$", "xababc"),
    ("[a-c-]+z", "b-z"),
    (r"[^\d\s]x", "Ax"),
    (r"^\w{2,3}$", "a_9"),
    (r"\.py$", "src/a.py"),
    (r"[\]\\]", "]"),
    ("a.c", "aéc"),
    (r"[\[]", "["),
    ("x{0}y", "y"),
    ("(a|ab)(c|bcd)(d*)$", "abcd"),
    ("a+?b", "aab"),
    ("(a*)*b", "b"),
    ("[^a]", "\n"),
    ("^a$|^b$", "b"),
    ("\\$\\^\\(\\)\\{\\}\\*", "$^(){}*"),
]

NOT_FOUND = [
    ("a.c", "a\nc"),
    ("b$", "ab\n"),
    ("^b", "ab"),
    ("^a{2,3}$", "aaaa"),
    (r"^\d$", "٣"),
    (r"^\w$", "é"),
    (r"^\s$", "\v"),
    ("a^b", "ab"),
    ("a$b", "ab"),
    ("(a+)+$", "a" * 40 + "b"),
]

REFUSED = [
    ("(?i)a", "no flags"),
    ("(?=a)", "looking around"),
    ("(?P<n>a)", "names"),
    (r"(a)\1", "no back-references"),
    (r"\bword", "no word boundaries"),
    (r"\pL", "is not part of the language"),
    ("(a", "not closed"),
    ("a)", "a ) without its ("),
    ("[a", "not closed"),
    ("[]a]", "written \\]"),
    ("[[:alpha:]]", "in a class"),
    ("[a&&b]", "in a class"),
    ("[z-a]", "a later one"),
    (r"[\d-z]", "a later one"),
    ("*a", "nothing to repeat"),
    ("a**", "one quantifier directly after another"),
    ("^*", "an anchor cannot be repeated"),
    ("a{", "written \\{"),
    ("a{3,2}", "the smaller first"),
    ("a{101}", "up to 100"),
    ("a]", "written \\]"),
    ("a\\", "is not part of the language"),
    ("(" * 17 + "a" + ")" * 17, "deeper than 16"),
    ("a" * 257, "256 characters"),
    ("(a{100}){4}", "too large"),
    ("((((((((){100}){100}){100}){100}){100}){100}){100}){100}", "too large"),
]


@pytest.mark.parametrize(("expression", "text"), FOUND)
def test_a_pattern_is_found(expression, text):
    assert pattern(expression).found_in(text)
    assert re.search(expression, text, re.ASCII)


@pytest.mark.parametrize(("expression", "text"), NOT_FOUND)
def test_a_pattern_is_not_found(expression, text):
    assert not pattern(expression).found_in(text)


@pytest.mark.parametrize(("expression", "message"), REFUSED)
def test_what_is_outside_the_language_is_refused_by_name(expression, message):
    with pytest.raises(Broken, match=re.escape(message)):
        pattern(expression)


def test_a_pattern_that_makes_others_run_away_takes_steps_in_proportion_to_the_text():
    hostile = pattern("^(([ab]|[ab]+)+)+c$")

    assert not hostile.found_in("ab" * 20_000)
    assert len(hostile._moves) < 10


def test_the_memory_of_a_pattern_is_bounded_whatever_the_text():
    broad = pattern("[^a]a[^b]{80}x")

    assert not broad.found_in("".join(chr(33 + (n * n) % 5000) for n in range(20_000)))
    assert len(broad._moves) <= 2_000
    assert len(broad._program) <= MAX_STEPS


atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\s", r"\.", "^", "$", "1", " ", "\\n"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("({})".format, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("({}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,}", "*?"])),
    ),
    max_leaves=8,
)
subjects = st.text(alphabet="abc1. \nAé", max_size=8)


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        yield connection


@settings(max_examples=300)
@given(patterns, subjects)
def test_memory_rust_and_duckdb_agree_on_every_pattern_of_the_subset(database, expression, text):
    mine = pattern(expression).found_in(text)

    # Rust's classes know letters and digits beyond ASCII, RE2's do not.
    assert not text.isascii() or cel.evaluate("t.matches(e)", {"t": text, "e": expression}) is mine
    assert database.execute("SELECT regexp_matches($1, $2)", [text, expression]).fetchone() == (mine,)
