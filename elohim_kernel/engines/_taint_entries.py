"""Which functions the outside calls, what it gives them, and what becomes of what they return."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from elohim_kernel.engines._taint_program import Class, Function
from elohim_kernel.engines._taint_sources import from_outside, request_object
from elohim_kernel.engines._taint_values import HARMLESS, UNKNOWN, Value, words


class Entry(NamedTuple):
    """How the outside calls a function."""

    parameters: Mapping[str, Value]
    is_page: bool = False  # a text it returns is sent as HTML


_VERBS: Final = words("route get post put delete patch head options websocket api_route add_route view websocket_route")
_METHODS: Final = words("get post put delete patch head options dispatch handle do_GET do_POST do_PUT")
_VIEW_CLASS: Final = re.compile(r"(View|Resource|HTTPEndpoint|RequestHandler|ViewSet|Handler|Mixin|Controller)$")
_HARMLESS_TYPES: Final = words(
    "int float bool complex UUID UUID4 date datetime time timedelta Decimal PositiveInt NonNegativeInt IPv4Address"
    " BackgroundTasks Response HTTPConnection Session AsyncSession"
)
_CONVERTER: Final = re.compile(
    r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>|\{(?P<brace>\w+)(?::(?P<type>\w+))?\}"
)
_HARMLESS_CONVERTERS: Final = frozenset(("int", "float", "uuid", "number", "date"))
_NUMBER_NAME: Final = re.compile(r"^(pk|id|page|year|month|day|number|count|limit|offset|.*_id|.*_pk)$")
_JSON_FRAMEWORKS: Final = frozenset(
    ("fastapi", "starlette", "flask_restful", "flask_restx", "aiohttp", "sanic", "django", "rest_framework", "litestar")
)
_PAGE_FRAMEWORKS: Final = frozenset(("flask", "quart", "bottle", "cherrypy", "klein", "web"))


def entry_of(function: Function, libraries: set[str]) -> Entry | None:
    """How the outside calls the function; None when nothing says that it does."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return None
    roots = {each.partition(".")[0] for each in libraries}
    parameters = list(_parameters(node))
    route = _route(node)
    if route is not None:
        is_page = bool(roots & _PAGE_FRAMEWORKS) or not roots & _JSON_FRAMEWORKS
        return Entry(_routed(parameters, route.rule, typed=not is_page), is_page)
    if function.owner is not None:
        return _method(function, function.owner, parameters, roots)
    names = [each.arg for each in parameters]
    if names[:2] == ["event", "context"] and (len(names) == 2 or "handler" in node.name):
        return Entry({"event": from_outside("the event", node.lineno)})
    if names[:2] == ["environ", "start_response"]:
        return Entry({"environ": from_outside("the WSGI environment", node.lineno)})
    if names[:1] == ["request"]:
        captured = parameters[1:] if "django" in roots and not node.name.startswith("_") else []
        return Entry(_captures(captured))
    return None


def parameter(node: ast.arg, libraries: set[str]) -> Value:
    """What is known of a parameter that nobody in the file gives a value."""
    annotation = _last_name(node.annotation)
    is_web = any(each.partition(".")[0] in _JSON_FRAMEWORKS | _PAGE_FRAMEWORKS for each in libraries)
    if node.arg == "request" or annotation in ("Request", "HttpRequest", "WSGIRequest"):
        return request_object(node.lineno)
    if node.arg == "req" and (is_web or "falcon" in libraries):
        return request_object(node.lineno)
    return HARMLESS if annotation in ("int", "float", "bool") else UNKNOWN


class _Route(NamedTuple):
    rule: str | None  # None: not known


def _route(node: ast.FunctionDef | ast.AsyncFunctionDef) -> _Route | None:
    for mark in node.decorator_list:
        target = mark.func if isinstance(mark, ast.Call) else mark
        name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        if name == "expose" or (name == "on" and isinstance(mark, ast.Call)):
            return _Route(None)
        if name not in _VERBS or not isinstance(mark, ast.Call):
            continue
        if isinstance(target, ast.Attribute) and getattr(target.value, "id", "") in ("mock", "unittest"):
            continue
        rule = _rule(mark)
        if name == "route" or (rule is None and mark.args) or (rule is not None and rule[:1] in ("/", "")):
            return _Route(rule)
    return None


def _rule(mark: ast.Call) -> str | None:
    named = [each.value for each in mark.keywords if each.arg in ("path", "rule", "url")]
    for each in (*mark.args[:1], *named):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            return each.value
        if isinstance(each, ast.JoinedStr):
            parts = [part.value for part in each.values if isinstance(part, ast.Constant)]
            return "".join(str(part) for part in parts) or None
    return None


def _routed(parameters: list[ast.arg], rule: str | None, *, typed: bool) -> dict[str, Value]:
    kinds = {} if rule is None else _kinds(rule)
    values: dict[str, Value] = {}
    for each in parameters:
        annotation = _last_name(each.annotation)
        is_number = kinds.get(each.arg) in _HARMLESS_CONVERTERS or annotation in _HARMLESS_TYPES
        if each.arg in ("self", "cls"):
            continue
        if each.arg in ("request", "req") or annotation in ("Request", "HttpRequest"):
            values[each.arg] = request_object(each.lineno)
        elif is_number:
            values[each.arg] = HARMLESS
        elif rule is None or each.arg in kinds or typed:
            values[each.arg] = from_outside(f"the parameter {each.arg}", each.lineno)
    return values


def _kinds(rule: str) -> dict[str, str]:
    return {
        found["name"] or found["brace"]: (found["kind"] or found["type"] or "") for found in _CONVERTER.finditer(rule)
    }


def _method(function: Function, owner: Class, parameters: list[ast.arg], roots: set[str]) -> Entry | None:
    bases = [each.rpartition(".")[2] for each in owner.foreign_bases()]
    if function.name not in _METHODS or not any(_VIEW_CLASS.search(base) for base in bases):
        return None
    is_page = bool(roots & _PAGE_FRAMEWORKS) and any(base.endswith("View") for base in bases)
    return Entry(_captures(parameters[1:]), is_page)


def _captures(parameters: list[ast.arg]) -> dict[str, Value]:
    """Parts of the path, as far as their names do not say that they are numbers."""
    values: dict[str, Value] = {}
    for each in parameters:
        if each.arg == "request" or _last_name(each.annotation) in ("Request", "HttpRequest"):
            values[each.arg] = request_object(each.lineno)
        elif _last_name(each.annotation) in _HARMLESS_TYPES or _NUMBER_NAME.match(each.arg):
            values[each.arg] = UNKNOWN
        else:
            values[each.arg] = from_outside(f"the parameter {each.arg}", each.lineno, hops=1)
    return values


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.arg]:
    """Those the outside gives; one whose default is computed is filled in by the framework."""
    given = node.args
    places = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(places) - len(given.defaults))
    pairs = [
        *zip(places, [*defaults, *given.defaults], strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    for parameter_, default in pairs:
        if isinstance(default, ast.Call) and _last_name(default.func) in ("Depends", "Security", "Inject", "Provide"):
            continue
        yield parameter_


def _last_name(node: ast.expr | None) -> str:
    """`Request` of `fastapi.Request`, `int` of `Optional[int]` and of `int | None`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rpartition(".")[2]
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        return _last_name(inner) if _last_name(node.value) in ("Optional", "Annotated", "Union") else ""
    if isinstance(node, ast.BinOp):
        return _last_name(node.left)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
