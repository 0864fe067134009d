"""Samples by type: what an annotation, a default, a name or the use of a parameter says about its kind."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Final

from elohim_kernel.engines._tests_examples import Shown
from elohim_kernel.engines._tests_mutants import Function
from elohim_kernel.engines._tests_shapes import Argument, Parameter
from elohim_kernel.engines._tests_targets import constructor_of
from elohim_kernel.engines._tests_variants import Pool

_TEXTS: Final = (
    "Hello World", "", "a", "hello_world-foo", "helloWorldFoo", "  two  spaces ", "Ünïcödé ñ", "12345", "-1.5",
    "a.b,c;d", "UPPER", "line\nbreak\ttab", "x" * 24, "<b>&'\"</b>", "name@example.org", "2024-02-29", "é",
    "1st and 22nd", "see http://example.org/a?b=1 now", "192.168.0.1", "1,234.50", '{"a": [1, null]}', "#ff8800",
    "12:30:45", "12345678-1234-5678-1234-567812345678", "9780306406157", "key=value; other", "/usr/local/lib/",
    "(a (b) c)", "MCMXCIV",
)  # fmt: skip
_WHOLE: Final = (1, 0, -1, 2, 3, 5, 10, 11, 21, 99, 100, 101, 999, 1000, 1024, 12345, 10**6, -250)
_REAL: Final = (1.5, 0.0, -0.5, 1.0, 2.25, 99.99, 1234.5678, 1e-7, 1e9, -1000.25)
_SAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "bool": ("True", "False"),
    "bytes": ("b'abc'", "b''", "b'\\xff\\x00'", "b'hello world'"),
    "bytearray": ("bytearray(b'abc')",),
    "complex": ("1j", "0j"),
    "None": ("None",),
    "NoneType": ("None",),
    "object": ("1", "'text'", "None", "[1]"),
    "range": ("range(3)", "range(0)"),
    "slice": ("slice(1, 3)",),
    "type": ("int", "str"),
    "Callable": ("str", "len", "bool", "lambda value: value"),
    "date": ("datetime.date(2024, 2, 29)", "datetime.date(1999, 12, 31)", "datetime.date(2023, 1, 1)"),
    "datetime": (
        "datetime.datetime(2024, 2, 29, 13, 5, 59)",
        "datetime.datetime(1999, 12, 31, 0, 0)",
        "datetime.datetime(2023, 6, 1, 12, 0, tzinfo=datetime.timezone.utc)",
    ),
    "time": ("datetime.time(13, 5)", "datetime.time(0, 0)"),
    "timedelta": (
        "datetime.timedelta(seconds=90)", "datetime.timedelta(0)", "datetime.timedelta(days=400, hours=3)",
        "datetime.timedelta(days=-1)", "datetime.timedelta(microseconds=1500)",
    ),
    "Decimal": ("decimal.Decimal('1.50')", "decimal.Decimal('0')", "decimal.Decimal('-12.345')"),
    "Fraction": ("fractions.Fraction(1, 3)", "fractions.Fraction(0)", "fractions.Fraction(-7, 2)"),
    "UUID": ("uuid.UUID(int=1)",),
    "Path": ("pathlib.Path('folder/file.tar.gz')", "pathlib.Path('.')"),
    "PurePath": ("pathlib.PurePosixPath('folder/file.tar.gz')",),
    "PurePosixPath": ("pathlib.PurePosixPath('folder/file.tar.gz')",),
    "PathLike": ("pathlib.PurePosixPath('folder/file.tar.gz')",),
    "Pattern": ("re.compile('a+')", "re.compile('[0-9]')"),
    "StringIO": ("io.StringIO('one\\ntwo\\n')",),
    "TextIO": ("io.StringIO('one\\ntwo\\n')",),
    "BytesIO": ("io.BytesIO(b'one\\ntwo\\n')",),
    "BinaryIO": ("io.BytesIO(b'one\\ntwo\\n')",),
}  # fmt: skip
_NEEDED: Final = re.compile(r"\b(datetime|decimal|fractions|uuid|pathlib|re|io)\.")
_SAME: Final = {
    "AnyStr": "str", "Text": "str", "LiteralString": "str", "StrPath": "str", "SupportsInt": "int", "Number": "float",
    "Real": "float", "Integral": "int", "Any": "object", "SupportsFloat": "float", "Hashable": "str", "Sized": "list",
    "NumberOrString": "object", "unicode": "str", "basestring": "str", "SupportsIndex": "int",
}  # fmt: skip
_LISTS: Final = frozenset({
    "list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "Iterator", "Reversible", "deque",
})  # fmt: skip
_SETS: Final = frozenset({"set", "Set", "AbstractSet", "MutableSet", "frozenset", "FrozenSet"})
_DICTS: Final = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict", "Counter"})
_TEXT_METHODS: Final = frozenset({
    "lower", "upper", "strip", "split", "replace", "startswith", "endswith", "title", "join", "encode", "lstrip",
    "rstrip", "capitalize", "swapcase", "isdigit", "isalpha", "splitlines", "zfill", "partition", "format", "isupper",
})  # fmt: skip
_NAMES: Final = (
    (r"^(is|has|use|with|allow|strict|verbose|reverse|ignore|keep|force|inclu)", "bool"),
    (r"(items|values|list|seq|elements|iterable|args|numbers|words|lines|rows)$|^(xs|ys|lst|it)$", "list"),
    (r"(dict|mapping|data|params|kwargs|options|config)$|^d$", "dict"),
    (r"(text|str|string|word|name|key|title|line|char|slug|prefix|suffix|sep|separator|path|url|pattern|label|html|msg)s?$|^s$", "str"),  # noqa: E501
    (r"(num|number|count|size|length|width|height|index|limit|max|min|depth|base|year|month|day|bytes|level|port)s?$|^(n|i|j|k|a|b|x|y|z|m)$", "float"),  # noqa: E501
    (r"(ratio|rate|percent|price|amount|seconds|value|fraction|score)$", "float"),
)  # fmt: skip


def kind_of_parameter(parameter: Parameter, given: Sequence[Argument], node: Function | None) -> str:
    """A guess at the type of a parameter without annotation, as an annotation; "object" when nothing tells."""
    for text in (*(each.text for each in given[:3]), *([parameter.default] if parameter.default else [])):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            continue
        if value is not None:
            return _of_value(value)
    used = _used_as(parameter.name, node) if node is not None else ""
    if used:
        return used
    for pattern, kind in _NAMES:
        if re.search(pattern, parameter.name.lower()):
            return f"{kind} | object"
    return "object | str | float | list"


def _of_value(value: object) -> str:
    if isinstance(value, list | tuple | set) and value:
        return f"{type(value).__name__}[{type(next(iter(value))).__name__}]"
    return type(value).__name__


def _used_as(name: str, node: Function) -> str:
    """What the code does with a parameter."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == name:
            if each.attr in _TEXT_METHODS:
                return "str"
            if each.attr in ("items", "keys", "get", "setdefault"):
                return "dict"
            if each.attr in ("append", "extend", "sort", "pop"):
                return "list[int]"
        if isinstance(each, ast.Compare) and isinstance(each.left, ast.Name) and each.left.id == name:
            kinds = {type(one.value).__name__ for one in each.comparators if isinstance(one, ast.Constant)}
            if kinds & {"int", "float", "str"}:
                return "float | int" if kinds & {"int", "float"} else "str"
        if isinstance(each, ast.Call) and (kind := _called_with(name, each)):
            return kind
    return ""


