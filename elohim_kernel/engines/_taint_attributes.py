"""What an attribute is: a member of an instance or class of the file, a name of a library, a part of tainted data."""

import ast
from typing import Final

from elohim_kernel.engines._taint_machine import Machine, NoReturn
from elohim_kernel.engines._taint_program import Call, Class, Function
from elohim_kernel.engines._taint_sources import canonical, imported, request_object, source
from elohim_kernel.engines._taint_state import State, Thing
from elohim_kernel.engines._taint_values import UNKNOWN, Value, join, joined

PATH: Final = "pathlib.Path()"


def attribute(machine: Machine, value: Value, name: str, node: ast.expr, state: State) -> Value:
    """An attribute: a member of an instance or class of the file, a name a library has, or part of what is tainted."""
    found: list[Value] = []
    for key in value.things:
        thing = state.things.get(key)
        if thing is not None and thing.kind == "instance":
            found.append(_member(machine, value, thing, name, node, state))
    if isinstance(value.code, Class) and not value.things:
        member = value.code.member(name)
        if member is not None:
            found.append(_bound(machine, member, value, node, state, by_class=True))
    if found:
        return joined(found)
    if value.name == PATH and name in ("name", "stem", "suffix", "parent"):
        return value.with_(name=PATH) if name == "parent" else value.cleaned(("path-traversal",)).with_(name="")
    if value.name:
        dotted = canonical(f"{value.name}.{name}")
        known = source(dotted, node.lineno)
        if known is not None:
            return known
        if value.taints:
            return Value(name=dotted, taints=value.taints, is_text=value.is_text, is_open=value.is_open)
        if name == "request" and value.name.endswith(("self", "()")):
            return request_object(node.lineno)
        return imported(dotted)
    if name == "request" and value.is_open:
        return request_object(node.lineno)
    return Value(taints=value.taints, is_open=value.is_open or not value.taints, is_text=value.is_text)


def _member(machine: Machine, value: Value, thing: Thing, name: str, node: ast.expr, state: State) -> Value:
    found = thing.items.get(name)
    if found is not None:
        return found if thing.is_certain else join(found, thing.rest or UNKNOWN)
    owner = thing.owner
    if isinstance(owner, Class):
        member = owner.member(name)
        if member is not None:
            return _bound(machine, member, value, node, state)
        for base in owner.foreign_bases():
            dotted = canonical(f"{base}.{name}")
            known = source(dotted, node.lineno)
            if known is not None:
                return known
            if name == "request":
                return request_object(node.lineno)
            if name == "kwargs" and base.endswith("View"):
                return source("request.path_params", node.lineno) or UNKNOWN
            return imported(dotted)
    if thing.rest is not None:
        return join(thing.rest, UNKNOWN)
    return request_object(node.lineno) if name == "request" else UNKNOWN


def _bound(
    machine: Machine, member: Value, receiver: Value, node: ast.expr, state: State, *, by_class: bool = False
) -> Value:
    function = member.code
    if not isinstance(function, Function) or function.is_static:
        return member
    if by_class and not function.is_class:
        return member
    bound = function.bound(receiver)
    if not function.is_property:
        return Value(code=bound)
    call = ast.copy_location(ast.Call(func=node, args=[], keywords=[]), node)
    try:
        return machine.invoke(bound, Call(call, state, member))
    except NoReturn:
        return UNKNOWN
