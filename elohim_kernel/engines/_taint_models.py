"""What calls of the standard library give that make, copy or join values: builtins, paths, patterns, configurations."""

from collections.abc import Callable, Mapping
from typing import Final

from elohim_kernel.engines import _taint_fold as fold
from elohim_kernel.engines._taint_folding import folded
from elohim_kernel.engines._taint_known import combined, elements
from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_patterns import harmless_for
from elohim_kernel.engines._taint_plain import literal
from elohim_kernel.engines._taint_program import Call
from elohim_kernel.engines._taint_state import Thing
from elohim_kernel.engines._taint_values import HARMLESS, UNKNOWN, Value, constant, joined, mixed


def _text(_machine: Machine, call: Call) -> Value:
    value = call.argument(0, "object")
    if value is None:
        return constant("")
    known = combined((value,), lambda one: fold.formatted(one, -1, "")) if len(call.arguments) == 1 else None
    inner = call.state.deep(value)
    if known is not None and not value.things:
        return known
    return Value(taints=inner.taints, is_open=inner.is_open, is_text=True, prefix=inner.prefix)


def _copy_of(kind: str) -> Callable[[Machine, Call], Value]:
    def work(machine: Machine, call: Call) -> Value:
        given = call.argument(0)
        if kind == "dict":
            thing = Thing("dict")
            only = None if given is None else call.state.only_thing(given)
            if only is not None and only[1].kind == "dict":
                thing = only[1]
            elif given is not None:
                thing = thing.put_somewhere(call.state.deep(given))
            for name, value in call.named.items():
                thing = thing.put(name, value)
            return machine.new(call.node, thing if call.rest is None else thing.put_somewhere(call.rest), call.state)
        if given is None:
            return machine.sequence(call.node, kind, [], call.state)
        parts = elements(given, call.state)
        if parts is None or kind == "set":
            return machine.some(call.node, kind, call.state.element(given), call.state)
        return machine.sequence(call.node, kind, parts, call.state)

    return work


def _ordered(machine: Machine, call: Call) -> Value:
    given = call.argument(0) or HARMLESS
    parts = elements(given, call.state)
    if parts is not None and call.name == "reversed":
        return machine.sequence(call.node, "list", parts[::-1], call.state)
    known = folded(machine, call) if call.name == "sorted" and not call.named else None
    return known or machine.some(call.node, "list", call.state.element(given), call.state)


def _range(machine: Machine, call: Call) -> Value:
    try:
        limits = [literal(each, call.state) for each in call.arguments]
        numbers = range(*(each for each in limits if isinstance(each, int)))
        count = len(numbers)
    except (ValueError, TypeError, OverflowError):
        return machine.some(call.node, "list", HARMLESS, call.state)
    if count > 40:
        return machine.some(call.node, "list", HARMLESS, call.state)
    return machine.sequence(call.node, "list", [constant(each) for each in numbers], call.state)


def _zipped(machine: Machine, call: Call) -> Value:
    """`zip` and `enumerate`."""
    sources = list(call.arguments)
    if not sources:
        return machine.some(call.node, "list", UNKNOWN, call.state)
    columns = [elements(each, call.state) for each in sources]
    if call.name == "enumerate":
        columns = [None if columns[:1] == [None] else [constant(n) for n in range(len(columns[0] or ()))], *columns[:1]]
        sources = [HARMLESS, *sources[:1]]
    known = [each for each in columns if each is not None]
    context = machine.context
    if len(known) == len(columns) and not call.named:
        rows: list[Value] = []
        for place, row in enumerate(zip(*known, strict=False)):
            machine.context = (*context, place)
            rows.append(machine.sequence(call.node, "tuple", list(row), call.state))
        machine.context = context
        return machine.sequence(call.node, "list", rows, call.state)
    row_ = machine.sequence(call.node, "tuple", [call.state.element(each) for each in sources], call.state)
    return machine.some(call.node, "list", row_, call.state)


def _mapped(machine: Machine, call: Call) -> Value:
    """`map` and `filter`."""
    function, over = call.argument(0) or UNKNOWN, call.argument(1) or HARMLESS
    element = call.state.element(over)
    if call.name == "filter":
        return machine.some(call.node, "list", element, call.state)
    inner = Call(call.node, call.state, function, arguments=[element])
    return machine.some(call.node, "list", machine.call(inner), call.state)


