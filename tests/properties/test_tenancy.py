"""What you may not see does not exist for you: not in rows, counts, errors, the inbox, history, SQL or metrics."""

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from elohim_kernel import registry
from elohim_kernel.audit.metrics import prometheus
from elohim_kernel.errors import Fault, KernelError, NotFound
from elohim_kernel.model.value import convert
from elohim_kernel.store.views import VIEWS
from elohim_kernel.testing import workbench_on

MANY, SOME, FEW = (settings(max_examples=count, phases=[Phase.generate]) for count in (10, 4, 2))  # seeds do not shrink
QUERIES = registry.queries()
ORDERS = ("priority", "age", "sla", "number")

Asker = Callable[[Any], Any]  # of a world, see `world.py`

ASKED: Mapping[str, Asker] = {
    "list_approvals": lambda world: {"item": world.chance.choice(("", world.item()[0]))},
    "get_approval": lambda world: {"approval": world.chance.choice((world.item()[0], world.pick("approval")))},
    "list_workflows": lambda world: {"archived": True},
    "get_workflow": lambda world: {"workflow": world.flow()},
    "diff_workflow": lambda world: {"workflow": world.flow()},
    "list_templates": lambda world: {},
    "get_template": lambda world: {"template": world.pick("template")},
    "get_item": lambda world: {"item": world.item()[0]},
    "list_items": lambda world: {
        "order": world.chance.choice(ORDERS),
        "assignee": world.chance.choice(("", "me", "bob")),
    },
    "get_inbox": lambda world: {"unread": world.chance.random() < 0.5},
    "get_step": lambda world: {"run": world.pick("run"), "step": "s"},
    "due_schedules": lambda world: {},
    "list_runs": lambda world: {"item": world.chance.choice(("", world.item()[0]))},
    "get_run": lambda world: {"run": world.pick("run")},
    "known_findings": lambda world: {"workflow": world.flow(), "repository": "/src"},
    "remember_findings": lambda world: {"workflow": world.flow(), "repository": "/src"},
    "list_findings": lambda world: {"state": "", "folded": world.chance.random() < 0.5},
    "get_finding": lambda world: {"finding": _some_finding(world)},
    "explain_finding": lambda world: {"finding": _some_finding(world)},
    "finding_stats": lambda world: {"by": world.chance.choice(("owner", "category", "tool")), "where": {}},
    "export_findings": lambda world: {},
    "list_decisions": lambda world: {},
    "get_test_proposal": lambda world: {"proposal": _proposal(world)},
    "list_test_proposals": lambda world: {"workflow": world.chance.choice(("", world.flow()))},
    "get_ratchet": lambda world: {"workflow": world.flow(), "repository": "/src"},
    "list_principals": lambda world: {},
    "who_am_i": lambda world: {},
    "list_teams": lambda world: {},
    "list_roles": lambda world: {},
    "list_tokens": lambda world: {"principal": world.chance.choice(("", "ann", "*"))},
    "list_events": lambda world: {"limit": 1_000, "item": world.chance.choice(("", "", world.item()[0]))},
    "show_event": lambda world: {"event": str(world.chance.randrange(world.store.last_seq) + 1)},
    "trail_head": lambda world: {},
    "verify_trail": lambda world: {},
    "export_trail": lambda world: {"limit": 1_000},
    "count_everything": lambda world: {},
}
WHOLE = {"export_trail"}  # shows every tenant's records, and takes ADMIN on the trail for it


def _some_finding(world: Any) -> str:
    there = world.store.database.rows("select id from findings order by id")
    return str(world.chance.choice(there)["id"]) if there else "fd_nothing"


def _proposal(world: Any) -> str:
    there = world.store.database.rows("select subject from events where kind = 'tests.proposed'", {})
    return world.chance.choice([row["subject"] for row in there] or ["te_nothing"])


def ask(world: Any, who: str, name: str, **fields: Any) -> Any:
    try:
        return world.session(who).ask(convert(fields or ASKED[name](world), QUERIES[name]))
    except KernelError as refused:
        return refused


