"""Calls of functions and classes of the file: each is followed with what it is given, unless that was done before."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from elohim_kernel.engines._taint_entries import entry_of, parameter
from elohim_kernel.engines._taint_machine import Machine, NoReturn
from elohim_kernel.engines._taint_program import Call, Class, Frame, Function
from elohim_kernel.engines._taint_state import State, Thing, join_states
from elohim_kernel.engines._taint_values import HARMLESS, NONE, UNKNOWN, Value, join, joined, mixed

MAX_REACHABLE: Final = 100
"""Things looked at to see whether a call was followed before."""


def invoke(machine: Machine, called: Function, call: Call) -> Value:
    """What a function of the file returns. What it does to things is done to those of the call's state."""
    if called.node in machine.calls or len(machine.calls) > machine.depth:
        return _not_followed(called, call)
    machine.invoked.add(called.node)
    memo = _memo_key(called, call)
    known = machine.memo.get(memo)
    if known is not None:
        value = known[0]
    else:
        before = dict(call.state.things)
        state = State({}, call.state.things, called.outer)
        _bind(machine, called, call, state)
        context = machine.context
        machine.context = (*context, call.node)
        try:
            value = _run(machine, called, Frame(called, is_root=False), state)
        finally:
            machine.context = context
        changed = _tidy(before, state.things, value)
        if not changed and (value is None or not (value.things or value.code)):
            # The key holds on to what it was made of, so that no identity in it is used again.
            machine.memo[memo] = (value, [before[key] for key in before])
    if value is None:
        raise NoReturn
    if not value.taints:
        return value
    return value.stepped(call.node.lineno, f"returned by {called.name}()")


def _not_followed(called: Function, call: Call) -> Value:
    """A call that goes too deep: it may do anything to what it is given."""
    parts = [*call.arguments, *call.named.values(), *([] if called.receiver is None else [called.receiver])]
    value = mixed([*call.everything(), *(call.state.deep(each) for each in parts)], hop=True)
    for each in parts:
        for key in each.things:
            thing = call.state.things.get(key)
            if thing is not None:
                call.state.things[key] = thing.loosened()
    return value


def _memo_key(called: Function, call: Call) -> tuple[object, ...]:
    """Equal for calls that surely do the same."""
    receiver = [] if called.receiver is None else [called.receiver]
    rest = [] if call.rest is None else [call.rest]
    values = [*receiver, *call.arguments, *call.named.values(), *rest]
    return (
        called.node,
        tuple(id(scope) for scope in called.outer[:-1]),
        (len(receiver), len(call.arguments), tuple(call.named), len(rest)),
        tuple(_look_of(each) for each in values),
        _reachable(values, call.state.things),
    )


def _look_of(value: Value) -> tuple[object, ...]:
    known = value.constants
    return (
        None if known is None else tuple((type(each), each) for each in known),
        value.taints,
        value.name,
        id(value.code) if value.code is not None else 0,
        value.prefix,
        value.is_text,
        value.is_open,
        value.things,
    )


def _reachable(values: Iterable[Value], things: Mapping[int, Thing]) -> tuple[object, ...]:
    """The versions of all things the values lead to; equal to nothing when there are too many to look at."""
    found: dict[int, int] = {}
    ways = [key for each in values for key in sorted(each.things)]
    while ways:
        key = ways.pop()
        if key in found:
            continue
        thing = things.get(key)
        if thing is None or len(found) >= MAX_REACHABLE:
            return (object(),)
        found[key] = id(thing)
        ways.extend(inside for each in thing.values() for inside in each.things)
    return tuple(sorted(found.items()))


def _tidy(before: Mapping[int, Thing], things: dict[int, Thing], value: Value | None) -> bool:
    """Forget what nobody can reach after a call; whether the call changed what was there before."""
    changed = [key for key, thing in before.items() if things.get(key) is not thing]
    fresh = things.keys() - before.keys()
    if fresh:
        reached: set[int] = set()
        ways = [inside for key in changed if key in things for each in things[key].values() for inside in each.things]
        if value is not None:
            ways.extend(value.things)
            if value.code is not None:
                return True
        while ways:
            key = ways.pop()
            if key in reached or key not in things:
                continue
            reached.add(key)
            ways.extend(inside for each in things[key].values() for inside in each.things)
        for key in fresh - reached:
            del things[key]
    return bool(changed)


def run_from_outside(machine: Machine, called: Function, depth: int) -> None:
    """Follow a function as the outside may call it, and calls `depth` deep. Raises `OutOfBudget`."""
    machine.begin_root(depth)
    called.entry = entry_of(called, machine.libraries)
    things = {key: thing.loosened() for key, thing in (called.things or {}).items()}
    state = State({}, things, called.outer)
    _bind_from_outside(machine, called, state)
    try:
        _run(machine, called, Frame(called, is_root=True), state)
    finally:
        machine.end_root()


