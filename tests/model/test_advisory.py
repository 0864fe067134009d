"""Whether a version is affected, by the rules of its ecosystem."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.advisory import NPM, PYPI, Advisory, Bound, Range, affects, base_score, place_of


def advisory(*bounds: str, ecosystem: str = PYPI, versions: tuple[str, ...] = ()) -> Advisory:
    """`introduced 1.0` and so on, all of one range."""
    pairs = tuple((Bound(word), version) for word, _, version in (bound.partition(" ") for bound in bounds))
    return Advisory(
        id="X-1", ecosystem=ecosystem, package="a", ranges=(Range(bounds=pairs),) if pairs else (), versions=versions
    )


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        (("introduced 0", "fixed 2.0"), ("0.1", "1.9.post1", "2.0rc1"), ("2.0", "2.0.1", "1!0.1")),
        (("introduced 1.0", "last_affected 1.4"), ("1.0", "1.4", "1.4.0"), ("0.9", "1.4.1", "1.0.dev1")),
        (("introduced 1", "fixed 1.5", "introduced 2", "fixed 2.3"), ("1.2", "2.2"), ("1.5", "1.9", "2.3")),
        (("fixed 2.3", "introduced 2", "fixed 1.5", "introduced 1"), ("1.2", "2.2"), ("1.5", "0.5")),
        (("introduced 0", "limit 3"), ("2.9",), ("3", "4")),
        (("introduced 3",), ("3", "99"), ("2.99",)),
    ],
)
def test_ranges_of_python_packages(bounds, inside, outside):
    one = advisory(*bounds)

    assert [version for version in inside if not affects(one, version).affected] == []
    assert [version for version in outside if affects(one, version).affected is not False] == []


@pytest.mark.parametrize(
    ("version", "affected"),
    [("1.2.3", True), ("1.2.4-rc.1", True), ("1.2.4", False), ("v1.0.0", True), ("1.10.0", False), ("x", None)],
)
def test_ranges_of_npm_packages(version, affected):
    assert affects(advisory("introduced 1.0.0", "fixed 1.2.4", ecosystem=NPM), version).affected is affected


def test_a_listed_version_is_affected_in_any_spelling():
    one = advisory(versions=("1.0", "1.0.1"))

    assert [affects(one, version).affected for version in ("1.0", "1.0.0", "1.0.2")] == [True, True, False]


def test_a_bound_that_cannot_be_placed_is_unknown_and_not_unaffected():
    assert affects(advisory("introduced 0", "fixed banana"), "1.0").affected is None


def test_the_next_fix_above_the_version_is_named():
    one = advisory("introduced 1", "fixed 1.5", "introduced 2", "fixed 2.3")

    assert [affects(one, version).fixed_in for version in ("1.2", "2.2")] == ["1.5", "2.3"]


@given(st.lists(st.integers(0, 40), min_size=3, max_size=3), st.integers(0, 40), st.integers(1, 40))
def test_a_range_holds_what_lies_between_its_bounds(version, first, size):
    last = first + size
    one = advisory(f"introduced {first}", f"fixed {last}")
    text = ".".join(map(str, version))

    assert affects(one, text).affected is ([first, 0, 0] <= version < [last, 0, 0])


@given(st.text(max_size=40))
def test_any_text_has_a_place_or_none(text):
    for ecosystem in (PYPI, NPM):
        place = place_of(ecosystem, text)
        assert place is None or place == place_of(ecosystem, text)


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.1/AV:L/AC:H/PR:H/UI:N/S:U/C:L/I:N/A:N", 1.9),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:P/RL:O", 7.5),
        ("CVSS:3.1/AV:X", None),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", None),
        ("", None),
    ],
)
def test_base_scores_are_those_of_the_specification(vector, score):
    assert base_score(vector) == score
