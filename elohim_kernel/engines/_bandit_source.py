"""Python written for a newer grammar, spelled so that the running one parses it, line by line.

F-strings of PEP 701 above all; also type parameters, type aliases, and `except` with a bare list of names.

Only for analysis. Lines stay where they are, and so do the calls and names on them; comments inside braces go, and an
escape inside a string inside braces becomes the character it means, or a blank. A source that parses is never touched.
Run as a program it is the child that does this for files: it uses nothing but the standard library.
"""

import ast
import json
import re
import sys
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

_QUOTES: Final = ('"""', "'''", '"', "'")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_DEEPEST: Final = 12
_STRING: Final = re.compile(r"(?P<prefix>(?i:[rbuft]|[bft]r|r[bft])?)(?P<quote>\"{3}|'{3}|\"|')")
_STEP: Final = re.compile(r"\w+|[^\w\"'#\\()\[\]{}!:]+")
_ESCAPE: Final = re.compile(
    r"\\(\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-7]{1,3}|.)", re.DOTALL
)

_BRACKETS: Final = r"\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]"
_STATEMENTS: Final = (
    (re.compile(rf"^([ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+)[ \t]*{_BRACKETS}", re.MULTILINE), r"\1"),
    (re.compile(rf"^([ \t]*)type[ \t]+(\w+)[ \t]*(?:{_BRACKETS})?[ \t]*=(?!=)", re.MULTILINE), r"\1\2 ="),
    (re.compile(r"^([ \t]*except\*?[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)[ \t]*:", re.MULTILINE), r"\1(\2):"),
)


class _Unreadable(Exception):
    """It is not a string we understand, or it cannot be spelled in the older grammar."""


class _Plain(NamedTuple):
    """A string literal without fields."""

    prefix: str
    quote: str
    body: str


class _Field(NamedTuple):
    """What is between braces: an expression, and what follows it up to the closing brace."""

    expression: "Sequence[_Piece]"
    conversion: str  # "", or "!r"
    spec: "Sequence[str | _Field] | None"


class _Formatted(NamedTuple):
    """An f-string (or t-string): literal text and fields."""

    prefix: str
    quote: str
    parts: Sequence[str | _Field]


_Piece = str | _Plain | _Formatted


def older_spelling(source: str) -> str | None:
    r"""The source in the grammar of the running Python, with as many lines; None when that is not possible.

    >>> older_spelling('x = 1\n')
    'x = 1\n'
    """
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    if _parses(source):
        return source
    try:
        spelled = "".join(_older(text, _Reader(text)))
    except (_Unreadable, RecursionError):
        return None
    return spelled if spelled.count("\n") == text.count("\n") and _parses(spelled) else None


def _older(text: str, reader: "_Reader") -> Iterator[str]:
    done = 0
    for start, end, string in reader.strings():
        yield _statements(text[done:start])
        as_it_is = text[start:end]
        yield as_it_is if isinstance(string, _Plain) or _parses(f"({as_it_is}\n)") else _spelled(string, ())
        done = end
    yield _statements(text[done:])


def _statements(code: str) -> str:
    for newer, older in _STATEMENTS:
        code = newer.sub(older, code)
    return code


