"""Ids: unique, sorted by the time they were made, also across threads; and telling their noun."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.ids import PREFIXES, new_id, prefix_of


def test_ids_made_one_after_the_other_sort_that_way():
    made = [new_id("wi") for _ in range(10_000)]

    assert made == sorted(set(made))


def test_ids_made_by_many_threads_are_all_different():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [new_id("ev") for _ in range(500)], range(16)))

    assert len({one for each in made for one in each}) == 8_000
    assert all(each == sorted(each) for each in made)


def test_an_id_is_a_uuid_of_version_7_behind_its_prefix():
    number = UUID(new_id("fd").removeprefix("fd_"))

    assert (number.version, number.variant) == (7, "specified in RFC 4122")


@given(st.sampled_from(sorted(PREFIXES)))
def test_an_id_tells_its_noun(prefix: str):
    assert prefix_of(new_id(prefix)) == prefix


@given(st.text().filter(lambda text: "_" not in text))
def test_what_has_no_prefix_has_an_empty_one(text: str):
    assert prefix_of(text) == ""
