"""A small real repository, and real tools to run an engine on it."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest

from elohim_kernel.engines import complexity, ruff, spread
from elohim_kernel.model.finding import EngineReport
from elohim_kernel.ports import Engine, EngineRequest
from elohim_kernel.runtime.tools import LocalTools, MemoryJournal

Files = Mapping[str, str | bytes | None]


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC)


class Project:
    """`main` holds the files before, `feature` the files after."""

    def __init__(self, path: Path, before: Files, after: Files) -> None:
        self.path = str(path)
        self.git = pygit2.init_repository(path, initial_head="main")
        start = self._commit("main", before, [])
        self._commit("feature", after, [start])

    def _commit(self, branch: str, files: Files, parents: list[pygit2.Oid]) -> pygit2.Oid:
        index = pygit2.Index()
        if parents:
            index.read_tree(self.git[parents[0]].tree)
        for path, content in files.items():
            if content is None:
                index.remove(path)
                continue
            data = content.encode() if isinstance(content, str) else content
            index.add(pygit2.IndexEntry(path, self.git.create_blob(data), pygit2.enums.FileMode.BLOB))
        who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000 + 60 * len(parents), 0)
        tree = index.write_tree(self.git)
        return self.git.create_commit(f"refs/heads/{branch}", who, who, "Change", tree, parents)


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Files, Files], Project]:
    return lambda before, after: Project(tmp_path / "project", before, after)


@pytest.fixture
def tools_with(tmp_path: Path) -> Callable[..., LocalTools]:
    """Tools that know these engines."""

    def make(**engines: Engine) -> LocalTools:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        return LocalTools(
            engines=engines,
            clock=Noon(),
            scratch=scratch,
            on_progress=lambda text, done, total: None,
            cancelled=threading.Event(),
            journal=MemoryJournal(),
            known=lambda repository: (),
        )

    return make


@pytest.fixture
def tools(tools_with: Callable[..., LocalTools]) -> LocalTools:
    return tools_with(ruff=ruff, complexity=complexity, spread=spread)


@pytest.fixture
def report(project, tools) -> Callable[..., EngineReport]:
    """Runs one engine on the change between two sets of files, or on the whole tree of the second."""

    def run(engine, before: Files, after: Files, *, whole: bool = False, timeout_s: float = 60.0) -> EngineReport:
        made = project(before, after)
        change = tools.repository(made.path).change("main", "feature")
        seen = None if whole else change
        request = EngineRequest(repository=made.path, head=change.head, change=seen, timeout_s=timeout_s)
        return engine.run(request, tools)

    return run
