"""Taking secrets out of text: the one place that decides what may be kept of a line that holds one.

What knows where the value is cuts it out (`masked_line`, `mask_values`). What only knows that a line holds a secret
keeps names and punctuation (`bare_line`). What knows nothing still lets no value through that gives itself away by
its name or its shape (`safe_line`).
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from elohim_kernel.model.secret_text import Look, look, oddness

MASK: Final = "…"
MARK_VERSION: Final = "k1"
TELLING_LENGTH: Final = 12
"""A shorter value shows none of its characters: two of eight say too much."""

_WORDS: Final = (
    r"passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key"
    r"|account[_-]?key|encryption[_-]?key|signing[_-]?key|credential|authorization|bearer"
)
_LITERAL: Final = re.compile(r"(\"|'|`)((?:\\.|(?!\1)[^\\])*)(\1|\\?$)")
_KEY_AFTER: Final = re.compile(r"\s*(?:\]\s*)?(?::(?!:)|=>|=(?!=))")
_NAME: Final = re.compile(rf"[A-Za-z_.\-]*(?:{_WORDS}|user(?:name)?|login|host|key)[A-Za-z_.\-]*", re.IGNORECASE)
_RIGHT_SIDE: Final = re.compile(r"(=>|:=|[=:>])(\s*)(?=[^\s\"'`=:>])(.*)$", re.DOTALL)
_RUN: Final = re.compile(r"[^\s\"'`(){}\[\],;<>…]+")
_CLOSING_TAG: Final = re.compile(r"</[A-Za-z][\w.:\-]{0,60}>\s*$")
_PEM_LINE: Final = re.compile(r"\s*-----(?:BEGIN|END) [A-Z0-9 ]{1,40}-----\s*")
_FIRST_WORD: Final = re.compile(rf"^.*?(?<!\S)(?:{_WORDS})[\"']?(?=\s)", re.IGNORECASE)

_ASSIGNED: Final = re.compile(
    rf"(?:{_WORDS})[\w\-]{{0,40}}[\"'`\]]{{0,3}}\s{{0,8}}(?:=>|:=|={{1,3}}|!=|:|,|\(|>|value=)\s{{0,8}}"
    r"(?:(?:bearer|basic|token)\s{1,4})?"
    r"(?:(?P<quote>[\"'`])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\]){1,4096})"
    r"|(?P<bare>(?=[^\s\"'`(){}\[\],;<>\d]{0,200}\d)[^\s\"'`(){}\[\],;<>]{3,4096})(?![\w(\[]))",
    re.IGNORECASE,
)
_IN_URL: Final = re.compile(r"://[^\s/:@\"'<>]{0,256}:([^\s/@\"'<>]{1,1024})@")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9_+/=\-.~]{20,}")
_DISTINCT: Final = 6
_ODD: Final = 12.0  # long names of code stay far below
_HEXADECIMAL: Final = re.compile(r"[0-9a-fA-F]{32,}")


def secret_mark(keyed_hash: str, value: str) -> str:
    """What is kept of a secret: a hash under the store's key, and the last two characters of a long one.

    >>> secret_mark("9f86d081", "correct-horse-42")
    'k1:9f86d081:42'
    >>> secret_mark("9f86d081", "hunter2")
    'k1:9f86d081:'
    """
    shown = value[-2:] if len(value) >= TELLING_LENGTH and value[-2:].isalnum() else ""
    return f"{MARK_VERSION}:{keyed_hash}:{shown}"


def hash_of_mark(mark: str) -> str:
    """The keyed hash inside a mark; "" when it is none.

    >>> hash_of_mark("k1:9f86d081:42")
    '9f86d081'
    """
    version, _, rest = mark.partition(":")
    return rest.partition(":")[0] if version == MARK_VERSION else ""


def masked_line(line: str, spans: Iterable[tuple[int, int]]) -> str:
    """The line with each span `[start, end)` cut out; spans may touch and overlap.

    >>> masked_line("password = hunter2  # old", [(11, 18)])
    'password = …  # old'
    """
    kept, place = [], 0
    for start, end in sorted(spans):
        if start >= place:
            kept.append(line[place:start] + MASK)
        place = max(place, end)
    return "".join(kept) + line[place:]


def mask_values(text: str, values: Iterable[str]) -> str:
    """The text without any of the values, the longest first, whatever their case.

    >>> mask_values("no access with Hunter2!", ["hunter2", ""])
    'no access with …!'
    """
    lower = text.lower()
    there = {value for value in values if value and value.lower() in lower}
    for value in sorted(there, key=len, reverse=True):
        text = re.sub(re.escape(value), MASK, text, flags=re.IGNORECASE)
    return text


def bare_line(line: str) -> str:
    r"""What may be shown of a line that is known to hold a secret: names and punctuation, no literal, no right side.

    >>> bare_line('connect(host, password="hunter2")'), bare_line("DB_PASSWORD=hunter2 # mine")
    ('connect(host, password="…")', 'DB_PASSWORD=…')
    >>> bare_line("machine example.org login me password hunter2")
    'machine example.org login me password …'
    """
    if _PEM_LINE.fullmatch(line):
        return line
    literals = _LITERAL.sub(_without_content, line)
    closing = _CLOSING_TAG.search(literals)
    body = literals[: closing.start()] if closing else literals
    cut = _RIGHT_SIDE.sub(lambda found: f"{found[1]}{found[2]}{_masked_runs(found[3])}", body)
    if cut == line:
        # Nothing on it tells where the value is.
        word = _FIRST_WORD.match(line)
        cut = f"{word[0]} {MASK}" if word and "://" not in word[0] else MASK
    return cut + closing[0] if closing else cut


def safe_line(line: str) -> str:
    """The line without what is named or shaped like a secret; ordinary lines come back as they are.

    >>> safe_line("login(user, password='hunter2')  # F841"), safe_line("total = count + 1")
    ("login(user, password='…')  # F841", 'total = count + 1')
    """
    spans = _named_values(line)
    if len(line) >= 20:
        spans.extend(found.span() for found in _LONG_RUN.finditer(line) if _is_token(found[0]))
    return masked_line(line, spans) if spans else line


def nameless_line(line: str) -> str:
    """The line without values that their name or their URL calls secret: what may go into a hash that is not keyed.

    A hash over a long random value tells nobody the value; one over a short password can be tried out.
    """
    spans = _named_values(line)
    return masked_line(line, spans) if spans else line


def told_values(line: str) -> list[str]:
    """Values on the line that are named secrets and look like it: they are to be masked wherever else they stand.

    >>> told_values("connect(password='Zk3p9Qmx7w', user='ann', token=token)")
    ['Zk3p9Qmx7w']
    """
    return [line[start:end] for start, end in _named_values(line) if look(line[start:end]) >= Look.LIKELY]


def _named_values(line: str) -> list[tuple[int, int]]:
    if not _is_hinted(line.lower()):
        return []
    spans = [found.span("quoted" if found["quote"] else "bare") for found in _ASSIGNED.finditer(line)]
    spans.extend(found.span(1) for found in _IN_URL.finditer(line))
    return spans


def _is_hinted(lower: str) -> bool:
    # Written out: this looks at every line that is quoted anywhere, and a loop costs five times as much.
    return (
        "pass" in lower
        or "key" in lower
        or "token" in lower
        or "secret" in lower
        or "auth" in lower
        or "pwd" in lower
        or "credential" in lower
        or "bearer" in lower
        or "://" in lower
    )


def _without_content(literal: re.Match[str]) -> str:
    content, rest = literal[2], literal.string[literal.end() :]
    if not content:
        return literal[0]
    if _NAME.fullmatch(content) and _KEY_AFTER.match(rest):
        return literal[0]  # a name, not a value: {"password": …}
    return f"{literal[1]}{MASK}{literal[1]}"


def _masked_runs(text: str) -> str:
    masked = _RUN.sub(MASK, text)
    return re.sub(rf"{MASK}(?:\s*{MASK})+", MASK, masked).rstrip("#/ ")


def _is_token(run: str) -> bool:
    if len(set(run)) < _DISTINCT:
        return False
    if _HEXADECIMAL.search(run):
        return True
    return (_changes_of_kind(run) * 5 >= len(run) and any(each.isdigit() for each in run)) or oddness(run) >= _ODD


def _changes_of_kind(run: Sequence[str]) -> int:
    """How often lower case, upper case, digits and the rest take turns, capitals at a word's start not counted."""
    kinds = ["a" if each.islower() else "A" if each.isupper() else "0" if each.isdigit() else "-" for each in run]
    return sum(1 for before, now in pairwise(kinds) if before != now and (before, now) != ("A", "a"))
