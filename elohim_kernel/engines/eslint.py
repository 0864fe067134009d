"""ESLint on the JavaScript files of a change, with our configuration and only rules of its core: no plugin, no parser.

A configuration of ESLint is code, so the repository's is never looked for, and neither are its formatters: `-f json`
would first try `node_modules/eslint-formatter-json` of the folder it runs in, so we bring our own, which also leaves
out the source that ESLint's own would repeat. A file that ESLint ignored or could not parse was not analysed, and one
that a tool has put together is not read: bundles cost most of the time and say nothing about the people's code.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.engines._eslint_rules import CONFIGURATION, FORMATTER, SCRIPTS
from elohim_kernel.model.category import is_security
from elohim_kernel.model.change import FileStatus
from elohim_kernel.model.finding import EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.rules import judged
from elohim_kernel.model.suppression import silencing, suppressions
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools, Tree

NAME = "eslint"
LABEL = "ESLint (JavaScript)"
TRAITS = EngineTraits(scope=Scope.FILE, cost=1500, security=True, rules="1")

_SUFFIXES: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".mts", ".cts")
_ARGUMENT_BYTES: Final = 256 * 1024
_HEAP_MB: Final = 1536
_MEMORY_MB: Final = 4096
_MAX_BYTES: Final = 1024 * 1024
_MAX_LINE: Final = 20_000
_MISSING: Final = "eslint is not on the PATH; npm install --global eslint"


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    """The fields our formatter leaves."""

    message: str
    rule_id: str | None = None
    fatal: bool = False
    line: int = 0
    column: int = 0
    end_line: int = 0


class _File(msgspec.Struct, frozen=True, rename="camel"):
    file_path: str
    messages: tuple[_Message, ...]

    @property
    def not_analysed(self) -> str:
        """Why it was not; "" when it was. What ESLint says of no rule is either that, or about a comment."""
        said = (each for each in self.messages if each.fatal or (not each.rule_id and "ignored" in each.message))
        return next((each.message for each in said), "")


class _Stopped(Exception):
    """ESLint did not do its work; the text says why."""


class _Absent(Exception):
    """ESLint is not where a child may take it from."""


def available() -> str | None:
    """None when eslint is on the PATH; otherwise what to install."""
    return None if shutil.which("eslint") else _MISSING


def version() -> str:
    """ESLint's version as its package says; "" when it is not known without starting it."""
    found = shutil.which("eslint")
    if found is None:
        return ""
    try:
        package = json.loads((Path(found).resolve().parents[1] / "package.json").read_bytes())
    except (OSError, ValueError, IndexError):
        return ""
    return str(package.get("version", "")) if isinstance(package, dict) and package.get("name") == "eslint" else ""


