"""Functions, methods and classes of JavaScript and TypeScript by their braces: right for ordinary code, never an error.

Strings, comments and regular expressions are stepped over. A function without braces belongs to what is around it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

JS_SUFFIXES: Final = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")

# Every piece matches whatever follows, or within a bounded number of characters: no file takes more than linear time.
_TOKEN: Final = re.compile(
    rb"//[^\n]*|/\*.*?(?:\*/|\Z)|'(?:\\.|[^'\\\n])*'?|\"(?:\\.|[^\"\\\n])*\"?|`(?:\\.|[^`\\])*`?"
    rb"|[A-Za-z_$][\w$]*|\d[\w.]*|=>|\S",
    re.DOTALL,
)
_REGEX: Final = re.compile(rb"/(?:\\.|\[(?:\\.|[^\]\\\n]){0,100}\]|[^/\\\n\[]){1,300}/[a-z]*")
_BEFORE_REGEX: Final = frozenset(b"( , = : [ ! & | ? { } ; => return typeof case in of".split())
_CONTROL: Final = frozenset(b"if for while switch catch with function return await do else try finally".split())


class JsSymbols:
    r"""Names by line.

    >>> JsSymbols(b"class A {\n  run(x) {\n    return x\n  }\n}\nconst f = (x) => {\n  x()\n}\n").at(3)
    'A.run'
    """

    def __init__(self, content: bytes) -> None:
        self._starts: list[int] = []
        self._names: list[str] = []
        scan = _Scan()
        line, place = 1, 0
        for start, token in _tokens(content):
            line += content.count(b"\n", place, start)
            place = start
            if scan.take(token):
                self._starts.append(line)
                self._names.append(scan.name)

    def at(self, line: int) -> str:
        """Dotted name of the innermost function, method or class around a 1-based line; "" outside of all."""
        place = bisect_right(self._starts, line)
        return self._names[place - 1] if place else ""


def _tokens(content: bytes) -> Iterator[tuple[int, bytes]]:
    """What counts, with its place: comments and regular expressions are left out, a string is one quote."""
    place, before = 0, b""
    while found := _TOKEN.search(content, place):
        token, place = found[0], found.end()
        if token.startswith((b"//", b"/*")):
            continue
        if token == b"/" and (not before or before in _BEFORE_REGEX):
            regex = _REGEX.match(content, found.start())
            if regex is not None:
                place, before = regex.end(), b"'"
                continue
        before = token[:1] if token[:1] in (b"'", b'"', b"`") else token
        yield found.start(), before


class _Scan:
    """The open braces, each with the name of what it opens, "" for a mere block."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._parens: list[bytes] = []  # the word before each open parenthesis
        self._called = b""  # the word before the parenthesis that was closed last
        self._assigned = b""  # the word before the last = or :
        self._declared = b""  # the word after the last `function` or `class`
        self._before = b""

    @property
    def name(self) -> str:
        """The dotted name of where we are."""
        return ".".join(name for name in self._blocks if name)

    def take(self, token: bytes) -> bool:
        """Look at the next token; whether the name has changed."""
        before = self._before
        self._before = before if token == b"*" and before == b"function" else token
        if token == b"{":
            return self._open(before)
        if token == b"}":
            changed = bool(self._blocks and self._blocks.pop())
            self._forget()
            return changed
        if token == b"(":
            self._parens.append(before)
        elif token == b")":
            self._called = self._parens.pop() if self._parens else b""
        elif token in (b"=", b":") and _is_word(before):
            self._assigned = before
        elif token == b";":
            self._forget()
        elif _is_word(token) and before in (b"function", b"class") and token != b"extends":
            self._declared = token
        return False

    def _open(self, before: bytes) -> bool:
        name = b""
        if self._declared:
            name = self._declared
        elif before == b"=>" or (self._called == b"function"):
            name = self._assigned
        elif self._called and self._called not in _CONTROL and before not in (b"=", b",", b"("):
            name = self._called
        told = name.decode(errors="replace") if _is_word(name) else ""
        self._blocks.append(told)
        self._forget()
        return bool(told)

    def _forget(self) -> None:
        self._called = self._assigned = self._declared = b""


def _is_word(token: bytes) -> bool:
    return token[:1].isalpha() or token[:1] in (b"_", b"$")
