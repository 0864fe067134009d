"""Everything that can be done in the world, right or wrong: one maker of commands for each command there is."""

from collections.abc import Callable, Mapping
from typing import Any

import properties_judging as judging  # loaded by the conftest, as this module is

from elohim_kernel import registry
from elohim_kernel.model.access import Level, Permission, Visibility
from elohim_kernel.model.command import Command
from elohim_kernel.model.definition_text import parse_definition
from elohim_kernel.model.recommendation import Evidence, PlanStep, Recommendation
from elohim_kernel.model.run import RunStatus
from elohim_kernel.model.token import digest_of
from elohim_kernel.model.work_item import Priority, WorkItem
from elohim_kernel.model.workflow import Definition, Template

FOUNDER, WORKER = "root", "the worker"
PEOPLE = (FOUNDER, "ann", "bob", "cyd", "dan", "eve")
COMMANDS = registry.commands()

KINDS = (
    """
name: "{name}"
description: about {mark}
schedules: [{{name: nightly, cron: "0 2 * * *", title: "{mark}"}}]
findings: {{four_eyes: [critical, high], expiry_days: 2, sla_days: {{high: 3}}}}
stages:
- key: look
  name: Look {mark}
  description: "{mark}"
  sla_minutes: 60
  form: [{{name: risk, type: integer, label: "{mark}"}}, {{name: text}}]
  routes: [{{to: end, when: data.risk > 7, label: "{mark}"}}]
- {{key: agree, type: APPROVAL, requires_approval: {{expires_minutes: 90}}}}
- {{key: done}}
""",
    """
name: "{name}"
stages:
- {{key: scan, type: CODE_REVIEW, agent_prompt: "look at {mark}", agent_target_path: "{mark}"}}
- key: read
  requires_approval: {{need: 2, expires_minutes: 30, on_expiry: escalate, escalate_to: [eve]}}
- {{key: check, type: STATIC_ANALYSIS, auto_advance: false}}
- {{key: end_it, assignment: {{to: role, who: approver}}}}
""",
    """
name: "{name}"
stages:
- {{key: agree, type: APPROVAL, requires_approval: {{forbid_last_editor: false, quorum: true}}}}
- {{key: give, assignment: {{to: round_robin, who: red}}, requires_approval: {{roles: [approver], teams: [red]}}}}
- {{key: scan, type: SECURITY_REVIEW, requires_approval: {{expires_minutes: 5}}, sla_minutes: 1}}
""",
)

# Who works in a team, and what for: something to begin with, so that the steps after it meet something.
_BEGINNINGS = (("ann", "red"), ("cyd", "blue"), ("eve", "global"), ("ann", ""), ("bob", ""))

Maker = Callable[[Any, str], Command]  # a world and who does it; worlds are made from `world.py`, hence Any


def step(world: Any) -> tuple[str, Command, Any]:
    """Anything, by anybody: who did what, and the result or refusal."""
    chance = world.chance
    if chance.random() < 0.3:
        world.clock.advance(minutes=chance.choice((0.5, 5, 40)))
    name = chance.choice(_FREQUENT) if chance.random() < 0.5 else chance.choice(list(MAKERS))
    seers = world.aim(_FITTING.get(name, bool) if chance.random() < 0.75 else bool)
    who = chance.choice(seers if chance.random() < 0.75 else PEOPLE)
    if name in _FOUNDERS and chance.random() < 0.7:
        who = FOUNDER
    if name in _WORKERS and chance.random() < 0.8:
        who = WORKER
    command = MAKERS[name](world, who)
    if who == WORKER and hasattr(command, "delivery"):
        who = world.holders.get(command.delivery, ("", WORKER))[1]
    world.do(who, command)
    return tuple(world.steps[-1])  # type: ignore[return-value]


def begin(world: Any) -> None:
    """A workflow of each kind, with items, for everybody who starts with something."""
    for place, (who, team) in enumerate(_BEGINNINGS):
        named = {"global": Visibility.GLOBAL, "": Visibility.PERSONAL}.get(team, Visibility.TEAM)
        there = {"visibility": named, "team": team if named == "team" else ""}
        definition = _definition(world, world.fresh(), kind=place % len(KINDS))
        made = world.do(who, COMMANDS["create_workflow"](definition=definition, **there))
        for _ in range(2):
            world.do(who, COMMANDS["open_work_item"](workflow=made.id, **_open(world, world.mark(who, made.id))))


