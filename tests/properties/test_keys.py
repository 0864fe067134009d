"""One key, one effect: however often, from however many threads, and whether or not there was a crash between."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from elohim_kernel.access.teams import AddTeam
from elohim_kernel.errors import Conflict
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workflows.work_items import OpenWorkItem

FLOW = "name: Triage\nstages: [{key: look}, {key: decide}]"


@settings(max_examples=4, phases=[Phase.generate])  # seeds do not shrink
@given(chance=st.randoms(use_true_random=True))
def test_a_command_repeated_with_its_key_gives_its_first_result_also_after_a_crash(
    a_world: Any, deeds: Any, chance: random.Random
):
    with TemporaryDirectory() as folder:
        world = a_world(chance, Path(folder))
        deeds.begin(world)
        for _ in range(20):
            deeds.step(world)
        done = []
        for number in range(60):
            who, command, _ = deeds.step(world)
            seq = world.store.last_seq
            key = f"key {number}"
            done.append((who, command, key, world.do(who, command, key), world.store.last_seq > seq))
        kept = [one for one in done if not isinstance(one[3], Exception) and one[4]]
        if chance.random() < 0.7:
            world.crash()

        before = world.store.last_seq
        for who, command, key, first, _ in chance.sample(kept, len(kept)):
            if who != "dan":  # who may be disabled by now, and then is nobody
                assert world.do(who, command, key) == first

        assert kept
        assert world.store.last_seq == before
        world.store.close()


def test_threads_that_share_a_key_share_one_effect():
    with memory_workbench() as ann:
        flow = ann.define(FLOW)

        with ThreadPoolExecutor(16) as threads:
            opened = list(threads.map(lambda _: ann.open_item(flow.id, "one", key="same"), range(64)))

        assert len({one.id for one in opened}) == 1
        assert len(ann.items()) == 1


def test_a_key_means_something_only_for_whoever_used_it():
    with memory_workbench(people={"ann": "admin", "bo": "maintainer"}) as ann:
        flow = ann.define(FLOW, visibility="global")
        bo = ann.acting_as("bo")

        opened = {ann.open_item(flow.id, "mine", key="k").id, bo.open_item(flow.id, "mine too", key="k").id}

        assert len(opened) == 2


def test_a_refused_command_leaves_its_key_free_for_another_try():
    with memory_workbench() as ann:
        with pytest.raises(Exception, match="no workflow 'Triage'"):
            ann.do(OpenWorkItem(workflow="Triage", title="x"), key="k")

        ann.define(FLOW)

        assert ann.do(OpenWorkItem(workflow="Triage", title="x"), key="k").reference == "EL-1"


def test_a_key_used_for_one_command_is_refused_for_another_kind_of_result():
    with memory_workbench() as ann:
        ann.define(FLOW)
        ann.do(OpenWorkItem(workflow="Triage", title="x"), key="k")

        with pytest.raises(Conflict, match="used before, for another command"):
            ann.do(AddTeam(name="red"), key="k")
