"""`elohim access`: people, teams, roles and tokens."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import typer

from elohim_kernel.errors import Invalid
from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import pairs, table, when, width
from elohim_kernel.surfaces.cli.output import painted
from elohim_kernel.surfaces.text import text

app = noun("People, teams, roles and tokens.")
users = noun("People and services.")
teams = noun("Teams.")
roles = noun("Roles: named sets of permissions.")
tokens = noun("Bearer tokens.")
for name, group in (("user", users), ("team", teams), ("role", roles), ("token", tokens)):
    app.add_typer(group, name=name)

Name = Annotated[str, typer.Argument(metavar="NAME")]
Title = Annotated[str, typer.Option(help="What people call it.")]
In = Annotated[str, typer.Option("--team", help="In this team; else everywhere.")]
Note = Annotated[str, typer.Option("--note", "--reason", "-m", help="Why, in your words.")]

LEVELS: Final = {"none": 0, "read": 1, "write": 2, "admin": 3}
_FEW: Final = 5
_LEVEL_NAMES: Final = {number: name for name, number in LEVELS.items()}


@command(users, "whoami")
@command(app, "whoami")
def whoami(call: Call) -> None:
    """Show who you are here, and what you may do where."""
    found = call.ask("who_am_i")
    call.show(found, lambda: _me(found))


def _me(found: dict[str, Any]) -> Iterator[str]:
    yield from pairs(
        [("name", found["name"]), ("title", found["title"]), ("roles", _grants(found)), ("teams", found["teams"])]
    )
    for right in found["rights"]:
        place = f"team {right['team']}" if right["team"] else right["place"]
        yield text(f"{place}: {_permissions(right['permissions']) or 'nothing'}")


@command(users, "list")
def list_users(call: Call) -> None:
    """List who is here."""
    found = call.ask("list_principals")
    head = ("name", "kind", "active", "roles", "title")
    rows = [(one["name"], one["kind"], one["active"], _grants(one), one["title"]) for one in found]
    call.show(found, lambda: table(head, rows, room=width()))


@command(users, "add")
def add_user(
    call: Call,
    name: Name,
    title: Title = "",
    kind: Annotated[Literal["person", "service"], typer.Option(help="A person, or a program.")] = "person",
) -> None:
    """Add somebody; they hold no role until one is granted."""
    found = call.do("add_principal", name=name, title=title, kind=kind)
    call.show(found, lambda: [text(f"{name} is added; next: elohim access user grant {name} ROLE")])


@command(users, "grant")
def grant(call: Call, name: Name, role: Annotated[str, typer.Argument(metavar="ROLE")], team: In = "") -> None:
    """Give somebody a role, everywhere or in one team."""
    found = call.do("grant_role", principal=name, role=role, team=team)
    call.show(found, lambda: [text(f"{found['name']} holds {_grants(found)}")])


@command(users, "revoke")
def revoke(call: Call, name: Name, role: Annotated[str, typer.Argument(metavar="ROLE")], team: In = "") -> None:
    """Take a role from somebody, where it was given."""
    found = call.do("revoke_role", principal=name, role=role, team=team)
    call.show(found, lambda: [text(f"{found['name']} holds {_grants(found) or 'no role'}")])


@command(users, "disable")
def disable(call: Call, name: Name, note: Note) -> None:
    """Let somebody act no more; what they did stays."""
    found = call.do("disable_principal", principal=name, reason=note)
    call.show(found, lambda: [text(f"{found['name']} is disabled")])


@command(users, "enable")
def enable(call: Call, name: Name) -> None:
    """Let a disabled person act again."""
    found = call.do("enable_principal", principal=name)
    call.show(found, lambda: [text(f"{found['name']} may act again")])


@command(teams, "list")
def list_teams(call: Call) -> None:
    """List the teams there are."""
    found = call.ask("list_teams")
    rows = [(one["name"], one["title"], one["members"]) for one in found]
    call.show(found, lambda: list(table(("team", "title", "members"), rows, room=width())) or ["no teams yet"])


@command(teams, "add")
def add_team(call: Call, name: Name, title: Title = "") -> None:
    """Found a team; grant roles in it to make people members."""
    found = call.do("add_team", name=name, title=title)
    call.show(found, lambda: [text(f"{name} is founded; next: elohim access user grant NAME ROLE --team {name}")])


@command(roles, "list")
def list_roles(call: Call) -> None:
    """List the roles and what each may do."""
    found = call.ask("list_roles")
    rows = [
        (one["name"], "the package" if one["built_in"] else "people here", _permissions(one["permissions"]))
        for one in found
    ]
    call.show(found, lambda: table(("role", "from", "permissions"), rows, room=width()))


@command(roles, "define")
def define_role(
    call: Call,
    name: Name,
    permissions: Annotated[list[str], typer.Argument(metavar="PERMISSION=LEVEL...", help="findings.decide=write …")],
) -> None:
    """Define a role, or put other permissions in place of those it had. Levels: read, write, admin."""
    found = call.do("define_role", name=name, permissions=dict(map(_level, permissions)))
    call.show(found, lambda: [text(f"role {found['name']} is defined")])


def _level(word: str) -> tuple[str, int]:
    what, _, level = word.partition("=")
    if level not in LEVELS:
        raise Invalid(f"{word!r} is not PERMISSION=LEVEL", hint=f"levels are {', '.join(LEVELS)}")
    return what, LEVELS[level]


Label = Annotated[str, typer.Option("--label", "--note", help="Where it will be used.")]


@command(tokens, "create")
def create_token(
    call: Call,
    label: Label,
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Whom it stands for; else you.")] = "",
    days: Annotated[int, typer.Option(help="How long it works; 0: until revoked.")] = 90,
) -> None:
    """Make a token. Its secret is made here, shown once, and kept nowhere."""
    from elohim_kernel.model.token import digest_of, new_secret

    secret = new_secret()
    found = call.do("create_token", digest=digest_of(secret), label=label, principal=user, days=days)
    ends = f"until {when(found['expires_at'])}" if found["expires_at"] else "until it is revoked"
    call.show(
        {**found, "secret": secret},
        lambda: [painted(secret, "strong"), text(f"acts as {found['principal']} {ends}; it is not shown again")],
    )


@command(tokens, "list")
def list_tokens(
    call: Call,
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Whose; `*` for everybody's; else yours.")] = "",
) -> None:
    """List tokens, without their secrets."""
    found = call.ask("list_tokens", principal=user)
    head = ("token", "label", "acts as", "state", "until", "run")
    rows = [
        (one["id"], one["label"], one["principal"], one["state"], when(one["expires_at"]), one["run"]) for one in found
    ]
    call.show(found, lambda: list(table(head, rows, room=width())) or ["no tokens"])


@command(tokens, "revoke")
def revoke_token(
    call: Call, token: Annotated[str, typer.Argument(metavar="TOKEN", help="Id or label.")], note: Note = ""
) -> None:
    """Make a token useless, at once and for good."""
    found = call.do("revoke_token", token=token, reason=note)
    call.show(found, lambda: [text(f"token {found['label']} is revoked")])


def _permissions(held: dict[str, int]) -> str:
    """Permissions by level, the highest first; one word when all are held alike.

    >>> _permissions({"code.use": 2, "audit.read": 1})
    'write: code.use; read: audit.read'
    """
    by_level = {level: [what for what, holds in held.items() if holds == level] for level in (3, 2, 1)}
    if len(by_level[3]) == len(held) > _FEW:
        return "admin of everything"
    return "; ".join(f"{_LEVEL_NAMES[level]}: {', '.join(what)}" for level, what in by_level.items() if what)


def _grants(person: dict[str, Any]) -> str:
    return ", ".join(f"{one['role']} in {one['team']}" if one["team"] else one["role"] for one in person["grants"])
