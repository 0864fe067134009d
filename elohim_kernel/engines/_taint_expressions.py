"""The value of every kind of expression."""

import ast
import builtins
from collections.abc import Callable, Mapping
from typing import Final

from elohim_kernel.engines import _taint_displays as displays
from elohim_kernel.engines import _taint_fold as fold
from elohim_kernel.engines._taint_attributes import PATH
from elohim_kernel.engines._taint_fold import Unfoldable
from elohim_kernel.engines._taint_known import combined, concatenated, elements, truth
from elohim_kernel.engines._taint_machine import Machine, NoReturn
from elohim_kernel.engines._taint_plain import fact, literal
from elohim_kernel.engines._taint_program import Call, Function
from elohim_kernel.engines._taint_sources import canonical, imported, source
from elohim_kernel.engines._taint_state import SEQUENCES, State, Thing
from elohim_kernel.engines._taint_values import (
    EITHER,
    HARMLESS,
    NONE,
    UNKNOWN,
    Value,
    constant,
    constants,
    join,
    joined,
    mixed,
    united,
)

_BUILTINS: Final = frozenset(dir(builtins))


def evaluate(machine: Machine, node: ast.expr, state: State) -> Value:
    """The value of an expression. What it does is in `state` afterwards."""
    if machine.has_facts and isinstance(node, ast.Call | ast.Subscript | ast.Attribute):
        proved = state.looked_up(fact(node))
        if proved is not None:
            return proved
    return _KINDS.get(type(node), _unknown)(machine, node, state)


def _unknown(machine: Machine, node: ast.expr, state: State) -> Value:
    return mixed([machine.evaluate(each, state) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)])


def _constant(_machine: Machine, node: ast.Constant, _state: State) -> Value:
    return HARMLESS if node.value is ... else constant(node.value)


def _name(machine: Machine, node: ast.Name, state: State) -> Value:
    found = state.looked_up(node.id)
    if found is not None:
        return found
    if node.id in _BUILTINS:
        return Value(name=node.id, is_open=True)
    if machine.star_modules:
        name = canonical(f"{machine.star_modules[-1]}.{node.id}")
        return source(name, node.lineno) or imported(name)
    return UNKNOWN


def _attribute(machine: Machine, node: ast.Attribute, state: State) -> Value:
    return machine.attribute(machine.evaluate(node.value, state), node.attr, node, state)


def _binary(machine: Machine, node: ast.BinOp, state: State) -> Value:
    left = machine.evaluate(node.left, state)
    right = machine.evaluate(node.right, state)
    value = operated(machine, node, node.op, left, right, state)
    if value.is_text:
        machine.see_statement(node, value)
    return value


def operated(machine: Machine, node: ast.AST, operator: ast.operator, left: Value, right: Value, state: State) -> Value:
    """`left operator right`."""
    kind = type(operator)
    if left.things or right.things:
        return _with_containers(machine, node, kind, left, right, state)
    known = combined((left, right), lambda one, other: fold.binary(kind, one, other))
    if known is not None:
        return known
    if kind is ast.Add:
        if left.is_text or right.is_text:
            return concatenated((left, right))
        return mixed((left, right))
    if kind is ast.Mod and left.is_text:
        return mixed((left, right), is_text=True, prefix=left.prefix.partition("%")[0])
    if kind is ast.Div and (left.name == PATH or right.name == PATH):
        return Value(
            name=PATH, taints=united(left.taints, right.taints), is_open=left.is_open or right.is_open, is_text=True
        )
    if kind in (ast.Mult, ast.Add):
        return mixed((left, right), is_text=left.is_text or right.is_text)
    return mixed((left, right))


def _with_containers(
    machine: Machine, node: ast.AST, kind: type[ast.operator], left: Value, right: Value, state: State
) -> Value:
    if kind is ast.Mod and left.is_text:
        try:
            values = literal(right, state)
            form = literal(left, state)
            if isinstance(form, (str, bytes)) and isinstance(values, (tuple, dict)):
                return constant(fold.percent(form, values))
        except (ValueError, TypeError, Unfoldable):
            pass
        return mixed((left, state.deep(right)), is_text=True, prefix=left.prefix.partition("%")[0])
    one, other = elements(left, state), elements(right, state)
    only = state.only_thing(left)
    if kind is ast.Add and one is not None and other is not None and only is not None and only[1].kind in SEQUENCES:
        return machine.sequence(node, only[1].kind, [*one, *other], state)
    kind_of_both = "dict" if only is not None and only[1].kind == "dict" else "list"
    if kind_of_both == "dict":
        second = state.only_thing(right)
        rest = joined([state.deep(left), state.deep(right)]) if second is None else None
        items = {**only[1].items, **(second[1].items if second else {})} if only else {}
        return machine.new(node, Thing("dict", items, rest=rest, is_certain=False), state)
    return machine.some(node, "list", joined((state.element(left), state.element(right))), state)


def _unary(machine: Machine, node: ast.UnaryOp, state: State) -> Value:
    value = machine.evaluate(node.operand, state)
    if isinstance(node.op, ast.Not):
        known = truth(value, state)
        return EITHER if known is None else constant(not known)
    return combined((value,), lambda one: fold.unary(type(node.op), one)) or mixed((value,))


def _bool(machine: Machine, node: ast.BoolOp, state: State) -> Value:
    is_or = isinstance(node.op, ast.Or)
    found: list[Value] = []
    inner = state
    for place, each in enumerate(node.values):
        try:
            value = machine.evaluate(each, inner)
        except NoReturn:
            if not place:
                raise
            break
        known = truth(value, inner)
        is_last = place == len(node.values) - 1
        if is_last or known is is_or:
            found.append(value)
            break
        if known is None:
            found.append(_if_true(value) if is_or else _if_false(value))
            inner = State(dict(inner.names), inner.things, inner.outer)
            machine.assume(each, not is_or, inner)
    return joined(found)


