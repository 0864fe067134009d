"""Known vulnerabilities in what a repository asks for, told from advisories the user gave; nothing is fetched.

Lock files and requirements are read as data and compared with an OSV export or our small form of one. The answer is as
old as the advisories: their date is in every report, with a word when they are stale. A package without a single
version, or of an ecosystem the advisories do not cover, was not checked and is said so.
"""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import msgspec

from elohim_kernel.errors import Invalid
from elohim_kernel.model.advisory import STALE_DAYS, Advisory, Snapshot, affects
from elohim_kernel.model.advisory_file import read_snapshot
from elohim_kernel.model.change import FileChange, FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.pins import Pin, Unreadable, pins_of, reader_of
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools

NAME = "advisories"
LABEL = "Known vulnerabilities (offline)"
OPTION: Final = "advisories"
"""The option that says where the advisories are: a file, or a folder of which the newest file is taken."""

RULES: Final = "1"
TRAITS = EngineTraits(scope=Scope.TREE, cost=300, security=True, rules=RULES)
CWE: Final = 1395
CATEGORY: Final = "dependency"

_NONE_HERE: Final = "no advisories here; give --advisories FILE"
_KINDS: Final = (".zip", ".json", ".jsonl")
_TOLD: Final = 20


class _File(NamedTuple):
    """What one file asks for, and what was not checked of it."""

    content: bytes
    pins: Sequence[Pin]


def available() -> str | None:
    """None when versions can be compared here; otherwise what to install."""
    if importlib.util.find_spec("packaging") is None:
        return "packaging is not installed; pip install 'elohim_kernel[engines]'"
    return None


def version() -> str:
    """The revision of our reading of versions and ranges."""
    return RULES


