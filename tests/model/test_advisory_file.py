"""Advisories as files: exports, our small form, and files that mean harm."""

import io
import json
import zipfile
from datetime import date

import pytest

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model import advisory_file
from elohim_kernel.model.advisory import NPM, PYPI, affects
from elohim_kernel.model.advisory_file import read_snapshot, to_small
from elohim_kernel.model.finding import Severity

RECORD = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2026-11-02T10:00:00Z",
    "aliases": ["CVE-2026-1"],
    "summary": "SQL injection",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Zope.Interface"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.2"}]},
                       {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "abc"}]}],
            "versions": ["4.0", "4.1"],
        },
        {"package": {"ecosystem": "Go", "name": "x"}},
    ],
    "database_specific": {"cwe_ids": ["CWE-89"], "severity": "LOW", "more": {"deep": [1]}},
}  # fmt: skip


def read(content: bytes):
    return read_snapshot(io.BytesIO(content))


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def lines(*records) -> bytes:
    return "\n".join(json.dumps(one) for one in records).encode()


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORD).encode(),
        json.dumps(RECORD, indent=2).encode(),
        json.dumps([RECORD]).encode(),
        lines(RECORD, {**RECORD, "id": "GHSA-gone", "withdrawn": "2026-01-01T00:00:00Z"}),
        zipped({"GHSA-aaaa-bbbb-cccc.json": json.dumps(RECORD).encode(), "README": b"hi"}),
    ],
)
def test_every_form_of_an_export_says_the_same(content):
    snapshot = read(content)

    (one,) = snapshot.about(PYPI, "zope_interface")
    assert (one.id, one.severity, one.cwes, one.aliases) == (RECORD["id"], Severity.CRITICAL, (89,), ("CVE-2026-1",))
    assert (snapshot.day, snapshot.count, snapshot.left_out) == (date(2026, 11, 2), 1, 0)
    assert affects(one, "4.1.9").affected


def test_the_small_form_answers_alike_and_is_smaller():
    snapshot = read(lines(*({**RECORD, "id": f"GHSA-{n}", "details": "x" * 500} for n in range(50))))

    small = to_small(snapshot)
    again = read(small)

    assert (again.day, again.count) == (snapshot.day, 50)
    assert all(affects(one, "4.1").fixed_in == "4.2" for one in again.about(PYPI, "zope-interface"))
    assert len(small) < 50 * 400


def test_a_severity_in_words_counts_where_there_is_no_vector():
    (one,) = read(json.dumps({**RECORD, "severity": []}).encode()).about(PYPI, "zope.interface")

    assert one.severity is Severity.LOW


def test_a_package_made_to_do_harm_is_critical():
    affected = [{"package": {"ecosystem": "npm", "name": "evil"}, "versions": ["1.0.0"]}]

    (one,) = read(json.dumps({"id": "MAL-2026-1", "affected": affected}).encode()).about(NPM, "evil")

    assert one.severity is Severity.CRITICAL


def test_broken_records_are_counted_and_the_rest_is_read():
    content = zipped({"a.json": json.dumps(RECORD).encode(), "b.json": b"{", "c.json": b"[" * 100_000, "d.json": b"7"})

    snapshot = read(content)

    assert (snapshot.count, snapshot.left_out) == (1, 3)


def test_an_entry_that_unpacks_to_much_more_than_it_is_is_left_out():
    bomb = b'{"id": "X", "details": "' + b"a" * 8_000_000 + b'"}'

    snapshot = read(zipped({"a.json": json.dumps(RECORD).encode(), "bomb.json": bomb}))

    assert (snapshot.count, snapshot.left_out) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"hello", b"[]", b"{}", b"[[[[", b"PK\x03\x04 and no more", b'{"id": 7}'])
def test_what_holds_no_advisory_is_refused_and_not_taken_for_an_empty_export(content):
    with pytest.raises(Invalid):
        read(content)


def test_more_than_the_caps_is_refused(monkeypatch):
    monkeypatch.setattr(advisory_file, "MAX_ENTRIES", 1)
    with pytest.raises(TooLarge, match="at most 1"):
        read(zipped({"a.json": b"{}", "b.json": b"{}"}))


def test_a_small_form_of_another_version_is_refused():
    content = to_small(read(json.dumps(RECORD).encode())).replace(b"advisories/1", b"advisories/1x")

    with pytest.raises(Invalid, match="are not read"):
        read(content)
