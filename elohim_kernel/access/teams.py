"""Teams: groups of people who share workflows. Who holds a role in a team is a member of it."""

from elohim_kernel.access.authority import MANAGE
from elohim_kernel.access.names import checked_name, checked_title
from elohim_kernel.errors import Conflict
from elohim_kernel.model.access import ACCESS, Principal, Team, TeamAdded
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.value import Value
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, everywhere, on_self
from elohim_kernel.store.unit import Reader, Unit


class Membership(Value, frozen=True):
    """A team as shown to people."""

    id: str
    name: str
    title: str
    members: tuple[str, ...]  # names, of active principals


class AddTeam(Command, frozen=True):
    """Found a team. Grant roles in it to make people members."""

    need = MANAGE
    result = Membership
    example = {"name": "payments", "title": "Payments"}

    name: str
    title: str = ""


def add_team(command: AddTeam, unit: Unit) -> Membership:
    """Handle `AddTeam`."""
    name = checked_name(command.name, "team")
    if unit.by_key(Team, name) is not None:
        raise Conflict(f"there is a team {name!r} already", hint="take another name")
    subject = new_id("tm")
    unit.emit(TeamAdded(name=name, title=checked_title(command.title)), subject=subject, scope=ACCESS)
    return _membership(unit, unit.get(Team, subject))


class ListTeams(Query, frozen=True):
    """The teams there are: all for those who manage access, one's own for others."""

    result = tuple[Membership, ...]
    example = {}


def list_teams(query: ListTeams, reader: Reader) -> tuple[Membership, ...]:
    """Answer `ListTeams`, by name."""
    all_seen = ACCESS in reader.scopes()
    seen = [team for team in reader.every(Team) if all_seen or team.id in reader.principal.teams]
    return tuple(_membership(reader, team) for team in sorted(seen, key=lambda team: team.name))


def _membership(reader: Reader, team: Team) -> Membership:
    members = sorted(one.name for one in reader.every(Principal) if one.active and team.id in one.teams)
    return Membership(id=team.id, name=team.name, title=team.title, members=tuple(members))


COMMANDS = (CommandEntry(AddTeam, add_team, everywhere),)

QUERIES = (QueryEntry(ListTeams, list_teams, on_self),)