def _if_true(value: Value) -> Value:
    if value.constants is None:
        return value
    left = [each for each in value.constants if each]
    return constants(left) if left else HARMLESS


def _if_false(value: Value) -> Value:
    if value.constants is None:
        # What is false holds no data worth following: an empty text, None, zero.
        return HARMLESS
    return constants([each for each in value.constants if not each])


def _conditional(machine: Machine, node: ast.IfExp, state: State) -> Value:
    known = truth(machine.evaluate(node.test, state), state)
    found: list[Value] = []
    for outcome, branch in ((True, node.body), (False, node.orelse)):
        if known is (not outcome):
            continue
        inner = State(dict(state.names), state.things, state.outer)
        machine.assume(node.test, outcome, inner)
        try:
            found.append(machine.evaluate(branch, inner))
        except NoReturn:
            continue
    if not found:
        raise NoReturn
    return joined(found)


def _compare(machine: Machine, node: ast.Compare, state: State) -> Value:
    values = [machine.evaluate(each, state) for each in (node.left, *node.comparators)]
    answers: list[Value] = []
    for place, operator in enumerate(node.ops):
        left, right = values[place], values[place + 1]
        answers.append(_compared(operator, left, right, state))
    if len(answers) == 1:
        return answers[0]
    known = [truth(each, state) for each in answers]
    if False in known:
        return constant(False)
    return constant(True) if None not in known else EITHER


def _compared(operator: ast.cmpop, left: Value, right: Value, state: State) -> Value:
    kind = type(operator)
    known = combined((left, right), lambda one, other: fold.compare(kind, one, other))
    if known is not None:
        return known
    try:
        return constant(fold.compare(kind, literal(left, state), literal(right, state)))
    except (ValueError, TypeError, Unfoldable):
        return EITHER


def _joined_text(machine: Machine, node: ast.JoinedStr, state: State) -> Value:
    value = concatenated([machine.evaluate(each, state) for each in node.values])
    machine.see_statement(node, value)
    return value


def _formatted(machine: Machine, node: ast.FormattedValue, state: State) -> Value:
    value = machine.evaluate(node.value, state)
    form = constant("") if node.format_spec is None else machine.evaluate(node.format_spec, state)
    known = combined((value, form), lambda one, how: fold.formatted(one, node.conversion, str(how)))
    if known is not None:
        return known
    if form.prefix and form.prefix[-1] in "dxXbofeEgG%" and form.constants is not None:
        return HARMLESS
    return mixed((state.deep(value), form), is_text=True, prefix=value.prefix if value.constants is None else "")


def _lambda(_machine: Machine, node: ast.Lambda, state: State) -> Value:
    return Value(code=Function(node, (state.names, *state.outer)))


def _await(machine: Machine, node: ast.Await | ast.Starred, state: State) -> Value:
    return machine.evaluate(node.value, state)


def _yield(machine: Machine, node: ast.Yield, state: State) -> Value:
    machine.frame.yields.append(NONE if node.value is None else machine.evaluate(node.value, state))
    return UNKNOWN


def _yield_from(machine: Machine, node: ast.YieldFrom, state: State) -> Value:
    machine.frame.yields.append(state.element(machine.evaluate(node.value, state)))
    return UNKNOWN


def _named(machine: Machine, node: ast.NamedExpr, state: State) -> Value:
    value = machine.evaluate(node.value, state)
    machine.assign(node.target, value, state)
    return value


def _call(machine: Machine, node: ast.Call, state: State) -> Value:
    receiver: Value | None = None
    method = ""
    if isinstance(node.func, ast.Attribute):
        receiver, method = machine.evaluate(node.func.value, state), node.func.attr
        callee = machine.attribute(receiver, method, node.func, state)
    else:
        callee = machine.evaluate(node.func, state)
    arguments: list[Value] = []
    rest: Value | None = None
    for each in node.args:
        if not isinstance(each, ast.Starred):
            arguments.append(machine.evaluate(each, state))
            continue
        spread = machine.evaluate(each.value, state)
        parts = elements(spread, state)
        if parts is not None and rest is None:
            arguments.extend(parts)
        else:
            rest = state.element(spread) if rest is None else join(rest, state.element(spread))
    named: dict[str, Value] = {}
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value, state)
        if keyword.arg is not None:
            named[keyword.arg] = value
            continue
        only = state.only_thing(value)
        if only is not None and only[1].kind == "dict" and only[1].is_known and not value.is_open:
            named.update({key: each for key, each in only[1].items.items() if isinstance(key, str)})
        else:
            inner = state.deep(value)
            rest = inner if rest is None else join(rest, inner)
    return machine.call(
        Call(node, state, callee, method=method, receiver=receiver, arguments=arguments, named=named, rest=rest)
    )


# Each function takes the kind of node it is listed for, which a mapping's type cannot say.
_KINDS: Final[Mapping[type[ast.expr], Callable[..., Value]]] = {
    **displays.KINDS,
    ast.Attribute: _attribute,
    ast.Await: _await,
    ast.BinOp: _binary,
    ast.BoolOp: _bool,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.FormattedValue: _formatted,
    ast.IfExp: _conditional,
    ast.JoinedStr: _joined_text,
    ast.Lambda: _lambda,
    ast.Name: _name,
    ast.NamedExpr: _named,
    ast.Starred: _await,
    ast.UnaryOp: _unary,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
}
