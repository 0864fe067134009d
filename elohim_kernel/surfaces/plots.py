"""Plots of findings and risk, for playbooks and panels. Functions return charts; nothing is shown unasked.

`show_as_pictures` makes notebooks show a chart as a PNG drawn on this machine. Altair's own renderer loads its scripts
from the network, JupyterLab does not draw Vega-Lite 6 by itself, and SVG is only drawn in trusted notebooks and could
carry markup; a picture shows everywhere, saved copies included, and holds nothing but pixels.

Colours are Okabe and Ito's, told apart by colour-blind people too, and no plot says anything by colour alone. Rows are
counted here, not in the chart, so a chart is as small with a million findings as with ten. vl_convert draws, and is
imported when the first picture is wanted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import altair as alt

from elohim_kernel.errors import Invalid
from elohim_kernel.model.finding import Severity
from elohim_kernel.surfaces.report import plain

if TYPE_CHECKING:
    import pandas as pd

_COLOURS: Final = {
    Severity.CRITICAL: "#D55E00",
    Severity.HIGH: "#E69F00",
    Severity.MEDIUM: "#56B4E9",
    Severity.LOW: "#009E73",
    Severity.INFO: "#999999",
}
_BAR: Final = "#0072B2"
_THEMES: Final = {
    "light": {"background": "#FFFFFF", "text": "#1F2328", "quiet": "#59636E", "line": "#D1D9E0"},
    "dark": {"background": "#15191E", "text": "#E6EDF3", "quiet": "#9DA7B1", "line": "#3D444D"},
}
_WIDTH: Final = 560
_FONT: Final = "sans-serif"


def show_as_pictures(*, scale: float = 2.0) -> None:
    """Make this notebook show every chart as a PNG, `scale` pixels to a point, with its title as text beside it."""
    alt.renderers.register("elohim_picture", _picture)
    alt.renderers.enable("elohim_picture", scale=scale)


def findings_by_severity(findings: "pd.DataFrame", *, theme: str = "light") -> alt.LayerChart:
    """How many findings of each severity, worst first; needs the column `severity`. No findings are a plot too.

    Raises `Invalid` for a theme other than `light` and `dark`.
    """
    counts = Counter(_severity(value) for value in findings["severity"])
    total = counts.total()
    if not total:
        return _nothing("No findings", theme)
    rows = [{"severity": str(each), "findings": counts[each], "shown": f"{counts[each]:,}"} for each in Severity]
    worst = counts[Severity.CRITICAL] + counts[Severity.HIGH]
    title = f"{worst:,} of {_findings(total)} {'is' if worst == 1 else 'are'} high or critical"
    plot = _chart_of(rows).encode(
        y=alt.Y("severity:N", sort=[str(each) for each in Severity], title=None),
        x=alt.X("findings:Q", title="findings", axis=_counting_axis(max(counts.values()))),
    )
    bars = plot.mark_bar(height=20).encode(color=_severity_colours(legend=None))
    return _dressed((bars, _labels(plot, theme)), title, theme, height=32 * len(rows))


def findings_by_file(findings: "pd.DataFrame", *, top: int = 15, theme: str = "light") -> alt.LayerChart:
    """The `top` files with the most findings, stacked by severity; needs the columns `path` and `severity`.

    Long paths lose their beginning, never their file name. Raises `Invalid` for an unknown theme or `top` below 1.
    """
    if top < 1:
        raise Invalid(f"top is {top}; at least one file must be shown")
    pairs = Counter(
        (str(path), _severity(severity)) for path, severity in zip(findings["path"], findings["severity"], strict=True)
    )
    totals: Counter[str] = Counter()
    for (path, _), count in pairs.items():
        totals[path] += count
    if not totals:
        return _nothing("No file has findings", theme)
    files = sorted(totals, key=lambda path: (-totals[path], path))
    names = _short_names(files[:top])
    rows = [
        {"file": names[path], "severity": str(severity), "rank": severity.rank, "findings": count}
        for (path, severity), count in pairs.items()
        if path in names
    ]
    ends = [{"file": name, "findings": totals[path], "shown": f"{totals[path]:,}"} for path, name in names.items()]
    y = alt.Y("file:N", sort=list(names.values()), title=None, axis=alt.Axis(labelLimit=340))
    x = alt.X("findings:Q", title="findings", axis=_counting_axis(totals[files[0]]))
    colours = _severity_colours(legend=alt.Legend(title=None, orient="top"))
    bars = _chart_of(rows).mark_bar(height=16).encode(y=y, x=x, color=colours, order=alt.Order("rank:Q"))
    labels = _labels(_chart_of(ends).encode(y=y, x=x), theme)
    first = f"{names[files[0]]} has {totals[files[0]]:,} of {_findings(totals.total())}"
    more = len(files) - len(names)
    subtitle = f"{len(names)} of {len(files):,} files are shown" if more else ""
    return _dressed((bars, labels), first, theme, height=26 * len(names), subtitle=subtitle)


def risk_contributions(
    contributions: Sequence[Mapping[str, object]] | None, *, score: float | None = None, theme: str = "light"
) -> alt.LayerChart:
    """What makes a change risky, heaviest first: each contribution has `name`, `weight` in points and `text`.

    None means that nobody computed them, which is not the same as none. `score` is the whole risk in points of 100,
    which the contributions need not add up to; None leaves it out. Raises `Invalid` for an unknown theme or a weight
    that is not a number.
    """
    if contributions is None:
        return _nothing("The risk of this change is not known", theme, says="it was not computed")
    weighed = sorted(((_weight(each), each) for each in contributions), key=lambda pair: -pair[0])
    if not weighed or weighed[0][0] <= 0:
        return _nothing("Nothing adds to the risk of this change", theme)
    rows = [
        {"place": place, "weight": weight, "shown": f"{weight:.1f}" if weight >= 0.1 else "< 0.1", "what": _said(each)}
        for place, (weight, each) in enumerate(weighed)
    ]
    name = plain(weighed[0][1].get("name", ""))
    title = ("Risk comes" if score is None else f"Risk {score:.0f} of 100,") + f" above all from {name}"
    plot = _chart_of(rows).encode(
        y=alt.Y("place:O", axis=None),
        x=alt.X("weight:Q", title="points", axis=alt.Axis(tickCount=5, format="~g", grid=False)),
    )
    colours = _theme(theme)
    bars = plot.mark_bar(height=12, yOffset=11, color=_BAR)
    names = plot.mark_text(align="left", dy=-8, limit=_WIDTH, color=colours["text"], fontSize=12)
    weights = _labels(plot, theme, dy=11)
    words = names.encode(x=alt.value(0), text="what:N")
    return _dressed((bars, words, weights), title, theme, height=46 * len(rows))


def _picture(spec: dict[str, Any], *, scale: float = 2.0, **_: object) -> dict[str, Any]:  # Altair's renderer protocol
    import vl_convert

    title = spec.get("title", "")
    words = title.get("text", "") if isinstance(title, dict) else title
    # An empty list of addresses: a chart that names one is refused instead of fetched.
    png = vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[])
    return {"image/png": png, "text/plain": plain(words if isinstance(words, str) else " ".join(words))}


def _theme(name: str) -> dict[str, str]:
    if name not in _THEMES:
        raise Invalid(f"there is no theme {name!r}; there are {' and '.join(_THEMES)}")
    return _THEMES[name]


def _dressed(
    layers: tuple[alt.Chart, ...], title: str, theme: str, *, height: int, subtitle: str = ""
) -> alt.LayerChart:
    colours = _theme(theme)
    axis = {"labelColor": colours["text"], "titleColor": colours["quiet"], "domainColor": colours["line"]}
    dressed = (
        alt.layer(*layers)
        .properties(width=_WIDTH, height=height, padding=16, background=colours["background"])
        .properties(title=alt.TitleParams(_cut(title, 90), subtitle=subtitle, anchor="start", offset=12))
        .configure(font=_FONT)
        .configure_view(stroke=None)
        .configure_axis(**axis, gridColor=colours["line"], gridOpacity=0.6, tickColor=colours["line"], labelFontSize=12)
        .configure_axisY(grid=False, ticks=False, domain=False, labelPadding=8)
        .configure_title(color=colours["text"], subtitleColor=colours["quiet"], fontSize=15, subtitleFontSize=12)
        .configure_legend(labelColor=colours["text"], labelFontSize=12, symbolType="square")
    )
    assert isinstance(dressed, alt.LayerChart)
    return dressed


def _chart_of(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def _nothing(words: str, theme: str, *, says: str = "0 recorded") -> alt.LayerChart:
    """An honest empty plot: a heading and a line of text, no axes that suggest something is missing."""
    colours = _theme(theme)
    line = _chart_of([{"says": says}]).mark_text(align="left", fontSize=13, color=colours["quiet"])
    return _dressed((line.encode(x=alt.value(0), y=alt.value(6), text="says:N"),), words, theme, height=16)


def _labels(plot: alt.Chart, theme: str, *, dy: int = 0) -> alt.Chart:
    label = plot.mark_text(align="left", dx=5, dy=dy, fontSize=12, color=_theme(theme)["text"])
    assert isinstance(label, alt.Chart)
    return label.encode(text="shown:N")


def _counting_axis(largest: int) -> alt.Axis:
    """Ticks on whole numbers only: half a finding does not exist."""
    return alt.Axis(tickMinStep=1, tickCount=min(largest, 6), format=",d")


def _severity_colours(*, legend: alt.Legend | None) -> alt.Color:
    scale = alt.Scale(domain=[str(each) for each in Severity], range=[_COLOURS[each] for each in Severity])
    return alt.Color("severity:N", scale=scale, legend=legend)


def _severity(value: object) -> Severity:
    try:
        return Severity(str(value))
    except ValueError:
        raise Invalid(f"{str(value)[:40]!r} is not a severity; known: {', '.join(Severity)}") from None


def _weight(contribution: Mapping[str, object]) -> float:
    weight = contribution.get("weight")
    if not isinstance(weight, int | float) or isinstance(weight, bool):
        raise Invalid(f"the weight of {contribution.get('name')!r} is {weight!r}, not a number")
    return max(0.0, float(weight))


def _said(contribution: Mapping[str, object]) -> str:
    name, text = plain(contribution.get("name", "")), plain(contribution.get("text", ""))
    return f"{name}: {text}" if text else name


def _findings(count: int) -> str:
    return f"{count:,} finding{'' if count == 1 else 's'}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _short_names(paths: Sequence[str], width: int = 44) -> dict[str, str]:
    """Paths that fit a label, different from each other; the end of a path tells more than its beginning."""
    short = {path: name if len(name := plain(path)) <= width else "…" + name[1 - width :] for path in paths}
    twins = {name for name, count in Counter(short.values()).items() if count > 1}
    return {path: f"{name} ({place})" if name in twins else name for place, (path, name) in enumerate(short.items(), 1)}
