"""Running a playbook for a work item: found by name, parameters checked, a token of its own, the copy kept at home."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from elohim_kernel.access.tokens import CreateToken, RevokeToken
from elohim_kernel.errors import Fault, Invalid, KernelError, NotFound, NotRun
from elohim_kernel.model.run import RunStatus
from elohim_kernel.model.token import digest_of, new_secret
from elohim_kernel.model.value import Value, plain
from elohim_kernel.ports import StageResult
from elohim_kernel.runtime.notebook import NotebookRun, NotebookStatus, Playbook, describe, run_notebook
from elohim_kernel.runtime.session import Session
from elohim_kernel.runtime.shipped import shipped
from elohim_kernel.workflows.inspection import GetItem
from elohim_kernel.workflows.playbooks import EndRun, StartPlaybook
from elohim_kernel.workflows.runs import Assignment

OnCell = Callable[[int, int, str], None]

_STATUS: Final = {
    NotebookStatus.DONE: RunStatus.DONE,
    NotebookStatus.CANCELLED: RunStatus.CANCELLED,
    NotebookStatus.LOST: RunStatus.INTERRUPTED,
}


def unseen(_cell: int, _cells: int, _text: str) -> None:
    """Progress for nobody."""


def never() -> bool:
    """Nobody cancels."""
    return False


class PlaybookRun(Value, frozen=True):
    """A playbook that was run: the run's id, and how the notebook ended."""

    id: str
    playbook: str
    notebook: NotebookRun

    @property
    def ok(self) -> bool:
        """Whether every cell was done."""
        return self.notebook.status is NotebookStatus.DONE

    @property
    def problem(self) -> str:
        """What went wrong, with the cell; "" when nothing did."""
        told = self.notebook
        if self.ok:
            return ""
        return f"{told.status.value} in cell {told.cell} ({told.source}): {told.ename}: {told.evalue}"


def playbook_files(home: Path | None) -> Mapping[str, Path]:
    """The playbooks there are, by name: those of `home` and ours, which cannot be replaced."""
    own = sorted((home / "playbooks").glob("*.ipynb")) if home is not None else []
    return {path.stem: path for path in (*own, *sorted(shipped("playbooks").glob("*.ipynb")))}


def playbook_named(name: str, home: Path | None) -> tuple[Path, Playbook]:
    """A playbook's file and description; raises `NotFound` naming those there are."""
    files = playbook_files(home)
    if name not in files:
        raise NotFound(f"there is no playbook {name!r}", hint=f"there is {', '.join(files) or 'none'}")
    return files[name], describe(files[name])


def run_playbook(
    session: Session,
    name: str,
    parameters: Mapping[str, object],
    *,
    item: str,
    home: Path | None,
    output: Path | None = None,
    timeout_s: float,
    cancelled: Callable[[], bool],
    on_progress: OnCell,
) -> PlaybookRun:
    """Run playbook `name` for `item` with a token that lives as long as the run; `output` None keeps the copy at home.

    Raises `NotFound` and `Invalid` before anything starts, `NotRun` for a store that no other process can reach.
    """
    if home is None:
        raise NotRun(f"playbook {name} was not run, because a store in memory cannot be reached from a notebook")
    notebook, described = playbook_named(name, home)
    run: str = session.do(StartPlaybook(item=item, playbook=name, digest=described.digest))
    place = output or home / "runs" / run / f"{name}.ipynb"
    ended = EndRun(run=run, status=RunStatus.FAILED, error="the runner did not come to an end")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _run_token(session, run) as secret:
            told = run_notebook(
                notebook,
                parameters=parameters,
                output=place,
                environment={"ELOHIM_HOME": str(home), "ELOHIM_TOKEN": secret},
                cwd=place.parent,
                timeout_s=timeout_s,
                on_progress=on_progress,
                cancelled=cancelled,
            )
        result = PlaybookRun(id=run, playbook=name, notebook=told)
        ended = EndRun(
            run=run,
            status=_STATUS.get(told.status, RunStatus.FAILED),
            seconds=told.seconds,
            output=str(place),
            error=result.problem,
        )
    except KernelError as wrong:
        ended = EndRun(run=run, status=RunStatus.FAILED, error=str(wrong))
        raise
    finally:
        session.do(ended)
    return result


@contextlib.contextmanager
def _run_token(session: Session, run: str) -> Iterator[str]:
    secret = new_secret()
    token = session.do(CreateToken(digest=digest_of(secret), days=1, run=run))
    try:
        yield secret
    finally:
        session.do(RevokeToken(token=token.id))


def run_automation(
    session: Session,
    assignment: Assignment,
    *,
    home: Path | None,
    timeout_s: float,
    cancelled: Callable[[], bool],
    on_progress: OnCell,
) -> StageResult:
    """Do an AUTOMATION stage: its parameters are read from the item by dotted names."""
    acting = session.working_for(assignment.behalf)
    details = plain(acting.ask(GetItem(item=assignment.item)))
    parameters = {name: _read(details, path, name) for name, path in assignment.parameters.items()}
    result = run_playbook(
        acting,
        assignment.playbook,
        parameters,
        item=assignment.item,
        home=home,
        timeout_s=timeout_s,
        cancelled=cancelled,
        on_progress=on_progress,
    )
    if not result.ok:
        raise Fault(f"playbook {assignment.playbook}: {result.problem}")
    told = {"playbook": assignment.playbook, "run": result.id, "output": result.notebook.output}
    return StageResult(note=f"playbook {assignment.playbook} done", data={"automation": told})


def _read(details: Mapping[str, object], path: str, parameter: str) -> object:
    value: object = details
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise Invalid(f"parameter {parameter!r} reads {path!r}, which the item does not have")
        value = value[part]
    return value