def _definition(world: Any, mark: str, *, kind: int | None = None) -> Definition:
    name = f"{world.chance.choice(('Triage', 'Review'))} {world.chance.randrange(9)} {mark}"
    text = world.chance.choice(KINDS) if kind is None else KINDS[kind]
    return parse_definition(text.format(name=name, mark=mark))


def _place(world: Any) -> dict[str, Any]:
    visibility = world.chance.choice(list(Visibility))
    return {"visibility": visibility, "team": world.chance.choice(("red", "blue")) if visibility == "team" else ""}


def _on_item(name: str, fields: Callable[[Any, str], Mapping[str, Any]]) -> Maker:
    def make(world: Any, who: str) -> Command:
        item, flow = world.item()
        return COMMANDS[name](item=item, **fields(world, world.mark(who, flow)))

    return make


def _on_flow(name: str, fields: Callable[[Any, str], Mapping[str, Any]]) -> Maker:
    def make(world: Any, who: str) -> Command:
        flow = world.flow()
        return COMMANDS[name](workflow=flow, **fields(world, world.mark(who, flow)))

    return make


def _vote(name: str) -> Maker:
    def make(world: Any, who: str) -> Command:
        item, flow = world.item()
        approval = item if world.chance.random() < 0.6 else world.pick("approval")
        digest = world.chance.choice((None, None, None, "sha256:of something else"))
        return COMMANDS[name](
            approval=approval, comment=world.mark(who, flow) if approval == item else "", digest=digest
        )

    return make


def _bulk(world: Any, mark: str) -> Mapping[str, Any]:
    verb = world.chance.choice(("claim", "release", "reassign", "send_back", "cancel", "tag", "comment", "priority"))
    argument = {"reassign": "bob", "priority": "high", "claim": ""}.get(verb, mark)
    where = world.chance.choice(("item.age_minutes > 30", "item.priority == 'high'", "data.risk > 3"))
    return {"verb": verb, "argument": argument, "where": where, "dry_run": world.chance.random() < 0.3,
            "skip_refused": world.chance.random() < 0.6}  # fmt: skip


def _finish(world: Any, who: str) -> Command:
    delivery = world.pick("delivery")
    mark = world.mark(who, _flow_of(world, delivery))
    fact = Evidence(id="e1", kind="metric", source=mark, text=mark)
    advice = Recommendation(summary=mark, evidence=(fact,), steps=(PlanStep(title=mark, evidence=("e1",)),))
    return COMMANDS["finish_stage"](
        delivery=delivery, worker=_holder(world, delivery), note=mark, data={"result": {"text": mark}},
        recommendation=advice, facts={"findings": {"total": 1}},
    )  # fmt: skip


def _fail(world: Any, who: str) -> Command:
    delivery = world.pick("delivery")
    retryable, cancelled = world.chance.random() < 0.5, world.chance.random() < 0.2
    mark = world.mark(who, _flow_of(world, delivery))
    return COMMANDS["fail_stage"](
        delivery=delivery, worker=_holder(world, delivery), error=mark, retryable=retryable, cancelled=cancelled
    )


def _flow_of(world: Any, delivery: str) -> str:
    found = world.store.memory.states.get(delivery)
    return found[0].scope if found else ""


def _holder(world: Any, delivery: str) -> str:
    return world.holders.get(delivery, ("w0", ""))[0] if world.chance.random() < 0.9 else "somebody"


def _of_run(name: str, fields: Callable[[Any], Mapping[str, Any]]) -> Maker:
    return lambda world, _who: COMMANDS[name](run=world.pick("run"), **fields(world))


def _export(world: Any, _who: str) -> Command:
    upto = world.chance.randrange(world.store.last_seq) + 1
    record = world.store.records(after=upto - 1, limit=1)[0]
    return COMMANDS["record_export"](upto=upto, head=world.chance.choice((record.hash, "0" * 64)))


