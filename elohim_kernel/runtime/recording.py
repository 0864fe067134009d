"""Recording what engines report: every finding goes on under the identity it is known by.

Shared by whoever runs engines: the worker for a stage of an item, and a scan of a repository.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from elohim_kernel.findings.recording import RecordFindings, RememberFindings, identified_rows, report_of
from elohim_kernel.model.assembling import conclusive
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport
from elohim_kernel.model.identity import Identified, Known, identified
from elohim_kernel.runtime.session import Session

_PREFIX: Final = re.compile(r"[A-Z]+\d*")


class LookedAt(NamedTuple):
    """What engines looked at, and where that is recorded. `workflow` is a name or id; `item` and `run` may be ""."""

    workflow: str
    repository: str
    head: str = ""
    ref: str = ""  # what people call the head: findings of one ref are fixed only there
    item: str = ""
    run: str = ""
    renames: Mapping[str, str] = {}  # new path to old one
    tree: frozenset[str] | None = None  # every file there is, when all of it was looked at; None: a change was


def looked_at_change(workflow: str, repository: str, change: Change | None, *, item: str, run: str) -> LookedAt:
    """A change of an item, or at least its repository."""
    return LookedAt(
        workflow=workflow,
        repository=repository,
        head=change.head if change else "",
        ref=change.head_name if change else "",
        item=item,
        run=run,
        renames=change.renames if change else {},
    )


def record(
    session: Session, reports: Sequence[EngineReport], at: LookedAt, *, key: str = "", fresh: bool = False
) -> tuple[Identified, ...]:
    """Record what engines reported; gives all their findings, in their order, with their identities.

    What is known is asked for once: a question after each report would bring every table up to date each time. With a
    `key` each report is recorded once under it, however often this is tried; `fresh` is as in `Session.do`.
    """
    query = RememberFindings(workflow=at.workflow, repository=at.repository, ref=at.ref)
    worth_asking = any(report.findings or conclusive(report) for report in reports)
    known: Known = session.ask(query) if worth_asking else Known()
    every: list[Identified] = []
    for report in reports:
        own = _of_tool(known, report.engine)
        found = identified(own, report.findings, at.renames)
        name = f"{key}/findings/{report.engine}" if key else ""
        session.do(_command(report, found, own, at), key=name, fresh=fresh)
        every.extend(found)
    return tuple(every)


def _command(report: EngineReport, found: Sequence[Identified], known: Known, at: LookedAt) -> RecordFindings:
    return RecordFindings(
        workflow=at.workflow,
        repository=at.repository,
        head=at.head,
        ref=at.ref,
        item=at.item,
        run=at.run,
        covered=tuple(sorted({*report.covered, *_vanished(report, known, at)})),
        rows=identified_rows(found) if found else b"",
        **report_of(replace(report, rules=_rules(report.rules, known))),
    )


def _of_tool(known: Known, tool: str) -> Known:
    parts = (known.here, known.elsewhere, known.fixed)
    here, elsewhere, fixed = (tuple(each for each in part if each.finding.tool == tool) for part in parts)
    return Known(here=here, elsewhere=elsewhere, fixed=fixed)


def _vanished(report: EngineReport, known: Known, at: LookedAt) -> Iterable[str]:
    """Files that findings are known in and that are there no more: nothing can be found in them."""
    if at.tree is None or not conclusive(report):
        return ()
    return {each.finding.path for each in (*known.here, *known.elsewhere) if each.finding.path not in at.tree}


def _rules(covered: Sequence[str], known: Known) -> tuple[str, ...]:
    """The covered rules by the names that findings have: an engine may name a family of them by how they begin."""
    if not covered:
        return ()
    exact, families = set(covered), tuple(each for each in covered if _PREFIX.fullmatch(each))
    names = {each.finding.rule for part in (known.here, known.elsewhere, known.fixed) for each in part}
    return (*covered, *sorted(name for name in names if name not in exact and name.startswith(families)))
