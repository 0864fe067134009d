"""The dotted names a guard reads, with their places: `tests.failed`, `findings`, `findings[].severity`.

`[]` stands for any item of a list: what a loop variable or a computed index reaches.
"""

import difflib
import re
from collections.abc import Collection, Iterator
from typing import Final, TypeAlias

from elohim_kernel.model.guards.nodes import Has, Index, Literal, Macro, Member, Name, Node, children
from elohim_kernel.model.guards.source import refusal

Scope: TypeAlias = dict[str, str | None]  # loop variable -> the path it walks, None when it has no name
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def path_of(node: Node, scope: Scope) -> str | None:
    """The dotted name of a node, or `None` when it is computed."""
    match node:
        case Name(name=name):
            return scope.get(name, name)
        case Member(target=target, name=name) | Has(target=target, name=name):
            before = path_of(target, scope)
            return None if before is None else f"{before}.{name}"
        case Index(target=target, key=key):
            before = path_of(target, scope)
            if before is None:
                return None
            named = isinstance(key, Literal) and isinstance(key.value, str) and _IDENTIFIER.fullmatch(key.value)
            return f"{before}.{key.value}" if named and isinstance(key, Literal) else f"{before}[]"
        case Macro(macro="filter", source=source):
            return path_of(source, scope)
        case _:
            return None


def inner_scope(macro: Macro, scope: Scope) -> Scope:
    """The scope of a macro's body."""
    source = path_of(macro.source, scope)
    return {**scope, macro.variable: None if source is None else f"{source}[]"}


def reads(node: Node, scope: Scope) -> Iterator[tuple[str, Node]]:
    """Every dotted name read below `node` with the node that reads it, in reading order; loop variables are not."""
    path = path_of(node, scope)
    if isinstance(node, Name | Member | Index | Has) and path is not None:
        if not (isinstance(node, Name) and node.name in scope):
            yield path.removesuffix("[]"), node
        yield from _computed_keys(node, scope)
        return
    for child in children(node):
        inside = inner_scope(node, scope) if isinstance(node, Macro) and child is node.body else scope
        yield from reads(child, inside)


def names_read(root: Node) -> tuple[str, ...]:
    """The distinct dotted names, in reading order."""
    return tuple(dict.fromkeys(name for name, _ in reads(root, {})))


def refuse_unknown(text: str, root: Node, known: Collection[str]) -> None:
    """Raise `Invalid` at the first name that is not known, with near matches.

    A known `tests.failed` also makes `tests` known; `labels.*` makes every member of `labels` known. Members of list
    items are checked only where `known` lists some for that list, as in `findings[].severity`.
    """
    for name, node in reads(root, {}):
        if not _is_known(name, known):
            near = difflib.get_close_matches(name, list(known), n=3)
            hint = (
                f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known)) or 'no names'}"
            )
            raise refusal(text, node.start, f"nothing here is called {name}", hint=hint)


def _computed_keys(node: Node, scope: Scope) -> Iterator[tuple[str, Node]]:
    while isinstance(node, Member | Index | Has):
        if isinstance(node, Index) and not isinstance(node.key, Literal):
            yield from reads(node.key, scope)
        node = node.target
    if isinstance(node, Macro):
        yield from reads(node, scope)


def _is_known(name: str, known: Collection[str]) -> bool:
    if name in known or any(other.startswith((f"{name}.", f"{name}[]")) for other in known):
        return True
    if any(name.startswith(other.removesuffix("*")) for other in known if other.endswith(".*")):
        return True
    whole, _, member = name.partition("[]")
    listed = any(other.startswith(f"{whole}[]") for other in known)
    return bool(member) and not listed and _is_known(whole, known)
