"""Working out constants the way Python would, for a closed list of operations, with limits on size and no side effects.

Whatever is not on the list, fails, or would become large raises `Unfoldable`: the value is then simply not known.
"""

import ast
import base64
import html
import operator
import posixpath
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from elohim_kernel.engines._taint_values import Constant, words

# Operands are what a program may write down: constants and containers of them. What an operation gives is checked
# by `_small`, so `object` and Any (for operators that take anything) stay inside this module.

MAX_TEXT: Final = 10_000
MAX_BITS: Final = 4_096
_MAX_SHIFT: Final = 1_024
_MAX_EXPONENT: Final = 128
_MAX_WIDTH: Final = 1_000


class Unfoldable(Exception):
    """The result is not worked out: not on the list, an error in the program, or too large."""


_ERRORS: Final = (ArithmeticError, ValueError, TypeError, LookupError, AttributeError, RecursionError)

_BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
}
_COMPARE: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}

_SIGNS: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_CONVERSIONS: Final[Mapping[int, Callable[[object], str]]] = {ord("r"): repr, ord("s"): str, ord("a"): ascii}

TEXT_METHODS: Final = words(
    "capitalize casefold center count encode endswith expandtabs find format index isalnum isalpha isascii isdecimal"
    " isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip partition"
    " removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip"
    " swapcase title upper zfill decode hex"
)
_PADDING: Final = frozenset(("center", "ljust", "rjust", "zfill", "expandtabs"))
_ENCODINGS: Final = frozenset(("utf-8", "utf8", "utf_8", "ascii", "latin-1", "latin1", "iso-8859-1"))
_WIDTHS: Final = re.compile(r"\d+")

_FUNCTIONS: Final[Mapping[str, Callable[..., object]]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "ascii": ascii,
    "bin": bin,
    "bool": bool,
    "chr": chr,
    "divmod": divmod,
    "float": float,
    "hex": hex,
    "int": int,
    "len": len,
    "max": max,
    "min": min,
    "oct": oct,
    "ord": ord,
    "repr": repr,
    "round": round,
    "sorted": sorted,
    "str": str,
    "sum": sum,
    "base64.b64decode": base64.b64decode,
    "base64.b64encode": base64.b64encode,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.urlsafe_b64encode": base64.urlsafe_b64encode,
    "html.escape": html.escape,
    "html.unescape": html.unescape,
    "os.path.basename": posixpath.basename,
    "os.path.dirname": posixpath.dirname,
    "os.path.join": posixpath.join,
    "os.path.normpath": posixpath.normpath,
    "os.path.splitext": posixpath.splitext,
    "urllib.parse.quote": urllib.parse.quote,
    "urllib.parse.quote_plus": urllib.parse.quote_plus,
    "urllib.parse.unquote": urllib.parse.unquote,
    "urllib.parse.unquote_plus": urllib.parse.unquote_plus,
}


def binary(kind: type[ast.operator], one: Constant, other: Constant) -> Constant:
    """One operator on two constants.

    >>> binary(ast.Mod, "%s-%d", 3)
    Traceback (most recent call last):
    elohim_kernel.engines._taint_fold.Unfoldable
    >>> binary(ast.Add, "a", "b")
    'ab'
    """
    if kind is ast.Mult:
        _refuse_long(_length(one) * other if isinstance(other, int) else 0)
        _refuse_long(_length(other) * one if isinstance(one, int) else 0)
    elif kind is ast.Pow:
        if isinstance(other, int) and abs(other) > _MAX_EXPONENT:
            raise Unfoldable
    elif kind is ast.LShift:
        if isinstance(other, int) and other > _MAX_SHIFT:
            raise Unfoldable
    elif kind is ast.Mod and isinstance(one, (str, bytes)):
        return percent(one, (other,))
    return _small(_tried(_BINARY.get(kind), one, other))


def percent(form: str | bytes, values: Sequence[Constant] | Mapping[str, Constant]) -> Constant:
    """`form % values`, for a tuple or a dictionary of values."""
    text = form if isinstance(form, str) else form.decode("latin-1")
    _refuse_wide(text)
    if "*" in text:
        raise Unfoldable
    return _small(_tried(operator.mod, form, dict(values) if isinstance(values, Mapping) else tuple(values)))


