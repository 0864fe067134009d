"""npm audit on the lock files of a repository: online, so it runs only when the user allows it.

npm gets a folder of ours with the lock file and a manifest made of it: the repository's `.npmrc` could name another
registry, and its scripts and workspaces could run. An answer is a list of vulnerabilities; an error of the service is a
failure, however it is wrapped.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.model.change import FileChange, FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.pins import Pin, Unreadable, pins_of
from elohim_kernel.ports import Completed, EngineRequest, EngineTraits, Scope, Tools

NAME = "npm-audit"
LABEL = "npm audit (asks a registry)"
TRAITS = EngineTraits(scope=Scope.TREE, cost=6_000, security=True, network=True)

PROGRAM: Final = "npm"
REGISTRY: Final = "npm_registry"
"""The option that names a registry to ask instead of npm's own, for those who run a mirror."""

_LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json")
_MEMORY_MB: Final = 8_192  # node reserves more addresses than it uses
_CWE: Final = 1395
_SUMMARY: Final = 200
_WORDS: Final = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.INFO,
}


class _Advisory(msgspec.Struct, frozen=True):
    """One entry of `via` that is an advisory and not the name of another package."""

    source: int = 0
    name: str = ""
    title: str = ""
    url: str = ""
    severity: str = ""
    cwe: tuple[str, ...] = ()
    range: str = ""


