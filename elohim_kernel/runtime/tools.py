"""The tools a part is lent for one run, on this machine: repositories, child processes, engines, and the journal.

A finished step is recorded before the next one starts; a run that begins again after a crash gets its recorded output.
An engine's answer is put together here with what only we know: the change, the base, owners, the other engines.
"""

import hmac
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final, TypeVar

from msgspec.structs import replace

from elohim_kernel.errors import Cancelled, KernelError, NotRun
from elohim_kernel.model.assembling import Surroundings, assembled, owners_of, placed
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding
from elohim_kernel.model.owners import MAX_BYTES, PLACES, Owners
from elohim_kernel.model.value import digest, from_json, to_json
from elohim_kernel.ports import Clock, Completed, Engine, EngineRequest, Purpose, Repository, Scope, Tree
from elohim_kernel.runtime.answering import Asked, answer, compared
from elohim_kernel.runtime.cache import EngineCache
from elohim_kernel.runtime.choosing import usual
from elohim_kernel.runtime.content import contents
from elohim_kernel.runtime.isolation import LIMITS, best_level, why_not_better
from elohim_kernel.runtime.journal import Journal, MemoryJournal
from elohim_kernel.runtime.repository import GitRepository, open_repository
from elohim_kernel.runtime.sandbox import run_child
from elohim_kernel.runtime.tree import Trees

__all__ = ["NETWORK", "Journal", "LocalTools", "MemoryJournal", "OnReport", "scratch_folder", "unheard"]

T = TypeVar("T")

NETWORK: Final = "network"
"""The option that lets engines ask services: {"network": "yes"}."""

_REASON_CHARACTERS = 300


OnReport = Callable[[EngineReport], None]


