"""How an operation is joined to its handler and to what it acts on. Rooms list their entries; the gate uses them.

A *target* function finds the tenant whose rows the operation touches, and raises `NotFound` when the caller may not see
it: so "hidden" and "absent" are one answer, given in one place.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from elohim_kernel.errors import NotFound
from elohim_kernel.model.access import GLOBAL
from elohim_kernel.model.approval import Approval
from elohim_kernel.model.command import Command, Query, name_of
from elohim_kernel.model.ids import prefix_of
from elohim_kernel.model.run import Delivery, Run
from elohim_kernel.model.value import from_json
from elohim_kernel.model.workflow import Template, Workflow
from elohim_kernel.store.unit import Reader, item_named

ANYWHERE = "*"  # a target for operations that need their permission in some place, whichever

Target = Callable[[Reader, Any], str]  # an operation of many types, hence Any


class CommandEntry(NamedTuple):
    """A command, who handles it, and how its tenant is found."""

    command: type[Command]
    handle: Callable[..., Any]  # (command, unit) → result; contravariant in the command, hence loose
    target: Target


class QueryEntry(NamedTuple):
    """A query, who answers it, and how its tenant is found."""

    query: type[Query]
    answer: Callable[..., Any]  # (query, reader) → result
    target: Target


class Catalogue(NamedTuple):
    """Every operation by name."""

    commands: Mapping[str, CommandEntry]
    queries: Mapping[str, QueryEntry]

    @classmethod
    def of(cls, commands: Iterable[CommandEntry], queries: Iterable[QueryEntry]) -> "Catalogue":
        """Join the rooms' tables."""
        return cls(
            commands={name_of(entry.command): entry for entry in commands},
            queries={name_of(entry.query): entry for entry in queries},
        )


class OnItem(Protocol):
    """An operation that names a work item."""

    @property
    def item(self) -> str:
        """Id or reference."""


def anywhere(_reader: Reader, _operation: object) -> str:
    """The permission is needed somewhere; rows are limited by the caller's scopes."""
    return ANYWHERE


def everywhere(_reader: Reader, _operation: object) -> str:
    """The permission is needed for what belongs to everybody."""
    return GLOBAL


def on_self(reader: Reader, _operation: object) -> str:
    """Only the caller's own rows are touched."""
    return reader.principal.id


def on_item(reader: Reader, operation: OnItem) -> str:
    """The tenant of the item's workflow."""
    return reader.get(Workflow, item_named(reader, operation.item).workflow).tenant


def on_workflow(reader: Reader, operation: Any) -> str:
    """The tenant of the workflow named in `workflow`."""
    return workflow_named(reader, operation.workflow).tenant


def on_template(reader: Reader, operation: Any) -> str:
    """A template that the caller sees may be used by whoever holds the permission somewhere."""
    template_named(reader, operation.template)
    return ANYWHERE


def on_approval(reader: Reader, operation: Any) -> str:
    """The tenant of the workflow that the approval named in `approval` belongs to."""
    return reader.get(Workflow, approval_named(reader, operation.approval).workflow).tenant


def on_run(reader: Reader, operation: Any) -> str:
    """The tenant of the workflow that the run named in `run` belongs to."""
    return _seen_flow(reader, run_named(reader, operation.run).workflow, f"run {operation.run!r}").tenant


def on_delivery(reader: Reader, operation: Any) -> str:
    """The tenant of the workflow whose event the delivery named in `delivery` brings."""
    found = reader.find(Delivery, operation.delivery)
    return _seen_flow(reader, found.scope if found else "", f"delivery {operation.delivery!r}").tenant


def workflow_named(reader: Reader, name: str) -> Workflow:
    """A workflow the caller sees, by id or name; own before team's before everybody's. Raises `NotFound`."""
    if prefix_of(name) == "wf":
        found = reader.find(Workflow, name)
        if found is not None and reader.principal.sees(found.tenant):
            return found
    for tenant in (reader.principal.id, *reader.principal.teams, GLOBAL):
        found = reader.by_key(Workflow, f"{tenant}/{name}")
        if found is not None:
            return found
    seen = sorted(flow.name for flow in reader.every(Workflow) if reader.principal.sees(flow.tenant))
    raise NotFound(
        f"there is no workflow {name!r}", hint=f"there is {', '.join(seen)}" if seen else "there is none yet"
    )


def template_named(reader: Reader, name: str) -> Template:
    """A template the caller sees, by id or name. Raises `NotFound` naming those there are."""
    if prefix_of(name) == "tp":
        found = reader.find(Template, name)
        if found is not None and reader.principal.sees(found.tenant):
            return found
    for tenant in (reader.principal.id, *reader.principal.teams, GLOBAL):
        found = reader.by_key(Template, f"{tenant}/{name}")
        if found is not None:
            return found
    seen = sorted(one.name for one in reader.every(Template) if reader.principal.sees(one.tenant))
    raise NotFound(f"there is no template {name!r}", hint=f"there is {', '.join(seen)}")


def approval_named(reader: Reader, identifier: str) -> Approval:
    """An approval the caller sees, by its id or by its item's reference: the open one, else the last."""
    if prefix_of(identifier) == "ap":
        found = reader.find(Approval, identifier)
    else:
        item = item_named(reader, identifier)
        found = reader.find(Approval, item.approval) if item.approval else _last_approval(reader, item.id)
    flow = reader.find(Workflow, found.workflow) if found else None
    if found is None or flow is None or not reader.principal.sees(flow.tenant):
        raise NotFound(f"there is no approval {identifier!r}", hint="see `elohim item show REFERENCE`")
    return found


def _last_approval(reader: Reader, item: str) -> Approval | None:
    rows = reader.rows("approvals_of", item=item)
    # The tables are as they were before this group of commands; the state is as they leave it.
    return reader.find(Approval, from_json(rows[-1]["body"], Approval).id) if rows else None


def run_named(reader: Reader, identifier: str) -> Run:
    """A run the caller sees, by id. Raises `NotFound`."""
    found = reader.find(Run, identifier)
    if found is None:
        raise NotFound(f"there is no run {identifier!r}")
    return found


def _seen_flow(reader: Reader, identifier: str, what: str) -> Workflow:
    flow = reader.find(Workflow, identifier)
    if flow is None or not reader.principal.sees(flow.tenant):
        raise NotFound(f"there is no {what}")
    return flow
