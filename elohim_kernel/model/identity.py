"""Which findings of a run are which we know: the identity each goes on with, and by what it was recognised.

What was last seen on the same branch is looked at first, then what lives elsewhere, then what was fixed. A finding that
nothing known fits is new, and gets an identity that is nobody's: a decision must never pass to it from another.
"""

import hashlib
from collections.abc import Container, Mapping, Sequence
from typing import Final

from elohim_kernel.model.finding import Finding
from elohim_kernel.model.matching import AMBIGUOUS, Match, match
from elohim_kernel.model.value import Value

_NOTHING_KNOWN: Final = "nothing was known"


class Remembered(Value, frozen=True):
    """A known finding as it was last seen, and the identity it is kept under."""

    finding: Finding
    identity: str


class Known(Value, frozen=True):
    """What is known of one repository, nearest first."""

    here: tuple[Remembered, ...] = ()  # alive, and last seen on the same ref
    elsewhere: tuple[Remembered, ...] = ()  # alive
    fixed: tuple[Remembered, ...] = ()


class Identified(Value, frozen=True):
    """A finding of a run with its identity. `how` is "" for a new one; `why` says why, also then."""

    finding: Finding
    identity: str
    how: str = ""
    why: str = ""

    @property
    def matched(self) -> str:
        """By what it was recognised, or why it is new, in one text."""
        return f"{self.how or 'new'}: {self.why}"


def identified(
    known: Known, findings: Sequence[Finding], renames: Mapping[str, str], *, family: str = ""
) -> tuple[Identified, ...]:
    """The findings, in their order, each with the identity it goes on with.

    `renames` maps new paths to old ones. `family` stands before new identities, for those that must never meet others.

    >>> from elohim_kernel.model.finding import Severity
    >>> one = Finding(rule="E1", severity=Severity.LOW, message="", path="a", line=1, tool="t", fingerprint="v1:ab")
    >>> [each.identity for each in identified(Known(), [one, one], {})]
    ['v1:ab', 'v1:ab']
    """
    if not (known.here or known.elsewhere or known.fixed):
        return _all_new(findings, family)
    # Equal rows of one report are one finding: the second one has nothing to be told apart by.
    unlike = {each: place for place, each in reversed(list(enumerate(findings)))}
    found: dict[Finding, tuple[str, Match]] = {}
    why = dict.fromkeys(unlike, _NOTHING_KNOWN)
    for remembered in (known.here, known.elsewhere, known.fixed):
        open_ = [each for each in unlike if each not in found]
        if not remembered or not open_:
            continue
        names = {id(each.finding): each.identity for each in remembered}
        matches = match((each.finding for each in remembered), open_, renames)
        found.update({pair.current: (names[id(pair.previous)], pair) for pair in matches.pairs})
        # What was ambiguous near by is told, not that nothing was like it farther away.
        why.update({each.finding: each.why for each in matches.new if not why[each.finding].startswith(AMBIGUOUS)})
    taken = {each.identity for part in (known.here, known.elsewhere, known.fixed) for each in part}
    made: dict[Finding, Identified] = {}
    for each in sorted(unlike, key=lambda one: unlike[one]):
        if each in found:
            identity, pair = found[each]
            made[each] = Identified(finding=each, identity=identity, how=pair.how.value, why=pair.why)
        else:
            identity = _nobodys(family + each.fingerprint, taken)
            made[each] = Identified(finding=each, identity=identity, why=why[each])
            taken.add(identity)
    return tuple(made[each] for each in findings)


def _all_new(findings: Sequence[Finding], family: str) -> tuple[Identified, ...]:
    """The same where nothing is known, which is often and may be much."""
    owners: dict[str, Finding] = {}
    made: list[Identified] = []
    for finding in findings:
        identity = f"{family}{finding.fingerprint}"
        if owners.setdefault(identity, finding) != finding:
            identity = _nobodys(identity, owners)
            owners[identity] = finding
        made.append(Identified(finding=finding, identity=identity, why=_NOTHING_KNOWN))
    return tuple(made)


def _nobodys(identity: str, taken: Container[str]) -> str:
    """The identity, or one made from it where somebody else has it."""
    chosen, number = identity, 1
    while chosen in taken:
        number += 1
        head, _, _ = identity.rpartition(":")
        chosen = f"{head}:{hashlib.sha256(f'{identity}/{number}'.encode()).hexdigest()}"
    return chosen