def _called_with(name: str, call: ast.Call) -> str:
    """What a call that gets the parameter says of it."""
    places = [place for place, each in enumerate(call.args) if isinstance(each, ast.Name) and each.id == name]
    function = ast.unparse(call.func)
    if function == "isinstance" and places == [0] and len(call.args) == 2:
        parts = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
        return " | ".join(ast.unparse(part) for part in parts) + " | object"
    return "str" if places and re.match(r"(re\.)?(sub|match|search|findall|split)$", function) else ""


class Kinds:
    """Samples of types, those of the module's own classes among them."""

    def __init__(self, tree: ast.Module, module: str, shown: Shown) -> None:
        self._module, self._shown = module, shown
        self._classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self._aliases = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        }

    def values(self, annotation: str, pool: Pool, depth: int = 0) -> list[Argument]:
        """Samples for an annotation; empty when nothing of it can be built."""
        try:
            node = ast.parse(annotation.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return []
        return self._of(node, pool, depth)

    def _of(self, node: ast.expr, pool: Pool, depth: int) -> list[Argument]:
        if depth > 3:
            return []
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return self.values(node.value, pool, depth + 1)
            return [Argument(text=repr(node.value))]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return _mixed([self._of(each, pool, depth) for each in (node.left, node.right)])
        if isinstance(node, ast.Subscript):
            inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return self._of_many(ast.unparse(node.value).rpartition(".")[2], inside, pool, depth)
        return self._plain(ast.unparse(node).rpartition(".")[2], pool, depth)

    def _of_many(self, name: str, inside: Sequence[ast.expr], pool: Pool, depth: int) -> list[Argument]:
        if name in ("Optional", "Union"):
            parts = [self._of(each, pool, depth) for each in inside]
            return _mixed([*parts, [Argument(text="None")]] if name == "Optional" else parts)
        if name == "Literal":
            return [Argument(text=ast.unparse(each)) for each in inside]
        if name in ("Annotated", "Final", "ClassVar", "Required", "NotRequired"):
            return self._of(inside[0], pool, depth)
        parts = [self._of(each, pool, depth + 1) for each in inside]
        if name in ("tuple", "Tuple"):
            fixed = not (len(inside) == 2 and ast.unparse(inside[1]) == "...")
            if fixed and all(parts):
                rows = [[part[number % len(part)] for part in parts] for number in range(4)]
                return [_put_in("(", row, ",)" if len(row) == 1 else ")") for row in rows]
            return [_put_in("(", row, ",)" if len(row) == 1 else ")") for row in _rows(parts[0])]
        if name in _DICTS and len(parts) == 2:
            pairs = list(zip(parts[0], parts[1] * len(parts[0]), strict=False))
            return [_dict(pairs[:count]) for count in (2, 0, 1, 3)] if pairs else []
        if name in _LISTS | _SETS and parts[0]:
            opening, closing = ("{", "}") if name in _SETS else ("[", "]")
            made = [_put_in(opening, row, closing) for row in _rows(parts[0])]
            return [each if each.text != "{}" else Argument(text="set()") for each in made]
        return self._plain(name, pool, depth)

    def _plain(self, name: str, pool: Pool, depth: int) -> list[Argument]:
        name = _SAME.get(name, name)
        if name == "str":
            texts = [*pool.texts[:16], *(f"a{each}b" for each in pool.texts[:8])]
            return [Argument(text=repr(each)) for each in (*_TEXTS[:8], *texts, *_TEXTS[8:])]
        if name in ("int", "float"):
            whole = [Argument(text=repr(each)) for each in (*_WHOLE[:6], *pool.numbers()[:18], *_WHOLE[6:])]
            real = [Argument(text=repr(each)) for each in (*pool.real[:4], *_REAL)]
            return whole if name == "int" else _mixed([real, whole])
        if name in _SAMPLES:
            return [_sample(each) for each in _SAMPLES[name]]
        if name in _LISTS:
            return [
                Argument(text=each) for each in ("[1, 2, 3]", "[]", "['b', 'a', 'b']", "[3, 1, 2, 1]", "[[1], [2, 3]]")
            ]
        if name in ("tuple", "Tuple"):
            return [Argument(text=each) for each in ("(1, 2)", "()", "('a', 'b', 'c')")]
        if name in _SETS:
            return [Argument(text=each) for each in ("{1, 2}", "set()", "{'a'}")]
        if name in _DICTS:
            return [Argument(text=each) for each in ("{'a': 1, 'b': 2}", "{}", "{'a': {'b': [1, None]}}", "{'a': 'x'}")]
        if name in self._classes:
            return self._instances(self._classes[name], pool, depth)
        known = self._aliases.get(name)
        if isinstance(known, ast.Call) and ast.unparse(known.func).endswith("TypeVar"):
            return _mixed([self._plain("int", pool, depth), self._plain("str", pool, depth)])
        return self._of(known, pool, depth + 1) if known is not None else []

    def _instances(self, node: ast.ClassDef, pool: Pool, depth: int) -> list[Argument]:
        line = (f"from {self._module} import {node.name}",)
        bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        if bases & {"Enum", "IntEnum", "StrEnum"}:
            names = [each.targets[0] for each in node.body if isinstance(each, ast.Assign)]
            return [Argument(text=f"{node.name}.{ast.unparse(each)}", imports=line) for each in names[:8]]
        made = [
            _put_in(f"{node.name}(", [*each.positional, *(_named(name, one) for name, one in each.named)], ")")
            for each in self._shown.of(node.name)[:4]
        ]
        made = [Argument(text=each.text, imports=(*line, *each.imports)) for each in made]
        needed = [each for each in constructor_of(node) if each.default is None and not each.many]
        if made or any(each.keyword_only for each in needed):
            return made
        if not needed:
            return [Argument(text=f"{node.name}()", imports=line)]
        parts = [self.values(each.annotation or kind_of_parameter(each, (), None), pool, depth + 1) for each in needed]
        if not all(parts):
            return []
        rows = [[part[number % len(part)] for part in parts] for number in range(3)]
        return [
            Argument(text=each.text, imports=(*line, *each.imports))
            for each in (_put_in(f"{node.name}(", row, ")") for row in rows)
        ]


def _sample(text: str) -> Argument:
    return Argument(text=text, imports=tuple(dict.fromkeys(f"import {name}" for name in _NEEDED.findall(text))))


def _rows(values: Sequence[Argument]) -> list[list[Argument]]:
    if not values:
        return [[]]
    few = list(values[:3])
    return [few, [], few[:1], [*few[::-1], few[0]], [few[-1], few[-1]], list(values[1:6])]


def _put_in(opening: str, values: Sequence[Argument], closing: str) -> Argument:
    if not values and opening in ("(", "{"):
        return Argument(text="()" if opening == "(" else "{}")
    imports = dict.fromkeys(line for each in values for line in each.imports)
    return Argument(text=f"{opening}{', '.join(each.text for each in values)}{closing}", imports=tuple(imports))


def _dict(pairs: Sequence[tuple[Argument, Argument]]) -> Argument:
    imports = dict.fromkeys(line for pair in pairs for each in pair for line in each.imports)
    inside = ", ".join(f"{key.text}: {value.text}" for key, value in pairs)
    return Argument(text=f"{{{inside}}}", imports=tuple(imports))


def _named(name: str, value: Argument) -> Argument:
    return Argument(text=f"{name}={value.text}", imports=value.imports)


def _mixed(parts: Sequence[Sequence[Argument]]) -> list[Argument]:
    """One of each in turn, so that every part of a union is tried early."""
    found: dict[str, Argument] = {}
    for number in range(max(map(len, parts), default=0)):
        for part in parts:
            if number < len(part):
                found.setdefault(part[number].text, part[number])
    return list(found.values())
