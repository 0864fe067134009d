"""A review of a 20-file change in a repository of 5,000 commits, against the same tools run by hand.

The floor reads the change and runs the same engines over it, exports included, without a store, an item or a journal.
"""

import statistics
import tempfile
import threading
import time
from pathlib import Path

import pygit2

from elohim_kernel import registry
from elohim_kernel.ports import EngineRequest
from elohim_kernel.runtime.tools import LocalTools, MemoryJournal
from elohim_kernel.runtime.worker import SystemClock
from elohim_kernel.workbench import open as open_workbench

COMMITS = 5_000
FILES = 20
ROUNDS = 7
_ENGINES = ("policy", "ruff", "secrets", "taint", "complexity", "spread")


def run() -> list[dict[str, object]]:
    """One row: seconds for a whole review, for the tools alone, and the ratio."""
    with tempfile.TemporaryDirectory(prefix="elohim-bench-") as name:
        folder = Path(name)
        _build(folder / "repository")
        with open_workbench(folder / "home", inline=True) as workbench:
            pairs: list[tuple[float, float]] = []
            for _ in range(ROUNDS):
                floor = _tools_alone(folder / "repository", folder)
                began = time.perf_counter()
                item = workbench.review(folder / "repository", base="main", head="work")
                pairs.append((time.perf_counter() - began, floor))
                assert item.stage == "reviewer_review", item
    ours, floor = (statistics.median(values) for values in zip(*pairs, strict=True))
    return [
        {
            "measure": f"review, {FILES} files, {COMMITS:,} commits",
            "value": round(ours, 3),
            "unit": "s",
            "floor": round(floor, 3),
            "ratio": round(statistics.median(mine / least for mine, least in pairs), 2),
            "bound": "≤ 1.2",
        }
    ]


def _tools_alone(repository: Path, folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        tools = LocalTools(
            engines=registry.engines(),
            clock=SystemClock(),
            scratch=Path(scratch),
            on_progress=lambda _text, _done, _total: None,
            cancelled=threading.Event(),
            journal=MemoryJournal(),
            known=lambda _repository: (),
        )
        began = time.perf_counter()
        change = tools.repository(str(repository)).change("main", "work")
        request = EngineRequest(repository=str(repository), head=change.head, change=change)
        for name in _ENGINES:
            tools.engine(name, request)
        return time.perf_counter() - began


def _build(path: Path) -> None:
    repository = pygit2.init_repository(str(path), bare=False, initial_head="main")
    tree = repository.TreeBuilder()
    for number in range(200):
        tree.insert(f"module_{number:03d}.py", repository.create_blob(_source(number, 0)), pygit2.enums.FileMode.BLOB)
    parents: list[pygit2.Oid] = []
    for number in range(COMMITS):
        name = f"module_{number % 200:03d}.py"
        tree.insert(name, repository.create_blob(_source(number % 200, number)), pygit2.enums.FileMode.BLOB)
        parents = [_commit(repository, tree, parents, number)]
    repository.references.create("refs/heads/main", parents[0])
    for number in range(FILES):
        changed = _source(number, 0) + b"\n\ndef added(values=[]):\n    if values == None:\n        return missing\n"
        tree.insert(f"module_{number:03d}.py", repository.create_blob(changed), pygit2.enums.FileMode.BLOB)
    repository.references.create("refs/heads/work", _commit(repository, tree, parents, COMMITS))


def _commit(
    repository: pygit2.Repository, tree: pygit2.TreeBuilder, parents: list[pygit2.Oid], number: int
) -> pygit2.Oid:
    who = pygit2.Signature("Bench", "bench@example.org", 1_700_000_000 + number * 60, 0)
    return repository.create_commit(None, who, who, f"Change {number}", tree.write(), parents)


def _source(module: int, version: int) -> bytes:
    functions = "\n\n".join(
        f"def step_{step}(value: int) -> int:\n    if value > {step + version}:\n        return value - {step}\n"
        f"    return value * {module}\n"
        for step in range(30)
    )
    return functions.encode()