def _token(world: Any, who: str) -> Command:
    secret = str(world.chance.getrandbits(60))
    return COMMANDS["create_token"](digest=digest_of(secret), label=world.fresh("token " + who), days=30)


def _grant(name: str) -> Maker:
    return lambda world, _who: COMMANDS[name](
        principal=world.chance.choice(PEOPLE[1:]),
        role=world.chance.choice(("viewer", "analyst", "approver", "maintainer")),
        team=world.chance.choice(("red", "blue")),
    )


def _role(world: Any, _who: str) -> Command:
    some = world.chance.sample([one for one in Permission if one.value.startswith(("workflows", "code"))], 2)
    return COMMANDS["define_role"](name="odd", permissions=dict.fromkeys(some, Level.WRITE))


def _person(world: Any, _who: str) -> Command:
    return COMMANDS["add_principal"](name=f"p-{world.fresh('person ' + FOUNDER)}")


def _instance(world: Any, _who: str) -> Command:
    there = [one.id for one in world.store.memory.every(Template)]
    return COMMANDS["instantiate_template"](template=world.chance.choice(there), **_place(world))


def _open(world: Any, mark: str) -> Mapping[str, Any]:
    data = {"text": mark, "risk": world.chance.randrange(10), "deep": {mark: [mark]}}
    return {"title": mark, "data": data, "priority": world.chance.choice(list(Priority)), "tags": (mark,)}


def _form(world: Any, mark: str) -> Mapping[str, Any]:
    form = world.chance.choice(({}, {}, {"risk": world.chance.randrange(10)}, {"text": mark}, {"risk": mark}))
    return {"note": mark, "outcome": world.chance.choice(("", mark)), "form": form}


def _unlink(world: Any, _who: str) -> Command:
    item, _ = world.item()
    found = world.store.memory.get(WorkItem, item)
    links = found.links if found else ()
    return COMMANDS["unlink_item"](item=item, target=world.chance.choice(links).target if links else "EL-1")


def _slot(world: Any) -> Mapping[str, Any]:
    return {"schedule": world.chance.choice(("nightly", "nothing")), "slot": world.clock.now()}


