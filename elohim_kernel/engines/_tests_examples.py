"""Calls that the repository itself shows: in its code, its tests and their tables, docstring examples, the read-me.

Only arguments that can be read without running anything are taken: literals, and a few constructors of the standard
library. Names stand for what a table of `parametrize`, a loop or a module-level constant gives them.
"""

import ast
import doctest
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from elohim_kernel.engines._tests_shapes import Argument

_CONSTRUCTORS: Final = {
    "datetime.date": "datetime", "datetime.datetime": "datetime", "datetime.time": "datetime",
    "datetime.timedelta": "datetime", "decimal.Decimal": "decimal", "fractions.Fraction": "fractions",
    "pathlib.PurePosixPath": "pathlib", "pathlib.Path": "pathlib", "uuid.UUID": "uuid", "collections.OrderedDict":
    "collections", "collections.Counter": "collections",
}  # fmt: skip
_BUILT_IN: Final = frozenset({
    "set", "frozenset", "range", "float", "int", "str", "bytes", "bytearray", "complex", "dict", "list", "tuple",
})  # fmt: skip
_MOST_ROWS: Final = 40
_MOST_CHARACTERS: Final = 300

Scope = Mapping[str, Sequence[ast.expr]]  # a name to what it may stand for


class Example(NamedTuple):
    """Arguments of one call that was found."""

    positional: tuple[Argument, ...]
    named: tuple[tuple[str, Argument], ...]


class Shown(NamedTuple):
    """The calls of functions and classes that some texts show, by their plain name."""

    calls: Mapping[str, tuple[Example, ...]]

    def of(self, name: str) -> tuple[Example, ...]:
        """Those of one name, in the order they were found."""
        return self.calls.get(name, ())


def shown_in(texts: Mapping[str, str], names: Collection[str], *, most: int = 80) -> Shown:
    """The calls of these names in Python files and, for other files, in their doctest examples.

    >>> found = shown_in({"a.md": ">>> clean('a b', tight=True)\\n'ab'"}, {"clean"}).of("clean")
    >>> [each.text for each in found[0].positional], [name for name, _ in found[0].named]
    (["'a b'"], ['tight'])
    """
    calls: dict[str, dict[str, Example]] = {name: {} for name in names}
    for path, text in texts.items():
        for tree in _trees(path, text):
            for name, example in _examples(tree, frozenset(names)):
                kept = calls[name]
                if len(kept) < most:
                    kept.setdefault(_key(example), example)
    return Shown({name: tuple(found.values()) for name, found in calls.items()})


def _key(example: Example) -> str:
    named = ", ".join(f"{name}={argument.text}" for name, argument in example.named)
    return ", ".join([*(argument.text for argument in example.positional), named])


def _trees(path: str, text: str) -> Iterator[ast.Module]:
    if not path.endswith(".py"):
        yield from _doctests(text)
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            documentation = ast.get_docstring(node)
            if documentation and ">>>" in documentation:
                yield from _doctests(documentation)


def _doctests(text: str) -> Iterator[ast.Module]:
    try:
        found = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return
    for example in found:
        try:
            yield ast.parse(example.source)
        except (SyntaxError, ValueError):
            continue


