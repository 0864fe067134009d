"""Principals: people and services that act, the roles they hold, and the first ones of a new store."""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.access.authority import (
    MANAGE,
    check_may_touch,
    check_not_raised,
    check_rules,
    check_somebody_rules,
    holds_keys,
    roles_by_name,
)
from elohim_kernel.access.names import (
    checked_name,
    checked_title,
    place_named,
    principal_named,
    role_named,
    team_of,
)
from elohim_kernel.errors import Conflict, Invalid
from elohim_kernel.model.access import (
    ACCESS,
    BUILT_IN_ROLES,
    GLOBAL,
    WORKER,
    Grant,
    Level,
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
    Team,
    Visibility,
    level_of,
)
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.record import StoreCreated
from elohim_kernel.model.value import Value
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, everywhere, on_self
from elohim_kernel.store.unit import Reader, Unit
from elohim_kernel.version import __version__

_FIRST_ROLE: Final = "admin"
_WORKER_NAME: Final = "worker"


class Held(Value, frozen=True):
    """A role somebody holds."""

    role: str
    team: str = ""  # the team's name; "": everywhere


class Person(Value, frozen=True):
    """A principal as shown to people."""

    id: str
    name: str
    kind: PrincipalKind
    title: str
    active: bool
    grants: tuple[Held, ...]


class Rights(Value, frozen=True):
    """What somebody may do in one place."""

    place: Visibility  # personal: their own space
    team: str  # the team's name; "" elsewhere
    permissions: Mapping[Permission, Level]  # those held at all


class Me(Value, frozen=True):
    """Who is asking, and what they may do where."""

    id: str
    name: str
    kind: PrincipalKind
    title: str
    teams: tuple[str, ...]
    grants: tuple[Held, ...]
    rights: tuple[Rights, ...]


def _person(reader: Reader, one: Principal) -> Person:
    shown = _seen_places(reader)
    return Person(
        id=one.id,
        name=one.name,
        kind=one.kind,
        title=one.title,
        active=one.active,
        grants=tuple(
            Held(role=grant.role, team=team_of(reader, grant.scope))
            for grant in one.grants
            if shown is None or grant.scope in shown
        ),
    )


def _seen_places(reader: Reader) -> set[str] | None:
    """Places whose grants the caller may know of; `None`: all."""
    return None if ACCESS in reader.scopes() else {GLOBAL, *reader.principal.teams}


class AddPrincipal(Command, frozen=True):
    """Add a person or a service. They hold no role until one is granted."""

    need = MANAGE
    result = Person
    example = {"name": "ann", "title": "Ann Ode"}

    name: str
    kind: PrincipalKind = PrincipalKind.PERSON
    title: str = ""


def add_principal(command: AddPrincipal, unit: Unit) -> Person:
    """Handle `AddPrincipal`."""
    name = checked_name(command.name, command.kind.value)
    if unit.by_key(Principal, name) is not None:
        raise Conflict(f"somebody is called {name!r} already", hint="take another name")
    added = PrincipalAdded(name=name, kind=command.kind, title=checked_title(command.title))
    subject = new_id("us")
    unit.emit(added, subject=subject, scope=ACCESS)
    return _person(unit, unit.get(Principal, subject))


class GrantRole(Command, frozen=True):
    """Give somebody a role: everywhere, or in one team, which makes them a member of it."""

    need = MANAGE
    result = Person
    example = {"principal": "ann", "role": "approver", "team": "payments"}

    principal: str
    role: str
    team: str = ""  # "": everywhere


def grant_role(command: GrantRole, unit: Unit) -> Person:
    """Handle `GrantRole`."""
    who, role = principal_named(unit, command.principal), role_named(unit, command.role)
    place = place_named(unit, command.team)
    grant = Grant(role=role.name, scope=place)
    check_may_touch(unit, who)
    if holds_keys(role.permissions):
        check_rules(unit, f"granting {role.name!r}, which manages access,")
    if who.id == unit.principal.id:
        check_not_raised(unit, role.permissions, place)
    if grant in who.grants:
        raise Conflict(f"{who.name} holds {_held(unit, grant)} already")
    unit.emit(PrincipalGranted(grant=grant), subject=who.id, scope=ACCESS)
    return _person(unit, unit.get(Principal, who.id))


class RevokeRole(Command, frozen=True):
    """Take a role from somebody, where it was given."""

    need = MANAGE
    result = Person
    example = {"principal": "ann", "role": "approver", "team": "payments"}

    principal: str
    role: str
    team: str = ""  # "": the one held everywhere


def revoke_role(command: RevokeRole, unit: Unit) -> Person:
    """Handle `RevokeRole`."""
    who, role = principal_named(unit, command.principal), role_named(unit, command.role)
    grant = Grant(role=role.name, scope=place_named(unit, command.team))
    check_may_touch(unit, who)
    if grant not in who.grants:
        held = ", ".join(_held(unit, one) for one in who.grants)
        raise Conflict(f"{who.name} does not hold {_held(unit, grant)}", hint=f"they hold {held or 'none'}")
    unit.emit(PrincipalGrantRemoved(grant=grant), subject=who.id, scope=ACCESS)
    check_somebody_rules(unit)
    return _person(unit, unit.get(Principal, who.id))


def _held(reader: Reader, grant: Grant) -> str:
    where = "everywhere" if grant.scope == GLOBAL else f"in {team_of(reader, grant.scope)}"
    return f"{grant.role!r} {where}"


