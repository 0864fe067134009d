"""Identities go on through ten thousand edits of Python and JavaScript, renames and deletions, never to another."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from elohim_kernel.model.finding import Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.identity import Known, Remembered, identified

PLAIN = ("count += 1", "log(count)", "total = 0", "", "items = load(count)")
FLAGGED = ("value = missing", "run(text)", "check(1, 'x')")
LANGUAGES = {
    ".py": ("def function_{0}(text):", "", "# a remark"),
    ".js": ("function function_{0}(text) {{", "}", "// a remark"),
    ".ts": ("export const function_{0} = async (text) => {{", "}", "// a remark"),
}


class Document:
    """A file as functions of lines, each with the true name of its finding; the name is not in the text."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.names = iter(range(10**6))
        self.suffix = chance.choice(tuple(LANGUAGES))
        self.head, self.tail, remark = LANGUAGES[self.suffix]
        self.plain = (*PLAIN, remark)
        self.path = f"src/app{self.suffix}"
        self.renames: dict[str, str] = {}
        self.functions = [self.function(next(self.names)) for _ in range(chance.randint(2, 6))]
        self.indent, self.end = "    ", "\n"

    def function(self, number: int) -> list[tuple[str, str | None]]:
        body = [(self.chance.choice(self.plain), None) for _ in range(self.chance.randint(2, 12))]
        for _ in range(self.chance.randint(0, 4)):
            flagged = (self.chance.choice(FLAGGED), str(next(self.names)))
            body.insert(self.chance.randint(0, len(body)), flagged)  # type: ignore[arg-type]
        tail = [(self.tail, None)] if self.tail else []
        return [(self.head.format(number), None), *((f"\t{text}", name) for text, name in body), *tail]

    def edit(self) -> None:
        self.renames = {}
        kind = self.chance.choice(("insert", "insert", "delete", "indent", "end", "move", "append", "rename", "remove"))
        function = self.chance.choice(self.functions)
        place = self.chance.randint(1, max(1, len(function) - 1))
        if kind == "insert":
            function.insert(place, (f"\t{self.chance.choice(self.plain)}", None))
        elif kind == "delete" and place < len(function) - 1 and function[place][1] is None:
            del function[place]
        elif kind == "indent":
            self.indent = self.chance.choice(("  ", "    ", "\t", "        "))
        elif kind == "end":
            self.end = self.chance.choice(("\n", "\r\n"))
        elif kind == "move":
            self.functions.remove(function)
            self.functions.insert(self.chance.randint(0, len(self.functions)), function)
        elif kind == "append":
            self.functions.append(self.function(next(self.names)))
        elif kind == "rename":
            new = f"src/app{next(self.names)}{self.suffix}"
            self.renames, self.path = {new: self.path}, new
        elif kind == "remove" and place < len(function) - 1 and not self.repeats(function, place):
            del function[place]  # also a flagged line: its finding is gone

    def repeats(self, function: list[tuple[str, str | None]], place: int) -> bool:
        """Whether the code line before says the same: the text does not tell which of the two was removed."""
        before = [text for text, _ in function[:place] if text.strip()]
        return before[-1].strip() == function[place][0].strip()

    def findings(self) -> tuple[Finding, ...]:
        """The findings, with their true names in `category`, which takes no part in any of this."""
        lines = [line for function in self.functions for line in function]
        source = self.end.join(text.replace("\t", self.indent, 1) for text, _ in lines).encode()
        found = [
            Finding(rule=f"R{FLAGGED.index(text.strip())}", severity=Severity.LOW, message="m", path=self.path,
                    line=line, tool="t", category=name)
            for line, (text, name) in enumerate(lines, start=1) if name is not None
        ]  # fmt: skip
        return fingerprinted(found, {self.path: source})


class Memory:
    """What a store would remember."""

    def __init__(self) -> None:
        self.alive: dict[str, Finding] = {}
        self.fixed: dict[str, Finding] = {}

    def see(self, findings: tuple[Finding, ...], renames: dict[str, str]) -> dict[str, str]:
        """True names to identities."""
        found = identified(self.known(), findings, renames)
        now = {each.identity: each.finding for each in found}
        assert len(now) == len(findings), "two findings of one report have one identity"
        self.fixed = {**self.fixed, **self.alive}
        self.alive = now
        for identity in now:
            self.fixed.pop(identity, None)
        return {each.finding.category: each.identity for each in found}

    def known(self) -> Known:
        return Known(here=_remembered(self.alive), fixed=_remembered(self.fixed))


