"""The identity map: the newest state of what was touched, by id and by name; nothing changed is ever forgotten."""

from datetime import UTC, datetime

from msgspec.structs import replace

from elohim_kernel.model.access import GLOBAL, Team, Visibility
from elohim_kernel.model.run import Delivery, DeliveryStatus
from elohim_kernel.model.work_item import Status, WorkItem
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.memory import Memory

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FLOW = Workflow(id="wf_1", name="Triage", visibility=Visibility.GLOBAL, tenant=GLOBAL, owner="us_a", revisions=())


def item(number: int) -> WorkItem:
    return WorkItem(
        id=f"wi_{number}", number=number, workflow="wf_1", revision=1, title="x", stage="a", stage_type="HUMAN",
        status=Status.PENDING, opened_by="us_a", opened_at=NOW, changed_at=NOW, entered_at=NOW,
    )  # fmt: skip


class Tables:
    """What lies in the tables, and how often it was asked for."""

    def __init__(self, *states: WorkItem) -> None:
        self.states = states
        self.asked: list[str] = []

    def load(self, table, by: str, value: str):
        self.asked.append(value)
        found = [one for one in self.states if value == (one.id if by == "id" else table.key(one))]
        return (found[0], one_seq) if found and (one_seq := found[0].number) else None


def test_what_is_not_here_is_loaded_once():
    tables = Tables(item(1))
    memory = Memory(tables.load)

    found = [memory.get(WorkItem, "wi_1"), memory.find(WorkItem, "EL-1"), memory.get(WorkItem, "wi_1")]

    assert found == [item(1)] * 3
    assert tables.asked == ["wi_1"]
    assert memory.seq("wi_1") == 1
    assert (memory.get(WorkItem, "wi_9"), memory.find(WorkItem, "EL-9")) == (None, None)


def test_an_id_of_another_kind_is_nothing():
    memory = Memory(Tables().load)
    memory.put(FLOW, 3)

    assert memory.get(WorkItem, "wf_1") is None
    assert memory.get(Workflow, "wf_1") == FLOW


def test_small_kinds_are_never_asked_of_the_tables():
    tables = Tables()

    assert Memory(tables.load).find(Team, "red") is None
    assert tables.asked == []


def test_a_new_name_takes_the_place_of_the_old_one():
    memory = Memory(Tables().load)
    memory.put(FLOW, 1)
    memory.put(replace(FLOW, name="Review"), 2)

    assert memory.find(Workflow, f"{GLOBAL}/Triage") is None
    assert memory.find(Workflow, f"{GLOBAL}/Review").name == "Review"


def test_a_name_that_was_given_up_and_taken_by_another_stays_the_others():
    """Whatever the order in which one group's states arrive."""
    memory = Memory(Tables().load)
    memory.put(FLOW, 1)

    memory.put(replace(FLOW, id="wf_2"), 3)
    memory.put(replace(FLOW, name="Review"), 2)

    assert memory.find(Workflow, f"{GLOBAL}/Triage").id == "wf_2"


def test_what_was_loaded_never_replaces_what_was_changed_meanwhile():
    memory = Memory(lambda table, by, value: (memory.put(replace(item(1), title="newer"), 9), (item(1), 1))[1])

    assert memory.get(WorkItem, "wi_1").title == "newer"


def test_what_is_changed_waits_until_it_is_settled():
    memory = Memory(Tables().load)
    memory.put(item(1), 5)
    memory.put(item(2), 6, dirty=False)

    assert memory.take_dirty() == {WorkItem: [(item(1), 5)]}
    assert memory.take_dirty() == {WorkItem: [(item(1), 5)]}, "a flush that failed finds it again"
    memory.settled()
    assert memory.take_dirty() == {}


def test_forgetting_leaves_small_kinds_open_deliveries_and_what_is_dirty():
    tables = Tables(*(item(number) for number in range(1, 40)))
    memory = Memory(tables.load, capacity=20)
    due = Delivery(
        id="dl_1", event="ev_1", subscriber="stage", subject="wi_1", scope="wf_1", status=DeliveryStatus.DUE, due_at=NOW
    )
    for number, state in enumerate((FLOW, due, *tables.states), start=1):
        memory.put(state, number)
    assert len(memory.states) == 41

    memory.settled()

    assert len(memory.states) <= 12
    assert memory.states.keys() >= {"wf_1", "dl_1", "wi_39"}
    assert memory.find(WorkItem, "EL-1") == item(1), "and is loaded again when it is wanted"
    assert memory.last_number == 39


def test_only_open_deliveries_are_tracked():
    memory = Memory(Tables().load)
    due = Delivery(
        id="dl_1", event="ev_1", subscriber="stage", subject="wi_1", scope="wf_1", status=DeliveryStatus.DUE, due_at=NOW
    )
    memory.put(due, 1)
    assert list(memory.deliveries) == ["dl_1"]

    memory.put(replace(due, status=DeliveryStatus.PARKED), 2)

    assert memory.deliveries == {}
