"""The machine that carries an analysis of one file: where functions are, what is being called, what sinks have seen.

Expressions, statements and calls need each other; they meet here, so that their modules do not import in a circle.
"""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from elohim_kernel.engines._taint_outcomes import Outcome, why_safe
from elohim_kernel.engines._taint_program import Call, Frame, Function, FunctionNode
from elohim_kernel.engines._taint_state import State, Thing, join_things
from elohim_kernel.engines._taint_values import HARMLESS, Value

CALL_DEPTHS: Final = (6, 2, 0)
"""How deep calls are followed from a function; less when that was too much work."""
FILE_BUDGET: Final = 400_000
ROOT_BUDGET: Final = 25_000
LAST_BUDGET: Final = 60_000
"""Expressions looked at for a whole file, from one function the outside may call, and when no call is followed."""


_STATEMENT: Final = re.compile(r"(?i)\s*(select|insert|update|delete|create|drop|alter|with|replace|merge|call)\b")


class OutOfBudget(Exception):
    """The file asks for more work than we do for one."""


class NoReturn(Exception):
    """The expression being evaluated never has a value: it calls what always raises or ends the program."""


class Rooms(NamedTuple):
    """The parts of the analysis that call each other through the machine."""

    evaluate: "Callable[[Machine, ast.expr, State], Value]"
    execute: "Callable[[Machine, Sequence[ast.stmt], State], State | None]"
    call: "Callable[[Machine, Call], Value]"
    invoke: "Callable[[Machine, Function, Call], Value]"
    attribute: "Callable[[Machine, Value, str, ast.expr, State], Value]"
    assume: "Callable[[Machine, ast.expr, bool, State], None]"
    assign: "Callable[[Machine, ast.expr, Value, State], None]"


