"""Which finding is which: an identity that survives edits elsewhere in the file. It never holds a line number.

`v1:` + sha256(rule key, normalised path, context hash, nth). The context is the first 100 non-blank characters from
the flagged line on, so inserting lines above, re-indenting and changing line ends leave it alone; nth counts equal
(rule, path, context) in line order. Decisions are bound to it; `model.matching` follows
a finding whose context changed.

No value of a secret goes into it or into a snippet: a hash of a short one could be tried out. The context of a finding
that is a secret is its line without the value and the keyed hash its engine gave, so a changed secret is another one.
"""

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from elohim_kernel.model.finding import Finding
from elohim_kernel.model.js_symbols import JS_SUFFIXES, JsSymbols
from elohim_kernel.model.masking import bare_line, hash_of_mark, mask_values, nameless_line, safe_line, told_values

VERSION: Final = "v1"
CONTEXT_CHARACTERS: Final = 100
SNIPPET_CHARACTERS: Final = 200
PYTHON_SUFFIXES: Final = (".py", ".pyi", ".pyw")
MASKED_CATEGORY: Final = "secret"
IMPORTED: Final = "import:"
"""Stands before the name of a tool whose findings came from a file: it cannot speak for an engine of ours."""

_BLANK: Final = b" \t\r\n\f\v"
_HINTS: Final = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential", b"auth", b"bearer", b"://")
_LINE_CAP: Final = 4 * SNIPPET_CHARACTERS + 4096
_DEFINITION: Final = re.compile(rb"[ \t]*(?:async[ \t]+def|def|class)[ \t]+([^\W\d]\w*)")
_TRIPLE: Final = re.compile(rb"\"\"\"|'''")


def normalised_path(path: str) -> str:
    """One spelling per file: forward slashes, no leading `./`, composed Unicode.

    >>> normalised_path("./app\\\\main.py")
    'app/main.py'
    """
    return unicodedata.normalize("NFC", path.replace("\\", "/")).removeprefix("./")


def rule_key(finding: Finding) -> str:
    """The rule with its tool: two tools may use one name for different things.

    What was imported from a tool's file is recognised like what the tool itself says here.
    """
    return f"{finding.tool.removeprefix(IMPORTED)}:{finding.rule}"


def fingerprinted(findings: Iterable[Finding], sources: Mapping[str, bytes]) -> tuple[Finding, ...]:
    r"""The findings with context, fingerprint, snippet and symbol filled in, in file and line order.

    `sources` maps paths to the content that was analysed. A finding in a file that is not there keeps the context it
    has, or gets one from its own snippet. A fingerprint that is there already stays.
    A line that any of the findings calls a secret gives its names only; values named like one are masked everywhere.

    >>> from elohim_kernel.model.finding import Severity
    >>> one = Finding(rule="F821", severity=Severity.HIGH, message="", path="a.py", line=2, tool="ruff")
    >>> seen, = fingerprinted([one], {"a.py": b"def f():\n    return missing\n"})
    >>> (seen.symbol, seen.snippet)
    ('f', 'return missing')
    """
    return Fingerprinter(sources).filled(findings)


