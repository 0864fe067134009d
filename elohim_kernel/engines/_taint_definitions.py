"""What definitions and imports bind, and the calls of functions and classes of the file: each call is followed anew."""

import ast

from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_plain import key_of
from elohim_kernel.engines._taint_program import Class, Function
from elohim_kernel.engines._taint_sources import canonical, imported, source
from elohim_kernel.engines._taint_state import SEQUENCES, State, Thing
from elohim_kernel.engines._taint_values import Value


def function(machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, state: State) -> State:
    """Bind a function; its decorators are taken to leave it what it is."""
    marks = [ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list]
    made = Function(node, (state.names, *state.outer), marks=marks)
    made.things = state.things
    machine.functions.append(made)
    machine.frame.defined.append(made)
    if not any(mark.endswith((".setter", ".deleter")) for mark in marks):
        state.names[node.name] = Value(code=made)
    return state


def class_(machine: Machine, node: ast.ClassDef, state: State) -> State:
    """Bind a class; its body runs now, its methods when they are called."""
    bases = [machine.evaluate(each, state) for each in node.bases]
    inner = State({}, state.things, (state.names, *state.outer))
    before = len(machine.functions)
    machine.execute(node.body, inner)
    made = Class(node, bases, dict(inner.names))
    for each in machine.functions[before:]:
        if each.outer and each.outer[0] is inner.names:
            # Names of a class body are not in scope inside its methods.
            each.owner, each.outer = made, each.outer[1:]
    state.names[node.name] = Value(code=made)
    return state


def import_(machine: Machine, node: ast.Import, state: State) -> State:
    """Bind modules."""
    for alias in node.names:
        machine.libraries.add(alias.name)
        bound = alias.name if alias.asname else alias.name.partition(".")[0]
        state.names[alias.asname or bound] = Value(name=canonical(bound), is_open=True)
    return state


def import_from(machine: Machine, node: ast.ImportFrom, state: State) -> State:
    """Bind names of a module."""
    module = "." * node.level + (node.module or "")
    machine.libraries.add(module)
    for alias in node.names:
        if alias.name == "*":
            machine.star_modules.append(module)
            continue
        name = canonical(f"{module}.{alias.name}" if not module.endswith(".") else f"{module}{alias.name}")
        state.names[alias.asname or alias.name] = source(name, node.lineno) or imported(name)
    return state


def without(thing: Thing, index: Value, state: State) -> Thing:
    """The thing after `del thing[index]`."""
    try:
        key = key_of(index, state)
    except (ValueError, TypeError):
        return thing.loosened()
    if thing.kind in SEQUENCES:
        if not thing.is_known or not isinstance(key, int):
            return thing
        parts = list(thing.items.values())
        if -len(parts) <= key < len(parts):
            del parts[key]
        return thing.sequence(parts)
    items = {each: value for each, value in thing.items.items() if each != key}
    return Thing(
        thing.kind, items, rest=thing.rest, is_exact=thing.is_exact, is_certain=thing.is_certain, owner=thing.owner
    )
