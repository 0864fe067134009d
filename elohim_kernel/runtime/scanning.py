"""Scanning a repository: the engines over one commit, or over what a change brings, and one honest account of it.

Content is read from the object store, so what is not committed is not looked at.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from elohim_kernel.errors import Invalid
from elohim_kernel.findings.listing import ListFindings
from elohim_kernel.findings.recording import KnownFindings, id_of
from elohim_kernel.model.category import DEMOTED
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineReport, Finding, FindingState
from elohim_kernel.model.identity import Identified
from elohim_kernel.model.linking import shown
from elohim_kernel.model.value import Value
from elohim_kernel.ports import Clock, Engine, EngineRequest, Purpose
from elohim_kernel.runtime.answering import BASE_RUN
from elohim_kernel.runtime.cache import EngineCache, engine_cache
from elohim_kernel.runtime.choosing import usual
from elohim_kernel.runtime.keys import findings_key
from elohim_kernel.runtime.recording import LookedAt, record
from elohim_kernel.runtime.repository import GitRepository, open_repository, revision_of
from elohim_kernel.runtime.scan import SETTLED, Problem, Scan
from elohim_kernel.runtime.session import Session
from elohim_kernel.runtime.tools import NETWORK, LocalTools, OnReport, scratch_folder, unheard
from elohim_kernel.workflows.definitions import GetWorkflow
from elohim_kernel.workflows.templates import InstantiateTemplate

REPOSITORY_SCAN: Final = "Repository Scan"
"""The template of the workflow that keeps findings when no other one is named."""

_TIMEOUT_S: Final = 600.0
_LIST_CAP: Final = 100_000

OnProgress = Callable[[str, int, int], None]


def unwatched(_text: str, _done: int, _total: int) -> None:
    """Progress for nobody."""


class Wanted(Value, frozen=True):
    """What to scan and how. `head` None is the commit that is checked out; without `base` its whole tree is looked at.

    `options` are handed to the engines: {"advisories": "/home/ann/osv.zip"}.
    """

    repository: str
    base: str | None = None
    head: str | None = None
    engines: tuple[str, ...] = ()  # empty: what runs when nobody chose
    trust: bool = False  # what is looked at may run without isolation
    online: bool = False  # engines may ask services
    base_run: bool = False  # engines that need a whole tree look at the base's too
    workflow: str = ""  # where findings are kept; "": the user's own "Repository Scan"
    record: bool = True
    timeout_s: float = _TIMEOUT_S  # of each engine
    options: Mapping[str, str] = {}


def scan(
    session: Session,
    wanted: Wanted,
    *,
    engines: Mapping[str, Engine],
    home: Path | None,
    clock: Clock,
    on_progress: OnProgress = unwatched,
    on_report: OnReport = unheard,
    cancelled: threading.Event | None = None,
) -> Scan:
    """Scan, and record what was found unless `wanted` says not to.

    `home` holds the cache and the key for secrets; `None` is a store in memory. Raises `Invalid` for an unknown
    repository, revision or engine, and `NotFound` for an unknown workflow, before anything runs.
    """
    source = open_repository(str(Path(wanted.repository).expanduser()))
    names = chosen(engines, wanted.engines)
    target = _target(source, wanted)
    flow = _workflow(session, wanted) if wanted.record else ""

    def known(repository: str) -> Sequence[Finding]:
        found: Sequence[Finding] = session.ask(KnownFindings(workflow=flow, repository=repository)) if flow else ()
        return found

    with scratch_folder() as scratch, engine_cache(home) as cache:
        tools = LocalTools(
            engines=engines,
            clock=clock,
            scratch=scratch,
            on_progress=on_progress,
            on_report=on_report,
            cancelled=cancelled or threading.Event(),
            journal=None,
            known=known,
            key=findings_key(home),
            cache=cache,
            trust=wanted.trust,
        )
        runs = tools.engines(names, target.request)
        notes = (*target.notes, *_remarks(cache))
    at = target.at._replace(workflow=flow)
    found = record(session, runs, at) if at.workflow else _unrecorded(runs)
    return Scan(
        repository=source.path,
        head=target.request.head,
        ref=at.ref,
        change=target.request.change,
        runs=runs,
        problems=_problems(found, at, target.request.change, _told_apart(session, at, found)),
        workflow=flow,
        notes=notes,
    )


def chosen(engines: Mapping[str, Engine], names: Sequence[str]) -> tuple[str, ...]:
    """The engines by these names, or the usual ones. Raises `Invalid` naming those there are."""
    for name in names:
        if name not in engines:
            raise Invalid(f"there is no engine {name!r}", hint=f"there is {', '.join(sorted(engines))}")
    return tuple(dict.fromkeys(names)) or usual(engines, Purpose.SCAN)


class _Target(NamedTuple):
    request: EngineRequest
    at: LookedAt
    notes: tuple[str, ...]


def _target(source: GitRepository, wanted: Wanted) -> _Target:
    options = {
        **wanted.options,
        **({NETWORK: "yes"} if wanted.online else {}),
        **({BASE_RUN: "yes"} if wanted.base_run else {}),
    }
    notes: list[str] = []
    if wanted.head is None and (number := source.uncommitted()):
        files = "1 file is" if number == 1 else f"{number:,} files are"
        notes.append(f"{files} not committed as they are in the folder: only the commit was looked at")
    head = wanted.head or source.checked_out()
    if wanted.base is None:
        commit = source.resolve(head)
        request = EngineRequest(
            repository=source.path, head=commit, base=commit, timeout_s=wanted.timeout_s, options=options
        )
        tree = frozenset(source.paths(commit))
        at = LookedAt(workflow="", repository=source.path, head=commit, ref=head, tree=tree)
        return _Target(request, at, tuple(notes))
    change = source.change(wanted.base, head)
    if change.truncated:
        notes.append(change.truncated)
    request = EngineRequest(
        repository=source.path,
        head=change.head,
        change=change,
        base=change.merge_base or change.base,
        timeout_s=wanted.timeout_s,
        options=options,
    )
    ref = revision_of(source, change.head_name, change.head)
    at = LookedAt(workflow="", repository=source.path, head=change.head, ref=ref, renames=change.renames)
    return _Target(request, at, tuple(notes))


def _workflow(session: Session, wanted: Wanted) -> str:
    if wanted.workflow:
        found: str = session.ask(GetWorkflow(workflow=wanted.workflow)).id
        return found
    made: str = session.do(InstantiateTemplate(template=REPOSITORY_SCAN)).id
    return made


def _remarks(cache: EngineCache | None) -> tuple[str, ...]:
    return (cache.problem,) if cache is not None and cache.problem else ()


def _unrecorded(runs: Sequence[EngineReport]) -> tuple[Identified, ...]:
    return tuple(Identified(finding=each, identity=each.fingerprint) for report in runs for each in report.findings)


def _told_apart(session: Session, at: LookedAt, found: Sequence[Identified]) -> dict[str, FindingState]:
    """The states that a sighting alone does not tell: what people decided, what came back, what is still new."""
    if not at.workflow:
        return {}
    still_new = (FindingState.NEW,) if any(each.how for each in found) else ()
    states: dict[str, FindingState] = {}
    for state in (*sorted(SETTLED), FindingState.REGRESSED, *still_new):
        query = ListFindings(
            state=state.value, workflow=at.workflow, repository=at.repository, folded=False, limit=_LIST_CAP
        )
        states.update((each.id, each.state) for each in session.ask(query))
    return states


def _problems(
    found: Sequence[Identified], at: LookedAt, change: Change | None, states: Mapping[str, FindingState]
) -> tuple[Problem, ...]:
    by_finding = {id(each.finding): each for each in found}
    return tuple(
        _problem(by_finding[id(each.finding)], each.also_seen_by, at, change, states)
        for each in shown(one.finding for one in found)
    )


def _problem(
    each: Identified, also: tuple[str, ...], at: LookedAt, change: Change | None, states: Mapping[str, FindingState]
) -> Problem:
    is_known = bool(each.how)
    name = id_of(at.workflow, at.repository, each.identity) if at.workflow else ""
    return Problem(
        finding=each.finding,
        id=name,
        identity=each.identity,
        state=states.get(name, FindingState.OPEN if is_known else FindingState.NEW),
        new=each.finding.is_new if change is not None else not is_known and each.finding.category not in DEMOTED,
        also_seen_by=also,
    )
