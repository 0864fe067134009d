"""The front door for Python: thin typed verbs over commands and queries. Nothing is decided here.

`wb.do` and `wb.ask` take any command or query; the verbs are the ones people type. Everything that is shown has a
one-line `repr`, and nothing is shown unasked.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Literal

from msgspec.structs import replace

from elohim_kernel import registry
from elohim_kernel.config import Settings
from elohim_kernel.errors import NotFound, Unavailable
from elohim_kernel.model.access import Visibility
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.definition_text import parse_definition
from elohim_kernel.model.stage_type import StageType
from elohim_kernel.model.work_item import Priority, Status
from elohim_kernel.model.workflow import Definition
from elohim_kernel.runtime.handle import Handle
from elohim_kernel.runtime.notebook import Playbook
from elohim_kernel.runtime.playbooks import (
    OnCell,
    PlaybookRun,
    never,
    playbook_files,
    playbook_named,
    run_playbook,
    unseen,
)
from elohim_kernel.runtime.repository import open_repository, revision_of
from elohim_kernel.runtime.session import Session
from elohim_kernel.runtime.worker import OnProgress, Worker, silent
from elohim_kernel.store.changes import unpack
from elohim_kernel.store.result import Result
from elohim_kernel.store.snapshot import Snapshot
from elohim_kernel.workbench import exchange, scanning
from elohim_kernel.workbench.findings import Findings
from elohim_kernel.workbench.tests import Tests
from elohim_kernel.workflows.approvals import Approve, Asked, Decided, ListApprovals, Reject
from elohim_kernel.workflows.definitions import (
    CreateWorkflow,
    DiffWorkflow,
    GetWorkflow,
    ListWorkflows,
    ReviseWorkflow,
    WorkflowDetails,
    WorkflowSummary,
)
from elohim_kernel.workflows.details import AttachFile, ChangeItem, CommentItem, LinkItem, TagItem
from elohim_kernel.workflows.inspection import GetInbox, GetItem, ItemDetails, ItemSummary, ListItems, Told
from elohim_kernel.workflows.templates import InstantiateTemplate, ListTemplates, TemplateSummary
from elohim_kernel.workflows.work_items import (
    CancelItem,
    ClaimItem,
    CompleteStage,
    Moved,
    OpenWorkItem,
    ReassignItem,
    ReleaseItem,
    RetryStage,
    SendBack,
)

STANDARD_REVIEW: Final = "Standard Code Review"
_POLL_S: Final = 0.2
_RESTING: Final = frozenset({Status.COMPLETED, Status.CANCELLED, Status.FAILED, Status.WAITING})


Item = str | ItemDetails | ItemSummary | Moved  # an item by reference or id, or whatever a verb gave you of it


class Workbench:
    """A workbench on one store, as one principal. Use `elohim_kernel.open()` to get one."""

    def __init__(self, session: Session, settings: Settings, *, home: Path | None) -> None:
        """`home` None: the store is in memory."""
        self.session = session
        self.settings = settings
        self._home = home
        self._snapshot: Snapshot | None = None

    def __repr__(self) -> str:
        where = self._home or "memory"
        return f"<Workbench {where} as {self.settings.user}>"

    def __enter__(self) -> "Workbench":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the store go."""
        self.session.close()

    def do(self, command: Command, *, key: str = "") -> Any:
        """Do a command; the result is of the command's `result` type. An equal `key` gives the first result again."""
        return self.session.do(command, key=key)

    def ask(self, query: Query) -> Any:
        """Answer a query; the answer is of the query's `result` type."""
        return self.session.ask(query)

    def acting_as(self, name: str) -> "Workbench":
        """The same workbench as somebody else. Raises `Unauthenticated` when nobody is called that."""
        return Workbench(self.session.acting_as(name), replace(self.settings, user=name), home=self._home)

    def status(self) -> Mapping[str, Any]:
        """Where the store is, who owns it, and its version. JSON, hence `Any`."""
        return self.session.status()

    def sql(self, query: str, **parameters: object) -> Result:
        """Run one reading statement on your own copy of the rows you may see; `$name` is bound to `name=…`.

        Raises `Invalid` for a statement that is wrong or does more than read.

        >>> import elohim_kernel
        >>> with elohim_kernel.open(":memory:") as wb:
        ...     wb.sql("select name from templates where name like $part", part="Bug%").rows()
        [{'name': 'Bug Fix + Test'}]
        """
        if self._snapshot is None:
            self._snapshot = Snapshot(lambda wanted: unpack(self.session.changes(wanted)))
        self._snapshot.refresh()
        return self._snapshot.query(query, parameters)

    def open_item(
        self,
        workflow: str,
        title: str,
        *,
        data: Mapping[str, Any] | None = None,
        priority: Priority | str = Priority.NORMAL,
        tags: tuple[str, ...] = (),
        key: str = "",
    ) -> Moved:
        """Open a work item in a workflow, by name or id."""
        command = OpenWorkItem(
            workflow=workflow, title=title, data=data or {}, priority=Priority(priority), tags=tuple(tags)
        )
        opened: Moved = self.do(command, key=key)
        return opened

    def item(self, reference: Item) -> ItemDetails:
        """Everything about one item. Raises `NotFound`."""
        found: ItemDetails = self.ask(GetItem(item=_id(reference)))
        return found

    def items(
        self,
        *,
        status: str = "",
        stage: str = "",
        workflow: str = "",
        assignee: str = "",
        tag: str = "",
        text: str = "",
        open: bool = False,
        order: Literal["priority", "age", "sla", "number"] = "number",
        limit: int = 100,
    ) -> tuple[ItemSummary, ...]:
        """Items you can see, in queue order. "" leaves a filter out; `assignee` may be "me"."""
        found: tuple[ItemSummary, ...] = self.ask(
            ListItems(
                status=status,
                stage=stage,
                workflow=workflow,
                assignee=assignee,
                tag=tag,
                text=text,
                open=open,
                order=order,
                limit=limit,
            )
        )
        return found

    def claim(self, item: Item) -> Moved:
        """Take an item from its queue."""
        return self._moved(ClaimItem(item=_id(item)))

    def release(self, item: Item, *, note: str = "") -> Moved:
        """Give an item back to its queue."""
        return self._moved(ReleaseItem(item=_id(item), note=note))

    def reassign(self, item: Item, to: str, *, note: str = "") -> Moved:
        """Give an item to somebody else, by name."""
        return self._moved(ReassignItem(item=_id(item), to=to, note=note))

    def complete(self, item: Item, *, note: str = "", outcome: str = "", **form: Any) -> Moved:
        """Complete the stage an item is in; `form` are the answers of the stage's form."""
        return self._moved(CompleteStage(item=_id(item), note=note, outcome=outcome, form=form))

    def send_back(self, item: Item, *, note: str, to: str = "") -> Moved:
        """Send an item back to an earlier stage; "" is the one it came from."""
        return self._moved(SendBack(item=_id(item), note=note, to=to))

    def cancel(self, item: Item, *, reason: str) -> Moved:
        """Give an item up."""
        return self._moved(CancelItem(item=_id(item), reason=reason))

    def retry(self, item: Item, *, note: str = "") -> Moved:
        """Try a failed automated stage again."""
        return self._moved(RetryStage(item=_id(item), note=note))

    def comment(self, item: Item, text: str) -> Moved:
        """Say something about an item; `@name` tells that person."""
        return self._moved(CommentItem(item=_id(item), text=text))

    def change(
        self,
        item: Item,
        *,
        title: str | None = None,
        priority: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Moved:
        """Set fields of an item; `None` leaves one as it is, `data` is merged by key."""
        level = Priority(priority) if priority else None
        return self._moved(ChangeItem(item=_id(item), title=title, priority=level, data=data))

    def tag(self, item: Item, *add: str, remove: tuple[str, ...] = ()) -> Moved:
        """Add and remove tags."""
        return self._moved(TagItem(item=_id(item), add=add, remove=tuple(remove)))

    def link(self, item: Item, target: str, *, kind: str = "relates", title: str = "") -> Moved:
        """Relate an item to another one, or to an http(s) address."""
        return self._moved(LinkItem(item=_id(item), target=target, kind=kind, title=title))

    def attach(self, item: Item, path: str | Path) -> Moved:
        """Attach a file by reference, with its digest. Raises `NotFound` when it is not there."""
        location, size, digest = _measured(Path(path))
        name = Path(path).name
        return self._moved(AttachFile(item=_id(item), name=name, location=location, size=size, digest=digest))

    def approve(self, approval: Item, *, comment: str = "", digest: str | None = None) -> Decided:
        """Say yes: to an approval by id, or to the open one of an item. `digest` is what you were shown."""
        decided: Decided = self.do(Approve(approval=_id(approval), comment=comment, digest=digest))
        return decided

    def reject(self, approval: Item, *, comment: str = "", digest: str | None = None) -> Decided:
        """Say no; see `approve`."""
        decided: Decided = self.do(Reject(approval=_id(approval), comment=comment, digest=digest))
        return decided

    def approvals(self, item: Item = "") -> tuple[Asked, ...]:
        """The approvals of an item; "" gives all open ones you can see."""
        found: tuple[Asked, ...] = self.ask(ListApprovals(item=_id(item)))
        return found

    def inbox(self, *, unread: bool = True) -> tuple[Told, ...]:
        """What you were told, newest first."""
        found: tuple[Told, ...] = self.ask(GetInbox(unread=unread))
        return found

    def workflows(self) -> tuple[WorkflowSummary, ...]:
        """The workflows you can see."""
        found: tuple[WorkflowSummary, ...] = self.ask(ListWorkflows())
        return found

    def workflow(self, name: str, *, revision: int = 0) -> WorkflowDetails:
        """One workflow with its definition; revision 0 is the newest."""
        found: WorkflowDetails = self.ask(GetWorkflow(workflow=name, revision=revision))
        return found

    def diff(self, workflow: str, *, before: int = 0, after: int = 0) -> tuple[str, ...]:
        """What changed between two revisions, as lines of a unified diff."""
        found: tuple[str, ...] = self.ask(DiffWorkflow(workflow=workflow, before=before, after=after))
        return found

    def define(
        self, definition: Definition | str, *, visibility: str | None = None, team: str = "", note: str = ""
    ) -> WorkflowSummary:
        """Create a workflow, or revise the one of that name; the definition may be YAML text.

        `visibility` None takes whichever you see, and creates a personal one; otherwise only one of that visibility.
        """
        wanted = parse_definition(definition) if isinstance(definition, str) else definition
        sight = Visibility(visibility or Visibility.PERSONAL)
        named = [one for one in self.workflows() if one.name == wanted.name]
        known = [one for one in named if visibility is None or one.visibility is sight]
        command: Command = (
            ReviseWorkflow(workflow=known[0].id, definition=wanted, note=note)
            if known
            else CreateWorkflow(definition=wanted, visibility=sight, team=team, note=note)
        )
        saved: WorkflowSummary = self.do(command)
        return saved

    def templates(self) -> tuple[TemplateSummary, ...]:
        """The templates you can start from."""
        found: tuple[TemplateSummary, ...] = self.ask(ListTemplates())
        return found

    def instantiate(
        self, template: str, *, name: str = "", visibility: str = "personal", team: str = ""
    ) -> WorkflowSummary:
        """Make a workflow from a template; the one you already made from it is returned as it is."""
        made: WorkflowSummary = self.do(
            InstantiateTemplate(template=template, name=name, visibility=Visibility(visibility), team=team)
        )
        return made

    def review(
        self,
        repository: str | Path,
        *,
        base: str | None = None,
        head: str | None = None,
        template: str = STANDARD_REVIEW,
        on_progress: OnProgress = silent,
    ) -> ItemDetails:
        """Review a change of a git repository, as far as no person is needed; returns the item that waits for one.

        `None` for `base` and `head` takes the default branch and the newest other branch. Raises `Invalid` before
        anything is recorded when the repository or a revision is not there.
        """
        opened = self.open_review(repository, base=base, head=head, template=template)
        self.drain(opened.id, on_progress=on_progress)
        return self.item(opened.id)

    def open_review(
        self,
        repository: str | Path,
        *,
        base: str | None = None,
        head: str | None = None,
        template: str = STANDARD_REVIEW,
    ) -> Moved:
        """The first half of `review`: an item whose automated stages are due, for whichever worker comes."""
        source = open_repository(str(Path(repository).expanduser()))
        change = source.change(base, head)
        flow = self.instantiate(template)
        where = {
            "repository": change.repository,
            "base": revision_of(source, change.base_name, change.base),
            "head": revision_of(source, change.head_name, change.head),
        }
        opened = self.open_item(flow.id, change.title or f"Review {change.head_name}", data=where)
        first = self.workflow(flow.id).definition.stages[0]
        wanted = {field.name for field in first.form}
        return self.complete(opened.id, **{name: value for name, value in where.items() if name in wanted and value})

    def drain(self, item: Item = "", *, on_progress: OnProgress = silent) -> int:
        """Run, here and now, the automated stages that are due, of one item or of all; returns how many were run."""
        return self.worker(on_progress=on_progress).drain(item=_id(item))

    def worker(self, *, on_progress: OnProgress = silent) -> Worker:
        """A worker on this store."""
        return Worker(
            self.session,
            stages=registry.stages(),
            engines=registry.engines(),
            home=self._home,
            on_progress=on_progress,
            run_timeout_s=self.settings.run_timeout_s,
        )

    def wait(self, item: Item, *, timeout_s: float = 600.0) -> ItemDetails:
        """Wait until nothing automated is left to do for an item, when a worker elsewhere does it.

        Raises `Unavailable` when that takes longer than `timeout_s`.
        """
        deadline, pause = monotonic() + timeout_s, threading.Event()
        while True:
            found = self.item(item)
            if found.status in _RESTING or not StageType(found.stage_type).traits.automated:
                return found
            if monotonic() > deadline:
                still = f"{found.reference} is still {found.status.value} in {found.stage} after {timeout_s:g} s"
                raise Unavailable(still, hint="is a worker running? elohim serve, or elohim work --once")
            pause.wait(_POLL_S)

    scan = scanning.scan
    engines = scanning.engines
    import_findings = exchange.take_in
    export_findings = exchange.write_out

    @property
    def findings(self) -> Findings:
        """Findings: called it lists them, `.explain(id)` explains one, `.decide(...)` dismisses or accepts."""
        return Findings(self)

    @property
    def tests(self) -> Tests:
        """Tests: `.propose(repository, base=…)` proposes some, `.show(id)` shows them, `.export(id)` gives a patch."""
        return Tests(self)

    @property
    def home(self) -> Path | None:
        """Its folder; `None` when the store is in memory."""
        return self._home

    def playbooks(self) -> tuple[Playbook, ...]:
        """The playbooks there are, with their parameters."""
        return tuple(playbook_named(name, self._home)[1] for name in playbook_files(self._home))

    def run_playbook(
        self,
        name: str,
        parameters: Mapping[str, object],
        *,
        item: str,
        output: Path | None = None,
        on_progress: OnCell = unseen,
        cancelled: Callable[[], bool] = never,
    ) -> PlaybookRun:
        """Run a playbook for an item; see `runtime.playbooks.run_playbook`."""
        return run_playbook(
            self.session,
            name,
            parameters,
            item=item,
            home=self._home,
            output=output,
            timeout_s=self.settings.run_timeout_s,
            cancelled=cancelled,
            on_progress=on_progress,
        )

    def start_playbook(self, name: str, parameters: Mapping[str, object], *, item: str) -> Handle[PlaybookRun]:
        """The same without waiting for it."""
        return Handle(lambda stop: self.run_playbook(name, parameters, item=item, cancelled=stop), name=name)

    def _moved(self, command: Command) -> Moved:
        result: Moved = self.do(command)
        return result


def _id(item: Item) -> str:
    return item if isinstance(item, str) else item.id


def _measured(path: Path) -> tuple[str, int, str]:
    if not path.is_file():
        raise NotFound(f"there is no file {str(path)!r} to attach")
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return str(path.resolve()), path.stat().st_size, f"sha256:{digest}"
