"""Mypy on the Python files of a change, with our settings: no plugin, and no package but the repository's own sources.

A repository that asks for type checking hears all errors; any other only those that mean a defect at run time. What it
asks for is read as data from the base revision (`_mypy_settings`). The work is done by `_mypy_child`, which also keeps
one file that does not parse from stopping everything.
"""

import importlib.metadata
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.engines._mypy_settings import TypingSettings, typing_settings
from elohim_kernel.errors import TooLarge
from elohim_kernel.model.change import FileStatus
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.rules import judged
from elohim_kernel.model.suppression import silencing, suppressions
from elohim_kernel.ports import Completed, EngineRequest, EngineTraits, Repository, Scope, Tools

NAME = "mypy"
LABEL = "Mypy (Python types)"
TRAITS = EngineTraits(scope=Scope.TREE, cost=6000, rules="1")

DEFECTS: Final = frozenset(
    {
        "await-not-async",
        "exit-return",
        "return",
        "str-bytes-safe",
        "str-format",
        "syntax",
        "truthy-function",
        "unused-awaitable",
        "unused-coroutine",
        "used-before-def",
    }
)
"""Error codes worth hearing where nobody asked for type checking: right even when no dependency is known."""

_NEVER: Final = frozenset({"annotation-unchecked", "import", "import-not-found", "import-untyped", "unused-ignore"})
_SUFFIXES: Final = (".py", ".pyi")
_CHILD: Final = (sys.executable, "-I", str(Path(__file__).with_name("_mypy_child.py")))
_NEWEST: Final = "3.14"
_MEMORY_MB: Final = 4096
_CANARY: Final = "elohim_canary.py"
_LITERAL: Final = re.compile(r"(Literal\[[^\]]*?)('|\")[^'\"]{8,}\2")
_ATTRIBUTE: Final = re.compile(r'^Name "\w+\.')
_OPTIONS: Final = (
    "--output=json",
    "--no-site-packages",
    "--ignore-missing-imports",
    "--follow-imports=silent",
    "--show-error-codes",
    "--no-warn-unused-configs",
    # A cache goes by module names, and two rounds may see two files of one name.
    "--no-incremental",
    f"--cache-dir={os.devnull}",
)


class _Message(msgspec.Struct, frozen=True):
    """One line of mypy's output."""

    file: str
    line: int
    column: int
    message: str
    severity: str
    code: str | None = None
    hint: str | None = None
    end_line: int = 0


class _Round(msgspec.Struct, frozen=True):
    paths: tuple[str, ...]
    output: str


class _Answer(msgspec.Struct, frozen=True):
    rounds: tuple[_Round, ...]
    skipped: Mapping[str, str]
    excluded: tuple[str, ...]
    problem: str


class _Stopped(Exception):
    """Mypy did not do its work; the text says why."""


def available() -> str | None:
    """None when mypy is installed beside us; otherwise what to install."""
    if importlib.util.find_spec("mypy") is None:
        return "mypy is not installed; pip install 'elohim_kernel[engines]'"
    return None


def version() -> str:
    """Mypy's version; "" when it is not here."""
    return importlib.metadata.version("mypy") if available() is None else ""


