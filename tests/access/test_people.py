"""People: added, granted roles, disabled; and what managing access does not allow."""

from collections.abc import Callable
from typing import Any

import pytest

from elohim_kernel.access.people import (
    AddPrincipal,
    DisablePrincipal,
    EnablePrincipal,
    GrantRole,
    ListPrincipals,
    RevokeRole,
    WhoAmI,
)
from elohim_kernel.errors import Conflict, Denied, Invalid, KernelError, NotFound
from elohim_kernel.model.access import (
    BUILT_IN_ROLES,
    GLOBAL,
    WORKER,
    Level,
    Permission,
    Principal,
    PrincipalKind,
    Visibility,
)
from elohim_kernel.model.record import CommandRefused
from elohim_kernel.store.log import event_of
from elohim_kernel.store.store import Caller


def test_a_new_store_has_an_administrator_the_worker_and_the_built_in_roles(bench: Any):
    events = [event_of(row) for row in bench.store.database.rows("from events order by seq")]

    assert events[0].kind == "store.created"
    assert events[0].subject == "store"
    assert {event.actor for event in events} == {WORKER}
    assert bench.principal("root").roles_in(GLOBAL) == ("admin",)
    assert bench.principal("worker").kind is PrincipalKind.SERVICE
    assert bench.principal("worker").grants == ()


def test_founding_a_store_again_changes_nothing(bench: Any):
    before = bench.store.last_seq

    bench.found("somebody-else")

    assert bench.store.last_seq == before


def test_an_upgrade_brings_the_built_in_roles_to_what_they_mean_now(bench: Any, monkeypatch: pytest.MonkeyPatch):
    changed = {Permission.CODE_USE: Level.ADMIN}
    viewer = BUILT_IN_ROLES["viewer"]
    monkeypatch.setitem(BUILT_IN_ROLES, "viewer", type(viewer)(id=viewer.id, name="viewer", permissions=changed))
    before = bench.store.last_seq

    bench.found("root")

    assert bench.store.last_seq == before + 1
    assert bench.store.memory.find(type(viewer), "viewer").permissions == changed


def test_the_first_administrator_cannot_be_called_as_the_worker_is(bench_factory: Callable[..., Any]):
    with pytest.raises(Invalid, match="'worker' is the workbench's own name"):
        bench_factory(founder="worker")


@pytest.mark.parametrize("name", ["ann", "a", "0", "ann.ode", "a_b-c", "x" * 63])
def test_a_name_of_small_letters_digits_and_three_signs_is_taken(bench: Any, name: str):
    added = bench.root.do(AddPrincipal(name=name, title=" Ann Ode "))

    assert (added.name, added.title, added.active, added.grants) == (name, "Ann Ode", True, ())


@pytest.mark.parametrize("name", ["", "Ann", "-ann", ".ann", "_ann", "ann ode", "änn", "ann\n", "x" * 64, "*", "a/b"])
def test_another_name_is_refused_saying_what_a_name_is(bench: Any, name: str):
    with pytest.raises(Invalid, match="a name is 1 to 63 of a-z"):
        bench.root.do(AddPrincipal(name=name))


@pytest.mark.parametrize("title", ["a\nb", "a\u202eb", "\x1b[31mred", "x" * 201])
def test_a_title_that_cannot_be_shown_is_refused(bench: Any, title: str):
    with pytest.raises(Invalid, match="title"):
        bench.root.do(AddPrincipal(name="ann", title=title))


def test_a_name_is_given_once(bench: Any):
    bench.add("ann")

    with pytest.raises(Conflict, match="somebody is called 'ann' already"):
        bench.root.do(AddPrincipal(name="ann"))


def test_of_two_who_take_one_name_in_the_same_batch_one_is_refused(bench: Any):
    outcomes: list[KernelError | None] = []
    for _ in range(2):
        bench.gate.submit(
            AddPrincipal(name="ann"), Caller(principal=bench.root.id), lambda _, error: outcomes.append(error)
        )

    bench.store.drain()

    assert [type(error) for error in outcomes] == [type(None), Conflict]


def test_a_role_in_a_team_makes_a_member(bench: Any):
    team = bench.team("payments")
    bench.add("ann")

    shown = bench.root.do(GrantRole(principal="ann", role="approver", team="payments"))

    assert [(held.role, held.team) for held in shown.grants] == [("approver", "payments")]
    assert bench.principal("ann").teams == (team,)


