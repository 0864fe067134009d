"""Answers: what they hold, what they become, and that text in them stays text."""

import json
from html.parser import HTMLParser

import duckdb
import pyarrow as pa
import pytest

from elohim_kernel.store.result import SHOWN_ROWS, Result


def result(sql: str) -> Result:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        return Result(connection.sql(sql).to_arrow_table())


class Tags(HTMLParser):
    """Collects tags and attributes as a browser would see them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_rows_are_what_json_can_hold():
    rows = result(
        "select timestamptz '2026-11-22 10:00:00+00' as moment, date '2026-11-22' as day, time '10:00' as hour,"
        " interval '1 day 90 seconds' as span, 1.5 as price, sum(range) as total, {'a': [1, 2]} as nested,"
        " map {'k': 1} as pairs, '\\xC3\\xA9'::blob as bytes, 'nan'::double as nothing, null as none, true as yes,"
        " uuid '00000000-0000-0000-0000-000000000001' as id, 'a'::enum('a') as choice from range(4)"
    ).rows()

    assert json.loads(json.dumps(rows)) == [
        {
            "moment": "2026-11-22T10:00:00+00:00",
            "day": "2026-11-22",
            "span": "P0M1DT90S",
            "price": 1.5,
            "total": 6,
            "nested": {"a": [1, 2]},
            "pairs": {"k": 1},
            "bytes": "c3a9",
            "nothing": None,
            "none": None,
            "id": "00000000-0000-0000-0000-000000000001",
            "hour": "10:00:00",
            "choice": "a",
            "yes": True,
        }
    ]


def test_sums_are_integers_where_they_fit_and_floats_where_they_do_not():
    table = result("select sum(range) as small, sum(9223372036854775807::hugeint * 4) as large from range(3)").arrow()

    assert [str(field.type) for field in table.schema] == ["int64", "double"]
    assert table["small"].to_pylist() == [3]


def test_a_dataframe_has_the_columns_and_numbers_as_numbers():
    frame = result("select 'a' as name, 1.25 as price, now() as moment").df()

    assert list(frame.columns) == ["name", "price", "moment"]
    assert frame["price"].dtype == "float64"


def test_columns_of_one_name_are_told_apart():
    assert result("select 1 as a, 2 as a, 3 as a_2").rows() == [{"a": 1, "a_2": 2, "a_2_2": 3}]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select 1 as a, 2 as b", "<1 row: a, b>"),
        ("select * from range(1500) as t(n)", "<1,500 rows: n>"),
        ("select 1 as a, 2 as b, 3 as c, 4 as d, 5 as e, 6 as f, 7 as g", "<1 row: a, b, c, d, e, f, …>"),
    ],
)
def test_the_short_form_is_one_line(sql: str, words: str):
    assert repr(result(sql)) == words


def test_text_from_outside_becomes_no_markup():
    payload = "<script>alert(1)</script><img src=x onerror=alert(1)>\" onclick='x' data-commandlinker-command=y"
    table = pa.table({payload: [payload], "b": ["</td></table><iframe src=javascript:x>"]})

    seen = Tags(Result(table, cut=1)._repr_html_())

    assert seen.tags == {"table", "thead", "tbody", "tr", "th", "td", "div"}
    assert seen.attributes == {"style"}


def test_control_characters_and_marks_of_direction_are_written_out():
    table = pa.table({"na\x1b[2Jme": ["a\x1b]0;x\x07\nb\u202ec"]})

    for shown in (str(Result(table)), Result(table)._repr_html_(), repr(Result(table))):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "a\\x1b]0;x\\x07\\nb\\u202ec" in str(Result(table))


def test_long_results_are_shortened_and_say_so():
    table = pa.table({"n": range(SHOWN_ROWS + 5), "text": ["y" * 500] * (SHOWN_ROWS + 5)})

    shown = Result(table, cut=25)

    assert str(shown).count("\n") < SHOWN_ROWS + 6
    assert f"25 rows, the first {SHOWN_ROWS} shown" in str(shown)
    assert "only the first 25 rows" in shown._repr_html_()
    assert max(map(len, str(shown).splitlines())) < 100


def test_a_result_without_rows_still_shows_its_columns():
    empty = result("select 1 as a, 2 as b where false")

    assert (empty.rows(), empty.columns, len(empty)) == ([], ["a", "b"], 0)
    assert str(empty).splitlines() == ["a  b", "-  -", "0 rows"]
