"""pip-audit on the versions a repository asks for: online, so it runs only when the user allows it.

It gets a file of ours with nothing in it but names and versions: a repository's own may name an index, and asking a
stranger's index is telling him. It is believed only where it answers: each version we asked about must come back with
its list of vulnerabilities, and one it skipped was not checked.
"""

import importlib.metadata
import importlib.util
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import msgspec

from elohim_kernel.model.advisory import PYPI, normalised
from elohim_kernel.model.change import FileChange, FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.pins import Pin, Unreadable, pins_of, reader_of
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools

NAME = "pip-audit"
LABEL = "pip-audit (asks a service)"
TRAITS = EngineTraits(scope=Scope.TREE, cost=8_000, security=True, network=True)

OSV_URL: Final = "osv_url"
"""The option that names an OSV service to ask instead of PyPI, for those who run a mirror."""

_NPM_FILES: Final = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")
_CWE: Final = 1395
_SUMMARY: Final = 200
_TOLD: Final = 20
_MAX_ROUNDS: Final = 8
_Asked = tuple[str, str]  # a normalised name and a version


class _Vulnerability(msgspec.Struct, frozen=True):
    id: str
    fix_versions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    description: str = ""


class _Dependency(msgspec.Struct, frozen=True):
    name: str
    version: str = ""
    vulns: tuple[_Vulnerability, ...] | None = None
    skip_reason: str = ""


class _Audit(msgspec.Struct, frozen=True):
    dependencies: tuple[_Dependency, ...]


class _Stopped(Exception):
    """pip-audit did not do its work; the text says why."""


class _Files(NamedTuple):
    """What the files ask for."""

    contents: Mapping[str, bytes]
    pins: Sequence[tuple[str, Pin]]
    unread: Sequence[str]


def available() -> str | None:
    """None when pip-audit is installed; otherwise what to install."""
    if importlib.util.find_spec("pip_audit") is None:
        return "pip-audit is not installed; pip install 'elohim_kernel[engines]'"
    return None


def version() -> str:
    """pip-audit's version; "" when it is not here."""
    return importlib.metadata.version("pip-audit") if available() is None else ""


