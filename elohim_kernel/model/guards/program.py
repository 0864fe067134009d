"""From nodes to closures. A closure takes the frame of one evaluation and returns a value, or raises a signal.

Signals instead of marker values keep the common path free of tests: `try` costs nothing until something is missing.
`Any` is the value of a fact, which has JSON's freedom.
"""

from typing import Any, Final

from elohim_kernel.model.guards.closures import (
    Run,
    against_constant,
    choice,
    equality,
    field,
    indexed,
    logic,
    mapped,
    member,
    minus,
    negation,
    presence,
    strict,
)
from elohim_kernel.model.guards.functions import FUNCTIONS
from elohim_kernel.model.guards.loops import FieldTest, loop
from elohim_kernel.model.guards.nodes import (
    Binary,
    Call,
    Choice,
    Has,
    Index,
    ListOf,
    Literal,
    Logic,
    Macro,
    MapOf,
    Member,
    Name,
    Node,
    Unary,
    levels,
    written,
)
from elohim_kernel.model.guards.operations import (
    ATOMS,
    COMPARISONS,
    FACTS,
    FIRST_VARIABLE,
    Frame,
    arithmetic,
    member_of,
    ordered,
)
from elohim_kernel.model.guards.paths import Scope, inner_scope, path_of
from elohim_kernel.model.guards.patterns import pattern
from elohim_kernel.model.guards.signals import Broken, Missing
from elohim_kernel.model.guards.source import refusal

_NODES_PER_UNIT: Final = 10  # a macro's item costs one unit of work for every so many nodes of its body
_SAID_AT_ONCE: Final = ("duration", "timestamp")  # a constant these cannot read is refused when the guard is parsed


class Compiler:
    """Turns the nodes of one text into closures; `slots` is the size of the frame they need."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._slots: dict[str, int] = {}
        self._scope: Scope = {}
        self._loops = 0
        self.slots = FIRST_VARIABLE

    def compile(self, node: Node) -> Run:
        """The closure of a node. Raises `Invalid` for constants that can never work: a bad duration, a bad pattern."""
        match node:
            case Literal(value=value):
                return lambda frame: value
            case Name():
                return self._name(node)
            case Member(target=target, name=name):
                return self._member(target, name, self._path(node))
            case Index(target=target, key=key):
                return indexed(self.compile(target), self.compile(key), self._path(node))
            case ListOf(items=items):
                runs = [self.compile(item) for item in items]
                return lambda frame: [run(frame) for run in runs]
            case MapOf(keys=keys, values=values):
                return mapped([self.compile(key) for key in keys], [self.compile(value) for value in values])
            case Unary(operator="!", operand=operand):
                return negation(self.compile(operand))
            case Unary(operand=operand):
                return minus(self.compile(operand))
            case Binary():
                return self._binary(node)
            case Logic(operator=operator, operands=operands):
                return logic([self.compile(operand) for operand in operands], operator)
            case Choice(condition=condition, then=then, otherwise=otherwise):
                return choice(self.compile(condition), self.compile(then), self.compile(otherwise))
            case Has(target=target, name=name):
                return presence(self.compile(target), name)
            case Call():
                return self._call(node)
            case Macro():
                return self._macro(node)

    def _path(self, node: Node) -> str:
        return path_of(node, self._scope) or written(node, self._text)

    def _name(self, node: Name) -> Run:
        name = node.name
        slot = self._slots.get(name)
        if slot is not None:
            return lambda frame: frame[slot]

        def fact(frame: Frame) -> Any:
            try:
                return frame[FACTS][name]
            except KeyError:
                raise Missing(name) from None

        return fact

    def _member(self, target: Node, name: str, path: str) -> Run:
        slot = self._slots.get(target.name) if isinstance(target, Name) else None
        if slot is not None:
            return field(slot, name, path)
        run = self.compile(target)
        before = path_of(target, self._scope)

        def part(frame: Frame) -> Any:
            try:
                whole = run(frame)
            except Missing as missing:
                # Nothing is there to have the member: what the author reads, and so what is missing, is the member.
                raise Missing(path) if missing.names == (before,) else missing from None
            return member(whole, name, path)

        return part

    def _binary(self, node: Binary) -> Run:
        left, right = self.compile(node.left), self.compile(node.right)
        if isinstance(node.right, Literal) and type(node.right.value) in ATOMS:
            fast = against_constant(node.operator, left, node.right.value)
            if fast is not None:
                return fast
        if node.operator in ("==", "!="):
            return equality(left, right, negated=node.operator == "!=")
        if node.operator == "in":
            return strict(left, right, member_of)
        if node.operator in COMPARISONS:
            compare = ordered(node.operator)
            return strict(left, right, lambda a, b, frame: compare(a, b))
        return strict(left, right, arithmetic(node.operator))

    def _call(self, node: Call) -> Run:
        signature = FUNCTIONS[node.function]
        runs = [self.compile(argument) for argument in node.arguments]
        constants = [argument.value for argument in node.arguments if isinstance(argument, Literal)]
        try:
            if node.function in _SAID_AT_ONCE and constants:
                value = signature.run(tuple(constants), [])
                return lambda frame: value
            if node.function == "matches" and isinstance(node.arguments[1], Literal):
                pattern(str(constants[-1]))
        except Broken as wrong:
            raise refusal(self._text, node.start, wrong.message) from None
        if len(runs) == 1:
            only, of_one = runs[0], signature.run
            return lambda frame: of_one((only(frame),), frame)
        return strict(runs[0], runs[1], lambda a, b, frame: signature.run((a, b), frame))

    def _macro(self, node: Macro) -> Run:
        source = self.compile(node.source)
        body, slot = self.body(node)
        weight = 1 + sum(1 for _ in levels(node.body)) // _NODES_PER_UNIT
        return loop(node.macro, source, body, slot, weight, _field_test(node))

    def body(self, node: Macro) -> tuple[Run, int]:
        """The closure of a macro's body alone, and the slot where it expects the loop variable."""
        slot = FIRST_VARIABLE + self._loops
        slots, scope = self._slots, self._scope
        self._loops += 1
        self._slots = {**slots, node.variable: slot}
        self._scope = inner_scope(node, scope)
        self.slots = max(self.slots, slot + 1)
        body = self.compile(node.body)
        self._slots, self._scope = slots, scope
        self._loops -= 1
        return body, slot


def _field_test(node: Macro) -> FieldTest | None:
    """The body as a plain comparison of a member of the item with a constant, when it is one."""
    body = node.body
    if not isinstance(body, Binary) or body.operator not in ("==", "!=") or not isinstance(body.left, Member):
        return None
    whole, constant = body.left.target, body.right
    if not isinstance(whole, Name) or whole.name != node.variable or not isinstance(constant, Literal):
        return None
    if not isinstance(constant.value, str | int):  # of bool too: the types where Python's == is CEL's
        return None
    return FieldTest(body.left.name, constant.value, wanted=body.operator == "==")