MAKERS: Mapping[str, Maker] = {
    "open_work_item": _on_flow("open_work_item", _open),
    "claim_item": _on_item("claim_item", lambda world, mark: {}),
    "release_item": _on_item("release_item", lambda world, mark: {"note": mark}),
    "reassign_item": _on_item("reassign_item", lambda world, mark: {"to": world.chance.choice(PEOPLE), "note": mark}),
    "complete_stage": _on_item("complete_stage", _form),
    "send_back": _on_item("send_back", lambda world, mark: {"note": mark, "to": world.chance.choice(("", "", "look"))}),
    "cancel_item": _on_item("cancel_item", lambda world, mark: {"reason": mark}),
    "retry_stage": _on_item("retry_stage", lambda world, mark: {"note": mark}),
    "pause_sla": _on_item("pause_sla", lambda world, mark: {"reason": mark}),
    "resume_sla": _on_item("resume_sla", lambda world, mark: {}),
    "comment_item": _on_item("comment_item", lambda world, mark: {"text": f"@bob {mark}"}),
    "change_item": _on_item("change_item", lambda world, mark: {"title": mark, "data": {mark: mark}}),
    "tag_item": _on_item("tag_item", lambda world, mark: {"add": (mark, "t")}),
    "link_item": _on_item("link_item", lambda world, mark: {"target": world.item()[0], "title": mark, "kind": mark}),
    "unlink_item": _unlink,
    "attach_file": _on_item("attach_file", lambda world, mark: {"name": mark, "location": f"/{mark}", "size": 3}),
    "approve": _vote("approve"),
    "reject": _vote("reject"),
    "expire_approvals": lambda world, _who: COMMANDS["expire_approvals"](),
    "bulk_items": _on_flow("bulk_items", _bulk),
    "create_workflow": lambda world, _who: COMMANDS["create_workflow"](
        definition=_definition(world, world.fresh()), **_place(world)
    ),
    "revise_workflow": _on_flow("revise_workflow", lambda world, mark: {"definition": _definition(world, mark)}),
    "share_workflow": _on_flow("share_workflow", lambda world, mark: _place(world)),
    "archive_workflow": _on_flow("archive_workflow", lambda world, mark: {"reason": mark}),
    "instantiate_template": _instance,
    "save_template": lambda world, _who: COMMANDS["save_template"](
        definition=_definition(world, world.fresh()), **_place(world)
    ),
    "read_inbox": lambda world, _who: COMMANDS["read_inbox"](upto=world.chance.choice((0, 5, 2**62))),
    "claim_delivery": lambda world, _who: COMMANDS["claim_delivery"](worker=f"w{world.chance.randrange(3)}"),
    "extend_lease": lambda world, _who: COMMANDS["extend_lease"](
        delivery=(delivery := world.pick("delivery")), worker=_holder(world, delivery)
    ),
    "record_step": _of_run("record_step", lambda world: {"step": "s", "inputs": "i", "output": "{}", "seconds": 0.1}),
    "finish_stage": _finish,
    "fail_stage": _fail,
    "cancel_run": _of_run("cancel_run", lambda world: {"reason": "no"}),
    "start_playbook": _on_item("start_playbook", lambda world, mark: {"playbook": "review_report"}),
    "end_run": _of_run("end_run", lambda world: {"status": world.chance.choice((RunStatus.DONE, RunStatus.FAILED))}),
    "record_findings": judging.findings,
    "record_test_proposal": judging.proposal,
    "decide_findings": judging.decide,
    **{name: judging.on_decision(name) for name in ("confirm_decision", "refuse_decision", "undo_decision")},
    "expire_decisions": lambda world, _who: COMMANDS["expire_decisions"](),
    "set_ratchet": _on_flow("set_ratchet", lambda world, mark: {"repository": "/src", "allow_rise": mark}),
    "fire_schedule": _on_flow("fire_schedule", lambda world, mark: _slot(world)),
    "skip_slot": _on_flow("skip_slot", lambda world, mark: {**_slot(world), "problem": mark}),
    "add_principal": _person,
    "grant_role": _grant("grant_role"),
    "revoke_role": _grant("revoke_role"),
    "disable_principal": lambda world, _who: COMMANDS["disable_principal"](principal="dan", reason=world.fresh()),
    "enable_principal": lambda world, _who: COMMANDS["enable_principal"](principal="dan"),
    "add_team": lambda world, _who: COMMANDS["add_team"](name=f"t-{world.fresh('team ' + FOUNDER)}"),
    "define_role": _role,
    "create_token": _token,
    "revoke_token": lambda world, _who: COMMANDS["revoke_token"](token=world.pick("token")),
    "record_export": _export,
}
_FOUNDERS = {"add_principal", "grant_role", "revoke_role", "disable_principal", "enable_principal", "add_team",
             "define_role", "record_export"}  # fmt: skip
_WORKERS = {"fire_schedule", "skip_slot", "claim_delivery", "extend_lease", "record_step", "finish_stage", "fail_stage",
            "expire_approvals", "expire_decisions"}  # fmt: skip
_FREQUENT = ("open_work_item", "complete_stage", "claim_delivery", "finish_stage", "approve", "fail_stage",
             "record_findings", "decide_findings", "confirm_decision", "refuse_decision")  # fmt: skip
_FITTING: Mapping[str, Callable[[WorkItem], bool]] = {
    "retry_stage": lambda item: item.status == "failed",
    "approve": lambda item: bool(item.approval),
    "reject": lambda item: bool(item.approval),
    "claim_item": lambda item: item.status == "pending",
    "release_item": lambda item: item.status == "claimed",
    "reassign_item": lambda item: item.stage_type == "HUMAN",
    "complete_stage": lambda item: item.stage_type == "HUMAN",
    "send_back": lambda item: bool(item.came_from),
    "unlink_item": lambda item: bool(item.links),
    "pause_sla": lambda item: item.sla_due is not None,
    "resume_sla": lambda item: item.sla_left_s is not None,
}