def wants(path: str) -> bool:
    """Lock files and requirements of Python and npm packages."""
    return reader_of(path) is not None


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Compare what the files ask for with the advisories in `request.options["advisories"]`."""
    began = monotonic()
    if missing := available():
        return _report(EngineStatus.NOT_RUN, missing, began)
    repository = tools.repository(request.repository)
    wanted = [path for path in request.candidates(repository) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no lock files or requirements {where}", began)
    place = _place(request.options.get(OPTION, ""))
    if place is None:
        return _report(EngineStatus.NOT_RUN, _NONE_HERE, began)
    try:
        with place.open("rb") as file:
            snapshot = read_snapshot(file)
    except (OSError, Invalid) as wrong:
        return _report(EngineStatus.FAILED, f"the advisories in {place.name} cannot be used: {_said(wrong)}", began)
    files: dict[str, _File] = {}
    unread: dict[str, str] = {}
    for path in wanted:
        content = repository.read(request.head, path)
        try:
            files[path] = _File(content or b"", pins_of(path, content or b""))
        except Unreadable as why:
            unread[path] = str(why)
    changed = {file.path: file for file in (request.change.files if request.change else ())}
    checked = _Checked(snapshot, files, changed)
    skipped = tuple(path for path in wanted if path in unread or path in checked.uncovered)
    findings = fingerprinted(checked.findings, {path: file.content for path, file in files.items()})
    age = _age(snapshot, tools)
    status, reason = _verdict(checked, len(findings), skipped, age)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=version(),
        files=len(wanted) - len(skipped),
        covered=tuple(sorted({*files} - {*skipped} | _gone(changed))),
        skipped=skipped,
        findings=findings,
        notes=tuple(_notes(checked, snapshot, unread, age)),
    )


def _gone(changed: Mapping[str, FileChange]) -> set[str]:
    return {path for path, file in changed.items() if file.status is FileStatus.DELETED and wants(path)}


def _place(option: str) -> Path | None:
    if not option:
        return None
    place = Path(option)
    if not place.is_dir():
        return place
    held = [each for each in place.iterdir() if each.suffix in _KINDS and each.is_file()]
    return max(held, key=lambda each: (each.stat().st_mtime, each.name)) if held else None


def _said(wrong: OSError | Invalid) -> str:
    return str(wrong) if isinstance(wrong, Invalid) else str(wrong.strerror)


class _Checked:
    """Every pin compared with every advisory about its package."""

    def __init__(self, snapshot: Snapshot, files: Mapping[str, _File], changed: Mapping[str, FileChange]) -> None:
        self.findings: list[Finding] = []
        self.pins = 0
        self.open: list[str] = []
        """Requirements without one version, as `name (path:line)`."""
        self.unsure: list[str] = []
        self.uncovered: dict[str, str] = {}
        """Files of an ecosystem that the advisories say nothing about."""
        self._snapshot = snapshot
        for path, file in files.items():
            missing = {pin.ecosystem for pin in file.pins} - snapshot.ecosystems
            if missing:
                self.uncovered[path] = f"no {', '.join(sorted(missing))} advisories in the snapshot"
                continue
            for pin in file.pins:
                self._check(path, pin, changed.get(path))

    def _check(self, path: str, pin: Pin, file: FileChange | None) -> None:
        if not pin.version:
            self.open.append(f"{pin.package} ({path}:{pin.line})")
            return
        self.pins += 1
        hits: list[tuple[Advisory, str]] = []
        for advisory in self._snapshot.about(pin.ecosystem, pin.package):
            answer = affects(advisory, pin.version)
            if answer.affected:
                hits.append((advisory, answer.fixed_in))
            elif answer.affected is None:
                self.unsure.append(f"{pin.package} {pin.version} against {advisory.id}")
        self.findings.extend(_finding(path, pin, group, file) for group in _same(hits))


_Hit = tuple[Advisory, str]
_BEST: Final = ("CVE-", "GHSA-", "PYSEC-", "MAL-")


def _same(hits: Sequence[_Hit]) -> Iterator[Sequence[_Hit]]:
    """Advisories that are one vulnerability told by several databases: they share a name."""
    groups: list[tuple[set[str], list[_Hit]]] = []
    for hit in hits:
        names = {hit[0].id, *hit[0].aliases}
        joined = [group for group in groups if group[0] & names]
        groups = [group for group in groups if not group[0] & names]
        groups.append((names.union(*(group[0] for group in joined)), [*(h for g in joined for h in g[1]), hit]))
    for _, group in groups:
        yield sorted(group, key=lambda each: (each[0].severity is None, _rank(each[0].id), each[0].id))


def _rank(name: str) -> int:
    return next((place for place, start in enumerate(_BEST) if name.startswith(start)), len(_BEST))


def _finding(path: str, pin: Pin, group: Sequence[_Hit], file: FileChange | None) -> Finding:
    best = group[0][0]
    names = sorted({name for one, _ in group for name in (one.id, *one.aliases)}, key=lambda name: (_rank(name), name))
    fixes = sorted({fixed for _, fixed in group if fixed})
    fixed = next((fixed for _, fixed in group if fixed), "")
    summary = next((one.summary for one, _ in group if one.summary), "a known vulnerability")
    return Finding(
        rule=best.id,
        severity=best.severity or Severity.MEDIUM,
        message=f"{pin.package} {pin.version}: {summary}",
        path=path,
        line=pin.line,
        tool=NAME,
        confidence=Confidence.HIGH,
        category=CATEGORY,
        cwe=next((cwe for one, _ in group for cwe in one.cwes), CWE),
        remediation=f"upgrade {pin.package} to {fixed}" if fixed else f"no fixed version of {pin.package} is known",
        advisories=tuple(names),
        tool_severity=best.severity.value if best.severity else "",
        evidence=_evidence(pin, best, fixes),
        symbol=pin.package,
        on_changed_line=file is not None and file.touches(pin.line),
    )


def _evidence(pin: Pin, best: Advisory, fixes: Sequence[str]) -> str:
    told = f"{pin.package} {pin.version} is in the affected versions of {best.id}"
    return f"{told}, fixed in {', '.join(fixes)}" if fixes else told


def _age(snapshot: Snapshot, tools: Tools) -> str:
    """How old the advisories are, in words."""
    days = snapshot.age_days(tools.now().date())
    if snapshot.day is None or days is None:
        return "advisories without a date, taken as stale"
    return f"advisories of {snapshot.day.isoformat()}" + (f", stale: {days} days old" if days > STALE_DAYS else "")


def _verdict(checked: _Checked, findings: int, skipped: Sequence[str], age: str) -> tuple[EngineStatus, str]:
    told = f"{checked.pins:,} {'version' if checked.pins == 1 else 'versions'} compared with {age}"
    left = [
        f"{len(names):,} {what}"
        for names, what in (
            (checked.open, "without a single version not checked"),
            (checked.unsure, "could not be compared"),
            (skipped, "files not checked"),
        )
        if names
    ]
    if left:
        return EngineStatus.PARTIAL, f"{told}; {', '.join(left)}"
    if not checked.pins:
        return EngineStatus.NOT_RUN, f"the files name no package; {age}"
    if findings:
        return EngineStatus.FINDINGS, told
    return EngineStatus.CLEAN, f"{told}, none affected"


def _notes(checked: _Checked, snapshot: Snapshot, unread: Mapping[str, str], age: str) -> Iterator[str]:
    yield f"{snapshot.count:,} {age}"
    if snapshot.left_out:
        yield f"{snapshot.left_out:,} advisories could not be read and took no part"
    for path, why in sorted({**unread, **checked.uncovered}.items())[:_TOLD]:
        yield f"{path}: not checked, {why}"
    yield from _listed("version unknown, not checked", checked.open)
    yield from _listed("could not be compared", checked.unsure)


def _listed(what: str, names: Iterable[str]) -> Iterator[str]:
    every = list(names)
    if every:
        more = f" and {len(every) - _TOLD:,} more" if len(every) > _TOLD else ""
        yield f"{what}: {', '.join(every[:_TOLD])}{more}"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
