"""Small changes of a function's code, one at a time: comparison, boolean, arithmetic, constant, return, statement.

They are counted in a fixed order, so that a number names the same mutant in every process. Only the standard library is
used: the child processes apply them.
"""

import ast
import copy
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef

MOST: Final = 60
"""Mutants of one function, at most."""

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_SIGNS: Final[dict[type[ast.AST], str]] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in", ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
    ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&",
    ast.BitOr: "|", ast.BitXor: "^", ast.And: "and", ast.Or: "or",
}  # fmt: skip
_EXTRA: Final = "XX"


class Made(NamedTuple):
    """A mutant: the line it is on, what it changes, and the changed function."""

    line: int
    told: str
    function: Function


class _Edit(NamedTuple):
    """What to put where: `path` leads from the function to the node by field names and list positions."""

    line: int
    told: str
    path: tuple[str | int, ...]
    node: ast.AST


def function_named(tree: ast.Module, qualname: str, first: int) -> tuple[ast.stmt, Function] | None:
    """The function of that dotted name that begins (with its decorators) at a line, and its outermost statement.

    `first` 0 takes the last one of the name.
    """
    *owners, name = qualname.split(".")
    for top in reversed(tree.body):
        scope: list[ast.stmt] = [top]
        for owner in owners:
            scope = [
                each for node in scope if isinstance(node, ast.ClassDef) and node.name == owner for each in node.body
            ]
        for node in reversed(scope):
            if isinstance(node, Function) and node.name == name and first in (0, first_line(node)):
                return top, node
    return None


def first_line(node: Function | ast.ClassDef) -> int:
    """The first line of a definition, decorators included."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def mutants_of(function: Function, lines: Collection[int]) -> list[Made]:
    """The mutants of a function on some of its lines, in order, at most `MOST`.

    >>> tree = ast.parse("def f(n):\\n    return n < 3\\n")
    >>> [made.told for made in mutants_of(tree.body[0], {2})]
    ['returns None', '`<` becomes `<=`', '`<` becomes `>=`', '3 becomes 4', '3 becomes 2']
    """
    edits = [edit for edit in _edits(function) if edit.line in lines]
    if len(edits) > MOST:
        # Evenly over the function: the first sixty would leave its end alone.
        edits = [edits[number * len(edits) // MOST] for number in range(MOST)]
    return [Made(edit.line, edit.told, _applied(function, edit)) for edit in edits]


def _applied(function: Function, edit: _Edit) -> Function:
    changed = copy.deepcopy(function)
    holder: ast.AST | list[ast.AST] = changed
    for step in edit.path[:-1]:
        holder = holder[step] if isinstance(holder, list) else getattr(holder, step)  # type: ignore[index, arg-type]
    last = edit.path[-1]
    node = ast.fix_missing_locations(edit.node)
    if isinstance(holder, list):
        holder[last] = node  # type: ignore[index]
    else:
        setattr(holder, str(last), node)
    return changed


def _edits(function: Function) -> Iterator[_Edit]:
    for number, statement in enumerate(function.body):
        if number == 0 and _is_text(statement):
            continue
        yield from _walk(statement, ("body", number))


def _walk(node: ast.AST, path: tuple[str | int, ...]) -> Iterator[_Edit]:
    if isinstance(node, ast.JoinedStr):
        return
    for told, put in _changes(node):
        line = int(getattr(node, "lineno", 0))
        yield _Edit(line, told, path, ast.copy_location(put, node))
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "ctx", "format_spec", "type_comment"):
            continue
        if isinstance(value, ast.AST):
            yield from _walk(value, (*path, name))
        elif isinstance(value, list):
            for number, each in enumerate(value):
                documentation = name == "body" and number == 0 and isinstance(node, Function | ast.ClassDef)
                if isinstance(each, ast.AST) and not (documentation and _is_text(each)):
                    yield from _walk(each, (*path, name, number))


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node can become, with words for it."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _COMPARISONS.get(type(node.ops[0]), ()):
            put = ast.Compare(left=node.left, ops=[other()], comparators=node.comparators)
            yield f"`{_SIGNS[type(node.ops[0])]}` becomes `{_SIGNS[other]}`", put
    elif isinstance(node, ast.BoolOp):
        swapped: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield (
            f"`{_SIGNS[type(node.op)]}` becomes `{_SIGNS[type(swapped)]}`",
            ast.BoolOp(op=swapped, values=node.values),
        )
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC and not _is_formatting(node):
        operator = _ARITHMETIC[type(node.op)]
        put_in: ast.AST = (
            ast.BinOp(left=node.left, op=operator(), right=node.right)
            if isinstance(node, ast.BinOp)
            else ast.AugAssign(target=node.target, op=operator(), value=node.value)
        )
        yield f"`{_SIGNS[type(node.op)]}` becomes `{_SIGNS[operator]}`", put_in
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield ("`not` is removed" if isinstance(node.op, ast.Not) else "the sign is removed"), node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    else:
        yield from _statements(node)


def _constants(value: object) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(value, bool):
        yield f"{value} becomes {not value}", ast.Constant(not value)
    elif isinstance(value, int | float):
        for other in (value + 1, value - 1):
            yield f"{value} becomes {other}", ast.Constant(other)
    elif isinstance(value, str):
        other_text = value + _EXTRA if value else _EXTRA
        yield f"{value[:20]!r} becomes {other_text[:22]!r}", ast.Constant(other_text)
    elif isinstance(value, bytes):
        yield f"{value[:20]!r} gets longer", ast.Constant(value + _EXTRA.encode())


def _statements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        denied = ast.UnaryOp(op=ast.Not(), operand=node.test)
        if not (isinstance(node, ast.While) or _is_simple(node.test)):
            put = copy.copy(node)
            put.test = ast.copy_location(denied, node.test)
            yield "the condition is turned round", put
    elif isinstance(node, ast.Return):
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield "returns None", ast.Return(value=ast.Constant(None))
    elif isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Call | ast.Await):
            yield "the call is removed", ast.Pass()
        elif isinstance(node.value, ast.Yield):
            yield "the yield is removed", ast.Pass()
    elif isinstance(node, ast.Raise):
        yield "the raise is removed", ast.Pass()
    elif isinstance(node, ast.Break):
        yield "break becomes continue", ast.Continue()
    elif isinstance(node, ast.Continue):
        yield "continue becomes break", ast.Break()
    elif isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant):
        put_none = copy.copy(node)
        put_none.value = ast.copy_location(ast.Constant(None), node.value)
        yield "None is assigned", put_none


def _is_simple(test: ast.expr) -> bool:
    """A condition that has a mutant of its own that turns it round, so that a second one would be the same."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return True
    return isinstance(test, ast.Compare) and len(test.ops) == 1 and not isinstance(test.left, ast.Compare)


def _is_text(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_formatting(node: ast.BinOp | ast.AugAssign) -> bool:
    """`"…" % values` is no arithmetic, and neither is joining text: such mutants only raise."""
    if not isinstance(node, ast.BinOp):
        return False
    sides = (node.left, node.right)
    text = any(isinstance(side, ast.JoinedStr) or _is_text_constant(side) for side in sides)
    return text and isinstance(node.op, ast.Mod | ast.Add)


def _is_text_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
