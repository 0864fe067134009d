"""The Protocols between our rooms: what a part offers, and which tools it is handed. A part never opens the store.

A part is a module that satisfies one of these. It gets `Tools` and returns values; the runtime does the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from elohim_kernel.model.change import Change, FileStatus
from elohim_kernel.model.finding import EngineReport, Finding
from elohim_kernel.model.recommendation import Recommendation
from elohim_kernel.model.target import target_of
from elohim_kernel.model.value import Value

T = TypeVar("T")


class Repository(Protocol):
    """Read-only view of a git repository through its object store; the working tree is never touched or trusted."""

    @property
    def path(self) -> str:
        """Canonical path, as shown to people."""

    def resolve(self, revision: str) -> str:
        """Full commit id of a branch, tag or abbreviated id. Raises `Invalid` naming what exists instead."""

    def change(self, base: str | None, head: str | None) -> Change:
        """The change from the merge base to `head`; `None` picks the default branch and the newest other branch."""

    def read(self, revision: str, path: str) -> bytes | None:
        """Content of one file at a commit; `None` when it is not a regular file there."""

    def paths(self, revision: str) -> Sequence[str]:
        """All regular files at a commit, sorted; links and submodules are left out."""

    def export(self, revision: str, paths: Sequence[str], into: Path) -> Sequence[str]:
        """Write those files below `into` (no links, no `.git`, no path outside); returns the ones written."""


class Purpose(StrEnum):
    """What engines are wanted for."""

    SCAN = "scan"  # everything that runs when nobody chose
    STATIC = "static"  # what is wrong with code, whether or not it is dangerous
    SECURITY = "security"
    REVIEW = "review"  # what answers fast enough to wait for


class Completed(Value, frozen=True):
    """How a child process ended. `reason` says why when it was killed or never started; "" otherwise."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    reason: str = ""
    cpu_seconds: float = 0.0  # user and system time of the child and its own children


class Tree(Value, frozen=True):
    """A copy of files of one commit: no links, no `.git`, read-only for tools. It lasts as long as the run."""

    root: str  # absolute path of the folder
    paths: tuple[str, ...]  # what was written, relative to `root`
    left_out: tuple[str, ...] = ()  # what was wanted and is not there: links, names this system cannot hold, too large


class Tools(Protocol):
    """What the runtime lends to a part for one run."""

    @property
    def scratch(self) -> Path:
        """An empty private directory, removed after the run."""

    def now(self) -> datetime:
        """The time, aware, UTC."""

    def repository(self, path: str) -> Repository:
        """Open a repository. Raises `Invalid` when there is none at `path`."""

    def tree(self, repository: str, revision: str, paths: Sequence[str]) -> Tree:
        """Those files of a commit as a folder, exported once and shared by the engines of a run."""

    @property
    def isolation(self) -> str:
        """What children run under here, in words; "" when nothing here can hold a hostile program."""

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
        """Run a tool as an isolated child: argument list, deadline, output cap; ended when cancelled.

        It sees the runtime, `cwd` and the trees of this run read-only, an empty home, and of the environment only
        `variables`; it may write to `writable` (folders below `scratch`). Without `network` it has none. Raises
        `NotRun` where nothing here can isolate it and the user did not say that the repository is trusted.
        """

    def keyed_hash(self, value: bytes) -> str:
        """A hash of `value` under a key of this store, as hex: recognisable here, and of no use elsewhere."""

    def engine(self, name: str, request: "EngineRequest") -> EngineReport:
        """Run another engine by name, as a journalled step."""

    def engines(self, names: Sequence[str], request: "EngineRequest") -> tuple[EngineReport, ...]:
        """Run several engines side by side, each as a journalled step; the reports come in the order of `names`."""

    def usual(self, purpose: "Purpose") -> tuple[str, ...]:
        """The engines to run for a purpose when nobody chose, by name, in a fixed order."""

    def known_findings(self, repository: str) -> Sequence[Finding]:
        """Findings recorded before for this repository in the current workflow."""

    def step(self, name: str, inputs: object, kind: type[T], work: Callable[[], T]) -> T:
        """Do `work` once: a finished step with equal inputs gives its recorded output, also after a crash."""

    def progress(self, text: str, done: int = 0, total: int = 0) -> None:
        """Tell whoever watches; `total` 0 means unknown. Raises `Cancelled` when the run was cancelled."""


