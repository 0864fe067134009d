"""What an engine or the agent proposes. Every statement cites evidence that code has checked, or is not made."""

from enum import StrEnum

from elohim_kernel.model.value import Value


class Risk(StrEnum):
    """How much can go wrong when a step is done."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Evidence(Value, frozen=True):
    """A checked fact: `id` is what statements cite, `source` is `path:line@commit`, a finding, a metric or an event."""

    id: str
    kind: str
    source: str
    text: str


class PlanStep(Value, frozen=True):
    """One thing a person might do next; `minutes` is an honest guess of a person's time."""

    title: str
    detail: str = ""
    risk: Risk = Risk.LOW
    minutes: int = 5
    evidence: tuple[str, ...] = ()


class RiskNote(Value, frozen=True):
    """Something that may go wrong with the change itself."""

    title: str
    detail: str = ""
    level: Risk = Risk.MEDIUM
    evidence: tuple[str, ...] = ()


class Recommendation(Value, frozen=True):
    """Advice for a person: a summary, steps and risks. It never acts."""

    summary: str
    verdict: str = "comment"  # "nothing to say", "comment" or "look closely"
    steps: tuple[PlanStep, ...] = ()
    risks: tuple[RiskNote, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    engine: str = ""
    not_run: tuple[str, ...] = ()  # "ruff: not run, because …"

    def uncited(self) -> tuple[str, ...]:
        """Evidence ids that a step or risk cites and that are not in the bundle; empty when all are checked."""
        known = {fact.id for fact in self.evidence}
        parts: tuple[PlanStep | RiskNote, ...] = (*self.steps, *self.risks)
        cited = [name for part in parts for name in part.evidence]
        return tuple(name for name in cited if name not in known)
