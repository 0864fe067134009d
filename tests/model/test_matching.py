"""Following findings from run to run: kept through edits elsewhere, never merged wrongly, whatever the order."""

import random
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.finding import Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.model.matching import How, match

FLAGGED = ("value = missing", "return eval(text)", "except Exception:", "assert (1, 'x')")
PLAIN = ("count += 1", "log(count)", "# a remark", "if count:", "    count = 0", "", "items = load(count)")


class Document:
    """A Python file as lines, each with the name of its finding, if it has one; the name is not in the text."""

    def __init__(self, chance):
        self.chance = chance
        self.names = iter(range(10**6))
        self.functions = [self.function(number) for number in range(chance.randint(2, 6))]
        self.indent, self.end = "    ", "\n"

    def function(self, number):
        body = [(self.chance.choice(PLAIN), None) for _ in range(self.chance.randint(2, 12))]
        for _ in range(self.chance.randint(0, 4)):
            flagged = (self.chance.choice(FLAGGED), next(self.names))
            body.insert(self.chance.randint(0, len(body)), flagged)
        return [(f"def function_{number}(text):", None), *((f"\t{text}", name) for text, name in body)]

    def edit(self):
        """One edit that leaves every flagged line as it is."""
        kind = self.chance.choice(("insert", "insert", "insert", "delete", "delete", "indent", "end", "move", "append"))
        function = self.chance.choice(self.functions)
        place = self.chance.randint(1, len(function))
        if kind == "insert":
            function.insert(place, (f"\t{self.chance.choice(PLAIN)}", None))
        elif kind == "delete" and place < len(function) and function[place][1] is None:
            del function[place]
        elif kind == "indent":
            self.indent = self.chance.choice(("  ", "    ", "\t", "        "))
        elif kind == "end":
            self.end = self.chance.choice(("\n", "\r\n"))
        elif kind == "move":
            self.functions.remove(function)
            self.functions.insert(self.chance.randint(0, len(self.functions)), function)
        elif kind == "append":
            self.functions.append([(f"def added_{next(self.names)}():", None), ("\tpass", None)])

    def findings(self):
        """The findings with their true names in `category`, which takes no part in matching."""
        lines = [line for function in self.functions for line in function]
        source = self.end.join(text.replace("\t", self.indent, 1) for text, _ in lines).encode()
        found = [
            finding(line, rule=f"R{FLAGGED.index(text.strip())}", category=str(name))
            for line, (text, name) in enumerate(lines, start=1)
            if name is not None
        ]
        return fingerprinted(found, {"a.py": source})


def finding(line, path="a.py", rule="R1", **fields):
    return Finding(rule=rule, severity=Severity.LOW, message="m", path=path, line=line, tool="t", **fields)


def seen(*findings, **sources):
    return fingerprinted(findings, {name.replace("_py", ".py"): text.encode() for name, text in sources.items()})


def names(matches):
    return {(pair.previous.category, pair.current.category) for pair in matches.pairs}


def test_four_thousand_edits_elsewhere_keep_identities_and_merge_none_wrongly():
    total = kept = wrong = 0
    for seed in range(400):
        document = Document(random.Random(seed))
        before = document.findings()
        for _ in range(10):
            document.edit()
            after = document.findings()
            pairs = names(match(before, after, {}))
            wrong += sum(old != new for old, new in pairs)
            kept += sum(old == new for old, new in pairs)
            total += len(after)
            before = after

    assert total > 20_000
    assert wrong == 0
    assert kept / total >= 0.995


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_order_of_a_report_does_not_matter(seed, shuffler):
    document = Document(random.Random(seed))
    before = list(document.findings())
    for _ in range(5):
        document.edit()
    after = list(document.findings())
    first = match(before, after, {})

    shuffler.shuffle(before)
    shuffler.shuffle(after)

    assert match(before, after, {}) == first


@given(st.integers(0, 10**6))
def test_every_finding_is_paired_new_or_gone_exactly_once(seed):
    chance = random.Random(seed)
    before, after = Document(chance).findings(), Document(chance).findings()

    found = match(before, after, {})

    place = msgspec.structs.astuple
    current = [place(pair.current) for pair in found.pairs] + [place(each.finding) for each in found.new]
    previous = [place(pair.previous) for pair in found.pairs] + [place(each.finding) for each in found.gone]
    assert sorted(current) == sorted(map(place, after))
    assert sorted(previous) == sorted(map(place, before))


def test_the_same_report_twice_changes_nothing():
    report = Document(random.Random(7)).findings()

    found = match(report, report, {})

    assert (found.new, found.gone) == ((), ())
    assert all(pair.previous == pair.current and pair.how is How.FINGERPRINT for pair in found.pairs)