def unheard(_report: EngineReport) -> None:
    """Reports for nobody."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty private folder, as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="elohim-run-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class LocalTools:
    """Satisfies `ports.Tools`. Belongs to one run and one thread; only `cancelled` may be set from another.

    `scratch` must be an empty private folder, which the caller removes. `on_progress` gets (text, done, total),
    `on_report` each engine's report as it comes. The journal and both of these are used from several threads when
    engines run side by side. `key` is the store's for `keyed_hash`; `cache` None remembers nothing; `trust` says that
    what is looked at may run without isolation.
    """

    def __init__(
        self,
        *,
        engines: Mapping[str, Engine],
        clock: Clock,
        scratch: Path,
        on_progress: Callable[[str, int, int], None],
        cancelled: threading.Event,
        journal: Journal | None,
        known: Callable[[str], Sequence[Finding]],
        key: bytes = b"",
        cache: EngineCache | None = None,
        trust: bool = False,
        on_report: OnReport = unheard,
        trees: Trees | None = None,
    ) -> None:
        """`trees` None makes the run's own; without a journal nothing is remembered of a run."""
        self._engines = engines
        self._clock = clock
        self._scratch = scratch
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._journal = journal
        self._known = known
        self._key = key
        self._cache = cache
        self._trust = trust
        self._on_report = on_report
        self._trees = trees or Trees(scratch)
        self._repositories: dict[str, GitRepository] = {}
        self._children_s = 0.0  # processor time of children so far
        self._children = 0

    @property
    def scratch(self) -> Path:
        """The private folder of this run."""
        return self._scratch

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return self._clock.now()

    def repository(self, path: str) -> Repository:
        """Open a repository, once per run. Raises `Invalid` when there is none at `path`."""
        return self._opened(path)

    def _opened(self, path: str) -> GitRepository:
        if path not in self._repositories:
            self._repositories[path] = open_repository(path)
        return self._repositories[path]

    def tree(self, repository: str, revision: str, paths: Sequence[str]) -> Tree:
        """Those files of a commit as a read-only folder of its own; see `runtime.tree`."""
        return self._trees.tree(self._opened(repository), revision, paths)

    @property
    def isolation(self) -> str:
        """What children run under, in words; "" when nothing here can hold a hostile program."""
        level = best_level()
        return level.words if level.isolates else ""

    def keyed_hash(self, value: bytes) -> str:
        """A hash of `value` under the key of this run's store, as hex."""
        return hmac.new(self._key, value, "sha256").hexdigest()[:32]

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        timeout_s: float,
        stdin: bytes = b"",
        memory_mb: int = 2048,
        writable: Sequence[Path] = (),
        variables: Mapping[str, str] = {},
        network: bool = False,
    ) -> Completed:
        """Run a tool as an isolated child; see `ports.Tools.run`. Raises `Cancelled`, `NotRun` where none can be."""
        self._raise_if_cancelled()
        level = best_level()
        if not level.isolates:
            if not self._trust:
                raise NotRun(f"no isolation here: {why_not_better()}", hint="--trust-repo runs tools without it")
            level = LIMITS
        self._children += 1
        place = self._trees.place
        completed = run_child(
            argv,
            cwd=cwd,
            timeout_s=timeout_s,
            stdin=stdin,
            cancelled=self._cancelled.is_set,
            memory_mb=memory_mb,
            readable=(place,) if place is not None else (),
            writable=writable,
            variables=variables,
            network=network,
            level=level,
        )
        self._children_s += completed.cpu_seconds
        self._raise_if_cancelled()
        return completed

    def engine(self, name: str, request: EngineRequest) -> EngineReport:
        """Run an engine as a journalled step. One that is missing or breaks gives a report that says so."""
        return self._assembled((self._step(name, request),), request)[0]

    def engines(self, names: Sequence[str], request: EngineRequest) -> tuple[EngineReport, ...]:
        """Run several engines side by side, the cheapest first; the reports come in the order of `names`.

        The costliest one starts at once, because everybody waits for it; and there are no more at a time than cores,
        because what it shares its core with only makes it later. One that is done is journalled while others run.
        """
        order = sorted(names, key=self._cost)
        order = [*order[-1:], *order[:-1]]
        with ThreadPoolExecutor(max_workers=max(2, _cores()), thread_name_prefix="engine") as pool:
            running = {pool.submit(self._beside(name)._step, name, request): name for name in order}
            left = set(names)
            reports: dict[str, EngineReport] = {}
            for done in as_completed(running):
                report = reports[running[done]] = done.result()
                left.discard(report.engine)
                self._on_report(report)
                self._on_progress(_told(report, [name for name in order if name in left]), 0, 0)
        return self._assembled([reports[name] for name in names], request)

    def usual(self, purpose: Purpose) -> tuple[str, ...]:
        """The engines to run for a purpose; see `runtime.choosing`."""
        return usual(self._engines, purpose)

    def _cost(self, name: str) -> int:
        engine = self._engines.get(name)
        return engine.TRAITS.cost if engine is not None else 0

    def _beside(self, name: str) -> "LocalTools":
        """Tools for one of several engines: a scratch folder and an open repository of its own."""
        scratch = self._scratch / name
        scratch.mkdir(exist_ok=True)
        return LocalTools(
            engines=self._engines,
            clock=self._clock,
            scratch=scratch,
            on_progress=lambda _text, _done, _total: None,
            cancelled=self._cancelled,
            journal=self._journal,
            known=self._known,
            key=self._key,
            cache=self._cache,
            trust=self._trust,
            trees=self._trees,
        )

    def _step(self, name: str, request: EngineRequest) -> EngineReport:
        return self.step(f"engine:{name}", request, EngineReport, lambda: self._report(name, request))

    def _assembled(self, reports: Sequence[EngineReport], request: EngineRequest) -> tuple[EngineReport, ...]:
        findings = [finding for report in reports for finding in report.findings]
        if not findings:
            return tuple(reports)
        repository = self._opened(request.repository)
        owners = self._owners(repository, request.base) if request.base else Owners()
        around = Surroundings(
            sources=contents(repository, request.head, {finding.path for finding in findings}),
            owners=owners_of(findings, owners),
            change=request.change,
        )
        return assembled(reports, around)

    def _owners(self, repository: GitRepository, base: str) -> Owners:
        for place in PLACES:
            content = repository.read(base, place)
            if content is not None:
                return Owners(content.decode(errors="replace")) if len(content) <= MAX_BYTES else Owners()
        return Owners()

    def known_findings(self, repository: str) -> Sequence[Finding]:
        """Findings recorded before for this repository in the current workflow."""
        return self._known(repository)

    def step(self, name: str, inputs: object, kind: type[T], work: Callable[[], T]) -> T:
        """Do `work` once: a finished step with equal inputs gives its recorded output. Raises `Cancelled`."""
        self._raise_if_cancelled()
        if self._journal is None:
            return work()
        key = digest(inputs)
        recorded = self._journal.recall(name, key)
        if recorded is not None:
            return from_json(recorded, kind)
        began = monotonic()
        output = work()
        self._journal.record(name, key, to_json(output), round(monotonic() - began, 4))
        return output

    def progress(self, text: str, done: int = 0, total: int = 0) -> None:
        """Tell whoever watches; `total` 0 means unknown. Raises `Cancelled`."""
        self._raise_if_cancelled()
        self._on_progress(text, done, total)

    def _report(self, name: str, request: EngineRequest) -> EngineReport:
        engine = self._engines.get(name)
        if engine is None:
            there = ", ".join(sorted(self._engines)) or "none"
            return _ended(name, EngineStatus.NOT_RUN, f"there is no engine of this name; installed: {there}", 0.0)
        began, before, started = monotonic(), self._children_s, self._children
        try:
            reason = engine.available() or self._unfit(engine, request)
            if reason:
                return _ended(name, EngineStatus.NOT_RUN, reason, monotonic() - began)
            asked = Asked(
                engine=engine,
                request=request,
                tools=self,
                opened=self._opened,
                cache=self._cache,
                today=self.now().date().isoformat(),
            )
            report = answer(asked)
            if engine.TRAITS.scope is not Scope.CHANGE:  # such an engine knows the change better than its lines do
                report = placed(report, request.change)
            report = compared(asked, report)
        except Cancelled:
            raise
        except NotRun as wrong:
            return _ended(name, EngineStatus.NOT_RUN, str(wrong), monotonic() - began)
        except KernelError as wrong:
            return _ended(name, EngineStatus.FAILED, f"{wrong.code}: {wrong}", monotonic() - began)
        except Exception as wrong:  # noqa: BLE001 - a part may be anybody's; its defect is a report, not the run's end
            return _ended(name, EngineStatus.FAILED, f"{type(wrong).__name__}: {wrong}", monotonic() - began)
        return replace(
            report,
            engine=name,
            seconds=round(monotonic() - began, 4),
            cpu_seconds=round(max(report.cpu_seconds, self._children_s - before), 4),
            isolation=best_level().words if self._children > started else "",
        )

    def _unfit(self, engine: Engine, request: EngineRequest) -> str:
        """Why an engine that is installed must not run now; "" when it may."""
        if engine.TRAITS.network and request.options.get(NETWORK) != "yes":
            return "it asks a service; allowed with --online"
        if engine.TRAITS.executes and not (self._trust or self.isolation):
            return "it runs the repository's code, and nothing here holds a hostile program; see --trust-repo"
        return ""

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("this run was cancelled")


def _ended(name: str, status: EngineStatus, reason: str, seconds: float) -> EngineReport:
    return EngineReport(engine=name, status=status, reason=reason[:_REASON_CHARACTERS], seconds=round(seconds, 4))


def _told(report: EngineReport, left: Sequence[str]) -> str:
    found = f"{len(report.findings):,} {'finding' if len(report.findings) == 1 else 'findings'}"
    words = {EngineStatus.NOT_RUN: "not run", EngineStatus.FAILED: "failed", EngineStatus.CLEAN: "nothing found"}
    still = f"; still running: {', '.join(left)}" if left else ""
    return f"{report.engine}: {words.get(report.status, found)}, {report.seconds:.1f} s{still}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
