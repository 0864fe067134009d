"""Which comment silences a diagnostic of ruff: its kind and its codes, as they stand in the source."""

import re
from collections.abc import Sequence
from typing import Final

SILENCING: Final = re.compile(rb"noqa|ruff\s*:|flake8\s*:", re.IGNORECASE)
"""A source without this silences nothing, so ruff need not be asked a second time."""

_LINE: Final = re.compile(r"#\s*noqa(?:\s*:\s*([A-Z]+\d+(?:[\s,]+[A-Z]+\d+)*))?", re.IGNORECASE)
_WIDE: Final = re.compile(
    r"#\s*(ruff|flake8)\s*:\s*(noqa|disable|ignore|file-ignore)\s*(?:[:\[]\s*([A-Z]+\d*(?:[\s,]+[A-Z]+\d*)*))?",
    re.IGNORECASE,
)
_CODES: Final = re.compile(r"[A-Z]+\d*", re.IGNORECASE)


def silencing_comment(source: bytes, rule: str, rows: Sequence[int]) -> str:
    r"""What silences `rule` on one of `rows` (1-based): the comment there, else one for the file or a part of it.

    >>> silencing_comment(b"x = eval(y)  # noqa: S307, because\n", "S307", (1,))
    'noqa: S307'
    >>> silencing_comment(b"# ruff: disable[S307]\nx = eval(y)\n", "S307", (2,))
    'ruff: disable[S307]'
    """
    lines = source.decode(errors="replace").splitlines()
    for row in rows:
        found = _LINE.search(lines[row - 1]) if 0 < row <= len(lines) else None
        if found and _names(found[1], rule):
            return f"noqa: {_listed(found[1])}" if found[1] else "noqa"
    for line in lines:
        wide = _WIDE.search(line) if "#" in line else None
        if wide and _names(wide[3], rule):
            kind = f"{wide[1].lower()}: {wide[2].lower()}"
            if not wide[3]:
                return kind
            return f"{kind}: {_listed(wide[3])}" if kind.endswith("noqa") else f"{kind}[{_listed(wide[3])}]"
    return "noqa"


def _names(codes: str | None, rule: str) -> bool:
    return codes is None or any(rule.upper().startswith(code.upper()) for code in _CODES.findall(codes))


def _listed(codes: str) -> str:
    return ", ".join(code.upper() for code in _CODES.findall(codes))[:80]
