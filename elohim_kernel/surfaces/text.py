"""Text from outside, made safe to show: titles, messages, branch names, findings, file names.

What it was meant to do to the reader's screen is taken out or spelled out; what it says is kept. `text` is for a
terminal, `cell` for a table that a spreadsheet may open.
"""

import re
from typing import Final

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CONTROLS_BUT_LINES: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]+")
_SPACES: Final = re.compile(r"[\t\n\x0b\x0c\r\x85]+")

# Direction marks and overrides, marks nobody sees, tags, lone surrogates. A joiner between two letters of a script that
# needs it is part of the word, anywhere else it hides something.
_UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def text(value: object, *, lines: bool = False) -> str:
    r"""One line that is safe to write to a terminal; with `lines`, line feeds and tabs stay.

    Control characters (C0, C1) are left out, so an escape sequence cannot act and what remains of it can be seen. Marks
    that turn the direction of writing or take no room are written out by their number.

    >>> text("ok\x1b[31m\nfixed \u202egpj.exe")
    'ok[31m fixed <U+202E>gpj.exe'
    """
    told = str(value)
    if told.isascii() and told.isprintable():
        return told
    if not lines:
        told = _SPACES.sub(" ", told)
    told = (_CONTROLS_BUT_LINES if lines else _CONTROLS).sub("", told)
    return told if told.isascii() else _UNSEEN.sub(lambda found: f"<U+{ord(found.group()):04X}>", told)


def cell(value: object) -> str:
    """The value for a cell of CSV: text that a spreadsheet would take for a formula gets an apostrophe before it.

    Numbers stay numbers, and `None` is empty.

    >>> [cell(each) for each in ("=1+1", "-2.5", -2.5, "@cmd", None)]
    ["'=1+1", '-2.5', '-2.5', "'@cmd", '']
    """
    if value is None:
        return ""
    told = str(value)
    if not isinstance(value, str) or _NUMBER.fullmatch(told):
        return told
    return f"'{told}" if told.lstrip(" ").startswith(_FORMULA) else told
