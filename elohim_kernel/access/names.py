"""The names people give to principals, teams and roles, and finding these by them."""

import re
from typing import Final

from elohim_kernel.errors import Invalid, NotFound
from elohim_kernel.model.access import GLOBAL, Principal, Role, Team
from elohim_kernel.store.unit import Reader

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_TITLE_CAP: Final = 200  # characters


def checked_name(name: str, what: str) -> str:
    """The name itself when it may be one; raises `Invalid` saying what a name looks like.

    >>> checked_name("ann.ode", "person")
    'ann.ode'
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name[:80]!r} cannot be the name of a {what}",
            hint="a name is 1 to 63 of a-z, 0-9, dot, underscore and hyphen, and begins with a letter or a digit",
        )
    return name


def checked_title(title: str) -> str:
    """The title without space around it; raises `Invalid` when it is too long or holds control characters."""
    title = title.strip()
    if len(title) > _TITLE_CAP:
        raise Invalid(f"a title of {len(title)} characters is too long", hint=f"{_TITLE_CAP} is the most")
    if not title.isprintable():
        raise Invalid(f"the title {title!r} holds characters that cannot be seen", hint="leave them out")
    return title


def principal_named(reader: Reader, name: str) -> Principal:
    """A principal by id or name, disabled ones too. Raises `NotFound`.

    Ids come first, so that nobody can take another's id for a name and be given what was meant for them.
    """
    found = reader.find(Principal, name) or reader.by_key(Principal, name)
    if found is None:
        raise NotFound(f"nobody here is called {name!r}", hint="see `elohim access user list`")
    return found


def role_named(reader: Reader, name: str) -> Role:
    """A role by name. Raises `Invalid` naming those there are."""
    found = reader.by_key(Role, name)
    if found is None:
        there = ", ".join(sorted(role.name for role in reader.every(Role)))
        raise Invalid(f"there is no role {name!r}", hint=f"there is {there}" if there else "there is none yet")
    return found


def place_named(reader: Reader, team: str) -> str:
    """The scope a role is held in: the team's id, or `GLOBAL` for `""`. Raises `Invalid` naming the teams there are."""
    if not team:
        return GLOBAL
    found = reader.find(Team, team) or reader.by_key(Team, team)
    if found is None:
        there = ", ".join(sorted(one.name for one in reader.every(Team)))
        raise Invalid(f"there is no team {team!r}", hint=f"there is {there}" if there else "there is none yet")
    return found.id


def team_of(reader: Reader, scope: str) -> str:
    """The name of the team whose id `scope` is; `""` for everywhere."""
    team = reader.find(Team, scope) if scope != GLOBAL else None
    return team.name if team else ""
