"""Findings as pages for people: a list by severity, one finding, an explanation, what a decision would change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from elohim_kernel.surfaces.cli.item_page import place
from elohim_kernel.surfaces.cli.layout import counted, pairs, table, until, when, wrapped
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.text import text

Row = Mapping[str, Any]  # an answer as plain data: JSON, hence Any

_LEVELS: Final = ("critical", "high", "medium", "low", "info")
_ID: Final = 11  # characters of an id that are shown: enough to name one among thousands
_LINES: Final = 20


def by_severity(findings: Sequence[Row], limit: int, *, room: int | None) -> Iterator[str]:
    """A table for each severity, the worst first."""
    if not findings:
        yield "no findings: elohim scan REPO"
        return
    head = ("id", "state", "rule", "place", "priority", "seen by", "due", "message")
    for level in _LEVELS:
        part = [one for one in findings if one["severity"] == level]
        if not part:
            continue
        yield f"{painted(level, level)}  {counted(len(part), 'finding')}"
        rows = [
            (
                one["id"][:_ID],
                _state(one),
                one["rule"],
                place(one),
                f"{one['priority']:g}",
                ", ".join((one["tool"], *(name.partition(":")[0] for name in one["also_seen_by"]))),
                until(one["sla_due"]) if one["state"] in ("new", "open", "regressed") else "",
                one["message"],
            )
            for one in part
        ]
        yield from table(head, rows, room=room, paint={"state": ""})
        yield ""
    told = f"{counted(len(findings), 'finding')}; elohim findings explain ID"
    yield f"the first {told}: add --limit" if len(findings) == limit else told


def page(found: Row, *, room: int | None) -> Iterator[str]:
    """Lines about one finding."""
    finding = found["finding"]
    yield f"{painted(text(finding['severity']), finding['severity'])}  {text(finding['message'])}"
    number = f"CWE-{finding['cwe']}" if finding["cwe"] else ""
    yield from pairs(
        [
            ("id", found["id"]),
            ("place", place(finding) + (f" in {finding['symbol']}" if finding["symbol"] else "")),
            ("repository", found["repository"]),
            ("rule", f"{finding['tool']} {finding['rule']}"),
            ("kind", ", ".join(filter(None, (finding["category"], number, *finding["advisories"])))),
            ("confidence", finding["confidence"]),
            ("state", _state(found)),
            ("decided", _decided(found)),
            ("priority", f"{found['priority']:g}"),
            ("due", _due(found)),
            ("owners", ", ".join(finding["owners"])),
            ("also seen", ", ".join(found["also_seen_by"])),
            ("evidence", finding["evidence"]),
            ("silenced by", finding["suppressed"]),
            ("secret", finding["secret"]),
            ("first seen", when(found["first_seen"])),
            ("last seen", f"{when(found['last_seen'])}, {counted(found['sightings'], 'time')}"),
            ("code", finding["snippet"]),
        ]
    )
    if finding["remediation"]:
        yield from wrapped(finding["remediation"], indent="  ", room=room)


def explanation(found: Row, *, room: int | None) -> Iterator[str]:
    """Lines that explain one finding."""
    yield from page(found["details"], room=room)
    yield from _code(found["code"])
    flow = found["details"]["finding"]["related"]
    if flow:
        yield from ("", painted("Data flow" if any(one["flow"] for one in flow) else "Related", "strong"))
        yield from (text(f"  {place(one)}  {one['message']}").rstrip() for one in flow)
    yield from _identity(found, room)
    yield from ("", painted("Priority", "strong"))
    terms = [(one["name"], one["value"], f"× {one['factor']:g}") for one in found["terms"]]
    yield from table(("term", "value", "factor"), terms, room=room)
    if found["decisions"]:
        yield from ("", painted("Decisions", "strong"))
        for one in found["decisions"]:
            who = one["decided_by"] or one["asked_by"]
            words = (
                f"{when(one['asked_at'])}  {one['status']}: {one['outcome']} by {who}, {one['reason']} {one['text']}"
            )
            yield from wrapped(words, indent="      ", room=room, first="  ")
    if found["alike"]:
        yield from ("", painted("Decided before", "strong"))
        rows = [
            (f"{one['likeness']:.0%}", one["state"], one["reason"], place(one), one["text"]) for one in found["alike"]
        ]
        yield from table(("alike", "state", "reason", "place", "because"), rows, room=room)
    yield from _plan(found, room)


def decided(found: Row, outcome: str, *, room: int | None) -> Iterator[str]:
    """What a decision changed, or would change, and how to take it back."""
    rows = [
        (one["id"][:_ID], one["severity"], one["rule"], place(one), one["state"], "asked" if one["asked"] else outcome)
        for one in found["lines"][: _LINES if room else None]
    ]
    yield from table(("id", "severity", "rule", "place", "was", "becomes"), rows, room=room, paint={"severity": ""})
    more = found["matched"] - len(rows)
    if more > 0:
        yield f"… and {counted(more, 'more')}" if rows else f"{counted(more, 'finding')} fit"
    end = f"until {when(found['expires_at'])}" if found["expires_at"] else "without an end"
    words = f"{counted(found['matched'], 'finding')} fit, {found['changes']:,} become {outcome} {end}"
    yield words + (f", {found['asked']:,} wait for somebody else to confirm" if found["asked"] else "")
    if found["dry_run"]:
        yield "nothing was recorded"
    elif found["undo"]:
        yield f"to take it back: elohim findings undo {found['undo']}"
        if found["asked"]:
            yield f"somebody else: elohim findings confirm {found['undo']}"


def about(decision: Row) -> str:
    """What a decision is about, in few words."""
    parts = [decision[name] for name in ("tool", "rule", "path", "repository") if decision[name]]
    if decision["reach"] == "finding":
        return counted(decision["findings"], "finding")
    return f"{decision['reach']}: {' '.join(parts)}"


def lines_of_code(found: Row) -> list[dict[str, Any]]:
    """The code of an explained finding as plain data; empty where the repository is not here."""
    from elohim_kernel.runtime.excerpt import excerpt

    details = found["details"]
    finding = details["finding"]
    lines = excerpt(
        details["repository"],
        details["head"],
        finding["path"],
        finding["line"],
        end_line=finding["end_line"],
        private=found["private_lines"],
    )
    return [{"number": line.number, "text": line.text, "flagged": line.flagged} for line in lines]


def _state(one: Row) -> str:
    return f"{one['state']} ({one['reason'].replace('_', ' ')})" if one["reason"] else str(one["state"])


def _decided(found: Row) -> str:
    if not found["decision"]:
        return ""
    end = f"until {when(found['decided_until'])}" if found["decided_until"] else "without an end"
    return f"{end}: elohim findings undo {found['decision']}"


def _due(found: Row) -> str:
    return f"{found['sla']}, {when(found['sla_due'])}" if found["sla_due"] else ""


def _code(lines: Sequence[Row]) -> Iterator[str]:
    if lines:
        yield ""
        for line in lines:
            mark = painted(">", "high") if line["flagged"] else " "
            yield f"{mark} {line['number']:5}  {text(line['text'])}"


def _identity(found: Row, room: int | None) -> Iterator[str]:
    identity, sightings = found["identity"], found["sightings"]
    yield from ("", painted("Identity", "strong"))
    yield from pairs(
        [
            ("rule", identity["rule"]),
            ("path", identity["path"]),
            ("context", identity["context"]),
            ("identity", identity["identity"]),
            ("also known as", ", ".join(identity["aliases"])),
        ],
        indent="  ",
    )
    for one in sightings if room is None else sightings[-5:]:
        how = one["matched"] or "not compared"
        words = f"{when(one['seen_at'])}  {one['ref'] or '-'}@{one['head'][:10] or '-'} line {one['line']}: {how}"
        yield from wrapped(words, indent="      ", room=room, first="  ")
    for one in found["linked"]:
        yield text(f"  the same problem as {one['id'][:_ID]}, {one['tool']} {one['rule']} at {place(one)}")


def _plan(found: Row, room: int | None) -> Iterator[str]:
    plan = found["plan"]
    yield from ("", painted("What to do", "strong"))
    if not plan["steps"]:
        yield from wrapped(plan["summary"], indent="  ", room=room)
    for number, step in enumerate(plan["steps"], start=1):
        start = f"  {number}. "
        cited = f" [{', '.join(step['evidence'])}]" if step["evidence"] else ""
        title = f"{step['title']} ({step['risk']} risk, {step['minutes']} min){cited}"
        yield from wrapped(title, indent=" " * len(start), room=room, first=start)
        yield from wrapped(step["detail"], indent=" " * len(start), room=room)
    for risk in plan["risks"]:
        yield from wrapped(f"{risk['title']}: {risk['detail']}", indent="    ", room=room, first="  ! ")
