"""Semgrep with rules of ours, and the user's: Python, JavaScript, templates, workflows, container files.

It gets a folder with nothing but the files to analyse, so that no ignore file of the repository takes any out, and
comments that silence a rule are recorded instead of obeyed. Its exit code says nothing: a file counts as analysed when
semgrep lists it as scanned and reports no error about it. Without a login its `fingerprint` and `lines` are one
text for all, so neither is read. `opengrep` takes its place where only that is installed.
"""

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.engines._semgrep_output import Flow, Result
from elohim_kernel.engines._semgrep_own import own_rules
from elohim_kernel.engines._semgrep_run import RULES, Run, program, program_version
from elohim_kernel.errors import Invalid
from elohim_kernel.model.category import is_security
from elohim_kernel.model.change import FileStatus
from elohim_kernel.model.finding import Confidence, EngineReport, EngineStatus, Finding, Place, Severity
from elohim_kernel.model.fingerprint import MASKED_CATEGORY, fingerprinted
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.rules import judged
from elohim_kernel.model.suppression import silencing, suppressions
from elohim_kernel.ports import EngineRequest, EngineTraits, Scope, Tools

OPTION: Final = "semgrep_rules"
"""The option that names a file or folder of the user's own rules."""

NAME = "semgrep"
LABEL = "Semgrep (our rules, and yours)"
TRAITS = EngineTraits(
    scope=Scope.FILE, cost=20_000, security=True, rules=hashlib.sha256(RULES.read_bytes()).hexdigest()[:16]
)

_PYTHON: Final = (".py", ".pyw")
_SCRIPTS: Final = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts")
_TEMPLATES: Final = (".html", ".htm", ".jinja", ".jinja2", ".j2")
_NAMED: Final = re.compile(
    r"(?:dockerfile|containerfile)(?:\..+)?|.+\.dockerfile|(?:.*docker-)?compose(?:[.-][^/]*)?\.ya?ml|action\.ya?ml",
    re.IGNORECASE,
)
_SEVERITY: Final = {
    "CRITICAL": Severity.CRITICAL,
    "ERROR": Severity.HIGH,
    "HIGH": Severity.HIGH,
    "WARNING": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "INFO": Severity.LOW,
    "LOW": Severity.LOW,
}
_CWE: Final = re.compile(r"CWE-(\d+)")
_TEXT: Final = 500
_CODE: Final = 80


def available() -> str | None:
    """None when semgrep or opengrep can run here; otherwise what to install."""
    return None if program() else "semgrep is not installed; pip install 'elohim_kernel[engines]'"


def version() -> str:
    """Semgrep's version without starting it; "" for an opengrep, whose version is not known without starting it."""
    return program_version()


