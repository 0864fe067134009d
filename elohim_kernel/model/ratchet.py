"""The ratchet: how many findings there are of each rule in each top-level folder, which may only become fewer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from elohim_kernel.model.value import Value


class RatchetCount(Value, frozen=True):
    """How many findings of one rule there are below one top-level folder; "." holds what lies in none."""

    tool: str
    rule: str
    folder: str
    count: int


class Counted(Protocol):
    """What is counted: findings of any shape."""

    @property
    def tool(self) -> str:
        """Who saw it."""

    @property
    def rule(self) -> str:
        """By which rule."""

    @property
    def path(self) -> str:
        """Where."""


def folder_of(path: str) -> str:
    """The top-level folder of a path.

    >>> folder_of("src/app/main.py"), folder_of("setup.py")
    ('src', '.')
    """
    folder, slash, _ = path.removeprefix("./").partition("/")
    return folder if slash else "."


def counts_of(findings: Iterable[Counted]) -> tuple[RatchetCount, ...]:
    """The findings counted, in a fixed order."""
    counted = Counter((each.tool, each.rule, folder_of(each.path)) for each in findings)
    return tuple(
        RatchetCount(tool=tool, rule=rule, folder=folder, count=number)
        for (tool, rule, folder), number in sorted(counted.items())
    )


def ratchet_problems(counts: Sequence[RatchetCount], baseline: Sequence[RatchetCount]) -> tuple[str, ...]:
    """What there is more of than the baseline allows, in words; empty when nothing is.

    >>> one = RatchetCount(tool="ruff", rule="S602", folder="src", count=2)
    >>> ratchet_problems((one,), ())
    ('ruff S602 in src: 2, where 0 are allowed',)
    """
    allowed = {(each.tool, each.rule, each.folder): each.count for each in baseline}
    return tuple(
        f"{each.tool} {each.rule} in {each.folder}: {each.count}, where {limit} are allowed"
        for each in counts
        if each.count > (limit := allowed.get((each.tool, each.rule, each.folder), 0))
    )
