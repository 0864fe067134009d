"""Trees for tools: exactly what was asked for, written once, shared by links, and read-only."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pygit2.enums import FileMode

from elohim_kernel.runtime.repository import open_repository
from elohim_kernel.runtime.tree import Trees

FILES = {"a.py": "a\n", "pkg/b.py": "b\n", "pkg/deep/c.txt": "c\n"}


def contents(root: str) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in Path(root).rglob("*") if path.is_file()}


@pytest.fixture
def head(workshop):
    return workshop.commit(FILES)


def test_a_tree_holds_what_was_asked_for_and_nothing_another_engine_wanted(workshop, head, tmp_path):
    trees, source = Trees(tmp_path), open_repository(workshop.path)

    python = trees.tree(source, head, ["a.py", "pkg/b.py"])
    everything = trees.tree(source, head, list(FILES))

    assert contents(python.root) == {"a.py": "a\n", "pkg/b.py": "b\n"}
    assert contents(everything.root) == FILES
    assert (python.paths, python.left_out) == (("a.py", "pkg/b.py"), ())


def test_equal_questions_get_the_same_folder_and_files_are_written_once(workshop, head, tmp_path):
    trees, source = Trees(tmp_path), open_repository(workshop.path)

    one, same = trees.tree(source, head, ["a.py"]), trees.tree(source, head, ["a.py", "a.py"])
    more = trees.tree(source, head, ["a.py", "pkg/b.py"])

    assert one == same
    assert Path(one.root, "a.py").samefile(Path(more.root, "a.py"))
    assert Path(one.root, "a.py").stat().st_mode & 0o222 == 0


def test_another_commit_is_another_tree(workshop, head, tmp_path):
    trees, source = Trees(tmp_path), open_repository(workshop.path)
    later = workshop.commit({"a.py": "changed\n"})

    before, after = (trees.tree(source, commit, ["a.py"]) for commit in (head, later))

    assert (contents(before.root), contents(after.root)) == ({"a.py": "a\n"}, {"a.py": "changed\n"})


def test_what_is_not_a_regular_file_is_left_out_and_said(workshop, tmp_path):
    head = workshop.commit({"a.py": "a\n", "link": ("/etc/passwd", FileMode.LINK)})

    tree = Trees(tmp_path).tree(open_repository(workshop.path), head, ["a.py", "link", "gone.py", "../out"])

    assert (tree.paths, tree.left_out) == (("a.py",), ("link", "gone.py", "../out"))
    assert contents(tree.root) == {"a.py": "a\n"}


def test_engines_side_by_side_share_one_export(workshop, tmp_path):
    names = {f"m{number:03d}.py": f"{number}\n" for number in range(200)}
    head = workshop.commit(names)
    trees = Trees(tmp_path)

    def ask(number: int):
        wanted = [name for place, name in enumerate(names) if place % (number % 4 + 1) == 0]
        return wanted, trees.tree(open_repository(workshop.path), head, wanted)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(ask, range(16)))

    assert all(contents(tree.root) == {name: names[name] for name in wanted} for wanted, tree in made)
    assert len({tree.root for _, tree in made}) == 4


def test_without_hard_links_files_are_copied(workshop, head, tmp_path, monkeypatch):
    def refused(*_names, **_options):
        raise OSError(1, "no hard links here")

    monkeypatch.setattr(os, "link", refused)

    tree = Trees(tmp_path).tree(open_repository(workshop.path), head, list(FILES))

    assert contents(tree.root) == FILES
    assert Path(tree.root, "a.py").stat().st_mode & 0o222 == 0


def test_all_trees_are_in_one_place_that_holds_nothing_else(workshop, head, tmp_path):
    trees = Trees(tmp_path)
    assert trees.place is None

    tree = trees.tree(open_repository(workshop.path), head, ["a.py"])

    assert trees.place is not None
    assert Path(tree.root).parent == trees.place