def survey(world: Any, who: str, *, sql: bool) -> list[object]:
    """Everything somebody can be shown."""
    found = [ask(world, who, name) for name in ASKED if name not in WHOLE]
    found += [ask(world, who, "get_item", item=item) for item in world.known["item"]]
    found += [ask(world, who, "list_items", order=order, limit=1_000) for order in ORDERS]
    if sql:
        workbench = workbench_on(world.gate, who)
        found += [workbench.sql(f"from {view}").rows() for view in VIEWS]
    return found


def test_every_query_there_is_is_asked():
    assert set(ASKED) == set(QUERIES)


@MANY
@given(chance=st.randoms(use_true_random=True))
def test_nobody_is_shown_a_word_of_a_tenant_they_cannot_see(a_world: Any, deeds: Any, chance: random.Random):
    world = a_world(chance)
    deeds.begin(world)

    for _ in range(100):
        who, command, result = deeds.step(world)
        assert not isinstance(result, Fault), (who, command)
        if who in deeds.PEOPLE:
            assert world.leaks(who, result) == [], (who, command, result)
        asker, name = chance.choice(deeds.PEOPLE), chance.choice(sorted(set(ASKED) - WHOLE))
        told = ask(world, asker, name)
        assert not isinstance(told, Fault), (asker, name)
        assert world.leaks(asker, told) == [], (asker, name, told)

    world.do("root", deeds.COMMANDS["enable_principal"](principal="dan"))
    for who in deeds.PEOPLE:
        # Copying every view takes most of the time here, so each example does it for some.
        for shown in survey(world, who, sql=chance.random() < 0.2):
            assert world.leaks(who, shown) == [], who
    assert world.canaries_in(prometheus(world.gate.meter.readings(), {})) == []
    world.store.close()


@FEW
@given(chance=st.randoms(use_true_random=True))
def test_what_somebody_does_see_is_really_there_to_be_searched(a_world: Any, deeds: Any, chance: random.Random):
    """Otherwise the search above would find nothing because there is nothing."""
    world = a_world(chance)
    deeds.begin(world)
    mine = {mark for mark, owners in world.owners.items() if owners & set(world.tenants)}

    shown = {who: "".join(map(repr, survey(world, who, sql=True))) for who in deeds.PEOPLE}

    for mark in mine:
        assert {who for who in deeds.PEOPLE if mark in shown[who]} == {
            who for who in deeds.PEOPLE if world.may_know(who, mark)
        }
    world.store.close()


@SOME
@given(chance=st.randoms(use_true_random=True))
def test_absent_and_forbidden_answer_alike(a_world: Any, deeds: Any, chance: random.Random):
    world = a_world(chance)
    deeds.begin(world)
    for _ in range(60):
        deeds.step(world)
    world.do("root", deeds.COMMANDS["enable_principal"](principal="dan"))

    for name in ("get_item", "get_approval", "get_workflow", "get_run", "get_step", "list_runs", "list_approvals"):
        for who in deeds.PEOPLE:
            for thing in _things(world, name, who):
                hidden, absent = (_told(world, who, name, one) for one in (thing, _absent(thing)))
                assert hidden == absent, (who, name, thing)
    world.store.close()


def _things(world: Any, name: str, who: str) -> list[str]:
    """What is there and hidden from `who`, by id and by reference."""
    hidden = {flow for flow in world.tenants if not world.sees_flow(who, flow)}
    if name == "get_workflow":
        return sorted(hidden)
    table = "runs" if name in ("get_run", "get_step") else "work_items"
    rows = world.store.database.rows(f"from {table}")
    return [row[column] for row in rows if row["scope"] in hidden for column in ("id", "key")]


def _absent(thing: str) -> str:
    return re.sub(r"\d+$", "987654", thing) if thing.startswith("EL-") else thing[:-6] + "ffffff"


def _told(world: Any, who: str, name: str, thing: str) -> tuple[type, str]:
    fields = {"get_item": "item", "get_approval": "approval", "get_workflow": "workflow", "list_runs": "item",
              "list_approvals": "item"}  # fmt: skip
    extra = {"step": "s"} if name == "get_step" else {}
    told = ask(world, who, name, **{fields.get(name, "run"): thing}, **extra)
    assert isinstance(told, NotFound), (who, name, thing, told)
    return type(told), str(told).replace(thing, "…")
