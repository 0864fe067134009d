"""What hangs on a work item: fields, comments, tags, links, attachments. A change to what is shown renews the ask."""

import re
from collections.abc import Mapping
from typing import Any, Final

from elohim_kernel.errors import Conflict, Invalid
from elohim_kernel.model.access import Principal
from elohim_kernel.model.command import Command
from elohim_kernel.model.life_cycle import check_not_final
from elohim_kernel.model.work_item import (
    Attachment,
    Link,
    Priority,
    WorkItemAttached,
    WorkItemChanged,
    WorkItemCommented,
    WorkItemLinked,
    WorkItemUnlinked,
)
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.catalogue import CommandEntry, on_item
from elohim_kernel.store.unit import Unit, item_named
from elohim_kernel.workflows.moves import renew_approval
from elohim_kernel.workflows.work_items import Moved, moved

_MENTION: Final = re.compile(r"(?<![\w@.])@([a-z0-9][a-z0-9._-]{0,62})")
_TAG: Final = re.compile(r"^[\w][\w.:/ -]{0,62}$")
_TEXT_CAP: Final = 20_000  # characters


class CommentItem(Command, frozen=True):
    """Say something about an item. `@name` tells that person, if they work in its workflow."""

    result = Moved
    example = {"item": "EL-1", "text": "@bo could you look at the cache?"}

    item: str
    text: str


def comment_item(command: CommentItem, unit: Unit) -> Moved:
    """Handle `CommentItem`."""
    item = item_named(unit, command.item)
    text = command.text.strip()
    if not text:
        raise Invalid("a comment cannot be empty")
    if len(text) > _TEXT_CAP:
        raise Invalid(f"a comment has at most {_TEXT_CAP} characters, this one has {len(text)}", hint="attach a file")
    tenant = unit.get(Workflow, item.workflow).tenant
    named = (unit.by_key(Principal, name.rstrip(".-")) for name in _MENTION.findall(text))
    told = tuple(dict.fromkeys(one.id for one in named if one is not None and one.sees(tenant)))
    unit.emit(WorkItemCommented(text=text, mentions=told), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


class ChangeItem(Command, frozen=True):
    """Set fields of an item; what is not given stays. `data` is merged by key."""

    result = Moved
    example = {"item": "EL-1", "priority": "high"}

    item: str
    title: str | None = None
    priority: Priority | None = None
    data: Mapping[str, Any] | None = None


def change_item(command: ChangeItem, unit: Unit) -> Moved:
    """Handle `ChangeItem`."""
    item = item_named(unit, command.item)
    check_not_final(item, "changed")
    if command.title is not None and not command.title.strip():
        raise Invalid("the title of an item cannot be empty")
    unit.emit(
        WorkItemChanged(title=command.title, priority=command.priority, data=command.data),
        subject=item.id,
        scope=item.workflow,
    )
    renew_approval(unit, item.id)
    return moved(unit, item.id)


class TagItem(Command, frozen=True):
    """Add and remove tags of an item."""

    result = Moved
    example = {"item": "EL-1", "add": ["backend"]}

    item: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def tag_item(command: TagItem, unit: Unit) -> Moved:
    """Handle `TagItem`."""
    item = item_named(unit, command.item)
    for tag in command.add:
        if not _TAG.match(tag):
            raise Invalid(f"{tag!r} cannot be a tag", hint="letters, digits, spaces and . : / - up to 63 characters")
    tags = tuple(dict.fromkeys((*(tag for tag in item.tags if tag not in command.remove), *command.add)))
    unit.emit(WorkItemChanged(tags=tags), subject=item.id, scope=item.workflow)
    return moved(unit, item.id)


class LinkItem(Command, frozen=True):
    """Relate an item to another item or to an address. A reference must be of an item you can see."""

    result = Moved
    example = {"item": "EL-2", "kind": "relates", "target": "EL-1"}

    item: str
    target: str
    kind: str = "relates"
    title: str = ""


def link_item(command: LinkItem, unit: Unit) -> Moved:
    """Handle `LinkItem`."""
    item = item_named(unit, command.item)
    is_address = command.target.startswith(("https://", "http://"))
    if ":" in command.target and not is_address:
        raise Invalid(f"{command.target!r} cannot be linked", hint="give an item's reference, or an http(s) address")
    target = command.target if is_address else item_named(unit, command.target).reference
    link = Link(kind=command.kind, target=target, title=command.title)
    if link in item.links:
        raise Conflict(f"{item.reference} is already linked to {target}")
    unit.emit(WorkItemLinked(link=link), subject=item.id, scope=item.workflow)
    renew_approval(unit, item.id)
    return moved(unit, item.id)


class UnlinkItem(Command, frozen=True):
    """Remove the relations of an item to a target."""

    result = Moved
    example = {"item": "EL-2", "target": "EL-1"}

    item: str
    target: str


def unlink_item(command: UnlinkItem, unit: Unit) -> Moved:
    """Handle `UnlinkItem`."""
    item = item_named(unit, command.item)
    found = [link for link in item.links if link.target == command.target]
    if not found:
        raise Conflict(f"{item.reference} is not linked to {command.target!r}")
    for link in found:
        unit.emit(WorkItemUnlinked(link=link), subject=item.id, scope=item.workflow)
    renew_approval(unit, item.id)
    return moved(unit, item.id)


class AttachFile(Command, frozen=True):
    """Attach a file by reference: its place, digest and size. The bytes stay where they are."""

    result = Moved
    example = {"item": "EL-1", "name": "trace.log", "location": "/var/log/trace.log", "digest": "sha256:00", "size": 12}

    item: str
    name: str
    location: str
    digest: str = ""
    size: int = 0


def attach_file(command: AttachFile, unit: Unit) -> Moved:
    """Handle `AttachFile`."""
    item = item_named(unit, command.item)
    attachment = Attachment(name=command.name, location=command.location, digest=command.digest, size=command.size)
    unit.emit(WorkItemAttached(attachment=attachment), subject=item.id, scope=item.workflow)
    renew_approval(unit, item.id)
    return moved(unit, item.id)


COMMANDS = (
    CommandEntry(CommentItem, comment_item, on_item),
    CommandEntry(ChangeItem, change_item, on_item),
    CommandEntry(TagItem, tag_item, on_item),
    CommandEntry(LinkItem, link_item, on_item),
    CommandEntry(UnlinkItem, unlink_item, on_item),
    CommandEntry(AttachFile, attach_file, on_item),
)
