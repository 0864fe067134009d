"""How far the piece of code reaches that a finding points at, so that two tools that mean one call can be told apart
from two that mean neighbours.

Python is read with `ast`; a file that does not parse, or is not Python, has lines only.
"""

import ast
import warnings
from typing import Final, NamedTuple

from elohim_kernel.model.finding import Finding
from elohim_kernel.model.fingerprint import PYTHON_SUFFIXES

MAX_BYTES: Final = 1024 * 1024
"""Longer files are not parsed."""

_FAR: Final = 1 << 30


class Extent(NamedTuple):
    """From the first to the last place of a piece of code, both included. Columns are bytes, 0-based."""

    first: tuple[int, int]
    last: tuple[int, int]

    def meets(self, other: "Extent") -> bool:
        """Whether the two share a place.

        >>> Extent((1, 0), (1, 5)).meets(Extent((1, 5), (2, 0))), Extent((1, 0), (1, 4)).meets(Extent((1, 5), (1, 9)))
        (True, False)
        """
        return self.first <= other.last and other.first <= self.last

    @property
    def size(self) -> tuple[int, int]:
        """Lines, then columns: what sorts narrow ones first."""
        return (self.last[0] - self.first[0], self.last[1] - self.first[1])


class _End(NamedTuple):
    """Where a piece ends. Of those that begin at one place a call is meant before whatever it is a part of."""

    is_call: bool
    place: tuple[int, int]


class Extents:
    r"""The pieces of one file. Parsing costs more than all else that is done to a finding, so as little as possible is.

    `across_lines` says whether pieces of several lines matter; otherwise the lines of findings are read by themselves.

    >>> from elohim_kernel.model.finding import Severity
    >>> at = Finding(rule="S307", severity=Severity.HIGH, message="", path="a.py", line=1, column=5, tool="ruff")
    >>> Extents("a.py", b"x = eval(\n  y)\n").of(at)
    Extent(first=(1, 4), last=(2, 3))
    """

    def __init__(self, path: str, source: bytes, *, across_lines: bool = False) -> None:
        self._source = source
        self._lines = source.splitlines()
        self._ends: dict[tuple[int, int], _End] = {}
        self._read: set[int] = set()
        self.parsed = path.endswith(PYTHON_SUFFIXES) and bool(source)
        """Whether pieces are known; otherwise every extent is one line. Asking for one may turn it false."""
        self._is_whole = False
        if across_lines and self.parsed:
            self._read_whole()

    def of(self, finding: Finding) -> Extent:
        """The piece that begins where the finding is; its lines, when it names no column or the file has no pieces."""
        line = finding.line
        if self.parsed and not self._is_whole and line not in self._read:
            self._read_line(line)
        if not self.parsed:
            return Extent((line, 0), (line, _FAR))
        if not finding.column:
            return Extent((line, 0), (max(line, finding.end_line), _FAR))
        place = (line, self._bytes_before(line, finding.column))
        return Extent(place, self._ends[place].place if place in self._ends else place)

    def _read_line(self, line: int) -> None:
        self._read.add(line)
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else b""
        code = text.lstrip()
        tree = _parsed(code) or (_parsed(code + b" pass") if code.endswith(b":") else None)
        if tree is None:
            self._read_whole()
        else:
            self._keep(tree, line - 1, len(text) - len(code))

    def _read_whole(self) -> None:
        self._is_whole = True
        tree = _parsed(self._source)
        self.parsed = tree is not None
        if tree is not None:
            self._keep(tree, 0, 0)

    def _keep(self, tree: ast.Module, lines: int, columns: int) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.expr | ast.stmt) and not isinstance(node, ast.Tuple):
                last, end = _end_of(node)
                first = (node.lineno + lines, node.col_offset + columns)
                found = _End(isinstance(node, ast.Call), (last + lines, end + columns))
                self._ends[first] = max(found, self._ends.get(first, found))

    def _bytes_before(self, line: int, column: int) -> int:
        if not 0 < line <= len(self._lines) or self._lines[line - 1].isascii():
            return column - 1
        return len(self._lines[line - 1].decode(errors="replace")[: column - 1].encode())


def _parsed(source: bytes) -> ast.Module | None:
    if len(source) > MAX_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other people's code
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _end_of(node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Where an expression or a simple statement ends; of a statement with a body only its head."""
    end = (node.end_lineno or node.lineno, max(0, (node.end_col_offset or 1) - 1))
    body = getattr(node, "body", None)
    if isinstance(node, ast.stmt) and isinstance(body, list) and body:
        return min(end, (body[0].lineno, max(0, body[0].col_offset - 1)))
    return end