def test_a_role_is_granted_once_and_taken_where_it_was_given(bench: Any):
    bench.team("payments")
    bench.add("ann", "viewer", "payments")

    with pytest.raises(Conflict, match="ann holds 'viewer' in payments already"):
        bench.root.do(GrantRole(principal="ann", role="viewer", team="payments"))
    with pytest.raises(Conflict, match="ann does not hold 'viewer' everywhere; they hold 'viewer' in payments"):
        bench.root.do(RevokeRole(principal="ann", role="viewer"))
    bench.root.do(RevokeRole(principal="ann", role="viewer", team="payments"))

    assert bench.principal("ann").grants == ()


def test_an_unknown_role_team_or_person_is_refused_naming_those_there_are(bench: Any):
    bench.team("payments")
    bench.team("search")
    bench.add("ann")

    with pytest.raises(Invalid, match="no role 'boss'; there is admin, analyst, approver, maintainer, viewer"):
        bench.root.do(GrantRole(principal="ann", role="boss"))
    with pytest.raises(Invalid, match="no team 'ads'; there is payments, search"):
        bench.root.do(GrantRole(principal="ann", role="viewer", team="ads"))
    with pytest.raises(NotFound, match="nobody here is called 'bo'"):
        bench.root.do(GrantRole(principal="bo", role="viewer"))


def test_an_id_cannot_be_hijacked_by_taking_it_for_a_name(bench: Any):
    ann = bench.add("ann")
    bench.add(ann.id)

    bench.root.do(GrantRole(principal=ann.id, role="viewer"))

    assert bench.principal("ann").roles_in(GLOBAL) == ("viewer",)
    assert bench.principal(ann.id).grants == ()


def test_who_is_disabled_acts_no_more_until_enabled(bench: Any):
    ann = bench.add("ann", "viewer")

    bench.root.do(DisablePrincipal(principal="ann", reason="on leave"))
    with pytest.raises(Denied):
        ann.ask(WhoAmI())
    with pytest.raises(Conflict, match="disabled already"):
        bench.root.do(DisablePrincipal(principal="ann", reason="again"))
    bench.root.do(EnablePrincipal(principal="ann"))

    assert ann.ask(WhoAmI()).name == "ann"
    with pytest.raises(Conflict, match="is not disabled"):
        bench.root.do(EnablePrincipal(principal="ann"))


def test_a_refusal_is_recorded_and_changes_nothing(bench: Any):
    ann = bench.add("ann", "viewer")

    with pytest.raises(Denied, match=r"ann lacks access.manage \(WRITE\)"):
        ann.do(AddPrincipal(name="eve"))

    last = event_of(bench.store.database.rows("from events order by seq desc limit 1")[0])
    assert isinstance(last.data, CommandRefused)
    assert (last.data.command, last.data.code, last.actor) == ("add_principal", "denied", ann.id)
    assert bench.store.memory.find(Principal, "eve") is None


def test_people_see_those_they_share_a_team_with_and_managers_see_all(bench: Any):
    bench.team("payments")
    bench.team("search")
    ann = bench.add("ann", "viewer", "payments")
    bench.add("bo", "analyst", "payments")
    bench.root.do(GrantRole(principal="bo", role="maintainer", team="search"))
    bench.add("cy", "viewer", "search")

    seen = ann.ask(ListPrincipals())

    assert [one.name for one in seen] == ["ann", "bo"]
    assert [(held.role, held.team) for held in seen[1].grants] == [("analyst", "payments")]
    assert [one.name for one in bench.root.ask(ListPrincipals())] == ["ann", "bo", "cy", "root", "worker"]


def test_who_am_i_tells_what_may_be_done_where(bench: Any):
    bench.team("payments")
    ann = bench.add("ann", "approver", "payments")

    me = ann.ask(WhoAmI())

    rights = {(one.place, one.team): one.permissions for one in me.rights}
    assert (me.name, me.teams) == ("ann", ("payments",))
    assert rights[Visibility.GLOBAL, ""] == {}
    assert rights[Visibility.TEAM, "payments"] == BUILT_IN_ROLES["approver"].permissions
    assert rights[Visibility.PERSONAL, ""][Permission.WORKFLOWS_MANAGE] is Level.ADMIN
