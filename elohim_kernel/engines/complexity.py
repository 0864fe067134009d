"""How many paths each touched function has, before and after: lizard on the changed files of both commits.

Contents come from the object store and are read by a child process with a deadline (`_lizard_child`). A function counts
as touched when the change has a line in it, or when its number differs; only those are reported.
"""

import importlib.metadata
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.errors import TooLarge
from elohim_kernel.model.change import Change, FileChange, FileStatus
from elohim_kernel.model.finding import EngineReport, EngineStatus, Metric
from elohim_kernel.model.fingerprint import PYTHON_SUFFIXES, Symbols
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.ports import EngineRequest, EngineTraits, Repository, Scope, Tools

NAME = "complexity"
LABEL = "Cyclomatic complexity (lizard)"
TRAITS = EngineTraits(scope=Scope.CHANGE, cost=400, default=False)

METRIC: Final = "cyclomatic_complexity"
WORTH_TELLING: Final = 10
"""Without a change, only functions with more paths than this are reported."""

MAX_BYTES: Final = 512 * 1024
MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
# fmt: off
_SUFFIXES: Final = frozenset((
    ".c", ".cc", ".cpp", ".cs", ".cxx", ".erl", ".go", ".h", ".hpp", ".java", ".js", ".jsx", ".kt", ".kts", ".lua",
    ".m", ".mjs", ".mm", ".php", ".pl", ".pm", ".py", ".pyw", ".r", ".rb", ".rs", ".scala", ".swift", ".ts", ".tsx",
))
# fmt: on
_CHILD: Final = str(Path(__file__).with_name("_lizard_child.py"))


class _Function(msgspec.Struct, frozen=True):
    name: str
    first: int
    last: int
    branches: int


class _Answer(msgspec.Struct, frozen=True):
    side: str
    path: str
    functions: tuple[_Function, ...]
    problem: str


def available() -> str | None:
    """None when lizard is installed; otherwise what to install."""
    if importlib.util.find_spec("lizard") is None:
        return "lizard is not installed; pip install 'elohim_kernel[engines]'"
    return None


def version() -> str:
    """Lizard's version; "" when it is not here."""
    return importlib.metadata.version("lizard") if available() is None else ""


