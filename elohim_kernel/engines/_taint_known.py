"""What is known of values for sure: whether they are true, what they are made of, what constants give."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Final

from elohim_kernel.engines._taint_fold import Unfoldable
from elohim_kernel.engines._taint_plain import key_of
from elohim_kernel.engines._taint_program import Class, Function
from elohim_kernel.engines._taint_state import SEQUENCES, State, Thing
from elohim_kernel.engines._taint_values import Constant, Value, constant, constants, mixed

MAX_COMBINATIONS: Final = 16

MAX_ELEMENTS: Final = 40


def truth(value: Value, state: State) -> bool | None:
    """Whether the value is surely true or false; None when that is not known."""
    if value.is_open or value.taints:
        return None
    if value.constants is not None and not value.things:
        seen = {bool(each) for each in value.constants}
        return seen.pop() if len(seen) == 1 else None
    if isinstance(value.code, (Function, Class)) and not value.things:
        return True
    only = state.only_thing(value)
    if only is None or value.constants is not None or not only[1].is_known:
        return None
    return True if only[1].kind == "instance" else bool(only[1].items)


def elements(value: Value, state: State) -> Sequence[Value] | None:
    """What one gets by going through the value, one by one; None when that is not exactly known or too much."""
    if value.is_open or value.taints:
        return None
    if value.constants is not None and not value.things:
        text = value.constants[0]
        if len(value.constants) == 1 and isinstance(text, (str, bytes)) and len(text) <= MAX_ELEMENTS:
            return [constant(each) for each in text]
        return None
    only = state.only_thing(value)
    if only is None or value.constants is not None or not only[1].is_known or len(only[1].items) > MAX_ELEMENTS:
        return None
    if only[1].kind in ("dict", "config"):
        return [constant(each) for each in only[1].items if not isinstance(each, tuple)]
    return None if only[1].kind == "instance" else list(only[1].items.values())


def combined(values: Sequence[Value], work: Callable[..., Constant]) -> Value | None:
    """The value of an operation on constants; None when not all are constants or it cannot be worked out."""
    choices: list[tuple[Constant, ...]] = []
    count = 1
    for each in values:
        if each.constants is None or each.things or each.is_open or each.taints:
            return None
        choices.append(each.constants)
        count *= len(each.constants)
    if count > MAX_COMBINATIONS:
        return None
    try:
        results = [work(*each) for each in product(*choices)]
    except Unfoldable:
        return None
    # Work on text may give a list, which is no constant.
    return None if any(isinstance(each, list | tuple) for each in results) else constants(results)


def concatenated(parts: Sequence[Value]) -> Value:
    """Text made of parts in a row."""
    known = combined(parts, lambda *each: "".join(str(one) for one in each))
    if known is not None:
        return known
    prefix = ""
    for each in parts:
        prefix += each.prefix
        if each.constants is None or len(each.constants) != 1:
            break
    return mixed(parts, is_text=True, prefix=prefix[:200])


def stored(thing: Thing, index: Value, value: Value, state: State) -> Thing:
    """The thing after `thing[index] = value`."""
    try:
        key = key_of(index, state)
    except (ValueError, TypeError):
        return thing.put_somewhere(value)
    if thing.kind in SEQUENCES and isinstance(key, int):
        key = key + len(thing.items) if key < 0 else key
        if not thing.is_known or key not in thing.items:
            return thing.put_somewhere(value)
    return thing.put(key, value)
