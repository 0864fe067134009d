"""Lists, dictionaries and comprehensions the program writes down, and what subscripts take out of them and of text."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from elohim_kernel.engines import _taint_fold as fold
from elohim_kernel.engines._taint_fold import Unfoldable
from elohim_kernel.engines._taint_known import combined, elements, stored, truth
from elohim_kernel.engines._taint_machine import Machine, NoReturn
from elohim_kernel.engines._taint_plain import key_of, literal
from elohim_kernel.engines._taint_sources import entry
from elohim_kernel.engines._taint_state import SEQUENCES, State, Thing
from elohim_kernel.engines._taint_values import NONE, UNKNOWN, Value, joined, united

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def _subscript(machine: Machine, node: ast.Subscript, state: State) -> Value:
    base = machine.evaluate(node.value, state)
    if isinstance(node.slice, ast.Slice):
        return _sliced(machine, node, node.slice, base, state)
    index = machine.evaluate(node.slice, state)
    known = combined((base, index), lambda one, place: machine.lifted_part(fold.item(one, place)).constants[0])  # type: ignore[index]
    if known is not None:
        return known
    found = [got for key in base.things if (got := _item(state.things.get(key), index, state)) is not None]
    if base.taints or base.is_open or base.constants is not None or not found:
        found.append(_part(base, index, state))
    return joined(found)


def _part(base: Value, index: Value, state: State) -> Value:
    if base.taints:
        try:
            return entry(base, literal(index, state))
        except (ValueError, TypeError):
            return entry(base, None)
    return Value(is_text=base.is_text, is_open=base.is_open or base.constants is None)


def _item(thing: Thing | None, index: Value, state: State) -> Value | None:
    if thing is None:
        return UNKNOWN
    if thing.kind == "instance":
        return None
    try:
        key = key_of(index, state)
    except (ValueError, TypeError):
        return thing.element()
    if thing.kind in SEQUENCES and isinstance(key, int) and key < 0 and thing.is_known:
        key += len(thing.items)
    if thing.kind == "config":
        return Value(is_open=True) if key not in thing.items else thing.items[key]
    return thing.got(key)


def _sliced(machine: Machine, node: ast.Subscript, bounds: ast.Slice, base: Value, state: State) -> Value:
    limits = [
        NONE if each is None else machine.evaluate(each, state) for each in (bounds.lower, bounds.upper, bounds.step)
    ]
    if base.things:
        parts = elements(base, state)
        only = state.only_thing(base)
        try:
            cut = slice(*(literal(each, state) for each in limits))
            if parts is not None and only is not None:
                kept = fold.item(list(range(len(parts))), cut)
                assert isinstance(kept, list)
                return machine.sequence(node, only[1].kind, [parts[place] for place in kept], state)
        except (ValueError, TypeError, Unfoldable):
            pass
        return machine.some(node, "list", state.element(base), state)
    known = combined((base, *limits), lambda text, *cut: machine.lifted_part(fold.item(text, slice(*cut))).constants[0])  # type: ignore[index]
    if known is not None:
        return known
    lower = limits[0].constants
    is_start = lower in ((None,), (0,)) and limits[2].constants == (None,)
    prefix = base.prefix if is_start and limits[1].constants is None else ""
    return Value(taints=base.taints, is_text=base.is_text, is_open=base.is_open, prefix=prefix)


def _sequence(machine: Machine, node: ast.List | ast.Tuple | ast.Set, state: State) -> Value:
    kind = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}[type(node)]
    values: list[Value] = []
    is_known = True
    for each in node.elts:
        if not isinstance(each, ast.Starred):
            values.append(machine.evaluate(each, state))
            continue
        spread = machine.evaluate(each.value, state)
        parts = elements(spread, state)
        is_known = is_known and parts is not None
        values.extend([state.element(spread)] if parts is None else parts)
    if is_known:
        return machine.sequence(node, kind, values, state)
    return machine.some(node, kind, joined(values), state)


def _dictionary(machine: Machine, node: ast.Dict, state: State) -> Value:
    thing = Thing("dict")
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = machine.evaluate(value_node, state)
        if key_node is None:
            only = state.only_thing(value)
            if only is not None and only[1].kind == "dict" and not value.is_open:
                for key, each in only[1].items.items():
                    thing = thing.put(key, each)
                if not only[1].is_known:
                    thing = thing.put_somewhere(only[1].element())
            else:
                thing = thing.put_somewhere(state.element(value))
            continue
        thing = stored(thing, machine.evaluate(key_node, state), value, state)
    return machine.new(node, thing, state)


def _comprehension(machine: Machine, node: _Comprehension, state: State) -> Value:
    kind = "set" if isinstance(node, ast.SetComp) else "dict" if isinstance(node, ast.DictComp) else "list"
    inner = State({}, state.things, (state.names, *state.outer))
    first = machine.evaluate(node.generators[0].iter, state)
    exact = elements(first, state)
    if exact is not None and len(node.generators) == 1 and kind != "dict":
        values = _one_by_one(machine, node, exact, inner)
        if values is not None:
            return machine.sequence(node, kind, values, inner)
    element = _any_element(machine, node, first, inner)
    if element is None:
        return machine.new(node, Thing(kind), inner)
    return machine.new(node, Thing(kind, rest=element, is_certain=False), inner)


def _one_by_one(
    machine: Machine,
    node: _Comprehension,
    exact: Sequence[Value],
    inner: State,
) -> Sequence[Value] | None:
    (generator,) = node.generators
    values: list[Value] = []
    for each in exact:
        machine.assign(generator.target, each, inner)
        known = [truth(machine.evaluate(test, inner), inner) for test in generator.ifs]
        if None in known:
            return None
        if False not in known and not isinstance(node, ast.DictComp):
            values.append(machine.evaluate(node.elt, inner))
    return values


def _any_element(machine: Machine, node: _Comprehension, first: Value, inner: State) -> Value | None:
    try:
        for place, generator in enumerate(node.generators):
            source_ = first if place == 0 else machine.evaluate(generator.iter, inner)
            machine.assign(generator.target, inner.element(source_), inner)
            for test in generator.ifs:
                machine.evaluate(test, inner)
                machine.assume(test, True, inner)
        if isinstance(node, ast.DictComp):
            key = machine.evaluate(node.key, inner)
            value = machine.evaluate(node.value, inner)
            return value.with_(taints=united(value.taints, inner.deep(key).taints))
        return machine.evaluate(node.elt, inner)
    except NoReturn:
        return None


# Each function takes the kind of node it is listed for, which a mapping's type cannot say.
KINDS: Final[Mapping[type[ast.expr], Callable[..., Value]]] = {
    ast.Dict: _dictionary,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.List: _sequence,
    ast.ListComp: _comprehension,
    ast.Set: _sequence,
    ast.SetComp: _comprehension,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence,
}
