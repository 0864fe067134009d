"""Guards as DuckDB conditions, so that a rule can be tried on recorded rows before it is switched on.

A column that is NULL is a missing fact; unknown and error are NULL; so `WHERE` keeps exactly the rows whose facts pass.
Nothing from the guard's text becomes SQL: names go through the caller's columns, constants become parameters.
"""

import difflib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from elohim_kernel.errors import Invalid
from elohim_kernel.model.guards import times
from elohim_kernel.model.guards.guard import Guard
from elohim_kernel.model.guards.nodes import (
    Binary,
    Call,
    Choice,
    Has,
    Index,
    ListOf,
    Literal,
    Logic,
    Macro,
    Member,
    Name,
    Node,
    Unary,
    written,
)
from elohim_kernel.model.guards.paths import path_of
from elohim_kernel.model.guards.source import refusal
from elohim_kernel.model.guards.sql_calls import CALLS, ColumnKind, Sql, microseconds
from elohim_kernel.model.value import Value

MAX_SQL: Final = 65_536

_NUMBERS: Final = frozenset({ColumnKind.INT, ColumnKind.DOUBLE, ColumnKind.NUMBER})
_MAY_BE_NAN: Final = frozenset({ColumnKind.DOUBLE, ColumnKind.NUMBER})
_COMPARISONS: Final = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_READS: Final[Mapping[ColumnKind, str]] = {
    ColumnKind.INT: "TRY_CAST({} AS BIGINT)",
    ColumnKind.DOUBLE: "CAST({} AS DOUBLE)",
    ColumnKind.TIMESTAMP: "epoch_us({})",
    ColumnKind.DURATION: "epoch_us({})",
}
_T, _D, _I, _F, _S = (
    ColumnKind.TIMESTAMP,
    ColumnKind.DURATION,
    ColumnKind.INT,
    ColumnKind.DOUBLE,
    ColumnKind.STRING,
)
_ARITHMETIC: Final[Mapping[tuple[str, ColumnKind, ColumnKind], tuple[str, ColumnKind]]] = {
    **{(sign, _I, _I): (f"TRY({{}} {sign} {{}})", _I) for sign in "+-*%"},
    ("/", _I, _I): ("TRY({} // {})", _I),
    **{(sign, _F, _F): (f"({{}} {sign} {{}})", _F) for sign in "+-*/"},
    ("+", _S, _S): ("({} || {})", _S),
    ("+", _D, _D): ("TRY({} + {})", _D),
    ("-", _D, _D): ("TRY({} - {})", _D),
    ("+", _T, _D): ("TRY({} + {})", _T),
    ("+", _D, _T): ("TRY({} + {})", _T),
    ("-", _T, _D): ("TRY({} - {})", _T),
    ("-", _T, _T): ("TRY({} - {})", _D),
}


class SqlCondition(Value, frozen=True):
    """A condition for `WHERE`, with its parameters by name (`$g0` …).

    `kinds` says what each column was taken for; where the caller did not say, it follows from how the guard uses it.
    """

    text: str
    parameters: dict[str, bool | int | float | str]
    kinds: dict[str, ColumnKind]


def to_sql(guard: Guard, columns: Mapping[str, str], *, kinds: Mapping[str, ColumnKind] | None = None) -> SqlCondition:
    """Translate for DuckDB. `columns` maps each dotted name to a trusted SQL expression for it.

    Say the `kinds` of columns that are compared with one another, measured with size() or converted; for the rest they
    follow from use. A column of another type than its kind makes DuckDB convert or refuse, which evaluating would not
    do, so check the returned `kinds` where that can happen. Raises `Invalid` at a construct that has no translation
    (macros, null, maps, computed indexes), at a name without a column, and at operands that can never agree.

    >>> from elohim_kernel.model.guards import parse
    >>> condition = to_sql(parse('item.priority <= 2 && item.title.startsWith("fix")'),
    ...     {"item.priority": "w.priority", "item.title": "w.title"})
    >>> condition.text
    '(((w.priority) <= CAST($g0 AS BIGINT)) AND starts_with((w.title), CAST($g1 AS VARCHAR)))'
    >>> condition.parameters
    {'g0': 2, 'g1': 'fix'}
    """
    translator = _Translator(guard.text, columns, dict(kinds or {}))
    text = translator.wanted(guard.ast, ColumnKind.BOOL).text
    return SqlCondition(text=text, parameters=translator.parameters, kinds=translator.used)


class _Scalar(NamedTuple):
    cast: str
    kind: ColumnKind


_SCALARS: Final = {
    int: _Scalar("BIGINT", ColumnKind.INT),
    float: _Scalar("DOUBLE", ColumnKind.DOUBLE),
    str: _Scalar("VARCHAR", ColumnKind.STRING),
}


