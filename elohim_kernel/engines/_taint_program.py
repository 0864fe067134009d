"""Functions and classes of the file that is read, a call that is looked at, and a function being executed."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from elohim_kernel.engines._taint_state import State, Thing
from elohim_kernel.engines._taint_values import Value

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Function:
    """A function of the file with the scopes it sees, and the instance it is bound to, if any."""

    __slots__ = ("entry", "is_class", "is_property", "is_static", "node", "outer", "owner", "receiver", "things")

    def __init__(
        self,
        node: FunctionNode,
        outer: tuple[dict[str, Value], ...],
        *,
        owner: "Class | None" = None,
        receiver: Value | None = None,
        marks: Sequence[str] = (),
    ) -> None:
        self.node = node
        self.outer = outer
        self.owner = owner
        self.receiver = receiver
        self.is_static = "staticmethod" in marks
        self.is_class = "classmethod" in marks
        self.is_property = any(mark in ("property", "cached_property", "functools.cached_property") for mark in marks)
        self.entry: object = None  # how the outside calls it: an `Entry` of `_taint_entries`
        self.things: dict[int, Thing] | None = None  # what there is when its scope is done

    @property
    def name(self) -> str:
        """Its name, or "lambda"."""
        return "lambda" if isinstance(self.node, ast.Lambda) else self.node.name

    def bound(self, receiver: Value) -> "Function":
        """The same function as a method of `receiver`."""
        made = Function(self.node, self.outer, owner=self.owner, receiver=receiver)
        made.is_static, made.is_class, made.is_property = self.is_static, self.is_class, self.is_property
        return made


class Class:
    """A class of the file: its members, and its bases as far as they are known."""

    __slots__ = ("bases", "members", "node")

    def __init__(self, node: ast.ClassDef, bases: Sequence[Value], members: Mapping[str, Value]) -> None:
        self.node = node
        self.bases = tuple(bases)
        self.members = members

    def member(self, name: str, depth: int = 5) -> Value | None:
        """A member of the class or of a base in this file; None when there is none."""
        if name in self.members:
            return self.members[name]
        for base in self.bases:
            if isinstance(base.code, Class) and depth:
                found = base.code.member(name, depth - 1)
                if found is not None:
                    return found
        return None

    def foreign_bases(self, depth: int = 5) -> Iterator[str]:
        """Dotted names of the bases that are not of this file."""
        for base in self.bases:
            if isinstance(base.code, Class):
                if depth:
                    yield from base.code.foreign_bases(depth - 1)
            elif base.name:
                yield base.name


class Call:
    """A call that is being looked at, with everything evaluated."""

    __slots__ = ("arguments", "callee", "method", "name", "named", "node", "receiver", "rest", "state")

    def __init__(
        self,
        node: ast.Call,
        state: State,
        callee: Value,
        *,
        method: str = "",
        receiver: Value | None = None,
        arguments: Sequence[Value] = (),
        named: Mapping[str, Value] = {},
        rest: Value | None = None,
    ) -> None:
        self.node = node
        self.state = state
        self.callee = callee
        self.name = callee.name
        self.method = method
        self.receiver = receiver
        self.arguments = arguments
        self.named = named
        self.rest = rest  # what star arguments bring, all in one

    @property
    def last(self) -> str:
        """The last part of what is called: "load" of `yaml.load`."""
        return self.method or self.name.rpartition(".")[2]

    def argument(self, position: int | None, *names: str) -> Value | None:
        """An argument by place or name; None when it is not given. Star arguments may be any."""
        for name in names:
            if name in self.named:
                return self.named[name]
        if position is not None and position < len(self.arguments):
            return self.arguments[position]
        return self.rest

    def everything(self) -> Iterator[Value]:
        """All arguments, with the data inside them."""
        for each in (*self.arguments, *self.named.values()):
            yield self.state.deep(each)
        if self.rest is not None:
            yield self.state.deep(self.rest)


class Frame:
    """One function being executed: where its returns, breaks and definitions are collected."""

    __slots__ = ("breaks", "continues", "defined", "entry", "function", "global_names", "is_root", "returns", "yields")

    def __init__(self, function: Function | None, *, is_root: bool) -> None:
        self.function = function
        self.is_root = is_root  # called from outside, not from another place in the file
        self.entry: object = function.entry if function is not None and is_root else None
        self.returns: list[tuple[Value, State]] = []
        self.yields: list[Value] = []
        self.breaks: list[list[State]] = []
        self.continues: list[list[State]] = []
        self.global_names: set[str] = set()
        self.defined: list[Function] = []