def wants(path: str) -> bool:
    """Lock files and requirements of Python packages."""
    return reader_of(path) is not None and not path.lower().endswith(_NPM_FILES)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Ask about every version that the files name."""
    began = monotonic()
    if missing := available():
        return _report(EngineStatus.NOT_RUN, missing, began)
    repository = tools.repository(request.repository)
    wanted = [path for path in request.candidates(repository) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no lock files or requirements of Python {where}", began)
    files = _read({path: repository.read(request.head, path) or b"" for path in wanted})
    stated = [(path, pin) for path, pin in files.pins if pin.version]
    if not stated:
        return _report(EngineStatus.NOT_RUN, "the files name no single version to ask about", began)
    try:
        answers = _answers({_asked(pin) for _, pin in stated}, request, tools)
    except _Stopped as why:
        return _report(EngineStatus.FAILED, str(why), began)
    changed = {file.path: file for file in (request.change.files if request.change else ())}
    findings = [one for path, pin in stated for one in _findings(path, pin, answers, changed.get(path))]
    unanswered = sorted({f"{pin.package} {pin.version}" for _, pin in stated if _asked(pin) not in answers})
    unstated = sorted({f"{pin.package} ({path})" for path, pin in files.pins if not pin.version})
    status, reason = _verdict(len(answers), len(findings), unanswered, unstated, files.unread)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=version(),
        files=len(files.contents),
        covered=tuple(sorted({*files.contents} | _gone(changed))),
        skipped=tuple(files.unread),
        findings=fingerprinted(findings, files.contents),
        notes=tuple(_notes(unanswered, unstated)),
    )


def _gone(changed: Mapping[str, FileChange]) -> set[str]:
    return {path for path, file in changed.items() if file.status is FileStatus.DELETED and wants(path)}


def _read(contents: Mapping[str, bytes]) -> _Files:
    pins: list[tuple[str, Pin]] = []
    unread: list[str] = []
    for path, content in contents.items():
        try:
            pins.extend((path, pin) for pin in pins_of(path, content) if pin.ecosystem == PYPI)
        except Unreadable:
            unread.append(path)
    read = {path: content for path, content in contents.items() if path not in unread}
    return _Files(contents=read, pins=pins, unread=unread)


def _asked(pin: Pin) -> _Asked:
    return normalised(PYPI, pin.package), pin.version


def _answers(asked: set[_Asked], request: EngineRequest, tools: Tools) -> Mapping[_Asked, Sequence[_Vulnerability]]:
    """What is known of each version that was answered for. Raises `_Stopped` when there was no answer at all."""
    deadline = monotonic() + request.timeout_s
    answers: dict[_Asked, Sequence[_Vulnerability]] = {}
    reasons: set[str] = set()
    for one in _rounds(asked):
        audit = _audit(one, deadline - monotonic(), request.options.get(OSV_URL, ""), tools)
        wanted = dict(one)
        for each in audit.dependencies:
            name = normalised(PYPI, each.name)
            if each.vulns is not None and name in wanted:
                answers[name, wanted[name]] = each.vulns
            elif each.skip_reason:
                reasons.add(each.skip_reason[:_SUMMARY])
    if not answers:
        raise _Stopped(f"pip-audit answered for none of {len(asked):,} versions: {'; '.join(sorted(reasons)[:3])}")
    return answers


def _rounds(asked: set[_Asked]) -> Iterator[Sequence[_Asked]]:
    """It refuses a file that names a package twice, so several versions of one are asked about one after the other."""
    left = sorted(asked)
    for _ in range(_MAX_ROUNDS):
        if not left:
            return
        now = dict(reversed(left))
        yield sorted(now.items())
        left = [each for each in left if now[each[0]] != each[1]]


def _audit(asked: Sequence[_Asked], left_s: float, service: str, tools: Tools) -> _Audit:
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="pip-audit-") as name:
        folder = Path(name).resolve()
        stated = folder / "asked.txt"
        stated.write_text("".join(f"{package}=={number}\n" for package, number in asked))
        argv = (
            *(sys.executable, "-I", "-m", "pip_audit", "--format", "json", "--requirement", str(stated)),
            *("--no-deps", "--disable-pip", "--progress-spinner", "off", "--cache-dir", str(folder / "cache")),
            *(("--vulnerability-service", "osv", "--osv-url", service) if service else ()),
        )
        ended = tools.run(argv, cwd=folder, timeout_s=left_s, writable=(folder,), network=True)
    if ended.reason:
        raise _Stopped(f"pip-audit did not finish: {ended.reason}")
    try:
        return msgspec.json.decode(ended.stdout, type=_Audit)
    except msgspec.DecodeError:
        said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2][:_SUMMARY]
        raise _Stopped(f"pip-audit gave no answer: exit code {ended.exit_code} {said}".strip()) from None


def _findings(
    path: str, pin: Pin, answers: Mapping[_Asked, Sequence[_Vulnerability]], file: FileChange | None
) -> Iterator[Finding]:
    for one in answers.get(_asked(pin), ()):
        fixed = one.fix_versions[0] if one.fix_versions else ""
        summary = one.description.strip().partition("\n")[0][:_SUMMARY] or "a known vulnerability"
        yield Finding(
            rule=one.id,
            severity=Severity.MEDIUM,  # it does not say
            message=f"{pin.package} {pin.version}: {summary}",
            path=path,
            line=pin.line,
            tool=NAME,
            confidence=Confidence.HIGH,
            category="dependency",
            cwe=_CWE,
            remediation=f"upgrade {pin.package} to {fixed}" if fixed else f"no fixed version of {pin.package} is known",
            advisories=tuple(sorted({one.id, *one.aliases}, key=lambda name: (not name.startswith("CVE-"), name))),
            evidence=f"pip-audit's service lists {one.id} for {pin.package} {pin.version}",
            symbol=pin.package,
            on_changed_line=file is not None and file.touches(pin.line),
        )


def _verdict(
    answered: int, findings: int, unanswered: Sequence[str], unstated: Sequence[str], unread: Sequence[str]
) -> tuple[EngineStatus, str]:
    told = f"{answered:,} {'version' if answered == 1 else 'versions'} asked about and answered"
    left = [
        f"{len(names):,} {what}"
        for names, what in (
            (unanswered, "not answered"),
            (unstated, "without a single version not checked"),
            (unread, "files not read"),
        )
        if names
    ]
    if left:
        return EngineStatus.PARTIAL, f"{told}; {', '.join(left)}"
    return (EngineStatus.FINDINGS, told) if findings else (EngineStatus.CLEAN, f"{told}, none affected")


def _notes(unanswered: Sequence[str], unstated: Sequence[str]) -> Iterator[str]:
    for what, names in (("not answered", unanswered), ("version unknown, not checked", unstated)):
        if names:
            more = f" and {len(names) - _TOLD:,} more" if len(names) > _TOLD else ""
            yield f"{what}: {', '.join(names[:_TOLD])}{more}"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
