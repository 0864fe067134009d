"""Changes on their way to a copy; what is in them is shown by the tests of the copy."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from elohim_kernel.errors import Invalid, NotFound, Unauthenticated
from elohim_kernel.model.access import Principal
from elohim_kernel.store.changes import Changes, changes, pack, raw_rows, unpack
from elohim_kernel.store.store import Store
from elohim_kernel.store.wire import Wanted

ANN = Principal(id="us_ann", name="ann")


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(":memory:", now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    opened.memory.put(ANN, 0, dirty=False)
    yield opened
    opened.close()


def test_changes_survive_the_way_to_another_process():
    sent = Changes(7, "digest", whole=("people",), tables={"people": pa.table({"id": ["us_a"], "seq": [3]})})

    received = unpack(pack(sent))

    assert received == sent
    assert received.rows == 1


@pytest.mark.parametrize("body", [b"", b"\xff", pack(Changes(1, "", whole=(), tables={}))[:-1]])
def test_bytes_that_hold_no_changes_are_refused(body: bytes):
    with pytest.raises(Invalid, match="no rows for a copy"):
        unpack(body)


def test_only_views_can_be_asked_for(store: Store):
    with pytest.raises(NotFound, match=r"no table 'tokens'.*there is work_items, findings"):
        raw_rows(store, "tokens", 0, ["access"], ANN)

    with pytest.raises(NotFound, match="no table 'tokens'"):
        changes(store, ANN.id, Wanted(new=("tokens",)))
    assert raw_rows(store, "findings", 0, ["access"], ANN).num_rows == 0


def test_somebody_unknown_gets_nothing(store: Store):
    with pytest.raises(Unauthenticated):
        changes(store, "us_nobody", Wanted(new=("findings",)))


def test_nothing_new_costs_no_statement(store: Store):
    first = changes(store, ANN.id, Wanted(new=("findings",)))
    store.database.close()

    second = changes(store, ANN.id, Wanted(since=first.upto, visibility=first.visibility, held=("findings",)))

    assert (first.whole, second.whole, second.rows) == (("findings",), (), 0)


def test_a_copy_of_another_store_is_made_anew(store: Store):
    first = changes(store, ANN.id, Wanted(new=("findings",)))

    again = changes(store, ANN.id, Wanted(since=first.upto + 5, visibility=first.visibility, held=("findings",)))

    assert again.whole == ("findings",)
    assert again.upto == first.upto
