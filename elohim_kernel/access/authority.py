"""What managing access does not allow: raising oneself, reaching above one's own level, leaving nobody in charge.

The gate has already asked for `access.manage`; these rules depend on whom a command is about and what it hands out.
"""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.errors import Conflict, Denied
from elohim_kernel.model.access import (
    GLOBAL,
    WORKER,
    Level,
    Need,
    Permission,
    Principal,
    Role,
    Verdict,
    decide,
    level_of,
)
from elohim_kernel.store.unit import Reader, Unit

LOOK: Final = Need(permission=Permission.ACCESS_MANAGE)
MANAGE: Final = Need(permission=Permission.ACCESS_MANAGE, level=Level.WRITE)
RULE: Final = Need(permission=Permission.ACCESS_MANAGE, level=Level.ADMIN)


def roles_by_name(reader: Reader) -> dict[str, Role]:
    """Every role, as `decide` wants them."""
    return {role.name: role for role in reader.every(Role)}


def holds_keys(permissions: Mapping[Permission, Level]) -> bool:
    """Whether these permissions reach into managing access."""
    return permissions.get(Permission.ACCESS_MANAGE, Level.NONE) > Level.NONE


def check_rules(unit: Unit, what: str) -> None:
    """Raise `Denied` unless the caller holds `access.manage` as ADMIN; `what` says for what it is needed."""
    if decide(unit.principal, RULE, GLOBAL, roles_by_name(unit)) is not Verdict.ALLOWED:
        raise Denied(f"{unit.principal.name} lacks {RULE}, which {what} needs", hint="ask an administrator")


def check_may_touch(unit: Unit, person: Principal) -> None:
    """Raise `Conflict` for the worker, and `Denied` when `person` manages access and the caller is no administrator."""
    if person.id == WORKER:
        raise Conflict(f"{person.name} is the workbench itself: it acts for others and has no rights to change")
    roles = roles_by_name(unit)
    if any(holds_keys(roles[grant.role].permissions) for grant in person.grants if grant.role in roles):
        check_rules(unit, f"changing {person.name}, who manages access,")


def check_not_raised(unit: Unit, permissions: Mapping[Permission, Level], place: str) -> None:
    """Raise `Denied` when the caller holds less than `permissions`, both everywhere and in `place`."""
    me, roles = unit.principal, roles_by_name(unit)
    for permission, level in permissions.items():
        held = max(level_of(me, permission, where, roles) for where in (GLOBAL, place))
        if level > held:
            raise Denied(
                f"{me.name} holds {permission.value} as {held.name} and may not give themselves {level.name}",
                hint="ask somebody else who manages access",
            )


def check_somebody_rules(unit: Unit) -> None:
    """Raise `Conflict` when, as the unit leaves it, no active principal manages access as ADMIN.

    Called after the change was emitted: a refused command's events are thrown away.
    """
    roles = roles_by_name(unit)
    if not any(
        one.active and level_of(one, Permission.ACCESS_MANAGE, GLOBAL, roles) >= Level.ADMIN
        for one in unit.every(Principal)
    ):
        raise Conflict(
            "after this nobody could manage access any more", hint="give somebody else the role 'admin' first"
        )
