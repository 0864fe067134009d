"""From a secret that was seen to a finding that no longer holds it: the one way out for every engine that sees values.

A sighting holds the value and lives for a moment inside an engine; a finding holds a keyed hash, at most two
characters, the place, and the line without the value.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from elohim_kernel.model.change import FileChange
from elohim_kernel.model.finding import Confidence, Finding, Severity
from elohim_kernel.model.fingerprint import MASKED_CATEGORY, fingerprinted
from elohim_kernel.model.masking import mask_values, secret_mark
from elohim_kernel.model.pathkind import PathKind, kind_of

CWE_CREDENTIAL: Final = 798
CWE_KEY: Final = 321
REMEDIATION: Final = "Revoke it where it was issued, then read the new one from the environment or a secret store."
_LINE_CAP: Final = 1_000
_PARTS: Final = 8
_ASIDE: Final = frozenset({PathKind.TEST, PathKind.DOCS, PathKind.GENERATED})


class SeenSecret:
    """A value at a place. Not a `Value`: it must not be recorded, compared or shown."""

    __slots__ = ("column", "confidence", "end_line", "evidence", "line", "message", "path", "rule", "value")

    def __init__(
        self,
        *,
        rule: str,
        path: str,
        line: int,
        column: int,
        value: str,
        confidence: Confidence,
        message: str,
        evidence: str,
        end_line: int = 0,
    ) -> None:
        """`line` and `column` are 1-based; `end_line` 0 is the same line."""
        self.rule, self.path, self.line, self.column, self.end_line = rule, path, line, column, end_line or line
        self.value, self.confidence, self.message, self.evidence = value, confidence, message, evidence

    def __repr__(self) -> str:
        return f"SeenSecret({self.rule} at {self.path}:{self.line})"


def secret_findings(
    seen: Iterable[SeenSecret],
    *,
    tool: str,
    sources: Mapping[str, bytes],
    keyed_hash: Callable[[bytes], str],
    changed: Mapping[str, FileChange],
) -> tuple[Finding, ...]:
    """The findings, with identities, and with no part of any of the values in any of their texts.

    `keyed_hash` is that of the run's tools; `sources` holds the files that were seen into.
    """
    values: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    findings = []
    for each in seen:
        for line in range(each.line, min(each.end_line, each.line + _LINE_CAP) + 1):
            values[each.path, line].update(_parts(each.value))
        findings.append(_finding(each, tool, keyed_hash, changed.get(each.path)))
    return tuple(
        msgspec.structs.replace(
            one,
            snippet=mask_values(one.snippet, values[one.path, one.line]),
            message=mask_values(one.message, values[one.path, one.line]),
            evidence=mask_values(one.evidence, values[one.path, one.line]),
            # The function around a value has never its name, except where somebody wrote it so.
            symbol=mask_values(one.symbol, values[one.path, one.line]),
        )
        for one in fingerprinted(findings, sources)
    )


def severity_of(confidence: Confidence, path: str) -> Severity:
    """How bad a secret is: less in tests and documents, and only information when it is a guess.

    >>> severity_of(Confidence.HIGH, "app.py"), severity_of(Confidence.LOW, "app.py")
    (<Severity.HIGH: 'high'>, <Severity.INFO: 'info'>)
    """
    if confidence is Confidence.LOW:
        return Severity.INFO
    if kind_of(path) in _ASIDE:
        return Severity.MEDIUM if confidence is Confidence.HIGH else Severity.LOW
    return Severity.HIGH if confidence is Confidence.HIGH else Severity.MEDIUM


def _finding(each: SeenSecret, tool: str, keyed_hash: Callable[[bytes], str], file: FileChange | None) -> Finding:
    return Finding(
        rule=each.rule,
        severity=severity_of(each.confidence, each.path),
        message=each.message,
        path=each.path,
        line=each.line,
        end_line=each.end_line,
        column=each.column,
        tool=tool,
        confidence=each.confidence,
        category=MASKED_CATEGORY,
        cwe=CWE_KEY if "private-key" in each.rule else CWE_CREDENTIAL,
        remediation=REMEDIATION,
        evidence=each.evidence,
        secret=secret_mark(keyed_hash(each.value.encode()), each.value),
        on_changed_line=file is not None and file.touches(each.line, each.end_line),
    )


def _parts(value: str) -> Sequence[str]:
    """The value, and where it has several lines each of them: a text shows one line at a time."""
    lines = [line.strip() for line in value.splitlines()]
    return [value, *(line for line in lines if len(line) >= _PARTS and not line.startswith("-----"))]
