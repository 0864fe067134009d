"""Every operation × every built-in role × every visibility: allowed, denied, or as if it were not there.

An operation without a row in these tables fails: whoever adds one says here who may do it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import pytest

from elohim_kernel import registry
from elohim_kernel.access.people import DisablePrincipal, GrantRole
from elohim_kernel.access.tokens import CreateToken
from elohim_kernel.errors import Denied, KernelError, NotFound
from elohim_kernel.findings.decisions import DecideFindings
from elohim_kernel.findings.enrichment import RecordTestProposal
from elohim_kernel.findings.listing import FindingFilter
from elohim_kernel.findings.recording import RecordFindings, finding_rows
from elohim_kernel.gate import authorise
from elohim_kernel.model.access import BUILT_IN_ROLES
from elohim_kernel.model.decision import Outcome
from elohim_kernel.model.enrichment import Enrichment
from elohim_kernel.model.finding import Finding, Severity
from elohim_kernel.model.token import digest_of
from elohim_kernel.model.value import convert
from elohim_kernel.store.catalogue import CommandEntry
from elohim_kernel.store.store import Caller
from elohim_kernel.store.unit import Unit
from elohim_kernel.workflows.definitions import CreateWorkflow
from elohim_kernel.workflows.runs import ClaimDelivery, RecordStep
from elohim_kernel.workflows.templates import SaveTemplate
from elohim_kernel.workflows.work_items import OpenWorkItem

# The least role, held where the target is, that may do it there. In their own space everybody may.
IN_PLACE = {
    name: role
    for role, names in {
        "viewer": (
            "get_approval", "get_workflow", "diff_workflow", "get_item", "get_step", "get_run", "known_findings",
            "remember_findings", "get_finding", "explain_finding", "get_ratchet", "get_test_proposal",
        ),
        "analyst": (
            "open_work_item", "claim_item", "release_item", "reassign_item", "complete_stage", "send_back",
            "cancel_item", "retry_stage", "pause_sla", "resume_sla", "comment_item", "change_item", "tag_item",
            "link_item", "unlink_item", "attach_file", "bulk_items", "extend_lease", "record_step", "finish_stage",
            "fail_stage", "fire_schedule", "skip_slot", "start_playbook", "end_run", "cancel_run", "record_findings",
            "decide_findings", "confirm_decision", "refuse_decision", "undo_decision", "set_ratchet",
            "record_test_proposal",
        ),
        "approver": ("approve", "reject"),
        "maintainer": ("revise_workflow", "share_workflow", "archive_workflow"),
    }.items()
    for name in names
}  # fmt: skip

# What is made in a place needs the role there; the place is named by the operation itself.
MADE_IN_PLACE = {"create_workflow": "maintainer", "save_template": "maintainer"}

# The least role, held everywhere, that may do it.
EVERYWHERE = {
    "add_principal": "admin",
    "grant_role": "admin",
    "revoke_role": "admin",
    "disable_principal": "admin",
    "enable_principal": "admin",
    "add_team": "admin",
    "define_role": "admin",
    "create_token": "admin",
    "revoke_token": "admin",
    "list_tokens": "admin",
    "record_export": "admin",
    "trail_head": "maintainer",
    "verify_trail": "maintainer",
    "export_trail": "admin",
}

# Everybody may, about their own or about what they see; other tests hold what they answer to the caller's scopes.
ANYBODY = {
    "read_inbox", "claim_delivery", "expire_approvals", "list_approvals", "list_workflows", "list_templates",
    "list_items", "list_runs", "list_events", "get_inbox", "list_principals", "list_teams", "list_roles", "who_am_i",
    "count_everything", "due_schedules", "list_findings", "finding_stats", "export_findings", "list_decisions",
    "expire_decisions", "list_test_proposals",
}  # fmt: skip

# Everybody may who sees the place.
SEEN = {"show_event", "get_template", "instantiate_template"}

# Fields that an operation's example lacks, or that would make it fail for another reason than the caller's rights.
FIELDS: dict[str, dict[str, Any]] = {
    "create_token": {"principal": "ann", "label": "other"},
    "list_tokens": {"principal": "ann"},
    "list_approvals": {"item": ""},
    "list_runs": {"item": ""},
    "list_events": {"item": ""},
    "share_workflow": {"visibility": "personal", "team": ""},
    "instantiate_template": {"visibility": "personal", "team": ""},
    "get_step": {"step": "scan"},
    "diff_workflow": {"before": 1, "after": 1},
    "decide_findings": {"where": {"rule": "R1"}},
    "list_test_proposals": {"workflow": ""},
}

FINDING = Finding(
    rule="R1", severity=Severity.LOW, message="m", path="a.py", line=1, tool="lint", fingerprint="v1:a", context="c"
)
ENRICHMENT = Enrichment(repository="/src", base="1", head="2")
LADDER = list(BUILT_IN_ROLES)
DEFINITIONS = (
    {"name": "Look", "stages": [{"key": "look", "name": "Look"}]},
    {"name": "Scan", "stages": [{"key": "scan", "name": "Scan", "type": "STATIC_ANALYSIS"}]},
    {"name": "Ask", "stages": [{"key": "ask", "name": "Ask", "type": "APPROVAL"}]},
)


class Answer(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    HIDDEN = "hidden"


class Enough(KernelError):
    """The operation would have been done."""


class DryRun:
    """A command that is decided and handled as at the gate, and then taken back."""

    def __init__(self, entry: CommandEntry, command: Any, principal: str) -> None:
        self.caller = Caller(principal=principal)
        self._entry = entry
        self._command = command

    def run(self, unit: Unit) -> object:
        authorise(unit, self._command.need, self._entry.target(unit, self._command))
        self._entry.handle(self._command, unit)
        raise Enough("enough")

    def refuse(self, unit: Unit, error: KernelError) -> None: ...

    def recall(self, result: str) -> None: ...


class Place:
    """One tenant with something of everything in it, made by somebody who may."""

    def __init__(self, maker: Any, visibility: str, team: str = "") -> None:
        self._there = {"visibility": visibility, "team": team}
        look, scan, ask = (
            maker.do(convert({"definition": one, **self._there}, CreateWorkflow)).id for one in DEFINITIONS
        )
        item = maker.do(OpenWorkItem(workflow=look, title="x")).id
        opened = maker.gate.store.last_seq
        claimed = maker.do(ClaimDelivery(worker="w", item=maker.do(OpenWorkItem(workflow=scan, title="x")).id))
        maker.do(RecordStep(run=claimed.run, step="scan", inputs="i", output="{}", seconds=0.0))
        self.things = {
            "workflow": look,
            "item": item,
            "event": str(opened),
            "delivery": claimed.delivery,
            "run": claimed.run,
            "approval": maker.do(OpenWorkItem(workflow=ask, title="x")).approval,
            "template": maker.do(convert({"definition": DEFINITIONS[0], **self._there}, SaveTemplate)),
            **self._judged(maker, look),
        }

    def _judged(self, maker: Any, flow: str) -> dict[str, str]:
        """A finding, a decision about it, and a proposal of tests."""
        rows = finding_rows([FINDING])
        recorded = {"workflow": flow, "repository": "/src", "tool": "lint", "status": "findings", "reason": ""}
        maker.do(convert({**recorded, "rows": rows}, RecordFindings))
        decided = maker.do(
            DecideFindings(
                workflow=flow, where=FindingFilter(rule="R1"), outcome=Outcome.ACCEPTED, reason="accepted risk"
            )
        )
        proposal = maker.do(RecordTestProposal(workflow=flow, enrichment=ENRICHMENT))
        return {"finding": decided.lines[0].id, "decision": decided.undo, "proposal": proposal}

    def operation(self, name: str, kind: type[Any], things: Mapping[str, str] | None = None) -> Any:
        """The operation on what is here, or on `things`."""
        here = {key: value for key, value in (things or self.things).items() if key in kind.example}
        made = self._there if name in MADE_IN_PLACE else {}
        return convert({**kind.example, **here, **made, **FIELDS.get(name, {})}, kind)


class World:
    """Places of every visibility; for each role, somebody who holds it everywhere and somebody who does in a team."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        for team in ("payments", "search"):
            bench.team(team)
        bench.root.do(GrantRole(principal="root", role="admin", team="payments"))
        bench.add("ann", "approver", "payments")
        bench.root.do(CreateToken(principal="ann", label="laptop", digest=digest_of("x")))
        self.everywhere = {role: bench.add(f"{role}-e", role).id for role in LADDER}
        self.in_team = {role: bench.add(f"{role}-t", role, "payments").id for role in LADDER}
        self.public = Place(bench.root, "global")
        self.team = Place(bench.root, "team", "payments")
        self.foreign = Place(bench.add("pia"), "personal")
        self.gone = bench.add("gone", "admin").id
        bench.root.do(DisablePrincipal(principal="gone", reason="left"))
        self.own = {name: Place(bench.acting(name), "personal") for name in ("viewer-e", "viewer-t", "admin-t")}

    def outcome(self, name: str, place: Place, principal: str) -> Answer:
        """What happens when the principal does the operation there; nothing is changed by it."""
        known = registry.catalogue()
        if name in known.commands:
            entry = known.commands[name]
            work = DryRun(entry, place.operation(name, entry.command), principal)
            return outcome_of(lambda: self.bench.store.do(work))
        query = place.operation(name, known.queries[name].query)
        return outcome_of(lambda: self.bench.gate.ask(query, principal))


