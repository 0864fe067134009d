"""One line of our rule tables: which rules of a tool, what they are about, how bad, and how often they are right."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from elohim_kernel.model.finding import Confidence, Severity


class Row(NamedTuple):
    """What several rules of one tool mean. Rules with blanks in their names are set apart by `|` instead."""

    rules: str
    category: str
    severity: Severity | None = None  # None: as the tool says for each finding, else medium
    confidence: Confidence | None = None  # likewise
    cwe: int = 0  # 0: the category's
    help: str = ""  # "": the category's


HIGH: Final = Severity.HIGH
MEDIUM: Final = Severity.MEDIUM
LOW: Final = Severity.LOW
INFO: Final = Severity.INFO
SURE: Final = Confidence.HIGH
LIKELY: Final = Confidence.MEDIUM
UNSURE: Final = Confidence.LOW


def by_rule(rows: Iterable[Row]) -> Mapping[str, Row]:
    """The rows by rule; a rule that two rows name is an error in the table.

    >>> sorted(by_rule([Row("a b", "xss")]))
    ['a', 'b']
    """
    found: dict[str, Row] = {}
    for row in rows:
        for rule in row.rules.split("|") if "|" in row.rules else row.rules.split():
            assert rule not in found, f"{rule} has two rows"
            found[rule] = row
    return found