class EngineRequest(Value, frozen=True):
    """What an engine is asked to look at."""

    repository: str
    head: str  # full commit id
    change: Change | None = None  # None: the whole tree at head
    timeout_s: float = 300.0
    paths: tuple[str, ...] | None = None  # the files to look at, all wanted by the engine; None: of the change or tree
    base: str = ""  # full commit id that settings in the repository are read from, as data; "" none
    options: Mapping[str, str] = {}  # what the user set for engines: {"advisories": "/home/ann/osv.zip"}

    @classmethod
    def about(cls, change: Change) -> "EngineRequest":
        """The question about a change; settings are read from where it began."""
        return cls(repository=change.repository, head=change.head, change=change, base=change.merge_base or change.base)

    def candidates(self, repository: Repository) -> Sequence[str]:
        """The files to choose from: `paths`, else those the change leaves behind, else the whole tree; sorted."""
        if self.paths is not None:
            return self.paths
        if self.change is None:
            return repository.paths(self.head)
        gone = FileStatus.DELETED
        return sorted(file.path for file in self.change.files if file.status is not gone and not file.submodule)


class Scope(StrEnum):
    """What an engine's result depends on, and so what it may be cached by."""

    FILE = "file"  # each file by itself
    TREE = "tree"  # all files it wants together
    CHANGE = "change"  # both sides of a change or its history; never cached


class EngineTraits(Value, frozen=True):
    """What is fixed for an engine."""

    scope: Scope
    cost: int  # processor milliseconds for a hundred files, roughly: the cheapest engine starts first
    security: bool = False  # part of a security review
    default: bool = True  # runs when nobody chose engines
    network: bool = False  # asks a service; runs only when the user allows it
    executes: bool = False  # runs code of the repository, so only where a hostile program is held
    rules: str = ""  # identity of our rules and settings for it: part of the key of its cached results


class Engine(Protocol):
    """A local tool behind one shape."""

    NAME: str
    LABEL: str
    TRAITS: EngineTraits

    def available(self) -> str | None:
        """`None` when it can run here; otherwise why not, and what to install."""

    def version(self) -> str:
        """The tool's version without starting it where that is possible; "" when it is not here."""

    def wants(self, path: str) -> bool:
        """Whether it looks at files of this name. A report covers and counts only such files."""

    def run(self, request: EngineRequest, tools: Tools) -> EngineReport:
        """Look, and report honestly: see `EngineStatus`. Raises only for defects of our own and `Cancelled`."""


class StageWork(Value, frozen=True):
    """What an automated stage is asked to do."""

    item: str
    reference: str
    stage: str
    stage_type: str
    prompt: str
    target_path: str
    data: Mapping[str, Any]  # the item's data: JSON, hence Any

    def change(self, tools: Tools) -> Change:
        """The change the item is about. Raises `Invalid` when the item names no usable repository.

        Journalled: a branch that moves while the stage runs does not change what is looked at.
        """
        target = target_of(self.data, path=self.target_path, reference=self.reference)
        return tools.step(
            "change", target, Change, lambda: tools.repository(target.repository).change(target.base, target.head)
        )


class StageResult(Value, frozen=True):
    """What an automated stage proposes: data under its key, findings, a recommendation, facts for guards."""

    note: str
    data: Mapping[str, Any] = {}  # JSON to merge into the item's data
    reports: tuple[EngineReport, ...] = ()
    recommendation: Recommendation | None = None
    change: Change | None = None  # what was looked at, when it was a change
    facts: Mapping[str, Any] = {}  # nested names for guards, for example {"findings": {"new": {"high": 2}}}


class Stage(Protocol):
    """An automated stage type."""

    TYPE: str

    def run(self, work: StageWork, tools: Tools) -> StageResult:
        """Do the stage's work; journalled steps inside make it resumable."""


class Clock(Protocol):
    """Where the time comes from, so that tests can own it."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
