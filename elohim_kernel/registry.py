"""Joins the written tables of built-in parts and operations with those of entry points.

Nothing registers itself by being imported. A part of another package that does not satisfy its Protocol is refused,
with the package's name, and the rest goes on.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.metadata import entry_points
from types import ModuleType
from typing import Final, cast

from elohim_kernel.access import people, roles, teams, tokens
from elohim_kernel.audit import statistics, trail
from elohim_kernel.config import load
from elohim_kernel.engines import (
    advisories,
    bandit,
    complexity,
    detect_secrets,
    eslint,
    gitleaks,
    mypy,
    npm_audit,
    pip_audit,
    policy,
    ruff,
    secrets,
    semgrep,
    spread,
    taint,
    tests,
)
from elohim_kernel.errors import KernelError
from elohim_kernel.findings import decisions, enrichment, explaining, listing, ratchet, recording, settling
from elohim_kernel.gate import Gate
from elohim_kernel.model.access import WORKER, Principal, PrincipalKind
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.definition_text import parse_definition
from elohim_kernel.model.value import Value
from elohim_kernel.model.workflow import Definition
from elohim_kernel.ports import Engine, Stage
from elohim_kernel.store.catalogue import Catalogue
from elohim_kernel.store.store import Caller
from elohim_kernel.store.unit import Unit
from elohim_kernel.workflows import (
    approvals,
    bulk,
    definitions,
    details,
    inspection,
    playbooks,
    runs,
    schedules,
    templates,
    work_items,
)
from elohim_kernel.workflows.stages import code_review, security_review, static_analysis, test_enrichment

_ROOMS: Final[tuple[ModuleType, ...]] = (
    work_items,
    details,
    approvals,
    bulk,
    definitions,
    templates,
    schedules,
    inspection,
    runs,
    playbooks,
    recording,
    listing,
    decisions,
    settling,
    explaining,
    ratchet,
    enrichment,
    people,
    teams,
    roles,
    tokens,
    trail,
    statistics,
)

_ENGINES: Final[tuple[Engine, ...]] = (
    policy,
    ruff,
    bandit,
    mypy,
    taint,
    semgrep,
    eslint,
    complexity,
    spread,
    secrets,
    gitleaks,
    detect_secrets,
    advisories,
    pip_audit,
    npm_audit,
    tests,
)
_STAGES: Final[tuple[Stage, ...]] = (code_review, static_analysis, security_review, test_enrichment)

# Identity, revision, file: raise the revision when the file changes, and every store gets it on its next start.
_TEMPLATES: Final = (
    ("tp_standard_code_review", 1, "standard_code_review.yaml"),
    ("tp_repository_scan", 1, "repository_scan.yaml"),
    ("tp_security_review", 1, "security_review.yaml"),
    ("tp_bug_fix_and_test", 1, "bug_fix_and_test.yaml"),
)

ENGINE_GROUP: Final = "elohim_kernel.engines"
STAGE_GROUP: Final = "elohim_kernel.stages"
_ENGINE_MEMBERS: Final = ("NAME", "LABEL", "TRAITS", "available", "version", "wants", "run")


class BrokenPart(Value, frozen=True):
    """An entry point that could not be used, and why."""

    name: str
    package: str
    problem: str


def catalogue() -> Catalogue:
    """Every command and query there is."""
    return Catalogue.of(
        [entry for room in _ROOMS for entry in getattr(room, "COMMANDS", ())],
        [entry for room in _ROOMS for entry in getattr(room, "QUERIES", ())],
    )


def commands() -> Mapping[str, type[Command]]:
    """Every command by the name it has outside Python."""
    return {name: entry.command for name, entry in catalogue().commands.items()}


def queries() -> Mapping[str, type[Query]]:
    """Every query by the name it has outside Python."""
    return {name: entry.query for name, entry in catalogue().queries.items()}


def engines() -> Mapping[str, Engine]:
    """Engines by name: ours, and those that other packages bring. Ours cannot be replaced."""
    found = {engine.NAME: engine for engine in _ENGINES}
    for name, part in _brought(ENGINE_GROUP, _ENGINE_MEMBERS)[0].items():
        found.setdefault(name, cast(Engine, part))
    return found


def stages() -> Mapping[str, Stage]:
    """Automated stages by type: ours, and those that other packages bring. Ours cannot be replaced."""
    found = {stage.TYPE: stage for stage in _STAGES}
    for name, part in _brought(STAGE_GROUP, ("TYPE", "run"))[0].items():
        found.setdefault(name, cast(Stage, part))
    return found


def broken() -> tuple[BrokenPart, ...]:
    """Entry points that were refused: `elohim doctor` shows them."""
    return (
        *_brought(ENGINE_GROUP, _ENGINE_MEMBERS)[1],
        *_brought(STAGE_GROUP, ("TYPE", "run"))[1],
    )


@cache  # what is installed does not change while we run, and looking takes milliseconds
def _brought(group: str, members: tuple[str, ...]) -> tuple[dict[str, object], list[BrokenPart]]:
    parts: dict[str, object] = {}
    refused: list[BrokenPart] = []
    for point in entry_points(group=group):
        package = point.dist.name if point.dist else "an unknown package"
        try:
            part = point.load()
        except Exception as wrong:  # noqa: BLE001 - anybody's code runs here: its defect must not be ours
            problem = f"cannot be loaded: {type(wrong).__name__}: {wrong}"
            refused.append(BrokenPart(name=point.name, package=package, problem=problem))
            continue
        missing = [member for member in members if not hasattr(part, member)]
        if missing:
            refused.append(BrokenPart(name=point.name, package=package, problem=f"lacks {', '.join(missing)}"))
        else:
            parts[point.name] = part
    return parts, refused


def system_templates() -> tuple[tuple[str, int, Definition], ...]:
    """The templates of the package: identity, revision, definition."""
    folder = resources.files("elohim_kernel.workflows") / "system_templates"
    return tuple(
        (name, revision, parse_definition((folder / file).read_text(encoding="utf-8"), name=file))
        for name, revision, file in _TEMPLATES
    )


class _Preparation:
    """What every store is given on its start: its first person, the built-in roles, the templates."""

    caller = Caller(principal=WORKER)

    def __init__(self, user: str) -> None:
        self._user = user

    def run(self, unit: Unit) -> None:
        people.bootstrap(unit, self._user, "")
        templates.seed_templates(unit, system_templates())

    def refuse(self, unit: Unit, error: KernelError) -> None:
        """Nothing is recorded: a store that cannot be prepared is not opened."""

    def recall(self, result: str) -> None:
        """It is never asked for twice: it has no request."""


def prepare(gate: Gate, *, user: str | None = None) -> None:
    """Make a store ready for use; on one that is ready it changes nothing and writes nothing.

    `user` becomes the first administrator of a new one; `None` is the user of the settings.
    """
    if gate.store.memory.get(Principal, WORKER) is None:
        worker = Principal(id=WORKER, name="worker", kind=PrincipalKind.SERVICE)
        gate.store.memory.put(worker, 0, dirty=False)
    gate.store.do(_Preparation(load().settings.user if user is None else user))
