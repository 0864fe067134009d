"""Reading one repository: opening, resolving, content, names, export."""

import os
from pathlib import Path

import pygit2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygit2.enums import FileMode

from elohim_kernel.errors import Invalid, TooLarge, Unavailable
from elohim_kernel.runtime import repository as module
from elohim_kernel.runtime.gitpaths import is_plain, raw_of, shown
from elohim_kernel.runtime.repository import open_repository


def test_a_repository_is_found_from_a_folder_inside_it(workshop):
    workshop.commit({"a.py": "x = 1\n"})
    inside = Path(workshop.path) / "deep" / "down"
    inside.mkdir(parents=True)

    found = open_repository(str(inside))

    assert found.path == str(Path(workshop.path).resolve())


def test_a_bare_repository_is_named_by_its_own_folder(new_workshop):
    bare = new_workshop("kept.git", bare=True)
    bare.commit({"a.py": "x = 1\n"})

    found = open_repository(bare.path)

    assert found.path == str(Path(bare.path).resolve())
    assert found.paths("main") == ["a.py"]


def test_a_linked_worktree_reads_the_same_commits(workshop, tmp_path):
    head = workshop.commit({"a.py": "x = 1\n"})
    workshop.git.add_worktree("side", tmp_path / "side")

    found = open_repository(str(tmp_path / "side"))

    assert found.resolve("main") == head
    assert found.path == str((tmp_path / "side").resolve())


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_a_repository_is_refused(tmp_path, made):
    place = tmp_path / "nothing"
    if made:
        place.mkdir()

    with pytest.raises(Invalid, match=r"not in a git repository|no folder"):
        open_repository(str(place))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_refused_with_the_way_to_trust_it(workshop):
    workshop.commit({"a.py": "x = 1\n"})
    for place in (Path(workshop.path), Path(workshop.path) / ".git"):
        os.chown(place, 12345, 12345)

    with pytest.raises(Invalid, match=r"another user.*safe\.directory"):
        open_repository(workshop.path)


def test_a_branch_a_tag_a_short_id_and_a_remote_branch_resolve_to_full_ids(workshop):
    first = workshop.commit({"a.py": "x = 1\n"})
    second = workshop.commit({"a.py": "x = 2\n"})
    workshop.git.references.create("refs/tags/v1", pygit2.Oid(hex=first))
    workshop.git.references.create("refs/remotes/origin/feature", pygit2.Oid(hex=second))

    found = open_repository(workshop.path)

    assert [found.resolve(name) for name in ("main", "v1", first[:9], "feature")] == [second, first, first, second]


def test_an_unknown_revision_is_refused_naming_close_ones(workshop):
    workshop.commit({"a.py": "x = 1\n"}, branch="feature-login")

    with pytest.raises(Invalid, match=r"'feature-logon'.*there is: feature-login"):
        open_repository(workshop.path).resolve("feature-logon")


@pytest.mark.parametrize("revision", ["", "main:a.py", "a b", "..", "x\0y", "main^{tree}"])
def test_what_is_not_a_commit_is_refused(workshop, revision):
    workshop.commit({"a.py": "x = 1\n"})

    with pytest.raises(Invalid):
        open_repository(workshop.path).resolve(revision)


def test_an_empty_repository_says_that_it_has_no_commits(workshop):
    found = open_repository(workshop.path)

    with pytest.raises(Invalid, match="no commits"):
        found.resolve("main")
    with pytest.raises(Invalid, match="no commits"):
        found.change(None, None)


def test_only_regular_files_are_read_and_listed(workshop):
    workshop.commit(
        {
            "src/a b.py": "x = 1\n",
            "run.sh": ("#!/bin/sh\n", FileMode.BLOB_EXECUTABLE),
            "link": ("/etc/passwd", FileMode.LINK),
            "sub": ("1" * 40, FileMode.COMMIT),
        }
    )

    found = open_repository(workshop.path)

    assert found.paths("main") == ["run.sh", "src/a b.py"]
    assert found.read("main", "src/a b.py") == b"x = 1\n"
    assert [found.read("main", path) for path in ("link", "sub", "src", "nope", "src/a b.py/x", "")] == [None] * 6


