"""What to look at first: a product of few terms, each of which can be shown.

    severity × confidence × newness × kind of file × agreement of tools × learned precision of the rule

The tables here are the formula. `store.views` and `store.queries` write the same terms in SQL, from these tables.
"""

from collections.abc import Mapping
from math import floor, prod
from typing import Final

from elohim_kernel.model.finding import Finding
from elohim_kernel.model.pathkind import PathKind, kind_of
from elohim_kernel.model.value import Value

SEVERITY: Final[Mapping[str, float]] = {"critical": 100.0, "high": 60.0, "medium": 30.0, "low": 10.0, "info": 2.0}
CONFIDENCE: Final[Mapping[str, float]] = {"high": 1.0, "medium": 0.8, "low": 0.5}
PATH: Final[Mapping[str, float]] = {
    PathKind.SOURCE.value: 1.0,
    PathKind.LOCK.value: 1.0,
    PathKind.OTHER.value: 0.8,
    PathKind.TEST.value: 0.4,
    PathKind.GENERATED.value: 0.3,
    PathKind.DOCS.value: 0.3,
}
NEW: Final = 1.5  # not there on the merge base
ON_CHANGED_LINE: Final = 1.25  # the weaker sign of the same
TWO_TOOLS: Final = 1.2
MORE_TOOLS: Final = 1.3

# A rule is believed before anybody has judged it: as if four of five of its findings had been found right.
PRIOR_RIGHT: Final = 4.0
PRIOR_ALL: Final = 5.0


class Term(Value, frozen=True):
    """One factor of the product, and what it was taken from."""

    name: str
    value: str
    factor: float


def precision(wrong: int, right: int) -> float:
    """What decisions say about a rule, as a factor: 1.0 for none, less for false alarms, at most 1.25.

    It is the mean of a Beta distribution, so few decisions move it little. `wrong` counts findings dismissed as false
    positives, `right` those accepted or not going to be fixed, though true.

    >>> [round(precision(wrong, right), 2) for wrong, right in ((0, 0), (20, 0), (0, 20))]
    [1.0, 0.2, 1.2]
    """
    return (right + PRIOR_RIGHT) / (right + wrong + PRIOR_ALL) / (PRIOR_RIGHT / PRIOR_ALL)


def terms(finding: Finding, *, tools: int = 1, wrong: int = 0, right: int = 0) -> tuple[Term, ...]:
    """The terms of a finding's priority. `tools` counts those that see the same problem; see `precision` for the rest.

    >>> from elohim_kernel.model.finding import Severity
    >>> one = Finding(rule="S602", severity=Severity.HIGH, message="", path="app.py", line=3, tool="ruff")
    >>> priority(terms(one))
    48.0
    """
    kind = kind_of(finding.path).value
    newness, why = _newness(finding)
    return (
        Term(name="severity", value=finding.severity.value, factor=SEVERITY[finding.severity.value]),
        Term(name="confidence", value=finding.confidence.value, factor=CONFIDENCE[finding.confidence.value]),
        Term(name="newness", value=why, factor=newness),
        Term(name="file", value=kind, factor=PATH[kind]),
        Term(name="tools", value=str(max(tools, 1)), factor=_agreement(tools)),
        Term(name="precision", value=f"{wrong} of {wrong + right} wrong", factor=round(precision(wrong, right), 4)),
    )


def priority(parts: tuple[Term, ...]) -> float:
    """The product, to one decimal; halves go up, as in SQL."""
    return floor(10 * prod(part.factor for part in parts) + 0.5) / 10


def _newness(finding: Finding) -> tuple[float, str]:
    if finding.is_new:
        return NEW, "new"
    return (ON_CHANGED_LINE, "on a changed line") if finding.on_changed_line else (1.0, "known")


def _agreement(tools: int) -> float:
    if tools < 2:
        return 1.0
    return TWO_TOOLS if tools == 2 else MORE_TOOLS
