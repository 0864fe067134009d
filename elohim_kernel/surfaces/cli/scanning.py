"""What `scan` and `engine run` share: a scan with progress that a signal stops, and the lines it ends with."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from elohim_kernel.registry import engines as registered
from elohim_kernel.runtime.repository import open_repository
from elohim_kernel.runtime.scan import Scan
from elohim_kernel.runtime.scanning import Wanted, chosen
from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.layout import counted, pairs, table, wrapped
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.cli.progress import Progress, progress
from elohim_kernel.surfaces.cli.stopping import stoppable
from elohim_kernel.surfaces.text import text
from elohim_kernel.workbench.scanning import engines, scan_as

Row = Mapping[str, Any]  # an answer as plain data: JSON, hence Any

_SEVERITIES: Final = ("critical", "high", "medium", "low", "info")
_SHOWN: Final = 15  # of each severity, on a terminal
_WORDS: Final = {"not_run": "not run", "partial": "partly"}


class Listening:
    """Hears what a scan says, and can stop it."""

    def __init__(self, told: Progress) -> None:
        self.cancelled = threading.Event()
        self._told = told

    def on_progress(self, words: str, done: int, total: int) -> None:
        """Tell it on."""
        self._told.tell("scan", words, done, total)

    def interrupt(self) -> None:
        """Let the scan end soon."""
        self.cancelled.set()


def scanned(call: Call, wanted: Wanted) -> Scan:
    """Scan with progress; the first signal ends the tools, and then this command."""
    with progress(json=call.given.json) as told:
        heard = Listening(told)
        with stoppable(heard):
            return scan_as(call.workbench, wanted, on_progress=heard.on_progress, cancelled=heard.cancelled)


def preview(call: Call, wanted: Wanted) -> None:
    """Show what a scan would look at, and which engines would run; raises `Invalid` as the scan would."""
    source = open_repository(wanted.repository)
    names = chosen(registered(), wanted.engines)
    known = {one.name: one for one in engines()}
    if wanted.base is not None:
        change = source.change(wanted.base, wanted.head or source.checked_out())
        commit, size = change.head, f"{counted(len(change.files), 'changed file')} since {change.base_name}"
    else:
        commit = source.resolve(wanted.head or source.checked_out())
        size = counted(len(source.paths(commit)), "file")
    rows = [
        {"engine": name, "runs": not known[name].why_not, "reason": known[name].why_not or known[name].label}
        for name in names
    ]
    told = {"repository": source.path, "head": commit, "size": size, "engines": rows}
    call.show(told, lambda: _previewed(told, rows))


def _previewed(told: Row, rows: Sequence[Row]) -> Iterator[str]:
    yield from pairs([("repository", told["repository"]), ("looks at", told["head"][:12]), ("size", told["size"])])
    yield ""
    yield from table(("engine", "runs", "reason"), [(row["engine"], row["runs"], row["reason"]) for row in rows])
    yield "nothing was run or recorded"


def engines_table(runs: Sequence[Row], room: int | None) -> Iterator[str]:
    """What each engine did, in plain words."""
    rows = [
        (
            run["engine"],
            _WORDS.get(run["status"], run["status"]),
            run["files"],
            f"{run['seconds']:.1f}",
            run["findings"],
            run["reason"],
        )
        for run in runs
    ]
    yield from table(("engine", "status", "files", "seconds", "findings", "reason"), rows, room=room)
    for note in dict.fromkeys(f"{run['engine']}: {note}" for run in runs for note in run["notes"]):
        yield from wrapped(note, indent="    ", room=room, first="  ! ")


def findings_page(problems: Sequence[Row], others: int, room: int | None) -> Iterator[str]:
    """The problems by severity, one row each; `others` is how many rows more are only told or settled."""
    counts = Counter(one["severity"] for one in problems)
    told = ", ".join(f"{counts[level]:,} {level}" for level in _SEVERITIES if counts[level]) or "nothing found"
    new = sum(one["new"] for one in problems)
    yield f"{painted('Findings', 'strong')}  {told}" + (f"; {new:,} new" if new else "")
    for level in _SEVERITIES:
        members = [one for one in problems if one["severity"] == level]
        shown = members if room is None else members[:_SHOWN]
        if not members:
            continue
        yield ""
        rows = [
            (level, "new" if one["new"] else one["state"], text(_place(one)), _rule(one), one["message"])
            for one in shown
        ]
        yield from table(("severity", "state", "place", "rule", "message"), rows, room=room, paint={"severity": ""})
        if len(shown) < len(members):
            yield f"… and {counted(len(members) - len(shown), 'more finding')}: add --json, or elohim findings list"
    if others:
        yield ""
        yield f"{counted(others, 'more row')} only told: notes, style, imports, silenced before, or settled"


def _place(finding: Row) -> str:
    return f"{finding['path']}:{finding['line']}" if finding["line"] else str(finding["path"])


def _rule(finding: Row) -> str:
    also = f" (+{len(finding['also_seen_by'])})" if finding["also_seen_by"] else ""
    cwe = f" CWE-{finding['cwe']}" if finding["cwe"] else ""
    return f"{finding['tool']} {finding['rule']}{cwe}{also}"
