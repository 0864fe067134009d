"""Teams and roles: founded and defined once, and shown to those for whom they exist."""

from typing import Any

import pytest

from elohim_kernel.access.roles import DefineRole, ListRoles
from elohim_kernel.access.teams import AddTeam, ListTeams
from elohim_kernel.errors import Conflict, Invalid
from elohim_kernel.model.access import BUILT_IN_ROLES, Level, Permission


def test_a_team_is_founded_once(bench: Any):
    founded = bench.root.do(AddTeam(name="payments", title="Payments"))

    assert (founded.name, founded.title, founded.members) == ("payments", "Payments", ())
    with pytest.raises(Conflict, match="a team 'payments' already"):
        bench.root.do(AddTeam(name="payments"))


def test_a_team_needs_a_name_like_any_other(bench: Any):
    with pytest.raises(Invalid, match="cannot be the name of a team"):
        bench.root.do(AddTeam(name="Pay ments"))


def test_people_see_their_own_teams_and_managers_see_all(bench: Any):
    for name in ("search", "payments"):
        bench.team(name)
    ann = bench.add("ann", "viewer", "payments")
    bench.add("bo", "viewer", "payments")

    assert [(team.name, team.members) for team in ann.ask(ListTeams())] == [("payments", ("ann", "bo"))]
    assert [team.name for team in bench.root.ask(ListTeams())] == ["payments", "search"]


@pytest.mark.parametrize("name", BUILT_IN_ROLES)
def test_a_built_in_role_stays_as_it_is(bench: Any, name: str):
    with pytest.raises(Conflict, match=f"the role '{name}' is built in"):
        bench.root.do(DefineRole(name=name, permissions={}))


def test_a_role_is_defined_and_later_means_something_else(bench: Any):
    first = bench.root.do(DefineRole(name="triage", permissions={Permission.FINDINGS_DECIDE: Level.WRITE}))

    second = bench.root.do(
        DefineRole(name="triage", permissions={Permission.CODE_USE: Level.READ, Permission.CODE_EDIT: Level.NONE})
    )

    assert first.id == second.id
    assert first.permissions == {Permission.FINDINGS_DECIDE: Level.WRITE}
    assert second.permissions == {Permission.CODE_USE: Level.READ}


@pytest.mark.parametrize("permissions", [{"code.fly": 1}, {"code.use": 4}, {"code.use": "READ"}])
def test_a_role_cannot_hold_what_there_is_not(bench: Any, permissions: Any):
    with pytest.raises(Invalid, match="DefineRole: "):
        bench.root.do(DefineRole(name="triage", permissions=permissions))


def test_people_see_built_in_roles_and_those_held_around_them(bench: Any):
    for name in ("secret-project", "triage", "guest"):
        bench.root.do(DefineRole(name=name, permissions={}))
    bench.team("payments")
    bench.team("search")
    ann = bench.add("ann", "guest", "payments")
    bench.add("bo", "triage", "payments")
    bench.add("cy", "secret-project", "search")

    assert [role.name for role in ann.ask(ListRoles())] == [*BUILT_IN_ROLES, "guest", "triage"]
    assert [role.name for role in bench.root.ask(ListRoles())] == [
        *BUILT_IN_ROLES,
        "guest",
        "secret-project",
        "triage",
    ]
