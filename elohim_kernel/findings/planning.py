"""A plan to mend one finding, made from rules alone: what the code shows, what the rule says, what was decided before.

Every step cites evidence by its id; nothing is cited that is not in the plan.
"""

from collections.abc import Sequence

from elohim_kernel.findings.listing import FindingDetails
from elohim_kernel.model.category import is_security
from elohim_kernel.model.finding import FindingState
from elohim_kernel.model.recommendation import Evidence, PlanStep, Recommendation, Risk, RiskNote
from elohim_kernel.model.remedies import remedy_for
from elohim_kernel.model.rules import judged
from elohim_kernel.model.value import Value

_SHORT = 200  # characters of a quoted text


class Alike(Value, frozen=True):
    """A finding of the same rule that was decided; `likeness` 0 to 1 compares the words and the code."""

    id: str
    path: str
    line: int
    message: str
    state: FindingState
    reason: str
    text: str
    likeness: float


def plan_for(details: FindingDetails, alike: Sequence[Alike]) -> Recommendation:
    """What to do about a finding; it never acts. Nothing is planned for one that is settled."""
    facts = list(_facts(details, alike))
    known = {fact.id for fact in facts}
    if details.state in (FindingState.FIXED, FindingState.DISMISSED, FindingState.ACCEPTED):
        summary = f"Nothing is to be done: it is {details.state.value}."
        return Recommendation(summary=summary, verdict="nothing to say", evidence=tuple(facts), engine="findings")
    finding = details.finding
    remedy = remedy_for(finding.category, security=is_security(finding.category))
    advice = finding.remediation or judged(finding.tool, finding.rule, cwe=finding.cwe).help
    cited = tuple(name for name in ("place", "rule") if name in known)
    steps = [
        PlanStep(
            title="See whether it is true",
            detail=_looking(details),
            minutes=5,
            evidence=tuple(name for name in ("place", "why", "flow") if name in known),
        ),
        *(
            PlanStep(title=text, detail=_detail(number, advice, remedy.pattern), risk=remedy.risk, minutes=minutes,
                     evidence=cited)
            for number, (text, minutes) in enumerate(_shared(remedy.steps, remedy.minutes))
        ),
        PlanStep(
            title="Scan again",
            detail=f"It is fixed when {finding.tool} looks at {finding.path} and does not see it.",
            minutes=2,
            evidence=("place",),
        ),
    ]  # fmt: skip
    return Recommendation(
        summary=f"{finding.severity.value} {finding.category} in {_place(details)}: {finding.message[:_SHORT]}",
        verdict="look closely" if finding.severity.rank < 2 else "comment",
        steps=tuple(steps),
        risks=_doubts(alike),
        evidence=tuple(facts),
        engine="findings",
    )


def _doubts(alike: Sequence[Alike]) -> tuple[RiskNote, ...]:
    false = [each for each in alike if each.reason == "false_positive"]
    if not false:
        return ()
    detail = f"{len(false)} like it were judged false; the nearest is {false[0].id}."
    return (RiskNote(title="It may be a false alarm", detail=detail, level=Risk.LOW, evidence=("alike",)),)


def _facts(details: FindingDetails, alike: Sequence[Alike]) -> list[Evidence]:
    finding = details.finding
    at = f"@{details.head[:12]}" if details.head else ""
    facts = [Evidence(id="place", kind="finding", source=f"{_place(details)}{at}", text=finding.message[:_SHORT])]
    rule = judged(finding.tool, finding.rule, cwe=finding.cwe).help
    if rule:
        facts.append(Evidence(id="rule", kind="rule", source=f"{finding.tool}:{finding.rule}", text=rule))
    if finding.evidence:
        facts.append(Evidence(id="why", kind="finding", source=details.id, text=finding.evidence[:_SHORT]))
    flow = [f"{each.path}:{each.line}" for each in finding.related if each.flow]
    if flow:
        facts.append(Evidence(id="flow", kind="finding", source=details.id, text=" → ".join(flow)))
    if details.also_seen_by:
        text = f"also seen by {', '.join(details.also_seen_by)}"
        facts.append(Evidence(id="agreement", kind="finding", source=details.id, text=text))
    if alike:
        text = "; ".join(f"{each.path}:{each.line} {each.state.value}, {each.reason}" for each in alike[:3])
        facts.append(Evidence(id="alike", kind="finding", source=alike[0].id, text=text))
    return facts


def _looking(details: FindingDetails) -> str:
    seen = f" Also seen by {', '.join(details.also_seen_by)}." if details.also_seen_by else ""
    owners = f" Ask {', '.join(details.finding.owners)}." if details.finding.owners else ""
    return f"{_place(details)}, confidence {details.finding.confidence.value}.{seen}{owners}"


def _detail(number: int, advice: str, pattern: str) -> str:
    """The rule's own words and the pattern stand with the first step."""
    return " ".join(filter(None, (advice, pattern))) if number == 0 else ""


def _shared(steps: Sequence[str], minutes: int) -> list[tuple[str, int]]:
    """The minutes, most of them for the first step."""
    rest = max(1, minutes // (len(steps) + 1))
    return [(text, rest if number else minutes - rest * (len(steps) - 1)) for number, text in enumerate(steps)]


def _place(details: FindingDetails) -> str:
    finding = details.finding
    return f"{finding.path}:{finding.line}" if finding.line else finding.path
