"""A refused command changes nothing but the note that it was refused; what people hold on to stays in order."""

import random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from elohim_kernel.errors import KernelError
from elohim_kernel.model.access import WORKER, Principal
from elohim_kernel.model.record import CommandRefused
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.work_item import Status, WorkItem
from elohim_kernel.store.log import event_of, read_events

MANY = settings(max_examples=6, phases=[Phase.generate])  # seeds do not shrink


@MANY
@given(chance=st.randoms(use_true_random=True))
def test_a_refused_command_leaves_one_event_and_nothing_else(a_world: Any, deeds: Any, chance: random.Random):
    world = a_world(chance)
    deeds.begin(world)
    refused = 0

    for _ in range(60):
        seq, states = world.store.last_seq, dict(world.store.memory.states)
        _, _, result = deeds.step(world)
        if isinstance(result, KernelError):
            fresh = list(read_events(world.store.database, after=seq))
            assert [type(event.data) for event in fresh] in ([CommandRefused], [])  # nobody to note it for: no note
            assert states.items() <= world.store.memory.states.items()
            refused += len(fresh)

    assert refused
    world.store.close()


@MANY
@given(chance=st.randoms(use_true_random=True))
def test_an_item_that_is_not_finished_can_always_go_on(a_world: Any, deeds: Any, chance: random.Random):
    world = a_world(chance)
    deeds.begin(world)

    for _ in range(80):
        deeds.step(world)
        for name in world.known["item"]:
            item = world.store.memory.get(WorkItem, name)
            assert item.status.is_final or _way_on(world, item), item
    world.store.close()


def _way_on(world: Any, item: WorkItem) -> str:
    """What takes the item on: a person, an approver, the worker, or a person after the worker."""
    automated = StageType(item.stage_type).traits.automated
    if item.approval:
        return "approve" if item.status is Status.WAITING else ""
    if item.status is Status.FAILED:
        return "retry" if automated else ""
    if item.status is Status.WAITING:
        return "complete" if automated else ""
    if not automated:
        return "complete" if item.stage_type == StageType.HUMAN else ""
    waiting = [one for one in world.store.memory.deliveries.values() if one.subject == item.id]
    return "work" if any(int(one.event.removeprefix("ev_"), 16) == item.entered for one in waiting) else ""


@MANY
@given(chance=st.randoms(use_true_random=True))
def test_references_count_up_without_gaps_in_the_order_of_opening(a_world: Any, deeds: Any, chance: random.Random):
    world = a_world(chance)
    deeds.begin(world)
    for _ in range(80):
        deeds.step(world)

    opened = [event for event in read_events(world.store.database, after=0) if event.kind == "work_item.opened"]

    assert [event.data.number for event in opened] == list(range(1, len(opened) + 1))
    world.store.close()


@MANY
@given(chance=st.randoms(use_true_random=True))
def test_what_is_finished_stays_as_it_is(a_world: Any, deeds: Any, chance: random.Random):
    """Words may still be added to it; where it stands may not change."""
    world = a_world(chance)
    deeds.begin(world)
    finished: dict[str, tuple[str, str, object]] = {}

    for _ in range(100):
        deeds.step(world)
        for name in world.known["item"]:
            item = world.store.memory.get(WorkItem, name)
            if name in finished or item.status.is_final:
                now = (item.stage, item.status.value, item.closed_at)
                assert finished.setdefault(name, now) == now
                assert (item.approval, item.sla_left_s) == ("", None)
    world.store.close()


@MANY
@given(chance=st.randoms(use_true_random=True))
def test_what_is_done_for_somebody_says_who_did_it_and_for_whom(a_world: Any, deeds: Any, chance: random.Random):
    world = a_world(chance)
    deeds.begin(world)
    for _ in range(80):
        deeds.step(world)

    for row in world.store.database.rows("from events order by seq"):
        event = event_of(row)
        assert event.behalf == "" or event.actor == WORKER
        assert event.scope
        assert world.store.memory.get(Principal, event.actor) is not None
        assert not event.behalf or world.store.memory.get(Principal, event.behalf) is not None
    world.store.close()
