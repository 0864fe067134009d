"""The parsed shape of a guard: frozen nodes that know which characters of the text they came from.

`start` and `end` are character offsets, end exclusive, so `text[node.start:node.end]` is the node as it was written.
"""

from collections.abc import Iterator
from typing import TypeAlias

from elohim_kernel.model.value import Value


class Literal(Value, frozen=True, tag="literal"):
    """A constant; `None` is CEL's null."""

    value: bool | int | float | str | None
    start: int
    end: int


class Name(Value, frozen=True, tag="name"):
    """A fact or a loop variable."""

    name: str
    start: int
    end: int


class Member(Value, frozen=True, tag="member"):
    """`target.name`."""

    target: "Node"
    name: str
    start: int
    end: int


class Index(Value, frozen=True, tag="index"):
    """`target[key]`."""

    target: "Node"
    key: "Node"
    start: int
    end: int


class ListOf(Value, frozen=True, tag="list"):
    """`[a, b]`."""

    items: tuple["Node", ...]
    start: int
    end: int


class MapOf(Value, frozen=True, tag="map"):
    """`{a: b}`; keys and values in step."""

    keys: tuple["Node", ...]
    values: tuple["Node", ...]
    start: int
    end: int


class Unary(Value, frozen=True, tag="unary"):
    """`!operand` or `-operand`."""

    operator: str
    operand: "Node"
    start: int
    end: int


class Binary(Value, frozen=True, tag="binary"):
    """Arithmetic, comparison or `in`."""

    operator: str
    left: "Node"
    right: "Node"
    start: int
    end: int


class Logic(Value, frozen=True, tag="logic"):
    """`&&` or `||` over two or more operands: a chain is one node, however long."""

    operator: str
    operands: tuple["Node", ...]
    start: int
    end: int


class Choice(Value, frozen=True, tag="choice"):
    """`condition ? then : otherwise`."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"
    start: int
    end: int


class Has(Value, frozen=True, tag="has"):
    """`has(target.name)`."""

    target: "Node"
    name: str
    start: int
    end: int


class Call(Value, frozen=True, tag="call"):
    """A function; for `a.f(b)` the receiver is the first argument."""

    function: str
    arguments: tuple["Node", ...]
    start: int
    end: int


class Macro(Value, frozen=True, tag="macro"):
    """`source.macro(variable, body)`, where `macro` is all, exists, exists_one, filter or map."""

    macro: str
    source: "Node"
    variable: str
    body: "Node"
    start: int
    end: int


Node: TypeAlias = (
    Literal | Name | Member | Index | ListOf | MapOf | Unary | Binary | Logic | Choice | Has | Call | Macro
)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, in reading order."""
    match node:
        case Literal() | Name():
            return ()
        case Member(target=target) | Has(target=target):
            return (target,)
        case Index(target=target, key=key):
            return (target, key)
        case ListOf(items=items):
            return items
        case MapOf(keys=keys, values=values):
            return tuple(part for pair in zip(keys, values, strict=True) for part in pair)
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Logic(operands=operands):
            return operands
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Call(arguments=arguments):
            return arguments
        case Macro(source=source, body=body):
            return (source, body)


def levels(root: Node) -> Iterator[tuple[Node, int]]:
    """Every node with its depth, the root at 1. Without recursion, so that it can judge trees of any depth."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in children(node))


def written(node: Node, text: str) -> str:
    """The node as its author wrote it, on one line."""
    return " ".join(text[node.start : node.end].split())