def instantiate(machine: Machine, made: Class, call: Call) -> Value:
    """A new instance of a class of the file."""
    value = machine.new(call.node, Thing("instance", owner=made, is_exact=False), call.state)
    start = made.member("__init__")
    if start is not None and isinstance(start.code, Function):
        machine.invoke(start.code.bound(value), call)
        return value
    (key,) = value.things
    thing = call.state.things[key]
    fields = [each.target.id for each in made.node.body if isinstance(each, ast.AnnAssign) and _is_name(each.target)]  # type: ignore[union-attr]
    for name, given in zip(fields, call.arguments, strict=False):
        thing = thing.put(name, given)
    for name, given in call.named.items():
        thing = thing.put(name, given)
    if not fields:
        data = [each for each in call.everything() if each.taints]
        if data:
            thing = thing.put_somewhere(mixed(data, hop=True))
    call.state.things[key] = thing
    return value


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)


def _run(machine: Machine, called: Function, frame: Frame, state: State) -> Value | None:
    """Execute a body; what it returns, None when it never does. `state.things` is what there is afterwards."""
    before, machine.frame = machine.frame, frame
    machine.calls.append(called.node)
    was_repeating, machine.is_repeating = machine.is_repeating, False
    try:
        if isinstance(called.node, ast.Lambda):
            return machine.evaluate(called.node.body, state)
        things = state.things
        end = machine.execute(called.node.body, State(state.names, dict(things), state.outer))
    finally:
        machine.frame, machine.is_repeating = before, was_repeating
        machine.calls.pop()
    if end is not None:
        frame.returns.append((NONE, end))
    last: State | None = None
    for _, each in frame.returns:
        last = join_states(last, each)
    if last is None:
        return None
    things.clear()
    things.update(last.things)
    for inner in frame.defined:
        inner.outer, inner.things = (last.names, *state.outer), last.things
    if frame.yields:
        return machine.some(called.node, "list", joined(frame.yields), state)
    return joined(value for value, _ in frame.returns)


def _bind(machine: Machine, called: Function, call: Call, state: State) -> None:
    """Give parameters the arguments of a call."""
    given = called.node.args
    places = [each.arg for each in (*given.posonlyargs, *given.args)]
    arguments = list(call.arguments)
    if called.receiver is not None and places:
        state.names[places.pop(0)] = called.receiver
    line = call.node.lineno
    rest = call.rest
    for name, value in zip(places, arguments, strict=False):
        state.names[name] = value.stepped(line, f"passed to {called.name}() as {name}") if value.taints else value
    if given.vararg is not None:
        extra = arguments[len(places) :]
        if rest is None:
            state.names[given.vararg.arg] = machine.sequence(given.vararg, "tuple", extra, state)
        else:
            state.names[given.vararg.arg] = machine.some(given.vararg, "tuple", joined((*extra, rest)), state)
    known = {*places, *(each.arg for each in given.kwonlyargs)}
    others = Thing("dict")
    for name, value in call.named.items():
        if name in known:
            state.names[name] = value.stepped(line, f"passed to {called.name}() as {name}") if value.taints else value
        else:
            others = others.put(name, value)
    if given.kwarg is not None:
        others = others if rest is None else others.put_somewhere(rest)
        state.names[given.kwarg.arg] = machine.new(given.kwarg, others, state)
    for each, default in _defaults(given):
        if each.arg not in state.names:
            value = UNKNOWN if default is None else _default(machine, called, default, state)
            state.names[each.arg] = value if rest is None else join(value, rest)


def _bind_from_outside(machine: Machine, called: Function, state: State) -> None:
    from_entry = getattr(called.entry, "parameters", {})
    given = called.node.args
    for each, default in _defaults(given):
        if each.arg in from_entry:
            state.names[each.arg] = from_entry[each.arg]
            continue
        value = parameter(each, machine.libraries)
        if default is not None:
            value = join(value, _default(machine, called, default, state).with_(is_open=True))
        state.names[each.arg] = value
    for extra in (given.vararg, given.kwarg):
        if extra is not None:
            state.names[extra.arg] = UNKNOWN
    first = next(iter((*given.posonlyargs, *given.args)), None)
    if called.owner is None or first is None or called.is_static:
        return
    if called.is_class:
        state.names[first.arg] = Value(code=called.owner)
        return
    thing = Thing("instance", owner=called.owner, is_exact=False, is_certain=False)
    state.names[first.arg] = machine.new(called.node, thing, state)


def _defaults(given: ast.arguments) -> Sequence[tuple[ast.arg, ast.expr | None]]:
    places = [*given.posonlyargs, *given.args]
    missing: list[ast.expr | None] = [None] * (len(places) - len(given.defaults))
    return [
        *zip(places, [*missing, *given.defaults], strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]


def _default(machine: Machine, called: Function, node: ast.expr, state: State) -> Value:
    """The value of a default, in the scope around the function."""
    try:
        return machine.evaluate(node, State({}, state.things, called.outer))
    except NoReturn:
        return HARMLESS
