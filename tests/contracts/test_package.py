"""What is installed is what the files say: version, typing marker, pinned dependencies, licence."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from elohim_kernel.version import __version__


def pins(text: str) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines if line)}


def wanted(requirements: Iterable[Requirement], extras: Iterable[str]) -> set[tuple[str, frozenset[str]]]:
    """The requirements that apply on this machine with these extras: canonical name and extras of each."""
    return {
        (canonicalize_name(each.name), frozenset(each.extras))
        for each in requirements
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    }


def closure(project: Mapping[str, Any], extras: Iterable[str]) -> set[str]:
    """Names of all distributions the project with these extras needs here, except itself."""
    own = canonicalize_name(project["name"])
    optional = project["optional-dependencies"]
    todo = {(own, frozenset(extras))}
    done: set[tuple[str, frozenset[str]]] = set()
    while todo - done:
        name, chosen = (todo - done).pop()
        done.add((name, chosen))
        if name == own:
            lines = [*project["dependencies"], *(line for extra in chosen for line in optional[extra])]
        else:
            lines = importlib.metadata.requires(name) or []
        todo |= wanted(map(Requirement, lines), chosen)
    return {name for name, _ in done} - {own}


@pytest.fixture
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def test_every_installed_dependency_is_pinned_to_what_is_installed(root: Path, project: dict[str, Any]):
    pinned = pins((root / "constraints.txt").read_text())
    installed = {name: importlib.metadata.version(name) for name in closure(project, project["optional-dependencies"])}

    assert {name: version for name, version in installed.items() if pinned.get(name) != version} == {}


def test_every_dependency_has_a_lower_and_an_upper_bound(project: dict[str, Any]):
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    bounds = {each.name: {mark.operator for mark in each.specifier} for each in map(Requirement, lines)}
    bounds.pop(project["name"])

    assert {name for name, operators in bounds.items() if operators not in ({">=", "<"}, {"=="})} == set()


def test_the_package_says_that_it_is_typed(root: Path):
    assert (root / "elohim_kernel" / "py.typed").is_file()


def test_the_installed_version_is_the_one_in_the_source():
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", __version__)
    assert importlib.metadata.version("elohim_kernel") == __version__


def test_the_changelog_speaks_of_this_version_or_of_the_next(root: Path):
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "Unreleased"
    assert len(headings) == 1 or headings[1] == __version__


def test_the_licence_is_the_one_declared(root: Path, project: dict[str, Any]):
    assert project["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in (root / "LICENSE").read_text()


def test_pins_are_read_with_comments_and_spellings():
    assert pins("Jinja2==3.1.6  # for papermill\n\n# note\nruamel.yaml==1.0\n") == {
        "jinja2": "3.1.6",
        "ruamel-yaml": "1.0",
    }


def test_a_requirement_of_another_platform_or_extra_is_not_wanted():
    requirements = [
        Requirement("a[fast]>=1"),
        Requirement('b; sys_platform == "nowhere"'),
        Requirement('c; extra == "docs"'),
    ]

    assert wanted(requirements, []) == {("a", frozenset({"fast"}))}
    assert wanted(requirements, ["docs"]) == {("a", frozenset({"fast"})), ("c", frozenset())}
