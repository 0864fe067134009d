"""The best way to hold a child is found by trying, and what is missing for a better one is said."""

import pytest

from elohim_kernel.runtime import bubblewrap, isolation, landlock, programs, seccomp
from elohim_kernel.runtime.isolation import BUBBLEWRAP, LANDLOCK, LIMITS


@pytest.fixture
def lacking(monkeypatch):
    """A machine that lacks what is named."""

    def lack(*, bubblewrap_because="", landlock_because=""):
        ways = ((BUBBLEWRAP, lambda: bubblewrap_because), (LANDLOCK, lambda: landlock_because))
        monkeypatch.setattr(isolation, "_BEST_FIRST", ways)
        isolation.best_level.cache_clear()

    yield lack
    monkeypatch.undo()
    isolation.best_level.cache_clear()


@pytest.mark.parametrize(
    ("because", "level", "why"),
    [
        ({}, BUBBLEWRAP, ""),
        ({"bubblewrap_because": "no bwrap"}, LANDLOCK, "no bwrap"),
        ({"bubblewrap_because": "no bwrap", "landlock_because": "old kernel"}, LIMITS, "no bwrap; old kernel"),
    ],
)
def test_the_best_that_works_is_taken_and_the_reasons_for_no_better_one_are_said(lacking, because, level, why):
    lacking(**because)

    assert (isolation.best_level(), isolation.why_not_better()) == (level, why)


def test_limits_are_never_called_isolation():
    assert "no file system or network isolation" in LIMITS.words
    assert [level.isolates for level in (BUBBLEWRAP, LANDLOCK, LIMITS)] == [True, True, False]


def test_the_weaker_level_says_what_it_leaves_open():
    assert "names and sizes of files can be seen" in LANDLOCK.words


def test_bubblewrap_that_is_not_there_or_does_not_work_is_said_with_what_to_do(monkeypatch, tmp_path):
    said = []
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)

    for places in ((str(tmp_path / "nowhere"),), (str(broken),)):
        monkeypatch.setattr(bubblewrap, "_PROGRAMS", places)
        for each in (bubblewrap._program, bubblewrap._tried):
            each.cache_clear()
        said.append(bubblewrap.why_not())
    monkeypatch.undo()
    for each in (bubblewrap._program, bubblewrap._tried):
        each.cache_clear()

    assert said == [
        "bubblewrap is not installed; on Debian and Ubuntu: apt install bubblewrap",
        "bubblewrap does not work here: bwrap: No permissions to create new namespace",
    ]


def test_a_bubblewrap_that_holds_nothing_is_not_believed(monkeypatch, tmp_path):
    open_door = tmp_path / "bwrap"
    open_door.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
    open_door.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "_PROGRAMS", (str(open_door),))
    for each in (bubblewrap._program, bubblewrap._tried):
        each.cache_clear()

    said = bubblewrap.why_not()

    monkeypatch.undo()
    for each in (bubblewrap._program, bubblewrap._tried):
        each.cache_clear()
    assert "does not work here" in said
    assert "it sees our files" in said


@pytest.mark.parametrize(
    ("version", "known", "said"),
    [
        (0, True, "not in this kernel"),
        (2, True, "version 2 of at least 3"),
        (7, False, "not known to us"),
        (3, True, ""),
    ],
)
def test_landlock_counts_only_where_it_holds_files_and_the_filter_the_network(monkeypatch, version, known, said):
    monkeypatch.setattr(landlock, "version", lambda: version)
    monkeypatch.setattr(landlock, "is_known", lambda: known)

    why_not = landlock.why_not()

    assert said in why_not
    assert bool(why_not) == bool(said)


def test_filters_are_whole_instructions_that_end_in_an_answer():
    for program in (seccomp.inside_own_spaces(), seccomp.beside_us(network=False), seccomp.beside_us(network=True)):
        assert len(program) % 8 == 0
        assert program[-8:] == b"\x06\x00\x00\x00\x00\x00\xff\x7f"


def test_a_tool_of_the_user_is_found_with_all_it_needs_and_one_in_the_tree_is_not(tmp_path, monkeypatch):
    venv, links, tree = tmp_path / "venvs" / "tool", tmp_path / "links", tmp_path / "tree"
    for folder in (venv / "bin", links, tree / "bin", tmp_path / "pythons" / "bin"):
        folder.mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text(f"home = {tmp_path}/pythons/bin\n")
    for place in (venv / "bin" / "some-tool", tree / "bin" / "evil-tool"):
        place.write_text("#!/bin/sh\n")
        place.chmod(0o755)
    (links / "some-tool").symlink_to(venv / "bin" / "some-tool")
    monkeypatch.setenv("PATH", f"{tree}/bin:{links}:relative:")
    programs.search_path.cache_clear()

    found = [programs.tool_path(name, hidden=[str(tree)]) for name in ("some-tool", "evil-tool")]
    seen = programs.places_of(str(links / "some-tool"))

    monkeypatch.undo()
    programs.search_path.cache_clear()
    assert found == [str(links / "some-tool"), None]
    assert {str(links / "some-tool"), str(venv), f"{tmp_path}/pythons"} <= set(seen)


def test_a_package_of_node_is_seen_with_its_neighbours_and_its_interpreter(tmp_path, monkeypatch):
    modules, own = tmp_path / "prefix" / "lib" / "node_modules", tmp_path / "prefix" / "bin"
    (modules / "eslint" / "bin").mkdir(parents=True)
    own.mkdir()
    script = modules / "eslint" / "bin" / "eslint.js"
    script.write_text("#!/usr/bin/env some-node\n")
    (own / "some-node").write_text("#!/bin/sh\n")
    for place in (script, own / "some-node"):
        place.chmod(0o755)
    (own / "eslint").symlink_to(script)
    monkeypatch.setenv("PATH", str(own))
    programs.search_path.cache_clear()

    seen = programs.places_of(str(own / "eslint"))
    path = programs.child_search_path(str(own / "eslint"))

    monkeypatch.undo()
    programs.search_path.cache_clear()
    assert str(tmp_path / "prefix") in seen
    assert str(own) in path.split(":")


@pytest.mark.parametrize("folder", ["/", "/home", "/home/ann", "/etc", "/tmp"])
def test_folders_that_hold_far_more_than_a_tool_may_see_are_known(folder):
    assert programs.is_broad(folder)
