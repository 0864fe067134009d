"""Files of proposed tests: written, formatted, run three times on each side beside a test that must fail, and kept.

A test that does not pass each time is taken out and the rest is proven again. When outcomes are rewritten, nothing of
that run is believed.
"""

import shutil
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from elohim_kernel.engines._tests_choosing import Gain
from elohim_kernel.engines._tests_proving import PASSED, Account, Prover, Suite
from elohim_kernel.engines._tests_running import Deadline, Side
from elohim_kernel.engines._tests_shapes import Mutant, Place, Target
from elohim_kernel.engines._tests_writing import Page, Pinned, Property, is_python, page_of
from elohim_kernel.model.enrichment import Attempt, ProposedFile, Verdict
from elohim_kernel.ports import Tools

RUNS: Final = 3
_WIDTH: Final = "88"
_CANARY: Final = "test_must_fail_beside_the_proposed.py"
_TRIES: Final = 3


class Draft(NamedTuple):
    """Tests meant for one file. `gains` are by case."""

    path: str
    place: Place
    pinned: tuple[Pinned, ...]
    properties: tuple[Property, ...]
    gains: Mapping[str, Gain]
    mutants: tuple[Mutant, ...] = ()  # of the functions it tests


class Proven(NamedTuple):
    """What stood the proof. `accepted` maps cases to test ids; `killed` and `lines` are those of the accepted tests."""

    files: tuple[ProposedFile, ...]
    accepted: Mapping[str, str]
    killed: frozenset[str]
    lines: Mapping[str, frozenset[int]]  # by path in the tree


class _Outcome(NamedTuple):
    bad: Mapping[str, str]  # test id in the file to why it is not accepted
    problem: str  # why the whole file is not
    account: Account  # of the last run on the head


