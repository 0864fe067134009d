"""One file from text to what was seen at its sinks: the module first, then every function the outside may call."""

import ast
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from elohim_kernel.engines import _taint_assignments as assignments
from elohim_kernel.engines import _taint_attributes as attributes
from elohim_kernel.engines import _taint_calls as calls
from elohim_kernel.engines import _taint_expressions as expressions
from elohim_kernel.engines import _taint_functions as functions
from elohim_kernel.engines import _taint_guards as guards
from elohim_kernel.engines import _taint_statements as statements
from elohim_kernel.engines._taint_machine import CALL_DEPTHS, FILE_BUDGET, Machine, OutOfBudget, Rooms
from elohim_kernel.engines._taint_outcomes import Outcome
from elohim_kernel.engines._taint_parse import Unreadable, parse
from elohim_kernel.engines._taint_program import Frame, Function
from elohim_kernel.engines._taint_state import State
from elohim_kernel.engines._taint_values import Value

MAX_BYTES: Final = 1024 * 1024
_RECURSION: Final = 6_000

_ROOMS: Final = Rooms(
    evaluate=expressions.evaluate,
    execute=statements.execute,
    call=calls.called,
    invoke=functions.invoke,
    attribute=attributes.attribute,
    assume=guards.assume,
    assign=assignments.assign,
)


class Analysis(NamedTuple):
    """What was seen in one file; `problem` says why it was not analysed to the end, "" when it was."""

    outcomes: Sequence[Outcome] = ()
    problem: str = ""


def analyse(source: bytes, *, budget: int = FILE_BUDGET) -> Analysis:
    r"""Analyse the text of one Python file. `budget` bounds the work, counted in expressions.

    >>> text = b"import os\nfrom flask import request\ndef f():\n    os.system(request.args['x'])\n"
    >>> [(each.category, each.line) for each in analyse(text).outcomes]
    [('command-injection', 4)]
    """
    if len(source) > MAX_BYTES:
        return Analysis(problem=f"too large: {len(source):,} bytes")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        return _analysed(parse(source), budget)
    except Unreadable as why:
        return Analysis(problem=f"not readable: {why}")
    except RecursionError:
        return Analysis(problem="nested too deeply")
    finally:
        sys.setrecursionlimit(limit)


def _analysed(tree: ast.Module, budget: int) -> Analysis:
    machine = Machine(_ROOMS, file_budget=budget)
    problem = ""
    try:
        _run_module(machine, tree)
        _run_functions(machine)
    except OutOfBudget:
        problem = "too much work for one file"
    return Analysis(tuple(machine.outcomes.values()), problem)


def _run_module(machine: Machine, tree: ast.Module) -> None:
    end: State | None = None
    names: dict[str, Value] = {}
    for depth in CALL_DEPTHS[1:]:
        names.clear()
        machine.begin_root(depth)
        machine.frame = Frame(None, is_root=True)
        machine.module_names = names
        try:
            end = machine.execute(tree.body, State(names, {}))
        except OutOfBudget:
            if depth == CALL_DEPTHS[-1]:
                raise
            continue
        finally:
            machine.end_root()
        break
    if end is None:
        end = State(names, {})
    machine.module_names = end.names
    for name in _rebound(tree):
        if name in end.names:
            end.names[name] = end.names[name].with_(is_open=True)
    for each in machine.functions:
        each.outer = (*each.outer[:-1], end.names)
        each.things = end.things


def _rebound(tree: ast.Module) -> set[str]:
    """Names of the module that functions give other values."""
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


def _run_functions(machine: Machine) -> None:
    done: set[ast.AST] = set()
    place = 0
    while place < len(machine.functions):
        function = machine.functions[place]
        place += 1
        if function.node not in done:
            done.add(function.node)
            if _may_be_called_from_outside(machine, function):
                _run_function(machine, function)


def _run_function(machine: Machine, function: Function) -> None:
    for depth in machine.depths():
        try:
            functions.run_from_outside(machine, function, depth)
        except OutOfBudget:
            if depth == CALL_DEPTHS[-1]:
                raise
        else:
            return


def _may_be_called_from_outside(machine: Machine, function: Function) -> bool:
    """A function inside a function that was followed where it is called needs no second look."""
    return len(function.outer) < 2 or function.node not in machine.invoked or bool(_marks(function))


def _marks(function: Function) -> Sequence[ast.expr]:
    return () if isinstance(function.node, ast.Lambda) else function.node.decorator_list