class _Translator:
    def __init__(self, text: str, columns: Mapping[str, str], kinds: dict[str, ColumnKind]) -> None:
        self._text = text
        self._columns = columns
        self._kinds = kinds
        self.parameters: dict[str, bool | int | float | str] = {}
        self.used: dict[str, ColumnKind] = {}

    def wanted(self, node: Node, kind: ColumnKind) -> Sql:
        """Translate a node that must be of `kind`; a column of unknown kind takes it."""
        found = self._column(node, kind) if isinstance(node, Name | Member | Index) else self._translate(node)
        if not _fits(found.kind, kind):
            raise self._refusal(node, f"is {found.kind}, and {kind} is needed here")
        return found

    def translate(self, node: Node) -> Sql:
        """Translate a node whose kind must already be known."""
        return self._column(node, None) if isinstance(node, Name | Member | Index) else self._translate(node)

    def _translate(self, node: Node) -> Sql:
        match node:
            case Literal(value=value):
                return self._literal(node, value)
            case Logic(operator=operator, operands=operands):
                parts = [self.wanted(operand, ColumnKind.BOOL).text for operand in operands]
                joined = (" AND " if operator == "&&" else " OR ").join(parts)
                return self._made(node, f"({joined})", ColumnKind.BOOL)
            case Unary(operator="!", operand=operand):
                return self._made(node, f"(NOT {self.wanted(operand, ColumnKind.BOOL).text})", ColumnKind.BOOL)
            case Unary(operand=operand):
                value_sql = self.translate(operand)
                if value_sql.kind not in (ColumnKind.INT, ColumnKind.DOUBLE):
                    raise self._refusal(node, f"negates {value_sql.kind}; it must be known to be int or double")
                return self._made(node, f"TRY(-{value_sql.text})", value_sql.kind)
            case Binary(operator="in"):
                return self._membership(node)
            case Binary(operator=operator) if operator in _COMPARISONS:
                return self._comparison(node)
            case Binary():
                return self._arithmetic(node)
            case Choice():
                return self._choice(node)
            case Has(target=_):
                return self._made(node, f"({self._expression(node)[1]} IS NOT NULL)", ColumnKind.BOOL)
            case Call():
                return self._call(node)
            case Macro(macro=macro):
                raise self._refusal(node, f"uses {macro}(), which has no SQL form; count into a column instead")
            case _:
                raise self._refusal(node, "is a list or map, which has no SQL form except after in")

    def _literal(self, node: Node, value: bool | int | float | str | None) -> Sql:
        if value is None:
            raise self._refusal(node, "is null, which SQL cannot tell from missing; ask has(a.b)")
        if isinstance(value, bool):
            return Sql("TRUE" if value else "FALSE", ColumnKind.BOOL, constant=True)
        scalar = _SCALARS[type(value)]
        return Sql(f"CAST({self._parameter(value)} AS {scalar.cast})", scalar.kind, constant=True)

    def _parameter(self, value: bool | int | float | str) -> str:
        name = f"g{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def _column(self, node: Node, wanted: ColumnKind | None) -> Sql:
        name, expression = self._expression(node)
        kind = self._kinds.get(name) or self.used.get(name)
        if kind is None or (kind is ColumnKind.NUMBER and wanted in _NUMBERS):
            kind = wanted or kind
        if kind is None:
            raise self._refusal(node, "needs its kind said: its use alone does not tell it")
        self.used[name] = kind
        return Sql(_READS.get(kind, "{}").format(expression), kind)

    def _expression(self, node: Node) -> tuple[str, str]:
        name = path_of(node, {})
        if name is None or "[]" in name:
            raise self._refusal(node, "has a computed part, which has no SQL form")
        if name not in self._columns:
            near = difflib.get_close_matches(name, list(self._columns), n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(self._columns))}"
            raise refusal(self._text, node.start, f"there is no column for {name}", hint=hint)
        return name, f"({self._columns[name]})"

    def _openness(self, node: Node) -> int:
        """How far the kind of this node may still change: 0 not at all, 1 it may become narrower, 2 it is not known."""
        if not isinstance(node, Name | Member | Index):
            return 0
        name = self._expression(node)[0]
        return 0 if name in self._kinds else 1 if name in self.used else 2

    def _pair(self, node: Binary, taken: Callable[[ColumnKind], ColumnKind]) -> tuple[Sql, Sql]:
        """Both operands; a column of open kind takes the kind that `taken` makes of the other's."""
        openness = self._openness(node.left), self._openness(node.right)
        if openness[0] > openness[1]:
            right = self.translate(node.right)
            return self.wanted(node.left, taken(right.kind)), right
        left = self.translate(node.left)
        return left, self.wanted(node.right, taken(left.kind)) if openness[1] else self.translate(node.right)

    def _comparison(self, node: Binary) -> Sql:
        left, right = self._pair(node, lambda kind: ColumnKind.NUMBER if kind in _NUMBERS else kind)
        together = left.kind is right.kind or (left.kind in _NUMBERS and right.kind in _NUMBERS)
        if not together or left.kind is ColumnKind.LIST:
            raise self._refusal(node, f"compares {left.kind} with {right.kind}, which is never true")
        text = f"({left.text} {_COMPARISONS[node.operator]} {right.text})"
        return self._made(node, _without_nan(text, node.operator, left, right), ColumnKind.BOOL)

    def _arithmetic(self, node: Binary) -> Sql:
        left, right = self._pair(node, lambda kind: kind)
        found = _ARITHMETIC.get((node.operator, left.kind, right.kind))
        if found is None:
            raise self._refusal(node, f"applies {node.operator} to {left.kind} and {right.kind}")
        form, kind = found
        return self._made(node, form.format(left.text, right.text), kind)

    def _membership(self, node: Binary) -> Sql:
        if not isinstance(node.right, ListOf):
            right = self.wanted(node.right, ColumnKind.LIST)
            left = self.wanted(node.left, ColumnKind.STRING)
            return self._made(node, f"list_contains({right.text}, {left.text})", ColumnKind.BOOL)
        items = [
            self.translate(item) if isinstance(item, Literal) else self._no_item(item) for item in node.right.items
        ]
        groups = {ColumnKind.NUMBER if item.kind in _NUMBERS else item.kind for item in items}
        if len(groups) > 1:
            raise self._refusal(node.right, "mixes kinds, of which only one can ever be equal")
        if not groups:
            raise self._refusal(node.right, "is empty, so nothing is in it")
        left = self.wanted(node.left, groups.pop())
        return self._made(node, f"({left.text} IN ({', '.join(item.text for item in items)}))", ColumnKind.BOOL)

    def _no_item(self, node: Node) -> Sql:
        raise self._refusal(node, "is computed; a list after in holds constants")

    def _choice(self, node: Choice) -> Sql:
        condition = self.wanted(node.condition, ColumnKind.BOOL)
        then, otherwise = self.translate(node.then), self.translate(node.otherwise)
        if then.kind is not otherwise.kind:
            raise self._refusal(node, f"is {then.kind} or {otherwise.kind}; both branches must be of one kind")
        text = f"(CASE {condition.text} WHEN TRUE THEN {then.text} WHEN FALSE THEN {otherwise.text} END)"
        return self._made(node, text, then.kind)

    def _call(self, node: Call) -> Sql:
        first = node.arguments[0]
        if node.function in ("duration", "timestamp"):
            if not (isinstance(first, Literal) and isinstance(first.value, str)):
                raise self._refusal(node, f"calls {node.function}() on something other than a constant")
            parse = times.duration if node.function == "duration" else times.timestamp
            amount = self._parameter(microseconds(parse(first.value)))
            return Sql(f"CAST({amount} AS BIGINT)", ColumnKind(node.function), constant=True)
        if node.function == "matches" and not isinstance(node.arguments[1], Literal):
            raise self._refusal(node, "matches a computed pattern; it must be a constant")
        shapes = [shape for shape in CALLS if shape.function == node.function]
        if len(shapes) == 1:
            arguments = [self.wanted(argument, shapes[0].takes) for argument in node.arguments]
        else:
            arguments = [self.translate(first)]
        shape = next((shape for shape in shapes if shape.takes is arguments[0].kind), None)
        if shape is None:
            raise self._refusal(node, f"calls {node.function}() on {arguments[0].kind}, which has no SQL form")
        return self._made(node, shape.form.format(*(argument.text for argument in arguments)), shape.gives)

    def _made(self, node: Node, text: str, kind: ColumnKind) -> Sql:
        if len(text) > MAX_SQL:
            raise self._refusal(node, "becomes too long a condition in SQL")
        return Sql(text, kind)

    def _refusal(self, node: Node, what: str) -> Invalid:
        return refusal(self._text, node.start, f"cannot be a query: {written(node, self._text)} {what}")


def _fits(found: ColumnKind, wanted: ColumnKind) -> bool:
    return found is wanted or (wanted is ColumnKind.NUMBER and found in _NUMBERS)


def _without_nan(text: str, sign: str, left: Sql, right: Sql) -> str:
    """DuckDB puts NaN above all numbers and equal to itself; a guard, as IEEE 754, finds it neither."""
    suspect, other = (right, left) if sign in ("<", "<=") else (left, right)
    if suspect.constant or suspect.kind not in _MAY_BE_NAN:
        return text
    if sign in ("==", "!=") and (other.constant or other.kind not in _MAY_BE_NAN):
        return text
    is_nan = f"isnan(CAST({suspect.text} AS DOUBLE))"
    if sign == "!=":
        return f"({text} OR ({is_nan} AND isnan(CAST({other.text} AS DOUBLE))))"
    # Without the second test NaN against NULL would be false, where it must stay unknown.
    return (
        f"({text} AND NOT {is_nan})" if other.constant else f"({text} AND NOT ({is_nan} AND {other.text} IS NOT NULL))"
    )