class Fingerprinter:
    """Fills in identities for one run that comes in parts: equal findings are counted over all of them."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        """`sources` as in `fingerprinted`."""
        self._sources = sources
        self._files: dict[str, _Lines] = {}
        self._seen: Counter[tuple[str, str, str]] = Counter()

    def filled(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """One part, in file and line order."""
        ordered = sorted(
            findings, key=lambda each: (each.path, each.line, each.column, each.rule, each.tool, each.message)
        )
        for path in {each.path for each in ordered}.difference(self._files):
            self._files[path] = _Lines(path, self._sources.get(path, b""))
        secret = {(each.path, each.line) for each in ordered if each.category == MASKED_CATEGORY}
        return tuple(_filled(each, self._files[each.path], secret, self._seen) for each in ordered)


def _filled(
    finding: Finding, lines: "_Lines", secret: set[tuple[str, int]], seen: Counter[tuple[str, str, str]]
) -> Finding:
    key = rule_key(finding)
    text = lines.text(finding.line) or finding.snippet
    if finding.category == MASKED_CATEGORY and text:
        context = context_of(hash_of_mark(finding.secret) + bare_line(text))
    else:
        context = lines.context(finding.line) or finding.context or context_of(nameless_line(finding.snippet))
    seen[key, lines.path, context] += 1
    parts = "\0".join((key, lines.path, context, str(seen[key, lines.path, context])))
    snippet = bare_line(text) if (finding.path, finding.line) in secret else safe_line(text)
    return msgspec.structs.replace(
        finding,
        context=context,
        fingerprint=finding.fingerprint or f"{VERSION}:{hashlib.sha256(parts.encode(errors='replace')).hexdigest()}",
        snippet=mask_values(snippet, lines.told)[:SNIPPET_CHARACTERS],
        symbol=finding.symbol or lines.symbol(finding.line),
    )


def context_of(snippet: str) -> str:
    """The context of code that is quoted rather than at hand; "" for blank text."""
    text = "".join(snippet.split())[:CONTEXT_CHARACTERS]
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32] if text else ""


class _Lines:
    """One file, prepared once: its non-blank bytes in one run, and where each line starts in them."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = normalised_path(path)
        self._lines = content.splitlines()
        self.told: set[str] = set()
        """Values that some line of the file names as secrets."""
        squeezed = [self._nameless(line).translate(None, _BLANK) for line in self._lines]
        self._squeezed = b"".join(squeezed)
        self._offsets = _running_sum(squeezed)
        self._symbols = _symbols_of(path, content, self._lines)

    def context(self, line: int) -> str:
        if not 0 < line <= len(self._lines):
            return ""
        start = self._offsets[line - 1]
        # A character is at most four bytes, so this slice holds at least the hundred that count.
        text = self._squeezed[start : start + 4 * CONTEXT_CHARACTERS].decode(errors="ignore")[:CONTEXT_CHARACTERS]
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def text(self, line: int) -> str:
        if not 0 < line <= len(self._lines):
            return ""
        return self._lines[line - 1][:_LINE_CAP].decode(errors="replace").strip()

    def _nameless(self, line: bytes) -> bytes:
        lower = line.lower()
        if not any(hint in lower for hint in _HINTS):
            return line
        text = line[:_LINE_CAP].decode(errors="replace")
        safe = nameless_line(text)
        if safe == text:
            return line
        self.told.update(told_values(text))
        return safe.encode(errors="replace") + line[_LINE_CAP:]

    def symbol(self, line: int) -> str:
        return self._symbols.at(line) if self._symbols else ""


def _running_sum(parts: Sequence[bytes]) -> list[int]:
    sums, total = [], 0
    for part in parts:
        sums.append(total)
        total += len(part)
    return sums


def _symbols_of(path: str, content: bytes, lines: Sequence[bytes]) -> "Symbols | JsSymbols | None":
    if path.endswith(PYTHON_SUFFIXES):
        return Symbols(lines)
    return JsSymbols(content) if path.endswith(JS_SUFFIXES) else None


class Symbols:
    r"""Functions and classes of a Python file by indentation: right for ordinary code, and never a parse error.

    >>> Symbols(b"class A:\n    def f(self):\n        return 1\n".splitlines()).at(3)
    'A.f'
    """

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._starts: list[int] = []
        self._names: list[str] = []
        open_blocks: list[tuple[int, str]] = []
        quote = b""
        for number, line in enumerate(lines, start=1):
            inside_string = bool(quote)
            if b'"""' in line or b"'''" in line:
                quote = _quote_after(line, quote)
            if inside_string:
                continue
            code = line.lstrip(b" \t")
            # Comments and closing brackets may stand further left than the block they belong to.
            if not code or code[0] in b"#)]}":
                continue
            indent = _indent_of(line, code)
            if open_blocks and indent <= open_blocks[-1][0]:
                while open_blocks and indent <= open_blocks[-1][0]:
                    open_blocks.pop()
                self._mark(number, open_blocks)
            if code[0] in b"dca" and (found := _DEFINITION.match(line)):
                open_blocks.append((indent, found[1].decode(errors="replace")))
                self._mark(number, open_blocks)

    def _mark(self, number: int, blocks: Sequence[tuple[int, str]]) -> None:
        self._starts.append(number)
        self._names.append(".".join(name for _, name in blocks))

    def at(self, line: int) -> str:
        """Dotted name of the innermost function or class around a 1-based line; "" outside of all."""
        place = bisect_right(self._starts, line)
        return self._names[place - 1] if place else ""


def _indent_of(line: bytes, code: bytes) -> int:
    indent = line[: len(line) - len(code)]
    return len(indent.expandtabs(8)) if b"\t" in indent else len(indent)


def _quote_after(line: bytes, quote: bytes) -> bytes:
    for found in _TRIPLE.findall(line):
        if not quote:
            quote = found
        elif found == quote:
            quote = b""
    return quote