def outcome_of(act: Callable[[], object]) -> Answer:
    try:
        act()
    except NotFound:
        return Answer.HIDDEN
    except Denied:
        return Answer.DENIED
    except KernelError:
        return Answer.ALLOWED
    return Answer.ALLOWED


def at_least(role: str, least: str) -> Answer:
    return Answer.ALLOWED if LADDER.index(role) >= LADDER.index(least) else Answer.DENIED


@pytest.fixture(scope="module")
def world(bench_factory: Callable[[], Any]) -> Iterator[World]:
    bench = bench_factory()
    yield World(bench)
    bench.store.close()


def test_every_operation_has_exactly_one_row():
    rows = [*IN_PLACE, *MADE_IN_PLACE, *EVERYWHERE, *ANYBODY, *SEEN]
    known = registry.catalogue()

    assert sorted(rows) == sorted([*known.commands, *known.queries])


@pytest.mark.parametrize("role", LADDER)
@pytest.mark.parametrize("name", IN_PLACE)
def test_an_operation_on_something_takes_a_role_where_that_is(world: World, name: str, role: str):
    everywhere, in_team = world.everywhere[role], world.in_team[role]
    expected = at_least(role, IN_PLACE[name])

    assert world.outcome(name, world.public, everywhere) is expected
    assert world.outcome(name, world.team, in_team) is expected
    assert world.outcome(name, world.public, in_team) is Answer.DENIED
    assert world.outcome(name, world.team, everywhere) is Answer.HIDDEN
    assert world.outcome(name, world.foreign, everywhere) is Answer.HIDDEN
    assert world.outcome(name, world.foreign, in_team) is Answer.HIDDEN


