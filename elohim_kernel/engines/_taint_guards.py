"""What a test says about the values it looks at, where it came out true or false.

Validation is how programs make data harmless: membership in a list of their own, a strict pattern, a check of the host
or the folder. What a test proves is written into the state of the branch it holds in.
"""

import ast
import re
from collections.abc import Iterable
from typing import Final

from elohim_kernel.engines._taint_machine import Machine, NoReturn
from elohim_kernel.engines._taint_patterns import harmless_for
from elohim_kernel.engines._taint_plain import fact, literal
from elohim_kernel.engines._taint_state import State
from elohim_kernel.engines._taint_values import EVERYTHING, Value, constants

_WORD_TESTS: Final = frozenset(("isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric", "isidentifier"))
_MATCHERS: Final = frozenset(("match", "fullmatch", "search"))
_URL_PARTS: Final = frozenset(("netloc", "hostname", "host", "domain"))
_LITERAL: Final = frozenset(("code-injection", "xpath-injection", "sql-injection"))
_HOST_CATEGORIES: Final = frozenset(("open-redirect", "ssrf"))
_PATH: Final = frozenset(("path-traversal",))
_HARMLESS_TYPES: Final = frozenset(("int", "float", "bool", "complex", "uuid.UUID", "datetime.date", "decimal.Decimal"))
_VALIDATOR: Final = re.compile(
    r"^_*(is|has|check|validate|verify|url_has)?_?\w*(safe|valid|allow|permit|trusted|whitelist|within|subpath|accept)"
)
_FORBIDDEN: Final = {
    "'": frozenset(("xpath-injection", "sql-injection", "ldap-injection")),
    '"': frozenset(("xpath-injection", "sql-injection")),
    "..": _PATH,
    "../": _PATH,
    "/": _PATH,
    "<": frozenset(("xss",)),
    "(": frozenset(("ldap-injection",)),
    "*": frozenset(("ldap-injection",)),
    "\n": frozenset(("log-injection",)),
    ";": frozenset(("command-injection",)),
    "://": _HOST_CATEGORIES,
    "//": _HOST_CATEGORIES,
}


def assume(machine: Machine, test: ast.expr, outcome: bool, state: State) -> None:
    """Narrow `state` down to where `test` has that outcome."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        assume(machine, test.operand, not outcome, state)
    elif isinstance(test, ast.BoolOp):
        # All parts of a true `and`, and of a false `or`, have the outcome; of the others it is one, not known which.
        if isinstance(test.op, ast.And) is outcome:
            for each in test.values:
                assume(machine, each, outcome, state)
        else:
            _any_of(machine, test, outcome, state)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1:
        _compared(machine, test, outcome, state)
    elif isinstance(test, ast.NamedExpr):
        assume(machine, test.value, outcome, state)
    elif isinstance(test, ast.Call):
        _called(machine, test, outcome, state)
    elif isinstance(test, ast.Name):
        _is_true(test, outcome, state)


def _any_of(machine: Machine, test: ast.BoolOp, outcome: bool, state: State) -> None:
    """What every part proves, whichever it was: `if "'" in a or '"' in a: return` proves both when it is false."""
    proved: list[dict[str, Value]] = []
    for each in test.values:
        inner = State(dict(state.names), state.things, state.outer)
        assume(machine, each, outcome, inner)
        proved.append(inner.names)
    for name, before in list(state.names.items()):
        after = [names[name] for names in proved]
        if all(each is not before and each.constants != before.constants for each in after):
            listed = [one for each in after for one in (each.constants or ())]
            if all(each.constants is not None for each in after):
                state.names[name] = constants(listed)
                continue
        if all(each is not before for each in after) and before.taints:
            common = frozenset.intersection(*(_gained(before, each) for each in after))
            if common:
                state.names[name] = before.cleaned(common)


def _gained(before: Value, after: Value) -> frozenset[str]:
    if not after.taints:
        return frozenset((EVERYTHING,))
    old = frozenset.intersection(*(each.cleaned for each in before.taints))
    return frozenset.intersection(*(each.cleaned for each in after.taints)) - old


def _is_true(test: ast.Name, outcome: bool, state: State) -> None:
    value = state.looked_up(test.id)
    if value is None or value.constants is None or value.things or value.taints or value.is_open:
        return
    left = [each for each in value.constants if bool(each) is outcome]
    if left:
        state.names[test.id] = constants(left)


def _compared(machine: Machine, test: ast.Compare, outcome: bool, state: State) -> None:
    operator, left, right = test.ops[0], test.left, test.comparators[0]
    if isinstance(operator, (ast.Eq, ast.NotEq)):
        holds = isinstance(operator, ast.Eq) is outcome
        _equal(machine, left, right, holds, state)
        _equal(machine, right, left, holds, state)
    elif isinstance(operator, (ast.In, ast.NotIn)):
        holds = isinstance(operator, ast.In) is outcome
        if holds:
            _member(machine, left, right, state)
        else:
            _not_member(machine, left, right, state)
    elif isinstance(operator, (ast.Is, ast.IsNot)) and isinstance(left, ast.Call):
        is_none = isinstance(right, ast.Constant) and right.value is None
        if is_none:
            _called(machine, left, isinstance(operator, ast.IsNot) is outcome, state)


def _equal(machine: Machine, node: ast.expr, other: ast.expr, holds: bool, state: State) -> None:
    """`node == other`, or not."""
    value = _quietly(machine, other, state)
    if value is None:
        return
    if holds and isinstance(node, ast.Name):
        before = state.looked_up(node.id)
        if before is not None and value.constants is not None and not value.taints:
            state.names[node.id] = value
        elif before is not None and before.taints and not value.taints and not isinstance(other, ast.Constant):
            state.names[node.id] = before.cleaned((EVERYTHING,))
    elif not holds and isinstance(node, ast.Name):
        before = state.looked_up(node.id)
        if before is not None and before.constants is not None and value.constants and len(value.constants) == 1:
            left = [each for each in before.constants if each != value.constants[0]]
            if left and len(left) < len(before.constants):
                state.names[node.id] = constants(left)
    if holds and not value.taints:
        _part_is_known(machine, node, state)


def _part_is_known(machine: Machine, node: ast.expr, state: State) -> None:
    """A part of the data was compared with something of the program: the host of an address, the folder of a path."""
    if isinstance(node, ast.Attribute) and node.attr in _URL_PARTS:
        _clean_origins(machine, node.value, _HOST_CATEGORIES, state)
    elif isinstance(node, ast.Call):
        name = _last(node.func)
        if name in ("commonpath", "commonprefix") and node.args:
            _clean_origins(machine, node.args[0], _PATH, state)
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute | ast.Name):
        _clean_origins(machine, node.value, frozenset(), state)


def _member(machine: Machine, node: ast.expr, collection: ast.expr, state: State) -> None:
    """`node in collection`: harmless when the collection is the program's own."""
    listed = _quietly(machine, collection, state)
    if listed is None or state.deep(listed).taints:
        return
    _part_is_known(machine, node, state)
    target = _stripped(node)
    if not isinstance(target, ast.Name):
        _clean_path(machine, target, (EVERYTHING,), state)
        return
    before = state.looked_up(target.id)
    if before is None:
        return
    try:
        options = literal(listed, state)
    except (ValueError, TypeError):
        options = None
    if isinstance(options, (list, tuple, set, dict)) and target is node and options and _are_plain(options):
        state.names[target.id] = constants(list(options))
        return
    if before.taints:
        state.names[target.id] = before.cleaned((EVERYTHING,))


