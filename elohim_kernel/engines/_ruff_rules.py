"""Which of ruff's rules a careful reviewer wants to hear, and what their findings mean at a place.

What a rule is about stands in `model.rules`; here is what ruff's message and the file's path add to it.
"""

from typing import Final

import msgspec

from elohim_kernel.model.category import is_security
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.rules import Judged, judged

UNPARSED: Final = frozenset({"invalid-syntax", "E902"})
"""Codes that mean the file was not analysed."""

# fmt: off
SELECTED: Final = (
    "B", "E711", "E712", "E713", "E714", "E721", "E722", "E9", "F", "S", "W605",
    "ASYNC1", "ASYNC2", "DTZ003", "DTZ004", "G101", "INT", "NPY", "PGH005", "PIE794", "PIE796", "T100", "YTT",
    "PLE", "PLW0120", "PLW0127", "PLW0128", "PLW0129", "PLW0131", "PLW0133", "PLW0177", "PLW0211", "PLW0245",
    "PLW0406", "PLW0642", "PLW0711", "PLW1501", "PLW1507", "PLW1508", "PLW1509", "PLW1510", "PLW2101",
    "RUF006", "RUF008", "RUF009", "RUF016", "RUF017", "RUF018", "RUF024", "RUF030", "RUF033", "RUF034", "RUF040",
    "RUF049", "RUF064", "SIM115", "SIM220", "SIM221", "SIM222", "SIM223",
)
# fmt: on
"""Beginnings of the rules that are asked for."""

LEFT_OUT: Final = ("S101", "S105", "S106", "S107", "S603", "S4", "B905", "ASYNC109")
"""Selected by a prefix above, but noise in review: asserts, every subprocess call, imports, zip without strict.

Names that sound like passwords (S105 to S107) are left to the engines for secrets, which look at the value, too.
"""


def judge(rule: str, message: str, path: str) -> Judged:
    """What a finding of `rule` at `path` means; security and reliability rules count as information in tests.

    >>> judge("F821", "Undefined name `x`", "app.py").severity.value
    'high'
    """
    ruling = judged("ruff", rule)
    if (ruling.category == "reliability" or is_security(ruling.category)) and kind_of(path) is PathKind.TEST:
        return _as(Severity.INFO, ruling)
    if rule in ("F401", "F403", "F405") and path.endswith("__init__.py"):
        return _as(Severity.INFO, ruling)  # how packages re-export names
    if rule.startswith("S60") and "seems safe" in message:
        return _as(Severity.LOW, ruling)
    return ruling


def _as(severity: Severity, ruling: Judged) -> Judged:
    """No more than that severity."""
    return msgspec.structs.replace(ruling, severity=max(severity, ruling.severity, key=lambda each: each.rank))
