"""Where data from outside reaches a place where it can do harm, in Python: our own check, which knows constants.

It follows values through each file, decides branches that constants decide, and knows what libraries make harmless.
What it refutes is as useful as what it finds: `data["refuted"]` lists places where the argument other tools warn of is
surely constant or made harmless. Files are parsed, never run, in a child process.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.model.category import CATEGORIES
from elohim_kernel.model.change import Change, FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Place, Severity
from elohim_kernel.model.fingerprint import PYTHON_SUFFIXES, fingerprinted
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools, Tree

VERSION: Final = "1.0"
_CHILD: Final = Path(__file__).with_name("_taint_child.py")


def _identity_of_rules() -> str:
    """A hash of our own modules: a result is worth no more than the rules it was found with."""
    seen = sha256(sys.version.encode())
    for path in sorted(_CHILD.parent.glob("_taint_*.py")):
        seen.update(path.read_bytes())
    return seen.hexdigest()[:16]


NAME = "taint"
LABEL = "Data flow and constants (Python)"
TRAITS = EngineTraits(scope=Scope.FILE, cost=2_500, security=True, rules=_identity_of_rules())


class _Said(msgspec.Struct, frozen=True):
    category: str
    line: int
    end_line: int
    column: int
    message: str
    evidence: str
    remediation: str
    severity: str
    confidence: str
    flow: tuple[tuple[int, str], ...]


class _Refuted(msgspec.Struct, frozen=True):
    line: int
    category: str
    why: str


class _Answer(msgspec.Struct, frozen=True):
    path: str
    problem: str
    findings: tuple[_Said, ...]
    refuted: tuple[_Refuted, ...]


def available() -> str | None:
    """None: it needs nothing that is not here."""
    return None


def version() -> str:
    """The version of this check."""
    return VERSION


def wants(path: str) -> bool:
    """Python files."""
    return path.endswith(PYTHON_SUFFIXES)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Analyse the Python files among the candidates, each by itself."""
    began = monotonic()
    repository = tools.repository(request.repository)
    wanted = [path for path in request.candidates(repository) if wants(path)]
    gone = _gone(request.change)
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no Python files {where}", began)
    tree = tools.tree(request.repository, request.head, wanted)
    answers, problem = _ask(tools, tree, request.timeout_s, began)
    analysed = {path for path, each in answers.items() if not each.problem}
    skipped = tuple(path for path in wanted if path not in analysed)
    findings = _findings(answers, tree, request.change)
    status, reason = _verdict(len(analysed), skipped, answers, len(findings), problem)
    return msgspec.structs.replace(
        _report(status, reason, began),
        version=VERSION,
        files=len(analysed),
        covered=tuple(sorted(analysed | gone)),
        skipped=skipped,
        findings=findings,
        isolation=tools.isolation,
        data={"refuted": _refutations(answers)},
    )


def _gone(change: Change | None) -> set[str]:
    """Python files that the change deleted: what was found in them is there no more."""
    files = change.files if change is not None else ()
    return {file.path for file in files if file.status is FileStatus.DELETED and wants(file.path)}


def _ask(tools: Tools, tree: Tree, timeout_s: float, began: float) -> tuple[Mapping[str, _Answer], str]:
    """What the child said of each file, and why it stopped early; "" when it did not."""
    asked = {"root": tree.root, "paths": tree.paths, "processes": os.cpu_count() or 1}
    # The child starts in a folder without files of the repository: nothing there can be taken for a module.
    completed = tools.run(
        (sys.executable, "-I", str(_CHILD)),
        cwd=tools.scratch,
        timeout_s=max(timeout_s - (monotonic() - began), 1.0),
        stdin=msgspec.json.encode(asked),
    )
    answers: dict[str, _Answer] = {}
    for line in completed.stdout.splitlines():
        try:
            one = msgspec.json.decode(line, type=_Answer)
        except msgspec.DecodeError:
            continue  # cut off by the deadline: the file counts as skipped
        answers[one.path] = one
    if completed.exit_code == 0:
        return answers, ""
    said = completed.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
    return answers, completed.reason or f"exit code {completed.exit_code} {said}".strip()


def _findings(answers: Mapping[str, _Answer], tree: Tree, change: Change | None) -> tuple[Finding, ...]:
    files = {file.path: file for file in (change.files if change is not None else ())}
    findings: list[Finding] = []
    for path, answer in answers.items():
        changed = files.get(path)
        for said in answer.findings:
            touched = changed is not None and changed.touches(said.line, said.end_line)
            findings.append(_finding(path, said, on_changed_line=touched))
    paths = sorted({each.path for each in findings})
    return fingerprinted(findings, {path: (Path(tree.root) / path).read_bytes() for path in paths})


def _finding(path: str, said: _Said, *, on_changed_line: bool) -> Finding:
    return Finding(
        rule=said.category,
        severity=Severity(said.severity),
        message=said.message,
        path=path,
        line=said.line,
        end_line=said.end_line,
        column=said.column,
        tool=NAME,
        confidence=Confidence(said.confidence),
        category=said.category,
        cwe=CATEGORIES[said.category].cwe,
        remediation=said.remediation,
        evidence=said.evidence,
        related=tuple(Place(path=path, line=line, message=text, flow=True) for line, text in said.flow),
        on_changed_line=on_changed_line,
    )


def _refutations(answers: Mapping[str, _Answer]) -> list[dict[str, object]]:
    return [
        {"path": path, "line": each.line, "category": each.category, "why": each.why}
        for path, answer in sorted(answers.items())
        for each in answer.refuted
    ]


def _verdict(
    analysed: int, skipped: Sequence[str], answers: Mapping[str, _Answer], findings: int, problem: str
) -> tuple[EngineStatus, str]:
    if problem and not analysed:
        return EngineStatus.FAILED, f"the analysis did not finish: {problem}"
    files = f"{analysed:,} Python {'file' if analysed == 1 else 'files'} analysed"
    if skipped:
        named = [f"{path} ({_why(path, answers, problem)})" for path in skipped[:3]]
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        return EngineStatus.PARTIAL, f"{files}, {len(skipped):,} could not be: {', '.join(named)}{more}"
    if findings:
        return EngineStatus.FINDINGS, files
    return EngineStatus.CLEAN, f"{files}, all parsed and followed to the end, no finding"


def _why(path: str, answers: Mapping[str, _Answer], problem: str) -> str:
    if path in answers:
        return answers[path].problem
    return problem or "not in the exported tree"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
