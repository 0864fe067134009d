"""Bandit on the Python files of a change, with our settings: no ini file, no baseline and no `nosec` of the repository.

Bandit answers 0 for files it could not parse, did not find, or left out because their path holds `.git`: so a file
counts as analysed only when it is among bandit's metrics and not among its errors. A file written for a newer Python
than the running one is analysed as a copy in the older spelling (`_bandit_source`), line by line the same.
"""

import importlib.metadata
import importlib.util
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.model.change import FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import MASKED_CATEGORY, PYTHON_SUFFIXES, fingerprinted
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.rules import judged
from elohim_kernel.model.suppression import silencing, suppressions
from elohim_kernel.ports import Completed, EngineRequest, EngineTraits, Scope, Tools, Tree

NAME = "bandit"
LABEL = "Bandit (Python security)"
TRAITS = EngineTraits(scope=Scope.FILE, cost=3000, security=True, rules="1")

LEFT_OUT: Final = ("B101", "B105", "B106", "B107")
"""Not asked for: asserts, and names that sound like passwords, which the engines for secrets judge by the value."""

_COMMAND: Final = (sys.executable, "-I", "-m", "bandit", "-q", "-f", "json", "-n", "1", "--ignore-nosec", "-x", "")
_OLDER: Final = str(Path(__file__).with_name("_bandit_source.py"))
_UNPARSED: Final = "syntax error while parsing AST from file"
_ARGUMENT_BYTES: Final = 256 * 1024


class _Cwe(msgspec.Struct, frozen=True):
    id: int = 0


class _Result(msgspec.Struct, frozen=True):
    """The fields we read of one result; `code` is left out, for it is the repository's text."""

    filename: str
    test_id: str
    test_name: str
    issue_text: str
    issue_severity: str
    issue_confidence: str
    line_number: int
    line_range: tuple[int, ...] = ()
    col_offset: int = -1
    issue_cwe: _Cwe = _Cwe()
    more_info: str = ""


class _Error(msgspec.Struct, frozen=True):
    filename: str
    reason: str


class _Lines(msgspec.Struct, frozen=True):
    loc: int = 0


class _Output(msgspec.Struct, frozen=True):
    results: tuple[_Result, ...]
    errors: tuple[_Error, ...]
    metrics: Mapping[str, _Lines]


class _Stopped(Exception):
    """Bandit did not do its work; the text says why."""


def available() -> str | None:
    """None when bandit is installed beside us; otherwise what to install."""
    if importlib.util.find_spec("bandit") is None:
        return "bandit is not installed; pip install 'elohim_kernel[engines]'"
    return None


def version() -> str:
    """Bandit's version; "" when it is not here."""
    return importlib.metadata.version("bandit") if available() is None else ""


