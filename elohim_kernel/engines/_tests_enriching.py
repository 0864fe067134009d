"""One enrichment from targets to proven files: existing tests first, then inputs, choice, writing and proof.

A file is proposed only when its tests pass three of three times on the head and on the base, each time in another
order, while a test that must fail does fail beside them.
"""

import ast
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from msgspec.structs import replace

from elohim_kernel.engines._tests_choosing import Gain
from elohim_kernel.engines._tests_examples import Shown, shown_in
from elohim_kernel.engines._tests_existing import Standing, belonging, standing, tests_among
from elohim_kernel.engines._tests_module import Explored, Module
from elohim_kernel.engines._tests_pages import RUNS, Draft, Pages
from elohim_kernel.engines._tests_properties import properties_of
from elohim_kernel.engines._tests_proving import Prover
from elohim_kernel.engines._tests_running import Deadline, Side
from elohim_kernel.engines._tests_shapes import Kind, Place, Rejected, Target
from elohim_kernel.engines._tests_writing import Pinned
from elohim_kernel.model.enrichment import (
    Attempt,
    Enrichment,
    FunctionScore,
    ProposedFile,
    Score,
    Verdict,
)
from elohim_kernel.ports import Tools

_MOST_REASONS: Final = 8
_PROOF_S: Final = 25.0  # for the tests of one module


class Material(NamedTuple):
    """What an enrichment stands on: both commits, texts of the head, targets by file."""

    head: Side
    base: Side | None
    texts: Mapping[str, str]  # Python files and read-mes of the head
    sources: Mapping[str, bytes]  # of the targets' files
    before: Mapping[str, Place]  # head path to the module's place on the base
    conftests: Mapping[str, bytes | None]  # those the change touches, as on the base
    targets: Sequence[Target]
    rejected: Sequence[Rejected]


