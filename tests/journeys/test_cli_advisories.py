"""Known vulnerabilities at the terminal, with no network: from an export to a finding."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pygit2
import pytest

RECORD = {
    "id": "GHSA-1",
    "modified": "2026-11-02T00:00:00Z",
    "summary": "Something bad",
    "details": "x" * 2_000,
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "django"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.2.19"}]}],
        }
    ],
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    git = pygit2.init_repository(place, initial_head="main")
    index = pygit2.Index()
    index.add(pygit2.IndexEntry("requirements.txt", git.create_blob(b"django==3.2.0\n"), pygit2.enums.FileMode.BLOB))
    who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000, 0)
    git.create_commit("refs/heads/main", who, who, "Begin", index.write_tree(git), [])
    return place


def test_a_small_file_is_made_of_an_export_and_kept_in_the_home(shell: Any, repository: Path, tmp_path: Path):
    export = tmp_path / "osv.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.writestr("GHSA-1.json", json.dumps(RECORD))
    kept = shell.home / "advisories"
    kept.mkdir(mode=0o700)

    without = shell.json("engine", "run", "advisories", str(repository))
    given = shell.json("engine", "run", "advisories", str(repository), "--advisories", str(export))
    made = shell.json("engine", "advisories", "--from", str(export), "--out", str(kept / "small.json"))
    found = shell.json("engine", "run", "advisories", str(repository))

    assert (without["status"], without["reason"]) == ("not_run", "no advisories here; give --advisories FILE")
    assert [one["rule"] for one in given["findings"]] == ["GHSA-1"]
    assert (made["advisories"], made["date"]) == (1, "2026-11-02")
    assert (kept / "small.json").stat().st_size < 400
    assert [one["message"] for one in found["findings"]] == ["django 3.2.0: Something bad"]


def test_a_file_that_is_no_export_is_refused_in_a_sentence(shell: Any, tmp_path: Path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")

    refused = shell("engine", "advisories", "--from", str(wrong), "--out", str(tmp_path / "out.json"))
    missing = shell("engine", "advisories", "--from", str(tmp_path / "none"), "--out", str(tmp_path / "out.json"))

    assert (refused.returncode, missing.returncode) == (2, 3)
    assert "there is no advisory in it" in refused.stderr
    assert "No such file" in missing.stderr
    assert not (tmp_path / "out.json").exists()
