"""What managing access does not allow: raising oneself, reaching above one's level, locking everybody out."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elohim_kernel.access.people import DisablePrincipal, EnablePrincipal, GrantRole, RevokeRole, WhoAmI
from elohim_kernel.access.roles import DefineRole
from elohim_kernel.errors import Conflict, Denied, KernelError
from elohim_kernel.model.access import BUILT_IN_ROLES, GLOBAL, WORKER, Level, Permission, level_of
from elohim_kernel.store.store import Caller

MANAGER = {Permission.ACCESS_MANAGE: Level.WRITE}


def manager(bench: Any, name: str = "mia") -> Any:
    """Somebody who manages access but is no administrator."""
    bench.root.do(DefineRole(name="manager", permissions=MANAGER))
    return bench.add(name, "manager")


LOCKOUTS: list[Callable[[], Any]] = [
    lambda: DisablePrincipal(principal="root", reason="tired"),
    lambda: RevokeRole(principal="root", role="admin"),
]


@pytest.mark.parametrize("lockout", LOCKOUTS)
def test_the_last_administrator_cannot_be_locked_out(bench: Any, lockout: Callable[[], Any]):
    with pytest.raises(Conflict, match="nobody could manage access any more"):
        bench.root.do(lockout())

    assert bench.root.ask(WhoAmI()).grants[0].role == "admin"


def test_an_administrator_of_one_team_does_not_count_as_one_who_is_left(bench: Any):
    bench.team("payments")
    bench.add("ann", "admin", "payments")

    with pytest.raises(Conflict, match="nobody could manage access"):
        bench.root.do(DisablePrincipal(principal="root", reason="tired"))


def test_two_administrators_who_disable_each_other_at_once_leave_one(bench: Any):
    ann = bench.add("ann", "admin")
    outcomes: list[KernelError | None] = []
    for actor, victim in ((bench.root.id, "ann"), (ann.id, "root")):
        command = DisablePrincipal(principal=victim, reason="duel")
        bench.gate.submit(command, Caller(principal=actor), lambda _, error: outcomes.append(error))

    bench.store.drain()

    assert sum(error is None for error in outcomes) == 1
    assert [bench.principal(name).active for name in ("root", "ann")].count(True) == 1


def test_redefining_a_role_cannot_take_the_keys_from_the_last_who_hold_them(bench: Any):
    keys = {Permission.ACCESS_MANAGE: Level.ADMIN}
    bench.root.do(DefineRole(name="keeper", permissions=keys))
    bench.add("kim", "keeper")
    kim = bench.acting("kim")
    kim.do(RevokeRole(principal="root", role="admin"))

    with pytest.raises(Conflict, match="nobody could manage access"):
        kim.do(DefineRole(name="keeper", permissions={Permission.ACCESS_MANAGE: Level.WRITE}))


def test_only_an_administrator_hands_out_roles_that_manage_access(bench: Any):
    mia = manager(bench)
    bench.add("ann")

    mia.do(GrantRole(principal="ann", role="maintainer"))
    for role in ("admin", "manager"):
        with pytest.raises(Denied, match=r"mia lacks access.manage \(ADMIN\)"):
            mia.do(GrantRole(principal="ann", role=role))


def test_only_an_administrator_changes_those_who_manage_access(bench: Any):
    mia = manager(bench)

    for command in (
        DisablePrincipal(principal="root", reason="coup"),
        RevokeRole(principal="root", role="admin"),
        GrantRole(principal="root", role="viewer"),
    ):
        with pytest.raises(Denied, match="changing root, who manages access"):
            mia.do(command)


def test_only_an_administrator_redefines_a_role_that_manages_access(bench: Any):
    mia = manager(bench)

    mia.do(DefineRole(name="triage", permissions={Permission.CODE_USE: Level.READ}))
    for name, permissions in (("manager", {}), ("triage", MANAGER)):
        with pytest.raises(Denied, match=f"defining '{name}', which manages access"):
            mia.do(DefineRole(name=name, permissions=permissions))


def test_nobody_raises_themselves(bench: Any):
    bench.team("payments")
    keys = {Permission.ACCESS_MANAGE: Level.ADMIN, Permission.WORKFLOWS_VIEW: Level.READ}
    bench.root.do(DefineRole(name="keeper", permissions=keys))
    kim = bench.add("kim", "keeper")

    for team in ("", "payments"):
        with pytest.raises(Denied, match=r"kim holds .* as .* and may not give themselves"):
            kim.do(GrantRole(principal="kim", role="analyst", team=team))
    with pytest.raises(Denied, match="may not give themselves WRITE"):
        kim.do(DefineRole(name="keeper", permissions={**keys, Permission.CODE_EDIT: Level.WRITE}))
    with pytest.raises(Denied, match=r"kim holds admin\.support as NONE"):
        kim.do(DefineRole(name="keeper", permissions={**keys, Permission.ADMIN_SUPPORT: Level.READ}))


def test_an_administrator_may_join_a_team_with_what_they_hold_everywhere(bench: Any):
    bench.team("payments")

    shown = bench.root.do(GrantRole(principal="root", role="maintainer", team="payments"))

    assert [(held.role, held.team) for held in shown.grants] == [("admin", ""), ("maintainer", "payments")]


@pytest.mark.parametrize(
    "command",
    [
        GrantRole(principal="worker", role="viewer"),
        DisablePrincipal(principal="worker", reason="no robots"),
        GrantRole(principal=WORKER, role="admin"),
    ],
)
def test_the_worker_has_no_rights_to_change(bench: Any, command: Any):
    with pytest.raises(Conflict, match="worker is the workbench itself"):
        bench.root.do(command)


steps = st.lists(
    st.tuples(
        st.sampled_from(["root", "ann", "mia"]),
        st.sampled_from(["grant", "revoke", "disable", "enable"]),
        st.sampled_from(["root", "ann", "mia"]),
        st.sampled_from(["admin", "manager", "keeper", "viewer"]),
    ),
    max_size=25,
)
_DOING: dict[str, Callable[[str, str], Any]] = {
    "grant": lambda who, role: GrantRole(principal=who, role=role),
    "revoke": lambda who, role: RevokeRole(principal=who, role=role),
    "disable": lambda who, _: DisablePrincipal(principal=who, reason="x"),
    "enable": lambda who, _: EnablePrincipal(principal=who),
}


@settings(max_examples=40)
@given(steps=steps)
def test_whatever_is_tried_somebody_manages_access_and_nobody_rises_by_themselves(
    bench_factory: Callable[..., Any], steps: list[tuple[str, str, str, str]]
):
    bench = bench_factory()
    bench.root.do(DefineRole(name="manager", permissions=MANAGER))
    bench.root.do(DefineRole(name="keeper", permissions={Permission.ACCESS_MANAGE: Level.ADMIN}))
    bench.add("ann", "keeper")
    bench.add("mia", "manager")

    def level(name: str, permission: Permission) -> Level:
        roles = {role.name: role for role in bench.store.memory.every(type(BUILT_IN_ROLES["admin"]))}
        return level_of(bench.principal(name), permission, GLOBAL, roles)

    for actor, verb, victim, role in steps:
        before = {permission: level(actor, permission) for permission in Permission}
        try:
            bench.acting(actor).do(_DOING[verb](victim, role))
        except KernelError:
            continue
        finally:
            rulers = [n for n in ("root", "ann", "mia") if level(n, Permission.ACCESS_MANAGE) >= Level.ADMIN]
            assert any(bench.principal(name).active for name in rulers)
            assert all(level(actor, permission) <= held for permission, held in before.items())
    bench.store.close()
