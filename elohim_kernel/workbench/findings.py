"""Findings from Python: `wb.findings(severity="high")`, `wb.findings.explain(id)`, `wb.findings.decide(...)`.

What is shown is text from repositories and tools: every cell is escaped. pandas is loaded when a DataFrame is asked
for.
"""

import html
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Protocol, overload

import pyarrow as pa

from elohim_kernel.findings.decisions import DecideFindings, DecisionMade
from elohim_kernel.findings.explaining import ExplainFinding, Explanation
from elohim_kernel.findings.listing import (
    FindingCount,
    FindingDetails,
    FindingFilter,
    FindingStats,
    FindingSummary,
    GetFinding,
    Group,
    ListFindings,
)
from elohim_kernel.findings.ratchet import GetRatchet, Ratchet, SetRatchet
from elohim_kernel.findings.settling import (
    ConfirmDecision,
    DecisionSettled,
    DecisionSummary,
    ListDecisions,
    RefuseDecision,
    UndoDecision,
)
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.decision import Outcome, Reach
from elohim_kernel.model.value import convert, plain
from elohim_kernel.runtime.excerpt import CodeLine, excerpt
from elohim_kernel.store.result import Result, visible

if TYPE_CHECKING:
    from pandas import DataFrame

_SHOWN: Final = 200  # of each severity, in a notebook
_CELL: Final = "text-align:left;padding:2px 8px;border-bottom:1px solid rgba(128,128,128,.35);vertical-align:top"
_HEADS: Final = ("priority", "state", "rule", "place", "message", "seen by", "owners", "id")


class Door(Protocol):
    """What is needed of a workbench."""

    def do(self, command: Command, *, key: str = "") -> Any:
        """Do a command; of several types, hence `Any`."""

    def ask(self, query: Query) -> Any:
        """Answer a query."""


class FindingList(Sequence[FindingSummary]):
    """Findings in their order. `.df()` gives them as a DataFrame; a notebook shows them by severity."""

    def __init__(self, findings: Sequence[FindingSummary]) -> None:
        self._findings = tuple(findings)

    @overload
    def __getitem__(self, place: int) -> FindingSummary: ...
    @overload
    def __getitem__(self, place: slice) -> "FindingList": ...
    def __getitem__(self, place: int | slice) -> "FindingSummary | FindingList":
        return FindingList(self._findings[place]) if isinstance(place, slice) else self._findings[place]

    def __len__(self) -> int:
        return len(self._findings)

    def __iter__(self) -> Iterator[FindingSummary]:
        return iter(self._findings)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(part):,} {name}" for name, part in self.by_severity())
        return f"<{len(self):,} finding{'' if len(self) == 1 else 's'}{f': {counts}' if counts else ''}>"

    def by_severity(self) -> list[tuple[str, tuple[FindingSummary, ...]]]:
        """The findings of each severity there is, the worst severity first, each part in its order."""
        ordered = sorted(self._findings, key=lambda one: one.severity.rank)
        return [(name.value, tuple(part)) for name, part in groupby(ordered, key=lambda one: one.severity)]

    def rows(self) -> list[dict[str, Any]]:
        """The findings as dicts of what JSON can hold, hence `Any`."""
        return [plain(each) for each in self._findings]

    def df(self) -> "DataFrame":
        """The findings as a pandas DataFrame. Raises `Unavailable` where pandas is not installed."""
        return Result(_table(self._findings)).df()

    def _repr_html_(self) -> str:
        parts = (
            f"<details{' open' if place == 0 else ''}><summary>{len(part):,} {html.escape(name)}</summary>"
            f"{_html_of(part)}</details>"
            for place, (name, part) in enumerate(self.by_severity())
        )
        return "".join(parts) or "<div>no findings</div>"


class Explained:
    """An explanation with the code it is about, where the repository is at hand; empty `code` says that it is not."""

    def __init__(self, explanation: Explanation, code: tuple[CodeLine, ...]) -> None:
        self.explanation = explanation
        self.code = code

    def __repr__(self) -> str:
        found = self.explanation.details
        what = visible(f"{found.finding.rule}: {_place(found)}")
        return f"<{found.id[:11]} {found.finding.severity.value} {what}>"

    def __str__(self) -> str:
        found = self.explanation.details
        lines = [f"{visible(_place(found))}: {visible(found.finding.message)}"]
        lines += [f"{'>' if line.flagged else ' '} {line.number:5} {visible(line.text)}" for line in self.code]
        product = " × ".join(f"{term.name} {term.factor:g}" for term in self.explanation.terms)
        lines += [f"priority {found.priority:g} = {product}", *_plan_lines(self.explanation)]
        return "\n".join(lines)


