"""What a call gives: of the file's own functions by following them, of known libraries by table, else by its arguments.

A function that is not known is taken to hand on the data of its arguments. That is right for most helpers, and makes
what is said of the result less certain.
"""

import re
from collections.abc import Mapping
from typing import Final

from elohim_kernel.engines import _taint_fold as fold
from elohim_kernel.engines import _taint_xml as xml
from elohim_kernel.engines._taint_attributes import PATH
from elohim_kernel.engines._taint_cleaners import NEUTRAL, NEUTRAL_METHODS, OPAQUE, OPAQUE_METHODS, UNDOES, cleaned_by
from elohim_kernel.engines._taint_containers import called_on_container
from elohim_kernel.engines._taint_folding import folded
from elohim_kernel.engines._taint_functions import instantiate
from elohim_kernel.engines._taint_machine import Machine, NoReturn
from elohim_kernel.engines._taint_models import MODELS
from elohim_kernel.engines._taint_program import Call, Class, Function
from elohim_kernel.engines._taint_sinks import look_at_call
from elohim_kernel.engines._taint_sources import REQUEST, entry, from_outside, is_source_method, source
from elohim_kernel.engines._taint_values import EITHER, HARMLESS, UNKNOWN, Value, mixed, united, words

_ENDS: Final = words(
    "sys.exit exit quit os._exit os.abort flask.abort werkzeug.exceptions.abort quart.abort bottle.abort"
    " django.core.exceptions.PermissionDenied flask_restful.abort flask_restx.abort"
)
_TEXT_METHODS: Final = fold.TEXT_METHODS | frozenset(("format_map", "translate", "tobytes", "getvalue", "read"))
_TESTS: Final = frozenset(name for name in fold.TEXT_METHODS if name.startswith("is")) | {"startswith", "endswith"}
_LISTS: Final = frozenset(("split", "rsplit", "splitlines", "partition", "rpartition", "getlist", "get_all", "getall"))
_SETTERS: Final = re.compile(r"^(set|add|append|put|push|insert|update|write|extend|feed|store|register|send)")
_WRAPPER: Final = re.compile(r"request|wrap|param|form|query|input|pars|arg|data|body|json|payload|value|header|cookie")
_LOOK_UPS: Final = re.compile(r"(?<!request)\.(objects|query)\b|\bsession\.query\b")


def called(machine: Machine, call: Call) -> Value:
    """What the call gives; sinks look at it first. Raises `NoReturn`."""
    look_at_call(machine, call)
    code = call.callee.code
    if isinstance(code, Function):
        return machine.invoke(code, call)
    if isinstance(code, Class):
        return instantiate(machine, code, call)
    if call.name in _ENDS:
        raise NoReturn
    if call.receiver is not None and call.receiver.things:
        on_container = called_on_container(machine, call)
        if on_container is not None:
            return on_container
    parser = xml.made(call.name, call)
    if parser is not None:
        return parser
    model = MODELS.get(call.name)
    if model is not None:
        return model(machine, call)
    known = folded(machine, call)
    if known is not None:
        return known
    known = source(f"{call.name}()", call.node.lineno) if call.name else None
    if known is not None:
        return known
    if is_source_method(call.method):
        return from_outside(f"{call.method}()", call.node.lineno)
    if call.callee.taints and call.receiver is not None and call.receiver.name == REQUEST:
        return Value(taints=call.callee.taints, is_text=True)
    return _by_table(machine, call)


def _by_table(machine: Machine, call: Call) -> Value:
    result_name = f"{call.name}()" if call.name else ""
    if call.name in NEUTRAL:
        return HARMLESS.with_(name=result_name)
    if call.name in OPAQUE:
        return UNKNOWN.with_(name=result_name)
    if call.name in UNDOES:
        return _undone(call)
    cleaned = cleaned_by(call.name or call.method)
    if cleaned is not None:
        return _cleaned(call, cleaned)
    if call.receiver is not None:
        if call.method in NEUTRAL_METHODS and not call.receiver.things:
            return EITHER if call.method in _TESTS else HARMLESS
        if call.method in OPAQUE_METHODS or _LOOK_UPS.search(call.name):
            return UNKNOWN.with_(name=result_name)
        if call.method == "find" and call.receiver.is_text:
            return HARMLESS
        if call.receiver.name == PATH and call.method in _PATHS:
            return _of_path(call, call.receiver)
        if call.method in _TEXT_METHODS or call.receiver.taints or call.receiver.is_text:
            return _of_text(machine, call, call.receiver)
    return _of_unknown(machine, call, result_name)


