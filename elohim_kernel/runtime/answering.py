"""One engine's answer to one request: what is known of equal content from the cache, the rest from the tool.

A cached result depends on the engine, its version, rules and code, our version, the language's, what the user set, the
settings in the base of the repository, and the content at its path. What depends on the change is never cached. Which
findings are new is told here too: by looking at the base's version of the files that have findings.
"""

import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache as once
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from elohim_kernel import model
from elohim_kernel.model.change import Change, FileStatus
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Metric
from elohim_kernel.model.judges import JudgeKind, judge_of
from elohim_kernel.model.matching import match
from elohim_kernel.model.value import Value
from elohim_kernel.ports import Engine, EngineRequest, Scope, Tools
from elohim_kernel.runtime.cache import EngineCache
from elohim_kernel.runtime.repository import GitRepository
from elohim_kernel.version import __version__

BASE_RUN: Final = "base_run"
"""The option that lets engines that need a whole tree look at the base too: {"base_run": "yes"}."""

_SETTINGS: Final = (JudgeKind.IGNORES, JudgeKind.BASELINE, JudgeKind.ATTRIBUTES, JudgeKind.TOOL_SETTINGS)
_CONCLUSIVE: Final = (EngineStatus.FINDINGS, EngineStatus.CLEAN)
_FOLDER_CAP: Final = 10_000

T = TypeVar("T")
Json = Mapping[str, Any]  # what an engine says besides findings and metrics: JSON, hence Any


class Asked(NamedTuple):
    """One question to one engine, and what is needed to answer it. `cache` None: nothing is remembered."""

    engine: Engine
    request: EngineRequest
    tools: Tools
    opened: Callable[[str], GitRepository]
    cache: EngineCache | None = None
    today: str = ""  # a date: results that age are kept for a day

    @property
    def repository(self) -> GitRepository:
        """The repository the request is about. Raises `Invalid` when there is none."""
        return self.opened(self.request.repository)

    def about(self, **fields: Any) -> "Asked":  # fields of `EngineRequest`
        """The same engine, asked about something else."""
        return self._replace(request=replace(self.request, **fields))


class _Entry(Value, frozen=True):
    """What an engine said of one file."""

    findings: tuple[Finding, ...] = ()
    metrics: tuple[Metric, ...] = ()
    data: Mapping[str, list[Json]] = {}


class _About(Value, frozen=True):
    """What an engine said of its work on files, whichever they were."""

    rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    version: str = ""


def answer(asked: Asked) -> EngineReport:
    """Look, as far as that was not done before. Raises what the engine raises."""
    traits = asked.engine.TRAITS
    known = asked.engine.version() or traits.rules
    if asked.cache is None or traits.network or traits.executes or not known or traits.scope is Scope.CHANGE:
        return asked.engine.run(asked.request, asked.tools)
    wanted = [path for path in asked.request.candidates(asked.repository) if asked.engine.wants(path)]
    if not wanted:
        return asked.engine.run(asked.request, asked.tools)
    if traits.scope is Scope.TREE:
        return _answer_for_tree(asked, wanted, asked.cache)
    return _answer_by_file(asked, wanted, asked.cache)


def compared(asked: Asked, report: EngineReport) -> EngineReport:
    """The report with `is_new` filled in: not there on the merge base, by identity.

    Where the base is not looked at, or could not be, whether the line is new decides.
    """
    change = asked.request.change
    if change is None or not report.findings:
        return report
    before = _findings_before(asked, report, change)
    if before is None:
        return _with_new(report, lambda finding: finding.is_new or finding.on_changed_line)
    findings, unseen = before
    paired = {id(pair.current) for pair in match(findings, report.findings, change.renames).pairs}
    origins = {file.path: file.old_path for file in change.files}
    return _with_new(
        report,
        lambda finding: (
            finding.on_changed_line if origins.get(finding.path, finding.path) in unseen else id(finding) not in paired
        ),
    )


def _with_new(report: EngineReport, is_new: Callable[[Finding], bool]) -> EngineReport:
    return replace(report, findings=tuple(replace(each, is_new=is_new(each)) for each in report.findings))


