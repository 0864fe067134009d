"""How risky a change is to review lightly: a small hand-weighted sum whose three largest terms are always named.

Size predicts defects best, then how many files and folders it is spread over, and how evenly. The weights follow how
well each signal alone told defect-inducing commits apart in the history we measured; they are not a probability, and
two scores compare only as "look here first". Lock files, generated files and binary files carry no weight: nobody
reads them. Whether a test was changed is deliberately not a term: small, safe commits seldom touch one.
"""

from collections.abc import Mapping, Sequence
from math import log, log1p
from pathlib import PurePosixPath
from typing import Final

from elohim_kernel.model.change import Change, FileChange
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.value import Value

HIGH: Final = 60.0
MEDIUM: Final = 30.0


class ChangeShape(Value, frozen=True):
    """The size and spread of a change, over the files that people read."""

    lines_added: int = 0
    lines_deleted: int = 0
    files: int = 0
    folders: int = 0
    entropy: float = 0.0  # bits; 0 when all changed lines are in one file


class Contribution(Value, frozen=True):
    """One term of the score: `weight` in points of 100, and what was counted, in words."""

    name: str
    weight: float
    text: str


class ChangeRisk(Value, frozen=True):
    """`score` from 0 to 100, with its three largest contributions, largest first."""

    score: float
    contributions: tuple[Contribution, ...] = ()

    @property
    def level(self) -> str:
        """`low`, `medium` or `high`."""
        return "high" if self.score >= HIGH else "medium" if self.score >= MEDIUM else "low"


def is_read_by_people(file: FileChange) -> bool:
    """False for what counts towards nothing: binary files, submodules, lock files and generated files."""
    return not (file.binary or file.submodule or kind_of(file.path) in (PathKind.LOCK, PathKind.GENERATED))


def shape_of(change: Change) -> ChangeShape:
    """Count the change; entropy is Shannon's over each file's share of the changed lines."""
    files = [file for file in change.files if is_read_by_people(file)]
    sizes = [file.added + file.deleted for file in files if file.added + file.deleted]
    total = sum(sizes)
    return ChangeShape(
        lines_added=sum(file.added for file in files),
        lines_deleted=sum(file.deleted for file in files),
        files=len(files),
        folders=len({str(PurePosixPath(file.path).parent) for file in files}),
        entropy=round(-sum(size / total * log(size / total, 2) for size in sizes), 3) + 0.0,
    )


def change_risk(shape: ChangeShape, *, risky: Mapping[str, int], complexity_rise: Sequence[float]) -> ChangeRisk:
    """Score a change from its shape, the risky areas it touches (reason to number of files) and complexity gained.

    Every term grows with the squared logarithm of what it counts and is full at the stated amount:
    lines added 35 points (full at 800), files 15 (30), spread 10 (4 bits), lines deleted 8 (800), folders 7 (12),
    risky areas 15 (3 areas), complexity gained 10 (30).

    >>> change_risk(ChangeShape(lines_added=3, files=1, folders=1), risky={}, complexity_rise=()).level
    'low'
    """
    gained = sum(rise for rise in complexity_rise if rise > 0)
    terms = (
        ("lines added", 35.0, shape.lines_added, 800.0, f"{_counted(shape.lines_added, 'line')} added"),
        ("files", 15.0, shape.files - 1, 29.0, f"{_counted(shape.files, 'file')} touched"),
        ("risky areas", 15.0, len(risky), 3.0, "touches " + ", ".join(sorted(risky))),
        ("spread", 10.0, shape.entropy, 4.0, f"changed lines spread over files ({shape.entropy:.1f} bits)"),
        ("complexity", 10.0, gained, 30.0, f"functions gained {gained:g} branches"),
        ("lines deleted", 8.0, shape.lines_deleted, 800.0, f"{_counted(shape.lines_deleted, 'line')} deleted"),
        ("folders", 7.0, shape.folders - 1, 11.0, f"{_counted(shape.folders, 'folder')} touched"),
    )
    weighed = [
        Contribution(name=name, weight=round(points * _share(amount, full), 1), text=text)
        for name, points, amount, full, text in terms
    ]
    largest = sorted((term for term in weighed if term.weight > 0), key=lambda term: -term.weight)[:3]
    return ChangeRisk(score=round(sum(term.weight for term in weighed), 1), contributions=tuple(largest))


def _share(amount: float, full: float) -> float:
    # The logarithm because the hundredth line adds less than the tenth; squared so that small changes stay small.
    return float(min(1.0, log1p(max(0.0, amount)) / log1p(full)) ** 2)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
