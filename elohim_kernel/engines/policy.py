"""A change to its own judge: owners, pipelines, ignore lists, baselines, tool settings, and comments that silence.

It runs no tool. What such files say is never obeyed from the change: they are read from its base. That they change at
all is told here, so that a person looks.
"""

from collections.abc import Iterator
from time import monotonic
from typing import Final

from elohim_kernel.errors import TooLarge
from elohim_kernel.model.change import Change, FileChange, FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.judges import JudgeKind, judge_of, judging_part
from elohim_kernel.model.suppression import SECURITY_TOOLS, SILENCED, Reach, Suppression, suppressions
from elohim_kernel.ports import EngineRequest, EngineTraits, Repository, Scope, Tools

NAME = "policy"
LABEL = "Changes to the judge of a change"
TRAITS = EngineTraits(scope=Scope.CHANGE, cost=5, security=True)

_CATEGORY: Final = "policy"
_SEVERITIES: Final = {
    JudgeKind.OWNERS: Severity.MEDIUM,
    JudgeKind.PIPELINE: Severity.MEDIUM,
    JudgeKind.IGNORES: Severity.MEDIUM,
    JudgeKind.BASELINE: Severity.MEDIUM,
    JudgeKind.REVIEW_RULES: Severity.MEDIUM,
    JudgeKind.ATTRIBUTES: Severity.LOW,
    JudgeKind.TOOL_SETTINGS: Severity.LOW,
}
_SECURITY_CODES: Final = ("S", "B", "PLE", "ASYNC")  # of ruff: a noqa for one of these is worth a look


def available() -> str | None:
    """Always None: it needs nothing installed."""
    return None


def version() -> str:
    """It has none of its own."""
    return ""


def wants(path: str) -> bool:
    """Every file may silence a tool."""
    return bool(path)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Look at both sides of the change; without one there is nothing to compare."""
    began = monotonic()
    change = request.change
    if change is None:
        reason = "there is no change, only a whole tree"
        return EngineReport(engine=NAME, status=EngineStatus.NOT_RUN, reason=reason)
    repository = tools.repository(request.repository)
    sources: dict[str, bytes] = {}
    skipped: list[str] = []
    findings: list[Finding] = []
    for file in change.files:
        try:
            findings.extend(_of_file(file, change, repository, sources))
        except TooLarge:
            skipped.append(file.path)
    looked = len(change.files) - len(skipped)
    problems = [part for part in (change.truncated, f"{len(skipped)} files are too large" if skipped else "") if part]
    files = f"{looked:,} changed {'file' if looked == 1 else 'files'}"
    reason = f"{files} looked at for judges and for comments that silence" + "".join(f"; {part}" for part in problems)
    found = EngineStatus.FINDINGS if findings else EngineStatus.CLEAN
    return EngineReport(
        engine=NAME,
        status=EngineStatus.PARTIAL if problems else found,
        reason=reason,
        files=looked,
        covered=tuple(file.path for file in change.files if file.path not in skipped),
        skipped=tuple(skipped),
        seconds=round(monotonic() - began, 4),
        findings=fingerprinted(findings, sources),
    )


def _of_file(file: FileChange, change: Change, repository: Repository, sources: dict[str, bytes]) -> Iterator[Finding]:
    moved = file.old_path if file.status is FileStatus.RENAMED else ""
    judge = judge_of(file.path) or (judge_of(moved) if moved else None)
    if judge is not None:
        after = repository.read(change.head, file.path) if file.status is not FileStatus.DELETED else None
        before = repository.read(change.merge_base, file.old_path) if change.merge_base else None
        parts = [judging_part(file.path, judge, content) for content in (before, after)]
        if None in parts or parts[0] != parts[1]:
            sources[file.path] = after or b""
            yield _judge_changed(file, judge.kind, judge.what)
    if file.added and not file.binary and file.status is not FileStatus.DELETED:
        content = repository.read(change.head, file.path) or b""
        for comment in suppressions(file.path, content):
            if file.touches(comment.line):
                sources[file.path] = content
                yield _silenced(file, comment)


def _judge_changed(file: FileChange, kind: JudgeKind, what: str) -> Finding:
    did = {FileStatus.ADDED: "adds", FileStatus.DELETED: "deletes", FileStatus.RENAMED: "moves"}
    return Finding(
        rule=f"changed-{kind.value}",
        severity=_SEVERITIES[kind],
        message=f"This change {did.get(file.status, 'edits')} {file.path}, which says {what}",
        path=file.path,
        line=file.new_lines[0].first if file.new_lines else 0,
        tool=NAME,
        confidence=Confidence.HIGH,
        category=_CATEGORY,
        remediation="Let somebody who owns it look at this file by itself; the base's version is the one obeyed here",
        on_changed_line=True,
        is_new=True,
    )


def _silenced(file: FileChange, comment: Suppression) -> Finding:
    wide = comment.reach is Reach.FILE
    serious = comment.tool in SECURITY_TOOLS or (
        comment.tool == "ruff"
        and (not comment.rules or any(rule.startswith(_SECURITY_CODES) for rule in comment.rules))
    )
    severity = Severity.MEDIUM if wide else Severity.LOW if serious else Severity.INFO
    reach = "for the whole file" if wide else "on one line"
    return Finding(
        rule=SILENCED,
        severity=severity,
        message=f"This change adds a comment that silences {comment.tool} {reach}: {comment.text}",
        path=file.path,
        line=comment.line,
        tool=NAME,
        confidence=Confidence.HIGH,
        category=_CATEGORY,
        remediation="Say in the comment why, or dismiss the finding with a reason where decisions are kept",
        on_changed_line=True,
        is_new=True,
    )
