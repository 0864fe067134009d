"""Findings in and out from Python: `wb.import_findings(...)` and `wb.export_findings(...)`, verbs of `Workbench`."""

from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from elohim_kernel.findings.exchange import baseline_of, to_csv, to_json_lines
from elohim_kernel.findings.listing import ExportFindings, FindingFilter
from elohim_kernel.findings.sarif_out import Exported, Written, sarif_of
from elohim_kernel.runtime.importing import Format, Imported, OnRun, import_findings, unheard
from elohim_kernel.runtime.repository import open_repository
from elohim_kernel.runtime.scanning import REPOSITORY_SCAN
from elohim_kernel.workbench.bench import Bench, flow_of
from elohim_kernel.workflows.definitions import GetWorkflow, WorkflowDetails

ExportFormat = Literal["sarif", "jsonl", "csv", "baseline"]


def take_in(
    workbench: Bench,
    file: str | Path,
    *,
    repository: str | Path = ".",
    head: str | None = None,
    workflow: str = "",
    kind: Format | None = None,
    dry_run: bool = False,
    on_run: OnRun = unheard,
) -> Imported:
    """Record what another tool found, from SARIF or from rows that we wrote.

    `repository` is the git repository it is about, `head` the commit that was scanned (`None`: what is checked out);
    its content tells findings apart. `workflow` "" is the one that keeps scans. `kind` `None` takes what the file's
    first bytes say. Raises `NotFound`, `Invalid` or `TooLarge` before anything is recorded.
    """
    source = open_repository(str(Path(repository).expanduser()))
    ref = head or source.checked_out()
    flow: WorkflowDetails = workbench.ask(GetWorkflow(workflow=workflow or flow_of(workbench, REPOSITORY_SCAN)))
    done = import_findings(
        workbench.session,
        Path(file).expanduser(),
        workflow=flow.id,
        repository=source.path,
        source=source,
        head=source.resolve(ref),
        ref=ref,
        kind=kind,
        dry_run=dry_run,
        on_run=on_run,
    )
    return replace(done, workflow=flow.name)


def write_out(workbench: Bench, kind: ExportFormat = "sarif", **where: Any) -> Written:
    """Findings for other programs, the most urgent first: the bytes of a file, and what did not go into it.

    `where` are the filters of `FindingFilter`, for example `state="live"` or `severity=Severity.HIGH`; hence `Any`.
    """
    found: tuple[Exported, ...] = workbench.ask(ExportFindings(where=FindingFilter(**where)))
    if kind == "sarif":
        return sarif_of(found)
    rows = {"jsonl": to_json_lines, "csv": to_csv, "baseline": baseline_of}[kind]
    return Written(rows(found), ())
