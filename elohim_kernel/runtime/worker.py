"""The worker: takes up what is due, runs its part with journalled steps, and puts the result through the gate.

It holds a lease while it works and renews it; if it dies, another one takes the run up where its journal ends. What a
run records, it records with the rights of whoever caused it.
"""

import contextlib
import itertools
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

from elohim_kernel.errors import Cancelled, Conflict, Fault, KernelError, Unavailable
from elohim_kernel.findings.enrichment import proposal_of
from elohim_kernel.findings.recording import KnownFindings
from elohim_kernel.findings.settling import ExpireDecisions
from elohim_kernel.model.finding import Finding
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.ports import Clock, Engine, Stage, StageResult, StageWork
from elohim_kernel.runtime.cache import EngineCache, engine_cache
from elohim_kernel.runtime.keys import findings_key
from elohim_kernel.runtime.playbooks import run_automation
from elohim_kernel.runtime.recording import looked_at_change, record
from elohim_kernel.runtime.session import Session
from elohim_kernel.runtime.tools import LocalTools, scratch_folder
from elohim_kernel.workflows.approvals import ExpireApprovals
from elohim_kernel.workflows.runs import (
    Assignment,
    ClaimDelivery,
    ExtendLease,
    FailStage,
    FinishStage,
    GetStep,
    RecordStep,
)
from elohim_kernel.workflows.schedules import DueSchedules, DueSlot, FireSchedule, SkipSlot

_log: Final = logging.getLogger("elohim.worker")
_IDLE_S: Final = 0.5
_HOUSEKEEPING_S: Final = 15.0
_numbers: Final = itertools.count(1)  # two workers of one name would take each other's lease for their own

OnProgress = Callable[[Assignment, str, int, int], None]


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)


class SessionJournal:
    """The journal of one run, kept in the store through a session."""

    def __init__(self, session: Session, run: str, *, resumed: bool) -> None:
        """A run that is not `resumed` has no steps to recall, so none is asked for."""
        self._session = session
        self._run = run
        self._resumed = resumed

    def recall(self, name: str, inputs_digest: str) -> str | None:
        """See `runtime.tools.Journal`."""
        step = self._session.ask(GetStep(run=self._run, step=name)) if self._resumed else None
        return step.output if step is not None and step.inputs == inputs_digest else None

    def record(self, name: str, inputs_digest: str, output_json: str, seconds: float) -> None:
        """See `runtime.tools.Journal`."""
        step = RecordStep(run=self._run, step=name, inputs=inputs_digest, output=output_json, seconds=seconds)
        self._session.do(step)


def silent(_assignment: Assignment, _text: str, _done: int, _total: int) -> None:
    """Progress for nobody."""


