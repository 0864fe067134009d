"""What assignments bind: names, attributes, items, parts of tuples; and what deletions take away."""

import ast

from elohim_kernel.engines._taint_definitions import without
from elohim_kernel.engines._taint_expressions import operated
from elohim_kernel.engines._taint_known import elements, stored
from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_sinks import look_at_assignment
from elohim_kernel.engines._taint_state import State
from elohim_kernel.engines._taint_values import UNKNOWN, Value, join, united


def assign(machine: Machine, target: ast.expr, value: Value, state: State) -> None:
    """Bind a name, attribute or item, or each part of a tuple."""
    if isinstance(target, ast.Name):
        if value.taints:
            value = value.stepped(target.lineno, f"flows into {target.id}")
        if target.id in machine.frame.global_names:
            old = machine.module_names.get(target.id)
            machine.module_names[target.id] = value if old is None else join(old, value)
        else:
            state.names[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(machine, target, value, state)
    elif isinstance(target, ast.Starred):
        assign(machine, target.value, machine.some(target, "list", value, state), state)
    elif isinstance(target, ast.Attribute):
        _set_attribute(machine, target, value, state)
    elif isinstance(target, ast.Subscript):
        _set_item(machine, target, value, state)


def _unpack(machine: Machine, target: ast.Tuple | ast.List, value: Value, state: State) -> None:
    parts = elements(value, state)
    star = next((place for place, each in enumerate(target.elts) if isinstance(each, ast.Starred)), None)
    if parts is None or (len(parts) != len(target.elts) if star is None else len(parts) < len(target.elts) - 1):
        element = state.element(value)
        for each in target.elts:
            assign(machine, each, element, state)
        return
    if star is None:
        for each, part in zip(target.elts, parts, strict=True):
            assign(machine, each, part, state)
        return
    after = len(target.elts) - star - 1
    for each, part in zip(target.elts[:star], parts[:star], strict=True):
        assign(machine, each, part, state)
    starred = target.elts[star]
    assert isinstance(starred, ast.Starred)
    middle = machine.sequence(target, "list", parts[star : len(parts) - after], state)
    assign(machine, starred.value, middle, state)
    for each, part in zip(target.elts[star + 1 :], parts[len(parts) - after :], strict=True):
        assign(machine, each, part, state)


def _set_attribute(machine: Machine, target: ast.Attribute, value: Value, state: State) -> None:
    base = machine.evaluate(target.value, state)
    look_at_assignment(machine, target, base, target.attr, None, value, state)
    if base.things:
        is_only = len(base.things) == 1
        for key in base.things:
            thing = state.things.get(key)
            if thing is not None and thing.kind == "instance":
                old = thing.items.get(target.attr)
                state.things[key] = thing.put(target.attr, value if is_only or old is None else join(old, value))
        return
    _spread(target.value, base, value, state)


def _set_item(machine: Machine, target: ast.Subscript, value: Value, state: State) -> None:
    base = machine.evaluate(target.value, state)
    index = UNKNOWN if isinstance(target.slice, ast.Slice) else machine.evaluate(target.slice, state)
    name = target.value.attr if isinstance(target.value, ast.Attribute) else ""
    look_at_assignment(machine, target, base, name, index, value, state)
    if base.things:
        for key in base.things:
            thing = state.things.get(key)
            if thing is not None:
                changed = stored(thing, index, value, state)
                state.things[key] = changed if len(base.things) == 1 else thing.put_somewhere(value)
        return
    _spread(target.value, base, value, state)


def _spread(node: ast.expr, base: Value, value: Value, state: State) -> None:
    """Something nothing is known about holds the value from now on."""
    if isinstance(node, ast.Name) and value.taints and not base.name.startswith("request"):
        taints = frozenset(each.made(hops=each.hops + 1) for each in value.taints)
        state.names[node.id] = base.with_(taints=united(base.taints, taints))


def augmented(machine: Machine, node: ast.AugAssign, state: State) -> State:
    """`target += value`; a list is changed in place."""
    before = machine.evaluate(node.target, state)
    more = machine.evaluate(node.value, state)
    only = state.only_thing(before)
    if only is not None and only[1].kind == "list":
        parts = elements(more, state)
        if parts is not None and only[1].is_known:
            state.things[only[0]] = only[1].sequence((*only[1].items.values(), *parts))
        else:
            state.things[only[0]] = only[1].put_somewhere(state.element(more))
        return state
    assign(machine, node.target, operated(machine, node, node.op, before, more, state), state)
    return state


def delete(machine: Machine, node: ast.Delete, state: State) -> State:
    """Take away names and items."""
    for target in node.targets:
        if isinstance(target, ast.Name):
            state.names.pop(target.id, None)
        elif isinstance(target, ast.Subscript):
            base = machine.evaluate(target.value, state)
            only = state.only_thing(base)
            if only is not None:
                index = UNKNOWN if isinstance(target.slice, ast.Slice) else machine.evaluate(target.slice, state)
                state.things[only[0]] = without(only[1], index, state)
    return state
