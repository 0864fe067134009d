"""Who may do what: principals, teams, roles, and the one decision function.

A *tenant* is whom a row belongs to: a person (`us_…`), a team (`tm_…`) or everybody (`GLOBAL`). What you may not see
does not exist for you, so `decide` distinguishes "not there" from "not allowed".
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final

from msgspec.structs import replace

from elohim_kernel.model.value import Value

GLOBAL: Final = "global"
WORKER: Final = "us_worker"  # the process itself: sees all, acts for others, and nobody can act as it
ACCESS: Final = "access"  # scope of events about principals, teams, roles, tokens and settings


class Visibility(StrEnum):
    """Who can see a workflow and everything that hangs on it."""

    PERSONAL = "personal"
    TEAM = "team"
    GLOBAL = "global"


class Permission(StrEnum):
    """What a role can allow. Each is held at a `Level`."""

    CODE_USE = "code.use"
    CODE_EDIT = "code.edit"
    WORKFLOWS_VIEW = "workflows.view"
    WORKFLOWS_RUN = "workflows.run"
    WORKFLOWS_MANAGE = "workflows.manage"
    FINDINGS_DECIDE = "findings.decide"
    APPROVALS_DECIDE = "approvals.decide"
    AGENT_USE = "agent.use"
    SETTINGS_UPDATE = "settings.update"
    AUDIT_READ = "audit.read"
    ACCESS_MANAGE = "access.manage"
    ADMIN_SUPPORT = "admin.support"


class Level(IntEnum):
    """How far a permission goes; a higher level includes the lower ones."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


class Role(Value, frozen=True):
    """A named set of permissions."""

    id: str
    name: str
    permissions: Mapping[Permission, Level]
    built_in: bool = False


class Team(Value, frozen=True):
    """A group of people who share workflows."""

    id: str
    name: str
    title: str = ""


class Grant(Value, frozen=True):
    """A role held in one place: `GLOBAL`, or a team's id (which makes the holder a member)."""

    role: str
    scope: str


class PrincipalKind(StrEnum):
    """What stands behind a name."""

    PERSON = "person"
    SERVICE = "service"


class Principal(Value, frozen=True):
    """Somebody, or a service, that acts. `name` is unique and is what `--as NAME` takes."""

    id: str
    name: str
    kind: PrincipalKind = PrincipalKind.PERSON
    title: str = ""
    grants: tuple[Grant, ...] = ()
    active: bool = True

    @property
    def teams(self) -> tuple[str, ...]:
        """Ids of the teams this principal is a member of."""
        return tuple(dict.fromkeys(grant.scope for grant in self.grants if grant.scope != GLOBAL))

    def sees(self, tenant: str) -> bool:
        """Whether rows of `tenant` exist for this principal at all."""
        return tenant in (GLOBAL, self.id) or tenant in self.teams or self.id == WORKER

    def scopes(self, roles: Mapping[str, Role]) -> list[str]:
        """Scopes that exist for this principal apart from workflows: everybody's, their own, their teams', access."""
        reads_access = decide(self, Need(permission=Permission.ACCESS_MANAGE), GLOBAL, roles) is Verdict.ALLOWED
        return [GLOBAL, self.id, *self.teams, *([ACCESS] if reads_access else [])]

    def roles_in(self, tenant: str) -> tuple[str, ...]:
        """Names of the roles held for rows of `tenant`."""
        return tuple(grant.role for grant in self.grants if grant.scope == tenant)


class Need(Value, frozen=True):
    """What an operation needs: a permission at a level."""

    permission: Permission
    level: Level = Level.READ

    def __str__(self) -> str:
        return f"{self.permission.value} ({self.level.name})"


class Verdict(StrEnum):
    """The answer of `decide`."""

    ALLOWED = "allowed"
    HIDDEN = "hidden"  # answer as if the target did not exist
    DENIED = "denied"


# In their own personal space people do what they like with their own work; rights over code, the agent and settings
# still come from a role.
_OWN: Final = {
    Permission.WORKFLOWS_VIEW: Level.ADMIN,
    Permission.WORKFLOWS_RUN: Level.ADMIN,
    Permission.WORKFLOWS_MANAGE: Level.ADMIN,
    Permission.FINDINGS_DECIDE: Level.ADMIN,
    Permission.APPROVALS_DECIDE: Level.ADMIN,
    Permission.ACCESS_MANAGE: Level.WRITE,  # their own tokens
}


def level_of(principal: Principal, permission: Permission, tenant: str, roles: Mapping[str, Role]) -> Level:
    """The level at which `principal` holds `permission` over rows of `tenant`; `roles` by name."""
    in_own = tenant == principal.id
    best = _OWN.get(permission, Level.NONE) if in_own else Level.NONE
    place = GLOBAL if in_own else tenant
    for grant in principal.grants:
        role = roles.get(grant.role) if grant.scope == place else None
        if role is not None:
            best = max(best, role.permissions.get(permission, Level.NONE))
    return best


