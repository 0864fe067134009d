"""Rows for other programs: stable names, cells no spreadsheet runs, and files that can be read again."""

import csv
import io
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.findings.exchange import (
    FIELDS,
    baseline_of,
    from_csv,
    from_json_lines,
    guarded,
    read_baseline,
    to_csv,
    to_json_lines,
)
from elohim_kernel.findings.sarif_out import Exported
from elohim_kernel.model.finding import Finding, FindingState, Severity

ONE = Finding(
    rule="S608",
    severity=Severity.HIGH,
    message="Query built from input",
    path="app/db.py",
    line=3,
    tool="ruff",
    cwe=89,
    advisories=("CVE-2024-1", "GHSA-2"),
    owners=("@ann",),
    is_new=True,
    fingerprint="v1:aa",
)
FORMULAS = [
    f"{start}{rest}"
    for start in ("=", "+", "-", "@", "\t", "\r", "\n", "=+", "-2+3+cmd|' /C calc'!A0")
    for rest in ('cmd|"/C calc"!A0', "1+1", "HYPERLINK(0)", "SUM(A1:A9)", "", "@x")
]


def test_a_line_holds_one_finding_under_stable_names():
    (line,) = to_json_lines([Exported(finding=ONE, id="fd_1", state=FindingState.NEW)]).splitlines()

    row = json.loads(line)

    assert tuple(row) == FIELDS
    assert (row["id"], row["state"], row["severity"], row["cwe"]) == ("fd_1", "new", "high", 89)


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_begins_as_a_formula(formula: str):
    written = to_csv([Exported(finding=msgspec.structs.replace(ONE, message=formula, owners=(formula,)))])

    rows = list(csv.reader(io.StringIO(written.decode(), newline="")))

    assert len(rows) == 2
    assert not [cell for cell in rows[1] if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_an_ordinary_cell_is_left_alone():
    assert guarded("a = b") == "a = b"
    assert guarded("") == ""


_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)


@given(
    st.lists(
        st.builds(
            lambda rule, message, snippet, line: (rule, message, snippet, line),
            _TEXT.filter(bool),
            _TEXT,
            _TEXT,
            st.integers(0, 10**6),
        ),
        max_size=5,
    )
)
def test_what_is_written_can_be_read_again(texts: list[tuple[str, str, str, int]]):
    findings = [
        msgspec.structs.replace(ONE, rule=rule, message=message, snippet=snippet, line=line)
        for rule, message, snippet, line in texts
    ]
    exported = [Exported(finding=each) for each in findings]

    assert from_json_lines(to_json_lines(exported)) == findings
    assert from_csv(to_csv(exported)) == findings


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"rule": "x"', "line 1 is not a JSON object"),
        (b'{"rule":"a","path":"b","tool":"c"}\n[1]', "line 2 is not a JSON object"),
        (b'{"rule":"a","path":"b","tool":"c","severity":"awful"}', "row 1 is no finding"),
        (b'{"rule":"a","path":"b"}', "row 1 is no finding"),
        (b"[" * 100_000, "line 1 is not a JSON object"),
    ],
)
def test_a_wrong_line_is_named(content: bytes, words: str):
    with pytest.raises(Invalid, match=words):
        from_json_lines(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\r\n1,2", "has no column 'path'"),
        (b"", "has no column"),
        (b"rule,path,tool,line\r\nx,y,z,many", "row 2 is no finding"),
        (b"rule,path,tool\r\n\xff,y,z", "not CSV in UTF-8"),
        (b'rule,path,tool\r\n"x,y,z', "not CSV in UTF-8"),
    ],
)
def test_a_wrong_table_is_refused(content: bytes, words: str):
    with pytest.raises(Invalid, match=words):
        from_csv(content)


def test_a_baseline_knows_no_lines_and_no_order():
    two = msgspec.structs.replace(ONE, path="app/a.py", line=900, fingerprint="v1:bb")

    there = baseline_of([Exported(finding=ONE), Exported(finding=two)])
    back = baseline_of([Exported(finding=msgspec.structs.replace(two, line=1)), Exported(finding=ONE)])

    assert there == back
    assert read_baseline(there) == {"v1:aa", "v1:bb"}
    assert len(there.splitlines()) == 4


def test_another_file_is_no_baseline():
    with pytest.raises(Invalid, match="no baseline"):
        read_baseline(b'{"runs": []}')
