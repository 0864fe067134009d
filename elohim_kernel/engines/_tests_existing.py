"""The tests a repository has already: which belong to the changed functions, and what they cover and kill on the head.

They run with the conftest files of the base. Tests that cannot run here tell nothing, which is said; then a proposed
test must kill a mutant, because that it covers something new cannot be known.
"""

import re
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec.structs import replace

from elohim_kernel.engines._tests_proving import Account, Prover, Suite
from elohim_kernel.engines._tests_running import Side
from elohim_kernel.engines._tests_shapes import Mutant, Target
from elohim_kernel.model.enrichment import ExistingTests
from elohim_kernel.model.value import Value
from elohim_kernel.ports import Tools

MOST_FILES: Final = 12
_TEST_FILE: Final = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|tests?)\.py$")


class Standing(Value, frozen=True):
    """What existing tests come to. `known` is False when they could not be run."""

    tests: ExistingTests
    known: bool = False
    lines: Mapping[str, tuple[int, ...]] = {}  # path in the tree to lines that ran
    killed: frozenset[str] = frozenset()


def tests_among(paths: Collection[str]) -> list[str]:
    """Files that pytest takes for tests by their name."""
    return sorted(path for path in paths if _TEST_FILE.search(path))


def belonging(texts: Mapping[str, str], targets: Sequence[Target]) -> list[str]:
    """Test files that import a target's module or package and name something of it, the closest first."""
    modules = {target.place.module for target in targets}
    words = {part for module in modules for part in (module, module.rpartition(".")[2], module.partition(".")[0])}
    names = {target.owner or target.name for target in targets} | {target.name for target in targets}
    ranked = []
    for path in tests_among(texts):
        text = texts[path]
        imported = any(re.search(rf"\b(import|from)\b[^\n]*\b{re.escape(word)}\b", text) for word in words)
        named = sum(bool(re.search(rf"\b{re.escape(name)}\b", text)) for name in names)
        same_name = any(module.rpartition(".")[2] in PurePosixPath(path).stem for module in modules)
        if imported and (named or same_name):
            ranked.append((-named, path))
    return [path for _, path in sorted(ranked)][:MOST_FILES]


def standing(
    side: Side,
    prover: Prover,
    tools: Tools,
    *,
    files: Sequence[str],
    conftests: Mapping[str, bytes | None],
    targets: Sequence[Target],
    mutants: Sequence[Mutant],
) -> Standing:
    """Run them. `conftests` are those that the change touches, as they are on the base; None: not there."""
    if not files:
        return Standing(tests=ExistingTests(), known=True)
    if conftests:
        side = side.at(_copied(side, tools, conftests))
        prover = prover.on(side)
    folder = side.tree.root
    roots = tuple(dict.fromkeys((*side.roots(target.place for target in targets), folder)))
    suite = Suite(folder=folder, files=tuple(files), roots=roots, conftest=True, import_mode="prepend")
    there = prover.collect(suite)
    if there.problem and len(files) > 1:
        suite, there = _those_that_load(prover, suite)
    if there.problem:
        return Standing(tests=ExistingTests(files=tuple(files), problem=there.problem))
    measured = {side.file(target.place): target.place.path for target in targets}
    account = prover.run(
        suite,
        there.collected,
        seed=0,
        measured=list(measured),
        targets=targets,
        mutants=mutants,
        failing=("*",),
        most_s=150,
    )
    if account.problem:
        return Standing(tests=ExistingTests(files=suite.files, problem=account.problem))
    tests = ExistingTests(
        files=suite.files,
        passed=len(account.names("passed", "xpassed")),
        failed=len(account.names("failed", "error")),
        skipped=len(account.names("skipped", "xfailed")),
    )
    lines = {measured[file]: found for file, found in account.lines.items() if file in measured}
    return Standing(
        tests=tests,
        known=tests.passed > 0,
        lines=lines,
        killed=frozenset(name for name, killed in account.killed.items() if killed),
    )


def _those_that_load(prover: Prover, suite: Suite) -> tuple[Suite, Account]:
    """Without the files that cannot be imported here."""
    alone = [replace(suite, files=(file,)) for file in suite.files[:6]]
    good = [each.files[0] for each in alone if not prover.collect(each).problem]
    kept = replace(suite, files=tuple(good) or suite.files[:1])
    return kept, prover.collect(kept)


def _copied(side: Side, tools: Tools, conftests: Mapping[str, bytes | None]) -> Path:
    """A copy of the head's tree with the conftest files of the base."""
    copy = Path(tempfile.mkdtemp(dir=tools.scratch, prefix="head-")).resolve()
    for path in side.tree.paths:
        if path not in conftests:
            place = copy / path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(side.tree.root, path), place)
    for path, content in conftests.items():
        if content is not None:
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_bytes(content)
    return copy