def _findings_before(
    asked: Asked, report: EngineReport, change: Change
) -> tuple[Sequence[Finding], frozenset[str]] | None:
    """What the engine finds on the merge base, and the files it could not look at there; `None`: it was not asked."""
    scope = asked.engine.TRAITS.scope
    if scope is Scope.CHANGE:
        return None
    if not change.merge_base:
        return (), frozenset()
    there = asked.about(head=change.merge_base, change=None)
    if scope is Scope.TREE:
        base = answer(there) if asked.request.options.get(BASE_RUN) == "yes" else _recalled(there)
        return (base.findings, frozenset()) if base is not None and base.status in _CONCLUSIVE else None
    with_findings = {finding.path for finding in report.findings}
    origins = {file.path: file.old_path for file in change.files if file.status is not FileStatus.ADDED}
    paths = sorted({origins[path] for path in with_findings & origins.keys()})
    if not paths:
        return (), frozenset()
    base = answer(there.about(paths=tuple(paths)))
    return base.findings, frozenset(paths) - set(base.covered)


def _answer_by_file(asked: Asked, wanted: Sequence[str], cache: EngineCache) -> EngineReport:
    blobs = asked.repository.blob_ids(asked.request.head, wanted)
    prefix = _prefix(asked)
    keys = {path: _key(prefix, path, blob) for path, blob in blobs.items()}
    about_key = _key(prefix, "about")
    stored = cache.get([about_key, *keys.values()])
    known = {path: entry for path, key in keys.items() if (entry := _decoded(stored.get(key), _Entry)) is not None}
    about = _decoded(stored.get(about_key), _About) or _About()
    rest = tuple(path for path in wanted if path not in known)
    if not rest:
        return _merged(asked, known, about, None)
    fresh = asked.engine.run(replace(asked.request, paths=rest), asked.tools)
    made = _entries(fresh, rest)
    if made is not None:
        told = _About(rules=fresh.rules, notes=fresh.notes, version=fresh.version)
        rows = {keys[path]: msgspec.msgpack.encode(entry) for path, entry in made.items() if path in keys}
        cache.put({about_key: msgspec.msgpack.encode(told), **rows})
    for path in fresh.covered:
        known.pop(path, None)  # it looked at more than it was asked for: what it says now counts
    return _merged(asked, known, about, fresh)


def _merged(asked: Asked, known: Mapping[str, _Entry], about: _About, fresh: EngineReport | None) -> EngineReport:
    gone = _gone(asked)
    if fresh is None:
        fresh = EngineReport(
            engine=asked.engine.NAME, status=EngineStatus.CLEAN, reason="", version=about.version, rules=about.rules
        )
    if not known or fresh.status is EngineStatus.NOT_RUN:
        return replace(fresh, covered=tuple(sorted({*fresh.covered, *gone}))) if fresh.covered else fresh
    findings = (*fresh.findings, *(finding for entry in known.values() for finding in entry.findings))
    earlier = f"{len(known):,} {'file' if len(known) == 1 else 'files'} answered from earlier runs on the same content"
    status = fresh.status
    if status in _CONCLUSIVE:
        status = EngineStatus.FINDINGS if findings else EngineStatus.CLEAN
    data: dict[str, Any] = dict(fresh.data)
    for entry in known.values():
        for name, items in entry.data.items():
            data[name] = [*data.get(name, ()), *items]
    return replace(
        fresh,
        status=status,
        reason="; ".join(part for part in (fresh.reason, earlier) if part),
        files=fresh.files + len(known),
        cached=len(known),
        covered=tuple(sorted({*fresh.covered, *known, *gone})),
        findings=tuple(sorted(findings, key=_place)),
        metrics=(*fresh.metrics, *(metric for entry in known.values() for metric in entry.metrics)),
        notes=tuple(dict.fromkeys((*fresh.notes, *about.notes))),
        data=data,
    )


def _place(finding: Finding) -> tuple[str, int, int, str, str]:
    return (finding.path, finding.line, finding.column, finding.rule, finding.message)


def _gone(asked: Asked) -> set[str]:
    """Names that the change took away: what was found under them is there no more."""
    files = asked.request.change.files if asked.request.change else ()
    taken = {file.path for file in files if file.status is FileStatus.DELETED}
    taken |= {file.old_path for file in files if file.status is FileStatus.RENAMED}
    return {path for path in taken if asked.engine.wants(path)}