def wants(path: str) -> bool:
    """Sources and tests in a language lizard reads."""
    return _is_read(path)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Measure the changed files at head and at the merge base, or all files at head when there is no change."""
    began = monotonic()
    repository = tools.repository(request.repository)
    files = _files(request, repository)
    if not files:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no source files lizard reads {where}", began)
    origins = [file.old_path for file in files if file.status is not FileStatus.ADDED]
    start = request.change.merge_base if request.change else ""
    now = _texts(repository, request.head, [file.path for file in files])
    then = _texts(repository, start, origins) if start else {}
    answers, problem = _ask(tools, {"now": now, "then": then}, request.timeout_s)
    measured = {
        path: _named(path, text, answers["now", path]) for path, text in now.items() if ("now", path) in answers
    }
    before = {
        path: _named(path, text, answers["then", path]) for path, text in then.items() if ("then", path) in answers
    }
    unsure = {path for path in origins if start and path not in before}
    metrics: list[Metric] = []
    for file in files:
        if file.path in measured and file.old_path not in unsure:
            old = before.get(file.old_path, {}) if file.status is not FileStatus.ADDED else {}
            metrics.extend(_metrics(file, measured[file.path], old, request.change))
    skipped = tuple(file.path for file in files if file.path not in measured or file.old_path in unsure)
    status, reason = _verdict(len(files) - len(skipped), skipped, len(metrics), problem)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=importlib.metadata.version("lizard"),
        files=len(files) - len(skipped),
        skipped=skipped,
        metrics=tuple(metrics),
    )


def _files(request: EngineRequest, repository: Repository) -> list[FileChange]:
    if request.change is not None:
        files = [file for file in request.change.files if file.status is not FileStatus.DELETED and not file.submodule]
    else:
        every = repository.paths(request.head)
        files = [FileChange(path=path, old_path=path, status=FileStatus.ADDED) for path in every]
    return [file for file in files if not file.binary and _is_read(file.path)]


def _is_read(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in _SUFFIXES and kind_of(path) in (PathKind.SOURCE, PathKind.TEST)


def _texts(repository: Repository, revision: str, paths: Sequence[str]) -> Mapping[str, str]:
    """Path to text; what is too large, or more than fits in all, is left out and so counts as skipped."""
    texts: dict[str, str] = {}
    left = MAX_TOTAL_BYTES
    for path in paths:
        try:
            content = repository.read(revision, path)
        except TooLarge:
            continue
        if content is not None and len(content) <= min(MAX_BYTES, left):
            texts[path] = content.decode(errors="replace")
            left -= len(content)
    return texts


def _ask(
    tools: Tools, sides: Mapping[str, Mapping[str, str]], timeout_s: float
) -> tuple[Mapping[tuple[str, str], _Answer], str]:
    """What lizard said of each (side, path) it could read, and why it stopped early; "" when it did not."""
    asked = [(side, path, text) for side, texts in sides.items() for path, text in texts.items()]
    argv = (sys.executable, "-I", _CHILD)
    completed = tools.run(argv, cwd=tools.scratch, timeout_s=timeout_s, stdin=msgspec.json.encode(asked))
    answers: dict[tuple[str, str], _Answer] = {}
    for line in completed.stdout.splitlines():
        try:
            answer = msgspec.json.decode(line, type=_Answer)
        except msgspec.DecodeError:
            break  # cut off by the deadline: the rest counts as skipped
        if not answer.problem:
            answers[answer.side, answer.path] = answer
    if completed.exit_code == 0:
        return answers, ""
    said = completed.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
    return answers, completed.reason or f"exit code {completed.exit_code} {said}".strip()


def _metrics(
    file: FileChange, now: Mapping[str, _Function], before: Mapping[str, _Function], change: Change | None
) -> Iterable[Metric]:
    comparable = _same_number(now, before)
    for symbol, function in now.items():
        old = float(before[symbol].branches) if symbol in before and _name(symbol) in comparable else None
        if change is None:
            told = function.branches > WORTH_TELLING
        else:
            told = file.touches(function.first, function.last) or (old is not None and old != function.branches)
        if told:
            yield Metric(name=METRIC, value=float(function.branches), path=file.path, symbol=symbol, before=old)


def _named(path: str, text: str, answer: _Answer) -> dict[str, _Function]:
    """By dotted name; the second function of a name is `name#2`."""
    symbols = Symbols(text.encode().splitlines()) if path.endswith(PYTHON_SUFFIXES) else None
    seen: Counter[str] = Counter()
    named: dict[str, _Function] = {}
    for each in answer.functions:
        name = (symbols.at(each.first) if symbols else "") or each.name
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name}#{seen[name]}"] = each
    return named


def _name(symbol: str) -> str:
    return symbol.partition("#")[0]


def _same_number(now: Mapping[str, _Function], before: Mapping[str, _Function]) -> set[str]:
    """Names that stand for as many functions before as now: otherwise the second of a name may be another function."""
    counted_now, counted_before = Counter(map(_name, now)), Counter(map(_name, before))
    return {name for name, number in counted_now.items() if counted_before[name] == number}


def _verdict(measured: int, skipped: Sequence[str], functions: int, problem: str) -> tuple[EngineStatus, str]:
    if problem and not measured:
        return EngineStatus.FAILED, f"lizard did not finish: {problem}"
    what = f"{measured:,} files measured, {functions:,} functions worth telling"
    if skipped:
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        why = f" ({problem})" if problem else ""
        return EngineStatus.PARTIAL, f"{what}, {len(skipped):,} skipped{why}: {', '.join(skipped[:3])}{more}"
    return EngineStatus.CLEAN, what


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