def _examples(tree: ast.Module, names: frozenset[str]) -> Iterator[tuple[str, Example]]:
    aliases = _aliases(tree)
    tables: dict[str, list[ast.expr]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            tables[node.targets[0].id] = [node.value]
    yield from _look(tree, names, aliases, tables)


def _look(
    node: ast.AST, names: frozenset[str], aliases: Mapping[str, str], scope: Scope
) -> Iterator[tuple[str, Example]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for mark in node.decorator_list:
            scope = {**scope, **_parametrized(mark, scope)}
    elif isinstance(node, ast.For):
        scope = {**scope, **_rows(node.target, _resolved(node.iter, scope))}
    if isinstance(node, ast.Call):
        name = _called(node.func, aliases)
        if name in names:
            yield from ((name, example) for example in _arguments(node, aliases, scope))
    local = dict(scope)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Assign) and len(child.targets) == 1 and isinstance(child.targets[0], ast.Name):
            local[child.targets[0].id] = [child.value]
        yield from _look(child, names, aliases, local)


def _called(function: ast.expr, aliases: Mapping[str, str]) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    if isinstance(function, ast.Name):
        return aliases.get(function.id, function.id).rpartition(".")[2]
    return ""


def _aliases(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({each.asname or each.name: each.name for each in node.names})
        elif isinstance(node, ast.ImportFrom):
            found.update({each.asname or each.name: f"{node.module or ''}.{each.name}" for each in node.names})
    return found


def _parametrized(mark: ast.expr, scope: Scope) -> dict[str, list[ast.expr]]:
    """What a table of `pytest.mark.parametrize` gives to its names."""
    if not (isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("parametrize") and len(mark.args) >= 2):
        return {}
    heading = mark.args[0]
    if isinstance(heading, ast.Constant) and isinstance(heading.value, str):
        names = [name.strip() for name in heading.value.split(",") if name.strip()]
    elif isinstance(heading, ast.Tuple | ast.List):
        names = [str(each.value) for each in heading.elts if isinstance(each, ast.Constant)]
    else:
        return {}
    target: ast.expr = (
        ast.Tuple(elts=[ast.Name(id=name) for name in names]) if len(names) > 1 else ast.Name(id=names[0])
    )
    return _rows(target, _resolved(mark.args[1], scope))


def _rows(target: ast.expr, table: ast.expr) -> dict[str, list[ast.expr]]:
    """Names of a loop's target to their values, row by row; rows are lined up, so None marks what cannot be read."""
    if isinstance(table, ast.Call) and isinstance(table.func, ast.Attribute) and table.func.attr == "items":
        table = _pairs(table.func.value)
    if not isinstance(table, ast.Tuple | ast.List | ast.Set):
        return {}
    rows = [_unwrapped(row) for row in table.elts[:_MOST_ROWS]]
    if isinstance(target, ast.Name):
        return {target.id: rows}
    if not isinstance(target, ast.Tuple):
        return {}
    names = [each.id for each in target.elts if isinstance(each, ast.Name)]
    whole = [row for row in rows if isinstance(row, ast.Tuple | ast.List) and len(row.elts) == len(names)]
    return {name: [row.elts[number] for row in whole] for number, name in enumerate(names)}


def _pairs(table: ast.expr) -> ast.expr:
    if not isinstance(table, ast.Dict):
        return table
    both = zip(table.keys, table.values, strict=True)
    return ast.List(elts=[ast.Tuple(elts=[key, value]) for key, value in both if key is not None])


def _unwrapped(row: ast.expr) -> ast.expr:
    """`pytest.param(a, b, id=…)` is a row too."""
    if isinstance(row, ast.Call) and ast.unparse(row.func).endswith("param"):
        return ast.Tuple(elts=row.args) if len(row.args) > 1 else (row.args or [row])[0]
    return row


def _resolved(value: ast.expr, scope: Scope) -> ast.expr:
    known = scope.get(value.id, ()) if isinstance(value, ast.Name) else ()
    return known[0] if len(known) == 1 else value


def _arguments(call: ast.Call, aliases: Mapping[str, str], scope: Scope) -> Iterator[Example]:
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return
    used = [each.id for each in ast.walk(call) if isinstance(each, ast.Name) and len(scope.get(each.id, ())) > 1]
    count = max((len(scope[name]) for name in used), default=1)
    for row in range(min(count, _MOST_ROWS)):
        here = {name: values[min(row, len(values) - 1)] for name, values in scope.items() if values}
        positional = [_argument(each, aliases, here) for each in call.args]
        named = [(each.arg or "", _argument(each.value, aliases, here)) for each in call.keywords]
        good = [each for each in positional if each is not None]
        good_named = [(name, each) for name, each in named if each is not None]
        if len(good) == len(positional) and len(good_named) == len(named):
            yield Example(tuple(good), tuple(good_named))


def _argument(value: ast.expr, aliases: Mapping[str, str], row: Mapping[str, ast.expr]) -> Argument | None:
    if isinstance(value, ast.Name) and value.id in row:
        value = row[value.id]
    imports: dict[str, None] = {}
    plain = (
        _Plain(aliases, row, imports).visit(ast.fix_missing_locations(ast.parse(ast.unparse(value), mode="eval"))).body
    )
    if not _is_readable(plain):
        return None
    text = ast.unparse(plain)
    return Argument(text=text, imports=tuple(imports)) if len(text) <= _MOST_CHARACTERS else None


class _Plain(ast.NodeTransformer):
    """Spells the constructors of the standard library in full."""

    def __init__(self, aliases: Mapping[str, str], row: Mapping[str, ast.expr], imports: dict[str, None]) -> None:
        self._aliases, self._row, self._imports = aliases, row, imports

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A constructor by its full name."""
        first, _, rest = ast.unparse(node.func).partition(".")
        full = ".".join(filter(None, (self._aliases.get(first, first), rest)))
        if full in _CONSTRUCTORS:
            self._imports[f"import {_CONSTRUCTORS[full]}"] = None
            node.func = ast.parse(full, mode="eval").body
        self.generic_visit(node)
        return node


def _is_readable(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        values = [*node.args, *(each.value for each in node.keywords)]
        return (name in _CONSTRUCTORS or name in _BUILT_IN) and all(_is_readable(each) for each in values)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(_is_readable(each) for each in node.elts)
    if isinstance(node, ast.Dict):
        return all(each is not None and _is_readable(each) for each in (*node.keys, *node.values))
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right) and not isinstance(node.op, ast.Pow | ast.LShift)
    return isinstance(node, ast.Constant) or _is_number(node)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub | ast.UAdd) and _is_number(node.operand)
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float | complex)
