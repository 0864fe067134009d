"""Findings as flat rows for other programs: JSON lines, CSV that no spreadsheet runs, and baselines without lines.

One row per finding with stable names; what is written here can be read here again.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from elohim_kernel.errors import Invalid
from elohim_kernel.findings.sarif_out import Exported
from elohim_kernel.model.finding import Finding
from elohim_kernel.model.value import plain

FIELDS: Final = (
    "id",
    "fingerprint",
    "state",
    "severity",
    "confidence",
    "category",
    "cwe",
    "rule",
    "tool",
    "path",
    "line",
    "end_line",
    "column",
    "symbol",
    "message",
    "remediation",
    "evidence",
    "snippet",
    "advisories",
    "owners",
    "suppressed",
    "problem",
    "is_new",
    "justification",
    "also_seen_by",
)
"""The columns, in order. Later versions add at the end."""

_LISTS: Final = frozenset({"advisories", "owners", "also_seen_by"})
_OWN: Final = frozenset({"id", "state", "justification", "also_seen_by"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_GUARD: Final = "'"
_SEPARATOR: Final = " | "


def row_of(exported: Exported) -> dict[str, Any]:
    """The flat row of a finding: texts, whole numbers, booleans and lists of texts, hence `Any`."""
    found = plain(exported.finding)
    own = {"id": exported.id, "state": exported.state.value, "justification": exported.justification}
    return {name: found.get(name) for name in FIELDS} | own | {"also_seen_by": list(exported.also_seen_by)}


def to_json_lines(findings: Iterable[Exported]) -> bytes:
    """One JSON object a line, keys in the order of `FIELDS`."""
    return msgspec.json.Encoder().encode_lines([row_of(each) for each in findings])


def to_csv(findings: Iterable[Exported]) -> bytes:
    """CSV with a header. A cell that a spreadsheet would take for a formula gets an apostrophe in front.

    >>> guarded("=cmd()"), guarded("ok")
    ("'=cmd()", 'ok')
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(FIELDS)
    for each in findings:
        row = row_of(each)
        writer.writerow([_cell(row[name]) for name in FIELDS])
    return text.getvalue().encode()


def guarded(value: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it, or where it begins with one already."""
    return _GUARD + value if value.startswith((*_FORMULA, _GUARD)) else value


def from_json_lines(content: bytes) -> list[Finding]:
    """The findings of a file that `to_json_lines` wrote. Raises `Invalid` naming the first line that is wrong."""
    rows = (line for line in content.splitlines() if line.strip())
    return [_finding(_object(line, number), number) for number, line in enumerate(rows, start=1)]


def from_csv(content: bytes) -> list[Finding]:
    """The findings of a file that `to_csv` wrote. Raises `Invalid` naming the first row that is wrong."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        missing = {"tool", "rule", "path"}.difference(reader.fieldnames or ())
        if missing:
            raise Invalid(f"the file has no column {sorted(missing)[0]!r}", hint=f"columns: {', '.join(FIELDS)}")
        rows = [{str(name): _read(name, value) for name, value in row.items()} for row in reader]
    except (csv.Error, UnicodeDecodeError) as wrong:
        raise Invalid(f"the file is not CSV in UTF-8: {wrong}") from None
    return [_finding(row, number) for number, row in enumerate(rows, start=2)]


def baseline_of(findings: Iterable[Exported]) -> bytes:
    """Identities with rule and file, sorted, without lines or times: two people's copies merge line by line.

    >>> baseline_of([])
    b'{"format":"elohim baseline 1","findings":[]}\\n'
    """
    known = sorted({(each.finding.path, each.finding.rule, each.finding.fingerprint) for each in findings})
    lines = ",".join(f"\n{msgspec.json.encode(list(each)).decode()}" for each in known)
    end = "\n" if known else ""
    return f'{{"format":"elohim baseline 1","findings":[{lines}{end}]}}\n'.encode()


def read_baseline(content: bytes) -> frozenset[str]:
    """The fingerprints of a baseline. Raises `Invalid` for another file."""
    try:
        found = msgspec.json.decode(content, type=_Baseline)
    except msgspec.DecodeError as wrong:
        raise Invalid(
            f"the file is no baseline: {wrong}", hint="write one: elohim findings export --format baseline"
        ) from None
    return frozenset(fingerprint for _, _, fingerprint in found.findings)


class _Baseline(msgspec.Struct, frozen=True):
    format: str
    findings: tuple[tuple[str, str, str], ...]


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return guarded(_SEPARATOR.join(map(str, value)))
    return guarded(value) if isinstance(value, str) else str(value)


def _read(name: str, value: str | None) -> object:
    text = value or ""
    if text.startswith(_GUARD):
        text = text[1:]
    if name in _LISTS:
        return text.split(_SEPARATOR) if text else []
    return text


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Invalid(f"line {number} is not a JSON object: {wrong}") from None


def _finding(row: Mapping[str, Any], number: int) -> Finding:
    known = {
        name: value for name, value in row.items() if name in FIELDS and name not in _OWN and value not in (None, "")
    }
    try:
        return msgspec.convert({"severity": "medium", "message": "", "line": 0, **known}, Finding, strict=False)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"row {number} is no finding: {wrong}") from None
