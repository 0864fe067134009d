"""What engines report: findings with a place and a severity, and an honest account of each engine run."""

from enum import StrEnum
from typing import Final

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


class Finding(Value, frozen=True):
    """One problem at one place, as an engine saw it in one run; `fingerprint` is filled in by `model.fingerprint`."""

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
