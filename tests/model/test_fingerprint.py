"""The identity of a finding: what moves it and what does not."""

import time

import pytest

from elohim_kernel.model.finding import Finding, Severity
from elohim_kernel.model.fingerprint import MASKED_CATEGORY, SNIPPET_CHARACTERS, Symbols, fingerprinted

SOURCE = b'''import os

class Shop:
    """Sells."""

    def sell(self, thing):
        price = cost(thing)
        return price

    @property
    def name(self):
        text = """
not indented
"""
        return missing

def top(
    a,
):
    # left comment
# far left comment
    return other
'''


def at(line, rule="F821", path="shop.py", **fields):
    return Finding(rule=rule, severity=Severity.LOW, message="m", path=path, line=line, tool="ruff", **fields)


def only(finding, source):
    (filled,) = fingerprinted([finding], {finding.path: source})
    return filled


@pytest.mark.parametrize(
    "edited",
    [
        b"# new first line\n\n" + SOURCE,
        SOURCE.replace(b"\n", b"\r\n"),
        SOURCE.replace(b"    ", b"\t"),
        SOURCE + b"\nmore = 1\n",
        b"\n".join(line.rstrip() + b"   " for line in SOURCE.split(b"\n")),
    ],
)
def test_edits_elsewhere_and_white_space_keep_the_fingerprint(edited):
    line = next(n for n, text in enumerate(edited.splitlines(), 1) if b"price = cost" in text)

    before, after = only(at(7), SOURCE), only(at(line), edited)

    assert after.fingerprint == before.fingerprint
    assert before.fingerprint.startswith("v1:")
    assert len(before.fingerprint) == 3 + 64


@pytest.mark.parametrize("other", [at(7, rule="F401"), at(7, path="other.py"), at(8)])
def test_another_rule_file_or_code_is_another_finding(other):
    assert only(other, SOURCE).fingerprint != only(at(7), SOURCE).fingerprint


def test_equal_code_is_told_apart_by_its_order_whatever_the_order_of_the_report():
    source = (b"x = missing\n" + b"y" * 120 + b"\n") * 3
    findings = [at(5), at(1), at(3)]

    one = fingerprinted(findings, {"shop.py": source})
    other = fingerprinted(reversed(findings), {"shop.py": source})

    assert one == other
    assert len({each.fingerprint for each in one}) == 3
    assert len({each.context for each in one}) == 1


def test_the_context_is_a_hundred_characters_not_bytes():
    start = "x = '" + "é" * 96
    short, long = (only(at(1), (start + tail).encode()).context for tail in ("'\nA = 1\n", "'\nB = 2\n"))
    cut = only(at(1), (start + "é" + "\nC = 3\n").encode()).context

    assert short == long
    assert cut != short


def test_a_finding_without_a_line_or_a_source_still_has_an_identity():
    whole, unknown = only(at(0), SOURCE), only(at(7, path="gone.py"), b"")

    assert whole.context == unknown.context == ""
    assert whole.fingerprint != unknown.fingerprint


@pytest.mark.parametrize(
    ("line", "symbol"),
    [
        (1, ""),
        (4, "Shop"),
        (6, "Shop.sell"),
        (8, "Shop.sell"),
        (13, "Shop.name"),
        (15, "Shop.name"),
        (17, "top"),
        (19, "top"),
        (22, "top"),
    ],
)
def test_the_symbol_is_the_innermost_function_or_class(line, symbol):
    assert Symbols(SOURCE.splitlines()).at(line) == symbol


def test_javascript_has_symbols_and_other_languages_have_none():
    assert only(at(2, path="a.js"), b"function f() {\n  return 1\n}\n").symbol == "f"
    assert only(at(2, path="a.rb"), b"def f\n  1\nend\n").symbol == ""


def test_a_line_that_holds_a_secret_is_masked_for_every_finding_on_it():
    source = b'password = "hunter2"  # \'old1\'\nkey = "abc\\\n'
    findings = [at(1, rule="S105", category=MASKED_CATEGORY), at(1), at(2, category=MASKED_CATEGORY)]

    snippets = [each.snippet for each in fingerprinted(findings, {"shop.py": source})]

    assert snippets == ["password = \"…\"  # '…'", "password = \"…\"  # '…'", 'key = "…"']


def test_a_snippet_is_capped():
    assert len(only(at(1), b"x" * 10_000).snippet) == SNIPPET_CHARACTERS


def test_many_findings_are_quick():
    source = SOURCE * 50
    count = source.count(b"\n")
    findings = [at(1 + n * 7 % count, rule=f"R{n % 9}", path=f"f{n % 50}.py") for n in range(20_000)]

    began = time.process_time()
    filled = fingerprinted(findings, {f"f{n}.py": source for n in range(50)})

    assert len(filled) == 20_000
    assert time.process_time() - began < 2
