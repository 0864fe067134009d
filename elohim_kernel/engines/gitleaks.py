"""gitleaks where its program is present, with its own rules, and neither allow-lists nor comments of the repository.

Its report is redacted; the value is looked up by place in the exported file, hashed under the store's key, and dropped.
It is believed as far as our own view of the value allows: a placeholder is no secret, words are only information. Its
trace says which files it read: it passes over some by name, and those are not covered.
"""

import re
import shutil
import tempfile
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
from elohim_kernel.ports import Completed, EngineRequest, EngineTraits, Scope, Tools, Tree

NAME = "gitleaks"
LABEL = "gitleaks"
CONFIGURATION: Final = "[extend]\nuseDefault = true\n"
TRAITS = EngineTraits(scope=Scope.FILE, cost=900, security=True, rules="1")

FOUND: Final = 10
"""The exit code we ask for when there are findings: its own default is the one of a failure."""

_MEMORY_MB: Final = 8_192  # it reserves more addresses than it uses
_MAX_REPORT_BYTES: Final = 64 * 1024 * 1024
# fmt: off
_NOT_TEXT: Final = frozenset((
    ".bin", ".bmp", ".bz2", ".css", ".dll", ".doc", ".docx", ".eot", ".exe", ".gif", ".gltf", ".gz", ".ico", ".jar",
    ".jpeg", ".jpg", ".mp3", ".mp4", ".otf", ".pdf", ".png", ".psd", ".pyc", ".so", ".svg", ".tar", ".tif", ".tiff",
    ".ttf", ".wasm", ".webp", ".whl", ".woff", ".woff2", ".xlsx", ".xz", ".zip",
))
# fmt: on
# It obeys these where it finds them, so they never reach the folder it looks at.
_ITS_OWN: Final = frozenset((".gitleaks.toml", ".gitleaksignore"))
_SCANNING: Final = re.compile(r"TRC scanning path path=(.*)")
_PASSED: Final = re.compile(r"DBG skipping (?P<what>file|directory|empty file)(?::| ).*?path=(?P<path>.*)")
_SPLIT: Final = re.compile(r"[\s\"'`<>(){}\[\],;]+|[=:](?=[^=])|(?<=[a-z]):(?=\S)")


class _Leak(msgspec.Struct, frozen=True, rename="pascal"):
    """The fields we read of one entry of the report; lines and columns are 1-based."""

    file: str
    start_line: int
    end_line: int
    start_column: int
    end_column: int
    description: str = ""
    rule: str = msgspec.field(name="RuleID", default="")


class _Stopped(Exception):
    """gitleaks did not do its work; the text says why."""


def available() -> str | None:
    """None when the program is here; otherwise what to install."""
    return None if _program() else "gitleaks is not here; install its program, or go by the built-in detector"


def version() -> str:
    """Not known without starting it."""
    return ""


