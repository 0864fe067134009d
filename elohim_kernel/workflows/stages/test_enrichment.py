"""TEST_ENRICHMENT: tests for what the item's change touches, or for what its description names, each proven.

The item's data may hold `description` and `cause`: the text of a bug report, and what a person said of it. The
tracebacks and the names of functions in them are looked at too. Where there is no change, they alone say what to test.
Nothing is written to the repository.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from elohim_kernel.errors import Invalid
from elohim_kernel.model.change import Change
from elohim_kernel.model.enrichment import Enrichment, Verdict
from elohim_kernel.model.finding import EngineReport
from elohim_kernel.model.reports import counted, facts_of
from elohim_kernel.model.target import Target, target_of
from elohim_kernel.model.value import convert, plain
from elohim_kernel.ports import EngineRequest, StageResult, StageWork, Tools

TYPE = "TEST_ENRICHMENT"

_ENGINE: Final = "tests"
_DATA: Final = "test_enrichment"
_TIMEOUT_S: Final = 900.0
_MOST_TOLD: Final = 100  # rows of what was rejected; the ledger has them all


def run(work: StageWork, tools: Tools) -> StageResult:
    """Propose tests and tell what they are worth. Raises `Invalid` when the item names no usable repository."""
    tools.progress("Reading the change", 0, 2)
    description = "\n".join(str(work.data.get(name) or "") for name in ("description", "cause")).strip()
    request, change = _request(work, tools, description)
    tools.progress("Proposing tests", 1, 2)
    report = tools.engine(_ENGINE, request)
    tools.progress("Done", 2, 2)
    made = convert(report.data[_DATA], Enrichment, what=f"report of {_ENGINE}") if _DATA in report.data else None
    return StageResult(
        note=f"{report.status.value}: {report.reason}",
        data={_DATA: _told(report, made)},
        reports=(report,),
        change=change,
        facts={**facts_of((report,)), "tests": facts(made)},
    )


def facts(made: Enrichment | None) -> dict[str, Any]:
    """Names for guards. `all_passed` is False when no test ran, whatever else is true.

    >>> facts(None)["all_passed"]
    False
    """
    there = made.existing if made is not None else None
    passed, failed, skipped = (there.passed, there.failed, there.skipped) if there is not None else (0, 0, 0)
    verdicts = [each.verdict for each in made.attempts] if made is not None else []
    return {
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "all_passed": passed > 0 and failed == 0 and not (there is not None and there.problem),
        "proposed": sum(len(file.tests) for file in made.files) if made is not None else 0,
        "accepted": made.accepted if made is not None else 0,
        "changed_behaviour": verdicts.count(Verdict.CHANGES_BEHAVIOUR),
    }


def _request(work: StageWork, tools: Tools, description: str) -> tuple[EngineRequest, Change | None]:
    options = {"describe": description} if description else {}
    try:
        change = work.change(tools)
    except Invalid:
        if not description:
            raise
        target = target_of(work.data, path=work.target_path, reference=work.reference)
        commit = tools.step("commit", target, str, lambda: _commit(target, tools))
        path = tools.repository(target.repository).path
        return EngineRequest(repository=path, head=commit, base=commit, timeout_s=_TIMEOUT_S, options=options), None
    return replace(EngineRequest.about(change), timeout_s=_TIMEOUT_S, options=options), change


def _commit(target: Target, tools: Tools) -> str:
    return tools.repository(target.repository).resolve(target.head or target.base or "HEAD")


def _told(report: EngineReport, made: Enrichment | None) -> Mapping[str, Any]:
    """What goes into the item's data: the account, the files with their patch, and the start of the ledger."""
    account = {"status": report.status.value, "reason": report.reason, "seconds": report.seconds}
    if made is None:
        return account
    rejected = [each for each in made.attempts if each.verdict is Verdict.REJECTED]
    changed = [each for each in made.attempts if each.verdict is Verdict.CHANGES_BEHAVIOUR]
    return {
        **account,
        "base": made.base,
        "head": made.head,
        "accepted": made.accepted,
        "summary": f"{counted(made.accepted, 'test')} accepted for {counted(len(made.functions), 'function')}",
        "files": [{**plain(file), "tests": list(file.tests)} for file in made.files],
        "patch": made.patch,
        "score": plain(made.score),
        "existing": {**plain(made.existing), "files": list(made.existing.files)},
        "changes_behaviour": [
            {"function": each.function, "call": each.call, "base": each.expected, "head": each.on_head}
            for each in changed
        ],
        "rejected": [
            {"function": each.function, "reason": each.reason, "count": each.count} for each in rejected[:_MOST_TOLD]
        ],
        "notes": list(made.notes),
    }
