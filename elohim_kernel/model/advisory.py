"""Advisories about packages, in the shape of the OSV schema, and whether a version is affected by one.

Versions are compared the way their ecosystem does: PEP 440 for PyPI, semantic versions for npm. What cannot be compared
is never "not affected": it is said to be unknown. `packaging` is an extra, so it is imported where it is used.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Final

from elohim_kernel.model.finding import Severity
from elohim_kernel.model.value import Value

PYPI: Final = "PyPI"
NPM: Final = "npm"
STALE_DAYS: Final = 30


class Bound(StrEnum):
    """What begins or ends at a version."""

    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


class Range(Value, frozen=True):
    """Bounds in any order; "0" as a version means before all others."""

    bounds: tuple[tuple[Bound, str], ...]


class Advisory(Value, frozen=True):
    """What one advisory says about one package."""

    id: str
    ecosystem: str
    package: str  # normalised as its ecosystem does
    aliases: tuple[str, ...] = ()
    summary: str = ""
    severity: Severity | None = None  # None: it does not say
    cwes: tuple[int, ...] = ()
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()


class Affected(Value, frozen=True):
    """Whether a version is affected: None when that cannot be told. `fixed_in` is the next version that is not."""

    affected: bool | None
    fixed_in: str = ""


class Snapshot:
    """Advisories of a day, by package."""

    def __init__(self, advisories: Iterable[Advisory], *, day: date | None, left_out: int = 0) -> None:
        """`day` None: nobody knows how old it is. `left_out` counts records that could not be read."""
        self.day = day
        self.left_out = left_out
        self.count = 0
        self.ecosystems: set[str] = set()
        self._by_package: dict[tuple[str, str], list[Advisory]] = {}
        for one in advisories:
            self.count += 1
            self.ecosystems.add(one.ecosystem)
            self._by_package.setdefault((one.ecosystem, one.package), []).append(one)

    def about(self, ecosystem: str, package: str) -> Sequence[Advisory]:
        """Every advisory about a package; `package` in any spelling its ecosystem allows."""
        return self._by_package.get((ecosystem, normalised(ecosystem, package)), ())

    def age_days(self, today: date) -> int | None:
        """Days since it was made; None when nobody knows."""
        return None if self.day is None else (today - self.day).days

    def __iter__(self) -> Iterator[Advisory]:
        for group in self._by_package.values():
            yield from group


def normalised(ecosystem: str, package: str) -> str:
    """One spelling of a package's name.

    >>> normalised("PyPI", "Zope.Interface"), normalised("npm", "@Babel/Core")
    ('zope-interface', '@Babel/Core')
    """
    return re.sub(r"[-_.]+", "-", package).lower() if ecosystem == PYPI else package


def affects(advisory: Advisory, version: str) -> Affected:
    """Whether a version of the package is affected.

    >>> one = Advisory(id="X-1", ecosystem="PyPI", package="a", ranges=(Range(bounds=((Bound.FIXED, "1.5"),)),))
    >>> affects(one, "1.4rc1").affected, affects(one, "1.5.0").affected, affects(one, "nonsense").affected
    (True, False, None)
    """
    if version in advisory.versions:
        return Affected(affected=True, fixed_in=_next_fix(advisory, version))
    place = place_of(advisory.ecosystem, version)
    if place is None:
        return Affected(affected=None)
    answers = [_inside(each, advisory.ecosystem, place) for each in advisory.ranges]
    if True in answers:
        return Affected(affected=True, fixed_in=_next_fix(advisory, version))
    if any(place_of(advisory.ecosystem, each) == place for each in advisory.versions):
        return Affected(affected=True, fixed_in=_next_fix(advisory, version))
    return Affected(affected=None if None in answers else False)


Place = tuple[int, object]  # comparable within one ecosystem: the second part is a Version or a semantic key


@cache
def place_of(ecosystem: str, version: str) -> Place | None:
    """Where a version stands among those of its ecosystem; None for one that does not stand anywhere.

    >>> place_of("npm", "1.0.0-rc.2") < place_of("npm", "1.0.0-rc.10") < place_of("npm", "v1.0.0+build")
    True
    """
    if len(version) > 200:
        return None
    if ecosystem == PYPI:
        from packaging.version import InvalidVersion, Version

        try:
            return 1, Version(version)
        except InvalidVersion:
            return None
    return _semantic(version)


_SEMANTIC: Final = re.compile(
    r"[v=\s]{0,3}(\d{1,16})(?:\.(\d{1,16}))?(?:\.(\d{1,16}))?(?:\.\d{1,16})?(?:-([0-9A-Za-z.\-]{1,100}))?(?:\+\S{0,100})?\s{0,3}"
)


def _semantic(version: str) -> Place | None:
    found = _SEMANTIC.fullmatch(version)
    if found is None:
        return None
    numbers = tuple(int(found[number] or 0) for number in (1, 2, 3))
    before = found[4]
    parts = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in before.split(".")) if before else ()
    return 1, (numbers, not before, parts)


def _inside(one: Range, ecosystem: str, place: Place) -> bool | None:
    """Walk the bounds from the lowest up; None when one of them cannot be placed."""
    placed: list[tuple[Place, int, Bound]] = []
    for bound, version in one.bounds:
        where = (0, 0) if version == "0" and bound is Bound.INTRODUCED else place_of(ecosystem, version)
        if where is None:
            return None
        placed.append((where, _ORDER.index(bound), bound))
    inside = not any(bound is Bound.INTRODUCED for _, _, bound in placed)  # without a beginning: from the first on
    for where, _, bound in sorted(placed, key=lambda each: (each[0][0], each[0], each[1])):
        if bound is Bound.LAST_AFFECTED:
            inside = inside and not _below(where, place)
        elif not _below(place, where):
            inside = bound is Bound.INTRODUCED
    return inside


_ORDER: Final = (Bound.FIXED, Bound.LIMIT, Bound.LAST_AFFECTED, Bound.INTRODUCED)


def _below(left: Place, right: Place) -> bool:
    # The second parts are of one kind whenever the first parts are equal.
    return left[0] < right[0] if left[0] != right[0] else left[1] < right[1]  # type: ignore[operator]


def _next_fix(advisory: Advisory, version: str) -> str:
    place = place_of(advisory.ecosystem, version)
    fixes = [
        (where, fixed)
        for each in advisory.ranges
        for bound, fixed in each.bounds
        if bound is Bound.FIXED and (where := place_of(advisory.ecosystem, fixed)) is not None
        if place is None or _below(place, where)
    ]
    return min(fixes, key=lambda each: each[0])[1] if fixes else ""


_WEIGHTS: Final = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_RIGHTS: Final = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


def base_score(vector: str) -> float | None:
    """The base score of a CVSS 3 vector, by the formula of its specification; None for another or a broken one.

    >>> base_score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), base_score("CVSS:4.0/AV:N")
    (9.8, None)
    """
    if not vector.startswith(("CVSS:3.0/", "CVSS:3.1/")) or len(vector) > 300:
        return None
    said = dict(part.split(":", 1) for part in vector.split("/")[1:] if ":" in part)
    scope = said.get("S", "")
    try:
        weight = {name: table[said[name]] for name, table in _WEIGHTS.items()}
        rights = _RIGHTS[scope][said["PR"]]
    except KeyError:
        return None
    lost = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 6.42 * lost if scope == "U" else 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15
    if impact <= 0:
        return 0.0
    ease = 8.22 * weight["AV"] * weight["AC"] * rights * weight["UI"]
    return _rounded_up(min((impact + ease) * (1.0 if scope == "U" else 1.08), 10.0))


def _rounded_up(score: float) -> float:
    whole = round(score * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10


def severity_of_score(score: float) -> Severity:
    """The word for a base score: 9 and more is critical, 7 high, 4 medium.

    >>> severity_of_score(7.0)
    <Severity.HIGH: 'high'>
    """
    steps = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
    return next((word for least, word in steps if score >= least), Severity.INFO)