def _of_text(machine: Machine, call: Call, receiver: Value) -> Value:
    """A method of text, or of something that holds data from outside."""
    parts = [receiver, *call.everything()]
    if call.method in _TESTS:
        return EITHER
    is_text = receiver.is_text or receiver.name.startswith("request.") or call.method in ("format", "join", "decode")
    prefix = ""
    if call.method == "format":
        prefix = receiver.prefix.partition("{")[0]
    elif call.method in ("encode", "decode", "rstrip", "__str__"):
        prefix = receiver.prefix
    if receiver.taints and receiver.name.startswith("request.") and call.method in ("get", "getlist", "pop", "getone"):
        # The key says where to look; only a default can become the value.
        key = call.arguments[0].constants if call.arguments else None
        receiver_part = entry(receiver, key[0] if key is not None and len(key) == 1 else None)
        parts = [receiver_part, *(call.state.deep(each) for each in call.arguments[1:])]
    value = mixed(parts, is_text=is_text, prefix=prefix)
    if call.method == "format":
        machine.see_statement(call.node, value)
    if call.method == "replace":
        value = _replaced(call, value)
    if call.method in _LISTS:
        return machine.some(call.node, "list", value, call.state)
    if call.method == "items" and receiver.taints:
        pair = machine.sequence(call.node, "tuple", [value.with_(is_text=True), value.with_(is_text=True)], call.state)
        return machine.some(call.node, "list", pair, call.state)
    if call.method in ("keys", "values"):
        return machine.some(call.node, "list", value.with_(is_text=True), call.state)
    return value


_REPLACED: Final[Mapping[str, frozenset[str]]] = {
    "'": frozenset(("xpath-injection",)),
    "<": frozenset(("xss",)),
    "\n": frozenset(("log-injection",)),
}


def _replaced(call: Call, value: Value) -> Value:
    old = call.argument(0)
    known = old.constants if old is not None else None
    if known is not None and len(known) == 1 and isinstance(known[0], str) and known[0] in _REPLACED:
        return value.cleaned(_REPLACED[known[0]])
    return value


_PATHS: Final = words("resolve absolute expanduser joinpath with_name with_suffix with_stem relative_to")


def _of_path(call: Call, receiver: Value) -> Value:
    value = mixed([receiver, *call.everything()], is_text=True, prefix=receiver.prefix).with_(name=PATH)
    return value.cleaned(("resolved",)) if call.method in ("resolve", "absolute") else value


def _cleaned(call: Call, categories: frozenset[str]) -> Value:
    value = mixed(list(call.everything()), is_text=True)
    if call.name.startswith("os.path.") and call.arguments:
        value = value.with_(prefix=call.arguments[0].prefix if "resolved" in categories else "")
    return value.cleaned(categories)


def _undone(call: Call) -> Value:
    value = mixed(list(call.everything()), is_text=True)
    return value.with_(taints=frozenset(each.made(cleaned=frozenset()) for each in value.taints))


def _of_unknown(machine: Machine, call: Call, name: str) -> Value:
    state = call.state
    parts = list(call.everything())
    if call.receiver is not None:
        parts.append(call.receiver if not call.receiver.things else state.deep(call.receiver))
    for each in (*call.arguments, *call.named.values()):
        for key in each.things:
            thing = state.things.get(key)
            if thing is not None and call.name not in _HARMLESS_CALLEES:
                state.things[key] = thing.loosened()
    value = mixed(parts, hop=True).with_(name=name)
    label = call.name.rpartition(".")[2] or call.method or "a function"
    is_wrapper = label[:1].isupper() or _WRAPPER.search(call.name.lower()) is not None
    if is_wrapper and any(each.name == REQUEST for each in (*call.arguments, *call.named.values())):
        outside = from_outside(f"the request, through {label}()", call.node.lineno, hops=1, is_text=False)
        value = value.with_(taints=united(value.taints, outside.taints))
    _keep_in_receiver(call, parts)
    return value


_HARMLESS_CALLEES: Final = words("print str repr len list tuple dict set sorted json.dumps")


def _keep_in_receiver(call: Call, parts: list[Value]) -> None:
    """`box.set(data)`: what nothing is known about now holds the data."""
    node = getattr(call.node.func, "value", None)
    name = getattr(node, "id", "")
    receiver = call.receiver
    if not name or receiver is None or receiver.things or not _SETTERS.match(call.method):
        return
    data = mixed(parts, hop=True).taints
    if data and (not receiver.name or receiver.name.endswith("()")):
        call.state.names[name] = receiver.with_(taints=united(receiver.taints, data))
