"""The sample is only worth showing when its service works and its planted defects are really there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import lizard
import pygit2
import pytest

from elohim_kernel.runtime.sample import build_sample_repository, planted_defects
from elohim_kernel.runtime.shipped import shipped


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return build_sample_repository(tmp_path_factory.mktemp("sample") / "breadrun")


@pytest.fixture(scope="module")
def changed(sample):
    """The newest commit of the branch under review, as files."""
    folder = Path(sample.path).with_name("changed")
    repository = pygit2.Repository(sample.path)
    folder.mkdir()
    repository.checkout_tree(repository.branches[sample.head].peel(pygit2.Tree), directory=str(folder), strategy=2)
    return folder


def flagged(folder):
    """(file, line, rule) of what ruff says."""
    options = ["--isolated", "--no-cache", "--exit-zero", "--output-format=json", "--line-length=120"]
    command = [sys.executable, "-m", "ruff", "check", *options, "--select=E,F,B,S,BLE", "."]
    found = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return {
        (Path(each["filename"]).relative_to(folder.resolve()).as_posix(), each["location"]["row"], each["code"])
        for each in json.loads(found.stdout)
    }


def complexity(folder):
    functions = lizard.analyze_file(str(folder / "breadrun" / "routes.py")).function_list
    return {function.name: function.cyclomatic_complexity for function in functions}


def test_the_service_passes_its_own_tests(sample):
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

    done = subprocess.run(
        command, cwd=sample.path, env=environment | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout
    assert "12 passed" in done.stdout


def test_each_planted_line_is_flagged_by_the_rules_it_names(changed):
    defects = planted_defects()
    expected = {(each.file, each.line, rule) for each in defects.planted + defects.existing for rule in each.rules}

    missed = expected - flagged(changed)

    assert missed == set()
    assert len(defects.planted) >= 12


def test_what_was_there_before_is_flagged_on_main_too(sample):
    before = {(file, rule) for file, _, rule in flagged(Path(sample.path))}

    assert {(each.file, rule) for each in planted_defects().existing for rule in each.rules} <= before


def test_planted_defects_are_in_the_change_and_old_ones_are_not(sample):
    repository = pygit2.Repository(sample.path)
    base, head = (repository.branches[name].peel(pygit2.Tree) for name in (sample.base, sample.head))
    change = base.diff_to_tree(head)
    change.find_similar()
    new = {
        (patch.delta.new_file.path, line.new_lineno)
        for patch in change
        for hunk in patch.hunks
        for line in hunk.lines
        if line.origin == "+"
    }

    assert {(each.file, each.line) for each in planted_defects().planted} <= new
    assert not {(each.file, each.line) for each in planted_defects().existing} & new
    files = {patch.delta.new_file.path for patch in change}
    assert {each.file for each in planted_defects().shape} <= files
    assert not any(file.startswith("tests/") for file in files)
    assert "requirements.lock" in files
    assert "pyproject.toml" not in files


def test_the_planner_gains_the_complexity_that_is_claimed(sample, changed):
    before, after = complexity(Path(sample.path)), complexity(changed)

    assert (before["plan_day"], after["plan_day"]) == (5, 17)
    assert any("from 5 to 17" in each.why for each in planted_defects().shape)


def test_the_stored_history_is_small_and_keeps_its_bytes():
    folder = shipped("data") / "sample_service"
    files = [path for path in folder.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 300_000
    assert b"\r\n" in (folder / "commits" / "011-price-zones" / "docs" / "price-zones.csv").read_bytes()
