"""The program as a whole: help, the options every command has, exit codes, and errors that programs can read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from elohim_kernel.surfaces.cli.main import app
from elohim_kernel.surfaces.cli.program import NOUNS

ROOT = typer.main.get_command(app)


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, each in inner.items():
        yield from leaves(each, (*path, name))


COMMANDS = dict(leaves(ROOT))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_takes_the_common_options(path: tuple[str, ...]):
    done = CliRunner().invoke(app, [*path, "--help"])

    assert done.exit_code == 0
    assert COMMANDS[path].help
    assert all(option in done.stdout for option in ("--home", "--as", "--json"))


def test_help_of_the_whole_names_every_noun_with_its_words():
    shown = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())

    for names in NOUNS.values():
        for name, words in names.items():
            assert f"{name} {words}" in shown


def test_what_help_says_of_a_group_is_what_the_group_says_of_itself():
    groups = {name: command for name, command in ROOT.commands.items() if hasattr(command, "commands")}
    said = {name: words for names in NOUNS.values() for name, words in names.items()}

    assert {name: group.help for name, group in groups.items()} == {name: said[name] for name in groups}


@pytest.mark.parametrize(
    "words",
    [
        ["item", "list", "--nope"],
        ["item", "lits"],
        ["nonsense"],
        ["item", "show"],
        ["item", "list", "--limit", "many"],
        ["item", "list", "--order", "colour"],
        ["run", "show", "run_1", "run_2"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_is_refused_with_2_and_an_error_that_programs_can_read(words: list[str], home: Path):
    plain = CliRunner().invoke(app, words)
    read = CliRunner().invoke(app, [*words, "--json"])

    assert (plain.exit_code, plain.stdout) == (2, "")
    assert plain.stderr.startswith("elohim: ")
    assert "--help" in plain.stderr
    assert (read.exit_code, read.stdout) == (2, "")
    assert json.loads(read.stderr)["error"].keys() == {"code", "message", "hint"}
    assert json.loads(read.stderr)["error"]["code"] == "usage"
    assert not home.exists()


def test_a_near_miss_is_named():
    assert "'status'" in CliRunner().invoke(app, ["stat"]).stderr


def test_a_noun_alone_shows_its_commands():
    done = CliRunner().invoke(app, ["workflow"])

    assert done.exit_code == 2
    assert "validate" in done.stderr


def test_the_version_is_told():
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("elohim ")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_common_options_may_stand_before_and_after_the_noun(place: int, tmp_path: Path):
    words = ["config", "show"]
    words[place:place] = ["--home", str(tmp_path / "there"), "--as", "ann", "--json"]

    found = json.loads(CliRunner().invoke(app, words).stdout)

    assert (found["home"], found["user"]) == (str(tmp_path / "there"), "ann")


def test_the_nearest_of_two_homes_holds(tmp_path: Path):
    words = ["--home", str(tmp_path / "far"), "config", "show", "--home", str(tmp_path / "near"), "--json"]

    assert json.loads(CliRunner().invoke(app, words).stdout)["home"] == str(tmp_path / "near")


def test_the_origin_of_a_setting_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ELOHIM_THREADS", "3")

    found = json.loads(CliRunner().invoke(app, ["config", "show", "--origin", "--json"]).stdout)

    assert found["threads"] == {"value": 3, "origin": "environment variable ELOHIM_THREADS"}
    assert found["run_timeout_s"]["origin"] == "default"


def test_a_wrong_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ELOHIM_THREADS", "many")

    done = CliRunner().invoke(app, ["item", "list"])

    assert done.exit_code == 2
    assert "ELOHIM_THREADS" in done.stderr


def test_status_of_a_home_without_a_store_makes_none(home: Path):
    done = CliRunner().invoke(app, ["status", "--json"])

    assert json.loads(done.stdout)["store"] is None
    assert not home.exists()