def test_names_that_are_not_text_are_shown_escaped_and_read_back(workshop):
    blob = workshop.git.create_blob(b"x = 1\n")
    inner = workshop.raw_tree([(b"100644", b"two\nlines.py", blob)])
    names = [(b"100644", b"caf\xe9.py", blob), (b"40000", b"d\xff", inner), (b"100644", "ü.py".encode(), blob)]
    workshop.commit_tree(workshop.raw_tree(names), "main", [])

    found = open_repository(workshop.path)
    listed = found.paths("main")

    assert listed == ["caf\\xe9.py", "d\\xff/two\nlines.py", "ü.py"]
    assert [found.read("main", path) for path in listed] == [b"x = 1\n"] * 3


@given(st.binary(min_size=1, max_size=20))
def test_every_name_survives_being_shown(raw):
    assert raw_of(shown(raw)) == raw


@given(st.lists(st.binary(min_size=1, max_size=6), min_size=2, max_size=2, unique=True))
def test_two_names_never_look_the_same(names):
    assert shown(names[0]) != shown(names[1])


@pytest.mark.parametrize(
    "raw",
    [
        b"..",
        b"../x",
        b"a/../../x",
        b"/etc/x",
        b"a//b",
        b".git",
        b".GIT/hooks/x",
        b"a/.git/config",
        b"git~1/x",
        b".git /x",
        b".git./config",
        ".g\u200cit/config".encode(),
        b"",
        b"a/.",
    ],
)
def test_a_name_that_leaves_its_folder_or_poses_as_git_is_not_plain(raw):
    assert not is_plain(raw)


def test_export_writes_plain_files_only_and_nothing_outside(workshop, tmp_path):
    blob = workshop.git.create_blob(b"owned\n")
    git = workshop.raw_tree([(b"100644", b"config", blob)])
    up = workshop.raw_tree([(b"100644", b"up.py", blob)])
    rows = [
        (b"40000", b"..", up),
        (b"40000", b".git", git),
        (b"100644", b"good.py", blob),
        (b"120000", b"link.py", blob),
    ]
    workshop.commit_tree(workshop.raw_tree(rows), "main", [])
    into = tmp_path / "out" / "tree"
    into.mkdir(parents=True)

    wanted = ["good.py", ".git/config", "../up.py", "link.py", "absent.py", "/tmp/x.py"]
    written = open_repository(workshop.path).export("main", wanted, into)

    assert written == ["good.py"]
    assert [str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")] == ["tree/good.py"]


def test_export_does_not_follow_or_overwrite_what_is_already_there(workshop, tmp_path):
    workshop.commit({"a.py": "new\n"})
    into, victim = tmp_path / "into", tmp_path / "victim"
    into.mkdir()
    victim.write_text("kept\n")
    (into / "a.py").symlink_to(victim)

    written = open_repository(workshop.path).export("main", ["a.py"], into)

    assert (list(written), victim.read_text()) == ([], "kept\n")


def test_a_name_too_long_for_the_disk_is_left_out(workshop, tmp_path):
    name = "n" * 300 + ".py"
    workshop.commit({name: "x\n", "a.py": "y\n"})

    assert open_repository(workshop.path).export("main", [name, "a.py"], tmp_path) == ["a.py"]


def test_a_folder_that_cannot_be_written_is_an_error_to_retry(workshop):
    workshop.commit({"a.py": "x\n"})

    with pytest.raises(Unavailable, match="cannot write"):
        open_repository(workshop.path).export("main", ["a.py"], Path("/proc/nothing"))


def test_a_file_over_the_cap_is_not_read_and_not_exported(workshop, tmp_path, monkeypatch):
    workshop.commit({"big.py": b"x" * 101, "a.py": b"x" * 100})
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 100)
    found = open_repository(workshop.path)

    assert found.export("main", ["big.py", "a.py"], tmp_path) == ["a.py"]
    with pytest.raises(TooLarge, match="101 bytes"):
        found.read("main", "big.py")


def test_an_export_stops_at_its_total_and_says_what_it_wrote(workshop, tmp_path, monkeypatch):
    workshop.commit({"a.py": b"x" * 60, "b.py": b"x" * 60, "c.py": b"x" * 40})
    monkeypatch.setattr(module, "MAX_EXPORT_BYTES", 100)

    assert open_repository(workshop.path).export("main", ["a.py", "b.py", "c.py"], tmp_path) == ["a.py", "c.py"]


def test_a_damaged_repository_is_a_clear_error(workshop):
    workshop.commit({"a.py": "x = 1\n"})
    blob = workshop.git.revparse_single("main:a.py").id
    (Path(workshop.path) / ".git" / "objects" / str(blob)[:2] / str(blob)[2:]).unlink()

    with pytest.raises(Invalid, match="cannot be read"):
        open_repository(workshop.path).read("main", "a.py")