def _are_plain(options: Iterable[object]) -> bool:
    return all(each is None or isinstance(each, (str, bytes, int, float)) for each in options)


def _not_member(machine: Machine, node: ast.expr, holder: ast.expr, state: State) -> None:
    """`node not in holder`: the text does not hold what could do harm."""
    forbidden = _quietly(machine, node, state)
    target = _stripped(holder)
    if _is_inside(holder):
        # A quote at each end and none between them: the text is one string literal.
        assert isinstance(holder, ast.Subscript)
        _clean_path(machine, holder.value, _LITERAL, state)
        return
    if forbidden is None or forbidden.constants is None:
        return
    gained: frozenset[str] = frozenset()
    for each in forbidden.constants:
        gained |= _FORBIDDEN.get(each, frozenset()) if isinstance(each, str) else frozenset()
    if gained:
        _clean_path(machine, target, gained, state)


def _is_inside(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "1:-1"


def _called(machine: Machine, test: ast.Call, outcome: bool, state: State) -> None:
    name = _last(test.func)
    if isinstance(test.func, ast.Attribute):
        holder = test.func.value
        if outcome and name in _WORD_TESTS:
            _clean_path(machine, _stripped(holder), (EVERYTHING,), state)
            return
        if outcome and name in ("startswith", "is_relative_to"):
            _starts_with(machine, test, holder, name, state)
            return
        if outcome and name in _MATCHERS:
            _matched(machine, test, name, state)
            return
    if name == "isinstance" and outcome and len(test.args) == 2:
        kind = _quietly(machine, test.args[1], state)
        if kind is not None and kind.name in _HARMLESS_TYPES:
            _clean_path(machine, test.args[0], (EVERYTHING,), state)
    elif name == "all" and outcome and test.args:
        _all_characters(machine, test.args[0], state)
    elif outcome and _VALIDATOR.search(name.lower()):
        for each in test.args:
            _clean_origins(machine, each, frozenset((EVERYTHING,)), state)
            _clean_path(machine, each, (EVERYTHING,), state)
    elif not outcome and name in ("any",) and test.args:
        _no_character(machine, test.args[0], state)


def _starts_with(machine: Machine, test: ast.Call, holder: ast.expr, name: str, state: State) -> None:
    start = _quietly(machine, test.args[0], state) if test.args else None
    if start is None or start.taints:
        return
    value = _quietly(machine, holder, state)
    if value is None:
        return
    if name == "is_relative_to" or any("resolved" in each.cleaned for each in value.taints):
        _clean_path(machine, _stripped(holder), _PATH, state)
        _clean_origins(machine, holder, _PATH, state)
    if isinstance(holder, ast.Name) and len(start.prefix) > len(value.prefix):
        state.names[holder.id] = value.with_(prefix=start.prefix)


def _matched(machine: Machine, test: ast.Call, name: str, state: State) -> None:
    """A pattern that only lets harmless characters through."""
    assert isinstance(test.func, ast.Attribute)
    matcher = _quietly(machine, test.func.value, state)
    if matcher is None:
        return
    if matcher.name == "re" and len(test.args) > 1:
        pattern, target = _quietly(machine, test.args[0], state), test.args[1]
    elif matcher.name == "re.compile()" and test.args:
        pattern, target = Value(constants=(matcher.prefix,)), test.args[0]
    else:
        return
    if pattern is None or pattern.constants is None or len(pattern.constants) != 1:
        return
    gained = harmless_for(pattern.constants[0], name)
    if gained:
        _clean_path(machine, _stripped(target), gained, state)


def _all_characters(machine: Machine, generator: ast.expr, state: State) -> None:
    """`all(c in ALLOWED for c in text)` and `all(c.isalnum() for c in text)`."""
    if not isinstance(generator, (ast.GeneratorExp, ast.ListComp)) or len(generator.generators) != 1:
        return
    loop = generator.generators[0]
    if not isinstance(loop.target, ast.Name):
        return
    if any(each.id == loop.target.id for each in ast.walk(generator.elt) if isinstance(each, ast.Name)):
        _clean_path(machine, loop.iter, (EVERYTHING,), state)


def _no_character(machine: Machine, generator: ast.expr, state: State) -> None:
    """`any(c in text for c in FORBIDDEN)` came out false."""
    if not isinstance(generator, (ast.GeneratorExp, ast.ListComp)) or not isinstance(generator.elt, ast.Compare):
        return
    test = generator.elt
    if isinstance(test.ops[0], ast.In) and isinstance(test.left, ast.Name):
        forbidden = _quietly(machine, generator.generators[0].iter, state)
        if forbidden is None:
            return
        try:
            options = literal(forbidden, state)
        except (ValueError, TypeError):
            return
        if isinstance(options, (str, list, tuple, set)):
            gained = frozenset().union(
                *(_FORBIDDEN.get(each, frozenset()) for each in options if isinstance(each, str))
            )
            _clean_path(machine, _stripped(test.comparators[0]), gained, state)


def _clean_path(machine: Machine, node: ast.expr, categories: Iterable[str], state: State) -> None:
    """Make what the expression names harmless; another expression when it is written the same way again."""
    if isinstance(node, ast.Name):
        before = state.looked_up(node.id)
        if before is not None and before.taints:
            state.names[node.id] = before.cleaned(categories)
        return
    if isinstance(node, ast.Constant):
        return
    value = _quietly(machine, node, state)
    if value is None or not value.taints:
        return
    machine.has_facts = True
    state.names[fact(node)] = value.cleaned(categories)
    if isinstance(node, ast.Attribute):
        owner = _quietly(machine, node.value, state)
        only = None if owner is None else state.only_thing(owner)
        if only is not None and only[1].kind == "instance":
            state.things = {**state.things, only[0]: only[1].put(node.attr, value.cleaned(categories))}


def _clean_origins(machine: Machine, node: ast.expr, categories: frozenset[str], state: State) -> None:
    """Make every name harmless that holds nothing from outside but what this expression holds."""
    value = _quietly(machine, node, state)
    if value is None or not categories:
        return
    origins = {(each.what, each.line) for each in state.deep(value).taints}
    if not origins:
        return
    for scope in (state.names, *state.outer[:-1]):
        for name, other in list(scope.items()):
            if other.taints and {(each.what, each.line) for each in other.taints} <= origins:
                state.names[name] = other.cleaned(categories)


def _stripped(node: ast.expr) -> ast.expr:
    """The text itself, of `text.lower().strip()` and of `str(text)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        return _stripped(node.args[0])
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        if node.func.attr not in ("lower", "upper", "strip", "casefold", "replace"):
            break
        node = node.func.value
    return node


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _quietly(machine: Machine, node: ast.expr, state: State) -> Value | None:
    """The value of an expression of a test, which was evaluated before: looked at without effect on the state."""
    if isinstance(node, ast.Constant | ast.Name):
        return machine.evaluate(node, state)
    try:
        return machine.evaluate(node, State(dict(state.names), dict(state.things), state.outer))
    except NoReturn:
        return None