def wants(path: str) -> bool:
    """Python sources and stubs."""
    return path.endswith(_SUFFIXES)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Check the changed Python files at head, or all of them when the request has no change."""
    began = monotonic()
    missing = available()
    if missing is not None:
        return _report(EngineStatus.NOT_RUN, missing, began)
    repository = tools.repository(request.repository)
    wanted = [path for path in request.candidates(repository) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no Python files {where}", began)
    there = [path for path in repository.paths(request.head) if wants(path)]
    settings = typing_settings(lambda name: _setting(repository, request.base, name))
    asks = bool(settings.file) or _asks(repository, request.head)
    tree = tools.tree(request.repository, request.head, there)
    there_now = set(tree.paths)
    sources = [path for path in wanted if path in there_now and settings.means(path)]
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="mypy-") as folder:
        ended = _child(Path(folder).resolve(), tree.root, sources, tree.paths, settings, request.timeout_s, tools)
    try:
        answer, messages = _read(ended)
    except _Stopped as why:
        stopped = _report(EngineStatus.FAILED, str(why), began)
        return msgspec.structs.replace(stopped, isolation=tools.isolation, cpu_seconds=ended.cpu_seconds)
    checked = {path for each in answer.rounds for path in each.paths}
    found = [each for each in messages if each.file in checked and _is_told(each, settings, asks=asks)]
    texts = {path: (Path(tree.root) / path).read_bytes() for path in {each.file for each in found}}
    left_out = {*answer.excluded, *(path for path in wanted if not settings.means(path))}
    skipped = tuple(path for path in wanted if path not in checked | left_out)
    gone = [file.path for file in (request.change.files if request.change else ()) if file.status is FileStatus.DELETED]
    status, reason = _verdict(len(checked), skipped, len(found), answer, asks=asks)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=version(),
        files=len(checked),
        covered=tuple(sorted(checked.union(filter(wants, gone)))),
        skipped=skipped,
        findings=fingerprinted(_findings(found, texts), texts),
        isolation=tools.isolation,
        cpu_seconds=round(ended.cpu_seconds, 4),
        notes=(f"{len(left_out):,} files left out by {settings.file} of the base revision",) if left_out else (),
    )


def _setting(repository: Repository, revision: str, name: str) -> bytes | None:
    if not revision:
        return None
    try:
        return repository.read(revision, name)
    except TooLarge:
        return None


def _asks(repository: Repository, revision: str) -> bool:
    """Whether the repository shows at `revision` that it wants its types checked: a mark, or settings for mypy."""
    if any(path == "py.typed" or path.endswith("/py.typed") for path in repository.paths(revision)):
        return True
    return bool(typing_settings(lambda name: _setting(repository, revision, name)).file)


def _child(
    folder: Path,
    root: str,
    sources: Sequence[str],
    context: Sequence[str],
    settings: TypingSettings,
    timeout_s: float,
    tools: Tools,
) -> Completed:
    into = folder / "sources"
    into.mkdir()
    ours = folder / "mypy.ini"
    ours.write_text("[mypy]\n")
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    target = settings.python_version or running
    options = [*_OPTIONS, f"--config-file={ours}", f"--python-version={target}"]
    canary = _CANARY
    while canary in context:
        canary = f"_{canary}"
    asked = {
        "root": root,
        "into": str(into),
        "sources": sources,
        "context": context,
        "exclude": settings.exclude,
        "options": [*options, *settings.switches],
        "newest": "" if settings.python_version else _NEWEST,
        "canary": canary,
    }
    return tools.run(
        _CHILD,
        cwd=folder,
        timeout_s=timeout_s,
        stdin=msgspec.json.encode(asked),
        memory_mb=_MEMORY_MB,
        writable=(folder,),
    )


def _read(ended: Completed) -> tuple[_Answer, list[_Message]]:
    """What the child answered, with the canary heard in every round and taken out."""
    if ended.reason or ended.exit_code != 0:
        said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise _Stopped(f"mypy did not finish: {ended.reason or f'exit code {ended.exit_code}'} {said}".strip())
    try:
        answer = msgspec.json.decode(ended.stdout, type=_Answer)
        rounds = [
            [msgspec.json.decode(line, type=_Message) for line in each.output.splitlines()] for each in answer.rounds
        ]
    except msgspec.DecodeError as wrong:
        raise _Stopped(f"mypy's output is not what we read: {wrong}") from None
    if not rounds and answer.problem:
        raise _Stopped(f"mypy did not finish: {answer.problem}")
    for messages in rounds:
        if not any(each.file.endswith(_CANARY) and each.code == "assignment" for each in messages):
            raise _Stopped("mypy did not report an error that was put there to see whether it looks")
    return answer, [each for messages in rounds for each in messages]


def _is_told(message: _Message, settings: TypingSettings, *, asks: bool) -> bool:
    code = message.code or "misc"
    if message.severity != "error" or code in _NEVER or code in settings.disabled:
        return False
    if code == "name-defined" and _ATTRIBUTE.search(message.message):
        return False  # a base class out of a dependency, which is not here
    return asks or code in DEFECTS


def _findings(messages: Sequence[_Message], sources: Mapping[str, bytes]) -> Iterator[Finding]:
    comments = {path: suppressions(path, source) for path, source in sources.items()}
    for each in messages:
        code = each.code or "misc"
        ruling = judged(NAME, code)
        finding = Finding(
            rule=code,
            severity=ruling.severity,
            message=_LITERAL.sub(r"\1\2…\2", each.message),
            path=each.file,
            line=max(0, each.line),
            end_line=max(0, each.end_line),
            column=max(0, each.column + 1),
            tool=NAME,
            confidence=ruling.confidence,
            category=ruling.category,
            cwe=ruling.cwe,
            remediation=_LITERAL.sub(r"\1\2…\2", each.hint or ruling.help),
            tool_severity=each.severity,
        )
        silent = silencing(finding, comments[each.file])
        yield msgspec.structs.replace(finding, suppressed=silent.text) if silent else finding


def _verdict(
    checked: int, skipped: Sequence[str], findings: int, answer: _Answer, *, asks: bool
) -> tuple[EngineStatus, str]:
    if not checked and not skipped:
        return EngineStatus.NOT_RUN, "the repository's settings for mypy leave out every file"
    files = f"{checked:,} Python {'file' if checked == 1 else 'files'} checked"
    if not asks:
        files += ", told are only defects: the repository does not ask for type checking"
    if skipped or answer.problem:
        first = [f"{path} ({answer.skipped.get(path, 'not checked')[:80]})" for path in skipped[:3]]
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        why = f"; mypy stopped: {answer.problem}" if answer.problem else ""
        return EngineStatus.PARTIAL, f"{files}; {len(skipped):,} could not be: {', '.join(first)}{more}{why}"
    if findings:
        return EngineStatus.FINDINGS, files
    return EngineStatus.CLEAN, f"{files}, the error put there as a proof was the only one"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