def decide(principal: Principal, need: Need, tenant: str, roles: Mapping[str, Role]) -> Verdict:
    """The one decision: may `principal` do something that needs `need` to a row of `tenant`?

    >>> ann = Principal(id="us_a", name="ann", grants=(Grant(role="viewer", scope="tm_x"),))
    >>> roles = {"viewer": BUILT_IN_ROLES["viewer"]}
    >>> view = Need(permission=Permission.WORKFLOWS_VIEW)
    >>> [decide(ann, view, tenant, roles).value for tenant in ("tm_x", "tm_y", "us_a")]
    ['allowed', 'hidden', 'allowed']
    """
    if not principal.sees(tenant):
        return Verdict.HIDDEN
    if not principal.active:
        return Verdict.DENIED
    if principal.id == WORKER:
        return Verdict.ALLOWED
    held = level_of(principal, need.permission, tenant, roles)
    return Verdict.ALLOWED if held >= need.level else Verdict.DENIED


def may_anywhere(principal: Principal, need: Need, roles: Mapping[str, Role]) -> bool:
    """Whether `principal` holds `need` globally, in some team, or in their own space: for listing operations."""
    places = (GLOBAL, principal.id, *principal.teams)
    return any(decide(principal, need, place, roles) is Verdict.ALLOWED for place in places)


def _role(name: str, permissions: Mapping[Permission, Level]) -> Role:
    return Role(id=f"rl_{name}", name=name, permissions=permissions, built_in=True)


_VIEWER: Final = {Permission.WORKFLOWS_VIEW: Level.READ, Permission.CODE_USE: Level.READ}
_ANALYST: Final = {
    **_VIEWER,
    Permission.WORKFLOWS_RUN: Level.WRITE,
    Permission.FINDINGS_DECIDE: Level.WRITE,
    Permission.AGENT_USE: Level.WRITE,
    Permission.CODE_USE: Level.WRITE,
}
_APPROVER: Final = {**_ANALYST, Permission.APPROVALS_DECIDE: Level.WRITE}
_MAINTAINER: Final = {
    **_APPROVER,
    Permission.WORKFLOWS_MANAGE: Level.WRITE,
    Permission.CODE_EDIT: Level.WRITE,
    Permission.AUDIT_READ: Level.READ,
}

BUILT_IN_ROLES: Final[Mapping[str, Role]] = {
    "viewer": _role("viewer", _VIEWER),
    "analyst": _role("analyst", _ANALYST),
    "approver": _role("approver", _APPROVER),
    "maintainer": _role("maintainer", _MAINTAINER),
    "admin": _role("admin", dict.fromkeys(Permission, Level.ADMIN)),
}


class PrincipalAdded(Value, frozen=True, tag="principal.added"):
    """A principal was added."""

    name: str
    kind: PrincipalKind
    title: str = ""


class PrincipalGranted(Value, frozen=True, tag="principal.granted"):
    """A principal was given a role in a place."""

    grant: Grant


class PrincipalGrantRemoved(Value, frozen=True, tag="principal.grant_removed"):
    """A principal lost a role in a place."""

    grant: Grant


class PrincipalDisabled(Value, frozen=True, tag="principal.disabled"):
    """A principal may not act any more; what they did stays."""

    reason: str = ""


class PrincipalEnabled(Value, frozen=True, tag="principal.enabled"):
    """A disabled principal may act again."""


class TeamAdded(Value, frozen=True, tag="team.added"):
    """A team was founded."""

    name: str
    title: str = ""


class RoleDefined(Value, frozen=True, tag="role.defined"):
    """A role was defined, or its permissions were replaced."""

    name: str
    permissions: Mapping[Permission, Level]


def apply_principal(
    state: Principal | None,
    subject: str,
    data: PrincipalAdded | PrincipalGranted | PrincipalGrantRemoved | PrincipalDisabled | PrincipalEnabled,
) -> Principal:
    """Fold one event into a principal."""
    if isinstance(data, PrincipalAdded):
        return Principal(id=subject, name=data.name, kind=data.kind, title=data.title)
    assert state is not None
    match data:
        case PrincipalGranted():
            kept = tuple(grant for grant in state.grants if grant != data.grant)
            return replace(state, grants=(*kept, data.grant))
        case PrincipalGrantRemoved():
            return replace(state, grants=tuple(grant for grant in state.grants if grant != data.grant))
        case PrincipalDisabled():
            return replace(state, active=False)
        case PrincipalEnabled():
            return replace(state, active=True)


def apply_team(state: Team | None, subject: str, data: TeamAdded) -> Team:
    """Fold one event into a team."""
    return Team(id=subject, name=data.name, title=data.title)


def apply_role(state: Role | None, subject: str, data: RoleDefined) -> Role:
    """Fold one event into a role."""
    return Role(id=subject, name=data.name, permissions=data.permissions, built_in=data.name in BUILT_IN_ROLES)
