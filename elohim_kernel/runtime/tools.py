"""The tools a part is lent for one run, on this machine: repositories, child processes, engines, and the journal.

A finished step is recorded before the next one starts; a run that begins again after a crash gets its recorded output.
"""

import hmac
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Protocol, TypeVar

from elohim_kernel.errors import Cancelled, KernelError, NotRun
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding
from elohim_kernel.model.value import digest, from_json, to_json
from elohim_kernel.ports import Clock, Completed, Engine, EngineRequest, Repository, Tree
from elohim_kernel.runtime.repository import GitRepository, open_repository
from elohim_kernel.runtime.sandbox import LEVEL, run_child

T = TypeVar("T")

_REASON_CHARACTERS = 300


class Journal(Protocol):
    """Where finished steps are kept for one run."""

    def recall(self, name: str, inputs_digest: str) -> str | None:
        """Recorded output (JSON) of a finished step with equal inputs; None when there is none."""

    def record(self, name: str, inputs_digest: str, output_json: str, seconds: float) -> None:
        """Keep the output of a finished step; it is durable when this returns."""


class MemoryJournal:
    """A journal that lasts as long as the process, for one-shot use and tests."""

    def __init__(self) -> None:
        self.steps: dict[tuple[str, str], str] = {}

    def recall(self, name: str, inputs_digest: str) -> str | None:
        """See `Journal`."""
        return self.steps.get((name, inputs_digest))

    def record(self, name: str, inputs_digest: str, output_json: str, seconds: float) -> None:
        """See `Journal`."""
        self.steps[name, inputs_digest] = output_json


class LocalTools:
    """Satisfies `ports.Tools`. Belongs to one run and one thread; only `cancelled` may be set from another.

    The journal is used from several threads when engines run side by side.

    `scratch` must be an empty private folder, which the caller removes. `on_progress` gets (text, done, total).
    """

    def __init__(
        self,
        *,
        engines: Mapping[str, Engine],
        clock: Clock,
        scratch: Path,
        on_progress: Callable[[str, int, int], None],
        cancelled: threading.Event,
        journal: Journal,
        known: Callable[[str], Sequence[Finding]],
        key: bytes = b"",
    ) -> None:
        self._engines = engines
        self._clock = clock
        self._scratch = scratch
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._journal = journal
        self._known = known
        self._key = key
        self._repositories: dict[str, GitRepository] = {}

    @property
    def scratch(self) -> Path:
        """The private folder of this run."""
        return self._scratch

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return self._clock.now()

    def repository(self, path: str) -> Repository:
        """Open a repository, once per run. Raises `Invalid` when there is none at `path`."""
        if path not in self._repositories:
            self._repositories[path] = open_repository(path)
        return self._repositories[path]

    def tree(self, repository: str, revision: str, paths: Sequence[str]) -> Tree:
        """Those files of a commit as a folder below `scratch`."""
        root = Path(tempfile.mkdtemp(dir=self._scratch, prefix="tree-")).resolve()
        written = self.repository(repository).export(revision, paths, root)
        there = set(written)
        return Tree(root=str(root), paths=tuple(written), left_out=tuple(path for path in paths if path not in there))

    @property
    def isolation(self) -> str:
        """What children run under, in words."""
        return LEVEL

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
        """Run a tool as a child (see `runtime.sandbox`). Raises `Cancelled`."""
        self._raise_if_cancelled()
        completed = run_child(
            argv, cwd=cwd, timeout_s=timeout_s, stdin=stdin, cancelled=self._cancelled.is_set, memory_mb=memory_mb
        )
        self._raise_if_cancelled()
        return completed

    def engine(self, name: str, request: EngineRequest) -> EngineReport:
        """Run an engine as a journalled step. One that is missing or breaks gives a report that says so."""
        return self.step(f"engine:{name}", request, EngineReport, lambda: self._report(name, request))

    def engines(self, names: Sequence[str], request: EngineRequest) -> tuple[EngineReport, ...]:
        """Run several engines side by side; one that is done is journalled while the others still run."""
        if len(names) < 2:
            return tuple(self.engine(name, request) for name in names)
        with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="engine") as pool:
            running = [pool.submit(self._beside(name).engine, name, request) for name in names]
            for done, _ in enumerate(as_completed(running), start=1):
                self._on_progress(f"{done} of {len(names)} engines done", 0, 0)
            return tuple(each.result() for each in running)

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
        )

    def known_findings(self, repository: str) -> Sequence[Finding]:
        """Findings recorded before for this repository in the current workflow."""
        return self._known(repository)

    def step(self, name: str, inputs: object, kind: type[T], work: Callable[[], T]) -> T:
        """Do `work` once: a finished step with equal inputs gives its recorded output. Raises `Cancelled`."""
        self._raise_if_cancelled()
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
        began = monotonic()
        try:
            missing = engine.available()
            if missing is not None:
                return _ended(name, EngineStatus.NOT_RUN, missing, monotonic() - began)
            return engine.run(request, self)
        except Cancelled:
            raise
        except NotRun as wrong:
            return _ended(name, EngineStatus.NOT_RUN, str(wrong), monotonic() - began)
        except KernelError as wrong:
            return _ended(name, EngineStatus.FAILED, f"{wrong.code}: {wrong}", monotonic() - began)
        except Exception as wrong:  # noqa: BLE001 - a part may be anybody's; its defect is a report, not the run's end
            return _ended(name, EngineStatus.FAILED, f"{type(wrong).__name__}: {wrong}", monotonic() - began)

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("this run was cancelled")


def _ended(name: str, status: EngineStatus, reason: str, seconds: float) -> EngineReport:
    return EngineReport(engine=name, status=status, reason=reason[:_REASON_CHARACTERS], seconds=round(seconds, 4))
