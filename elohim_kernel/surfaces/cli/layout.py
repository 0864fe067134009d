"""Tables and short words for people: aligned, no wider than the terminal, and never cut when nobody looks."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from elohim_kernel.surfaces.cli.output import on_terminal, painted
from elohim_kernel.surfaces.text import text

Cells = Sequence[object]

_GAP: Final = "  "
_TAILS: Final = ("place", "file")  # what matters of these stands at their end
_LEAST: Final = 8  # columns that a cell keeps however narrow the terminal is


def width() -> int | None:
    """Columns of the terminal; `None` when the output goes elsewhere and nothing is to be cut."""
    return max(40, shutil.get_terminal_size((80, 24)).columns) if on_terminal() else None


def table(
    head: Sequence[str], rows: Iterable[Cells], *, room: int | None = None, paint: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Lines of a table; the widest columns give way until it is `room` columns wide. `None` is shown as "-".

    Where room is short, a column that says nothing in any row is left out.

    `paint` names columns whose words are coloured by what they say, or gives the colour.

    >>> list(table(("ref", "title"), [("EL-1", "Cache"), ("EL-12", None)]))
    ['REF    TITLE', 'EL-1   Cache', 'EL-12  -']
    """
    shown = [[_cell(value) for value in row] for row in rows]
    if not shown:
        return
    if room is not None:
        kept = [place for place, column in enumerate(zip(*shown, strict=True)) if set(column) != {"-"}]
        head, shown = [head[place] for place in kept], [[row[place] for place in kept] for row in shown]
    titles = [name.upper() for name in head]
    widths = fitted([max(map(columns_of, column)) for column in zip(titles, *shown, strict=True)], room)
    yield _GAP.join(painted(padded(name, size), "strong") for name, size in zip(titles, widths, strict=True)).rstrip()
    for row in shown:
        cells = []
        for name, value, size in zip(head, row, widths, strict=True):
            colour = (paint or {}).get(name)
            words = padded(cut_start(value, size) if name in _TAILS else cut(value, size), size)
            cells.append(words if colour is None else painted(words, colour or value))
        yield _GAP.join(cells).rstrip()


def fitted(widths: Sequence[int], room: int | None) -> list[int]:
    """Widths that fit `room`: the widest is narrowed first, none below what can be read.

    >>> fitted([4, 30, 60], 60)
    [4, 26, 26]
    """
    sizes = list(widths)
    if room is None:
        return sizes
    over = sum(sizes) + len(_GAP) * (len(sizes) - 1) - room
    while over > 0 and max(sizes) > _LEAST:
        widest = sizes.index(max(sizes))
        others = [size for place, size in enumerate(sizes) if place != widest]
        floor = max(_LEAST, max(others, default=0) - 1)
        step = max(1, min(over, sizes[widest] - floor))
        sizes[widest] -= step
        over -= step
    return sizes


def pairs(values: Iterable[tuple[str, object]], *, indent: str = "") -> Iterator[str]:
    """Lines of `name  value`, names aligned; a value that is `None`, "" or empty is left out."""
    kept = [(name, value) for name, value in values if value not in (None, "", (), [], {})]
    size = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        yield f"{indent}{painted(name.ljust(size), 'faint')}{_GAP}{text(value)}"


def wrapped(words: str, *, indent: str = "", room: int | None = None, first: str | None = None) -> Iterator[str]:
    """The words, broken at spaces to fit `room`; `first` begins the first line instead of `indent`."""
    limit = (room or 100) - len(indent)
    line, start = "", indent if first is None else first
    for word in text(words).split():
        if line and columns_of(line) + 1 + columns_of(word) > limit:
            yield start + line
            line, start = word, indent
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield start + line


def when(moment: object) -> str:
    """A time as people write it, in the zone of this machine; "" for none.

    >>> when(None)
    ''
    """
    found = _moment(moment)
    return found.astimezone().strftime("%Y-%m-%d %H:%M") if found else ""


def until(moment: object, *, now: datetime | None = None) -> str:
    """How long until then, or how long it is overdue; "" for none.

    >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> until("2026-11-23T13:30:00Z", now=noon), until("2026-11-22T11:20:00Z", now=noon)
    ('in 25 h', '40 min over')
    """
    found = _moment(moment)
    if found is None:
        return ""
    minutes = int((found - (now or datetime.now(UTC))).total_seconds() // 60)
    return f"{_span(-minutes)} over" if minutes < 0 else f"in {_span(minutes)}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "item"), counted(2, "entry", "entries")
    ('1 item', '2 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def columns_of(words: str) -> int:
    """Columns that words take on a terminal."""
    if words.isascii():
        return len(words)
    # Few tables hold such characters, and the table of all characters costs as much as reading the configuration.
    from elohim_kernel.surfaces.cli.wide import columns

    return columns(words)


def cut(words: str, size: int) -> str:
    """The words, no wider than `size` columns."""
    if columns_of(words) <= size:
        return words
    if words.isascii():
        return words[: size - 1] + "…"
    from elohim_kernel.surfaces.cli.wide import cut_to

    return cut_to(words, size - 1) + "…"


def cut_start(words: str, size: int) -> str:
    """The end of the words, no wider than `size` columns.

    >>> cut_start("src/deep/file.py:12", 12)
    '…/file.py:12'
    """
    if columns_of(words) <= size:
        return words
    kept = words[-(size - 1) :]
    while columns_of(kept) > size - 1:
        kept = kept[1:]
    return "…" + kept


def padded(words: str, size: int) -> str:
    """The words with spaces behind them, `size` columns in all."""
    return words + " " * (size - columns_of(words))


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(text(each) for each in value) or "-"
    return text(value)


def _moment(moment: object) -> datetime | None:
    if isinstance(moment, str) and moment:
        return datetime.fromisoformat(moment)
    return moment if isinstance(moment, datetime) else None


def _span(minutes: int) -> str:
    for size, unit in ((2_880, "d"), (120, "h")):
        if minutes >= size:
            return f"{minutes // {'d': 1_440, 'h': 60}[unit]} {unit}"
    return f"{minutes} min"