# They asked for the approval and the decision themselves there: four eyes stop them, not a missing role.
ANSWERS = {"approve", "reject", "confirm_decision", "refuse_decision"}


@pytest.mark.parametrize("name", sorted({*IN_PLACE, *MADE_IN_PLACE} - ANSWERS))
def test_in_their_own_space_everybody_may(world: World, name: str):
    found = {who: world.outcome(name, place, world.bench.acting(who).id) for who, place in world.own.items()}

    assert found == dict.fromkeys(world.own, Answer.ALLOWED)


@pytest.mark.parametrize("role", LADDER)
@pytest.mark.parametrize("name", MADE_IN_PLACE)
def test_making_something_takes_a_role_in_the_place_it_is_made_for(world: World, name: str, role: str):
    expected = at_least(role, MADE_IN_PLACE[name])

    assert world.outcome(name, world.public, world.everywhere[role]) is expected
    assert world.outcome(name, world.team, world.in_team[role]) is expected
    assert world.outcome(name, world.public, world.in_team[role]) is Answer.DENIED


@pytest.mark.parametrize("role", LADDER)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_an_operation_on_everything_takes_a_role_held_everywhere(world: World, name: str, role: str):
    held_everywhere = world.outcome(name, world.public, world.everywhere[role])
    held_in_team = world.outcome(name, world.public, world.in_team[role])
    # Another's token is not there for who does not manage access: see test_tokens.
    refused = Answer.HIDDEN if name == "revoke_token" else Answer.DENIED

    assert held_everywhere is (Answer.ALLOWED if LADDER.index(role) >= LADDER.index(EVERYWHERE[name]) else refused)
    assert held_in_team is refused


