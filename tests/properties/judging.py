"""What can be done about findings in the world: seen, decided, confirmed, refused, undone; and proposed tests."""

from collections.abc import Callable
from typing import Any

from elohim_kernel import registry
from elohim_kernel.findings.listing import FindingFilter
from elohim_kernel.findings.recording import finding_rows
from elohim_kernel.model.command import Command
from elohim_kernel.model.decision import Outcome, Reach
from elohim_kernel.model.enrichment import Attempt, Enrichment, ProposedFile, Verdict
from elohim_kernel.model.finding import EngineStatus, Finding, Severity

COMMANDS = registry.commands()

Maker = Callable[[Any, str], Command]  # as in `deeds.py`


def findings(world: Any, who: str) -> Command:
    """What a tool saw."""
    item, flow = world.item()
    mark = world.mark(who, flow)
    paths = [path for path in ("a.py", "b.py") if world.chance.random() < 0.7]
    seen = [
        Finding(rule=f"R{n}", severity=world.chance.choice(list(Severity)), message=mark, path=path, line=n,
                tool="lint", snippet=mark, remediation=mark, symbol=mark, category=mark, fingerprint=f"v1:{path}:{n}",
                owners=(mark,), evidence=mark, problem=world.chance.choice(("", f"p1:{n}")), aliases=(f"x:{mark}",),
                suppressed=world.chance.choice(("", "", mark)), suppression_is_new=world.chance.random() < 0.3)
        for path in paths for n in range(world.chance.randrange(3))
    ]  # fmt: skip
    status = EngineStatus.FINDINGS if seen else world.chance.choice(list(EngineStatus))
    return COMMANDS["record_findings"](
        workflow=flow or "wf_nothing", repository="/src", tool="lint", status=status, reason=mark,
        item=item if world.chance.random() < 0.8 else "", ref=world.chance.choice(("main", mark)), version=mark,
        head=world.chance.choice(("h1", "h2")), rules=world.chance.choice(((), ("R0",))),
        skipped=(mark,), covered=tuple(paths), rows=finding_rows(seen) if seen else b"",
    )  # fmt: skip


def proposal(world: Any, who: str) -> Command:
    """Tests that were proposed."""
    item, flow = world.item()
    mark = world.mark(who, flow)
    verdict = world.chance.choice(list(Verdict))
    attempts = (Attempt(function=mark, verdict=verdict, reason=mark, call=mark, expected=mark, test=mark),)
    files = (ProposedFile(path="tests/test_a_proposed.py", text=mark, tests=(mark,)),)
    made = Enrichment(repository=mark, base=mark, head=mark, files=files, attempts=attempts, notes=(mark,))
    named = item if world.chance.random() < 0.7 else ""
    return COMMANDS["record_test_proposal"](workflow=flow or "wf_nothing", enrichment=made, item=named)


def decide(world: Any, who: str) -> Command:
    """Something decided about some of it."""
    flow, chance = world.flow(), world.chance
    there = [row["id"] for row in world.store.database.rows("select id from findings where scope = $f", {"f": flow})]
    chosen = tuple(chance.sample(there, min(len(there), chance.randrange(3))))
    reach = chance.choice(list(Reach) if not chosen else [Reach.FINDING])
    where = {Reach.FINDING: {"tool": "" if chosen else "lint"}, Reach.RULE: {"rule": chance.choice(("R0", "R1"))},
             Reach.PATH: {"path": chance.choice(("a.*", "**"))}, Reach.REPOSITORY: {"repository": "/src"}}  # fmt: skip
    return COMMANDS["decide_findings"](
        workflow=flow, findings=chosen, reach=reach, where=FindingFilter(**where[reach]), text=world.mark(who, flow),
        outcome=chance.choice(list(Outcome)), reason="wont fix", expires_days=chance.choice((0, 1)),
        dry_run=chance.random() < 0.2,
    )  # fmt: skip


def on_decision(name: str) -> Maker:
    """A maker of what becomes of a decision, one that waits if there is any."""

    def make(world: Any, who: str) -> Command:
        world.store.flush()
        flow = world.flow()
        there = world.store.database.rows("select id, status from decisions where scope = $flow", {"flow": flow})
        asked = [row for row in there if row["status"] == "asked"]
        found = world.chance.choice((asked if world.chance.random() < 0.8 else there) or there or [{"id": "fdd_none"}])
        return COMMANDS[name](decision=found["id"], note=world.mark(who, flow))

    return make