def wants(path: str) -> bool:
    """JavaScript, and TypeScript to say that it was not analysed; not what a tool made or brought."""
    return path.endswith(_SUFFIXES) and kind_of(path) is not PathKind.GENERATED


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Analyse the changed JavaScript files at head, or all of them when the request has no change."""
    began = monotonic()
    missing = available()
    if missing is not None:
        return _report(EngineStatus.NOT_RUN, missing, began)
    wanted = [path for path in request.candidates(tools.repository(request.repository)) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no JavaScript files {where}", began)
    tree = tools.tree(request.repository, request.head, wanted)
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="eslint-") as folder:
        seen = _Seen(Path(folder).resolve(), tree, request.timeout_s, tools)
        try:
            seen.look()
        except _Absent:
            return _report(EngineStatus.NOT_RUN, _MISSING, began)
        except _Stopped as why:
            stopped = _report(EngineStatus.FAILED, str(why), began)
            return msgspec.structs.replace(stopped, isolation=tools.isolation, cpu_seconds=seen.cpu_seconds)
    analysed = {path for path, file in seen.files.items() if not file.not_analysed}
    told = [(path, each) for path in sorted(analysed) for each in seen.files[path].messages if each.rule_id]
    sources = {path: (Path(tree.root) / path).read_bytes() for path in {path for path, _ in told}}
    skipped = tuple(path for path in wanted if path not in analysed)
    gone = [file.path for file in (request.change.files if request.change else ()) if file.status is FileStatus.DELETED]
    status, reason = _verdict(len(analysed), skipped, len(told), seen)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=version(),
        files=len(analysed),
        covered=tuple(sorted(analysed.union(filter(wants, gone)))),
        skipped=skipped,
        findings=fingerprinted(_findings(told, sources), sources),
        isolation=tools.isolation,
        cpu_seconds=round(seen.cpu_seconds, 4),
    )


class _Seen:
    """What ESLint said of each file of a tree."""

    def __init__(self, folder: Path, tree: Tree, timeout_s: float, tools: Tools) -> None:
        self._folder, self._tree, self._tools = folder, tree, tools
        self._deadline = monotonic() + timeout_s
        self.cpu_seconds = 0.0
        self.files: dict[str, _File] = {}
        self.put_together = {path for path in tree.paths if _is_put_together(Path(tree.root) / path)}

    def look(self) -> None:
        """Analyse all files as modules; those that do not parse once more as scripts, which may do more."""
        (self._folder / "formatter.mjs").write_text(FORMATTER)
        self._analyse(
            "modules.mjs", CONFIGURATION, [each for each in self._tree.paths if each not in self.put_together]
        )
        unparsed = [path for path, file in self.files.items() if any(each.fatal for each in file.messages)]
        if unparsed:
            self._analyse("scripts.mjs", SCRIPTS, unparsed)

    def why_not(self, path: str) -> str:
        """Why a file was not analysed."""
        if path in self.put_together:
            return "not read: a bundle, by its size or its longest line"
        return self.files[path].not_analysed[:80] if path in self.files else "not in its report"

    def _analyse(self, name: str, configuration: object, paths: Sequence[str]) -> None:
        ours = self._folder / name
        ours.write_text(f"export default {json.dumps(configuration)};\n")
        for batch in _batches(paths):
            names = (f"./{path}" for path in batch)
            formatter = str(self._folder / "formatter.mjs")
            output = self._output("--no-config-lookup", "-c", str(ours), "-f", formatter, "--", *names)
            try:
                files = msgspec.json.decode(output, type=tuple[_File, ...])
            except msgspec.DecodeError as wrong:
                raise _Stopped(f"eslint's output is not what we read: {wrong}") from None
            below = f"{self._tree.root}{os.sep}"
            told = {file.file_path.removeprefix(below): file for file in files}
            self.files.update((path, file) for path, file in told.items() if path in batch)

    def _output(self, *arguments: str) -> bytes:
        ended = self._tools.run(
            ("eslint", *arguments),
            cwd=Path(self._tree.root),
            timeout_s=self._deadline - monotonic(),
            memory_mb=_MEMORY_MB,
            writable=(self._folder,),
            variables={"NODE_OPTIONS": f"--max-old-space-size={_HEAP_MB}"},
        )
        self.cpu_seconds += ended.cpu_seconds
        if ended.reason.startswith("not found"):
            raise _Absent
        if ended.reason or ended.exit_code not in (0, 1):
            said = " ".join(ended.stderr.decode(errors="replace").replace("Oops! Something went wrong! :(", "").split())
            reason = ended.reason or f"exit code {ended.exit_code}"
            raise _Stopped(f"eslint did not finish: {reason} {said[:200]}".strip())
        return ended.stdout


def _is_put_together(file: Path) -> bool:
    content = file.read_bytes()
    return len(content) > _MAX_BYTES or max(map(len, content.splitlines()), default=0) > _MAX_LINE


def _batches(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    """Paths in groups that fit on a command line."""
    batch: list[str] = []
    size = 0
    for path in paths:
        size += len(path.encode()) + 16
        if size > _ARGUMENT_BYTES and batch:
            yield batch
            batch, size = [], len(path.encode()) + 16
        batch.append(path)
    if batch:
        yield batch


def _findings(told: Sequence[tuple[str, _Message]], sources: Mapping[str, bytes]) -> Iterator[Finding]:
    comments = {path: suppressions(path, source) for path, source in sources.items()}
    for path, each in told:
        rule = each.rule_id or ""
        ruling = judged(NAME, rule)
        in_test = is_security(ruling.category) and kind_of(path) is PathKind.TEST
        finding = Finding(
            rule=rule,
            severity=Severity.INFO if in_test else ruling.severity,
            message=each.message,
            path=path,
            line=each.line,
            end_line=each.end_line,
            column=each.column,
            tool=NAME,
            confidence=ruling.confidence,
            category=ruling.category,
            cwe=ruling.cwe,
            remediation=ruling.help or f"see the rule {rule} in ESLint's documentation",
        )
        silent = silencing(finding, comments[path])
        yield msgspec.structs.replace(finding, suppressed=silent.text) if silent else finding


def _verdict(analysed: int, skipped: Sequence[str], findings: int, seen: _Seen) -> tuple[EngineStatus, str]:
    text = f"{analysed:,} JavaScript {'file' if analysed == 1 else 'files'} analysed"
    if skipped:
        first = ", ".join(f"{path} ({seen.why_not(path)})" for path in skipped[:3])
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        return EngineStatus.PARTIAL, f"{text}, {len(skipped):,} could not be: {first}{more}"
    if findings:
        return EngineStatus.FINDINGS, text
    return EngineStatus.CLEAN, f"{text}, all parsed and in its report, no finding"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
