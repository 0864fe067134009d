"""What we make of ruff's rules: which ones a careful reviewer wants to hear, and how loudly.

The selection is exactly the rules judged here. Style is at most information; confidence follows how often a rule was
right on labelled code.
"""

from typing import Final, NamedTuple

from elohim_kernel.model.category import is_security
from elohim_kernel.model.finding import Confidence, Severity
from elohim_kernel.model.fingerprint import MASKED_CATEGORY
from elohim_kernel.model.pathkind import PathKind, kind_of

UNPARSED: Final = frozenset({"invalid-syntax", "E902"})
"""Codes that mean the file was not analysed."""


class Judged(NamedTuple):
    """How bad a rule's finding is, what it is about, and how often the rule is right."""

    severity: Severity
    category: str
    cwe: int = 0
    confidence: Confidence = Confidence.MEDIUM


def _table() -> dict[str, Judged]:
    high, medium, low, info = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
    sure, unsure = Confidence.HIGH, Confidence.LOW
    rows: tuple[tuple[str, Judged], ...] = (
        ("F", Judged(medium, "correctness")),
        ("E9 F7 F50 F52 F631 F634 F823 F901 PLE RUF016", Judged(high, "correctness", 0, sure)),
        ("F821", Judged(high, "correctness", 0, sure)),
        ("PLW0133 PLW0711 PLW1501 PLW2101 B016 ASYNC105", Judged(high, "correctness")),
        ("F401 F841 F842 F403 F405", Judged(low, "maintainability", 0, sure)),
        ("F504 F522 F523 F722 W605 E721 B017 B018 B033 B034 PLE1310 PLE2 NPY YTT INT", Judged(low, "correctness")),
        ("PLE0604 PLE0605 PLE1205 PLE1206 PIE794 PIE796 PGH005 G101", Judged(medium, "correctness")),
        ("PLW0129 PLW0177 PLW0245 PLW0406 SIM220 SIM221 SIM222 SIM223", Judged(medium, "correctness")),
        ("PLW0127 PLW0128 PLW0131 PLW0211 PLW0642 PLW1507 PLW1508", Judged(low, "correctness")),
        ("RUF008 RUF024 RUF030 RUF034 RUF049", Judged(medium, "correctness")),
        ("RUF009 RUF018 RUF033 RUF040 DTZ003 DTZ004", Judged(low, "correctness")),
        ("B", Judged(medium, "correctness")),
        ("E722 B011 B014 B019 B021 B904 SIM115 PLW1510 S110 S112", Judged(low, "reliability")),
        ("ASYNC2 RUF006 PLW1509 T100 B012", Judged(medium, "reliability")),
        ("ASYNC1", Judged(low, "reliability")),
        ("E711 E712 E713 E714 F541 B007 B008 B009 B010 B013 B024 B027 B028 PLW0120 RUF017", Judged(info, "style")),
        ("S", Judged(medium, "security")),
        ("S105 S106 S107", Judged(medium, MASKED_CATEGORY, 798, unsure)),
        ("S102 S307", Judged(medium, "code-injection", 94, unsure)),
        ("S103 RUF064", Judged(medium, "permissions", 732)),
        ("S104", Judged(low, "exposure", 605)),
        ("S108 S306", Judged(low, "permissions", 377)),
        ("S113", Judged(low, "reliability", 400, sure)),
        ("S201", Judged(high, "exposure", 489, sure)),
        ("S202", Judged(medium, "path-traversal", 22)),
        ("S301 S302 S506", Judged(medium, "deserialization", 502)),
        ("S303 S324", Judged(medium, "weak-hash", 328, sure)),
        ("S304 S305", Judged(medium, "weak-cipher", 327, sure)),
        ("S308 S701 S702 S704", Judged(medium, "xss", 79)),
        ("S310", Judged(low, "ssrf", 918, unsure)),
        ("S311", Judged(low, "weak-random", 330, unsure)),
        ("S312 S321", Judged(medium, "tls", 319)),
        ("S313 S314 S315 S316 S317 S318 S319", Judged(low, "xxe", 611, unsure)),
        ("S323 S501", Judged(high, "tls", 295, sure)),
        ("S502 S503 S504", Judged(high, "tls", 327)),
        ("S505", Judged(medium, "weak-cipher", 326, sure)),
        ("S507", Judged(high, "tls", 322)),
        ("S601 S602 S604 S605 S609", Judged(high, "command-injection", 78)),
        ("S606 S607", Judged(info, "command-injection", 78, unsure)),
        ("S608 S610 S611", Judged(high, "sql-injection", 89)),
        ("PLE2502", Judged(high, "security", 1007, sure)),
    )
    return {prefix: judged for prefixes, judged in rows for prefix in prefixes.split()}


JUDGED: Final = _table()
"""Rule prefix to what we make of it; the longest prefix wins. Exactly these rules are selected, less `LEFT_OUT`."""

LEFT_OUT: Final = ("S101", "S603", "S4", "B905", "ASYNC109")
"""Selected by a prefix above, but noise in review: asserts, every subprocess call, imports, zip without strict."""

_BY_LENGTH: Final = sorted(JUDGED, key=len, reverse=True)


def judge(rule: str, message: str, path: str) -> Judged:
    """What a finding of `rule` at `path` means; security and reliability rules count as information in tests.

    >>> judge("F821", "Undefined name `x`", "app.py").severity.value
    'high'
    """
    if rule in UNPARSED:
        return Judged(Severity.HIGH, "syntax", 0, Confidence.HIGH)
    judged = JUDGED[next(prefix for prefix in _BY_LENGTH if rule.startswith(prefix))]
    if (judged.category == "reliability" or is_security(judged.category)) and kind_of(path) is PathKind.TEST:
        return judged._replace(severity=Severity.INFO)
    if rule in ("F401", "F403", "F405") and path.endswith("__init__.py"):
        return judged._replace(severity=Severity.INFO)  # how packages re-export names
    if rule.startswith("S60") and "seems safe" in message:
        return judged._replace(severity=Severity.LOW)
    return judged