@pytest.mark.parametrize("name", sorted(ANYBODY))
def test_what_anybody_may_do_needs_no_role_at_all(world: World, name: str):
    people = [*world.everywhere.values(), *world.in_team.values(), world.bench.acting("pia").id]

    assert {world.outcome(name, world.foreign, who) for who in people} == {Answer.ALLOWED}


@pytest.mark.parametrize("role", LADDER)
@pytest.mark.parametrize("name", sorted(SEEN))
def test_what_anybody_may_look_at_must_be_there_for_them(world: World, name: str, role: str):
    everywhere, in_team = world.everywhere[role], world.in_team[role]

    assert world.outcome(name, world.public, in_team) is Answer.ALLOWED
    assert world.outcome(name, world.team, in_team) is Answer.ALLOWED
    assert world.outcome(name, world.team, everywhere) is Answer.HIDDEN
    assert world.outcome(name, world.foreign, everywhere) is Answer.HIDDEN


@pytest.mark.parametrize("name", sorted(registry.commands()))
def test_who_is_disabled_may_do_nothing(world: World, name: str):
    found = world.outcome(name, world.public, world.gone)

    assert found in (Answer.DENIED, Answer.HIDDEN)


@pytest.mark.parametrize("name", sorted(IN_PLACE))
def test_what_is_hidden_and_what_never_was_are_told_alike(world: World, name: str):
    known = registry.catalogue()
    entry: Any = known.commands.get(name) or known.queries[name]
    reader = world.bench.store.reader(world.everywhere["admin"])
    told = []
    for things in (world.foreign.things, {key: f"{value}0" for key, value in world.foreign.things.items()}):
        operation = world.foreign.operation(name, entry[0], things)
        with pytest.raises(NotFound) as refused:
            authorise(reader, operation.need, entry.target(reader, operation))
        told.append(re.sub("|".join(sorted(things.values(), key=len, reverse=True)), "…", str(refused.value)))

    assert told[0] == told[1]


@pytest.mark.parametrize("role", LADDER)
def test_nobody_takes_up_automated_work_where_they_may_not_run(bench: Any, role: str):
    bench.team("payments")
    bench.root.do(GrantRole(principal="root", role="admin", team="payments"))
    member, stranger = bench.add("member", role, "payments"), bench.add("stranger", role)
    place = {"visibility": "team", "team": "payments"}
    flow = bench.root.do(convert({"definition": DEFINITIONS[1], **place}, CreateWorkflow)).id
    item = bench.root.do(OpenWorkItem(workflow=flow, title="x")).id

    assert stranger.do(ClaimDelivery(worker="w")) is None
    with pytest.raises(NotFound):
        stranger.do(ClaimDelivery(worker="w", item=item))
    claimed = member.do(ClaimDelivery(worker="w"))

    assert (claimed is not None) is (LADDER.index(role) >= LADDER.index("analyst"))
