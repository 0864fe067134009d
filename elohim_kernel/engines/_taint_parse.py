"""Python source to a syntax tree, whatever the running Python: newer spelling is rewritten to older, keeping the lines.

What the running Python reads is left to it. Only where that fails the text is scanned for what came later: any
expression inside f-strings (3.12), type parameters and `type` (3.12, 3.13), `except A, B:` and t-strings (3.14). A
replacement field becomes a placeholder name; its expression is parsed apart and put back with its own line numbers.
"""

import ast
import io
import re
import tokenize
from typing import Final

MAX_NESTING: Final = 20
"""F-strings inside f-strings; more is refused like any other text that cannot be read."""

_PLACEHOLDER: Final = "__field_{}__"
_IS_PLACEHOLDER: Final = re.compile(r"__field_(\d+)__")
_INTERESTING: Final = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
    |(?P<string>(?<![^\W\d])(?<!\w)[rRbBuUfFtT]{0,2}(?:\"\"\"|'''|\"|'))
    |(?P<generic>^[ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+[ \t]*(?=\[))
    |(?P<alias>^[ \t]*type[ \t]+(?=[^\W\d]\w*[ \t]*(?:=[^=]|\[)))
    |(?P<except>^[ \t]*except\*?[ \t]+(?=[\w.]+[ \t]*,[\w., \t]+:))""",
    re.VERBOSE | re.MULTILINE,
)
_NAME: Final = re.compile(r"[^\W\d]\w*[ \t]*")
_BLANK: Final = re.compile(r"(?:\s|#[^\n]*\n)*")
_CODING: Final = re.compile(r"^[ \t\f]*#.*?coding[:=].*$", re.MULTILINE)


class Unreadable(Exception):
    """The text is no Python we can read; the message says where and why."""


def parse(source: bytes) -> ast.Module:
    r"""The syntax tree. Raises `Unreadable`.

    >>> ast.unparse(parse(b"x = f'{a['k']}'")).count("k")
    1
    >>> [each.lineno for each in parse(b"def f[T](\n  a): pass\ntype X[T] = list[T]\n").body]
    [1, 3]
    """
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as wrong:
        first = wrong
    except (RecursionError, MemoryError):
        raise Unreadable("nested too deeply") from None
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        text = source.decode(encoding).replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
        return _Rewriting().module(text)
    except (SyntaxError, ValueError, LookupError, _GaveUp):
        line = getattr(first, "lineno", None)
        message = getattr(first, "msg", None) or str(first)
        raise Unreadable(f"line {line}: {message}" if line else message) from None
    except (RecursionError, MemoryError):
        raise Unreadable("nested too deeply") from None


class _GaveUp(Exception):
    """The scanner met text that cannot be right."""


class _Rewriting:
    """One file being rewritten; it collects the expressions taken out of f-strings."""

    def __init__(self) -> None:
        self._fields: list[ast.expr] = []
        self._depth = 0

    def module(self, text: str) -> ast.Module:
        """The tree of a whole file."""
        # A declared encoding is an error in a text that is decoded already; the line must stay.
        head, middle, tail = text.partition("\n")
        second, rest_start, rest = tail.partition("\n")
        text = f"{_CODING.sub('#', head)}{middle}{_CODING.sub('#', second)}{rest_start}{rest}\n"
        tree = ast.parse(self._older(text, 1))
        return tree if not self._fields else _PutBack(self._fields).visit(tree)

    def _older(self, text: str, line: int) -> str:
        """The text in older spelling; `line` is where it starts in the file."""
        out: list[str] = []
        at = 0
        while found := _INTERESTING.search(text, at):
            out.append(text[at : found.start()])
            kind, start, at = found.lastgroup, found.start(), found.end()
            if kind == "comment":
                out.append(found[0])
            elif kind == "string":
                new, at = self._string(text, start, found[0], line + text.count("\n", 0, start))
                out.append(new)
            elif kind == "except":
                end = text.index(":", at)
                out.append(f"{found[0]}({text[at:end]})")
                at = end
            else:
                new, at = self._definition(text, found[0], kind == "alias", at)
                out.append(new)
        out.append(text[at:])
        return "".join(out)

    def _definition(self, text: str, head: str, is_alias: bool, at: int) -> tuple[str, int]:
        """A definition without its type parameters, and where it went on."""
        if is_alias:
            name = _NAME.match(text, at)
            if name is None:
                raise _GaveUp
            head, at = head[: len(head) - len(head.lstrip())] + name[0], name.end()
        if not text.startswith("[", at):
            return head, at
        end = self._end_of_bracket(text, at)
        return head + "\\\n" * text.count("\n", at, end), end

    def _end_of_bracket(self, text: str, at: int) -> int:
        depth = 0
        while at < len(text):
            character = text[at]
            if character in "([{":
                depth += 1
            elif character in ")]}":
                depth -= 1
                if depth == 0:
                    return at + 1
            elif character in "\"'#":
                at = self._skipped(text, at)
                continue
            at += 1
        raise _GaveUp

    def _skipped(self, text: str, at: int) -> int:
        """Where the string or comment that starts here ends."""
        if text[at] == "#":
            end = text.find("\n", at)
            return len(text) if end < 0 else end
        start = at
        while start and text[start - 1] in "rRbBuUfFtT" and at - start < 2:
            start -= 1
        quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
        prefix = text[start:at]
        if set(prefix) & set("fFtT"):
            return self._pieces(text, at + len(quote), quote, "r" in prefix.lower(), 1)[1]
        return _end_of_string(text, at + len(quote), quote)

    def _string(self, text: str, start: int, opening: str, line: int) -> tuple[str, int]:
        """A string literal in older spelling, and where it ends."""
        prefix = opening.rstrip("\"'")
        quote = opening[len(prefix) :]
        at = start + len(opening)
        if not set(prefix) & set("fFtT"):
            end = _end_of_string(text, at, quote)
            return text[start:end], end
        body, end = self._pieces(text, at, quote, "r" in prefix.lower(), line)
        new = f"{prefix.replace('t', 'f').replace('T', 'f')}{quote}{body}{quote}"
        missing = text.count("\n", start, end) - new.count("\n")
        return new + " \\\n" * missing, end

    def _pieces(self, text: str, at: int, closing: str, is_raw: bool, line: int) -> tuple[str, int]:
        """The inside of an f-string, or of a format (`closing` is "}"), up to and with its end."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise _GaveUp
        out: list[str] = []
        start = at
        while True:
            if at >= len(text):
                raise _GaveUp
            character = text[at]
            if closing != "}" and text.startswith(closing, at):
                out.append(text[start:at])
                self._depth -= 1
                return "".join(out), at + len(closing)
            if character == "\\" and closing != "}":
                # A backslash does not hide a brace.
                at += 1 if text[at + 1 : at + 2] in ("{", "}") else 2
                if not is_raw and text.startswith("\\N{", at - 2):
                    at = text.index("}", at) + 1
            elif character in "{}" and text.startswith(character * 2, at) and closing != "}":
                at += 2
            elif character == "}" and closing == "}":
                out.append(text[start:at])
                self._depth -= 1
                return "".join(out), at + 1
            elif character == "{":
                out.append(text[start:at])
                inner_line = line + text.count("\n", start, at)
                field, at = self._field(text, at + 1, inner_line, is_raw=is_raw, is_inner=closing == "}")
                line += text.count("\n", start, at)
                out.append(field)
                start = at
            elif character == "}" or (character == "\n" and len(closing) == 1 and closing != "}"):
                raise _GaveUp
            else:
                at += 1

    def _field(self, text: str, at: int, line: int, *, is_raw: bool, is_inner: bool) -> tuple[str, int]:
        """A replacement field with its expression taken out."""
        end = self._end_of_expression(text, at)
        expression = text[at:end]
        mark, at = text[end], end + 1
        if mark == "=":
            at = _after_blank(text, at)
            mark, at = text[at], at + 1
        conversion = form = ""
        if mark == "!":
            conversion, at = f"!{text[at]}", _after_blank(text, at + 1)
            mark, at = text[at], at + 1
        if mark == ":":
            inner, at = self._pieces(text, at, "}", is_raw, line)
            form = f":{inner}"
        elif mark != "}":
            raise _GaveUp
        tree = ast.parse(f"({self._older(expression, line)}\n)", mode="eval").body
        if line > 1:
            ast.increment_lineno(tree, line - 1)
        self._fields.append(tree)
        if is_inner:
            # Formats inside formats inside formats came later, too; how wide a text becomes says little about it.
            conversion = form = ""
        return f"{{{_PLACEHOLDER.format(len(self._fields) - 1)}{conversion}{form}}}", at

    def _end_of_expression(self, text: str, at: int) -> int:
        depth = 0
        while at < len(text):
            character = text[at]
            if character in "\"'#":
                at = self._skipped(text, at)
                continue
            if depth == 0 and (
                character in "}:"
                or (character == "!" and text[at + 1 : at + 2] != "=")
                or (character == "=" and _is_self_documenting(text, at))
            ):
                return at
            depth += (character in "([{") - (character in ")]}")
            at += 1
        raise _GaveUp


def _is_self_documenting(text: str, at: int) -> bool:
    return text[at - 1] not in "=!<>" and text[_after_blank(text, at + 1) :][:1] in ("}", ":", "!")


def _after_blank(text: str, at: int) -> int:
    """Where blanks and comments end."""
    found = _BLANK.match(text, at)
    return at if found is None else found.end()


def _end_of_string(text: str, at: int, quote: str) -> int:
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        elif text[at] == "\n" and len(quote) == 1:
            raise _GaveUp
        else:
            at += 1
    raise _GaveUp


class _PutBack(ast.NodeTransformer):
    """Puts the expressions where their placeholders are."""

    def __init__(self, fields: list[ast.expr]) -> None:
        self._fields = fields

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = _IS_PLACEHOLDER.fullmatch(node.id)
        return node if found is None else self.visit(self._fields[int(found[1])])