def _entries(report: EngineReport, paths: Iterable[str]) -> dict[str, _Entry] | None:
    """What may be remembered, by file; `None` when what was said cannot be told apart by file, or is not all."""
    partly = report.status is EngineStatus.PARTIAL and report.skipped
    if report.status not in _CONCLUSIVE and not partly:
        return None
    analysed = set(report.covered) - set(report.skipped)
    sure = analysed & set(paths)
    findings: dict[str, list[Finding]] = defaultdict(list)
    metrics: dict[str, list[Metric]] = defaultdict(list)
    data: dict[str, dict[str, list[Json]]] = defaultdict(lambda: defaultdict(list))
    for finding in report.findings:
        findings[finding.path].append(finding)
    for metric in report.metrics:
        metrics[metric.path].append(metric)
    for name, items in report.data.items():
        if not isinstance(items, list | tuple):
            return None
        for item in items:
            if not isinstance(item, Mapping) or "path" not in item:
                return None
            data[str(item["path"])][name].append(item)
    strangers = {*findings, *metrics, *data} - analysed - set(report.skipped)
    if strangers:
        return None
    return {
        path: _Entry(findings=tuple(findings[path]), metrics=tuple(metrics[path]), data=data[path]) for path in sure
    }


def _answer_for_tree(asked: Asked, wanted: Sequence[str], cache: EngineCache) -> EngineReport:
    key = _tree_key(asked, wanted)
    known = _decoded(cache.get([key]).get(key), EngineReport)
    if known is not None:
        return replace(
            known,
            reason=f"{known.reason}; answered from an earlier run on the same content",
            cached=known.files,
            cpu_seconds=0.0,
            isolation="",
        )
    fresh = asked.engine.run(asked.request, asked.tools)
    if fresh.status in _CONCLUSIVE and not fresh.skipped:
        cache.put({key: msgspec.msgpack.encode(fresh)})
    return fresh


def _recalled(asked: Asked) -> EngineReport | None:
    """What an engine said of a whole tree before, if that is remembered."""
    if asked.cache is None or asked.engine.TRAITS.network:
        return None
    wanted = [path for path in asked.request.candidates(asked.repository) if asked.engine.wants(path)]
    key = _tree_key(asked, wanted)
    return _decoded(asked.cache.get([key]).get(key), EngineReport)


def _tree_key(asked: Asked, wanted: Sequence[str]) -> str:
    every = asked.repository.blob_ids(asked.request.head)
    content = hashlib.sha256()
    for path, blob in every.items():
        if asked.engine.wants(path):
            content.update(f"{path}\0{blob}\0".encode(errors="replace"))
    for path in wanted:
        content.update(f"{path}\0".encode(errors="replace"))
    day = asked.today if asked.engine.TRAITS.security else ""  # advisories grow old
    return _key(_prefix(asked), "tree", content.hexdigest(), day)


def _prefix(asked: Asked) -> str:
    engine, request = asked.engine, asked.request
    return _key(
        engine.NAME,
        engine.version(),
        engine.TRAITS.rules,
        _code_of(str(getattr(engine, "__file__", ""))),
        __version__,
        f"{sys.version_info.major}.{sys.version_info.minor}",
        asked.tools.keyed_hash(b"cache"),  # hashes of secrets are of no use under another key
        *(f"{name}={value}\0{_state_of(value)}" for name, value in sorted(request.options.items())),
        _settings(asked.repository, request.base) if request.base else "",
    )


def _settings(repository: GitRepository, base: str) -> str:
    """What the repository says there about its tools: an engine may read it, so what it found depends on it."""
    judges = ((path, blob, judge_of(path)) for path, blob in repository.blob_ids(base).items())
    return _key(*(f"{path}\0{blob}" for path, blob, judge in judges if judge is not None and judge.kind in _SETTINGS))


@once
def _code_of(module: str) -> str:
    """The state of the code behind an engine: of a wheel it never changes, of a checkout it does."""
    folders = {Path(model.__file__ or "").parent, Path(__file__).parents[1] / "engines"}
    files = [each for folder in folders for each in sorted(folder.glob("*.py"))]
    return _key(*(_state(file) for file in (*files, Path(module)) if file.is_file()))


def _state_of(value: str) -> str:
    """The state of the file or folder that an option names; "" when it names none."""
    place = Path(value)
    if "/" not in value or not place.exists():
        return ""
    files = [place] if place.is_file() else sorted(place.rglob("*"))[:_FOLDER_CAP]
    return _key(*(_state(file) for file in files))


def _state(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return f"{file}: gone"
    return f"{file} {found.st_size} {found.st_mtime_ns}"


def _key(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()[:40]


def _decoded(content: bytes | None, kind: type[T]) -> T | None:
    if content is None:
        return None
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None  # written by another version of us
