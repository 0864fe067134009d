"""Methods of lists, dictionaries, sets and configurations the program made itself, followed element by element."""

from collections.abc import Callable, Mapping
from typing import Final

from elohim_kernel.engines._taint_known import elements, stored
from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_plain import key_of, literal
from elohim_kernel.engines._taint_program import Call
from elohim_kernel.engines._taint_state import Key, Thing
from elohim_kernel.engines._taint_values import HARMLESS, NONE, UNKNOWN, Value, constant, join, joined

_Change = tuple[Thing, Value]


def called_on_container(machine: Machine, call: Call) -> Value | None:
    """The result of a method of a container, with its effect; None when the receiver is none."""
    assert call.receiver is not None
    found: list[Value] = []
    for key in call.receiver.things:
        thing = call.state.things.get(key)
        methods = None if thing is None else _KINDS.get(thing.kind)
        if thing is None or methods is None:
            continue
        work = methods.get(call.method)
        if work is None:
            call.state.things[key] = thing.loosened()
            found.append(Value(taints=call.state.deep(call.receiver).taints, is_open=True))
            continue
        after, result = work(machine, call, thing)
        if len(call.receiver.things) > 1 and after is not thing:
            after = after.loosened()
        call.state.things[key] = after
        found.append(result)
    return joined(found) if found else None


def _first(call: Call) -> Value:
    return call.argument(0, "key", "object", "index") or NONE


def _append(_machine: Machine, call: Call, thing: Thing) -> _Change:
    value = _first(call)
    if not thing.is_known:
        return thing.put_somewhere(value), NONE
    return thing.put(len(thing.items), value), NONE


def _extend(_machine: Machine, call: Call, thing: Thing) -> _Change:
    more = elements(_first(call), call.state)
    if more is None or not thing.is_known:
        return thing.put_somewhere(call.state.element(_first(call))), NONE
    return thing.sequence((*thing.items.values(), *more)), NONE


def _insert(_machine: Machine, call: Call, thing: Thing) -> _Change:
    parts = list(thing.items.values())
    value = call.argument(1, "object") or NONE
    place = _plain(_first(call), call)
    if not thing.is_known or not isinstance(place, int):
        return thing.put_somewhere(value), NONE
    parts.insert(place, value)
    return thing.sequence(parts), NONE


def _pop(_machine: Machine, call: Call, thing: Thing) -> _Change:
    place = _plain(_first(call), call) if call.arguments else -1
    parts = list(thing.items.values())
    if not thing.is_known or not isinstance(place, int) or not -len(parts) <= place < len(parts):
        return _unsure_length(thing), thing.element()
    value = parts.pop(place)
    return thing.sequence(parts), value


def _remove(_machine: Machine, call: Call, thing: Thing) -> _Change:
    wanted = _first(call)
    parts = list(thing.items.values())
    if not thing.is_known or wanted.constants is None or len(wanted.constants) != 1:
        return _unsure_length(thing), NONE
    for place, each in enumerate(parts):
        if each.constants is None or len(each.constants) != 1 or each.taints:
            return _unsure_length(thing), NONE
        if each.constants == wanted.constants:
            del parts[place]
            return thing.sequence(parts), NONE
    return thing, NONE


def _unsure_length(thing: Thing) -> Thing:
    if not thing.items and thing.rest is None:
        return thing
    return Thing(thing.kind, rest=joined(thing.values()), is_exact=thing.is_exact, is_certain=False)


def _reverse(_machine: Machine, _call: Call, thing: Thing) -> _Change:
    return (thing.sequence(list(thing.items.values())[::-1]) if thing.is_known else thing), NONE


def _sort(_machine: Machine, call: Call, thing: Thing) -> _Change:
    parts = list(thing.items.values())
    known = [each.constants[0] for each in parts if each.constants is not None and len(each.constants) == 1]
    if thing.is_known and len(known) == len(parts) and not call.named:
        try:
            return thing.sequence([constant(each) for each in sorted(known)]), NONE  # type: ignore[type-var]
        except TypeError:
            pass
    return _unsure_length(thing), NONE


def _clear(_machine: Machine, _call: Call, thing: Thing) -> _Change:
    return Thing(thing.kind, owner=thing.owner), NONE


def _copy(machine: Machine, call: Call, thing: Thing) -> _Change:
    return thing, machine.new(call.node, thing, call.state)


def _number(_machine: Machine, _call: Call, thing: Thing) -> _Change:
    return thing, HARMLESS


def _get(_machine: Machine, call: Call, thing: Thing) -> _Change:
    default = call.argument(1, "default") or NONE
    key = _key(_first(call), call)
    if key is None:
        return thing, join(thing.element(), default)
    if key[0] in thing.items:
        found = thing.got(key[0])
        return thing, found if thing.is_certain else join(found, default)
    if thing.is_exact and thing.rest is None:
        return thing, default
    return thing, join(thing.got(key[0]), default)


def _pop_key(machine: Machine, call: Call, thing: Thing) -> _Change:
    _, value = _get(machine, call, thing)
    key = _key(_first(call), call)
    if key is None:
        return thing.loosened(), value
    items = {each: kept for each, kept in thing.items.items() if each != key[0]}
    return Thing("dict", items, rest=thing.rest, is_exact=thing.is_exact, is_certain=thing.is_certain), value


