from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.surfaces.cli.layout import columns_of, cut, cut_start, fitted, pairs, table, until, when, wrapped

WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=6), st.integers(40, 120))
def test_no_line_of_a_table_is_wider_than_the_room(rows: list[tuple[str, str, str]], room: int):
    lines = list(table(("one", "two", "three"), rows, room=room))

    assert all(columns_of(line) <= room for line in lines)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=8), st.integers(60, 200))
def test_columns_are_narrowed_just_enough(widths: list[int], room: int):
    sizes = fitted(widths, room)
    before, after = (sum(each) + 2 * (len(widths) - 1) for each in (widths, sizes))

    assert after == min(before, room) or max(sizes) <= 8
    assert all(0 < size <= width for size, width in zip(sizes, widths, strict=True))


def test_nothing_is_cut_when_nobody_looks():
    long = "x" * 500

    assert long in "\n".join(table(("a", "b"), [(long, 1)]))


def test_a_column_without_anything_to_say_gives_its_room_to_others_on_a_terminal():
    rows = [("EL-1", "", "Cache"), ("EL-2", None, "Index")]

    assert next(table(("item", "assignee", "title"), rows, room=80)).split() == ["ITEM", "TITLE"]
    assert next(table(("item", "assignee", "title"), rows)).split() == ["ITEM", "ASSIGNEE", "TITLE"]


def test_a_place_loses_its_beginning_rather_than_its_line():
    lines = list(table(("place", "message"), [("very/long/path/to/some/file.py:512", "m" * 60)], room=60))

    assert "file.py:512" in lines[1]


@pytest.mark.parametrize("words", ["日本語のタイトル", "e\u0301" * 9, "plain words here"])
@pytest.mark.parametrize("size", [2, 5, 8])
def test_wide_characters_are_cut_by_the_room_they_take(words: str, size: int):
    assert columns_of(cut(words, size)) <= size
    assert columns_of(cut_start(words, size)) <= size


@given(st.text(max_size=300), st.integers(40, 100))
def test_wrapping_loses_no_word(words: str, room: int):
    lines = list(wrapped(words, indent="  ", room=room))

    assert " ".join(lines).split() == "".join(" " + line for line in wrapped(words, room=10_000)).split()


def test_control_characters_of_a_cell_do_not_reach_the_terminal():
    lines = list(table(("title",), [("\x1b[31mred\nsecond",)]))

    assert lines == ["TITLE", "[31mred second"]


def test_empty_values_are_left_out_of_pairs():
    assert list(pairs([("tags", ""), ("status", "pending"), ("links", [])])) == ["status  pending"]


def test_times_are_told_as_people_tell_them():
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert [until(f"2026-11-{day}T{clock}Z", now=noon) for day, clock in ((22, "12:30:00"), (26, "12:00:00"))] == [
        "in 30 min",
        "in 4 d",
    ]
    assert until(None) == when("") == ""