def wants(path: str) -> bool:
    """Text files it does not pass over by name."""
    place = PurePosixPath(path)
    if place.name in _ITS_OWN or place.suffix.lower() in _NOT_TEXT or kind_of(path) is PathKind.LOCK:
        return False
    return not {"node_modules", "vendor"} & set(place.parts)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Search the files of the change, or of the whole tree."""
    began = monotonic()
    program = _program()
    if program is None:
        return _report(EngineStatus.NOT_RUN, available() or "", began)
    wanted = [path for path in request.candidates(tools.repository(request.repository)) if wants(path)]
    changed = {file.path: file for file in (request.change.files if request.change else ())}
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no text files {where}", began)
    tree = tools.tree(request.repository, request.head, wanted)
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="gitleaks-") as folder:
        try:
            leaks, said, number = _leaks(program, tree, Path(folder).resolve(), tools, request.timeout_s)
        except _Stopped as why:
            return _report(EngineStatus.FAILED, str(why), began)
    read, passed = _read(tree, said.stderr.decode(errors="replace"))
    sources = {path: Path(tree.root, path).read_bytes() for path in {_below(tree, leak.file) for leak in leaks} & read}
    seen = [one for leak in leaks if (path := _below(tree, leak.file)) in sources for one in _seen(leak, path, sources)]
    findings = secret_findings(seen, tool=NAME, sources=sources, keyed_hash=tools.keyed_hash, changed=changed)
    skipped = tuple(path for path in wanted if path not in read and path not in passed)
    status, reason = _verdict(len(read), skipped, len(findings))
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=number,
        files=len(read),
        covered=tuple(sorted(read | _gone(changed))),
        skipped=skipped,
        findings=findings,
        cpu_seconds=said.cpu_seconds,
        notes=(f"{len(passed):,} files that gitleaks never looks at",) if passed else (),
    )


def _program() -> str | None:
    return shutil.which("gitleaks")


def _gone(changed: Mapping[str, FileChange]) -> set[str]:
    return {path for path, file in changed.items() if file.status is FileStatus.DELETED and wants(path)}


def _leaks(
    program: str, tree: Tree, folder: Path, tools: Tools, timeout_s: float
) -> tuple[Sequence[_Leak], Completed, str]:
    """What it found, how it ended, and its version. Raises `_Stopped`."""
    settings, report = folder / "ours.toml", folder / "report.json"
    settings.write_text(CONFIGURATION)
    deadline = monotonic() + timeout_s
    number = tools.run((program, "version"), cwd=folder, timeout_s=timeout_s, memory_mb=_MEMORY_MB)
    argv = (
        *(program, "dir", "--no-banner", "--no-color", "--redact=100", "--ignore-gitleaks-allow"),
        *("--log-level", "trace", "--report-format", "json", "--report-path", str(report), "--exit-code", str(FOUND)),
        *("--config", str(settings), "--gitleaks-ignore-path", str(folder / "none"), tree.root),
    )
    ended = tools.run(argv, cwd=folder, timeout_s=deadline - monotonic(), memory_mb=_MEMORY_MB, writable=(folder,))
    if ended.reason or ended.exit_code not in (0, FOUND):
        raise _Stopped(f"gitleaks did not finish: {ended.reason or f'exit code {ended.exit_code}'}")
    try:
        if report.stat().st_size > _MAX_REPORT_BYTES:
            raise _Stopped(f"gitleaks' report is larger than {_MAX_REPORT_BYTES // 1024 // 1024} MiB")
        leaks = msgspec.json.decode(report.read_bytes(), type=tuple[_Leak, ...])
    except (OSError, msgspec.DecodeError) as wrong:
        raise _Stopped(f"gitleaks' report is not what we read: {type(wrong).__name__}") from None
    if bool(leaks) != (ended.exit_code == FOUND):
        raise _Stopped(f"gitleaks says {len(leaks)} findings and exit code {ended.exit_code}: that cannot be")
    return leaks, ended, number.stdout.decode(errors="replace").strip()[:40]


def _below(tree: Tree, name: str) -> str:
    return name.removeprefix(f"{tree.root}/")


def _read(tree: Tree, said: str) -> tuple[set[str], set[str]]:
    """Files its trace says it read, and those it passed over by their names."""
    there = set(tree.paths)
    read: set[str] = set()
    passed: set[str] = set()
    for line in said.splitlines():
        if found := _SCANNING.search(line):
            read.add(_below(tree, found[1]))
        elif found := _PASSED.search(line):
            name = _below(tree, found["path"])
            if found["what"] == "empty file":
                read.add(name)
            else:
                passed.update(path for path in there if path == name or path.startswith(f"{name}/"))
    return read & there, passed - read


def _seen(leak: _Leak, path: str, sources: Mapping[str, bytes]) -> Iterator[SeenSecret]:
    lines = sources[path].decode(errors="replace").split("\n")
    if not 0 < leak.start_line <= len(lines):
        return
    whole = "\n".join(lines[leak.start_line - 1 : leak.end_line])
    line = lines[leak.start_line - 1]
    first = max(leak.start_column - 1, 0)
    matched = whole if leak.end_line > leak.start_line else line[first : leak.end_column]
    value = matched if leak.end_line > leak.start_line else _value_in(matched)
    confidence = _confidence(leak.rule, value)
    if confidence is not None:
        yield SeenSecret(
            rule=leak.rule,
            path=path,
            line=leak.start_line,
            end_line=leak.end_line,
            column=max(line.find(value), 0) + 1,
            value=value,
            confidence=confidence,
            message=leak.description or f"{leak.rule} in the source",
            evidence=f"the rule {leak.rule} recognised it",
        )


def _value_in(matched: str) -> str:
    """The value inside of what a rule matched, which may hold the name and the quotes around it."""
    return max(_SPLIT.split(matched), key=len, default=matched) or matched


def _confidence(rule: str, value: str) -> Confidence | None:
    """How sure we are; None for what stands for a secret."""
    if "private-key" in rule:
        return Confidence.HIGH
    if is_placeholder(value):
        return None
    sure, seen = judged(NAME, rule).confidence, look(value)
    if sure is Confidence.HIGH:
        return sure
    if seen is Look.NONE:
        return None
    return Confidence.LOW if seen is Look.WEAK else Confidence.MEDIUM


def _verdict(read: int, skipped: Sequence[str], findings: int) -> tuple[EngineStatus, str]:
    files = f"{read:,} {'file' if read == 1 else 'files'} searched"
    if skipped:
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        return EngineStatus.PARTIAL, f"{files}, {len(skipped):,} not named as read: {', '.join(skipped[:3])}{more}"
    if findings:
        return EngineStatus.FINDINGS, files
    if not read:
        return EngineStatus.NOT_RUN, "no file that gitleaks looks at"
    return EngineStatus.CLEAN, f"{files}, each named in its trace, no secret"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
