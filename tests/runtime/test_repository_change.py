"""The change between two commits: which two, what differs, what is left out."""

import subprocess
import time
from itertools import pairwise

import pygit2
import pytest
from pygit2.enums import FileMode

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.change import FileStatus, LineRange
from elohim_kernel.runtime import comparison, difference
from elohim_kernel.runtime.repository import open_repository


def change_of(workshop, base=None, head=None):
    return open_repository(workshop.path).change(base, head)


def lines(*spans):
    return tuple(LineRange(first=first, last=last) for first, last in spans)


def body(count, *, start=0):
    return "".join(f"line number {number}\n" for number in range(start, start + count))


def test_a_branch_is_compared_with_where_it_left_the_default_branch(workshop):
    start = workshop.commit({"a.py": "one\ntwo\n"})
    workshop.commit({"b.py": "b\n"}, message="Elsewhere")
    head = workshop.commit({"a.py": "one\n2\nthree\n"}, branch="feature", parents=[start], message="Improve a\n\nMore")

    found = change_of(workshop)

    assert (found.merge_base, found.head, found.base_name, found.head_name) == (start, head, "main", "feature")
    assert (found.title, found.commits, found.authors, found.truncated) == ("Improve a", 1, ("Ada",), "")
    (file,) = found.files
    assert (file.path, file.status, file.added, file.deleted) == ("a.py", FileStatus.MODIFIED, 2, 1)
    assert file.new_lines == lines((2, 3))


def test_the_checked_out_branch_is_the_head_unless_it_is_the_default_one(workshop):
    start = workshop.commit({"a.py": "1\n"})
    workshop.commit({"a.py": "2\n"}, branch="mine", parents=[start])
    workshop.commit({"a.py": "3\n"}, branch="newer", parents=[start])

    on_default = change_of(workshop).head_name
    workshop.git.set_head("refs/heads/mine")
    on_branch = change_of(workshop).head_name

    assert (on_default, on_branch) == ("newer", "mine")


def test_a_merged_branch_is_not_picked(workshop):
    start = workshop.commit({"a.py": "1\n"})
    side = workshop.commit({"b.py": "1\n"}, branch="merged", parents=[start])
    workshop.commit({"b.py": "1\n"}, parents=[start, side], message="Merge")

    found = change_of(workshop)

    assert (found.head_name, found.base_name) == ("main", "the commit before main")
    assert [file.path for file in found.files] == ["b.py"]


def test_a_detached_head_is_compared_with_the_default_branch(workshop):
    start = workshop.commit({"a.py": "1\n"})
    head = workshop.commit({"a.py": "2\n"}, branch="loose", parents=[start])
    workshop.git.set_head(pygit2.Oid(hex=head))

    found = change_of(workshop)

    assert (found.head, found.head_name, found.merge_base) == (head, head[:12], start)


def test_a_bare_repository_compares_its_newest_branch(new_workshop):
    bare = new_workshop("kept.git", bare=True)
    start = bare.commit({"a.py": "1\n"})
    bare.commit({"a.py": "2\n"}, branch="feature", parents=[start])

    assert (change_of(bare).base_name, change_of(bare).head_name) == ("main", "feature")


