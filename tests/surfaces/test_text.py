import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.surfaces.text import cell, text

HOSTILE = [
    "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;file:///etc/passwd\x07click\x1b]8;;\x07", "a\rb", "a\x08b", "\x9b31m",
    "\x1bPq\x1b\\", "\x00", "\x7f", "x\x85y", "\u202eexe.gpj", "\u2066left\u2069", "\u200fright", "a\u200bb",
    "\ufeffbom", "\U000e0041tag", "\u2028line", "shy\u00adphen", "\x1b[8mhidden\x1b[0m", "tab\there",
]  # fmt: skip
ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_a_line_acts_on_a_terminal(hostile: str):
    assert not ACTING.search(text(hostile))


@given(st.text())
def test_whatever_the_text_one_line_of_it_is_safe_and_can_be_written(anything: str):
    told = text(anything)

    assert not ACTING.search(told)
    assert told.encode().decode() == told


@given(st.text(st.characters(blacklist_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Lo"))))
def test_what_is_harmless_stays_as_it_is(harmless: str):
    assert text(harmless) == harmless


@given(st.text())
def test_showing_twice_changes_nothing_more(anything: str):
    assert text(text(anything)) == text(anything)


def test_direction_marks_are_spelled_out_so_that_a_reader_sees_them():
    assert text("if admin\u202e \u2066# ok\u2069") == "if admin<U+202E> <U+2066># ok<U+2069>"


def test_lines_stay_lines_only_where_they_were_asked_for():
    assert text("one\n\ttwo\r\n") == "one two "
    assert text("one\n\ttwo\r\n", lines=True) == "one\n\ttwo\n"


def test_words_that_need_a_joiner_keep_it():
    persian, family = "می‌خواهم", "👩‍👧"

    assert (text(persian), text(family)) == (persian, family)
    assert text("pay\u200dpal") == "pay<U+200D>pal"


def test_other_scripts_and_accents_are_left_alone():
    for word in ("Grüße", "naïve", "日本語", "Ελλάδα", unicodedata.normalize("NFD", "é")):
        assert text(word) == word


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "  =1", "=HYPERLINK(1)"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_cell_never_begins_a_formula(formula: str):
    assert cell(formula).startswith("'")


@pytest.mark.parametrize("number", ["-2", "+3.5", "1e-9", "-.5"])
def test_numbers_stay_numbers(number: str):
    assert cell(number) == number
    assert cell(float(number)) == str(float(number))


@given(st.text())
def test_no_text_becomes_a_formula_and_none_is_lost(anything: str):
    told = cell(anything)

    assert told.removeprefix("'") == anything or told == anything
    assert not told.lstrip(" ").startswith(("=", "@", "\t", "\r", "\n", "\0"))
