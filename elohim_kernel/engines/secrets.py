"""Passwords, tokens and keys in any text file: our own detector, with no program to install.

What an issuer gave a form is certain; a value set to something called a secret is judged by how it looks
(`model.secret_text`), and one that reads like words is only information. The files are read by a child process
(`_secrets_child`) that answers with places; the value is looked up here, hashed under the store's key, and dropped.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.model.change import FileChange, FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.secret import SeenSecret, secret_findings
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools, Tree

NAME = "secrets"
LABEL = "Secrets (built in)"
RULES: Final = "2"
TRAITS = EngineTraits(scope=Scope.FILE, cost=150, security=True, rules=RULES)

_CHILD: Final = str(Path(__file__).with_name("_secrets_child.py"))
# fmt: off
_NOT_TEXT: Final = frozenset((
    ".7z", ".a", ".aac", ".avi", ".avif", ".bin", ".bmp", ".bz2", ".class", ".dll", ".dylib", ".eot", ".exe", ".flac",
    ".gif", ".gz", ".icns", ".ico", ".jar", ".jpeg", ".jpg", ".lockb", ".mkv", ".mov", ".mp3", ".mp4", ".o", ".ogg",
    ".otf", ".parquet", ".pdf", ".png", ".psd", ".pyc", ".pyd", ".rar", ".so", ".tar", ".tgz", ".tif", ".tiff", ".ttf",
    ".wasm", ".wav", ".webm", ".webp", ".whl", ".woff", ".woff2", ".xz", ".zip", ".zst",
))
# Text stands in quotes here; a bare word after `=` is a name.
_QUOTING: Final = frozenset((
    ".c", ".cc", ".cpp", ".cs", ".css", ".cxx", ".dart", ".erl", ".ex", ".exs", ".go", ".gradle", ".groovy", ".h",
    ".hcl", ".hpp", ".hs", ".htm", ".html", ".ipynb", ".java", ".jl", ".js", ".json", ".json5", ".jsx", ".kt", ".kts",
    ".less", ".lua", ".m", ".mjs", ".ml", ".mm", ".php", ".pl", ".pm", ".py", ".pyi", ".pyw", ".pyx", ".r", ".rb",
    ".rs", ".scala", ".scss", ".sol", ".sql", ".svg", ".swift", ".tf", ".tmpl", ".toml", ".ts", ".tsx", ".vue", ".xml",
    ".zig",
))
_FORMS_ONLY: Final = frozenset((".arb", ".csv", ".map", ".po", ".pot", ".resx", ".strings", ".svg", ".tsv", ".xlf",
                                   ".xliff"))
# fmt: on
_TRANSLATED: Final = frozenset(("i18n", "l10n", "lang", "langs", "languages", "locale", "locales", "translations"))
_SURENESS: Final = {
    "sure": Confidence.HIGH,
    "strong": Confidence.MEDIUM,
    "likely": Confidence.MEDIUM,
    "weak": Confidence.LOW,
}
_SPOKEN: Final = {"aws": "AWS", "url": "URL", "json": "JSON", "api": "API", "github": "GitHub", "gitlab": "GitLab"}


class _Found(msgspec.Struct, frozen=True, array_like=True):
    line: int
    end_line: int
    start: int
    end: int
    rule: str
    sure: str
    why: str


class _Answer(msgspec.Struct, frozen=True):
    path: str
    problem: str = ""
    binary: bool = False
    found: tuple[_Found, ...] = ()


def available() -> str | None:
    """None: it is a part of the program."""
    return None


def version() -> str:
    """The revision of its rules."""
    return RULES


def wants(path: str) -> bool:
    """Every file whose name does not say that it holds no text."""
    return PurePosixPath(path).suffix.lower() not in _NOT_TEXT


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Search the files of the change, or of the whole tree."""
    began = monotonic()
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
    binary = sum(answer.binary for answer in answers.values())
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=version(),
        files=len(read),
        covered=tuple(sorted(read | _gone(changed))),
        skipped=skipped,
        findings=findings,
        isolation=tools.isolation,
        cpu_seconds=cpu_seconds,
        notes=(f"{binary:,} of the files hold no text",) if binary else (),
    )


def _gone(changed: Mapping[str, FileChange]) -> set[str]:
    return {path for path, file in changed.items() if file.status is FileStatus.DELETED and wants(path)}


def _how(path: str) -> str:
    """How a file is read: see `_secrets_child.search`."""
    place = PurePosixPath(path)
    suffix = place.suffix.lower()
    translated = {part.lower() for part in place.parts[:-1]} & _TRANSLATED
    if kind_of(path) is PathKind.LOCK or place.name.endswith((".min.js", ".min.css")) or translated:
        return "forms"
    if suffix in _FORMS_ONLY:
        return "forms"
    return "code" if suffix in _QUOTING else "text"


def _ask(tree: Tree, tools: Tools, timeout_s: float) -> tuple[Mapping[str, _Answer], str, float]:
    """What the child said of each file, why it stopped early ("" when it did not), and its processor time."""
    asked = msgspec.json.encode([tree.root, [(path, _how(path)) for path in tree.paths]])
    argv = (sys.executable, "-I", _CHILD)
    completed = tools.run(argv, cwd=tools.scratch, timeout_s=timeout_s, stdin=asked)
    answers: dict[str, _Answer] = {}
    for line in completed.stdout.splitlines():
        try:
            answer = msgspec.json.decode(line, type=_Answer)
        except msgspec.DecodeError:
            break  # cut off by the deadline: the rest counts as skipped
        answers[answer.path] = answer
    problem = ""
    if completed.exit_code != 0:
        said = completed.stderr.decode(errors="replace").strip().rpartition("\n")[2].partition(":")[0][:80]
        problem = completed.reason or f"exit code {completed.exit_code} {said}".strip()
    return answers, problem, completed.cpu_seconds


def _seen(path: str, source: bytes, found: Sequence[_Found]) -> Iterator[SeenSecret]:
    """The values at the places, read from the same bytes the child read."""
    if source[:2] in (b"\xff\xfe", b"\xfe\xff"):
        source = source.decode("utf-16", "replace").encode()
    lines = source.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for each in found:
        value = lines[each.line - 1][each.start : each.end]
        if each.end_line > each.line:
            value = "\n".join([value, *lines[each.line : each.end_line]])
        # Manuals show tokens that look real and are not; what only an issuer can have made still counts.
        sure = "weak" if each.sure != "sure" and _is_documentation(path) else each.sure
        yield SeenSecret(
            rule=each.rule,
            path=path,
            line=each.line,
            end_line=each.end_line,
            column=each.start + 1,
            value=value,
            confidence=_SURENESS[sure],
            message=_message(each.rule, sure),
            evidence=each.why,
        )


def _is_documentation(path: str) -> bool:
    """A text about something; a lone `.txt` may be anything."""
    place = PurePosixPath(path)
    about = any(part.lower().startswith(("doc", "rfc")) for part in place.parts[:-1])
    return kind_of(path) is PathKind.DOCS and (about or place.suffix.lower() != ".txt")


def _message(rule: str, sure: str) -> str:
    words = " ".join(_SPOKEN.get(word, word) for word in rule.split("-"))
    said = f"{words[0].upper()}{words[1:]} in the source"
    return f"{said}, if it is not only an example" if sure == "weak" else said


def _verdict(read: int, skipped: Sequence[str], findings: int, problem: str) -> tuple[EngineStatus, str]:
    if problem and not read:
        return EngineStatus.FAILED, f"the search did not finish: {problem}"
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