def wants(path: str) -> bool:
    """Python, JavaScript and TypeScript that people wrote, HTML templates, workflows, compose files, Dockerfiles."""
    name = PurePosixPath(path).name
    if path.endswith(_SCRIPTS):
        return kind_of(path) is not PathKind.GENERATED
    if path.endswith((".yml", ".yaml")) and ".github/workflows/" in f"/{path}":
        return True
    return path.endswith((*_PYTHON, *_TEMPLATES)) or bool(_NAMED.fullmatch(name))


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Analyse the changed files at head, or all of them when the request has no change."""
    began = monotonic()
    missing = available()
    if missing is not None:
        return _report(EngineStatus.NOT_RUN, missing, began)
    wanted = [path for path in request.candidates(tools.repository(request.repository)) if wants(path)]
    if not wanted:
        where = "in the change" if request.change else "in the repository"
        return _report(EngineStatus.NOT_RUN, f"no files {where} of a kind that semgrep's rules are about", began)
    try:
        own = own_rules(request.options.get(OPTION, ""))
    except Invalid as wrong:
        return _report(EngineStatus.FAILED, f"the rules of yours cannot be used: {wrong}", began)
    tree = tools.tree(request.repository, request.head, wanted)
    with tempfile.TemporaryDirectory(dir=tools.scratch, prefix="semgrep-") as folder:
        seen = Run(tools, tree, Path(folder).resolve(), own, request.timeout_s)
        seen.look()
    ended = _report(EngineStatus.FAILED, seen.stopped, began)
    ended = msgspec.structs.replace(
        ended, version=seen.version, isolation=tools.isolation, cpu_seconds=round(seen.cpu_seconds, 4)
    )
    if seen.stopped and not seen.scanned:
        return ended
    return _told(ended, seen, wanted, request)


def _told(ended: EngineReport, seen: Run, wanted: Sequence[str], request: EngineRequest) -> EngineReport:
    analysed = seen.scanned - set(seen.problems)
    skipped = tuple(path for path in wanted if path not in analysed)
    sources = {path: seen.content(path) for path in sorted({each.path for each in seen.results})}
    findings = fingerprinted(_findings(seen.results, sources), sources)
    gone = [file.path for file in (request.change.files if request.change else ()) if file.status is FileStatus.DELETED]
    status, reason = _verdict(len(analysed), skipped, len(findings), seen)
    return msgspec.structs.replace(
        ended,
        status=status,
        reason=reason,
        files=len(analysed),
        covered=tuple(sorted(analysed.union(filter(wants, gone)))),
        skipped=skipped,
        rules=seen.rules,
        findings=findings,
        notes=tuple(seen.notes),
    )


def _findings(results: Sequence[Result], sources: Mapping[str, bytes]) -> list[Finding]:
    comments = {path: suppressions(path, source) for path, source in sources.items()}
    found: dict[tuple[str, str, int, int], Finding] = {}
    for each in results:
        finding = _finding(each)
        silent = silencing(finding, comments[each.path])
        if silent is not None:
            finding = msgspec.structs.replace(finding, suppressed=silent.text)
        # Several flows into one place are one problem, and semgrep lists each.
        found.setdefault((finding.path, finding.rule, finding.line, finding.column), finding)
    return list(found.values())


def _finding(result: Result) -> Finding:
    said = result.extra
    ruling = judged(
        NAME,
        result.check_id,
        cwe=_number(said.metadata.cwe),
        severity=_SEVERITY.get(said.severity.upper()),
        confidence=_confidence(said.metadata.confidence),
    )
    secret = ruling.category == MASKED_CATEGORY
    in_test = is_security(ruling.category) and kind_of(result.path) is PathKind.TEST
    # A message of a user's rule may quote what it matched; of a secret nothing is quoted.
    ours = bool(said.metadata.instead)
    message = said.message if ours or not secret else f"matched by the rule {result.check_id}"
    return Finding(
        rule=result.check_id,
        severity=Severity.INFO if in_test else ruling.severity,
        message=" ".join(message.split())[:_TEXT],
        path=result.path,
        line=result.start.line,
        end_line=result.end.line,
        column=result.start.col,
        tool=NAME,
        confidence=ruling.confidence,
        category=ruling.category,
        cwe=ruling.cwe,
        remediation=said.metadata.instead or ruling.help,
        tool_severity=said.severity,
        evidence="" if secret else _evidence(said.dataflow_trace),
        related=() if secret else _related(said.dataflow_trace),
    )


def _number(said: object) -> int:
    """The first CWE number of what a rule's author wrote: a text, a list of texts, or something else."""
    texts = said if isinstance(said, list) else [said]
    found = next((match for text in texts if isinstance(text, str) and (match := _CWE.search(text))), None)
    return int(found[1]) if found else 0


def _confidence(said: object) -> Confidence | None:
    word = said.lower() if isinstance(said, str) else ""
    return Confidence(word) if word in set(Confidence) else None


def _evidence(flow: Flow | None) -> str:
    source = flow.source if flow else None
    return f"the value comes from `{source.text[:_CODE]}`, line {source.line}" if source else ""


def _related(flow: Flow | None) -> tuple[Place, ...]:
    return tuple(
        Place(path=step.path, line=step.line, column=step.column, message=step.text[:_CODE], flow=True)
        for step in (flow.steps if flow else ())
    )


def _verdict(analysed: int, skipped: Sequence[str], findings: int, seen: Run) -> tuple[EngineStatus, str]:
    text = f"{analysed:,} {'file' if analysed == 1 else 'files'} analysed with {len(seen.rules):,} rules"
    if skipped or seen.broken_rules or seen.stopped:
        why = [f"{rule} could not be run: {error.message.strip()[:120]}" for rule, error in seen.broken_rules.items()]
        why += [f"{path} ({seen.why_not(path)})" for path in skipped[:3]]
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        return EngineStatus.PARTIAL, f"{text}, {len(skipped):,} could not be: {', '.join(why)}{more}"
    if findings:
        return EngineStatus.FINDINGS, text
    return EngineStatus.CLEAN, f"{text}, all listed as scanned without error, no finding"


def _report(status: EngineStatus, reason: str, began: float) -> EngineReport:
    return EngineReport(engine=NAME, status=status, reason=reason, seconds=round(monotonic() - began, 4))
