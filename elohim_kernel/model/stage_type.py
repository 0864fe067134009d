"""The ten stage types, as values: what each is called, how shown, asked to do, and where it writes."""

from enum import StrEnum
from typing import Final

from elohim_kernel.model.value import Value


class StageType(StrEnum):
    """Who or what does a stage."""

    HUMAN = "HUMAN"
    AUTOMATION = "AUTOMATION"
    APPROVAL = "APPROVAL"
    AGENT_ASSIST = "AGENT_ASSIST"
    CODE_REVIEW = "CODE_REVIEW"
    TEST_ENRICHMENT = "TEST_ENRICHMENT"
    DOC_UPDATE = "DOC_UPDATE"
    STATIC_ANALYSIS = "STATIC_ANALYSIS"
    SECURITY_REVIEW = "SECURITY_REVIEW"
    INCIDENT_ANALYSIS = "INCIDENT_ANALYSIS"

    @property
    def traits(self) -> "StageTraits":
        """Label, icon, default prompt and the rest."""
        return STAGE_TRAITS[self]


class StageTraits(Value, frozen=True):
    """What is fixed for a stage type."""

    label: str
    description: str
    icon: str
    prompt: str = ""  # used when the stage sets none
    panel: str = ""  # header of its panel; "" shows the label
    data_key: str = ""  # where its result lies in the item's data; "" writes none
    automated: bool = True
    focus: tuple[str, ...] = ()  # which part of the repository it looks at first
    may_auto_apply: bool = True
    may_auto_complete: bool = True  # False: whatever comes after it is done by a person


_RECOMMENDATION: Final = "agent_recommendation"

STAGE_TRAITS: Final = {
    StageType.HUMAN: StageTraits(
        label="Human",
        description="A person does this stage and completes it, with a form if it has one.",
        icon="person",
        automated=False,
        may_auto_apply=False,
    ),
    StageType.AUTOMATION: StageTraits(
        label="Automation",
        description="Runs a playbook notebook with parameters from the item.",
        icon="gear",
        data_key="automation",
    ),
    StageType.APPROVAL: StageTraits(
        label="Approval",
        description="Waits until the people named in its rule approve or reject what they were shown.",
        icon="check-seal",
        automated=False,
        may_auto_apply=False,
    ),
    StageType.AGENT_ASSIST: StageTraits(
        label="Assist (Agent)",
        description="Finds likely places, similar past items and a plan for the question in the item.",
        icon="sparkle",
        prompt="Read the description. Name the likely places, what happened before that is like it, and a plan to"
        " find out more. Cite evidence for each statement.",
        panel="Agent Assist",
        data_key=_RECOMMENDATION,
    ),
    StageType.CODE_REVIEW: StageTraits(
        label="Code Review (Agent)",
        description="Reviews the change: findings on changed lines, complexity, size and spread, risky paths.",
        icon="magnifier",
        prompt="Review the change between base and head. Say what a careful reviewer would look at first and why."
        " Nothing to say is a valid review. Cite evidence for each statement.",
        panel="Agent Code Review",
        data_key=_RECOMMENDATION,
        focus=("the diff", "changed files"),
    ),
    StageType.TEST_ENRICHMENT: StageTraits(
        label="Test Enrichment (Agent)",
        description="Proposes tests for the changed code and keeps those that prove something.",
        icon="flask",
        prompt="Propose tests for the changed code. Keep a test only if it passes, is stable, and covers a changed"
        " line or kills a mutant there.",
        panel="Agent Test Suggestions",
        data_key="test_enrichment",
        focus=("tests/", "the sources they cover"),
    ),
    StageType.DOC_UPDATE: StageTraits(
        label="Documentation Update (Agent)",
        description="Finds documentation that the change makes wrong or leaves out, and drafts release notes.",
        icon="page",
        prompt="Find what the documentation now says wrongly or leaves out. Draft the change and the release note.",
        panel="Agent Documentation Suggestions",
        data_key=_RECOMMENDATION,
        focus=("docs/", "README"),
    ),
    StageType.STATIC_ANALYSIS: StageTraits(
        label="Static Analysis",
        description="Runs the configured analysers over the change and records what they find.",
        icon="ruler",
        panel="Static Analysis",
        data_key="static_analysis",
    ),
    StageType.SECURITY_REVIEW: StageTraits(
        label="Security Review",
        description="Runs security tools and explains what they find. A person decides; it never applies anything.",
        icon="shield",
        prompt="Explain each security finding, how it could be used, and the smallest safe fix.",
        panel="Security Findings",
        data_key="security_findings",
        may_auto_apply=False,
        may_auto_complete=False,
    ),
    StageType.INCIDENT_ANALYSIS: StageTraits(
        label="Incident Analysis",
        description="Compares the incident window with normal ones: what is new, what broke first, who is suspect.",
        icon="pulse",
        prompt="Say what is new, what broke first, and which change or service is suspect, with the counts behind"
        " each. Say inconclusive when it is.",
        panel="Incident Analysis",
        data_key="incident_analysis",
    ),
}
