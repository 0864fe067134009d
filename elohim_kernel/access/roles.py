"""Roles: named sets of permissions. The built-in ones are fixed; others can be defined beside them."""

from collections.abc import Mapping

from elohim_kernel.access.authority import (
    MANAGE,
    check_not_raised,
    check_rules,
    check_somebody_rules,
    holds_keys,
)
from elohim_kernel.access.names import checked_name
from elohim_kernel.access.people import seen_principals
from elohim_kernel.errors import Conflict
from elohim_kernel.model.access import ACCESS, BUILT_IN_ROLES, GLOBAL, Level, Permission, Role, RoleDefined
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.ids import new_id
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, everywhere, on_self
from elohim_kernel.store.unit import Reader, Unit


class DefineRole(Command, frozen=True):
    """Define a role, or put other permissions in place of those it had; whoever holds it gains or loses at once.

    Levels are numbers: 1 READ, 2 WRITE, 3 ADMIN.
    """

    need = MANAGE
    result = Role
    example = {"name": "triage", "permissions": {"workflows.view": 1, "findings.decide": 2}}

    name: str
    permissions: Mapping[Permission, Level]


def define_role(command: DefineRole, unit: Unit) -> Role:
    """Handle `DefineRole`."""
    name = checked_name(command.name, "role")
    if name in BUILT_IN_ROLES:
        raise Conflict(f"the role {name!r} is built in and stays as it is", hint="define one with another name")
    permissions = {one: level for one, level in command.permissions.items() if level > Level.NONE}
    before = unit.by_key(Role, name)
    if holds_keys(permissions) or (before is not None and holds_keys(before.permissions)):
        check_rules(unit, f"defining {name!r}, which manages access,")
    for grant in unit.principal.grants:
        if grant.role == name:
            check_not_raised(unit, permissions, grant.scope)
    subject = before.id if before else new_id("rl")
    unit.emit(RoleDefined(name=name, permissions=permissions), subject=subject, scope=ACCESS)
    check_somebody_rules(unit)
    return unit.get(Role, subject)


class ListRoles(Query, frozen=True):
    """The roles there are: all for those who manage access; for others the built-in ones and those held around them."""

    result = tuple[Role, ...]
    example = {}


def list_roles(query: ListRoles, reader: Reader) -> tuple[Role, ...]:
    """Answer `ListRoles`: built-in ones from the least to the most, then by name."""
    order = {name: place for place, name in enumerate(BUILT_IN_ROLES)}
    places = {GLOBAL, *reader.principal.teams}
    around = {grant.role for one in seen_principals(reader) for grant in one.grants if grant.scope in places}
    seen = [role for role in reader.every(Role) if role.built_in or role.name in around or ACCESS in reader.scopes()]
    return tuple(sorted(seen, key=lambda role: (order.get(role.name, len(order)), role.name)))


COMMANDS = (CommandEntry(DefineRole, define_role, everywhere),)

QUERIES = (QueryEntry(ListRoles, list_roles, on_self),)