class Enriching:
    """Works on one change; `files_failed` are those whose module could not be run."""

    def __init__(self, material: Material, tools: Tools, deadline: Deadline) -> None:
        self._m, self._tools, self._deadline = material, tools, deadline
        self._prover = Prover(material.head, tools, deadline)
        self.files_failed: dict[str, str] = {}
        self._attempts: list[Attempt] = [refused(each) for each in material.rejected]

    def run(self, blank: Enrichment) -> Enrichment:
        """Fill in what comes to `blank`, which names the repository and the commits."""
        m = self._m
        names = {target.name for target in m.targets} | {target.owner for target in m.targets if target.owner}
        shown = shown_in(m.texts, names)
        modules = self._explored(shown)
        found = [each for _, explored in modules for each in explored]
        mutants = [mutant for each in found for mutant in each.mutants]
        self._tools.progress("Running the tests there are", 2, 5)
        there = standing(
            m.head,
            self._prover,
            self._tools,
            files=belonging(m.texts, m.targets),
            conftests=m.conftests,
            targets=[each.target for each in found],
            mutants=mutants,
        )
        self._tools.progress("Looking for inputs that tell mutants apart", 3, 5)
        for number, (module, explored) in enumerate(modules):
            # What is left is for proving what was found; nothing found late could be proven any more.
            searching_s = self._deadline.left_s - min(_PROOF_S * len(modules), self._deadline.left_s / 2)
            module.deepen(explored, there.killed, most_s=searching_s / (len(modules) - number))
        drafts = [draft for _, explored in modules if (draft := self._draft(explored, there)) is not None]
        self._tools.progress("Proving the proposed tests", 4, 5)
        pages = Pages(m.head, m.base, self._prover, self._tools, self._deadline, m.before)
        proven = pages.prove(drafts)
        self._attempts.extend(pages.rejected)
        files = [*proven.files, *self._changes(found, there, pages)]
        scores = [self._score(each, there, proven.accepted, proven.killed, proven.lines) for each in found]
        self._tell(found, proven.accepted)
        return replace(
            blank,
            files=tuple(files),
            attempts=tuple(self._attempts),
            functions=tuple(scores),
            score=_total(scores),
            existing=there.tests,
            runs=RUNS,
        )

    def _explored(self, shown: Shown) -> list[tuple[Module, list[Explored]]]:
        m = self._m
        modules: list[tuple[Module, list[Explored]]] = []
        places = list(dict.fromkeys(target.place for target in m.targets))
        for number, place in enumerate(places):
            self._tools.progress(f"Calling the functions of {place.module}", 1, 5)
            if self._deadline.left_s < 5:
                self.files_failed[place.path] = f"no time left after {number} of {len(places)} files"
                continue
            own = [target for target in m.targets if target.place == place]
            module = Module(place, m.before.get(place.path), m.sources[place.path], m.head, m.base, self._deadline)
            explored, rejected = module.explore(own, shown)
            self._reject(rejected)
            if module.problem:
                self.files_failed[place.path] = module.problem
                self._reject([Rejected(what=target.key, reason=module.problem) for target in own])
            else:
                modules.append((module, [each for each in explored if not self._is_hopeless(each)]))
        return modules

    def _is_hopeless(self, each: Explored) -> bool:
        """Whether no call of it can become a test; then says why."""
        if each.stable or each.changed:
            return False
        most = each.reasons.most_common(3)
        why = "; ".join(f"{reason} ({count} calls)" for reason, count in most) or "no inputs could be built"
        self._attempts.append(
            Attempt(
                function=each.target.key,
                verdict=Verdict.REJECTED,
                reason=f"no call of it can be tested: {why}",
                count=max(1, each.reasons.total()),
            )
        )
        return True

    def _reject(self, rejected: Sequence[Rejected]) -> None:
        self._attempts.extend(refused(each) for each in rejected)

    def _draft(self, explored: Sequence[Explored], there: Standing) -> Draft | None:
        pinned: list[Pinned] = []
        gains: dict[str, Gain] = {}
        for each in explored:
            covered = frozenset(there.lines.get(each.target.place.path, ()))
            for gain in each.chosen(there.killed, covered, known=there.known):
                pinned.append(Pinned(each.target, gain.case, each.outcomes[gain.case.id]))
                gains[gain.case.id] = gain
        if not pinned:
            return None
        place = pinned[0].target.place
        spoken = [each for each in explored if any(case in gains for case in each.stable)]
        laws = properties_of(self._m.head, place, ast.parse(self._m.sources[place.path]), spoken, there.killed)
        path = proposed_path(place, self._m.texts, there.tests.files)
        mutants = tuple(mutant for each in spoken for mutant in each.mutants)
        return Draft(path, place, tuple(pinned), tuple(laws), gains, mutants)

    def _changes(self, found: Sequence[Explored], there: Standing, pages: Pages) -> list[ProposedFile]:
        """The ledger's rows for changed behaviour, and a file of tests of what the head gives now."""
        by_place: dict[Place, list[Pinned]] = {}
        for each in found:
            for case in each.telling(there.killed):
                outcome, before = each.outcomes[case.id], each.base[case.id]
                self._attempts.append(
                    Attempt(
                        function=each.target.key,
                        verdict=Verdict.CHANGES_BEHAVIOUR,
                        reason=f"on the base {before.told}, on the head {outcome.told}",
                        call=case.call,
                        expected=before.told,
                        on_head=outcome.told,
                        kills=len(each.kills[case.id]),
                    )
                )
                if outcome.kind is not Kind.UNUSABLE:
                    by_place.setdefault(each.target.place, []).append(Pinned(each.target, case, outcome))
        files = []
        for place, pinned in by_place.items():
            path = proposed_path(place, self._m.texts, there.tests.files, ending="changes")
            if (made := pages.of_changes(Draft(path, place, tuple(pinned), (), {}))) is not None:
                files.append(made)
        return files

    def _score(
        self,
        each: Explored,
        there: Standing,
        accepted: Mapping[str, str],
        killed: frozenset[str],
        lines: Mapping[str, frozenset[int]],
    ) -> FunctionScore:
        target, wanted = each.target, set(each.target.lines)
        names = {mutant.id for mutant in each.mutants}
        before = wanted & set(there.lines.get(target.place.path, ()))
        after = before | (wanted & lines.get(target.place.path, frozenset()))
        dead = (there.killed | killed) & names
        with_changes = dead.union(*(each.kills[case.id] for case in each.telling(there.killed))) & names
        return FunctionScore(
            function=target.key,
            path=target.place.path,
            is_new=target.is_new,
            inputs=each.tried,
            accepted=sum(case.id in accepted for case in each.cases),
            score=Score(
                lines=len(wanted),
                covered_before=len(before) if there.known else None,
                covered_after=len(after),
                mutants=len(names),
                killed_before=len(there.killed & names) if there.known else None,
                killed_after=len(dead),
                killed_with_changes=len(with_changes),
            ),
        )

    def _tell(self, found: Sequence[Explored], accepted: Mapping[str, str]) -> None:
        """Rows for what was not kept: calls that add nothing, and calls that cannot be tested, by reason."""
        for each in found:
            name = each.target.key
            spare = len([case for case in each.stable if case not in accepted])
            if spare:
                why = "adds nothing to the tests that are there or proposed"
                self._attempts.append(Attempt(function=name, verdict=Verdict.REJECTED, reason=why, count=spare))
            for reason, count in each.reasons.most_common(_MOST_REASONS):
                self._attempts.append(Attempt(function=name, verdict=Verdict.REJECTED, reason=reason, count=count))


def refused(each: Rejected) -> Attempt:
    """The row of the ledger for what was not tried."""
    return Attempt(function=each.what, verdict=Verdict.REJECTED, reason=each.reason)


def proposed_path(place: Place, paths: Mapping[str, str], near: Sequence[str], *, ending: str = "proposed") -> str:
    """A free path for a file of tests: beside the tests that are there, else in `tests`."""
    there = near or tests_among(paths)
    folder = str(PurePosixPath(there[0]).parent) if there else "tests"
    stem = f"test_{place.module.rpartition('.')[2].strip('_') or 'package'}_{ending}"
    number, name = 1, f"{stem}.py"
    while str(PurePosixPath(folder, name)) in paths:
        number += 1
        name = f"{stem}_{number}.py"
    return str(PurePosixPath(folder, name))


def _total(scores: Sequence[FunctionScore]) -> Score:
    every = [each.score for each in scores]
    known = all(score.covered_before is not None for score in every)
    return Score(
        lines=sum(score.lines for score in every),
        covered_before=sum(score.covered_before or 0 for score in every) if known else None,
        covered_after=sum(score.covered_after for score in every),
        mutants=sum(score.mutants for score in every),
        killed_before=sum(score.killed_before or 0 for score in every) if known else None,
        killed_after=sum(score.killed_after for score in every),
        killed_with_changes=sum(score.killed_with_changes for score in every),
    )
