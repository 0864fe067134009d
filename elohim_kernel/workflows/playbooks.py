"""Runs of playbooks: the runner says when one began and how it ended."""

from elohim_kernel.errors import Conflict
from elohim_kernel.model.access import Level, Need, Permission
from elohim_kernel.model.command import Command
from elohim_kernel.model.ids import new_id
from elohim_kernel.model.run import RunFailed, RunFinished, RunKind, RunStarted, RunStatus
from elohim_kernel.store.catalogue import CommandEntry, on_item, on_run, run_named
from elohim_kernel.store.unit import Unit, item_named

_RUN = Need(permission=Permission.WORKFLOWS_RUN, level=Level.WRITE)


class StartPlaybook(Command, frozen=True):
    """Start a run of a playbook for an item; the runner does the rest."""

    need = _RUN
    internal = True
    result = str
    example = {"item": "EL-1", "playbook": "review_report", "digest": "sha256:00"}

    item: str
    playbook: str
    digest: str = ""


def start_playbook(command: StartPlaybook, unit: Unit) -> str:
    """Handle `StartPlaybook`; returns the run's id."""
    item = item_named(unit, command.item)
    run = new_id("run")
    started = RunStarted(
        run_kind=RunKind.PLAYBOOK, name=command.playbook, workflow=item.workflow, item=item.id, digest=command.digest
    )
    unit.emit(started, subject=run, scope=item.workflow)
    return run


class EndRun(Command, frozen=True):
    """End a run of a playbook; an `error` means it ended badly."""

    need = _RUN
    internal = True
    example = {"run": "run_01", "seconds": 4.2, "output": "runs/run_01/review_report.ipynb"}

    run: str
    seconds: float = 0.0
    output: str = ""
    error: str = ""
    status: RunStatus = RunStatus.DONE


def end_run(command: EndRun, unit: Unit) -> None:
    """Handle `EndRun`."""
    run = run_named(unit, command.run)
    if run.kind is not RunKind.PLAYBOOK:
        raise Conflict(f"run {run.id} is of a stage, which its worker ends", hint="cancel it instead")
    if run.status.is_final:
        raise Conflict(f"run {run.id} is already {run.status.value}")
    ended = (
        RunFinished(seconds=command.seconds, output=command.output)
        if command.status is RunStatus.DONE
        else RunFailed(error=command.error, seconds=command.seconds, output=command.output, status=command.status)
    )
    unit.emit(ended, subject=run.id, scope=run.workflow)


COMMANDS = (
    CommandEntry(StartPlaybook, start_playbook, on_item),
    CommandEntry(EndRun, end_run, on_run),
)
