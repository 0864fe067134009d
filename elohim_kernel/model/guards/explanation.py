"""Why a guard came out as it did: its clauses, what each came to, and the facts each one read."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from elohim_kernel.model.guards.guard import DEFAULT_BUDGET, Guard, Outcome, outcome_of
from elohim_kernel.model.guards.nodes import Logic, Macro, Node, written
from elohim_kernel.model.guards.operations import FIRST_VARIABLE, Frame, pay
from elohim_kernel.model.guards.paths import path_of, reads
from elohim_kernel.model.guards.program import Compiler
from elohim_kernel.model.guards.signals import Broken, Exhausted, Missing
from elohim_kernel.model.value import Value, to_json

_LONGEST_VALUE: Final = 120  # characters of a fact's JSON; longer lists and maps are counted instead
_WORDS: Final = {"&&": "and", "||": "or"}


class Truth(StrEnum):
    """What a guard or one of its clauses came to."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"
    ERROR = "error"


class Reading(Value, frozen=True):
    """A fact that a clause read, as JSON text or a count when that is long; `value=None` when it is missing."""

    name: str
    value: str | None

    def __str__(self) -> str:
        return f"{self.name} is missing" if self.value is None else f"{self.name} = {self.value}"


class Clause(Value, frozen=True):
    """One condition between the `&&` and `||` of a guard.

    `joined` is the operator in front ("" for the first); `depth` counts the groups around it, 0 at the top. `because`
    says what is missing or wrong, or which item of a list decided; it may be empty.
    """

    text: str
    value: Truth
    joined: str
    depth: int
    reads: tuple[Reading, ...]
    because: str


class Explanation(Value, frozen=True):
    """A guard's outcome and that of each clause, in reading order. `str()` answers "why not?" in lines."""

    guard: str
    value: Truth
    clauses: tuple[Clause, ...]
    missing: tuple[str, ...] = ()
    error: str = ""

    def __str__(self) -> str:
        lines = ["passes" if self.value is Truth.TRUE else f"does not pass: {self.value}"]
        for clause in self.clauses:
            indent = "  " * clause.depth
            lines.append(f"{_WORDS.get(clause.joined, ''):>5} {indent}{clause.value:<8}{clause.text}")
            notes = [*map(str, clause.reads), *([clause.because] if clause.because else [])]
            lines.extend(f"      {indent}        {note}" for note in notes)
        return "\n".join(lines)


def explain(guard: Guard, facts: Mapping[str, Any], *, budget: int = DEFAULT_BUDGET) -> Explanation:
    """Evaluate every clause, also those the outcome did not need; each has the whole `budget` to itself.

    `facts` are as for `Guard.evaluate`: JSON's freedom, hence `Any`.

    >>> from elohim_kernel.model.guards import parse
    >>> print(explain(parse("tests.failed == 0 && tests.passed > 0"), {"tests": {"failed": 0}}))
    does not pass: unknown
          true    tests.failed == 0
                  tests.failed = 0
      and unknown tests.passed > 0
                  tests.passed is missing
    """
    outcome = guard.evaluate(facts, budget=budget)
    clauses = tuple(
        _clause(guard.text, node, joined, depth, facts, budget) for node, joined, depth in _flat(guard.ast, "", 0)
    )
    return Explanation(
        guard=guard.text,
        value=_truth(outcome),
        clauses=clauses,
        missing=outcome.missing,
        error=outcome.error,
    )


def _flat(node: Node, joined: str, depth: int) -> Iterator[tuple[Node, str, int]]:
    if not isinstance(node, Logic):
        yield node, joined, depth
        return
    for place, operand in enumerate(node.operands):
        in_front = node.operator if place else joined
        deeper = isinstance(operand, Logic) and operand.operator != node.operator
        yield from _flat(operand, in_front, depth + deeper)


def _clause(text: str, node: Node, joined: str, depth: int, facts: Mapping[str, Any], budget: int) -> Clause:
    compiler = Compiler(text)
    outcome = outcome_of(compiler.compile(node), compiler.slots, facts, budget)
    readings, because = _readings(node, facts), outcome.error
    if isinstance(node, Macro) and (place := _decisive_item(text, node, outcome, facts, budget)) is not None:
        source = path_of(node.source, {})
        because = because or f"{source}[{place}] decides"
        readings = (*readings, *_item_readings(node, f"{source}[]", place, facts))
    return Clause(
        text=written(node, text),
        value=_truth(outcome),
        joined=joined,
        depth=depth,
        reads=readings,
        because=because,
    )


def _truth(outcome: Outcome) -> Truth:
    if outcome.value is None:
        return Truth.ERROR if outcome.error else Truth.UNKNOWN
    return Truth.TRUE if outcome.value else Truth.FALSE


def _readings(node: Node, facts: Mapping[str, Any]) -> tuple[Reading, ...]:
    names = dict.fromkeys(name.partition("[]")[0] for name, _ in reads(node, {}))
    return tuple(_reading(name, name.split("."), facts) for name in names)


def _item_readings(node: Macro, item_path: str, place: int, facts: Mapping[str, Any]) -> tuple[Reading, ...]:
    source = path_of(node.source, {}) or ""
    items = _found(source.split("."), facts)
    item = items[0][place] if items else None
    names = dict.fromkeys(name for name, _ in reads(node, {}) if name.startswith(f"{item_path}."))
    rests = [name.removeprefix(f"{item_path}.") for name in names]
    return tuple(
        _reading(f"{source}[{place}].{rest}", rest.split("."), item)
        for rest in rests
        if "[]" not in rest and isinstance(item, Mapping)
    )


def _decisive_item(text: str, node: Macro, outcome: Outcome, facts: Mapping[str, Any], budget: int) -> int | None:
    """Which item of a plain list settled `all()` or `exists()`, or was the first to be unknown or in error."""
    settled = {"all": outcome.value is not True, "exists": outcome.value is not False}.get(node.macro, False)
    if not settled or isinstance(node.source, Macro) or path_of(node.source, {}) is None:
        return None
    compiler = Compiler(text)
    source = compiler.compile(node.source)
    body, slot = compiler.body(node)
    frame: Frame = [facts, budget, *[None] * (compiler.slots + 1 - FIRST_VARIABLE)]
    try:
        items = source(frame)
        if not isinstance(items, list | tuple):
            return None
        pay(frame, len(items))
        for place, frame[slot] in enumerate(items):
            if _value_of(body, frame) is outcome.value:
                return place
    except (Missing, Broken, Exhausted):
        pass
    return None


def _value_of(body: Any, frame: Frame) -> bool | None:
    try:
        value = body(frame)
    except (Missing, Broken):
        return None
    return value if isinstance(value, bool) else None


def _found(path: list[str], facts: Any) -> tuple[Any] | None:
    for name in path:
        if not isinstance(facts, Mapping) or name not in facts:
            return None
        facts = facts[name]
    return (facts,)


def _reading(name: str, path: list[str], facts: Any) -> Reading:
    found = _found(path, facts)
    return Reading(name=name, value=None if found is None else _shown(found[0]))


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple | Mapping) and len(value) > _LONGEST_VALUE:
        return f"{len(value)} items"
    try:
        shown = to_json(value)
    except (TypeError, ValueError, OverflowError, RecursionError):  # facts are not ours: some cannot be shown
        return f"a {type(value).__name__}"
    if len(shown) <= _LONGEST_VALUE:
        return shown
    if isinstance(value, list | tuple | Mapping):
        return f"{len(value)} item{'s' if len(value) != 1 else ''}"
    return shown[: _LONGEST_VALUE - 1] + "…"
