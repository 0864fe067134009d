"""Following findings from one run to the next, one to one, saying why each pair is the same finding.

Each attempt works on what the one before left over: the tool's own id, the fingerprint's code in the same function, the
same line there, the same code elsewhere in the file, all of it again for a renamed file, another tool's fingerprint
where there is no code to go by, and the only one of its rule left in a function. What stays ambiguous counts as new and
says so: a decision must never slide onto a finding it was not made for. The order of a report does not matter.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from elohim_kernel.model.finding import Finding
from elohim_kernel.model.fingerprint import VERSION, normalised_path, rule_key
from elohim_kernel.model.masking import hash_of_mark
from elohim_kernel.model.value import Value


class How(StrEnum):
    """What two sightings were recognised by, strongest first."""

    TOOL_ID = "tool_id"
    FINGERPRINT = "fingerprint"
    RENAMED_FILE = "renamed_file"
    ALIAS = "alias"
    SAME_SYMBOL = "same_symbol"


class Match(Value, frozen=True):
    """The same finding in both runs, and the reason in words."""

    previous: Finding
    current: Finding
    how: How
    why: str


class Unmatched(Value, frozen=True):
    """A finding with no partner in the other run, and why none was chosen."""

    finding: Finding
    why: str


class Matches(Value, frozen=True):
    """Every finding of both runs exactly once: paired, new, or gone."""

    pairs: tuple[Match, ...] = ()
    new: tuple[Unmatched, ...] = ()
    gone: tuple[Unmatched, ...] = ()


def match(previous: Iterable[Finding], current: Iterable[Finding], renames: Mapping[str, str]) -> Matches:
    """Pair the findings of two runs; both must have passed `model.fingerprint.fingerprinted`.

    `renames` maps new paths to old ones. A path that is the origin of two files is not followed.

    >>> match([], [], {})
    Matches(pairs=(), new=(), gone=())
    """
    round_ = _Round(sorted(previous, key=_place), sorted(current, key=_place), _one_to_one(renames))
    round_.by_tool_id()
    round_.by_code(How.FINGERPRINT, _own_path)
    if renames:
        round_.by_code(How.RENAMED_FILE, round_.old_path)
    round_.by_alias()
    round_.by_rule()
    return round_.result()


def _place(finding: Finding) -> tuple[str, int, int, str, str, str]:
    return (finding.path, finding.line, finding.column, rule_key(finding), finding.tool_id, finding.message)


def _one_to_one(renames: Mapping[str, str]) -> dict[str, str]:
    origins = Counter(renames.values())
    return {normalised_path(new): normalised_path(old) for new, old in renames.items() if origins[old] == 1}


_WHY: Final = {
    How.TOOL_ID: "the tool gave both the id {id!r}, which is unique in each run",
    How.FINGERPRINT: "same rule, file and code",
    How.RENAMED_FILE: "same rule and code; the file was renamed from {old}",
    How.ALIAS: "same rule and file, and another tool's fingerprint {alias!r}, which is unique in each run",
    How.SAME_SYMBOL: "same rule in {symbol}, on the same line of code or as the only one left",
}
AMBIGUOUS: Final = "ambiguous"
_UNCLEAR: Final = AMBIGUOUS + ": {rule} has more than one possible partner here, so none was chosen"


class _Round:
    """What is not paired yet. Each attempt takes pairs away; an index is never used twice."""

    def __init__(self, previous: Sequence[Finding], current: Sequence[Finding], renames: Mapping[str, str]) -> None:
        self._previous = dict(enumerate(previous))
        self._current = dict(enumerate(current))
        self._renames = renames
        self._pairs: list[Match] = []
        self._unclear: set[int] = set()

    def old_path(self, finding: Finding) -> str:
        """Where the finding's file was in the previous run."""
        path = normalised_path(finding.path)
        return self._renames.get(path, path)

    def by_tool_id(self) -> None:
        """An id repeated inside one run is a placeholder; one that moved to another rule and file is not trusted."""
        old, new = _unique_ids(self._previous), _unique_ids(self._current)
        for key in old.keys() & new.keys():
            before, now = self._previous[old[key]], self._current[new[key]]
            if rule_key(before) == rule_key(now) and (
                normalised_path(before.path) == self.old_path(now) or before.context == now.context
            ):
                self._pair(old[key], new[key], How.TOOL_ID)

    def by_code(self, how: How, path_of: Callable[[Finding], str]) -> None:
        """Same rule, file and code. A function's own findings come first: equal code elsewhere is a weaker sign."""
        self._pair_equals(how, path_of, lambda each: (each.context, each.symbol))
        self._pair_equals(How.SAME_SYMBOL, path_of, lambda each: (each.symbol, "".join(each.snippet.split())))
        self._pair_equals(how, path_of, lambda each: (each.context,))

    def by_alias(self) -> None:
        """Another tool's fingerprint, where there is no code: where there is, it may have passed to an equal."""
        old, new = _unique_aliases(self._previous, _own_path), _unique_aliases(self._current, self.old_path)
        for key in sorted(old.keys() & new.keys()):
            before, now = self._previous.get(old[key]), self._current.get(new[key])
            if before is not None and now is not None and not (before.context and now.context):
                self._pair(old[key], new[key], How.ALIAS, alias=key[-1])

    def by_rule(self) -> None:
        """The only one of its rule left in a function, whatever its line says now."""
        for old, new in self._groups(self.old_path, lambda each: (each.symbol,)):
            # Outside of functions "the only one left" says too little: two unrelated lines would become one.
            if len(old) == len(new) == 1 and self._current[new[0]].symbol:
                self._pair(old[0], new[0], How.SAME_SYMBOL)
            else:
                self._unclear.update(new)

    def result(self) -> Matches:
        """The pairs, and everything that found no partner, in file and line order."""
        return Matches(
            pairs=tuple(sorted(self._pairs, key=lambda pair: _place(pair.current))),
            new=tuple(Unmatched(finding=each, why=self._why_new(index, each)) for index, each in self._current.items()),
            gone=tuple(Unmatched(finding=each, why="nothing like it in this run") for each in self._previous.values()),
        )

    def _why_new(self, index: int, finding: Finding) -> str:
        return _UNCLEAR.format(rule=finding.rule) if index in self._unclear else "nothing like it in the previous run"

    def _pair_equals(self, how: How, path_of: Callable[[Finding], str], key: Callable[[Finding], Hashable]) -> None:
        """Equals are paired in line order, but only when both runs have as many: else one of them would be a guess."""
        for old, new in self._groups(path_of, key):
            # Without code there is nothing to go by, unless nothing at all has changed.
            is_told_apart = len(new) == 1 or self._current[new[0]].context or self._are_unmoved(old, new)
            if len(old) == len(new) and is_told_apart:
                for left, right in zip(old, new, strict=True):
                    self._pair(left, right, how)
            else:
                self._unclear.update(new)

    def _are_unmoved(self, old: Sequence[int], new: Sequence[int]) -> bool:
        return [_place(self._previous[each]) for each in old] == [_place(self._current[each]) for each in new]

    def _groups(
        self, path_of: Callable[[Finding], str], key: Callable[[Finding], Hashable]
    ) -> list[tuple[list[int], list[int]]]:
        old = _grouped(self._previous, lambda each: (_what(each), normalised_path(each.path), key(each)))
        new = _grouped(self._current, lambda each: (_what(each), path_of(each), key(each)))
        return [(old[name], new[name]) for name in new if name in old]

    def _pair(self, old: int, new: int, how: How, *, alias: str = "") -> None:
        before, now = self._previous.pop(old), self._current.pop(new)
        why = _WHY[how].format(id=now.tool_id, old=before.path, symbol=now.symbol or "the file", alias=alias)
        self._pairs.append(Match(previous=before, current=now, how=how, why=why))


def _own_path(finding: Finding) -> str:
    return normalised_path(finding.path)


def _what(finding: Finding) -> tuple[str, str]:
    """The rule and, of a secret, which one: a decision about one value must not pass to its successor on the line."""
    return rule_key(finding), hash_of_mark(finding.secret)


def _unique_ids(findings: Mapping[int, Finding]) -> dict[tuple[str, str], int]:
    counts = Counter((each.tool, each.tool_id) for each in findings.values() if each.tool_id)
    return {
        (each.tool, each.tool_id): index
        for index, each in findings.items()
        if each.tool_id and counts[each.tool, each.tool_id] == 1
    }


def _unique_aliases(
    findings: Mapping[int, Finding], path_of: Callable[[Finding], str]
) -> dict[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for index, each in findings.items():
        for name in each.aliases:
            if not name.startswith(f"{VERSION}:"):
                found[rule_key(each), path_of(each), name].append(index)
    return {key: places[0] for key, places in found.items() if len(places) == 1}


def _grouped(findings: Mapping[int, Finding], key: Callable[[Finding], Hashable]) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, finding in findings.items():
        groups[key(finding)].append(index)
    return groups