def wants(path: str) -> bool:
    """Python files."""
    return path.endswith(PYTHON_SUFFIXES)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Analyse the changed Python files at head, or all of them when the request has no change."""
    began = monotonic()
    missing = available()
    if missing is not None:
        return _report(EngineStatus.NOT_RUN, missing, began)
    wanted = [path for path in request.candidates(tools.repository(request.repository)) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no Python files {where}", began)
    tree = tools.tree(request.repository, request.head, wanted)
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="bandit-") as folder:
        seen = _Seen(Path(folder).resolve(), request.timeout_s, tools)
        try:
            seen.look(tree)
        except _Stopped as why:
            return _report(EngineStatus.FAILED, str(why), began, tools.isolation)
        findings = [_finding(each, path, seen) for path, each in seen.results]
    skipped = tuple(path for path in wanted if path not in seen.analysed)
    gone = [file.path for file in (request.change.files if request.change else ()) if file.status is FileStatus.DELETED]
    status, reason = _verdict(len(seen.analysed), skipped, len(findings), seen)
    return msgspec.structs.replace(
        _report(status, reason, began, tools.isolation),
        version=version(),
        files=len(seen.analysed),
        covered=tuple(sorted(seen.analysed.union(filter(wants, gone)))),
        skipped=skipped,
        findings=fingerprinted(_with_suppressions(findings, seen.sources), seen.sources),
        cpu_seconds=round(seen.cpu_seconds, 4),
    )


class _Seen:
    """What bandit proved and said about the files of a tree."""

    def __init__(self, folder: Path, timeout_s: float, tools: Tools) -> None:
        self._folder, self._tools = folder, tools
        self._deadline = monotonic() + timeout_s
        self.cpu_seconds = 0.0
        self.analysed: set[str] = set()
        self.results: list[tuple[str, _Result]] = []
        self.respelled: dict[str, bytes] = {}  # path to the text that was analysed in its place
        self.sources: dict[str, bytes] = {}

    def look(self, tree: Tree) -> None:
        """Analyse all files; those that do not parse once more, in the older spelling."""
        unparsed = self._analyse(Path(tree.root), tree.paths)
        if unparsed:
            into = self._folder / "older"
            into.mkdir()
            respelled = self._respell(Path(tree.root), into, unparsed)
            self.respelled = {path: (into / path).read_bytes() for path in respelled}
            self._analyse(into, respelled)
        self.sources = {path: (Path(tree.root) / path).read_bytes() for path in {path for path, _ in self.results}}

    def _analyse(self, root: Path, paths: Sequence[str]) -> list[str]:
        """Run bandit; the paths that it could not parse."""
        settings = self._folder / "bandit.yaml"
        settings.write_text("{}\n")
        unparsed: list[str] = []
        for batch in _batches(paths):
            names = {f"./{path}" for path in batch}
            argv = (*_COMMAND, "-c", str(settings), "-s", ",".join(LEFT_OUT), *sorted(names))
            output = _decoded(self._child(argv, root, (0, 1)))
            wrong = {_path(each.filename): each.reason for each in output.errors}
            self.analysed.update(path for path in map(_path, output.metrics) if path in batch and path not in wrong)
            self.results.extend((_path(each.filename), each) for each in output.results)
            unparsed.extend(path for path, reason in wrong.items() if reason == _UNPARSED and path in batch)
        return sorted(unparsed)

    def _respell(self, root: Path, into: Path, paths: Sequence[str]) -> Sequence[str]:
        asked = msgspec.json.encode({"root": str(root), "into": str(into), "paths": paths})
        ended = self._child((sys.executable, "-I", _OLDER), root, (0,), stdin=asked)
        try:
            return msgspec.json.decode(ended.stdout, type=list[str])
        except msgspec.DecodeError as wrong:
            raise _Stopped(f"the older spelling of {len(paths)} files could not be read: {wrong}") from None

    def _child(self, argv: Sequence[str], cwd: Path, usual: Sequence[int], stdin: bytes = b"") -> Completed:
        left_s = self._deadline - monotonic()
        ended = self._tools.run(argv, cwd=cwd, timeout_s=left_s, stdin=stdin, writable=(self._folder,))
        self.cpu_seconds += ended.cpu_seconds
        if ended.reason or ended.exit_code not in usual:
            reason = ended.reason or f"exit code {ended.exit_code}"
            raise _Stopped(f"bandit did not finish: {reason} {_last_words(ended)}".strip())
        return ended


def _decoded(ended: Completed) -> _Output:
    try:
        return msgspec.json.decode(ended.stdout, type=_Output)
    except msgspec.DecodeError as wrong:
        raise _Stopped(f"bandit's output is not what we read: {_last_words(ended) or wrong}") from None


def _last_words(ended: Completed) -> str:
    return ended.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]


def _batches(paths: Sequence[str]) -> Iterator[frozenset[str]]:
    """Paths in groups that fit on a command line."""
    batch: set[str] = set()
    size = 0
    for path in paths:
        size += len(path.encode()) + 16
        if size > _ARGUMENT_BYTES and batch:
            yield frozenset(batch)
            batch, size = set(), len(path.encode()) + 16
        batch.add(path)
    if batch:
        yield frozenset(batch)


def _path(name: str) -> str:
    """Bandit puts `./` before what it was given; the path itself has no such parts."""
    return str(PurePosixPath(name))


def _finding(result: _Result, path: str, seen: _Seen) -> Finding:
    said = _SEVERITIES.get(result.issue_severity)
    ruling = judged(
        NAME,
        result.test_id,
        cwe=result.issue_cwe.id,
        severity=said,
        confidence=_CONFIDENCES.get(result.issue_confidence),
    )
    message = result.issue_text
    if ruling.category == MASKED_CATEGORY:
        message = message.partition(":")[0]  # what follows is the value
    column = result.col_offset + 1
    if path in seen.respelled and not _same_line(seen.sources[path], seen.respelled[path], result.line_number):
        column = 0
    return Finding(
        rule=result.test_id,
        severity=Severity.INFO if kind_of(path) is PathKind.TEST else ruling.severity,
        message=message,
        path=path,
        line=result.line_number,
        end_line=max(result.line_range, default=0),
        column=column,
        tool=NAME,
        confidence=ruling.confidence,
        category=ruling.category,
        cwe=ruling.cwe,
        remediation=ruling.help or f"see {result.more_info}",
        tool_severity=result.issue_severity,
    )


_SEVERITIES: Final = {"HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW}
_CONFIDENCES: Final = {"HIGH": Confidence.HIGH, "MEDIUM": Confidence.MEDIUM, "LOW": Confidence.LOW}


def _same_line(source: bytes, respelled: bytes, line: int) -> bool:
    return source.splitlines()[line - 1 : line] == respelled.splitlines()[line - 1 : line]


def _with_suppressions(findings: Sequence[Finding], sources: Mapping[str, bytes]) -> Iterator[Finding]:
    comments = {path: suppressions(path, source) for path, source in sources.items()}
    for finding in findings:
        silent = silencing(finding, comments[finding.path])
        yield msgspec.structs.replace(finding, suppressed=silent.text) if silent else finding


def _verdict(analysed: int, skipped: Sequence[str], findings: int, seen: _Seen) -> tuple[EngineStatus, str]:
    files = f"{analysed:,} Python {'file' if analysed == 1 else 'files'} analysed"
    if seen.respelled:
        files += f" ({len(seen.respelled):,} in the spelling of an older Python)"
    if skipped:
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        return EngineStatus.PARTIAL, f"{files}, {len(skipped):,} could not be: {', '.join(skipped[:3])}{more}"
    if findings:
        return EngineStatus.FINDINGS, files
    return EngineStatus.CLEAN, f"{files}, all parsed and in its metrics, no finding"


def _report(status: EngineStatus, reason: str, began: float, isolation: str = "") -> EngineReport:
    seconds = round(monotonic() - began, 4)
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=seconds, isolation=isolation)
