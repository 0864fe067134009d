"""Playbooks are found in the home folder and among ours, and ours keep their names."""

import shutil

import pytest

from elohim_kernel.errors import NotFound
from elohim_kernel.runtime.playbooks import playbook_files, playbook_named
from elohim_kernel.runtime.shipped import shipped


def test_a_notebook_in_the_home_folder_is_a_playbook(tmp_path):
    ours = shipped("playbooks") / "review_report.ipynb"
    (tmp_path / "playbooks").mkdir()
    shutil.copy(ours, tmp_path / "playbooks" / "mine.ipynb")
    (tmp_path / "playbooks" / "review_report.ipynb").write_text("{}", encoding="utf-8")

    found = playbook_files(tmp_path)

    assert set(found) == {"mine", "review_report"}
    assert found["review_report"] == ours
    assert playbook_named("mine", tmp_path)[1].name == "mine"


def test_a_playbook_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(NotFound, match="there is review_report"):
        playbook_named("nope", None)
