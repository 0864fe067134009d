"""The words of a review report: plain text and tables for a notebook, a terminal or a mail.

What is shown comes from repositories and tools, so it is text and stays text: no markup is made or passed on, and
characters that could hide or reorder it are replaced. Functions return; they never print or display. pandas is
imported only where a notebook asks for its tables.
"""

import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.model.form import Field

if TYPE_CHECKING:
    import pandas as pd

_WIDTH: Final = 100
_HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_SILENT: Final = {
    EngineStatus.NOT_RUN: "not run",
    EngineStatus.FAILED: "failed",
    EngineStatus.PARTIAL: "partly run",
}
_COLUMNS: Final = ("severity", "rule", "path", "line", "message", "state", "tool")


class Reviewed(Protocol):
    """What a report needs to know of a work item."""

    @property
    def reference(self) -> str:
        """The number people use for it."""

    @property
    def title(self) -> str:
        """What it is about."""

    @property
    def status(self) -> str:
        """Where it is in its life."""

    @property
    def stage(self) -> str:
        """The stage it is in."""

    @property
    def data(self) -> Mapping[str, Any]:
        """What its stages have written: JSON, hence Any."""

    @property
    def form(self) -> Sequence[Field]:
        """What completing its stage asks."""


def plain(value: object) -> str:
    """One line of text in which nothing is hidden: control characters and invisible direction marks are replaced.

    >>> plain("safe\\x1b[2Jtext")
    'safe�[2Jtext'
    """
    return _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(value).replace("\r\n", " ").replace("\n", " "))


def show_tables_plainly() -> None:
    """Make this notebook's tables wide enough for messages, and never read a cell's text as a formula."""
    import pandas as pd

    # pandas escapes cells, but JupyterLab typesets what stands between dollar signs, links included.
    pd.set_option("display.html.use_mathjax", False)
    pd.set_option("display.max_colwidth", _WIDTH)
    pd.set_option("display.width", 2 * _WIDTH)


def asked(item: Reviewed) -> str:
    """Which change is reviewed, and where the item stands."""
    change = item.data.get("change") or {}
    lines = [f"{item.reference}: {plain(item.title)}", f"status {item.status}, stage {plain(item.stage)}"]
    if change:
        lines += [
            f"change {plain(change.get('base_name', ''))} → {plain(change.get('head_name', ''))}"
            f" ({str(change.get('merge_base', ''))[:10]}..{str(change.get('head', ''))[:10]})",
            f"files {change.get('files', 0)}, lines +{change.get('lines_added', 0)} −{change.get('lines_deleted', 0)}",
        ]
        if change.get("truncated"):
            lines.append(f"not everything was looked at: {plain(change['truncated'])}")
    return "\n".join(lines)


def recommendation(data: Mapping[str, Any]) -> str:
    """The advice under `agent_recommendation`, with the evidence each statement cites; says so when there is none."""
    advice = data.get("agent_recommendation")
    if not advice:
        return "No recommendation was written."
    lines = [_wrapped(f"{plain(advice.get('verdict', 'comment')).capitalize()}: {plain(advice.get('summary', ''))}")]
    for heading, parts in (("Risks", advice.get("risks", ())), ("Steps", advice.get("steps", ()))):
        if parts:
            lines += ["", heading, *[_part(number, part) for number, part in enumerate(parts, 1)]]
    cited = {name for part in (*advice.get("risks", ()), *advice.get("steps", ())) for name in part.get("evidence", ())}
    facts = [fact for fact in advice.get("evidence", ()) if fact.get("id") in cited]
    if facts:
        lines += ["", "Evidence"]
        lines += [
            _wrapped(f"[{plain(fact['id'])}] {plain(fact['source'])}: {plain(fact['text'])}", 2) for fact in facts
        ]
    return "\n".join([*lines, "", "This is advice. A person decides."])


def not_run(data: Mapping[str, Any]) -> str:
    """Every tool that did not run, failed or saw only a part, with its reason: a silent tool has not said "clean"."""
    if not data.get("agent_recommendation") and not data.get("static_analysis"):
        return "No tool has reported: nothing is known about this change yet."
    told = [plain(line) for line in (data.get("agent_recommendation") or {}).get("not_run", ())]
    for engine in (data.get("static_analysis") or {}).get("engines", ()):
        if engine.get("status") in _SILENT:
            told.append(f"{plain(engine['engine'])}: {_SILENT[engine['status']]}, because {plain(engine['reason'])}")
    unique = list(dict.fromkeys(told))
    return "\n".join(_wrapped(f"• {line}", 2) for line in unique) or "Everything that was asked for has run."


def top_findings(findings: "pd.DataFrame", *, count: int = 20) -> "pd.DataFrame":
    """The `count` findings to look at first: worst first, those on changed lines before others; numbered from 1."""
    ranked = findings.assign(
        rank=[Severity(value).rank for value in findings["severity"]],
        elsewhere=[not on for on in findings["on_changed_line"]],
    )
    ordered = ranked.sort_values(["rank", "elsewhere", "path", "line", "rule"], kind="stable").head(count)
    shown = ordered[list(_COLUMNS)].reset_index(drop=True)
    for column in ("rule", "path", "message", "tool"):
        shown[column] = [plain(value) for value in shown[column]]
    shown.index = shown.index + 1
    return shown


def decision(item: Reviewed) -> str:
    """What is asked of the reader, with the exact commands for a shell and for Python."""
    if item.status in ("completed", "cancelled", "failed"):
        return f"Nothing is asked of you: {item.reference} is {item.status}."
    reference, quoted = shlex.quote(item.reference), repr(str(item.reference))
    return "\n".join(
        [
            f"{item.reference} waits in {plain(item.stage)}. Nothing was changed in your repository.",
            "",
            "in a shell",
            f"  elohim item show {reference}",
            f"  elohim item complete {reference}{_on_line(item)} --note 'why it is good'",
            f"  elohim item back {reference} --note 'what is missing'",
            "",
            "in Python",
            "  import elohim_kernel as ek; wb = ek.open()",
            f"  wb.complete({quoted}{_in_call(item)}, note='why it is good')",
            f"  wb.send_back({quoted}, note='what is missing')",
        ]
    )


def _asked_of(item: Reviewed) -> list[tuple[str, str]]:
    """What the stage's form cannot do without, each with its first option, or an ellipsis."""
    return [(field.name, field.options[0] if field.options else "…") for field in item.form if field.required]


def _on_line(item: Reviewed) -> str:
    return "".join(f" -f {name}={shlex.quote(plain(value))}" for name, value in _asked_of(item))


def _in_call(item: Reviewed) -> str:
    return "".join(f", {name}={plain(value)!r}" for name, value in _asked_of(item))


def _part(number: int, part: Mapping[str, Any]) -> str:
    level = plain(part.get("level", part.get("risk", "")))
    minutes = f", about {part['minutes']} min" if "minutes" in part else ""
    cites = "".join(f" [{plain(name)}]" for name in part.get("evidence", ()))
    detail = f": {plain(part['detail'])}" if part.get("detail") else ""
    return _wrapped(f"{number}. {plain(part.get('title', ''))}{detail} ({level}{minutes}){cites}", 3)


def _wrapped(text: str, indent: int = 0) -> str:
    return "\n".join(textwrap.wrap(text, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False))
