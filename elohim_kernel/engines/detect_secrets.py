"""detect-secrets on the files of a change, with our choice of its plugins and none of the repository's settings.

Its detectors for issued tokens are believed as far as our own view of the value allows; its search for names is only
information. The library runs in a child (`_detect_secrets_child`) that answers with places and keeps the values.
"""

import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.model.change import FileChange, FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.rules import judged
from elohim_kernel.model.secret import SeenSecret, secret_findings
from elohim_kernel.model.secret_text import Look, is_placeholder, look
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools, Tree

NAME = "detect-secrets"
LABEL = "detect-secrets"
# Our own detector sees what this one sees; it runs when somebody asks for it.
TRAITS = EngineTraits(scope=Scope.FILE, cost=4_000, security=True, default=False, rules="1")

_CHILD: Final = str(Path(__file__).with_name("_detect_secrets_child.py"))
_RUN: Final = re.compile(r"[A-Za-z0-9_\-.+/=]+")
_WHOLE: Final = 6  # no issued token is as short
_NAMED: Final = "Secret Keyword"
# fmt: off
_NOT_TEXT: Final = frozenset((
    ".bin", ".bz2", ".gif", ".gz", ".ico", ".jar", ".jpeg", ".jpg", ".mp3", ".mp4", ".otf", ".pdf", ".png", ".pyc",
    ".so", ".svg", ".tar", ".ttf", ".wasm", ".webp", ".whl", ".woff", ".woff2", ".xz", ".zip",
))
# fmt: on


class _Found(msgspec.Struct, frozen=True, array_like=True):
    line: int
    start: int
    end: int
    type: str


class _Answer(msgspec.Struct, frozen=True):
    path: str
    problem: str = ""
    found: tuple[_Found, ...] = ()


def available() -> str | None:
    """None when the library is installed; otherwise what to install."""
    if importlib.util.find_spec("detect_secrets") is None:
        return "detect-secrets is not installed; pip install 'elohim_kernel[engines]'"
    return None


def version() -> str:
    """The library's version; "" when it is not here."""
    return importlib.metadata.version("detect-secrets") if available() is None else ""


def wants(path: str) -> bool:
    """Text files, lock files left out."""
    return PurePosixPath(path).suffix.lower() not in _NOT_TEXT and kind_of(path) is not PathKind.LOCK


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Search the files of the change, or of the whole tree."""
    began = monotonic()
    if missing := available():
        return _report(EngineStatus.NOT_RUN, missing, began)
    wanted = [path for path in request.candidates(tools.repository(request.repository)) if wants(path)]
    changed = {file.path: file for file in (request.change.files if request.change else ())}
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no text files {where}", began)
    tree = tools.tree(request.repository, request.head, wanted)
    answers, problem, cpu_seconds = _ask(tree, tools, request.timeout_s)
    read = {path for path, answer in answers.items() if not answer.problem}
    sources = {path: Path(tree.root, path).read_bytes() for path, answer in answers.items() if answer.found}
    seen = [each for path, source in sources.items() for each in _seen(path, source, answers[path].found)]
    findings = secret_findings(seen, tool=NAME, sources=sources, keyed_hash=tools.keyed_hash, changed=changed)
    skipped = tuple(path for path in wanted if path not in read)
    status, reason = _verdict(len(read), skipped, len(findings), problem)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=version(),
        files=len(read),
        covered=tuple(sorted(read | _gone(changed))),
        skipped=skipped,
        findings=findings,
        cpu_seconds=cpu_seconds,
    )


def _gone(changed: Mapping[str, FileChange]) -> set[str]:
    return {path for path, file in changed.items() if file.status is FileStatus.DELETED and wants(path)}


def _ask(tree: Tree, tools: Tools, timeout_s: float) -> tuple[Mapping[str, _Answer], str, float]:
    """What the child said of each file, why it stopped early ("" when it did not), and its processor time."""
    argv = (sys.executable, "-I", _CHILD)
    asked = msgspec.json.encode([tree.root, tree.paths])
    completed = tools.run(argv, cwd=tools.scratch, timeout_s=timeout_s, stdin=asked)
    answers: dict[str, _Answer] = {}
    for line in completed.stdout.splitlines():
        try:
            answer = msgspec.json.decode(line, type=_Answer)
        except msgspec.DecodeError:
            break  # cut off by the deadline: the rest counts as skipped
        answers[answer.path] = answer
    if completed.exit_code == 0:
        return answers, "", completed.cpu_seconds
    # What it said on standard error may quote a line it was reading.
    return answers, completed.reason or f"exit code {completed.exit_code}", completed.cpu_seconds


def _seen(path: str, source: bytes, found: Sequence[_Found]) -> Iterator[SeenSecret]:
    lines = source.decode(errors="replace").splitlines()
    for each in found:
        line = lines[each.line - 1]
        start, end = _widened(line, each.start, each.end)
        value = line[start:end] or line.strip()
        confidence = _confidence(each.type, value, whole=end > 0)
        if confidence is None:
            continue
        yield SeenSecret(
            rule=each.type,
            path=path,
            line=each.line,
            column=start + 1,
            value=value,
            confidence=confidence,
            message=f"{each.type} in the source",
            evidence=f"the detector for {each.type} recognised it",
        )


def _widened(line: str, start: int, end: int) -> tuple[int, int]:
    """Some detectors give the first part of a token for the whole of it: `ghp`."""
    if 0 < end - start < _WHOLE:
        for run in _RUN.finditer(line):
            if run.start() <= start < run.end():
                return run.span()
    return start, end


def _confidence(kind: str, value: str, *, whole: bool) -> Confidence | None:
    """How sure we are; None for what stands for a secret."""
    if kind == "Private Key":
        return Confidence.MEDIUM
    if whole and is_placeholder(value):
        return None
    if kind == _NAMED:
        return Confidence.LOW if look(value, name="secret") >= Look.LIKELY else None
    sure = judged(NAME, kind).confidence
    return Confidence.LOW if look(value) is Look.WEAK else max(sure, Confidence.MEDIUM, key=tuple(Confidence).index)


def _verdict(read: int, skipped: Sequence[str], findings: int, problem: str) -> tuple[EngineStatus, str]:
    if problem and not read:
        return EngineStatus.FAILED, f"detect-secrets did not finish: {problem}"
    files = f"{read:,} {'file' if read == 1 else 'files'} searched"
    if skipped:
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        why = f" ({problem})" if problem else ""
        return EngineStatus.PARTIAL, f"{files}, {len(skipped):,} could not be{why}: {', '.join(skipped[:3])}{more}"
    if findings:
        return EngineStatus.FINDINGS, files
    return EngineStatus.CLEAN, f"{files}, every one answered for, no secret"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
