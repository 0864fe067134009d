"""A scan of a repository of 200 Python files: side by side, again, and after one file has changed.

Four ratios: the whole scan against the slowest of its tools alone, our own processor time against that of the tools, a
second scan with nothing changed against the first, and one with one file changed.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pygit2

from elohim_kernel.runtime.scan import Scan
from elohim_kernel.workbench import Workbench
from elohim_kernel.workbench import open as open_workbench

FILES = 200
ROUNDS = 3


def run() -> list[dict[str, object]]:
    """One row for each ratio; `floor` is what it is taken against."""
    with tempfile.TemporaryDirectory(prefix="elohim-bench-") as name:
        folder = Path(name)
        names = _engines()
        rounds = [_round(folder / str(number), names) for number in range(ROUNDS)]
    middle = [statistics.median(column) for column in zip(*rounds, strict=True)]
    first, slowest, ours, tools, again, changed = middle
    return [
        _row(f"scan of {FILES} files, {len(names)} engines side by side", first, slowest, "≤ 1.15"),
        _row("processor time of the workbench against that of the tools", ours, tools, "≤ 0.1"),
        _row("second scan, nothing changed", again, first, "≤ 0.1"),
        _row("second scan, one file changed", changed, first, "≤ 0.2"),
    ]


def _round(folder: Path, names: Sequence[str]) -> tuple[float, ...]:
    repository = folder / "repository"
    _build(repository)
    alone = []
    for name in names:
        with open_workbench(folder / f"home-{name}", inline=True) as workbench:
            alone.append(_timed(workbench, repository, (name,))[0])
    with open_workbench(folder / "home", inline=True) as workbench:
        began = time.process_time()
        first, found = _timed(workbench, repository, names)
        ours = time.process_time() - began
        tools = sum(report.cpu_seconds for report in found.runs)
        again, seen = _timed(workbench, repository, names)
        assert [each.identity for each in seen.problems] == [each.identity for each in found.problems]
        _change_one(repository)
        changed, _ = _timed(workbench, repository, names)
    return first, max(alone), ours, tools, again, changed


def _timed(workbench: Workbench, repository: Path, names: Sequence[str]) -> tuple[float, Scan]:
    began = time.perf_counter()
    found = workbench.scan(repository, engines=tuple(names))
    seconds = time.perf_counter() - began
    bad = [f"{report.engine}: {report.reason}" for report in found.runs if report.status.value in ("failed", "partial")]
    assert not bad, bad
    return seconds, found


def _engines() -> tuple[str, ...]:
    with open_workbench(":memory:") as workbench:
        usable = [one for one in workbench.engines() if one.default and not one.why_not and not one.network]
    return tuple(one.name for one in usable if one.scope.value != "change")


def _row(measure: str, value: float, floor: float, bound: str) -> dict[str, object]:
    return {
        "measure": measure,
        "value": round(value, 2),
        "unit": "s",
        "floor": round(floor, 2),
        "ratio": round(value / floor, 3),
        "bound": bound,
    }


def _build(path: Path) -> None:
    git = pygit2.init_repository(str(path), initial_head="main")
    builder = git.TreeBuilder()
    for number in range(FILES):
        builder.insert(f"module_{number:03d}.py", git.create_blob(_source(number, 0)), pygit2.enums.FileMode.BLOB)
    _commit(git, builder, [])


def _change_one(path: Path) -> None:
    git = pygit2.Repository(str(path))
    head = git.head.peel(pygit2.Commit)
    builder = git.TreeBuilder(head.tree)
    builder.insert("module_007.py", git.create_blob(_source(7, 1)), pygit2.enums.FileMode.BLOB)
    _commit(git, builder, [head.id])


def _commit(git: pygit2.Repository, builder: pygit2.TreeBuilder, parents: list[pygit2.Oid]) -> None:
    who = pygit2.Signature("Bench", "bench@example.org", 1_700_000_000 + 60 * len(parents), 0)
    made = git.create_commit(None, who, who, "Change", builder.write(), parents)
    git.references.create("refs/heads/main", made, force=True)


def _source(module: int, version: int) -> bytes:
    parts = [f'"""Module {module}."""\n\nimport hashlib\nimport subprocess\n']
    for step in range(70):
        parts.append(
            f"def step_{step}(value: int, name: str) -> str:\n"
            f"    if value > {step + version}:\n"
            f"        return name * {module + step}\n"
            f"    return str(value)\n"
        )
    parts.append("def digest(text: str) -> str:\n    return hashlib.md5(text.encode()).hexdigest()\n")
    parts.append("def call(text: str) -> int:\n    return subprocess.call('ls ' + text, shell=True)\n")
    return "\n\n".join(parts).encode()