def _set_default(machine: Machine, call: Call, thing: Thing) -> _Change:
    _, value = _get(machine, call, thing)
    return stored(thing, _first(call), value, call.state), value


def _update(_machine: Machine, call: Call, thing: Thing) -> _Change:
    for each in call.arguments:
        only = call.state.only_thing(each)
        if only is None or only[1].kind != "dict" or each.is_open:
            thing = thing.put_somewhere(call.state.deep(each))
            continue
        for key, value in only[1].items.items():
            thing = thing.put(key, value)
        if not only[1].is_known:
            thing = thing.put_somewhere(only[1].element())
    for name, value in call.named.items():
        thing = thing.put(name, value)
    return (thing if call.rest is None else thing.put_somewhere(call.rest)), NONE


def _keys(machine: Machine, call: Call, thing: Thing) -> _Change:
    if thing.is_known:
        names = [constant(each) for each in thing.items if not isinstance(each, tuple)]
        return thing, machine.sequence(call.node, "list", names, call.state)
    assert call.receiver is not None
    return thing, machine.some(call.node, "list", call.state.element(call.receiver), call.state)


def _values(machine: Machine, call: Call, thing: Thing) -> _Change:
    if thing.is_known:
        return thing, machine.sequence(call.node, "list", list(thing.items.values()), call.state)
    return thing, machine.some(call.node, "list", thing.element(), call.state)


def _items(machine: Machine, call: Call, thing: Thing) -> _Change:
    if not thing.is_known or len(thing.items) > 40:
        key = UNKNOWN if not thing.is_exact or thing.rest is not None else HARMLESS
        pair = machine.new(call.node, Thing("tuple", {0: key, 1: thing.element()}), call.state)
        return thing, machine.some(call.node, "list", pair, call.state)
    pairs: list[Value] = []
    context = machine.context
    for place, (key_, value) in enumerate(thing.items.items()):
        machine.context = (*context, place)
        name = HARMLESS if isinstance(key_, tuple) else constant(key_)
        pairs.append(machine.sequence(call.node, "tuple", [name, value], call.state))
    machine.context = context
    return thing, machine.sequence(call.node, "list", pairs, call.state)


def _add(_machine: Machine, call: Call, thing: Thing) -> _Change:
    value = _first(call)
    return (thing.put(len(thing.items), value) if thing.is_known else thing.put_somewhere(value)), NONE


def _merged(machine: Machine, call: Call, thing: Thing) -> _Change:
    element = joined((*thing.values(), *(call.state.element(each) for each in call.arguments)))
    return thing, machine.some(call.node, thing.kind, element, call.state)


def _set_option(_machine: Machine, call: Call, thing: Thing) -> _Change:
    key = _option(call)
    value = call.argument(2, "value") or NONE
    return (thing.put_somewhere(value) if key is None else thing.put(key, value)), NONE


def _get_option(_machine: Machine, call: Call, thing: Thing) -> _Change:
    key = _option(call)
    if key is None:
        return thing, thing.element()
    value = thing.items.get(key, call.named.get("fallback", UNKNOWN))
    return thing, value if thing.rest is None else join(value, thing.rest)


def _option(call: Call) -> Key | None:
    section, option = _plain(_first(call), call), _plain(call.argument(1, "option") or UNKNOWN, call)
    if isinstance(section, str) and isinstance(option, str):
        return (section, option.lower())
    return None


def _read(_machine: Machine, call: Call, thing: Thing) -> _Change:
    taints = joined(list(call.everything())).taints
    return thing.put_somewhere(Value(taints=taints, is_open=True)), HARMLESS


def _plain(value: Value, call: Call) -> object:
    try:
        return literal(value, call.state)
    except (ValueError, TypeError):
        return UNKNOWN


def _key(value: Value, call: Call) -> tuple[Key] | None:
    try:
        return (key_of(value, call.state),)
    except (ValueError, TypeError):
        return None


_Methods = Mapping[str, Callable[[Machine, Call, Thing], _Change]]
_KINDS: Final[Mapping[str, _Methods]] = {
    "list": {
        "append": _append,
        "clear": _clear,
        "copy": _copy,
        "count": _number,
        "extend": _extend,
        "index": _number,
        "insert": _insert,
        "pop": _pop,
        "remove": _remove,
        "reverse": _reverse,
        "sort": _sort,
    },
    "tuple": {"count": _number, "index": _number},
    "set": {
        "add": _add,
        "clear": _clear,
        "copy": _copy,
        "discard": _remove,
        "union": _merged,
        "intersection": _merged,
        "difference": _merged,
        "update": _extend,
    },
    "dict": {
        "clear": _clear,
        "copy": _copy,
        "get": _get,
        "items": _items,
        "keys": _keys,
        "pop": _pop_key,
        "setdefault": _set_default,
        "update": _update,
        "values": _values,
    },
    "config": {
        "add_section": _number,
        "get": _get_option,
        "getboolean": _number,
        "getfloat": _number,
        "getint": _number,
        "has_option": _number,
        "has_section": _number,
        "read": _read,
        "read_dict": _read,
        "read_file": _read,
        "read_string": _read,
        "set": _set_option,
    },
}
