"""What engines report: findings with a place and a severity, and an honest account of each engine run."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from elohim_kernel.model.value import Value


class Severity(StrEnum):
    """How bad it is if true; ordered by `rank`."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst, so that sorting ascending shows the worst first."""
        return _SEVERITIES.index(self)


_SEVERITIES: Final = tuple(Severity)


class Confidence(StrEnum):
    """How sure the tool is that it is true."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FindingState(StrEnum):
    """The one explicit state of a finding."""

    NEW = "new"
    OPEN = "open"
    FIXED = "fixed"
    REGRESSED = "regressed"
    DISMISSED = "dismissed"
    ACCEPTED = "accepted"


class Place(Value, frozen=True):
    """A place that belongs to a finding: a step of its data flow, in order from source to sink, or a related one."""

    path: str
    line: int  # 1-based
    message: str = ""
    column: int = 0  # 1-based; 0 means unknown
    flow: bool = False  # True: a step of the data flow; False: only related


class Finding(Value, frozen=True):
    """One problem at one place, as an engine saw it in one run; `fingerprint` is filled in by `model.fingerprint`.

    What an engine cannot know is filled in where reports are put together: `owners`, `problem`, `is_new`.
    """

    rule: str
    severity: Severity
    message: str
    path: str
    line: int  # 1-based; 0 means the whole file
    tool: str
    end_line: int = 0  # 0: same as line
    column: int = 0  # 1-based; 0 means unknown
    confidence: Confidence = Confidence.MEDIUM
    category: str = "quality"
    cwe: int = 0  # 0: none
    symbol: str = ""  # innermost function or class around the line; "" where there is none
    snippet: str = ""  # the flagged line, stripped and capped
    remediation: str = ""
    tool_id: str = ""  # the tool's own identity for it; distrusted when repeated inside one run
    on_changed_line: bool = False
    context: str = ""  # hash of the code from the flagged line on; see model.fingerprint
    fingerprint: str = ""  # "v1:<hex>"
    tool_severity: str = ""  # the tool's own word for it, as it said it
    advisories: tuple[str, ...] = ()  # CVE, GHSA, PYSEC ids, best known first
    evidence: str = ""  # why the engine believes it: "the path comes from request.args, line 12"
    related: tuple[Place, ...] = ()
    suppressed: str = ""  # what silences it in the source: "noqa: S608", "nosec"; "" nothing
    suppression_is_new: bool = False  # the change that is looked at added what silences it
    secret: str = ""  # only for secrets: "k1:<keyed hash>:<last two characters>", never the value
    owners: tuple[str, ...] = ()  # from CODEOWNERS of the base revision
    problem: str = ""  # "p1:<hex>", shared by findings of several tools that are one problem
    is_new: bool = False  # not there on the merge base, by identity; `on_changed_line` is the weaker sign
    aliases: tuple[str, ...] = ()  # other identities, such as another tool's partial fingerprints


class EngineStatus(StrEnum):
    """How an engine run ended. `clean` needs positive proof; a tool that did not run is never `clean`."""

    FINDINGS = "findings"
    CLEAN = "clean"
    PARTIAL = "partial"
    NOT_RUN = "not_run"
    FAILED = "failed"


class Metric(Value, frozen=True):
    """A number an engine measured at a place: complexity, size, spread. `unit` is part of the name's meaning."""

    name: str
    value: float
    path: str = ""
    symbol: str = ""
    before: float | None = None  # None: there was nothing before


class EngineReport(Value, frozen=True):
    """What one engine did: its status with the reason, what it covered, and what it found."""

    engine: str
    status: EngineStatus
    reason: str  # why, in words; for `clean`, the proof
    version: str = ""
    files: int = 0  # files really analysed
    covered: tuple[str, ...] = ()  # the files it really analysed: what is not seen again there is fixed
    skipped: tuple[str, ...] = ()  # files it could not analyse
    seconds: float = 0.0
    rules: tuple[str, ...] = ()  # rules it covered; empty: the tool's default set
    findings: tuple[Finding, ...] = ()
    metrics: tuple[Metric, ...] = ()
    isolation: str = ""  # what its children ran under; "" when it started none
    cached: int = 0  # of `files`, how many were answered from the cache
    cpu_seconds: float = 0.0  # of its children
    notes: tuple[str, ...] = ()  # what a reader must know: the date of a snapshot, a cap that was reached
    data: Mapping[str, Any] = {}  # JSON that is neither finding nor metric, for the stage that asked
