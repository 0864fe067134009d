import struct

import altair as alt
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from elohim_kernel.errors import Invalid
from elohim_kernel.surfaces import plots

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[31m/gp.py"


def findings(*pairs):
    return pd.DataFrame(pairs, columns=["path", "severity"])


def title(chart):
    return chart.to_dict()["title"]["text"]


def rows(chart, layer=0):
    # `layer` counts what is drawn; equal rows are kept once by altair, next to the chart or in the layer.
    spec = chart.to_dict()
    data = spec["layer"][layer].get("data") or spec["data"]
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


def size(png):
    return struct.unpack(">II", png[16:24])


def test_severities_are_counted_worst_first_and_the_title_says_what_matters():
    chart = plots.findings_by_severity(
        findings(("a.py", "low"), ("a.py", "critical"), ("b.py", "high"), ("c.py", "low"))
    )

    assert [(row["severity"], row["findings"]) for row in rows(chart)] == [
        ("critical", 1),
        ("high", 1),
        ("medium", 0),
        ("low", 2),
        ("info", 0),
    ]
    assert title(chart) == "2 of 4 findings are high or critical"


def test_files_are_ordered_by_findings_and_the_rest_is_said_to_be_left_out():
    chart = plots.findings_by_file(
        findings(("b.py", "low"), ("a.py", "high"), ("b.py", "info"), ("c.py", "low")), top=2
    )

    assert [(row["file"], row["findings"]) for row in rows(chart, layer=1)] == [("b.py", 2), ("a.py", 1)]
    assert {(row["file"], row["severity"]) for row in rows(chart)} == {
        ("b.py", "low"),
        ("b.py", "info"),
        ("a.py", "high"),
    }
    assert title(chart) == "b.py has 2 of 4 findings"
    assert chart.to_dict()["title"]["subtitle"] == "2 of 3 files are shown"


def test_long_paths_keep_their_file_name_and_stay_different():
    deep = "packages/" + "inner/" * 12
    chart = plots.findings_by_file(findings((f"first/{deep}same.py", "low"), (f"other/{deep}same.py", "low")))

    names = [row["file"] for row in rows(chart, layer=1)]

    assert all("same.py" in name and len(name) < 50 for name in names)
    assert len(set(names)) == 2


def test_risk_is_ordered_by_weight_and_told_in_words():
    chart = plots.risk_contributions(
        [
            {"name": "files", "weight": 0.04, "text": "2 files touched"},
            {"name": "complexity", "weight": 9.5, "text": "functions gained 13 branches"},
        ],
        score=21.4,
    )

    assert [row["what"] for row in rows(chart)] == [
        "complexity: functions gained 13 branches",
        "files: 2 files touched",
    ]
    assert [row["shown"] for row in rows(chart)] == ["9.5", "< 0.1"]
    assert title(chart) == "Risk 21 of 100, above all from complexity"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_to_show_is_a_plot_that_says_so(theme):
    empty = findings()
    charts = {
        "No findings": plots.findings_by_severity(empty, theme=theme),
        "No file has findings": plots.findings_by_file(empty, theme=theme),
        "Nothing adds to the risk of this change": plots.risk_contributions([], theme=theme),
        "The risk of this change is not known": plots.risk_contributions(None, theme=theme),
    }

    for words, chart in charts.items():
        assert title(chart) == words
        assert "axis" not in str(chart.to_dict()["layer"])


def test_a_chart_of_very_many_findings_stays_small():
    many = findings(*[(f"src/module_{n % 900}.py", "low") for n in range(100_000)])

    chart = plots.findings_by_file(many)

    assert len(chart.to_json()) < 20_000


def test_charts_hold_their_rows_and_name_no_address():
    chart = plots.findings_by_file(findings((HOSTILE, "high")))

    spec = chart.to_dict()
    spec.pop("$schema")

    assert "http" not in str(spec)
    assert "\u202e" not in str(spec)
    assert "\x1b" not in str(spec)


def test_a_notebook_shows_a_picture_with_its_title_as_text():
    before = alt.renderers.active, alt.renderers.options
    plots.show_as_pictures(scale=1.5)
    try:
        shown, _ = DisplayFormatter().format(plots.findings_by_file(findings((HOSTILE, "high")), theme="dark"))
    finally:
        alt.renderers.enable(before[0], **before[1])

    assert set(shown) == {"image/png", "text/plain"}
    assert shown["text/plain"].endswith("/gp.py has 1 of 1 finding")
    assert "\x1b" not in shown["text/plain"]
    width, height = size(shown["image/png"])
    assert width > 840
    assert height > 100


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: plots.findings_by_severity(findings(("a.py", "low")), theme="sepia"), "no theme 'sepia'"),
        (lambda: plots.findings_by_file(findings(("a.py", "low")), top=0), "top is 0"),
        (lambda: plots.findings_by_severity(findings(("a.py", "awful"))), "'awful' is not a severity"),
        (lambda: plots.risk_contributions([{"name": "size", "weight": "much", "text": ""}]), "the weight of 'size'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw, complaint):
    with pytest.raises(Invalid, match=complaint):
        draw()
