"""Calls that can be worked out: methods of constant text, and functions without side effects, on known arguments."""

from elohim_kernel.engines import _taint_fold as fold
from elohim_kernel.engines._taint_fold import Unfoldable
from elohim_kernel.engines._taint_known import combined, concatenated, elements
from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_plain import literal
from elohim_kernel.engines._taint_program import Call
from elohim_kernel.engines._taint_values import Value, constant


def folded(machine: Machine, call: Call) -> Value | None:
    """The result, worked out, when the call and its arguments are known."""
    if call.rest is not None:
        return None
    receiver = call.receiver
    if receiver is not None and receiver.constants is not None and not receiver.things:
        arguments = (*call.arguments, *call.named.values())
        count, names = len(call.arguments), tuple(call.named)

        def work(text: object, *given: object) -> object:
            if not isinstance(text, (str, bytes)):
                raise Unfoldable
            return fold.method(text, call.method, given[:count], dict(zip(names, given[count:], strict=True)))

        if all(each.constants is not None for each in arguments):
            if len(receiver.constants) == 1 and all(len(each.constants or ()) == 1 for each in arguments):
                try:
                    plain = work(receiver.constants[0], *((each.constants or (None,))[0] for each in arguments))
                except Unfoldable:
                    return None
                return machine.lifted(call.node, plain, call.state)
            return combined((receiver, *arguments), work)  # type: ignore[arg-type]  # lists come back as harmless
        if call.method == "join" and len(call.arguments) == 1:
            return _joined_text(call, receiver)
        return None
    if not fold.is_foldable(call.name):
        return None
    try:
        given = [literal(each, call.state) for each in call.arguments]
        named = {name: literal(each, call.state) for name, each in call.named.items()}
        return machine.lifted(call.node, fold.function(call.name, given, named), call.state)
    except (ValueError, TypeError, Unfoldable):
        return None


def _joined_text(call: Call, receiver: Value) -> Value | None:
    parts = elements(call.arguments[0], call.state)
    if parts is None:
        return None
    spaced = [part for each in parts for part in (receiver, each)][1:]
    return concatenated([call.state.deep(each) for each in spaced]) if spaced else constant("")
