"""Test enrichment: tests for the functions a change touches, proposed without a model and proven before they are shown.

Inputs come from types, calls in the repository, docstrings and the constants of the code; what is expected is recorded
from the base. The repository's code is executed, so it runs only in the sandbox; the repository is never written to.
The result lies in the report's data under `test_enrichment`, as `model.enrichment.Enrichment`.
"""

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.engines._tests_enriching import Enriching, Material, refused
from elohim_kernel.engines._tests_existing import tests_among
from elohim_kernel.engines._tests_pynguin import OPTION, searched, why_not
from elohim_kernel.engines._tests_running import Deadline, Side
from elohim_kernel.engines._tests_shapes import Place, Rejected, Target
from elohim_kernel.engines._tests_targets import changed_targets, every_target, named_in, place_of
from elohim_kernel.errors import TooLarge
from elohim_kernel.model.change import FileChange, FileStatus
from elohim_kernel.model.enrichment import Enrichment, Verdict
from elohim_kernel.model.finding import EngineReport, EngineStatus, Metric
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.reports import counted
from elohim_kernel.model.value import plain
from elohim_kernel.ports import EngineRequest, EngineTraits, Repository, Scope, Tools

NAME = "tests"
LABEL = "Test enrichment (Python)"
TRAITS = EngineTraits(scope=Scope.CHANGE, cost=60_000, default=False, executes=True)

FUNCTION: Final = "function"
DESCRIBE: Final = "describe"
"""Options of a request: the names of functions, separated by commas, and the text of a bug report that names some."""

DATA: Final = "test_enrichment"
_MOST_TARGETS: Final = 60
_MOST_BYTES: Final = 512 * 1024
_MOST_TEXT: Final = 24 * 1024 * 1024
_READ_ME: Final = ("readme.md", "readme.rst", "readme.txt")


def available() -> str | None:
    """None when pytest and coverage are installed; otherwise what to install."""
    missing = [name for name in ("pytest", "coverage") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(missing)} not installed; pip install 'elohim_kernel[engines]'" if missing else None


def version() -> str:
    """The version of pytest, which proves the tests; "" when it is not here."""
    return f"pytest {importlib.metadata.version('pytest')}" if available() is None else ""


