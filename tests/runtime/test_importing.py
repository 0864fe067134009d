"""Files of other tools become recorded findings: recognised again, never speaking for an engine, never half read."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from elohim_kernel.errors import Invalid, KernelError, NotFound, TooLarge
from elohim_kernel.findings.recording import RecordFindings, finding_rows
from elohim_kernel.findings.sarif_out import Exported, sarif_of
from elohim_kernel.model.finding import EngineStatus, Finding, Severity
from elohim_kernel.model.fingerprint import fingerprinted
from elohim_kernel.runtime import importing
from elohim_kernel.runtime.importing import import_findings
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench

PLACE = {"artifactLocation": {"uri": "app/db.py"}, "region": {"startLine": 3}}
SOURCE = "import x\n\nexecute(query)\n"


@pytest.fixture
def wb() -> Iterator[Workbench]:
    with memory_workbench() as opened:
        opened.define("name: Scans\nstages: [{key: look}]")
        yield opened


def sarif(*messages: str, tool: str = "Finder") -> dict[str, Any]:
    results = [
        {"ruleId": "R1", "message": {"text": each}, "locations": [{"physicalLocation": PLACE}]} for each in messages
    ]
    return {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": tool}}, "results": results}]}


def saved(folder: Path, content: object, name: str = "report.sarif") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return file


def take(wb: Workbench, file: Path, **more: Any) -> importing.Imported:
    return import_findings(wb.session, file, workflow="Scans", repository="/src/shop", **more)


def rows(wb: Workbench) -> list[dict[str, Any]]:
    return wb.sql("select tool, rule, message, state, sightings, problem from findings order by tool, message").rows()


def test_findings_of_a_file_are_recorded_under_the_name_of_the_file_s_tool(wb: Workbench, tmp_path: Path):
    done = take(wb, saved(tmp_path, sarif("one", "two")))

    assert [(each["tool"], each["message"], each["state"]) for each in rows(wb)] == [
        ("import:finder", "one", "new"),
        ("import:finder", "two", "new"),
    ]
    assert (done.runs[0].findings, done.runs[0].new) == (2, 2)
    assert done.runs[0].event > 0


def test_the_same_file_five_times_changes_nothing_but_the_count_of_sightings(wb: Workbench, tmp_path: Path):
    file = saved(tmp_path, sarif("one", "two"))
    turned = saved(tmp_path, sarif("two", "one"), "turned.sarif")
    take(wb, file)
    before = [{**each, "sightings": 0} for each in rows(wb)]

    again = [take(wb, each) for each in (file, turned, file, turned)]

    assert [{**each, "sightings": 0} for each in rows(wb)] == before
    assert [each.runs[0].new for each in again] == [0, 0, 0, 0]


def test_a_file_cannot_speak_for_an_engine_of_ours(wb: Workbench, tmp_path: Path):
    own = fingerprinted(
        [Finding(rule="R1", severity=Severity.HIGH, message="real", path="app/db.py", line=3, tool="ruff")], {}
    )
    wb.do(
        RecordFindings(
            workflow="Scans", repository="/src/shop", tool="ruff", status=EngineStatus.FINDINGS, reason="one",
            rows=finding_rows(own),
        )
    )  # fmt: skip
    forged = json.loads(sarif_of([Exported(finding=own[0])]).content)
    forged["runs"][0]["results"][0]["message"]["text"] = "forged"

    take(wb, saved(tmp_path, forged))

    assert [(each["tool"], each["message"]) for each in rows(wb)] == [("import:ruff", "forged"), ("ruff", "real")]


def test_a_dry_run_records_nothing_and_says_what_it_would(wb: Workbench, tmp_path: Path):
    done = take(wb, saved(tmp_path, sarif("one")), dry_run=True)

    assert rows(wb) == []
    assert (done.runs[0].findings, done.runs[0].new, done.runs[0].event) == (1, 1, 0)


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress,
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: gzip.compress(text.decode().encode("utf-16")),
    ],
    ids=["gzip", "mark", "utf-16", "gzip of utf-16"],
)
def test_packed_and_otherwise_encoded_files_are_read(wb: Workbench, tmp_path: Path, packed: Callable[[bytes], bytes]):
    file = saved(tmp_path, packed(json.dumps(sarif("größer")).encode()))

    take(wb, file)

    assert [each["message"] for each in rows(wb)] == ["größer"]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", Invalid),
        (b"\x1f\x8b\x08\x00 broken", Invalid),
        (gzip.compress(b"x" * 100, mtime=0)[:-4], Invalid),
        (b"\xff\xfe\x00\xd8\x00\x00", Invalid),
        (b'{"runs": [{"results": [{}', Invalid),
        (b"rule;path\n", Invalid),
    ],
    ids=["empty", "no gzip", "half a gzip", "half a character", "half a document", "no table"],
)
def test_a_damaged_file_is_refused_and_nothing_is_recorded(
    wb: Workbench, tmp_path: Path, content: bytes, wrong: type[KernelError]
):
    with pytest.raises(wrong):
        take(wb, saved(tmp_path, content))

    assert rows(wb) == []


def test_a_file_that_is_not_there_is_named(wb: Workbench, tmp_path: Path):
    with pytest.raises(NotFound, match="nowhere"):
        take(wb, tmp_path / "nowhere.sarif")


def test_what_unpacks_without_end_is_stopped(wb: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "MAX_BYTES", 1 << 20)

    with pytest.raises(TooLarge, match="when it is unpacked"):
        take(wb, saved(tmp_path, gzip.compress(b" " * (4 << 20))))


def test_a_large_import_is_read_in_parts_and_says_what_that_costs(
    wb: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importing, "LINKED_CAP", 3)
    monkeypatch.setattr(importing, "_PART", 2)
    names = [f"m{number}" for number in range(5)]

    done = take(wb, saved(tmp_path, sarif(*names)))

    assert [each["message"] for each in rows(wb)] == names
    assert done.runs[0].notes == (importing._UNLINKED,)


def test_rows_of_our_own_are_read_again(wb: Workbench, tmp_path: Path):
    take(wb, saved(tmp_path, sarif("one", "two")))
    lines = wb.export_findings("jsonl").content
    table = wb.export_findings("csv").content

    with memory_workbench() as other:
        other.define("name: Scans\nstages: [{key: look}]")
        first = take(other, saved(tmp_path, lines, "f.jsonl"))
        second = take(other, saved(tmp_path, table, "f.csv"))

        assert (first.runs[0].new, second.runs[0].new) == (2, 0)
        assert [each["message"] for each in rows(other)] == ["one", "two"]


def test_what_is_exported_as_sarif_keeps_its_identities_in_another_home(wb: Workbench, tmp_path: Path):
    take(wb, saved(tmp_path, sarif("one", "two")))

    with memory_workbench() as other:
        other.define("name: Scans\nstages: [{key: look}]")
        take(other, saved(tmp_path, wb.export_findings().content))
        there = other.sql("select fingerprint, message from findings order by 2").rows()

    assert there == wb.sql("select fingerprint, message from findings order by 2").rows()