def _remembered(findings: dict[str, Finding]) -> tuple[Remembered, ...]:
    return tuple(Remembered(finding=each, identity=identity) for identity, each in findings.items())


def test_ten_thousand_edits_keep_identities_and_give_none_to_another():
    total = kept = wrong = 0
    for seed in range(1_000):
        document, memory = Document(random.Random(seed)), Memory()
        before = memory.see(document.findings(), {})
        for _ in range(10):
            document.edit()
            after = memory.see(document.findings(), document.renames)
            owners = {identity: name for name, identity in before.items()}
            kept += sum(before.get(name) == identity for name, identity in after.items() if name in before)
            total += sum(name in before for name in after)
            wrong += sum(owners.get(identity, name) != name for name, identity in after.items())
            before = after

    assert total > 50_000
    assert wrong == 0
    assert kept / total >= 0.995


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_same_report_five_times_in_any_order_gives_the_same_identities(seed: int, shuffler: random.Random):
    report, memory = list(Document(random.Random(seed)).findings()), Memory()
    first = memory.see(tuple(report), {})

    for _ in range(5):
        shuffler.shuffle(report)

        assert memory.see(tuple(report), {}) == first


def finding(line: int, **fields: Any) -> Finding:
    return Finding(rule="R1", severity=Severity.LOW, message="m", path="a.py", line=line, tool="t", **fields)


def test_a_new_finding_that_looks_as_another_once_did_gets_a_name_of_its_own():
    before = fingerprinted([finding(2)], {"a.py": b"def f():\n    a = missing\n"})
    moved_on = fingerprinted([finding(2)], {"a.py": b"def f():\n    b = missing + 1\n"})
    both = fingerprinted([finding(2), finding(5)], {"a.py": b"def f():\n    b = missing + 1\n\n\na = missing\n"})
    memory = Memory()

    (name,) = memory.see(before, {}).values()
    assert [each.identity for each in identified(memory.known(), moved_on, {})] == [name]
    memory.see(moved_on, {})
    found = identified(memory.known(), both, {})

    assert [each.identity == name for each in found] == [True, False]
    assert found[1].how == ""
    assert found[1].why == "nothing like it in the previous run"


def test_what_is_known_on_the_same_branch_comes_before_what_is_known_elsewhere():
    (one,) = fingerprinted([finding(1)], {"a.py": b"x = missing\n"})
    known = Known(
        here=(Remembered(finding=one, identity="here"),),
        elsewhere=(Remembered(finding=one, identity="there"),),
        fixed=(Remembered(finding=one, identity="gone"),),
    )

    assert [each.identity for each in identified(known, [one], {})] == ["here"]
    assert [each.identity for each in identified(replace(known, here=()), [one], {})] == ["there"]
    assert [each.identity for each in identified(Known(fixed=known.fixed), [one], {})] == ["gone"]


@pytest.mark.parametrize("family", ["", "import:"])
def test_a_family_stands_before_new_identities_only(family: str):
    old, new = fingerprinted([finding(1), finding(2)], {"a.py": b"x = missing\ny = other\n"})
    known = Known(here=(Remembered(finding=old, identity="import:v1:old"),))

    found = identified(known, [old, new], {}, family=family)

    assert [each.identity for each in found] == ["import:v1:old", f"{family}{new.fingerprint}"]
    assert [each.matched.partition(":")[0] for each in found] == ["fingerprint", "new"]


def test_equal_fingerprints_that_nothing_tells_apart_are_counted_on():
    (one,) = fingerprinted([finding(1)], {"a.py": b"x = missing\n"})
    other = replace(one, message="another")

    found = identified(Known(), [one, other, one], {})

    assert Counter(each.identity for each in found) == {one.fingerprint: 2, found[1].identity: 1}


def test_what_is_ambiguous_is_new_and_says_so():
    before = fingerprinted([finding(2), finding(3)], {"a.py": b"def f():\n    a = m1\n    b = m2\n"})
    after = fingerprinted([finding(2), finding(3)], {"a.py": b"def f():\n    c = m3\n    d = m4\n"})

    found = identified(Known(here=_remembered({each.fingerprint: each for each in before})), after, {})

    assert [each.how for each in found] == ["", ""]
    assert all(each.matched.startswith("new: ambiguous: R1") for each in found)