def wants(path: str) -> bool:
    """Python sources that are no tests."""
    return path.endswith(".py") and kind_of(path) is PathKind.SOURCE and not tests_among([path])


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Propose tests for the changed functions, and for those that the options name."""
    began = monotonic()
    deadline = Deadline(request.timeout_s)
    repository = tools.repository(request.repository)
    base = request.change.merge_base if request.change else request.head
    tools.progress("Reading what the change touches", 0, 5)
    looked = _Looked(request, repository, base)
    if not looked.targets and not looked.rejected:
        return _report(EngineStatus.NOT_RUN, looked.nothing, began)
    blank = Enrichment(repository=request.repository, base=base, head=request.head)
    failed: Mapping[str, str] = {}
    if looked.targets:
        material = _material(request, repository, tools, deadline, base, looked)
        material = _searched(material, request, tools, deadline, looked)
        work = Enriching(material, tools, deadline)
        made = work.run(blank)
        failed = work.files_failed
        seconds = material.head.cpu_seconds + (material.base.cpu_seconds if material.base else 0.0)
    else:
        rows = tuple(refused(each) for each in looked.rejected)
        made, seconds = msgspec.structs.replace(blank, attempts=rows), 0.0
    made = msgspec.structs.replace(made, notes=tuple(looked.notes))
    paths = sorted({target.place.path for target in looked.targets})
    status, reason = _verdict(made, looked.targets, failed)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=version(),
        files=len(paths) - len(failed),
        covered=tuple(path for path in paths if path not in failed),
        skipped=tuple(sorted(failed)),
        isolation=tools.isolation,
        cpu_seconds=round(seconds, 3),
        metrics=_metrics(made),
        notes=made.notes,
        data={DATA: plain(made)},
    )


class _Looked:
    """The targets of a request, and what was looked at and is none."""

    def __init__(self, request: EngineRequest, repository: Repository, base: str) -> None:
        self._repository, self._head = repository, request.head
        self.paths = frozenset(repository.paths(request.head))
        self.base_paths = frozenset(repository.paths(base)) if base else frozenset()
        self.files: dict[str, FileChange] = {}
        self.notes: list[str] = []
        self.rejected: list[Rejected] = []
        names = [name.strip() for name in request.options.get(FUNCTION, "").split(",") if name.strip()]
        described = named_in(request.options.get(DESCRIBE, ""))
        found = self._changed(request) if request.change is not None else []
        if names:
            found = [each for each in found if any(f".{each.key}".endswith(f".{name}") for name in names)]
            self.rejected = [
                each for each in self.rejected if any(f".{each.what}".endswith(f".{name}") for name in names)
            ]
        known = {each.key for each in found}
        wanted = [name for name in (*names, *described) if not any(f".{key}".endswith(f".{name}") for key in known)]
        found += [each for each in self._named(wanted) if each.key not in known] if wanted else []
        self.targets: Sequence[Target] = found[:_MOST_TARGETS]
        if len(found) > _MOST_TARGETS:
            self.notes.append(f"only the first {_MOST_TARGETS} of {len(found)} functions were looked at")
        where = "in the change" if request.change else "that the description names"
        self.nothing = f"no Python functions {where}"

    def source(self, path: str) -> bytes | None:
        """A file of the head, when it is not too large."""
        return _read(self._repository, self._head, path)

    def _changed(self, request: EngineRequest) -> list[Target]:
        assert request.change is not None
        found: list[Target] = []
        for file in request.change.files:
            if file.status is FileStatus.DELETED or not wants(file.path) or file.submodule:
                continue
            if request.paths is not None and file.path not in request.paths:
                continue
            place, content = place_of(file.path, self.paths), self.source(file.path)
            if place is None or content is None:
                self.rejected.append(Rejected(what=file.path, reason="is not a module that can be imported"))
                continue
            self.files[file.path] = file
            old = (
                _read(self._repository, request.change.merge_base, file.old_path) if request.change.merge_base else None
            )
            self._keep(changed_targets(place, file, content, old), found)
        return found

    def _named(self, names: Sequence[str]) -> list[Target]:
        found: list[Target] = []
        plain_names = [name.rpartition(".")[2].encode() for name in names]
        for path in sorted(filter(wants, self.paths)):
            content = self.source(path)
            place = place_of(path, self.paths)
            if place is not None and content is not None and any(name in content for name in plain_names):
                self._keep(every_target(place, content, names), found)
        return found

    def _keep(self, looked: tuple[Sequence[Target], Sequence[Rejected]], found: list[Target]) -> None:
        found.extend(looked[0])
        self.rejected.extend(looked[1])


def _material(
    request: EngineRequest, repository: Repository, tools: Tools, deadline: Deadline, base: str, looked: _Looked
) -> Material:
    change = request.change
    touched = [file for file in (change.files if change else ()) if PurePosixPath(file.path).name == "conftest.py"]
    conftests = {file.path: _read(repository, base, file.path) if base else None for file in touched}
    before: dict[str, Place] = {}
    for path in {target.place.path for target in looked.targets}:
        old_path = looked.files[path].old_path if path in looked.files else path
        old, new = place_of(old_path, looked.base_paths), place_of(path, looked.paths)
        if old is not None and new is not None and old_path in looked.base_paths and old.module == new.module:
            before[path] = old
    # What moved to another module cannot be called by its name on the base.
    targets = [
        target if target.place.path in before or target.is_new else msgspec.structs.replace(target, is_new=True)
        for target in looked.targets
    ]
    head = Side(tools.tree(request.repository, request.head, sorted(looked.paths)), tools, deadline)
    older = Side(tools.tree(request.repository, base, sorted(looked.base_paths)), tools, deadline) if before else None
    return Material(
        head=head,
        base=older,
        texts=_texts(looked),
        sources={path: looked.source(path) or b"" for path in {target.place.path for target in targets}},
        before=before,
        conftests=conftests,
        targets=targets,
        rejected=looked.rejected,
    )


def _searched(
    material: Material, request: EngineRequest, tools: Tools, deadline: Deadline, looked: _Looked
) -> Material:
    """With the calls that pynguin found, where it is installed and was asked."""
    seconds = request.options.get(OPTION, "")
    if why := why_not(seconds):
        looked.notes.append(why)
        return material
    tools.progress("Searching with pynguin", 0, 5)
    places = dict.fromkeys(target.place for target in material.targets)
    texts, notes = searched(material.head, tools, deadline, places, int(seconds))
    looked.notes.extend(notes)
    return material._replace(texts={**material.texts, **texts})


def _texts(looked: _Looked) -> dict[str, str]:
    """Where calls may be shown: Python files and read-mes; the text of those past the cap is left out."""
    texts: dict[str, str] = {}
    left = _MOST_TEXT
    for path in sorted(looked.paths, key=lambda path: (not wants(path), path)):
        if not path.endswith(".py") and path.lower() not in _READ_ME:
            continue
        content = looked.source(path) if left > 0 else None
        texts[path] = (content or b"").decode(errors="replace")
        left -= len(content or b"")
    return texts


def _read(repository: Repository, revision: str, path: str) -> bytes | None:
    try:
        content = repository.read(revision, path)
    except TooLarge:
        return None
    return content if content is not None and len(content) <= _MOST_BYTES else None


def _verdict(made: Enrichment, targets: Sequence[Target], failed: Mapping[str, str]) -> tuple[EngineStatus, str]:
    files = {target.place.path for target in targets}
    if files and len(failed) == len(files):
        return EngineStatus.FAILED, f"no module could be run: {next(iter(failed.values()))}"
    score = made.score
    told = f"{counted(made.accepted, 'test')} accepted for {counted(len(made.functions), 'function')}"
    told += f", {score.killed_after} of {counted(score.mutants, 'mutant')} on changed lines killed"
    changes = sum(each.verdict is Verdict.CHANGES_BEHAVIOUR for each in made.attempts)
    told += f", {counted(changes, 'call')} with changed behaviour" if changes else ""
    if failed:
        path, why = next(iter(failed.items()))
        return EngineStatus.PARTIAL, f"{told}; {counted(len(failed), 'file')} could not be run: {path}: {why}"
    if not made.functions:
        return EngineStatus.NOT_RUN, f"no changed function can be tested: {made.attempts[0].reason}"
    return EngineStatus.CLEAN, told


def _metrics(made: Enrichment) -> tuple[Metric, ...]:
    return tuple(
        Metric(
            name="mutants_killed",
            value=float(each.score.killed_after),
            path=each.path,
            symbol=each.function,
            before=float(each.score.killed_before) if each.score.killed_before is not None else None,
        )
        for each in made.functions
    )


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
