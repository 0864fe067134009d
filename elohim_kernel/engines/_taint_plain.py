"""The plain Python objects that values surely are, and the key under which a test is remembered."""

import ast

from elohim_kernel.engines._taint_state import Key, State
from elohim_kernel.engines._taint_values import Value


def literal(value: Value, state: State, depth: int = 4) -> object:
    """The one Python object a value surely is. Raises `ValueError` when that is not known."""
    if value.constants is not None and not value.things:
        if len(value.constants) != 1:
            raise ValueError
        return value.constants[0]
    only = state.only_thing(value)
    if only is None or value.is_open or value.constants is not None or not only[1].is_known or depth == 0:
        raise ValueError
    thing = only[1]
    items = {key: literal(each, state, depth - 1) for key, each in thing.items.items()}
    match thing.kind:
        case "list":
            return list(items.values())
        case "tuple":
            return tuple(items.values())
        case "set":
            return set(items.values())
        case "dict":
            return items
    raise ValueError


def key_of(value: Value, state: State) -> Key:
    """The key a value surely is. Raises `ValueError` when that is not known."""
    plain = literal(value, state)
    hash_is_there: bool = plain is None or isinstance(plain, (str, bytes, int, float, complex))
    if hash_is_there:
        return plain  # type: ignore[return-value]  # narrowed by the line above
    if isinstance(plain, tuple) and all(isinstance(each, (str, bytes, int, float)) for each in plain):
        return plain
    raise ValueError


def fact(node: ast.expr) -> str:
    """The key in the names of a state for what was proved about an expression; no name looks like it."""
    return f"= {ast.unparse(node)}"
