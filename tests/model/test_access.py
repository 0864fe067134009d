"""The one decision, against a model small enough to be believed; and states as folds of what happened."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from elohim_kernel.model.access import (
    ACCESS,
    BUILT_IN_ROLES,
    GLOBAL,
    WORKER,
    Grant,
    Level,
    Need,
    Permission,
    Principal,
    PrincipalAdded,
    PrincipalDisabled,
    PrincipalEnabled,
    PrincipalGranted,
    PrincipalGrantRemoved,
    PrincipalKind,
    Role,
    RoleDefined,
    TeamAdded,
    Verdict,
    apply_principal,
    apply_role,
    apply_team,
    decide,
    level_of,
    may_anywhere,
)

PLACES = (GLOBAL, "us_a", "us_b", "tm_x", "tm_y", ACCESS)
OWN = {
    Permission.WORKFLOWS_VIEW: 3,
    Permission.WORKFLOWS_RUN: 3,
    Permission.WORKFLOWS_MANAGE: 3,
    Permission.FINDINGS_DECIDE: 3,
    Permission.APPROVALS_DECIDE: 3,
    Permission.ACCESS_MANAGE: 2,
}

permissions = st.sampled_from(Permission)
levels = st.sampled_from(Level)
roles = st.dictionaries(st.sampled_from(["r0", "r1", "r2"]), st.dictionaries(permissions, levels, max_size=4)).map(
    lambda found: {name: Role(id=f"rl_{name}", name=name, permissions=held) for name, held in found.items()}
)
grants = st.lists(
    st.builds(Grant, role=st.sampled_from(["r0", "r1", "r2"]), scope=st.sampled_from([GLOBAL, "tm_x", "tm_y"])),
    max_size=4,
)
principals = st.builds(
    lambda held, active, name: Principal(id=name, name="ann", grants=tuple(held), active=active),
    grants,
    st.booleans(),
    st.sampled_from(["us_a", "us_a", "us_a", WORKER]),
)
needs = st.builds(Need, permission=permissions, level=levels)


def expected(who: Principal, need: Need, tenant: str, known: dict[str, Role]) -> Verdict:
    """The rule in the words of the design: first see, then be active, then hold enough in that very place."""
    is_worker = who.id == WORKER
    is_mine = tenant == who.id
    is_member = tenant.startswith("tm_") and any(grant.scope == tenant for grant in who.grants)
    if not (tenant == GLOBAL or is_mine or is_member or is_worker):
        return Verdict.HIDDEN
    if not who.active:
        return Verdict.DENIED
    if is_worker:
        return Verdict.ALLOWED
    counted = [OWN.get(need.permission, 0)] if is_mine else [0]
    for grant in who.grants:
        if grant.role in known and grant.scope == (GLOBAL if is_mine else tenant):
            counted.append(int(known[grant.role].permissions.get(need.permission, 0)))
    return Verdict.ALLOWED if any(level >= int(need.level) for level in counted) else Verdict.DENIED


@given(principals, needs, st.sampled_from(PLACES), roles)
@example(Principal(id="us_a", name="ann"), Need(permission=Permission.ACCESS_MANAGE, level=Level.ADMIN), "us_a", {})
def test_the_decision_is_that_of_the_reference_model(who: Principal, need: Need, tenant: str, known: dict[str, Role]):
    assert decide(who, need, tenant, known) is expected(who, need, tenant, known)


@given(principals, needs, roles)
def test_something_may_be_done_anywhere_exactly_when_it_may_be_done_somewhere(
    who: Principal, need: Need, known: dict[str, Role]
):
    somewhere = any(
        expected(who, need, place, known) is Verdict.ALLOWED
        for place in (GLOBAL, who.id, "tm_x", "tm_y")
        if place in (GLOBAL, who.id) or place in who.teams
    )

    assert may_anywhere(who, need, known) is somewhere


@given(principals, permissions, st.sampled_from(PLACES), roles, grants)
def test_another_grant_never_takes_a_right_away(
    who: Principal, permission: Permission, tenant: str, known: dict[str, Role], more: list[Grant]
):
    richer = Principal(id=who.id, name=who.name, grants=(*who.grants, *more), active=who.active)

    assert level_of(richer, permission, tenant, known) >= level_of(who, permission, tenant, known)


def test_the_built_in_roles_form_a_ladder():
    ladder = list(BUILT_IN_ROLES.values())

    for lower, higher in pairwise(ladder):
        assert all(higher.permissions.get(one, Level.NONE) >= level for one, level in lower.permissions.items())
        assert lower.permissions != higher.permissions


def test_only_who_manages_access_everywhere_has_its_events_among_their_scopes():
    in_team = Principal(id="us_a", name="ann", grants=(Grant(role="admin", scope="tm_x"),))
    everywhere = Principal(id="us_b", name="bo", grants=(Grant(role="admin", scope=GLOBAL),))

    assert in_team.scopes(BUILT_IN_ROLES) == [GLOBAL, "us_a", "tm_x"]
    assert everywhere.scopes(BUILT_IN_ROLES) == [GLOBAL, "us_b", ACCESS]


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(["r0", "r1"]), st.sampled_from([GLOBAL, "tm_x"])), max_size=20)
)
def test_grants_are_a_set_whatever_the_order_they_came_and_went_in(steps: list[tuple[bool, str, str]]):
    state = apply_principal(None, "us_a", PrincipalAdded(name="ann", kind=PrincipalKind.PERSON))
    held = set()

    for gives, role, scope in steps:
        grant = Grant(role=role, scope=scope)
        state = apply_principal(
            state, "us_a", PrincipalGranted(grant=grant) if gives else PrincipalGrantRemoved(grant=grant)
        )
        held = held | {grant} if gives else held - {grant}

    assert set(state.grants) == held
    assert len(state.grants) == len(held)


def test_a_disabled_principal_keeps_its_grants_for_the_day_it_is_enabled():
    added = apply_principal(None, "us_a", PrincipalAdded(name="ann", kind=PrincipalKind.SERVICE, title="Ann"))
    granted = apply_principal(added, "us_a", PrincipalGranted(grant=Grant(role="viewer", scope=GLOBAL)))

    disabled = apply_principal(granted, "us_a", PrincipalDisabled(reason="away"))

    assert not disabled.active
    assert apply_principal(disabled, "us_a", PrincipalEnabled()) == granted


def test_a_role_knows_whether_it_is_built_in_by_its_name():
    told = RoleDefined(name="viewer", permissions={Permission.CODE_USE: Level.READ})
    other = RoleDefined(name="triage", permissions={})

    assert apply_role(None, "rl_viewer", told).built_in
    assert not apply_role(None, "rl_1", other).built_in


def test_a_team_is_what_its_event_says():
    team = apply_team(None, "tm_x", TeamAdded(name="payments", title="Payments"))

    assert (team.id, team.name, team.title) == ("tm_x", "payments", "Payments")
