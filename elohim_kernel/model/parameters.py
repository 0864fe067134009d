"""The typed parameters of a playbook: what its parameters cell declares, and what a caller may bind to it.

Names are declared identifiers and values are JSON literals, or the run is refused: the runner turns both into source
text, and a name or value that is more than that would be code. The cell is parsed, never executed.
"""

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from typing import Final, cast

import msgspec

from elohim_kernel.errors import Invalid
from elohim_kernel.model.literals import JSON, ParameterType, Unfit, fit, fit_text, shown
from elohim_kernel.model.value import Value

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_HARMLESS_IMPORTS: Final = {"__future__", "datetime", "typing"}  # what an annotation may need


class Parameter(Value, frozen=True):
    """One declared parameter. `default` means nothing when `required`; `optional` ones may also be None."""

    name: str
    type: ParameterType
    optional: bool = False
    required: bool = False
    default: object = None  # a JSON value; msgspec has no recursive type for it
    help: str = ""

    @property
    def annotation(self) -> str:
        """The type as a person would write it: `int`, `str | None`."""
        return f"{self.type} | None" if self.optional else str(self.type)


def declared(source: str) -> tuple[Parameter, ...]:
    """Read a parameters cell: lines of `name: type = literal  # help`, or `name: type` for a required one.

    Raises `Invalid` naming every line that is something else: another statement, an unknown type, a name that does
    not match `[a-z][a-z0-9_]{0,63}`, a default that is not a literal of the type. Element types (`list[str]`) are for
    readers only.

    >>> limit, day = declared("limit: int = 10  # rows shown\\nday: date | None = None")
    >>> limit.default, limit.help, day.annotation
    (10, 'rows shown', 'date | None')
    """
    try:
        body = ast.parse(source).body
        comments = _comments(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as wrong:
        raise Invalid(
            f"the parameters cell is not plain Python: {wrong}", hint="write `name: type = literal`"
        ) from None
    found: dict[str, Parameter] = {}
    problems = []
    for statement in body:
        if _is_harmless(statement):
            continue
        try:
            parameter = _parameter(statement, comments.get(statement.end_lineno or 0, ""))
            if parameter.name in found:
                raise Unfit(f"{parameter.name} is declared twice")
            found[parameter.name] = parameter
        except Unfit as why:
            problems.append(f"line {statement.lineno}: {why}")
    if problems:
        raise Invalid(f"the parameters cell is not acceptable: {'; '.join(problems)}")
    return tuple(found.values())


def bind(parameters: Sequence[Parameter], given: Mapping[str, object]) -> dict[str, JSON]:
    """Values for all parameters, in declared order: what was given, converted by type, or the default.

    Text is read as a command line would write it (`"false"` is False, lists and dicts are JSON); other values must
    already have the type. Binding what `bind` returned changes nothing. Raises one `Invalid` naming every unknown
    name, with the nearest declared one, every missing required name and every value that does not fit.

    >>> bind(declared("fast: bool = True"), {"fast": "false"})
    {'fast': False}
    """
    problems = [_unknown(name, parameters) for name in given if name not in {known.name for known in parameters}]
    bound: dict[str, JSON] = {}
    for parameter in parameters:
        if parameter.name not in given:
            if parameter.required:
                problems.append(f"{parameter.name}: required ({parameter.annotation}), not given")
            bound[parameter.name] = cast("JSON", parameter.default)
            continue
        try:
            bound[parameter.name] = _fit(given[parameter.name], parameter)
        except Unfit as why:
            problems.append(f"{parameter.name}: {shown(given[parameter.name])} {why}")
    if problems:
        raise Invalid("; ".join(problems), hint=_hint(parameters))
    return bound


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name) or not statement.simple:
        raise Unfit("only `name: type = literal` may stand here")
    name = statement.target.id
    if not _NAME.fullmatch(name):
        raise Unfit(f"the name {shown(name)} must match [a-z][a-z0-9_]{{0,63}}")
    kind, optional = _annotation(statement.annotation)
    parameter = Parameter(name=name, type=kind, optional=optional, required=statement.value is None, help=comment)
    if statement.value is None:
        return parameter
    try:
        literal = ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise Unfit(f"the default of {name} is not a literal") from None
    try:
        return msgspec.structs.replace(parameter, default=_default(literal, parameter))
    except Unfit as why:
        raise Unfit(f"the default of {name}, {shown(literal)}, {why}") from None


def _annotation(node: ast.expr) -> tuple[ParameterType, bool]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = _quoted(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [node.left, node.right]
        rest = [side for side in sides if not (isinstance(side, ast.Constant) and side.value is None)]
        if len(rest) == 1:
            return _annotation(rest[0])[0], True
    if isinstance(node, ast.Subscript):
        if _last_name(node.value) == "Optional":
            return _annotation(node.slice)[0], True
        if _last_name(node.value) in {"list", "dict"}:
            node = node.value
    try:
        return ParameterType(_last_name(node)), False
    except ValueError:
        known = ", ".join(ParameterType)
        raise Unfit(f"the type {shown(ast.unparse(node))} is unknown; known: {known}, each `| None`") from None


def _quoted(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise Unfit(f"the type {shown(text)} is unknown") from None


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_harmless(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module in _HARMLESS_IMPORTS and statement.level == 0
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("#").strip() for t in tokens if t.type == tokenize.COMMENT}


def _fit(value: object, parameter: Parameter) -> JSON:
    if value is None and parameter.optional:
        return None
    if value is None:
        raise Unfit(f"is not acceptable: {parameter.name} is {parameter.type}, not `{parameter.type} | None`")
    if type(value) is not str or parameter.type is ParameterType.STR:
        return fit(value, parameter.type)
    text = value.strip()
    if parameter.optional and text.lower() in {"", "none", "null"}:
        return None
    return fit_text(text, parameter.type)


def _default(literal: object, parameter: Parameter) -> JSON:
    """A default is Python, not a command line: `limit: int = "3"` is refused, though a given "3" is read as 3."""
    return None if literal is None and parameter.optional else fit(literal, parameter.type)


def _unknown(name: str, parameters: Sequence[Parameter]) -> str:
    near = difflib.get_close_matches(name[:64], [known.name for known in parameters], n=1)
    return f"{shown(name)} is not a parameter of this playbook" + (f", did you mean {near[0]!r}?" if near else "")


def _hint(parameters: Sequence[Parameter]) -> str:
    if not parameters:
        return "this playbook takes no parameters"
    return "it takes " + ", ".join(f"{known.name} ({known.annotation})" for known in parameters)
