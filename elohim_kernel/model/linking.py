"""The same problem seen by several tools, or by several rules of one, gets one name: `p1:<hex>`. Nothing is merged.

Two findings are one problem when they are in one file and one category and point at one piece of code. Findings of one
rule of one tool are always different problems: several on a line are paired one to one with those of other tools. What
stays unclear stays apart. The name is made like a fingerprint, but without tool, rule and line.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from elohim_kernel.model.category import DEMOTED, is_security
from elohim_kernel.model.extents import Extent, Extents
from elohim_kernel.model.finding import Confidence, Finding
from elohim_kernel.model.fingerprint import normalised_path
from elohim_kernel.model.value import Value

VERSION: Final = "p1"

_SECRET: Final = "secret"  # noqa: S105 - the name of a category
_DEPENDENCY: Final = "dependency"
_EXACT: Final = ("correctness", "syntax")
_ALONE: Final = ("policy", "style", "note")
_STATEMENT_LINES: Final = 15
_MANY: Final = 400  # findings in one place that cannot be meant: they stay apart
_CONFIDENCES: Final = tuple(Confidence)


class Shown(Value, frozen=True):
    """One problem as it is shown: its best finding, and which other tools and rules saw it, as `tool:rule`."""

    finding: Finding
    also_seen_by: tuple[str, ...] = ()


def linked(findings: Iterable[Finding], sources: Mapping[str, bytes] | None = None) -> tuple[Finding, ...]:
    """The findings, in their order, with `problem` filled in; they must have passed `fingerprinted`.

    `sources` maps paths to the analysed content; without it only what is on one line can be one problem.
    """
    every = tuple(findings)
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, finding in enumerate(every):
        groups[normalised_path(finding.path), finding.category].append(index)
    slots: list[list[int]] = []
    for (_, category), members in groups.items():
        several = len({(every[each].tool, every[each].rule) for each in members}) > 1
        if not several or category in _ALONE or not _is_linkable(category):
            slots.extend([each] for each in members)
            continue
        source = (sources or {}).get(every[members[0]].path, b"")
        slots.extend(_slots(every, members, category, source))
    names = _names(every, slots)
    return tuple(
        finding if finding.problem == names[index] else replace(finding, problem=names[index])
        for index, finding in enumerate(every)
    )


def shown(findings: Iterable[Finding]) -> tuple[Shown, ...]:
    """One entry per problem, the worst first; what is only told, never counted, comes last.

    A problem shows its worst finding, of those the surest, of those the one whose rule says most. A finding without
    `problem` is one of its own.
    """
    problems: dict[object, list[Finding]] = defaultdict(list)
    for index, finding in enumerate(findings):
        problems[finding.problem or index].append(finding)
    made = [_shown(sorted(members, key=_best_first)) for members in problems.values()]
    return tuple(sorted(made, key=lambda each: _worst_first(each.finding)))


def _shown(members: Sequence[Finding]) -> Shown:
    first, *others = members
    own = f"{first.tool}:{first.rule}"
    names = dict.fromkeys(f"{each.tool}:{each.rule}" for each in others)
    return Shown(finding=first, also_seen_by=tuple(name for name in names if name != own))


def _best_first(finding: Finding) -> tuple[object, ...]:
    unsure = _CONFIDENCES.index(finding.confidence)
    return (
        bool(finding.suppressed and not finding.suppression_is_new),
        finding.severity.rank,
        unsure,
        not finding.related,
        not finding.evidence,
        not finding.cwe,
        finding.line,
        finding.tool,
        finding.rule,
    )


def _worst_first(finding: Finding) -> tuple[object, ...]:
    quiet = bool(finding.suppressed and not finding.suppression_is_new)
    told = finding.category in DEMOTED
    place = (finding.path, finding.line, finding.column, finding.tool, finding.rule)
    return (told, quiet, finding.severity.rank, _CONFIDENCES.index(finding.confidence), *place)


def _is_linkable(category: str) -> bool:
    return is_security(category) or category in _EXACT or category == "import"


def _slots(every: Sequence[Finding], members: Sequence[int], category: str, source: bytes) -> list[list[int]]:
    if category == _SECRET:
        return _filled(every, members, _secret_fit)
    if category == _DEPENDENCY:
        return _filled(every, members, _dependency_fit)
    placed = [each for each in members if every[each].line]
    slots = [[each] for each in members if not every[each].line]  # a whole file is no place
    if category in _EXACT:
        return slots + _filled(every, placed, _exact_fit)
    if not placed:
        return slots
    extents = Extents(every[placed[0]].path, source, across_lines=_may_span([every[each] for each in placed]))
    spans = {each: extents.of(every[each]) for each in placed}
    if not extents.parsed:  # found out on the way
        spans = {each: extents.of(every[each]) for each in placed}
    for crowd in _crowds(placed, spans):
        slots.extend([[each] for each in crowd] if len(crowd) > _MANY else _paired(every, crowd, spans, extents.parsed))
    return slots


def _may_span(findings: Iterable[Finding]) -> bool:
    """Whether tools may name different lines of one statement: lines near each other that not all of them name."""
    tools: dict[int, set[str]] = defaultdict(set)
    for finding in findings:
        tools[finding.line].add(finding.tool)
    lines = sorted(tools)
    return any(
        after - before <= _STATEMENT_LINES and tools[before] != tools[after] for before, after in pairwise(lines)
    )


def _crowds(members: Sequence[int], spans: Mapping[int, Extent]) -> list[list[int]]:
    """Findings whose extents touch, directly or through others."""
    crowds: list[list[int]] = []
    end = (0, 0)
    for each in sorted(members, key=lambda index: spans[index]):
        if not crowds or spans[each].first > end:
            crowds.append([])
            end = (0, 0)
        crowds[-1].append(each)
        end = max(end, spans[each].last)
    return crowds


def _paired(
    every: Sequence[Finding], crowd: Sequence[int], spans: Mapping[int, Extent], parsed: bool
) -> list[list[int]]:
    """Narrow pieces make problems; wider ones that hold one of them join the nearest that their rule has not seen."""

    def fit(finding: int, slot: Sequence[int]) -> tuple[int, ...] | None:
        core, mine = spans[slot[0]], spans[finding]
        if not core.meets(mine):
            return None
        columns = {every[each].column for each in slot if every[each].tool == every[finding].tool}
        if not parsed and 0 not in (columns | {every[finding].column}) and columns - {every[finding].column}:
            return None  # one tool names two columns: without a grammar, two places
        by = every[slot[0]]
        return (core != mine, abs(core.first[0] - mine.first[0]), abs(by.column - every[finding].column))

    ordered = sorted(crowd, key=lambda each: (spans[each].size, *_position(every[each])))
    return _assigned(every, ordered, fit)


Fit = Callable[[int, Sequence[int]], tuple[int, ...] | None]


def _assigned(every: Sequence[Finding], ordered: Iterable[int], fit: Fit) -> list[list[int]]:
    """Each finding joins the slot that fits best and that its own rule is not in yet, or begins one."""
    slots: list[list[int]] = []
    seen: list[set[tuple[str, str]]] = []
    for each in ordered:
        key = (every[each].tool, every[each].rule)
        fits = [
            (how, place)
            for place, slot in enumerate(slots)
            if key not in seen[place] and (how := fit(each, slot)) is not None
        ]
        if fits:
            place = min(fits)[1]
            slots[place].append(each)
            seen[place].add(key)
        else:
            slots.append([each])
            seen.append({key})
    return slots


def _filled(
    every: Sequence[Finding],
    members: Sequence[int],
    fit: Callable[[Finding, Sequence[Finding]], tuple[int, ...] | None],
) -> list[list[int]]:
    if len(members) > _MANY:
        near: dict[int, list[int]] = defaultdict(list)
        for each in members:
            near[every[each].line].append(each)
        parts = [part if len(part) <= _MANY else [] for part in near.values()]
        alone = [[each] for part in near.values() if len(part) > _MANY for each in part]
        return alone + [slot for part in parts for slot in _filled(every, part, fit)]
    ordered = sorted(members, key=lambda each: _position(every[each]))
    return _assigned(every, ordered, lambda each, slot: fit(every[each], [every[one] for one in slot]))


def _exact_fit(finding: Finding, slot: Sequence[Finding]) -> tuple[int, ...] | None:
    first = slot[0]
    same_column = finding.category == "syntax" or finding.column == first.column
    return (0,) if finding.line == first.line and same_column else None


def _secret_fit(finding: Finding, slot: Sequence[Finding]) -> tuple[int, ...] | None:
    same_value = any(finding.secret and finding.secret == each.secret for each in slot)
    same_line = any(finding.line == each.line for each in slot)
    if any(each.tool == finding.tool and each.secret != finding.secret for each in slot):
        return None  # one scanner that sees two values sees two secrets
    if not (same_value or same_line):
        return None
    lines = min(abs(each.line - finding.line) for each in slot)
    return (not same_line, not same_value, lines, abs(slot[0].column - finding.column))


def _dependency_fit(finding: Finding, slot: Sequence[Finding]) -> tuple[int, ...] | None:
    packages = {each.symbol for each in slot if each.symbol}
    if finding.symbol and packages and finding.symbol not in packages:
        return None
    ids = {name for each in slot for name in (*each.advisories, *each.aliases)}
    return (0,) if ids & {*finding.advisories, *finding.aliases} else None


def _position(finding: Finding) -> tuple[int, int, str, str, str]:
    return (finding.line, finding.column, finding.tool, finding.rule, finding.message)


def _names(every: Sequence[Finding], slots: Iterable[Sequence[int]]) -> dict[int, str]:
    firsts = [(min((every[each] for each in slot), key=_position), slot) for slot in slots]
    firsts.sort(key=lambda pair: (pair[0].path, *_position(pair[0])))
    seen: Counter[tuple[str, str, str]] = Counter()
    names: dict[int, str] = {}
    for first, slot in firsts:
        key = (first.category, normalised_path(first.path), first.context)
        seen[key] += 1
        text = "\0".join((*key, str(seen[key])))
        name = f"{VERSION}:{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:32]}"
        names.update(dict.fromkeys(slot, name))
    return names
