"""The child process of the secrets engine: it reads files and says where a value is that looks like a secret.

Standard input is JSON: a folder and its files, each with how it is to be read. Each file gives one JSON line at once,
with places instead of values: a value never leaves this process. Every file has a time limit, every line a cap.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

from elohim_kernel.engines._secrets_assignments import WORDS, candidates
from elohim_kernel.engines._secrets_providers import FORMS, Form, has_right_check_digits, plausible
from elohim_kernel.model.secret_text import Look, entropy

FILE_TIMEOUT_S: Final = 20
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_FOUND: Final = 1_000
WINDOW: Final = 2_000
"""Characters of a long line that are looked at, around each word that may announce a secret."""

_BEFORE: Final = 400
_SNIFFED: Final = 8_192
_PEM_CAP: Final = 500
_PEM_CHARACTERS: Final = 20_000
_PEM_BEGIN: Final = re.compile(r"-----BEGIN ((?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?)-----")
_PEM_BODY: Final = re.compile(r"[A-Za-z0-9+/]{40,}")
_PEM_HEADER: Final = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash):[^\n]{0,200}")


class Found(NamedTuple):
    """A place that holds a secret: 1-based lines, and where the value stands in the first of them, 0-based."""

    line: int
    end_line: int
    start: int
    end: int
    rule: str
    sure: str  # "sure", "strong", "likely" or "weak"
    why: str


class _Overdue(Exception):
    pass


class Text:
    """The text of a file and its lines."""

    def __init__(self, content: bytes) -> None:
        # The same line ends as `bytes.splitlines` and so as the rest of the workbench counts them.
        self.text = content.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        self.lower = self.text.lower()
        # A few letters change their length in lower case; places must mean the same in both.
        if len(self.lower) != len(self.text):
            self.text = self.text.encode("ascii", "replace").decode()
            self.lower = self.text.lower()
        self._number, self._counted = 1, 0

    def line_of(self, place: int) -> int:
        """1-based number of the line at `place`; places must not go backwards."""
        self._number += self.text.count("\n", self._counted, place)
        self._counted = place
        return self._number

    def windows(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Where to look: lines with one of the words, long ones cut to what is around it; in order, not twice."""
        spans: set[tuple[int, int]] = set()
        for word in words:
            place = self.lower.find(word)
            while place >= 0:
                first, last = self._line(place)
                following = last
                if last - first > WINDOW:
                    first, last = max(first, place - _BEFORE), min(last, place + WINDOW - _BEFORE)
                    # Windows of a long line overlap: what one cuts off at its end stands in the next.
                    following = max(place + len(word), last - _BEFORE)
                spans.add((first, last))
                place = self.lower.find(word, following)
        yield from sorted(spans)

    def _line(self, place: int) -> tuple[int, int]:
        first = self.text.rfind("\n", 0, place) + 1
        last = self.text.find("\n", place)
        return first, len(self.text) if last < 0 else last


def search(content: bytes, *, how: str, name: str = "") -> tuple[Found, ...]:
    """Secrets in a file. `how` is "code", "text", or "forms" where only what its issuer gave a form counts.

    >>> search(b"port = 80", how="text")
    ()
    """
    text = Text(content)
    spans: list[tuple[int, int, str, str, str]] = [*_private_keys(text)]
    for form in FORMS:
        if any(word in text.lower for word in form.words):
            spans.extend(_of_form(form, text))
    if how != "forms":
        spans.extend(_assigned(text, quoted_only=how == "code", name=name))
    return _placed(spans, text)


def _of_form(form: Form, text: Text) -> Iterator[tuple[int, int, str, str, str]]:
    for first, last in text.windows(form.words):
        for found in form.pattern.finditer(text.text, first, last):
            value = found[1]
            if plausible(form, value):
                why = f"it has the form that {form.issuer} gives its credentials"
                if form.rule in ("github-token", "npm-token") and has_right_check_digits(value):
                    why += ", and the check digits are right"
                yield *found.span(1), form.rule, "sure" if form.sure else "strong", why


def _assigned(text: Text, *, quoted_only: bool, name: str) -> Iterator[tuple[int, int, str, str, str]]:
    for first, last in text.windows(WORDS):
        for found in candidates(text.text[first:last], quoted_only=quoted_only, file_name=name):
            bits = entropy(text.text[first + found.start : first + found.end])
            why = f"{found.why}; {found.end - found.start} characters, {bits:.1f} bits each"
            sure = {Look.STRONG: "strong", Look.LIKELY: "likely"}.get(found.look, "weak")
            yield first + found.start, first + found.end, found.rule, sure, why


def _private_keys(text: Text) -> Iterator[tuple[int, int, str, str, str]]:
    for found in islice(_PEM_BEGIN.finditer(text.text), _PEM_CAP):
        end = text.text.find("-----END", found.end(), found.end() + _PEM_CHARACTERS)
        body = text.text[found.end() : end if end > 0 else found.end() + 2_000]
        plain = _PEM_HEADER.sub("", body.replace("\\n", "\n").replace("\\r", ""))
        runs = _PEM_BODY.findall(plain)
        if not runs or entropy(runs[0]) < 3.5:
            continue  # only the header, or a picture of a key
        locked = "ENCRYPTED" in found[1] or "ENCRYPTED" in body[:200]
        why = f"a {found[1].lower()} with its body" + (", locked with a passphrase" if locked else "")
        stop = text.text.find("-----", end + 8) + 5 if end > 0 else found.end() + len(body)
        yield found.start(), stop, "private-key", "strong" if locked else "sure", why


_ORDER: Final = ("sure", "strong", "likely", "weak")


def _placed(spans: Sequence[tuple[int, int, str, str, str]], text: Text) -> tuple[Found, ...]:
    """The best of those that overlap, by place."""
    kept: list[tuple[int, int, str, str, str]] = []
    best = sorted(spans, key=lambda each: (_ORDER.index(each[3]), each[0] - each[1], each[0], each[2]))
    taken = bytearray(len(text.text) + 1)
    for each in best:
        if not any(taken[each[0] : each[1]]):
            taken[each[0] : each[1]] = b"\1" * (each[1] - each[0])
            kept.append(each)
    placed = []
    for start, end, rule, sure, why in sorted(kept)[:MAX_FOUND]:
        first = text.text.rfind("\n", 0, start) + 1
        line = text.line_of(start)
        lines = text.text.count("\n", start, end)
        stop = text.text.find("\n", start) if lines else end
        placed.append(Found(line, line + lines, start - first, stop - first, rule, sure, why))
    return tuple(placed)


def _answer(path: Path, how: str) -> dict[str, object]:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        return {"problem": f"larger than {MAX_BYTES // 1024 // 1024} MiB"}
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16", "replace").encode()
    elif b"\0" in content[:_SNIFFED]:
        return {"binary": True}
    return {"found": search(content, how=how, name=path.name)}


def _overdue(_signal: int, _frame: FrameType | None) -> None:
    raise _Overdue


def main() -> None:
    """Read `[root, [[path, how], ...]]`, write a JSON line for each file."""
    root, files = json.loads(sys.stdin.buffer.read())
    signal.signal(signal.SIGALRM, _overdue)
    for path, how in files:
        signal.alarm(FILE_TIMEOUT_S)
        try:
            answer = _answer(Path(root, path), how)
        except _Overdue:
            answer = {"problem": f"took more than {FILE_TIMEOUT_S} s"}
        except OSError as wrong:
            answer = {"problem": f"cannot be read: {wrong.strerror}"}
        finally:
            signal.alarm(0)
        sys.stdout.write(json.dumps({"path": path, **answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # nothing is left to tidy