class _Package(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    via: tuple[_Advisory | str, ...] = ()
    nodes: tuple[str, ...] = ()
    fix_available: object = False  # a boolean, or what to install


class _Audit(msgspec.Struct, frozen=True, rename="camel"):
    audit_report_version: int
    vulnerabilities: dict[str, _Package]


class _Root(msgspec.Struct, frozen=True, rename="camel"):
    name: str = "audited"
    version: str = "0.0.0"
    dependencies: dict[str, str] = {}
    dev_dependencies: dict[str, str] = {}
    optional_dependencies: dict[str, str] = {}
    peer_dependencies: dict[str, str] = {}


class _Lock(msgspec.Struct, frozen=True):
    packages: dict[str, msgspec.Raw] | None = None
    dependencies: dict[str, msgspec.Raw] | None = None


class _Stopped(Exception):
    """npm did not do its work; the text says why."""


def available() -> str | None:
    """None when npm is here; otherwise what to install."""
    return None if shutil.which(PROGRAM) else "npm is not here; install Node.js"


def version() -> str:
    """Not known without starting it."""
    return ""


def wants(path: str) -> bool:
    """Lock files of npm."""
    return PurePosixPath(path).name in _LOCKS


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Ask about each lock file."""
    began = monotonic()
    if missing := available():
        return _report(EngineStatus.NOT_RUN, missing, began)
    repository = tools.repository(request.repository)
    wanted = [path for path in request.candidates(repository) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no lock files of npm {where}", began)
    changed = {file.path: file for file in (request.change.files if request.change else ())}
    contents = {path: repository.read(request.head, path) or b"" for path in wanted}
    findings: list[Finding] = []
    failed: dict[str, str] = {}
    deadline = monotonic() + request.timeout_s
    for path, content in contents.items():
        try:
            audit = _audit(content, deadline - monotonic(), request.options.get(REGISTRY, ""), tools)
            findings.extend(_findings(path, content, audit, changed.get(path)))
        except (_Stopped, Unreadable) as why:
            failed[path] = str(why)
    answered = [path for path in wanted if path not in failed]
    status, reason = _verdict(len(answered), len(findings), failed)
    return msgspec.structs.replace(
        _report(status, reason, began),
        files=len(answered),
        covered=tuple(sorted({*answered} | _gone(changed))),
        skipped=tuple(failed),
        findings=fingerprinted(findings, contents),
        notes=tuple(f"{path}: {why}" for path, why in failed.items()),
    )


def _gone(changed: Mapping[str, FileChange]) -> set[str]:
    return {path for path, file in changed.items() if file.status is FileStatus.DELETED and wants(path)}


def _audit(content: bytes, left_s: float, registry: str, tools: Tools) -> _Audit:
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="npm-audit-") as name:
        folder = Path(name).resolve()
        (folder / "package-lock.json").write_bytes(content)
        (folder / "package.json").write_bytes(msgspec.json.encode(_manifest(content)))
        argv = (
            *(PROGRAM, "audit", "--json", "--package-lock-only", "--ignore-scripts", "--no-update-notifier"),
            *(f"--cache={folder / 'cache'}", "--fetch-retries=0", "--workspaces=false"),
            *((f"--registry={registry}",) if registry else ()),
        )
        ended = tools.run(argv, cwd=folder, timeout_s=left_s, memory_mb=_MEMORY_MB, writable=(folder,), network=True)
    return _answer(ended)


def _manifest(content: bytes) -> _Root:
    """What the lock file itself says that the project asks for."""
    try:
        lock = msgspec.json.decode(content, type=_Lock)
        if lock.packages is not None:
            return msgspec.json.decode(lock.packages.get("", msgspec.Raw(b"{}")), type=_Root)
        return _Root(dependencies=dict.fromkeys(lock.dependencies or (), "*"))
    except (msgspec.DecodeError, RecursionError):
        raise _Stopped("not in the form its name says") from None


def _answer(ended: Completed) -> _Audit:
    """Raises `_Stopped` for everything that is not a list of vulnerabilities."""
    if ended.reason:
        raise _Stopped(f"npm did not finish: {ended.reason}")
    try:
        return msgspec.json.decode(ended.stdout, type=_Audit)
    except msgspec.DecodeError:
        said = _complaint(ended.stdout) or ended.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise _Stopped(f"npm gave no answer: exit code {ended.exit_code} {said[:_SUMMARY]}".strip()) from None


class _Problem(msgspec.Struct, frozen=True, rename="camel"):
    message: str = ""
    status_code: int = 0
    summary: str = ""
    error: "_Problem | None" = None


def _complaint(stdout: bytes) -> str:
    try:
        found = msgspec.json.decode(stdout, type=_Problem)
    except (msgspec.DecodeError, RecursionError):
        return ""
    told = found.error or found
    return f"{told.status_code or ''} {told.message or told.summary or found.message}".strip()


def _findings(path: str, content: bytes, audit: _Audit, file: FileChange | None) -> Iterator[Finding]:
    pins = pins_of(path, content)
    versions = _versions(content)
    for package in audit.vulnerabilities.values():
        meant = {versions[node] for node in package.nodes if node in versions}
        for one in package.via:
            if isinstance(one, str):
                continue  # through another package, which has an entry of its own
            for pin in _places(one.name or package.name, meant, pins):
                yield _finding(path, pin, one, package, file)


class _Locked(msgspec.Struct, frozen=True):
    version: str = ""


def _versions(content: bytes) -> Mapping[str, str]:
    """The version at each place of the lock file, by the name npm gives the place."""
    lock = msgspec.json.decode(content, type=_Lock)
    held = lock.packages or {f"node_modules/{name}": raw for name, raw in (lock.dependencies or {}).items()}
    return {place: msgspec.json.decode(raw, type=_Locked).version for place, raw in held.items()}


def _places(name: str, versions: AbstractSet[str], pins: Sequence[Pin]) -> Sequence[Pin]:
    """The entries of the lock file that it speaks of; a name it does not hold is told at its first line."""
    named = [pin for pin in pins if pin.package == name]
    return [pin for pin in named if pin.version in versions] or named or [Pin("npm", name, "", 1)]


def _finding(path: str, pin: Pin, one: _Advisory, package: _Package, file: FileChange | None) -> Finding:
    identity = one.url.rstrip("/").rpartition("/")[2] if "/advisories/" in one.url else f"npm-{one.source}"
    fixable = package.fix_available is not False
    numbers = [int(each[4:]) for each in one.cwe if each.startswith("CWE-") and each[4:].isdigit()]
    return Finding(
        rule=identity,
        severity=_WORDS.get(one.severity, Severity.MEDIUM),
        message=f"{pin.package} {pin.version}: {one.title[:_SUMMARY] or 'a known vulnerability'}",
        path=path,
        line=pin.line,
        tool=NAME,
        confidence=Confidence.HIGH,
        category="dependency",
        cwe=numbers[0] if numbers else _CWE,
        remediation=f"upgrade {pin.package} out of {one.range}" if fixable else f"no fix of {pin.package} is known",
        tool_severity=one.severity,
        advisories=(identity,),
        evidence=f"the registry lists {identity} for {pin.package} {one.range}",
        symbol=pin.package,
        on_changed_line=file is not None and file.touches(pin.line),
    )


def _verdict(answered: int, findings: int, failed: Mapping[str, str]) -> tuple[EngineStatus, str]:
    if not answered:
        return EngineStatus.FAILED, next(iter(failed.values()))
    told = f"{answered:,} lock {'file' if answered == 1 else 'files'} asked about and answered"
    if failed:
        return EngineStatus.PARTIAL, f"{told}; {len(failed):,} not: {', '.join(sorted(failed)[:3])}"
    return (EngineStatus.FINDINGS, told) if findings else (EngineStatus.CLEAN, f"{told}, none affected")


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
