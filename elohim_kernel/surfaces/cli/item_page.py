"""An item as a page for people: where it stands, what was found, what is advised, what can be done next."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from elohim_kernel.surfaces.cli.form import options, questions
from elohim_kernel.surfaces.cli.layout import counted, pairs, table, until, when, wrapped
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.text import text

Item = Mapping[str, Any]  # an answer as plain data: JSON, hence Any

_SETTLED: Final = ("fixed", "dismissed", "accepted")
_SHORT: Final = 12  # findings shown before the rest is counted only


def page(item: Item, stage: Item, *, room: int | None) -> Iterator[str]:
    """Lines about one item; `stage` is the definition of the stage it is in, empty when it is in none."""
    yield f"{painted(text(item['reference']), 'strong')}  {text(item['title'])}"
    yield from _standing(item)
    advice = item["recommendation"]
    if advice:
        yield from _advice(advice, room)
    yield from _findings(item["findings"], room)
    yield from _people(item, room)
    yield from _history(item["history"], room)
    yield from _next(item, stage)


def verdict(advice: Item) -> str:
    """The verdict in one word or two."""
    return text(advice["verdict"])


def severities(findings: Sequence[Item]) -> str:
    """How many findings there are of each severity, the worst first.

    >>> severities([{"severity": "low"}, {"severity": "high"}, {"severity": "low"}])
    '1 high, 2 low'
    """
    order = ("critical", "high", "medium", "low", "info")
    counts = [(name, sum(one["severity"] == name for one in findings)) for name in order]
    return ", ".join(f"{number:,} {name}" for name, number in counts if number) or "none"


def live(findings: Sequence[Item]) -> list[Item]:
    """Findings that nobody has settled yet, those on changed lines first, the worst first."""
    order = ("critical", "high", "medium", "low", "info")
    kept = [one for one in findings if one["state"] not in _SETTLED]
    return sorted(
        kept, key=lambda one: (not one["on_changed_line"], order.index(one["severity"]), one["path"], one["line"])
    )


def place(finding: Item) -> str:
    """Where a finding is: `path:line`, or the path for a whole file."""
    return f"{finding['path']}:{finding['line']}" if finding["line"] else str(finding["path"])


def findings_table(findings: Sequence[Item], room: int | None) -> Iterator[str]:
    """A table of findings."""
    rows = [(one["severity"], one["rule"], place(one), one["state"], one["message"]) for one in findings]
    paint = {"severity": "", "state": ""}
    yield from table(("severity", "rule", "place", "state", "message"), rows, room=room, paint=paint)


def _standing(item: Item) -> Iterator[str]:
    due = until(item["sla_due"])
    status = item["status"].replace("_", " ")
    yield from pairs(
        [
            ("stage", f"{item['stage']} ({item['stage_type']}), {status}" if item["stage"] else status),
            ("workflow", f"{item['workflow']}, revision {item['revision']}, {item['visibility']}"),
            ("priority", item["priority"]),
            ("assignee", item["assignee"] or "nobody"),
            ("due", f"{due}, {when(item['sla_due'])}" if due else ""),
            ("opened", f"{when(item['opened_at'])} by {item['opened_by']}"),
            ("tags", ", ".join(item["tags"])),
            ("resolution", item["resolution"]),
        ]
    )


def _advice(advice: Item, room: int | None) -> Iterator[str]:
    yield ""
    yield painted(f"Advice: {verdict(advice)}", "strong")
    yield from wrapped(advice["summary"], indent="  ", room=room)
    if advice["steps"]:
        yield ""
        for number, step in enumerate(advice["steps"], start=1):
            start = f"  {number:2}. "
            title = f"{step['title']} ({step['risk']} risk, {step['minutes']} min)"
            yield from wrapped(title, indent=" " * len(start), room=room, first=start)
            yield from wrapped(step["detail"], indent=" " * len(start), room=room)
    if advice["risks"]:
        yield ""
        for risk in advice["risks"]:
            words = f"{risk['title']}: {risk['detail']}" if risk["detail"] else risk["title"]
            yield from wrapped(f"{words} ({risk['level']})", indent="    ", room=room, first="  ! ")
    for missing in advice["not_run"]:
        yield from wrapped(missing, indent="    ", room=room, first="  ? ")


def _findings(findings: Sequence[Item], room: int | None) -> Iterator[str]:
    there = live(findings)
    settled = len(findings) - len(there)
    if not findings:
        return
    changed = sum(one["on_changed_line"] for one in there)
    yield ""
    told = f"{severities(there)}; {changed} on changed lines" + (f"; {settled} settled" if settled else "")
    yield f"{painted('Findings', 'strong')}  {told}"
    shown = there if room is None else there[:_SHORT]
    yield from findings_table(shown, room)
    if len(shown) < len(there):
        yield f"… and {counted(len(there) - len(shown), 'more finding')}: add --json, or ask with elohim sql"


def _people(item: Item, room: int | None) -> Iterator[str]:
    if item["approvals"]:
        yield ""
        yield painted("Approvals", "strong")
        for one in item["approvals"]:
            votes = "; ".join(_vote(vote) for vote in one["votes"]) or "no vote yet"
            yield text(f"  {one['id']}  {one['status']}, needs {one['need']}: {votes}")
            if one["status"] == "open":
                yield text(f"    shown: {one['digest']}")
    if item["links"] or item["attachments"]:
        yield ""
        for link in item["links"]:
            yield text(f"  {link['kind']} {link['target']} {link['title']}").rstrip()
        for attached in item["attachments"]:
            yield text(f"  attached {attached['name']}, {attached['size']:,} bytes: {attached['location']}")
    if item["comments"]:
        yield ""
        yield painted("Comments", "strong")
        for said in item["comments"]:
            yield from wrapped(
                f"{when(said['when'])} {said['by']}: {said['text']}", indent="    ", room=room, first="  "
            )


def _vote(vote: Item) -> str:
    comment = f" “{vote['comment']}”" if vote["comment"] else ""
    return f"{vote['decision']} by {vote['by']}{comment}"


def _history(history: Sequence[Item], room: int | None) -> Iterator[str]:
    yield ""
    yield painted("History", "strong")
    for move in history:
        way = f"{move['from']} → {move['to']}" if move["from"] else move["to"]
        words = f"{when(move['when'])}  {move['by']}: {way}" + (f", {move['note']}" if move["note"] else "")
        yield from wrapped(words, indent="      ", room=room, first="  ")


def _next(item: Item, stage: Item) -> Iterator[str]:
    calls = next_calls(item, stage)
    if calls:
        yield ""
        yield painted("Next", "strong")
        yield from (f"  {call}" for call in calls)
        asks = form_of(item, stage)
        if asks:
            yield f"  {painted(asks, 'faint')}"


def form_of(item: Item, stage: Item) -> str:
    """What the form asks that completing the item's stage takes; "" when it takes none."""
    waits = item["stage_type"] == "HUMAN" and item["status"] not in ("completed", "cancelled", "failed")
    return text(questions(stage.get("form", []))) if waits else ""


def next_calls(item: Item, stage: Item) -> list[str]:
    """What one may type next for this item; nothing when it is finished."""
    reference = text(item["reference"])
    if item["status"] in ("completed", "cancelled"):
        return []
    if item["status"] == "failed":
        return [f"elohim item retry {reference}", f'elohim item cancel {reference} --note "…"']
    if any(one["status"] == "open" for one in item["approvals"]):
        return [f'elohim item approve {reference} --note "…"', f'elohim item reject {reference} --note "…"']
    if item["stage_type"] not in ("HUMAN", "APPROVAL") and item["status"] != "waiting":
        return [f"elohim work --once --item {reference}"]
    answers = text(options(stage.get("form", [])))
    claim = [f"elohim item claim {reference}"] if item["status"] == "pending" else []
    complete = " ".join(filter(None, [f"elohim item complete {reference}", answers, '--note "…"']))
    return [*claim, complete, f'elohim item back {reference} --note "…"']
