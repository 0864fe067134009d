"""Exploring one module: inputs, what they give on both commits, mutants, and the calls that become tests.

A call is stable when it gives the same three times on the head, in another order, hash seed and time zone each time,
and the same on the base. One that gives something else on the base is told, not accepted.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from elohim_kernel.engines._tests_choosing import Gain, choose
from elohim_kernel.engines._tests_examples import Shown
from elohim_kernel.engines._tests_inputs import Unbuildable, cases_of, draw, more
from elohim_kernel.engines._tests_mutants import function_named, mutants_of
from elohim_kernel.engines._tests_running import Deadline, Side
from elohim_kernel.engines._tests_shapes import Case, Kind, Mutant, Outcome, Place, Rejected, Target
from elohim_kernel.engines._tests_values import ITERATOR
from elohim_kernel.engines._tests_variants import Pool
from elohim_kernel.engines._tests_writing import clashes

_ROUNDS: Final = 6
_VARIANTS: Final = 320
_IDLE: Final = 2  # rounds without anything new, after which a function is left
_MOST_CHANGES: Final = 5
_RUNS: Final = 3


class Explored:
    """What is known of one target after exploring it."""

    def __init__(self, target: Target, cases: list[Case], pool: Pool, mutants: list[Mutant]) -> None:
        self.target, self.cases, self.pool, self.mutants = target, cases, pool, mutants
        self.outcomes: dict[str, Outcome] = {}
        self.base: dict[str, Outcome] = {}
        self.kills: dict[str, set[str]] = defaultdict(set)  # by case
        self.possible: set[str] = set()  # mutants that could be made
        self.reasons: Counter[str] = Counter()  # why calls are not used
        self.tried = len(cases)
        self.stable: dict[str, Case] = {}
        self.changed: dict[str, Case] = {}

    def has_values(self) -> bool:
        """Whether any call gives a value; some may raise."""
        return any(self.outcomes[name].kind is not Kind.RAISES for name in (*self.stable, *self.changed))

    def forget(self) -> None:
        """Begin again, with other calls."""
        for known in (self.outcomes, self.base, self.stable, self.changed, self.reasons):
            known.clear()

    def forget_nothing(self) -> None:
        """Drop the calls that give None when no call gives anything else: there is nothing to compare."""
        usable = {**self.stable, **self.changed}
        void = {name for name in usable if (self.outcomes[name].kind, self.outcomes[name].text) == (Kind.VALUE, "None")}
        if void and all(self.outcomes[name].kind is not Kind.VALUE for name in usable if name not in void):
            self.reasons["gives nothing back: there is no value to compare"] += len(void)
            for name in void:
                self.stable.pop(name, None)
                self.changed.pop(name, None)

    def lines(self, case: str) -> set[int]:
        """Changed lines that the call runs."""
        return set(self.outcomes[case].lines) & set(self.target.lines)

    def alive(self, killed: frozenset[str]) -> list[Mutant]:
        """Mutants that nothing kills so far."""
        dead = killed.union(*self.kills.values()) if self.kills else killed
        return [mutant for mutant in self.mutants if mutant.id not in dead]

    def chosen(self, killed: frozenset[str], covered: frozenset[int], *, known: bool) -> list[Gain]:
        """The calls worth a test; when existing tests are not `known`, only those that kill count."""
        lines = {name: self.lines(name) for name in self.stable} if known else {}
        cases = list(self.stable.values())
        return choose(cases, kills=self.kills, lines=lines, killed=killed, covered=covered)

    def telling(self, killed: frozenset[str]) -> list[Case]:
        """A few calls that show the changed behaviour, the most telling first."""
        lines = {name: self.lines(name) | {-1} for name in self.changed}
        cases = list(self.changed.values())
        found = choose(cases, kills=self.kills, lines=lines, killed=killed, covered=(), most=_MOST_CHANGES)
        return [gain.case for gain in found]


class Module:
    """One file of the head, with the same module on the base where it is there."""

    def __init__(
        self, place: Place, before: Place | None, source: bytes, head: Side, base: Side | None, deadline: Deadline
    ) -> None:
        self._place, self._before = place, before
        self._tree = ast.parse(source)
        self._head, self._base, self._deadline = head, base, deadline
        self.problem = ""

    def explore(self, targets: Sequence[Target], shown: Shown) -> tuple[list[Explored], list[Rejected]]:
        """Inputs for each target and what they give. `problem` says why the module cannot be run at all."""
        found: list[Explored] = []
        rejected: list[Rejected] = []
        for target in targets:
            located = function_named(self._tree, target.qualname, target.first)
            if located is None:
                continue
            node = located[1]
            try:
                drawn = draw(target, node, self._tree, shown)
            except Unbuildable as why:
                rejected.append(Rejected(what=target.key, reason=str(why)))
                continue
            mutants = [
                Mutant(key=target.key, number=number, line=made.line, told=made.told)
                for number, made in enumerate(mutants_of(node, set(target.lines)))
            ]
            found.append(Explored(target, cases_of(target, drawn.inputs), drawn.pool, mutants))
        self._try([case for each in found for case in each.cases], found)
        lazy = [each for each in found if each.reasons[ITERATOR] and not each.has_values()]
        for each in lazy:
            each.target = replace(each.target, generator=True)
            each.cases = cases_of(each.target, [case.inputs for case in each.cases])
            each.forget()
        self._try([case for each in lazy for case in each.cases], lazy)
        for each in found:
            each.forget_nothing()
        return found, rejected

    def deepen(self, found: Sequence[Explored], killed: frozenset[str], *, most_s: float) -> None:
        """Find which calls kill which mutants; where some stay alive, look for further inputs for `most_s` at most."""
        until = self._deadline.left_s - most_s
        self._kill(found, {each.target.key: list(each.stable.values()) for each in found}, killed)
        self._kill(found, {each.target.key: list(each.changed.values())[:20] for each in found}, killed)
        idle: Counter[str] = Counter()
        for round_ in range(1, _ROUNDS + 1):
            fresh: dict[str, list[Case]] = {}
            for each in found:
                if idle[each.target.key] < _IDLE and each.alive(killed) and self._deadline.left_s > until:
                    fresh[each.target.key] = useful = self._useful(each, killed, round_)
                    idle[each.target.key] = 0 if useful else idle[each.target.key] + 1
            tried = [case for cases in fresh.values() for case in cases]
            if not fresh:
                return
            self._try(tried, found)
            for kept in ("stable", "changed"):
                usable = {
                    each.target.key: [case for case in fresh.get(each.target.key, ()) if case.id in getattr(each, kept)]
                    for each in found
                }
                self._kill(found, usable, killed)

    def _useful(self, each: Explored, killed: frozenset[str], round_: int) -> list[Case]:
        """Neighbours of known inputs that kill a living mutant or reach a line that nothing has reached."""
        known = {**each.stable, **each.changed}
        alive = each.alive(killed)
        ran = {name: set(each.outcomes[name].lines) for name in known}
        reached = set().union(*ran.values()) if ran else set()
        lines = {mutant.line for mutant in alive}
        near = [case.inputs for name, case in known.items() if lines & ran[name]]
        # Half of the time what comes close; else anything, because the way may start elsewhere.
        every = [case.inputs for case in known.values()]
        inputs = [
            *more(near, each.pool, seed=round_, count=_VARIANTS // 2),
            *more(every, each.pool, seed=100 + round_, count=_VARIANTS // 2),
        ]
        cases = cases_of(each.target, inputs, start=1_000 * round_)
        useful = self._head.screen(self._place, each.target, alive, cases, set(each.target.lines) - reached)
        chosen = [case for case in cases if case.id in useful]
        each.cases.extend(chosen)
        each.tried += len(cases)
        return chosen

    def _try(self, cases: Sequence[Case], found: Sequence[Explored]) -> None:
        if not cases:
            return
        by_key = {each.target.key: each for each in found}
        first, problem = self._head.record(self._place, cases, seed=0, trace=True)
        if problem:
            self.problem = problem
            return
        usable = []
        for case in cases:
            outcome = first[case.id]
            if why := _why_not(case, outcome):
                by_key[case.key].reasons[why] += 1
            else:
                usable.append(case)
        again = [self._head.record(self._place, usable, seed=seed, trace=False)[0] for seed in range(1, _RUNS)]
        base = self._on_base([case for case in usable if not by_key[case.key].target.is_new])
        for case in usable:
            each, outcome = by_key[case.key], first[case.id]
            if any(run[case.id].identity != outcome.identity for run in again):
                each.reasons["does not give the same each time"] += 1
                continue
            each.outcomes[case.id] = outcome
            before = base.get(case.id) if not each.target.is_new else outcome
            if before is None:
                each.reasons["the module cannot be run on the base"] += 1
            elif before.identity == outcome.identity:
                each.stable[case.id] = case
            elif before.kind is Kind.UNUSABLE and not before.reason.startswith("fails by accident"):
                each.reasons[f"on the base: {before.reason}"] += 1
            else:
                each.base[case.id] = before
                each.changed[case.id] = case
        self._broken_on_head(cases, first, by_key)

    def _broken_on_head(
        self, cases: Sequence[Case], first: Mapping[str, Outcome], by_key: Mapping[str, Explored]
    ) -> None:
        """Calls that fail by accident on the head and gave a result on the base are changed behaviour too."""
        failing = [
            case
            for case in cases
            if first[case.id].reason.startswith("fails by accident") and not by_key[case.key].target.is_new
        ]
        base = self._on_base(failing)
        for case in failing:
            before = base.get(case.id)
            if before is not None and before.kind is not Kind.UNUSABLE:
                each = by_key[case.key]
                each.outcomes[case.id], each.base[case.id] = first[case.id], before
                each.changed[case.id] = case

    def _on_base(self, cases: Sequence[Case]) -> dict[str, Outcome]:
        if self._base is None or self._before is None or not cases:
            return {}
        return self._base.record(self._before, cases, seed=0, trace=False)[0]

    def _kill(self, found: Sequence[Explored], cases: Mapping[str, Sequence[Case]], killed: frozenset[str]) -> None:
        asked: dict[str, list[Case]] = {}
        mutants: list[Mutant] = []
        for each in found:
            for mutant in each.mutants:
                near = [case for case in cases.get(each.target.key, ()) if self._may_kill(each, case, mutant)]
                if mutant.id not in killed and near:
                    asked[mutant.id] = near
                    mutants.append(mutant)
        if not mutants or self._deadline.left_s <= 0:
            return
        targets = {each.target.key: each.target for each in found}
        answers = self._head.kills(self._place, targets, mutants, asked)
        for each in found:
            for mutant in [one for one in each.mutants if one.id in answers]:
                by = answers[mutant.id]
                if by is None:
                    each.mutants.remove(mutant)  # it cannot be made, so it is no mutant
                    continue
                for case in by:
                    each.kills[case].add(mutant.id)

    def _may_kill(self, each: Explored, case: Case, mutant: Mutant) -> bool:
        """Whether the call runs the mutant's statement: an expression may span lines, so the next ones count."""
        ran = each.outcomes[case.id].lines
        return any(abs(line - mutant.line) <= 3 for line in ran)


def _why_not(case: Case, outcome: Outcome) -> str:
    if outcome.kind is Kind.UNUSABLE:
        return outcome.reason
    return clashes((*case.imports, *outcome.imports))