class DisablePrincipal(Command, frozen=True):
    """Let somebody act no more: not by name, not by token. What they did stays."""

    need = MANAGE
    result = Person
    example = {"principal": "ann", "reason": "left the company"}

    principal: str
    reason: str


def disable_principal(command: DisablePrincipal, unit: Unit) -> Person:
    """Handle `DisablePrincipal`."""
    who = principal_named(unit, command.principal)
    check_may_touch(unit, who)
    if not who.active:
        raise Conflict(f"{who.name} is disabled already")
    unit.emit(PrincipalDisabled(reason=command.reason), subject=who.id, scope=ACCESS)
    check_somebody_rules(unit)
    return _person(unit, unit.get(Principal, who.id))


class EnablePrincipal(Command, frozen=True):
    """Let a disabled principal act again, with the roles and tokens they had."""

    need = MANAGE
    result = Person
    example = {"principal": "ann"}

    principal: str


def enable_principal(command: EnablePrincipal, unit: Unit) -> Person:
    """Handle `EnablePrincipal`."""
    who = principal_named(unit, command.principal)
    check_may_touch(unit, who)
    if who.active:
        raise Conflict(f"{who.name} is not disabled")
    unit.emit(PrincipalEnabled(), subject=who.id, scope=ACCESS)
    return _person(unit, unit.get(Principal, who.id))


class ListPrincipals(Query, frozen=True):
    """Who is here: everybody for those who manage access; for others themselves and those who share a team."""

    result = tuple[Person, ...]
    example = {}


def list_principals(query: ListPrincipals, reader: Reader) -> tuple[Person, ...]:
    """Answer `ListPrincipals`, by name."""
    return tuple(_person(reader, one) for one in sorted(seen_principals(reader), key=lambda one: one.name))


def seen_principals(reader: Reader) -> list[Principal]:
    """The principals that exist for the caller."""
    me, teams = reader.principal, set(reader.principal.teams)
    everybody = reader.every(Principal)
    if ACCESS in reader.scopes():
        return everybody
    return [one for one in everybody if one.id == me.id or teams & set(one.teams)]


class WhoAmI(Query, frozen=True):
    """Who is asking, which roles they hold, and what they may do where."""

    result = Me
    example = {}


def who_am_i(query: WhoAmI, reader: Reader) -> Me:
    """Answer `WhoAmI`."""
    me = reader.principal
    teams = sorted((team for team in (reader.find(Team, one) for one in me.teams) if team), key=lambda team: team.name)
    places = [
        (GLOBAL, Visibility.GLOBAL, ""),
        *((team.id, Visibility.TEAM, team.name) for team in teams),
        (me.id, Visibility.PERSONAL, ""),
    ]
    return Me(
        id=me.id,
        name=me.name,
        kind=me.kind,
        title=me.title,
        teams=tuple(team.name for team in teams),
        grants=_person(reader, me).grants,
        rights=tuple(
            Rights(place=place, team=name, permissions=_permissions(reader, tenant)) for tenant, place, name in places
        ),
    )


def _permissions(reader: Reader, tenant: str) -> dict[Permission, Level]:
    roles = roles_by_name(reader)
    levels = {one: level_of(reader.principal, one, tenant, roles) for one in Permission}
    return {one: level for one, level in levels.items() if level > Level.NONE}


def bootstrap(unit: Unit, name: str, title: str) -> None:
    """Make a new store somebody's: its id, the built-in roles, its first administrator `name`, and the worker.

    Where somebody is at home already, only bring the built-in roles to what this version means by them. Raises
    `Invalid` for a name that cannot be one.
    """
    if any(one.id != WORKER for one in unit.every(Principal)):
        _define_built_in_roles(unit)
        return
    if name == _WORKER_NAME:
        raise Invalid(f"{name!r} is the workbench's own name", hint="choose another for the first person")
    unit.emit(StoreCreated(store=new_id("st"), version=__version__), subject="store", scope=ACCESS)
    _define_built_in_roles(unit)
    first = new_id("us")
    unit.emit(
        PrincipalAdded(name=checked_name(name, "person"), kind=PrincipalKind.PERSON, title=checked_title(title)),
        subject=first,
        scope=ACCESS,
    )
    unit.emit(PrincipalGranted(grant=Grant(role=_FIRST_ROLE, scope=GLOBAL)), subject=first, scope=ACCESS)
    unit.emit(
        PrincipalAdded(name=_WORKER_NAME, kind=PrincipalKind.SERVICE, title="does automated work for others"),
        subject=WORKER,
        scope=ACCESS,
    )


def _define_built_in_roles(unit: Unit) -> None:
    for name, role in BUILT_IN_ROLES.items():
        known = unit.by_key(Role, name)
        if known is None or known.permissions != role.permissions:
            subject = known.id if known else role.id
            unit.emit(RoleDefined(name=name, permissions=role.permissions), subject=subject, scope=ACCESS)


COMMANDS = (
    CommandEntry(AddPrincipal, add_principal, everywhere),
    CommandEntry(GrantRole, grant_role, everywhere),
    CommandEntry(RevokeRole, revoke_role, everywhere),
    CommandEntry(DisablePrincipal, disable_principal, everywhere),
    CommandEntry(EnablePrincipal, enable_principal, everywhere),
)

QUERIES = (
    QueryEntry(ListPrincipals, list_principals, on_self),
    QueryEntry(WhoAmI, who_am_i, on_self),
)
