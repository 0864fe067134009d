"""A guard: CEL text parsed once, evaluated many times against facts, three-valued, on a work budget."""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Final

from elohim_kernel.model.guards.closures import Run
from elohim_kernel.model.guards.nodes import Node
from elohim_kernel.model.guards.operations import FIRST_VARIABLE, Frame, kind_of
from elohim_kernel.model.guards.parser import parse_text
from elohim_kernel.model.guards.paths import names_read, refuse_unknown
from elohim_kernel.model.guards.program import Compiler
from elohim_kernel.model.guards.signals import Broken, Exhausted, Missing
from elohim_kernel.model.value import Value

DEFAULT_BUDGET: Final = 10_000  # units of work; an item of a macro costs one or more


class Outcome(Value, frozen=True):
    """What a guard came to. `value` is `None` when unknown (`missing` names why) or in error (`error` says why)."""

    value: bool | None
    missing: tuple[str, ...] = ()
    error: str = ""

    @property
    def passed(self) -> bool:
        """True only for true: unknown and error never let anything through."""
        return self.value is True


TRUE: Final = Outcome(value=True)
FALSE: Final = Outcome(value=False)


class Guard(Value, frozen=True, dict=True, gc=True):
    """A parsed guard. Make one with `parse`; store its `text`.

    `names` are the dotted names it reads, in reading order, with `[]` for any item of a list.
    """

    text: str
    ast: Node
    names: tuple[str, ...]

    def evaluate(self, facts: Mapping[str, Any], *, budget: int = DEFAULT_BUDGET) -> Outcome:
        """Judge the facts: what JSON holds, plus aware `datetime` and `timedelta`. Never raises for a guard's sake.

        >>> parse("tests.failed == 0").evaluate({"tests": {"failed": 0}}).passed
        True
        >>> parse("tests.failed == 0").evaluate({}).missing
        ('tests.failed',)
        """
        run, slots = self._program
        return outcome_of(run, slots, facts, budget)

    @cached_property
    def _program(self) -> tuple[Run, int]:
        compiler = Compiler(self.text)
        return compiler.compile(self.ast), compiler.slots


def parse(text: str) -> Guard:
    """Parse a guard. Raises `Invalid` with line, column, a caret and what was expected; `TooLarge` over the cap.

    >>> parse("tests.failed == 0 && findings.all(f, f.severity != 'high')").names
    ('tests.failed', 'findings', 'findings[].severity')
    """
    ast = parse_text(text)
    guard = Guard(text=text, ast=ast, names=names_read(ast))
    _ = guard._program  # so that a constant that can never work is refused now, not at the first transition
    return guard


def check_names(guard: Guard, known: Collection[str]) -> None:
    """Raise `Invalid` at the first name the guard reads that is not among `known`, with near matches.

    `known` holds dotted names. `tests.failed` also makes `tests` known; `labels.*` makes every member of `labels`
    known; members of list items are checked where `known` lists some, as in `findings[].severity`.

    >>> check_names(parse("test.size > 0"), {"tests.size"})
    Traceback (most recent call last):
    elohim_kernel.errors.Invalid: guard, line 1, column 1: nothing here is called test.size; did you mean tests.size?
      test.size > 0
      ^
    """
    refuse_unknown(guard.text, guard.ast, known)


def outcome_of(run: Run, slots: int, facts: Mapping[str, Any], budget: int) -> Outcome:
    """Run a closure in a fresh frame and turn its signal, if any, into an outcome."""
    frame: Frame = [facts if type(facts) is dict else dict(facts), budget]
    frame.extend([None] * (slots - FIRST_VARIABLE))
    try:
        value = run(frame)
        if value is True:
            return TRUE
        if value is False:
            return FALSE
        return Outcome(value=None, error=f"a guard must be true or false; this one is a {kind_of(value)}")
    except Missing as missing:
        return Outcome(value=None, missing=missing.names)
    except (Broken, Exhausted) as wrong:
        return Outcome(value=None, error=wrong.message)