def test_the_nearer_of_a_stale_local_and_a_remote_default_branch_is_the_base(workshop):
    stale = workshop.commit({"a.py": "1\n"})
    fresh = workshop.commit({"a.py": "2\n"}, branch="tmp", parents=[stale])
    workshop.git.references.create("refs/remotes/origin/main", pygit2.Oid(hex=fresh))
    workshop.git.references.create("refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    workshop.commit({"b.py": "1\n"}, branch="feature", parents=[fresh])

    found = change_of(workshop, head="feature")

    assert (found.base_name, found.merge_base, found.commits) == ("origin/main", fresh, 1)


def test_a_head_that_the_base_contains_shows_its_last_commit_and_says_so(workshop):
    workshop.commit({"a.py": "1\n"})
    second = workshop.commit({"a.py": "2\n"})
    workshop.commit({"a.py": "3\n"})

    found = change_of(workshop, base="main", head=second)

    assert found.base_name == f"the commit before {second}, which main already contains"
    assert [(file.added, file.deleted) for file in found.files] == [(1, 1)]


def test_a_first_commit_is_all_added(workshop):
    workshop.commit({"a.py": "1\n2\n", "b.bin": b"\0\1"})

    found = change_of(workshop)

    assert (found.base, found.merge_base) == ("", "")
    assert found.base_name.startswith("nothing: main is the first commit")
    assert [(file.path, file.added, file.binary) for file in found.files] == [("a.py", 2, False), ("b.bin", 0, True)]


def test_histories_without_a_common_commit_are_all_added_and_say_so(workshop):
    workshop.commit({"a.py": "1\n"})
    workshop.commit({"b.py": "1\n"}, branch="other", parents=[])

    found = change_of(workshop, base="main", head="other")

    assert (found.merge_base, [file.path for file in found.files]) == ("", ["b.py"])
    assert "share no commit" in found.truncated


def test_a_shallow_clone_says_that_the_commit_before_is_missing(workshop, tmp_path):
    workshop.commit({"a.py": "1\n"})
    workshop.commit({"a.py": "2\n"})
    clone = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{workshop.path}", str(clone)], check=True)

    found = open_repository(str(clone)).change(None, None)

    assert (found.merge_base, found.files[0].added) == ("", 1)
    assert "shallow clone" in found.truncated


def test_renames_and_copies_keep_their_origin(workshop):
    workshop.commit({"old.py": body(40), "kept.py": body(40, start=100), "empty.txt": ""})
    changed = body(40).replace("number 7\n", "number seven\n")
    new = {"old.py": None, "new.py": changed, "kept.py": body(41, start=100), "twin.py": body(40, start=100)}
    workshop.commit({**new, "empty2.txt": "", "empty.txt": None}, branch="feature", parents=[change_of(workshop).head])

    files = {file.path: file for file in change_of(workshop).files}

    assert (files["new.py"].status, files["new.py"].old_path) == (FileStatus.RENAMED, "old.py")
    assert files["new.py"].new_lines == lines((8, 8))
    assert (files["twin.py"].status, files["twin.py"].old_path) == (FileStatus.COPIED, "kept.py")
    assert files["empty2.txt"].status is FileStatus.ADDED
    assert "old.py" not in files
    assert change_of(workshop).renames == {"new.py": "old.py"}


def test_modes_types_links_and_submodules_are_told_apart(workshop):
    sub = ("1" * 40, FileMode.COMMIT)
    start = workshop.commit({"run": "x\n", "was": "x\n", "sub": sub, "folder/a": "x\n"})
    after = {
        "run": ("x\n", FileMode.BLOB_EXECUTABLE),
        "was": ("run", FileMode.LINK),
        "sub": ("2" * 40, FileMode.COMMIT),
    }
    workshop.commit({**after, "folder/a": None, "folder": "y\n"}, branch="f", parents=[start])

    files = {file.path: file for file in change_of(workshop).files}

    assert (files["run"].status, files["run"].new_lines) == (FileStatus.MODIFIED, ())
    assert files["was"].status is FileStatus.TYPE_CHANGED
    assert (files["sub"].submodule, files["sub"].status) == (True, FileStatus.MODIFIED)
    assert (files["folder"].status, files["folder/a"].status) == (FileStatus.ADDED, FileStatus.DELETED)


def test_lines_of_which_only_the_end_changed_are_counted_but_not_new(workshop):
    start = workshop.commit({"a.py": "one\ntwo\nthree\n"})
    workshop.commit({"a.py": "one\r\n2\r\nthree\r\n"}, branch="f", parents=[start])

    (file,) = change_of(workshop).files

    assert (file.added, file.deleted, file.new_lines) == (3, 3, lines((2, 2)))


def test_a_gitattributes_file_cannot_hide_lines(workshop):
    start = workshop.commit({"a.py": "one\n", ".gitattributes": "*.py binary -diff\n"})
    workshop.commit({"a.py": "one\ntwo\n"}, branch="f", parents=[start])

    (file,) = change_of(workshop).files

    assert (file.binary, file.new_lines) == (False, lines((2, 2)))


def test_too_many_files_are_cut_and_counted(workshop, monkeypatch):
    monkeypatch.setattr(difference, "MAX_FILES", 3)
    workshop.commit({f"f{number}.py": "x\n" for number in range(5)})

    found = change_of(workshop)

    assert len(found.files) == 3
    assert found.truncated == "only the first 3 of 5 files are listed"


def test_one_huge_file_does_not_hide_the_small_ones(workshop, monkeypatch):
    monkeypatch.setattr(difference, "MAX_LINES", 50)
    workshop.commit({"a_huge.txt": body(100), "b_next.txt": body(101), "z.py": "x\ny\n"})

    found = change_of(workshop)

    assert [(file.path, file.added) for file in found.files] == [("a_huge.txt", 100), ("b_next.txt", 0), ("z.py", 2)]
    assert "lines of 1 files were not compared" in found.truncated


def test_a_file_too_large_to_compare_is_listed_and_named_in_words(workshop, monkeypatch):
    monkeypatch.setattr(difference, "MAX_COMPARED_BYTES", 100)
    workshop.commit({"big.txt": "x\n" * 51, "a.py": "x\n"})

    found = change_of(workshop)

    assert [(file.path, file.added) for file in found.files] == [("a.py", 1), ("big.txt", 0)]
    assert "not compared" in found.truncated


def test_a_tree_that_names_itself_billions_of_times_is_refused_quickly(workshop):
    tree = workshop.raw_tree([])
    for _ in range(12):
        tree = workshop.raw_tree([(b"40000", f"d{number}".encode(), tree) for number in range(10)])
    workshop.commit_tree(tree, "main", [])

    with pytest.raises(TooLarge, match="folders differ"):
        change_of(workshop)


def test_more_commits_than_are_counted_is_said(workshop, monkeypatch):
    monkeypatch.setattr(comparison, "MAX_COMMITS", 3)
    start = workshop.commit({"a.py": "0\n"})
    for number in range(5):
        workshop.commit({"a.py": f"{number}\n"}, branch="f", parents=[start] if number == 0 else None)

    found = change_of(workshop)

    assert found.commits == 3
    assert "newest" in found.truncated


def test_authors_are_named_once_newest_first(workshop):
    start = workshop.commit({"a.py": "0\n"})
    workshop.commit({"a.py": "1\n"}, branch="f", parents=[start], author="Ann")
    workshop.commit({"a.py": "2\n"}, branch="f", author="Bo")
    workshop.commit({"a.py": "3\n"}, branch="f", author="Ann")

    assert change_of(workshop).authors == ("Ann", "Bo")


def test_unknown_ends_are_refused(workshop):
    workshop.commit({"a.py": "0\n"})

    for ends in ({"base": "nope"}, {"head": "nope"}):
        with pytest.raises(Invalid, match="nope"):
            change_of(workshop, **ends)


def test_new_lines_are_where_git_says_they_are(workshop):
    old = body(200)
    new = "top\n" + body(50) + "middle\n" + body(100, start=60) + "end without newline"
    start = workshop.commit({"a.py": old})
    head = workshop.commit({"a.py": new}, branch="f", parents=[start])

    (file,) = change_of(workshop).files
    said = subprocess.run(
        ["git", "-C", workshop.path, "diff", "-U0", start, head], check=True, capture_output=True, text=True
    ).stdout
    added = [line[1:] for line in said.splitlines() if line.startswith("+") and not line.startswith("+++")]

    assert [
        new.splitlines()[number - 1] for span in file.new_lines for number in range(span.first, span.last + 1)
    ] == added
    assert all(one.last < other.first for one, other in pairwise(file.new_lines))


def test_five_thousand_commits_are_compared_at_once(workshop):
    tip = workshop.commit({"a.py": "0\n"})
    for number in range(5_000):
        tip = workshop.commit({"a.py": f"{number}\n"}, parents=[tip])
    workshop.commit({f"f{number}.py": body(20) for number in range(20)}, branch="feature", parents=[tip])

    began = time.monotonic()
    found = change_of(workshop)

    assert (len(found.files), found.commits) == (20, 1)
    assert time.monotonic() - began < 2
