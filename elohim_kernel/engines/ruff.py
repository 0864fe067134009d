"""Ruff on the Python files of a change, with our rules and severities and never the repository's configuration.

Ruff parses files and runs nothing. It is believed only so far as it proves what it did: a file it did not list, could
not decode or could not parse was not analysed. What a comment silences is reported all the same when it matters, with
the comment's text in `suppressed`.
"""

import importlib.metadata
import re
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.engines._ruff_rules import LEFT_OUT, SELECTED, UNPARSED, judge
from elohim_kernel.engines._ruff_silence import SILENCING, silencing_comment
from elohim_kernel.model.category import is_security
from elohim_kernel.model.change import FileStatus
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools, Tree

NAME = "ruff"
LABEL = "Ruff (Python)"
TRAITS = EngineTraits(scope=Scope.FILE, cost=30, security=True, rules="2")

_SUFFIXES: Final = (".py", ".pyi", ".pyw")
_COMMON: Final = ("check", "--isolated", "--no-cache", "--no-respect-gitignore", "--config", "exclude=[]")
_TARGET: Final = "py314"  # the widest grammar; no selected rule asks for newer idioms
_LITERAL: Final = re.compile(r"(?<![\w'\"])[bru]{0,2}(\"{3}|'{3}|\"|')(?:\\.|(?!\1).)*\1", re.IGNORECASE | re.DOTALL)
_QUOTED: Final = re.compile(r"`[^`]*`")


class _Place(msgspec.Struct, frozen=True):
    row: int
    column: int


class _Fix(msgspec.Struct, frozen=True):
    message: str | None = None


class _Diagnostic(msgspec.Struct, frozen=True):
    """The fields we read of one entry of ruff's JSON; old versions give `code` null for a syntax error."""

    filename: str
    message: str
    location: _Place
    end_location: _Place
    code: str | None = None
    noqa_row: int | None = None
    fix: _Fix | None = None
    url: str | None = None

    @property
    def rule(self) -> str:
        return self.code or "invalid-syntax"


class _Stopped(Exception):
    """Ruff did not do its work; the text says why."""


def available() -> str | None:
    """None when ruff can run here; otherwise what to install."""
    return None if _program() else "ruff is not installed; pip install 'elohim_kernel[engines]'"


def version() -> str:
    """Ruff's version, as far as it is known without starting it."""
    return _packaged_version(_program() or "")


