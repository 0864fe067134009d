"""Events: each kind documented, each folded or known not to be, the same for ever."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from elohim_kernel.model.access import WORKER
from elohim_kernel.model.events import (
    BIRTHS,
    EVENTS,
    Event,
    EventData,
    deliveries,
    entity_of,
    event_id,
    fold,
    kind_of,
    responsible,
    seq_of,
)
from elohim_kernel.model.record import CommandRefused, InboxRead
from elohim_kernel.model.work_item import Entry, Status, WorkItemAdvanced, WorkItemRetried

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DUE = Entry(stage="scan", stage_type="CODE_REVIEW", status=Status.PENDING, run=True)


def event(data: Any, **changed: Any) -> Event:
    return Event(
        **{"seq": 12, "when": NOW, "subject": "wi_1", "scope": "wf_1", "actor": "us_a", "data": data, **changed}
    )


def test_every_kind_is_a_noun_and_what_happened_to_it_and_says_what_it_is():
    for kind, shape in EVENTS.items():
        noun, _, verb = kind.partition(".")
        assert noun.islower(), kind
        assert verb.replace("_", "").islower(), kind
        assert shape.__doc__.strip().endswith("."), kind
    assert len(EVENTS) == len(get_args(EventData))


def test_the_number_in_an_events_id_is_its_place_in_the_log():
    assert [seq_of(event_id(seq)) for seq in (1, 255, 2**47)] == [1, 255, 2**47]
    assert sorted(event_id(seq) for seq in (9, 10, 300)) == [event_id(seq) for seq in (9, 10, 300)]
    with pytest.raises(ValueError, match="invalid literal"):
        seq_of("ev_x")


def test_births_begin_a_state_and_refusals_change_none():
    assert set(EVENTS.values()) >= BIRTHS
    refused = CommandRefused(command="x", code="denied", message="no")

    assert entity_of(refused) is None
    assert kind_of(refused) == "command.refused"


def test_what_a_service_does_for_somebody_is_theirs():
    data = InboxRead(read_to=3)

    assert responsible(event(data, actor=WORKER, behalf="us_b")) == "us_b"
    assert responsible(event(data)) == "us_a"
    assert fold(None, event(data, subject="ib_us_a")).id == "ib_us_a"


def test_an_entry_that_asks_for_a_run_brings_a_delivery_with_it():
    (born,) = deliveries(event(WorkItemAdvanced(from_stage="a", entry=DUE)))

    assert (born.id, born.event, born.subject, born.scope, born.run) == (
        "dl_00000000000c_stage", "ev_00000000000c", "wi_1", "wf_1", "",
    )  # fmt: skip
    (again,) = deliveries(event(WorkItemRetried(entry=DUE, run="run_1")))
    assert again.run == "run_1"
    person = Entry(stage="read", stage_type="HUMAN", status=Status.PENDING)
    assert deliveries(event(WorkItemAdvanced(from_stage="a", entry=person))) == ()