class Machine:
    """The analysis of one file."""

    def __init__(self, rooms: Rooms, *, file_budget: int = FILE_BUDGET) -> None:
        self._rooms = rooms
        self._file_budget = self._whole_budget = file_budget
        self._root_budget = ROOT_BUDGET
        self._places: dict[tuple[object, ...], int] = {}
        self.depth = CALL_DEPTHS[0]
        self.frame = Frame(None, is_root=True)
        self.calls: list[FunctionNode] = []
        self.invoked: set[FunctionNode] = set()
        self.memo: dict[tuple[object, ...], tuple[Value | None, list[Thing]]] = {}
        self.context: tuple[object, ...] = ()
        self.unrolling = 1  # rounds of the loops around, multiplied
        self.has_facts = False  # something was proved of an expression that is no name
        self.is_repeating = False  # inside a loop that stands for any number of rounds
        self.module_names: dict[str, Value] = {}
        self.libraries: set[str] = set()
        self.star_modules: list[str] = []
        self.functions: list[Function] = []
        self.outcomes: dict[tuple[int, str, str], Outcome] = {}

    def evaluate(self, node: ast.expr, state: State) -> Value:
        """The value of an expression; raises `OutOfBudget`."""
        self._root_budget -= 1
        if self._root_budget < 0:
            raise OutOfBudget
        return self._rooms.evaluate(self, node, state)

    def execute(self, statements: Sequence[ast.stmt], state: State) -> State | None:
        """What holds after the statements; None when their end is never reached."""
        return self._rooms.execute(self, statements, state)

    def call(self, call: Call) -> Value:
        """What a call gives; its effects are in its state. Raises `NoReturn`."""
        return self._rooms.call(self, call)

    def invoke(self, function: Function, call: Call) -> Value:
        """What a function of the file returns for a call. Raises `NoReturn`."""
        return self._rooms.invoke(self, function, call)

    def attribute(self, value: Value, name: str, node: ast.expr, state: State) -> Value:
        """An attribute of a value."""
        return self._rooms.attribute(self, value, name, node, state)

    def assume(self, test: ast.expr, outcome: bool, state: State) -> None:
        """Narrow the state down to where the test has that outcome."""
        self._rooms.assume(self, test, outcome, state)

    def assign(self, target: ast.expr, value: Value, state: State) -> None:
        """Bind a target."""
        self._rooms.assign(self, target, value, state)

    def depths(self) -> Sequence[int]:
        """How deep to follow calls from the next function, first to last resort: less the more is used up."""
        used = 1 - self._file_budget / self._whole_budget
        return CALL_DEPTHS[int(used * len(CALL_DEPTHS) * 1.2) :] or CALL_DEPTHS[-1:]

    def begin_root(self, depth: int = CALL_DEPTHS[0]) -> None:
        """Start on another function from outside. Raises `OutOfBudget` when the file has used up its share."""
        if self._file_budget <= 0:
            raise OutOfBudget
        self.depth, self.unrolling = depth, 1
        wanted = ROOT_BUDGET if depth else LAST_BUDGET
        self._root_budget = min(wanted, self._file_budget)
        self._file_budget -= self._root_budget
        self.frame, self.calls, self.context, self.is_repeating = Frame(None, is_root=True), [], (), False

    def end_root(self) -> None:
        """Give back what was not used."""
        self._file_budget += max(self._root_budget, 0)

    @contextmanager
    def unrolled(self, rounds: int) -> Iterator[None]:
        """While one of so many rounds of a loop is followed."""
        before = self.unrolling
        self.unrolling = before * max(rounds, 1)
        try:
            yield
        finally:
            self.unrolling = before

    def new(self, node: ast.AST, thing: Thing, state: State) -> Value:
        """A value for a container or instance made here, which is one and the same place in every round of a loop."""
        place = (node, thing.kind, self.context)
        key = self._places.setdefault(place, len(self._places) + 1)
        if self.is_repeating and key in state.things:
            thing = join_things(state.things[key], thing)
        state.things[key] = thing
        return Value(things=frozenset((key,)))

    def sequence(self, node: ast.AST, kind: str, values: Sequence[Value], state: State) -> Value:
        """A list, tuple or set of values."""
        return self.new(node, Thing(kind, dict(enumerate(values))), state)

    def some(self, node: ast.AST, kind: str, element: Value, state: State) -> Value:
        """A list, tuple or set of any number of such elements."""
        return self.new(node, Thing(kind, rest=element, is_certain=False), state)

    def lifted(self, node: ast.AST, plain: object, state: State) -> Value:
        """The value of a constant, or of a list or tuple of constants."""
        if isinstance(plain, (list, tuple)):
            kind = "list" if isinstance(plain, list) else "tuple"
            parts = [self.lifted_part(each) for each in plain]
            return self.sequence(node, kind, parts, state)
        return self.lifted_part(plain)

    def lifted_part(self, plain: object) -> Value:
        """The value of a constant; harmless for something deeper."""
        if plain is None or isinstance(plain, (str, bytes, int, float, complex)):
            text = plain if isinstance(plain, str) else ""
            return Value(constants=(plain,), prefix=text, is_text=isinstance(plain, str))
        return HARMLESS

    def outcome(self, category: str, node: ast.expr | ast.stmt, sink: str) -> Outcome:
        """Where to write what is seen at a sink."""
        return self.outcomes.setdefault((node.lineno, category, sink), Outcome(category, node, sink))

    def see(
        self,
        category: str,
        node: ast.expr | ast.stmt,
        value: Value,
        sink: str,
        *,
        severity: str = "",
        sure: bool = True,
    ) -> None:
        """Judge what reaches a sink; `value` must be looked into already."""
        outcome = self.outcome(category, node, sink)
        outcome.severity, outcome.sure = severity, outcome.sure and sure
        threats = [each for each in value.taints if each.threatens(category)]
        for each in threats:
            outcome.taints.setdefault(each, each)
        if not threats:
            if value.is_open:
                outcome.is_open = True
            else:
                outcome.safe = why_safe(value)

    def see_statement(self, node: ast.expr | ast.stmt, value: Value) -> None:
        """Text that looks like SQL: other tools warn where it is built, not where it is run."""
        if _STATEMENT.match(value.prefix):
            self.see("sql-injection", node, value, "")

    def see_flaw(self, category: str, node: ast.expr | ast.stmt, sink: str, flaw: str, *, severity: str = "") -> None:
        """Something that is wrong whatever the data; "" says that it is surely right."""
        outcome = self.outcome(category, node, sink)
        outcome.severity = severity
        if flaw:
            outcome.flaw = flaw
        else:
            outcome.safe = sink

    def see_unsure(self, category: str, node: ast.expr | ast.stmt, sink: str) -> None:
        """A sink whose argument is not known well enough to say anything."""
        self.outcome(category, node, sink).is_open = True