class Pages:
    """Proves drafts. `rejected` gathers the ledger's rows of accepted and refused tests."""

    def __init__(
        self,
        head: Side,
        base: Side | None,
        prover: Prover,
        tools: Tools,
        deadline: Deadline,
        before: Mapping[str, Place],
    ) -> None:
        self._head, self._base, self._tools, self._deadline = head, base, tools, deadline
        self._prover, self._before = prover, before
        self._on_base = prover.on(base) if base is not None else None
        self.rejected: list[Attempt] = []

    def prove(self, drafts: Sequence[Draft]) -> Proven:
        """Each draft's file as far as it stands."""
        files: list[ProposedFile] = []
        accepted: dict[str, str] = {}
        killed: set[str] = set()
        lines: dict[str, frozenset[int]] = {}
        for draft in drafts:
            kept, page, account = self._proven(draft)
            if page is None or not kept.pinned:
                continue
            files.append(ProposedFile(path=draft.path, text=page.text, tests=tuple(page.cases)))
            killed |= {name for name, dead in account.killed.items() if dead}
            lines[draft.place.path] = frozenset(account.lines.get(self._head.file(draft.place), ()))
            accepted.update({case: test for test, case in page.cases.items()})
            self._accept(kept, page)
        return Proven(tuple(files), accepted, frozenset(killed), lines)

    def of_changes(self, draft: Draft) -> ProposedFile | None:
        """A file of tests of what the head gives: run on the head only, those that do not pass taken out."""
        for _ in range(_TRIES):
            page = self._page(
                draft, "Tests of changed behaviour: they hold on the new version and not on the one before."
            )
            account = self._run(self._prover, draft, page, [draft.place], seed=1)
            bad = _bad(account, draft.path)
            if not account.problem and not bad:
                return ProposedFile(path=draft.path, text=page.text, tests=tuple(page.cases), changes=True)
            if account.problem or len(bad) >= len(page.cases):
                return None
            draft = _without(draft, page, bad)
        return None

    def _proven(self, draft: Draft) -> tuple[Draft, Page | None, Account]:
        for _ in range(_TRIES):
            if not draft.pinned:
                break
            page = self._page(draft, f"Proposed tests of {draft.place.module}: they pin what it does today.")
            tried = self._tried(draft, page)
            if tried.problem:
                self._refuse_all(draft, tried.problem)
                return draft, None, tried.account
            if not tried.bad:
                return draft, page, tried.account
            self._refuse(draft, page, tried.bad)
            draft = _without(draft, page, tried.bad)
        return draft, None, Account()

    def _tried(self, draft: Draft, page: Page) -> _Outcome:
        """Three runs on each side, the first on the head beside the test that must fail, the last against mutants."""
        bad: dict[str, str] = {}
        account = Account()
        for seed in range(1, RUNS + 1):
            account = self._run(
                self._prover, draft, page, [draft.place], seed=seed, canary=seed == 1, against_mutants=seed == RUNS
            )
            if account.problem:
                return _Outcome({}, f"on the head: {account.problem}", account)
            bad |= {
                name: f"on the head it {how} in run {seed} of {RUNS}" for name, how in _bad(account, draft.path).items()
            }
        old = _without(draft, page, {name: "" for name, case in page.cases.items() if _is_new(draft, case)})
        place = self._before.get(draft.place.path)
        if old.pinned and self._on_base is not None and place is not None:
            older = page_of(old.pinned, old.properties, heading="Proposed tests.")
            for seed in range(1, RUNS + 1):
                found = self._run(self._on_base, old, older, [place], seed=seed)
                if found.problem:
                    return _Outcome({}, f"on the base: {found.problem}", account)
                cases = {older.cases[name]: how for name, how in _bad(found, draft.path).items()}
                bad |= {
                    name: f"on the base it {cases[case]} in run {seed} of {RUNS}"
                    for name, case in page.cases.items()
                    if case in cases
                }
        return _Outcome(bad, "", account)

    def _run(
        self,
        prover: Prover,
        draft: Draft,
        page: Page,
        places: Sequence[Place],
        *,
        seed: int,
        canary: bool = False,
        against_mutants: bool = False,
    ) -> Account:
        folder = Path(tempfile.mkdtemp(dir=self._tools.scratch, prefix="proposed-")).resolve()
        file = folder / draft.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page.text, encoding="utf-8")
        expected = [f"{draft.path}::{name}" for name in page.cases]
        files, must_fail = [draft.path], ""
        if canary:
            (folder / _CANARY).write_text(
                f"import {draft.place.module}\n\n\ndef test_that_fails():\n    assert not True\n"
            )
            files.append(_CANARY)
            must_fail = f"{_CANARY}::test_that_fails"
            expected.append(must_fail)
        side = self._head if prover is self._prover else self._base
        assert side is not None
        suite = Suite(folder=str(folder), files=tuple(files), roots=tuple(side.roots(places)), conftest=False)
        targets = list({each.target.key: each.target for each in draft.pinned}.values()) if against_mutants else []
        account = prover.run(
            suite,
            expected,
            seed=seed,
            measured=[self._head.file(draft.place)] if against_mutants else (),
            targets=targets,
            mutants=draft.mutants if against_mutants else (),
            failing=("*",),
        )
        if canary and not account.problem and account.outcomes.get(must_fail) != "failed":
            return Account(problem="a test that must fail did not: outcomes are rewritten here")
        return account

    def _page(self, draft: Draft, heading: str) -> Page:
        page = page_of(draft.pinned, draft.properties, heading=heading)
        program = shutil.which("ruff", path=sysconfig.get_path("scripts"))
        if program is None:
            return page
        argv = (program, "format", "--isolated", "--no-cache", "--line-length", _WIDTH, "-")
        done = self._tools.run(argv, cwd=self._tools.scratch, timeout_s=20, stdin=page.text.encode())
        text = done.stdout.decode(errors="replace")
        return Page(text, page.cases) if done.exit_code == 0 and text and is_python(text) else page

    def _accept(self, draft: Draft, page: Page) -> None:
        pinned = {each.case.id: each for each in draft.pinned}
        laws = {law.name: law for law in draft.properties}
        for test, case in page.cases.items():
            if case in laws:
                law = laws[case]
                self.rejected.append(
                    Attempt(
                        function=law.target.key,
                        verdict=Verdict.ACCEPTED,
                        reason=law.told,
                        kills=len(law.kills),
                        test=f"{draft.path}::{test}",
                    )
                )
                continue
            each, gain = pinned[case], draft.gains[case]
            new = "new function: recorded on the head; " if each.target.is_new else ""
            self.rejected.append(
                Attempt(
                    function=each.target.key,
                    verdict=Verdict.ACCEPTED,
                    reason=f"{new}kills {len(gain.kills)} mutants and covers {len(gain.lines)} lines more",
                    call=each.case.call,
                    expected=each.outcome.told,
                    test=f"{draft.path}::{test}",
                    kills=len(gain.kills),
                    lines=len(gain.lines),
                )
            )

    def _refuse(self, draft: Draft, page: Page, bad: Mapping[str, str]) -> None:
        pinned = {each.case.id: each for each in draft.pinned}
        laws = {law.name: law.target.key for law in draft.properties}
        for test, why in bad.items():
            case = page.cases[test]
            function = laws[case] if case in laws else pinned[case].target.key
            call = "" if case in laws else pinned[case].case.call
            self.rejected.append(Attempt(function=function, verdict=Verdict.REJECTED, reason=why, call=call))

    def _refuse_all(self, draft: Draft, why: str) -> None:
        for key in dict.fromkeys(each.target.key for each in draft.pinned):
            count = sum(each.target.key == key for each in draft.pinned)
            self.rejected.append(Attempt(function=key, verdict=Verdict.REJECTED, reason=why, count=count))


def _bad(account: Account, path: str) -> dict[str, str]:
    return {
        name.removeprefix(f"{path}::"): outcome
        for name, outcome in account.outcomes.items()
        if outcome != PASSED and name.startswith(f"{path}::")
    }


def _is_new(draft: Draft, case: str) -> bool:
    targets: dict[str, Target] = {each.case.id: each.target for each in draft.pinned}
    targets |= {law.name: law.target for law in draft.properties}
    return targets[case].is_new


def _without(draft: Draft, page: Page, bad: Mapping[str, str]) -> Draft:
    gone = {page.cases[name] for name in bad}
    pinned = tuple(each for each in draft.pinned if each.case.id not in gone)
    return draft._replace(pinned=pinned, properties=tuple(law for law in draft.properties if law.name not in gone))
