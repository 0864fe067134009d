"""What statements do: assignments, branches that constants decide, loops to a fixed point, and leaving early."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from elohim_kernel.engines import _taint_assignments as assignments
from elohim_kernel.engines import _taint_definitions as definitions
from elohim_kernel.engines import _taint_loops as loops
from elohim_kernel.engines._taint_known import truth
from elohim_kernel.engines._taint_machine import Machine, NoReturn
from elohim_kernel.engines._taint_sinks import look_at_return
from elohim_kernel.engines._taint_state import State, join_states
from elohim_kernel.engines._taint_values import NONE, UNKNOWN, Value


def execute(machine: Machine, statements: Sequence[ast.stmt], state: State) -> State | None:
    """What holds after the statements; None when their end is never reached."""
    current: State | None = state
    for statement in statements:
        if current is None:
            return None
        work = _KINDS.get(type(statement))
        if work is None:
            continue
        try:
            current = work(machine, statement, current)
        except NoReturn:
            return None
    return current


def _assign(machine: Machine, node: ast.Assign, state: State) -> State:
    value = machine.evaluate(node.value, state)
    for target in node.targets:
        assignments.assign(machine, target, value, state)
    return state


def _annotated(machine: Machine, node: ast.AnnAssign, state: State) -> State:
    if node.value is not None:
        assignments.assign(machine, node.target, machine.evaluate(node.value, state), state)
    return state


def _expression(machine: Machine, node: ast.Expr, state: State) -> State:
    machine.evaluate(node.value, state)
    return state


def _return(machine: Machine, node: ast.Return, state: State) -> None:
    value = NONE if node.value is None else machine.evaluate(node.value, state)
    look_at_return(machine, node, value, state)
    machine.frame.returns.append((value, state))


def _raise(machine: Machine, node: ast.Raise, state: State) -> None:
    if node.exc is not None:
        machine.evaluate(node.exc, state)


def _assert(machine: Machine, node: ast.Assert, state: State) -> State | None:
    known = truth(machine.evaluate(node.test, state), state)
    if known is False:
        return None
    machine.assume(node.test, True, state)
    return state


def _global(machine: Machine, node: ast.Global, state: State) -> State:
    machine.frame.global_names.update(node.names)
    return state


def _if(machine: Machine, node: ast.If, state: State) -> State | None:
    known = truth(machine.evaluate(node.test, state), state)
    if known is not None:
        machine.assume(node.test, known, state)
        return machine.execute(node.body if known else node.orelse, state)
    other = state.copy()
    machine.assume(node.test, True, state)
    machine.assume(node.test, False, other)
    return join_states(machine.execute(node.body, state), machine.execute(node.orelse, other))


def _try(machine: Machine, node: ast.Try, state: State) -> State | None:
    raised: State | None = state.copy()
    current: State | None = state
    for statement in node.body:
        if current is None:
            break
        returns = len(machine.frame.returns)
        current = machine.execute([statement], current)
        for _, left in machine.frame.returns[returns:]:
            raised = join_states(raised, left)
        if current is not None:
            raised = join_states(raised, current.copy())
    end = machine.execute(node.orelse, current) if current is not None else None
    assert raised is not None
    for handler in node.handlers:
        inner = raised.copy()
        if handler.name:
            inner.names[handler.name] = UNKNOWN
        end = join_states(end, machine.execute(handler.body, inner))
    if not node.finalbody:
        return end
    if end is None:
        machine.execute(node.finalbody, raised.copy())
        return None
    return machine.execute(node.finalbody, end)


def _with(machine: Machine, node: ast.With | ast.AsyncWith, state: State) -> State | None:
    for each in node.items:
        value = machine.evaluate(each.context_expr, state)
        if each.optional_vars is not None:
            only = state.only_thing(value)
            if only is not None and only[1].kind == "list":
                value = only[1].element()
            assignments.assign(machine, each.optional_vars, value, state)
    return machine.execute(node.body, state)


def _match(machine: Machine, node: ast.Match, state: State) -> State | None:
    subject = machine.evaluate(node.subject, state)
    end: State | None = None
    left: State | None = state
    for case in node.cases:
        if left is None:
            break
        inner = left.copy()
        known = _fits(machine, case.pattern, subject, node.subject, inner)
        if known is False:
            continue
        if case.guard is not None:
            guard = truth(machine.evaluate(case.guard, inner), inner)
            if guard is False:
                continue
            machine.assume(case.guard, True, inner)
            known = known if guard is True else None
        end = join_states(end, machine.execute(case.body, inner))
        if known is True:
            left = None
    return join_states(end, left)


def _fits(machine: Machine, pattern: ast.pattern, subject: Value, node: ast.expr, state: State) -> bool | None:
    """Whether the pattern surely matches or surely does not; binds its names in `state`."""
    if isinstance(pattern, ast.MatchValue):
        test = ast.copy_location(ast.Compare(left=node, ops=[ast.Eq()], comparators=[pattern.value]), pattern)
        expected = machine.evaluate(pattern.value, state)
        if subject.constants is not None and expected.constants is not None and not subject.taints:
            same = {one == other for one in subject.constants for other in expected.constants}
            known = same.pop() if len(same) == 1 else None
        else:
            known = None
        if known is not False and isinstance(node, ast.Name):
            machine.assume(test, True, state)
        return known
    if isinstance(pattern, ast.MatchSingleton):
        if subject.constants is None or subject.taints:
            return None
        same = {each is pattern.value for each in subject.constants}
        return same.pop() if len(same) == 1 else None
    if isinstance(pattern, ast.MatchOr):
        answers = [_fits(machine, each, subject, node, state.copy()) for each in pattern.patterns]
        return True if True in answers else (None if None in answers else False)
    if isinstance(pattern, ast.MatchAs):
        known = True if pattern.pattern is None else _fits(machine, pattern.pattern, subject, node, state)
        if pattern.name is not None and known is not False:
            state.names[pattern.name] = subject
        return known
    part = state.element(subject) if subject.things else subject
    for each in ast.walk(pattern):
        name = getattr(each, "name", None) or getattr(each, "rest", None)
        if isinstance(each, ast.MatchAs | ast.MatchStar | ast.MatchMapping) and name:
            state.names[name] = part
    return None


def _nothing(_machine: Machine, _node: ast.stmt, state: State) -> State:
    return state


# Each function takes the kind of node it is listed for, which a mapping's type cannot say.
_KINDS: Final[Mapping[type[ast.stmt], Callable[..., State | None]]] = {
    ast.AnnAssign: _annotated,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AsyncFor: loops.for_,
    ast.AsyncFunctionDef: definitions.function,
    ast.AsyncWith: _with,
    ast.AugAssign: assignments.augmented,
    ast.Break: loops.break_,
    ast.ClassDef: definitions.class_,
    ast.Continue: loops.continue_,
    ast.Delete: assignments.delete,
    ast.Expr: _expression,
    ast.For: loops.for_,
    ast.FunctionDef: definitions.function,
    ast.Global: _global,
    ast.If: _if,
    ast.Import: definitions.import_,
    ast.ImportFrom: definitions.import_from,
    ast.Match: _match,
    ast.Nonlocal: _nothing,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.While: loops.while_,
    ast.With: _with,
}
