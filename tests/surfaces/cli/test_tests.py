"""`elohim tests`: a real proposal at the terminal, shown, listed and taken as a patch."""

import subprocess
from pathlib import Path
from typing import Any

import pygit2
import pytest
from typer.testing import CliRunner

from elohim_kernel.surfaces.cli.main import app

OLD = "def half(number: int) -> int:\n    return number // 2\n"
NEW = "def half(number: int) -> int:\n    halved = number // 2\n    return halved\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("half")
    git = pygit2.init_repository(place, initial_head="main")
    parents: list[pygit2.Oid] = []
    for branch, text in (("main", OLD), ("fix", NEW)):
        index = pygit2.Index()
        index.add(pygit2.IndexEntry("shop.py", git.create_blob(text.encode()), pygit2.enums.FileMode.BLOB))
        who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000, 0)
        made = git.create_commit(f"refs/heads/{branch}", who, who, "Change", index.write_tree(git), parents)
        parents = [made]
    return place


@pytest.fixture(scope="module")
def proposed(terminal: Any, repository: Path) -> Any:
    return terminal.json("tests", "propose", str(repository), "--base", "main", "--head", "fix")


def test_a_proposal_names_its_files_what_they_are_worth_and_what_was_rejected(proposed):
    made = proposed["enrichment"]

    assert proposed["id"].startswith("te_")
    assert made["files"][0]["path"] == "tests/test_shop_proposed.py"
    assert made["score"]["killed_after"] == made["score"]["mutants"] > 0
    assert made["runs"] == 3
    assert {"accepted", "rejected"} <= {each["verdict"] for each in made["attempts"]}


def test_people_read_it_again_and_find_it_in_the_list(terminal, proposed):
    page = terminal.says("tests", "show", proposed["id"])
    listed = terminal.json("tests", "list")

    assert "shop.half" in page
    assert "Rejected" in page
    assert f"elohim tests export {proposed['id']} --patch" in page
    assert [one["id"] for one in listed] == [proposed["id"]]
    assert terminal.json("tests", "show", proposed["id"]) == proposed


def test_the_patch_is_taken_by_git_and_the_repository_is_not_touched(terminal, proposed, repository, tmp_path):
    file = tmp_path / "tests.patch"
    copy = tmp_path / "copy"

    terminal.says("tests", "export", proposed["id"], "--patch", str(file))
    printed = CliRunner().invoke(app, ["--home", str(terminal.home), "tests", "export", proposed["id"]]).stdout

    assert file.read_text() == printed == proposed["patch"]
    subprocess.run(["git", "clone", "-q", "-b", "fix", str(repository), str(copy)], check=True)
    subprocess.run(["git", "-C", str(copy), "apply", str(file)], check=True)
    assert (copy / "tests/test_shop_proposed.py").read_text() == proposed["enrichment"]["files"][0]["text"]
    assert sorted(path.name for path in repository.iterdir()) == [".git"]
    assert "exists already" in terminal.refused("tests", "export", proposed["id"], "--patch", str(file))["message"]


def test_what_is_meant_has_to_be_said(terminal, repository):
    assert "nothing says which functions" in terminal.refused("tests", "propose", str(repository))["message"]
    assert "no proposal" in terminal.refused("tests", "show", "te_nothing")["message"]