class Worker:
    """Runs automated stages, one at a time; start several for more. `session` must be able to act for others."""

    def __init__(
        self,
        session: Session,
        *,
        stages: Mapping[str, Stage],
        engines: Mapping[str, Engine],
        home: Path | None,
        on_progress: OnProgress = silent,
        lease_s: float = 60.0,
        run_timeout_s: float = 1_800.0,
        clock: Clock | None = None,
    ) -> None:
        """`home` None: the store is in memory, so nothing that needs a home can run. `clock` None: the machine's."""
        self._session = session
        self._stages = stages
        self._engines = engines
        self._home = home
        self._on_progress = on_progress
        self._lease_s = lease_s
        self._run_timeout_s = run_timeout_s
        self._clock = clock or SystemClock()
        self._under_way: threading.Event | None = None
        self.name = f"{socket.gethostname()}/{os.getpid()}/{next(_numbers)}"

    def run_next(self, *, item: str = "") -> Assignment | None:
        """Take up and finish one due stage, of `item` (an id) only when given; `None` when nothing is due."""
        mine = self._session.working_for("")
        assignment: Assignment | None = mine.do(ClaimDelivery(worker=self.name, lease_s=self._lease_s, item=item))
        if assignment is not None:
            self._work_on(assignment)
        return assignment

    def drain(self, *, item: str = "", limit: int = 1_000) -> int:
        """Run everything that is due, and what that makes due; returns how many stages were run."""
        count = 0
        while count < limit and self.run_next(item=item) is not None:
            count += 1
        return count

    def interrupt(self) -> None:
        """Let what is under way stop: its run ends as cancelled and its item waits for a person.

        It may be called from a handler of a signal.
        """
        if self._under_way is not None:
            self._under_way.set()

    def housekeeping(self) -> int:
        """Open what schedules ask for, close what has expired, mark what is overdue; returns how much that was."""
        mine = self._session.working_for("")
        fired = [self._fire(slot) for slot in mine.ask(DueSchedules())]
        expired: int = mine.do(ExpireApprovals()) + mine.do(ExpireDecisions())
        return sum(fired) + expired

    def _fire(self, due: DueSlot) -> bool:
        command = FireSchedule(workflow=due.workflow, schedule=due.schedule, slot=due.slot, skipped=due.skipped)
        try:
            self._session.working_for(due.owner).do(command, key=due.key)
        except KernelError as refused:
            if refused.retryable:
                raise
            # One owner's lost right must not stop everybody's schedules, nor be asked for again and again.
            skipped = SkipSlot(workflow=due.workflow, schedule=due.schedule, slot=due.slot, problem=str(refused))
            self._session.working_for("").do(skipped)
            return False
        return True

    def serve(self, stop: threading.Event) -> None:
        """Work until `stop` is set. An unreachable store is waited for; it is somebody else's to mend."""
        tidied = 0.0
        while not stop.is_set():
            try:
                if monotonic() - tidied > _HOUSEKEEPING_S:
                    self.housekeeping()
                    tidied = monotonic()
                if self.run_next() is None:
                    stop.wait(_IDLE_S)
            except KernelError:
                _log.exception("the worker could not go on")
                stop.wait(_HOUSEKEEPING_S)

    def _work_on(self, assignment: Assignment) -> None:
        began = monotonic()
        try:
            with self._lease(assignment) as cancelled:
                result = self._result(assignment, cancelled)
                self._record(assignment, result)
            self._finish(assignment, result, seconds=monotonic() - began)
        except KernelError as wrong:
            self._fail(assignment, wrong, seconds=monotonic() - began)
        except Exception as defect:  # noqa: BLE001 - an outer door: a defect of a part ends its run, not the worker
            _log.exception("stage %s of %s failed", assignment.stage, assignment.reference)
            fault = Fault(f"{assignment.stage_type.value} failed: {type(defect).__name__}: {defect}")
            self._fail(assignment, fault, seconds=monotonic() - began)

    def _fail(self, assignment: Assignment, error: KernelError, *, seconds: float) -> None:
        failure = FailStage(
            delivery=assignment.delivery,
            worker=self.name,
            error=str(error)[:2_000].encode(errors="backslashreplace").decode(),
            retryable=error.retryable,
            cancelled=isinstance(error, Cancelled),
            seconds=round(seconds, 3),
        )
        try:
            self._session.working_for("").do(failure)
        except Conflict as lost:
            # Its lease ran out and somebody else has it: what happens to it now is theirs to say.
            _log.warning("%s: %s; %s", assignment.reference, error, lost)

    def _result(self, assignment: Assignment, cancelled: threading.Event) -> StageResult:
        if assignment.stage_type is StageType.AUTOMATION:
            return run_automation(
                self._session,
                assignment,
                home=self._home,
                timeout_s=self._run_timeout_s,
                cancelled=cancelled.is_set,
                on_progress=lambda done, total, text: self._on_progress(assignment, text, done, total),
            )
        stage = self._stages.get(assignment.stage_type.value)
        if stage is None:
            known = ", ".join(sorted(self._stages))
            raise Unavailable(f"no part does {assignment.stage_type.value} stages here", hint=f"there is {known}")
        with scratch_folder() as scratch, engine_cache(self._home) as cache:
            return stage.run(_work_of(assignment), self._tools(assignment, scratch, cache, cancelled))

    def _tools(
        self, assignment: Assignment, scratch: Path, cache: EngineCache | None, cancelled: threading.Event
    ) -> LocalTools:
        session = self._session.working_for(assignment.behalf)

        def known(repository: str) -> Sequence[Finding]:
            found: Sequence[Finding] = session.ask(KnownFindings(workflow=assignment.workflow, repository=repository))
            return found

        return LocalTools(
            engines=self._engines,
            clock=self._clock,
            scratch=scratch,
            on_progress=lambda text, done, total: self._on_progress(assignment, text, done, total),
            cancelled=cancelled,
            journal=SessionJournal(session, assignment.run, resumed=assignment.attempt > 1),
            known=known,
            key=findings_key(self._home),
            cache=cache,
        )

    def _record(self, assignment: Assignment, result: StageResult) -> None:
        session = self._session.working_for(assignment.behalf)
        repository = result.change.repository if result.change else str(assignment.data.get("repository", ""))
        at = looked_at_change(assignment.workflow, repository, result.change, item=assignment.item, run=assignment.run)
        # The key makes a resumed run record each report once.
        record(session, result.reports, at, key=assignment.run, fresh=assignment.attempt == 1)
        for report in result.reports:
            if proposal := proposal_of(report, workflow=at.workflow, item=at.item, run=at.run):
                session.do(proposal, key=f"{assignment.run}/tests", fresh=assignment.attempt == 1)

    def _finish(self, assignment: Assignment, result: StageResult, *, seconds: float) -> None:
        self._session.working_for(assignment.behalf).do(
            FinishStage(
                delivery=assignment.delivery,
                worker=self.name,
                note=result.note,
                data=result.data,
                facts=result.facts,
                recommendation=result.recommendation,
                seconds=round(seconds, 3),
            ),
            key=f"{assignment.run}/finish",
            fresh=assignment.attempt == 1,
        )

    @contextlib.contextmanager
    def _lease(self, assignment: Assignment) -> Iterator[threading.Event]:
        cancelled, over = threading.Event(), threading.Event()
        session = self._session.working_for("")
        extend = ExtendLease(delivery=assignment.delivery, worker=self.name, lease_s=self._lease_s)

        def renew() -> None:
            while not over.wait(self._lease_s / 3):
                try:
                    if session.do(extend):
                        cancelled.set()
                except Conflict:
                    # Somebody else has it: stop before two do the same.
                    cancelled.set()
                except KernelError:
                    _log.exception("the lease of %s could not be renewed", assignment.reference)

        keeper = threading.Thread(target=renew, name=f"lease {assignment.reference}", daemon=True)
        keeper.start()
        self._under_way = cancelled
        try:
            yield cancelled
        finally:
            self._under_way = None
            over.set()
            keeper.join(timeout=5)


def _work_of(assignment: Assignment) -> StageWork:
    return StageWork(
        item=assignment.item,
        reference=assignment.reference,
        stage=assignment.stage,
        stage_type=assignment.stage_type.value,
        prompt=assignment.prompt,
        target_path=assignment.target_path,
        data=assignment.data,
    )