class Findings:
    """The desk for findings of one workbench; called, it lists.

    >>> from elohim_kernel.workbench import open
    >>> with open(":memory:") as wb:
    ...     wb.findings(severity="high")
    <0 findings>
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def __repr__(self) -> str:
        return "<findings: (), get, explain, decide, undo, confirm, refuse, decisions, stats, ratchet>"

    def __call__(self, **filters: object) -> FindingList:
        """The findings that fit, most urgent first; see `ListFindings` for the filters."""
        return FindingList(self._door.ask(convert(filters, ListFindings, what="findings")))

    list = __call__

    def get(self, finding: str) -> FindingDetails:
        """One finding, by its id or the beginning of it."""
        found: FindingDetails = self._door.ask(GetFinding(finding=finding))
        return found

    def explain(self, finding: str) -> Explained:
        """Why it is this one, why it stands where it stands, what was decided, and what to do."""
        found: Explanation = self._door.ask(ExplainFinding(finding=finding))
        return Explained(found, code_of(found))

    def decide(
        self,
        *findings: str,
        outcome: str,
        reason: str,
        text: str = "",
        reach: str = "finding",
        workflow: str = "",
        expires_days: int = 0,
        expires_at: datetime | None = None,
        never: bool = False,
        dry_run: bool = False,
        **filters: object,
    ) -> DecisionMade:
        """Dismiss or accept findings by id, or those that filters pick; see `DecideFindings`. `dry_run` only shows."""
        command = DecideFindings(
            findings=findings,
            where=convert(filters, FindingFilter, what="filters"),
            outcome=convert(outcome, Outcome),
            reason=reason,
            text=text,
            reach=convert(reach, Reach),
            workflow=workflow,
            expires_days=expires_days,
            expires_at=expires_at,
            never=never,
            dry_run=dry_run,
        )
        made: DecisionMade = self._door.do(command)
        return made

    def undo(self, decision: str, *, note: str = "") -> DecisionSettled:
        """Take back what one command decided."""
        settled: DecisionSettled = self._door.do(UndoDecision(decision=decision, note=note))
        return settled

    def confirm(self, decision: str, *, note: str = "") -> DecisionSettled:
        """Agree to what somebody else asked for."""
        settled: DecisionSettled = self._door.do(ConfirmDecision(decision=decision, note=note))
        return settled

    def refuse(self, decision: str, *, note: str = "") -> DecisionSettled:
        """Do not agree to what somebody else asked for."""
        settled: DecisionSettled = self._door.do(RefuseDecision(decision=decision, note=note))
        return settled

    def decisions(self, **filters: object) -> tuple[DecisionSummary, ...]:
        """Decisions, newest first; see `ListDecisions` for the filters."""
        found: tuple[DecisionSummary, ...] = self._door.ask(convert(filters, ListDecisions, what="decisions"))
        return found

    def stats(self, by: Group = "severity", **filters: object) -> tuple[FindingCount, ...]:
        """How many there are of each; without filters, of those that nobody settled."""
        where = convert({"state": "live", **filters}, FindingFilter, what="filters")
        found: tuple[FindingCount, ...] = self._door.ask(FindingStats(by=by, where=where))
        return found

    def ratchet(self, workflow: str, repository: str) -> Ratchet:
        """What a repository may have of each rule in each folder, and what is too much."""
        found: Ratchet = self._door.ask(GetRatchet(workflow=workflow, repository=repository))
        return found

    def set_ratchet(self, workflow: str, repository: str, *, allow_rise: str = "") -> Ratchet:
        """Allow from now on what there is; `allow_rise` says why there may be more of something than before."""
        made: Ratchet = self._door.do(SetRatchet(workflow=workflow, repository=repository, allow_rise=allow_rise))
        return made


def code_of(explanation: Explanation) -> tuple[CodeLine, ...]:
    """The code of an explained finding, as far as the repository is here."""
    found = explanation.details
    finding = found.finding
    return excerpt(
        found.repository,
        found.head,
        finding.path,
        finding.line,
        end_line=finding.end_line,
        private=explanation.private_lines,
    )


def _plan_lines(explanation: Explanation) -> Iterator[str]:
    for number, step in enumerate(explanation.plan.steps, start=1):
        yield f"{number}. {visible(step.title)} ({step.minutes} min)"


def _place(found: FindingDetails) -> str:
    return f"{found.finding.path}:{found.finding.line}" if found.finding.line else found.finding.path


def _html_of(findings: Sequence[FindingSummary]) -> str:
    head = "".join(f'<th style="{_CELL}">{name}</th>' for name in _HEADS)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{html.escape(visible(cell))}</td>' for cell in _cells(one)) + "</tr>"
        for one in findings[:_SHOWN]
    )
    more = len(findings) - _SHOWN
    below = f"<div>{more:,} more: narrow the filters, or use .df()</div>" if more > 0 else ""
    table = f'<table style="border-collapse:collapse;font-size:90%"><thead><tr>{head}</tr></thead>'
    return f"{table}<tbody>{body}</tbody></table>{below}"


def _cells(one: FindingSummary) -> tuple[str, ...]:
    place = f"{one.path}:{one.line}" if one.line else one.path
    seen = ", ".join((f"{one.tool}:{one.rule}", *one.also_seen_by))
    owners = ", ".join(one.owners)
    return (f"{one.priority:g}", one.state.value, one.rule, place, one.message, seen, owners, one.id[:11])


def _table(findings: Sequence[FindingSummary]) -> pa.Table:
    return pa.table({name: [_value(one, name) for one in findings] for name in FindingSummary.__struct_fields__})


def _value(one: FindingSummary, name: str) -> object:
    value = getattr(one, name)
    return value if isinstance(value, datetime) else plain(value)