def _next(_machine: Machine, call: Call) -> Value:
    given = call.argument(0) or UNKNOWN
    return joined([call.state.element(given), *call.arguments[1:]])


def _get_attribute(machine: Machine, call: Call) -> Value:
    names = call.arguments[1].constants if len(call.arguments) > 1 else None
    if names is not None and len(names) == 1 and isinstance(names[0], str):
        return machine.attribute(call.arguments[0], names[0], call.node, call.state)
    return mixed(list(call.everything()), hop=True)


def _path(_machine: Machine, call: Call) -> Value:
    value = mixed(list(call.everything()), is_text=True, prefix=call.arguments[0].prefix if call.arguments else "")
    return value.with_(name="pathlib.Path()")


def _joined_path(machine: Machine, call: Call) -> Value:
    known = folded(machine, call)
    if known is not None:
        return known
    return mixed(list(call.everything()), is_text=True, prefix=call.arguments[0].prefix if call.arguments else "")


def _split_path(machine: Machine, call: Call) -> Value:
    return folded(machine, call) or machine.some(
        call.node, "tuple", mixed(list(call.everything()), is_text=True), call.state
    )


def _configuration(machine: Machine, call: Call) -> Value:
    return machine.new(call.node, Thing("config"), call.state)


def _through(_machine: Machine, call: Call) -> Value:
    return mixed(list(call.everything()), is_text=True)


def _compiled(_machine: Machine, call: Call) -> Value:
    pattern = call.argument(0, "pattern") or UNKNOWN
    single = pattern.constants[0] if pattern.constants is not None and len(pattern.constants) == 1 else ""
    return Value(name="re.compile()", prefix=single if isinstance(single, str) else "", taints=pattern.taints)


def _substituted(_machine: Machine, call: Call) -> Value:
    """`re.sub`: what a pattern takes out is not there any more."""
    parts = list(call.everything())
    value = mixed(parts[1:], is_text=True)
    pattern, new = call.argument(0, "pattern"), call.argument(1, "repl")
    texts = pattern.constants if pattern is not None else None
    if texts is not None and len(texts) == 1 and new is not None and new.constants is not None:
        return value.cleaned(_kept_by(texts[0]))
    return value


def _kept_by(pattern: object) -> frozenset[str]:
    """What a text cannot do once everything outside of a set of characters was taken out."""
    if not isinstance(pattern, str) or not (pattern.startswith("[^") and pattern.rstrip("+*").endswith("]")):
        return frozenset()
    return harmless_for(f"[{pattern.rstrip('+*')[2:-1]}]*", "fullmatch")


MODELS: Final[Mapping[str, Callable[[Machine, Call], Value]]] = {
    "str": _text,
    "repr": _text,
    "list": _copy_of("list"),
    "tuple": _copy_of("tuple"),
    "set": _copy_of("set"),
    "frozenset": _copy_of("set"),
    "dict": _copy_of("dict"),
    "collections.OrderedDict": _copy_of("dict"),
    "sorted": _ordered,
    "reversed": _ordered,
    "range": _range,
    "zip": _zipped,
    "enumerate": _zipped,
    "map": _mapped,
    "filter": _mapped,
    "next": _next,
    "iter": lambda _machine, call: call.argument(0) or UNKNOWN,
    "getattr": _get_attribute,
    "copy.copy": lambda _machine, call: call.argument(0) or UNKNOWN,
    "copy.deepcopy": lambda _machine, call: call.argument(0) or UNKNOWN,
    "typing.cast": lambda _machine, call: call.argument(1) or UNKNOWN,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PosixPath": _path,
    "os.path.join": _joined_path,
    "os.path.split": _split_path,
    "os.path.splitext": _split_path,
    "os.fspath": _through,
    "configparser.ConfigParser": _configuration,
    "configparser.RawConfigParser": _configuration,
    "configparser.SafeConfigParser": _configuration,
    "json.dumps": lambda _machine, call: _through(_machine, call).with_(name="json.dumps()"),
    "json.loads": _through,
    "base64.b64encode": _through,
    "base64.urlsafe_b64encode": _through,
    "bytes": _through,
    "bytearray": _through,
    "io.BytesIO": _through,
    "io.StringIO": _through,
    "textwrap.dedent": _through,
    "re.compile": _compiled,
    "re.sub": _substituted,
    "urllib.parse.urljoin": _through,
    "urllib.parse.unquote_to_bytes": _through,
}
