import os
import subprocess

import pygit2
import pytest

from elohim_kernel.errors import Invalid, Unavailable
from elohim_kernel.runtime.sample import build_sample_repository
from elohim_kernel.runtime.shipped import shipped


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return build_sample_repository(tmp_path_factory.mktemp("sample") / "breadrun")


def tips(path):
    repository = pygit2.Repository(str(path))
    return {name: str(repository.branches[name].target) for name in repository.branches.local}


def test_building_twice_gives_the_same_commits(sample, tmp_path):
    again = build_sample_repository(tmp_path / "elsewhere" / "copy")

    assert tips(again.path) == tips(sample.path)
    assert tips(sample.path)["main"] == "e6748e44d9457fce178c04e580eb1f222e3c27e1"
    assert (again.base, again.head, again.title) == (sample.base, sample.head, sample.title)


def test_git_finds_the_repository_whole_and_the_checkout_clean(sample):
    checked = subprocess.run(["git", "fsck", "--strict"], cwd=sample.path, capture_output=True, text=True)
    status = subprocess.run(["git", "status", "--short"], cwd=sample.path, capture_output=True, text=True)

    assert (checked.returncode, checked.stdout) == (0, "")
    assert (status.returncode, status.stdout) == (0, "")


def test_the_history_is_believable(sample):
    repository = pygit2.Repository(sample.path)

    seen = {}
    for name in repository.branches.local:
        for commit in repository.walk(repository.branches[name].target):
            seen[str(commit.id)] = commit
    newest = max(seen.values(), key=lambda commit: commit.commit_time)

    assert 25 <= len(seen) <= 30
    assert len({commit.author.name for commit in seen.values()}) == 4
    assert sum(len(commit.parents) == 2 for commit in seen.values()) == 1
    assert all(each.commit_time > parent.commit_time for each in seen.values() for parent in each.parents)
    assert str(newest.id) == tips(sample.path)[sample.head]
    assert newest.message.splitlines()[0] == sample.title


def test_the_change_has_a_rename_and_the_tree_a_binary_and_a_crlf_file(sample):
    repository = pygit2.Repository(sample.path)
    base, head = (repository.branches[name].peel(pygit2.Tree) for name in (sample.base, sample.head))

    change = base.diff_to_tree(head)
    change.find_similar()

    renamed = [(d.delta.old_file.path, d.delta.new_file.path) for d in change if d.delta.status_char() == "R"]
    assert renamed == [("breadrun/geo.py", "breadrun/distance.py")]
    assert len(change) == 10
    assert change.stats.insertions > 200
    assert head["docs/logo.png"].is_binary
    zones = head["docs/price-zones.csv"].data
    assert zones.count(b"\r\n") == zones.count(b"\n") == 4


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path):
    empty, full, file = tmp_path / "empty", tmp_path / "full", tmp_path / "file"
    empty.mkdir()
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    file.write_text("mine")

    built = build_sample_repository(empty)

    assert (empty / "breadrun" / "routes.py").is_file()
    assert built.path == str(empty)
    for taken in (full, file):
        with pytest.raises(Invalid, match="is not an empty folder"):
            build_sample_repository(taken)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "full"]


@pytest.mark.skipif(os.name != "posix", reason="relies on a path that cannot be a folder")
def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="cannot build the sample repository"):
        build_sample_repository(tmp_path / "file" / "below")


def test_only_what_is_shipped_can_be_asked_for():
    assert (shipped("data") / "sample_service" / "history.toml").is_file()
    with pytest.raises(Invalid, match="nothing named 'docs'"):
        shipped("docs")
