"""Cut a guard's text into tokens; numbers and strings are decoded here, everything else is left to the parser."""

import math
import re
from typing import Final, NamedTuple

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.guards.source import refusal

MAX_CHARACTERS: Final = 4096


class Token(NamedTuple):
    """One word of the language. `value` is set for numbers and strings; the last token has kind `end`."""

    kind: str
    text: str
    start: int
    end: int
    value: int | float | str = ""


_PIECES: Final = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
  | (?P<float>(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
  | (?P<int>0[xX][0-9a-fA-F]+|[0-9]+)
  | (?P<raw>[rR](?:"[^"\r\n]*"|'[^'\r\n]*'))
  | (?P<string>"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<operator>&&|\|\||[=!<>]=|[-<>!+*/%?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(
    r"""\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([abfnrtv\\'"?`])|(.))"""
)
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def tokens(text: str) -> list[Token]:
    """All tokens, ending with one of kind `end`. Raises `Invalid` at the first character that starts no token."""
    if len(text) > MAX_CHARACTERS:
        raise TooLarge(f"a guard may have {MAX_CHARACTERS:,} characters; this one has {len(text):,}", hint="split it")
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PIECES.match(text, position)
        if match is None:
            raise _no_token(text, position)
        kind, piece, start, position = str(match.lastgroup), match.group(), match.start(), match.end()
        if kind == "space":
            continue
        if kind in ("int", "float"):
            found.append(_number(text, kind, piece, start))
        elif kind in ("raw", "string"):
            found.append(_string(text, kind, piece, start))
        else:
            found.append(Token(kind, piece, start, position))
    found.append(Token("end", "the end", len(text), len(text)))
    return found


def _number(text: str, kind: str, piece: str, start: int) -> Token:
    end = start + len(piece)
    if following := re.compile(r"[A-Za-z_]+").match(text, end):
        unsigned = following.group() in ("u", "U")
        what = (
            "unsigned integers are not part of the language" if unsigned else f"{piece}{following.group()} is no number"
        )
        raise refusal(text, end, what, hint="leave out the u" if unsigned else None)
    if kind == "int":
        return Token("int", piece, start, end, int(piece, 16) if piece[:2] in ("0x", "0X") else int(piece))
    value = float(piece)
    if math.isinf(value):
        raise refusal(text, start, f"{piece} is too large for a double")
    return Token("float", piece, start, end, value)


def _string(text: str, kind: str, piece: str, start: int) -> Token:
    end = start + len(piece)
    body = piece[2:-1] if kind == "raw" else piece[1:-1]
    if not body and text[end : end + 1] == piece[-1]:
        raise refusal(text, start, "triple-quoted strings are not part of the language", hint="use \\n inside quotes")

    def decode(match: re.Match[str]) -> str:
        two, four, eight, octal, letter, other = match.groups()
        at = start + 1 + match.start()
        if other is not None:
            raise refusal(text, at, f"\\{other} is no escape", hint='write \\\\ for a backslash, or use r"..."')
        if letter is not None:
            return _LETTERS.get(letter, letter)
        code = int(octal, 8) if octal else int(two or four or eight, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise refusal(text, at, f"{match.group()} is no character")
        return chr(code)

    return Token("string", piece, start, end, body if kind == "raw" else _ESCAPE.sub(decode, body))


def _no_token(text: str, position: int) -> Invalid:
    letter = text[position]
    if letter in "\"'":
        return refusal(text, position, "this string has no closing quote on the same line")
    hints = {"=": "equality is written ==", "&": "and is written &&", "|": "or is written ||", "`": 'use "..."'}
    return refusal(text, position, f"unexpected character {letter!r}", hint=hints.get(letter))