def unary(kind: type[ast.unaryop], value: Constant) -> Constant:
    """One operator on one constant."""
    if kind is ast.Not:
        return not value
    if kind is ast.Invert and isinstance(value, int):
        return ~int(value)
    return _small(_tried(_SIGNS.get(kind), value))


def compare(kind: type[ast.cmpop], one: object, other: object) -> bool:
    """One comparison of constants or containers of them; identity only where it is defined by the language."""
    if kind in (ast.Is, ast.IsNot):
        if not any(each is None or isinstance(each, bool) for each in (one, other)):
            raise Unfoldable
        return (one is other) is (kind is ast.Is)
    return bool(_tried(_COMPARE.get(kind), one, other))


def item(container: object, index: object) -> object:
    """`container[index]`, where the index may be a slice."""
    if not isinstance(container, (str, bytes, list, tuple, dict)):
        raise Unfoldable
    return _tried(operator.getitem, container, index)


def method(receiver: str | bytes, name: str, arguments: Sequence[object], named: Mapping[str, object]) -> object:
    """A method of text. The result may be a list or a tuple of constants.

    >>> method("a,b", "split", [","], {})
    ['a', 'b']
    """
    if name not in TEXT_METHODS:
        raise Unfoldable
    if name in _PADDING and any(isinstance(each, int) and each > _MAX_WIDTH for each in (*arguments, *named.values())):
        raise Unfoldable
    if name in ("encode", "decode"):
        given = [each for each in (*arguments, *named.values()) if isinstance(each, str)]
        if any(each.lower() not in _ENCODINGS for each in given[:1]):
            raise Unfoldable
    if name == "replace" and len(arguments) > 1:
        old, new = arguments[0], arguments[1]
        places = receiver.count(old) if isinstance(receiver, str) and isinstance(old, str) else len(receiver) + 1
        _refuse_long(places * _length(new))
    if name == "format":
        text = receiver if isinstance(receiver, str) else ""
        _refuse_wide(text)
        if re.search(r"\{[^{}]*[.\[{]", text):
            raise Unfoldable
    return _small_parts(_tried(getattr(receiver, name, None), *arguments, **named))


def formatted(value: Constant, conversion: int, form: str) -> str:
    """A replacement field of an f-string."""
    _refuse_wide(form)
    shown = _CONVERSIONS.get(conversion)
    result = _small(_tried(format, value if shown is None else shown(value), form))
    assert isinstance(result, str)
    return result


def function(name: str, arguments: Sequence[object], named: Mapping[str, object]) -> object:
    """A function without side effects, by its dotted name. The result may be a list or a tuple of constants."""
    if name == "sum" and not all(isinstance(each, (list, tuple)) for each in arguments[:1]):
        raise Unfoldable
    if name in ("int", "str", "float") and any(_length(each) > _MAX_WIDTH for each in arguments):
        raise Unfoldable
    return _small_parts(_tried(_FUNCTIONS.get(name), *arguments, **named))


def is_foldable(name: str) -> bool:
    """Whether `function` knows it."""
    return name in _FUNCTIONS


def _tried(operation: Callable[..., object] | None, *arguments: object, **named: object) -> object:
    if operation is None:
        raise Unfoldable
    try:
        return operation(*arguments, **named)
    except _ERRORS:
        raise Unfoldable from None


def _small(value: object) -> Constant:
    if isinstance(value, (str, bytes)):
        _refuse_long(len(value))
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise Unfoldable
        return value
    if value is None or isinstance(value, (float, complex)):
        return value
    raise Unfoldable


def _small_parts(value: object) -> object:
    if isinstance(value, (list, tuple)):
        _refuse_long(len(value))
        for each in value:
            _small_parts(each)
        return value
    return _small(value)


def _length(value: object) -> int:
    return len(value) if isinstance(value, (str, bytes, list, tuple)) else 0


def _refuse_long(length: int) -> None:
    if length > MAX_TEXT:
        raise Unfoldable


def _refuse_wide(form: str) -> None:
    if any(len(each) > 4 or int(each) > _MAX_WIDTH for each in _WIDTHS.findall(form)):
        raise Unfoldable
