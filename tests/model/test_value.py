"""Values: frozen, strict about their fields, and with one text for equal content."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid
from elohim_kernel.model.value import Value, convert, digest, from_json, plain, to_json


class Berth(Value, frozen=True):
    """A place for one boat."""

    name: str
    length_m: float = 0.0
    tags: tuple[str, ...] = ()
    free_from: datetime | None = None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(min_value=-(2**53), max_value=2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
berths = st.builds(
    Berth,
    name=st.text(),
    length_m=st.floats(allow_nan=False, allow_infinity=False),
    tags=st.lists(st.text(), max_size=3).map(tuple),
    free_from=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(berths)
def test_a_value_survives_its_journey_through_json(berth: Berth):
    assert from_json(to_json(berth), Berth) == berth


@given(berths)
def test_a_value_survives_its_journey_through_plain_data(berth: Berth):
    assert convert(plain(berth), Berth) == berth


@given(json_values)
def test_the_order_of_keys_changes_neither_text_nor_digest(value: Any):
    def turned(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: turned(part[key]) for key in reversed(list(part))}
        return [turned(one) for one in part] if isinstance(part, list) else part

    assert to_json(turned(value)) == to_json(value)
    assert digest(turned(value)) == digest(value)


@given(json_values, json_values)
def test_different_content_has_different_digests(one: Any, other: Any):
    assert (digest(one) == digest(other)) is (to_json(one) == to_json(other))


def test_a_digest_names_its_kind():
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": 1}', "Berth: Expected `str`, got `int` - at `$.name`"),
        ('{"name": "a", "colour": "red"}', "Berth: Object contains unknown field `colour`"),
        ("{}", "Berth: Object missing required field `name`"),
        ("{", "Berth: Input data was truncated"),
    ],
)
def test_bad_json_is_refused_with_the_field_that_is_wrong(text: str, words: str):
    with pytest.raises(Invalid) as refused:
        from_json(text, Berth)

    assert str(refused.value) == words


def test_bad_plain_data_is_refused_under_the_name_it_goes_by():
    with pytest.raises(Invalid, match=r"berth 7: Expected `float`, got `str` - at `\$.length_m`"):
        convert({"name": "a", "length_m": "long"}, Berth, what="berth 7")


def test_a_value_cannot_be_changed():
    berth = Berth(name="a")

    with pytest.raises(AttributeError):
        berth.name = "b"  # type: ignore[misc]