def _parses(source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


class _Reader:
    """Reads strings as the grammar since Python 3.12 does: what is between braces is ordinary code."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0

    def strings(self) -> Iterator[tuple[int, int, _Plain | _Formatted]]:
        """Every outermost string literal with its start and end, in order."""
        at = 0
        while at < len(self._text):
            found = _STRING.match(self._text, at)
            if found:
                end, string = self._string(found)
                yield at, end, string
                at = end
            elif self._text[at] == "#":
                at = self._line_end(at)
            else:
                step = _STEP.match(self._text, at)
                at = step.end() if step else at + 1

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end

    def _string(self, found: "re.Match[str]") -> tuple[int, _Plain | _Formatted]:
        prefix, quote = found["prefix"], found["quote"]
        if set(prefix.lower()) & {"f", "t"}:
            end, parts = self._parts(found.end(), quote, raw="r" in prefix.lower())
            return end, _Formatted(prefix, quote, parts)
        at = found.end()
        while not self._text.startswith(quote, at):
            at += self._literal_step(at, quote)
        return at + len(quote), _Plain(prefix, quote, self._text[found.end() : at])

    def _literal_step(self, at: int, quote: str) -> int:
        if at >= len(self._text) or (self._text[at] == "\n" and len(quote) == 1):
            raise _Unreadable
        return 2 if self._text[at] == "\\" else 1

    def _parts(self, at: int, quote: str, *, raw: bool, spec: bool = False) -> tuple[int, Sequence[str | _Field]]:
        """Literal text and fields up to the closing quote, or up to the brace that closes a format specification."""
        text, parts, start = self._text, list[str | _Field](), at
        while not (text.startswith("}", at) if spec else text.startswith(quote, at)):
            pair = text[at : at + 2]
            if text.startswith("{", at) and (spec or pair != "{{"):
                parts.append(text[start:at])
                at, field = self._field(at + 1, quote, raw=raw)
                parts.append(field)
                start = at
            elif pair in ("{{", "}}"):
                at += 2
            elif pair in ("\\{", "\\}"):
                at += 1
            elif pair == "\\N" and not raw and text.startswith("{", at + 2):
                at = text.find("}", at) + 1 or len(text)
            elif text.startswith("}", at) or (spec and text.startswith(quote, at)):
                raise _Unreadable
            else:
                at += self._literal_step(at, quote)
        parts.append(text[start:at])
        return at + (1 if spec else len(quote)), parts

    def _field(self, at: int, quote: str, *, raw: bool) -> tuple[int, _Field]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Unreadable
        at, expression = self._expression(at)
        conversion, spec = "", None
        if self._text.startswith("!", at):
            end = min(place for mark in ":}" if (place := self._text.find(mark, at)) >= 0 or mark == "}")
            if end < 0:
                raise _Unreadable
            conversion, at = self._text[at:end], end
        if self._text.startswith(":", at):
            at, spec = self._parts(at + 1, quote, raw=raw, spec=True)
        else:
            at += 1
        self._depth -= 1
        return at, _Field(expression, conversion, spec)

    def _expression(self, at: int) -> tuple[int, Sequence[_Piece]]:
        """Code up to the `!`, `:` or `}` that ends it; a comment is left out, a continued line is only a new one."""
        text, pieces, closing = self._text, list[_Piece](), list[str]()
        while at < len(text):
            here = text[at]
            found = _STRING.match(text, at)
            if found:
                at, string = self._string(found)
                pieces.append(string)
            elif not closing and (here in ":}" or (here == "!" and not text.startswith("!=", at))):
                return at, pieces
            elif here == "#":
                at = self._line_end(at)
            elif text.startswith("\\\n", at):
                at += 1
            else:
                if here in _CLOSING:
                    closing.append(_CLOSING[here])
                elif here in ")]}" and (not closing or closing.pop() != here):
                    raise _Unreadable
                step = 2 if text.startswith("!=", at) else 1
                word = _STEP.match(text, at)
                end = word.end() if word else at + step
                pieces.append(text[at:end])
                at = end
        raise _Unreadable


def _spelled(string: _Plain | _Formatted, used: Sequence[str]) -> str:
    """The literal with quotes that appear in none of the literals around it (`used`), which an older Python needs."""
    # A text may keep its quotes; what holds fields takes the widest ones, for they leave most to those inside.
    preferred = dict.fromkeys((string.quote, *reversed(_QUOTES)) if isinstance(string, _Plain) else _QUOTES)
    for quote in preferred:
        if any(each in quote for each in used):
            continue
        try:
            body = _plain(string, quote) if isinstance(string, _Plain) else _body(string, quote, used)
        except _Unreadable:
            continue
        prefix = re.sub("[tT]", "f", string.prefix)
        spelled = f"{prefix}{quote}{body}{quote}"
        if not any(each in spelled for each in used) and ("\n" not in body or len(quote) == 3):
            return spelled
    raise _Unreadable


def _plain(string: _Plain, quote: str) -> str:
    body = _unescaped(string.body, string.prefix)
    # Where an escape is no way out, a blank is better than no spelling.
    return body.replace(quote[0], " ") if quote in body or body.endswith(quote[0]) else body


def _unescaped(text: str, prefix: str) -> str:
    """The text without a backslash: an older Python refuses them between braces."""
    return text.replace("\\", " ") if "r" in prefix.lower() else _ESCAPE.sub(_character, text)


def _character(escape: "re.Match[str]") -> str:
    if escape[1] == "\n":
        return "\n"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            character = str(ast.literal_eval(f'"{escape[0]}"'))
        except (SyntaxError, ValueError):
            return " "
    return character if len(character) == 1 and character.isprintable() and character != "\\" else " "


def _body(string: _Formatted, quote: str, used: Sequence[str]) -> str:
    last = len(string.parts) - 1
    body = "".join(
        _literal(part, string, quote, used, last=place == last)
        if isinstance(part, str)
        else _braces(part, string, (*used, quote))
        for place, part in enumerate(string.parts)
    )
    # An escaped quote does not end the literal, anything else that looks like its end does.
    if quote in re.sub(r"\\.", "", body, flags=re.DOTALL):
        raise _Unreadable
    return body


def _literal(text: str, string: _Formatted, quote: str, used: Sequence[str], *, last: bool) -> str:
    if used:
        return _nested(text, string).replace(quote[0], " ")
    if "r" not in string.prefix.lower():
        return re.sub(
            rf"\\.|{quote[0]}", lambda found: found[0] if found[0][1:] else f"\\{quote[0]}", text, flags=re.DOTALL
        )
    if last and text.endswith(quote[0]):
        raise _Unreadable
    return text


def _nested(text: str, string: _Formatted) -> str:
    """Literal text of an f-string inside another's braces. Braces it spells as escapes become blanks."""
    if "\\" not in text:
        return text
    pairs = re.split(r"(\{\{|\}\})", text) if "\\N{" not in text else [text]
    return "".join(
        each if each in ("{{", "}}") else re.sub("[{}]", " ", _unescaped(each, string.prefix)) for each in pairs
    )


def _braces(field: _Field, string: _Formatted, used: Sequence[str]) -> str:
    code = "".join(each if isinstance(each, str) else _spelled(each, used) for each in field.expression)
    if "\n" in code and len(used[-1]) == 1:
        raise _Unreadable
    spec = ""
    if field.spec is not None:
        inside = len(used) > 1
        parts = (_nested(each, string) if isinstance(each, str) and inside else each for each in field.spec)
        spec = ":" + "".join(each if isinstance(each, str) else _braces(each, string, used) for each in parts)
    return f"{{{code}{field.conversion}{spec}}}"


def _rewrite(root: Path, into: Path, paths: Sequence[str]) -> Iterator[str]:
    """Write what could be spelled in the older grammar below `into`; yields those paths."""
    for path in paths:
        content = (root / path).read_bytes()
        try:
            encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
            spelled = older_spelling(content.decode(encoding))
        except (SyntaxError, UnicodeDecodeError, LookupError):
            continue
        if spelled is not None:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_bytes(spelled.encode(encoding))
            yield path


def main() -> None:
    """Read `{"root", "into", "paths"}`, write the paths that were rewritten as a JSON list."""
    asked = json.loads(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(list(_rewrite(Path(asked["root"]), Path(asked["into"]), asked["paths"]))))


if __name__ == "__main__":
    main()