def wants(path: str) -> bool:
    """Python files."""
    return path.endswith(_SUFFIXES)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Analyse the changed Python files at head, or all of them when the request has no change."""
    began = monotonic()
    program = _program()
    if program is None:
        return _report(EngineStatus.NOT_RUN, available() or "", began)
    repository = tools.repository(request.repository)
    wanted = [path for path in request.candidates(repository) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no Python files {where}", began)
    tree = tools.tree(request.repository, request.head, wanted)
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="ruff-") as folder:
        try:
            seen = _Seen(program, tree, Path(folder).resolve(), request.timeout_s, tools)
        except _Stopped as why:
            return _report(EngineStatus.FAILED, str(why), began)
    unparsed = {seen.path_of(each) for each in seen.obeying if each.rule in UNPARSED}
    analysed = (set(tree.paths) & seen.listed) - unparsed
    findings = _findings(seen)
    skipped = tuple(path for path in wanted if path not in analysed)
    status, reason = _verdict(len(analysed), skipped, len(findings))
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=seen.version,
        files=len(analysed),
        covered=tuple(sorted(analysed.union(_gone(request)))),
        skipped=skipped,
        rules=tuple(SELECTED),
        findings=fingerprinted(findings, seen.sources),
        isolation=tools.isolation,
        cpu_seconds=round(seen.cpu_seconds, 4),
    )


def _gone(request: EngineRequest) -> Iterator[str]:
    """Python files that the change deleted: what was found in them is there no more."""
    for file in request.change.files if request.change else ():
        if file.status is FileStatus.DELETED and wants(file.path):
            yield file.path


def _program() -> str | None:
    return which("ruff", path=sysconfig.get_path("scripts")) or which("ruff")


def _packaged_version(program: str) -> str:
    """The version without starting a process, when the program is the one our own environment installed."""
    if Path(program).parent != Path(sysconfig.get_path("scripts")):
        return ""
    try:
        return importlib.metadata.version("ruff")
    except importlib.metadata.PackageNotFoundError:
        return ""


class _Seen:
    """What ruff listed and said about the files of a tree, with `noqa` comments obeyed and ignored."""

    def __init__(self, program: str, tree: Tree, folder: Path, timeout_s: float, tools: Tools) -> None:
        self._program, self._root, self._tools = program, Path(tree.root), tools
        self._deadline = monotonic() + timeout_s
        self._folder = folder
        self.cpu_seconds = 0.0
        self.version = _packaged_version(program) or self._output("--version").decode().strip().removeprefix("ruff ")
        # The tree may hold files of other engines too, and a long list does not fit on a command line.
        files = self._named("files", tree.paths)
        listed = self._output(*_COMMON, "--show-files", *files).decode(errors="replace")
        # A name may hold a line break, so names are recognised by where they start, not by line.
        self.listed = {self._below(name) for name in f"\n{listed.rstrip()}".split(f"\n{self._root}/")[1:]}
        rules = ("--select", ",".join(SELECTED), "--ignore", ",".join(LEFT_OUT))
        check = (*_COMMON, "--exit-zero", "--output-format", "json", "--target-version", _TARGET, *rules)
        self.ignoring = self._diagnostics(*check, "--ignore-noqa", *files)
        told = sorted(set(map(self.path_of, self.ignoring)))
        self.sources = {path: (self._root / path).read_bytes() for path in told}
        silenced = [path for path in told if SILENCING.search(self.sources[path])]
        obeyed = self._diagnostics(*check, *self._named("silenced", silenced)) if silenced else ()
        loud = set(told) - set(silenced)
        self.obeying = [each for each in self.ignoring if self.path_of(each) in loud] + list(obeyed)

    def path_of(self, diagnostic: _Diagnostic) -> str:
        return self._below(diagnostic.filename.removeprefix(f"{self._root}/"))

    def _below(self, name: str) -> str:
        return name.removeprefix("./")

    def _named(self, name: str, paths: Sequence[str]) -> tuple[str, ...]:
        """Arguments that name those files: one file of names, and the names that would not survive in it."""
        plain = [path for path in paths if len(path.splitlines()) == 1]
        file = self._folder / name
        file.write_text("".join(f"./{path}\n" for path in plain))
        return (f"@{file}", *(f"./{path}" for path in paths if len(path.splitlines()) > 1))

    def _diagnostics(self, *arguments: str) -> Sequence[_Diagnostic]:
        output = self._output(*arguments)
        try:
            return msgspec.json.decode(output, type=tuple[_Diagnostic, ...])
        except msgspec.DecodeError as wrong:
            raise _Stopped(f"ruff's output is not what we read: {wrong}") from None

    def _output(self, *arguments: str) -> bytes:
        left_s = self._deadline - monotonic()
        completed = self._tools.run(
            (self._program, *arguments), cwd=self._root, timeout_s=left_s, writable=(self._folder,)
        )
        self.cpu_seconds += completed.cpu_seconds
        if completed.reason or completed.exit_code != 0:
            said = completed.stderr.decode(errors="replace").strip().partition("\n")[0][:200]
            raise _Stopped(
                f"ruff did not finish: {completed.reason or f'exit code {completed.exit_code}'} {said}".strip()
            )
        return completed.stdout


def _findings(seen: _Seen) -> list[Finding]:
    obeyed = {_identity(each) for each in seen.obeying}
    syntax: set[str] = set()
    findings: list[Finding] = []
    for each in (*seen.obeying, *(silent for silent in seen.ignoring if _identity(silent) not in obeyed)):
        path = seen.path_of(each)
        if each.rule in UNPARSED and path in syntax:
            continue  # one broken line makes many errors: the first one says where
        if each.rule in UNPARSED:
            syntax.add(path)
        finding = _finding(each, path)
        if _identity(each) in obeyed:
            findings.append(finding)
        elif _matters(finding):
            rows = (each.noqa_row or finding.line, finding.line)
            comment = silencing_comment(seen.sources[path], each.rule, rows)
            findings.append(msgspec.structs.replace(finding, suppressed=comment))
    return findings


def _identity(diagnostic: _Diagnostic) -> tuple[str, int, int, str]:
    return (diagnostic.filename, diagnostic.location.row, diagnostic.location.column, diagnostic.rule)


def _finding(diagnostic: _Diagnostic, path: str) -> Finding:
    judged = judge(diagnostic.rule, diagnostic.message, path)
    fix = diagnostic.fix.message if diagnostic.fix else None
    return Finding(
        rule=diagnostic.rule,
        severity=judged.severity,
        message=_without_values(diagnostic.message),
        path=path,
        line=diagnostic.location.row,
        end_line=diagnostic.end_location.row,
        column=diagnostic.location.column,
        tool=NAME,
        confidence=judged.confidence,
        category=judged.category,
        cwe=judged.cwe,
        remediation=_remediation(_without_values(fix or ""), judged.help, diagnostic.url or ""),
    )


def _remediation(fix: str, advice: str, url: str) -> str:
    return fix or advice or (f"see {url}" if url else "")


def _without_values(message: str) -> str:
    """The message with the code it quotes kept, but for string literals: one of them may be a secret."""
    return _QUOTED.sub(lambda code: _LITERAL.sub(r"\1…\1", code[0]), message)


def _matters(finding: Finding) -> bool:
    """Whether it is told though a comment silences it: an unused import that somebody wants to keep is theirs."""
    return finding.severity.rank <= Severity.MEDIUM.rank or is_security(finding.category)


def _verdict(analysed: int, skipped: Sequence[str], findings: int) -> tuple[EngineStatus, str]:
    files = f"{analysed:,} Python {'file' if analysed == 1 else 'files'} analysed"
    if skipped:
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        return EngineStatus.PARTIAL, f"{files}, {len(skipped):,} could not be: {', '.join(skipped[:3])}{more}"
    if findings:
        return EngineStatus.FINDINGS, files
    return EngineStatus.CLEAN, f"{files}, all listed and parsed, no finding"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
