"""A small repository with a branch to review, and a way to run a stage on it as the worker would."""

import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from elohim_kernel.engines import complexity, ruff, spread
from elohim_kernel.ports import Engine, Stage, StageResult, StageWork
from elohim_kernel.runtime.tools import Journal, LocalTools, MemoryJournal

Files = Mapping[str, str | None]
ENGINES: Mapping[str, Engine] = {"ruff": ruff, "complexity": complexity, "spread": spread}


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC)


class Project:
    """`main` holds the files before, `feature` the files after."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.git = pygit2.init_repository(path, initial_head="main")

    def commit(self, branch: str, files: Files, parents: list[pygit2.Oid]) -> pygit2.Oid:
        index = pygit2.Index()
        if parents:
            index.read_tree(self.git[parents[0]].tree)
        for path, content in files.items():
            if content is None:
                index.remove(path)
            else:
                index.add(pygit2.IndexEntry(path, self.git.create_blob(content.encode()), FileMode.BLOB))
        who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000 + 60 * len(parents), 0)
        made = self.git.create_commit(None, who, who, "Load text faster", index.write_tree(self.git), parents)
        self.git.references.create(f"refs/heads/{branch}", made, force=True)
        return made


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Files, Files], Project]:
    def make(before: Files, after: Files) -> Project:
        made = Project(tmp_path / "project")
        made.commit("feature", after, [made.commit("main", before, [])])
        return made

    return make


@pytest.fixture
def run_stage() -> Callable[..., StageResult]:
    """Runs a stage with fresh tools; `told` collects its progress, `journal` lets it go on after a crash."""

    def run(
        stage: Stage,
        data: Mapping[str, object],
        *,
        target_path: str = "",
        engines: Mapping[str, Engine] = ENGINES,
        journal: Journal | None = None,
        told: list[tuple[str, int, int]] | None = None,
    ) -> StageResult:
        with tempfile.TemporaryDirectory() as scratch:
            tools = LocalTools(
                engines=engines,
                clock=Noon(),
                scratch=Path(scratch),
                on_progress=lambda *step: told.append(step) if told is not None else None,
                cancelled=threading.Event(),
                journal=journal or MemoryJournal(),
                known=lambda repository: (),
            )
            work = StageWork(
                item="wi_1",
                reference="WI-1",
                stage="review",
                stage_type=stage.TYPE,
                prompt="",
                target_path=target_path,
                data=data,
            )
            return stage.run(work, tools)

    return run