def test_a_thousand_renames_keep_all_their_findings():
    old = [finding(2, path=f"old/{n}.py", category=str(n)) for n in range(1000)]
    new = [finding(3, path=f"new/{n}.py", category=str(n)) for n in range(1000)]
    before = fingerprinted(old, {each.path: f"# {each.path}\nx = missing\n".encode() for each in old})
    after = fingerprinted(new, {each.path: f"# {each.path}\n\nx = missing\n".encode() for each in new})

    found = match(before, after, {f"new/{n}.py": f"old/{n}.py" for n in range(1000)})

    assert names(found) == {(str(n), str(n)) for n in range(1000)}
    assert {pair.how for pair in found.pairs} == {How.RENAMED_FILE}
    assert "renamed from old/" in found.pairs[0].why


def test_two_files_from_one_origin_are_not_followed():
    before = seen(finding(1), a_py="x = missing\n")
    after = seen(finding(1, path="b.py"), finding(1, path="c.py"), b_py="x = missing\n", c_py="x = missing\n")

    found = match(before, after, {"b.py": "a.py", "c.py": "a.py"})

    assert (len(found.pairs), len(found.new), len(found.gone)) == (0, 2, 1)


def test_without_a_rename_the_same_code_in_another_file_is_new():
    found = match(seen(finding(1), a_py="x = missing\n"), seen(finding(1, path="b.py"), b_py="x = missing\n"), {})

    assert (found.pairs, found.new[0].why) == ((), "nothing like it in the previous run")


def test_an_edited_line_is_followed_inside_its_function():
    before = seen(finding(2), a_py="def f():\n    x = missing\n    return x\n")
    after = seen(finding(3), a_py="def f():\n    # why\n    total = missing + 1\n    return total\n")

    (pair,) = match(before, after, {}).pairs

    assert (pair.how, pair.why) == (How.SAME_SYMBOL, "same rule in f, on the same line of code or as the only one left")


def test_an_edited_line_outside_of_functions_is_new():
    found = match(seen(finding(1), a_py="x = missing\n"), seen(finding(1), a_py="y = other\n"), {})

    assert (len(found.pairs), len(found.new)) == (0, 1)


def test_more_than_one_candidate_is_ambiguous_and_says_so():
    before = seen(finding(2), finding(3), a_py="def f():\n    a = m1\n    b = m2\n")
    after = seen(finding(2), finding(3), a_py="def f():\n    c = m3\n    d = m4\n")

    found = match(before, after, {})

    assert found.pairs == ()
    assert all(each.why.startswith("ambiguous: R1") for each in found.new)


def test_identical_code_follows_its_function_when_functions_move():
    body = "    x = missing\n" + "    y = 1\n" * 30
    one, two = f"def one():\n{body}", f"def two():\n{body}"
    before = seen(finding(2, category="one"), finding(34, category="two"), a_py=one + two)
    after = seen(finding(2, category="two"), finding(34, category="one"), a_py=two + one)

    assert names(match(before, after, {})) == {("one", "one"), ("two", "two")}


def test_findings_without_code_are_not_paired_by_guessing():
    lost = fingerprinted([finding(1), finding(2)], {})
    moved = fingerprinted([finding(2), finding(3)], {})

    assert match(lost, moved, {}).pairs == ()
    assert len(match(lost[:1], moved[:1], {}).pairs) == 1


def test_findings_without_code_are_the_same_when_nothing_at_all_has_changed():
    lost = fingerprinted([finding(1), finding(2)], {})

    assert [pair.previous == pair.current for pair in match(lost, lost, {}).pairs] == [True, True]


@pytest.mark.parametrize(
    ("old_ids", "new_ids", "trusted"),
    [(("k1", "k2"), ("k1", "k2"), True), (("same", "same"), ("same", "same"), False), (("k1", ""), ("k2", ""), False)],
)
def test_a_tool_id_counts_only_when_it_is_unique_in_each_run(old_ids, new_ids, trusted):
    old_text, new_text = "x = missing\n" * 2, "y = other\n" * 2
    before = seen(*(finding(n, tool_id=i) for n, i in enumerate(old_ids, 1)), a_py=old_text)
    after = seen(*(finding(n, tool_id=i) for n, i in enumerate(new_ids, 1)), a_py=new_text)

    found = match(before, after, {})

    assert [pair.how for pair in found.pairs] == ([How.TOOL_ID] * 2 if trusted else [])


def test_a_tool_id_that_moved_to_another_rule_or_file_is_not_trusted():
    before = seen(finding(1, tool_id="k"), a_py="x = missing\n")
    other_rule = seen(finding(1, rule="R2", tool_id="k"), a_py="x = missing\n")
    other_file = seen(finding(1, path="b.py", tool_id="k"), b_py="y = other\n")

    assert match(before, other_rule, {}).pairs == ()
    assert match(before, other_file, {}).pairs == ()


def test_many_findings_are_quick():
    report = fingerprinted(
        [finding(n // 100 + 1, path=f"f{n % 100}.py", rule=f"R{n % 7}") for n in range(20_000)],
        {f"f{n}.py": b"".join(b"line %d\n" % i for i in range(200)) for n in range(100)},
    )

    began = time.process_time()
    found = match(report, report, {})

    assert len(found.pairs) == 20_000
    assert time.process_time() - began < 4
