"""Which functions a change touches, by parsing both commits; and which a description of a bug names.

Nothing is executed. A function whose code is the same on both sides, comments and docstrings apart, is no target.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from types import CodeType
from typing import Final, NamedTuple

from msgspec.structs import replace

from elohim_kernel.engines._tests_mutants import Function, first_line
from elohim_kernel.engines._tests_shapes import Flavour, Parameter, Place, Rejected, Target
from elohim_kernel.model.change import FileChange, FileStatus

_SPECIAL: Final = frozenset({
    "__str__", "__repr__", "__len__", "__call__", "__contains__", "__getitem__", "__eq__", "__bool__", "__int__",
    "__float__", "__iter__", "__add__", "__sub__", "__mul__", "__lt__", "__le__", "__gt__", "__ge__",
})  # fmt: skip
_NOT_MODULES: Final = frozenset({"setup", "conftest", "__main__"})
_TRACE: Final = re.compile(r'File "([^"\n]+)", line (\d+), in (\w+)')
_NAMED: Final = re.compile(r"`([\w.]+)(?:\(\))?`|\b([A-Za-z_][\w.]*)\(")


class Found(NamedTuple):
    """Targets, and what was looked at and is none."""

    targets: tuple[Target, ...] = ()
    rejected: tuple[Rejected, ...] = ()


class _Definition(NamedTuple):
    qualname: str
    node: Function
    owner: ast.ClassDef | None


def place_of(path: str, paths: Collection[str]) -> Place | None:
    """Where a file's module is imported from; None for what is not imported: scripts, setup files, odd names.

    >>> place_of("src/app/text.py", {"src/app/__init__.py", "src/app/text.py"})
    Place(path='src/app/text.py', root='src', module='app.text')
    """
    file = PurePosixPath(path)
    parts = [] if file.stem == "__init__" else [file.stem]
    folder = file.parent
    while str(folder) != "." and str(folder / "__init__.py") in paths:
        parts.insert(0, folder.name)
        folder = folder.parent
    good = parts and all(part.isidentifier() for part in parts) and file.stem not in _NOT_MODULES
    root = "" if str(folder) == "." else str(folder)
    return Place(path=path, root=root, module=".".join(parts)) if good else None


def changed_targets(place: Place, file: FileChange, head: bytes, base: bytes | None) -> Found:
    """The functions of one file whose code differs between the commits."""
    try:
        now = ast.parse(head)
        codes = _codes(compile(head, place.path, "exec", dont_inherit=True))
    except (SyntaxError, ValueError) as wrong:
        return Found(rejected=(Rejected(what=place.path, reason=f"cannot be parsed here: {wrong}"[:200]),))
    before = _known(base)
    targets: list[Target] = []
    rejected: list[Rejected] = []
    for each in _definitions(now):
        old = before.get(each.qualname) if before is not None else None
        if old is not None and old == _shape(each.node):
            continue
        inside = _code_lines(codes, each.node)
        lines = tuple(line for line in inside if file.touches(line)) or inside
        made = _target(place, each, lines, is_new=old is None)
        if isinstance(made, Rejected):
            rejected.append(made)
        else:
            targets.append(made)
    return Found(tuple(targets), tuple(rejected))


def every_target(place: Place, content: bytes, names: Collection[str]) -> Found:
    """The functions of one file that carry one of these names, dotted or not, with all their lines."""
    whole = FileChange(path=place.path, old_path=place.path, status=FileStatus.MODIFIED)
    found = changed_targets(place, whole, content, None)
    plain = {name.rpartition(".")[2] for name in names}

    def meant(text: str) -> bool:
        return text.rpartition(".")[2] in plain and any(f".{text}".endswith(f".{name}") for name in names)

    targets = tuple(_replaced(each) for each in found.targets if meant(each.key))
    return Found(targets, tuple(each for each in found.rejected if meant(each.what)))


def named_in(description: str) -> tuple[str, ...]:
    """Names of functions in the text of a bug report: of tracebacks, in backticks, before a bracket; in that order.

    >>> named_in('slugify("a") fails, see `text.clean()`; File "a.py", line 3, in dashes')
    ('dashes', 'slugify', 'text.clean')
    """
    traced = [found[2] for found in _TRACE.findall(description)]
    rest = [first or second for first, second in _NAMED.findall(description)]
    return tuple(dict.fromkeys(name.strip(".") for name in (*traced, *rest) if name.strip(".") and name != "<module>"))


def _replaced(target: Target) -> Target:
    return replace(target, is_new=False)


def _definitions(tree: ast.Module) -> Iterator[_Definition]:
    # The last definition of a name is the one that is imported.
    last: dict[str, _Definition] = {}
    for node in _unnested(tree.body):
        if isinstance(node, Function):
            last[node.name] = _Definition(node.name, node, None)
        else:
            for inner in node.body:
                if isinstance(inner, Function):
                    name = f"{node.name}.{inner.name}"
                    if not _is_setter(inner):
                        last[name] = _Definition(name, inner, node)
    yield from last.values()


def _unnested(body: Iterable[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    for node in body:
        if isinstance(node, Function | ast.ClassDef):
            yield node


def _known(content: bytes | None) -> dict[str, str] | None:
    if content is None:
        return None
    try:
        return {each.qualname: _shape(each.node) for each in _definitions(ast.parse(content))}
    except (SyntaxError, ValueError):
        return {}


def _shape(node: Function) -> str:
    """The code without docstring, comments and places."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    parts = [node.args, *node.decorator_list, *body]
    return "\n".join(ast.dump(each) for each in parts) + type(node).__name__


def _codes(module: CodeType) -> dict[tuple[str, int], CodeType]:
    found: dict[tuple[str, int], CodeType] = {}

    def look(code: CodeType) -> None:
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                found[constant.co_name, constant.co_firstlineno] = constant
                look(constant)

    look(module)
    return found


def _code_lines(codes: Mapping[tuple[str, int], CodeType], node: Function) -> tuple[int, ...]:
    """Lines of the function's body that hold code, those of functions inside included."""
    start = codes.get((node.name, first_line(node)))
    lines: set[int] = set()

    def look(code: CodeType) -> None:
        lines.update(line for _, _, line in code.co_lines() if line is not None)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                look(constant)

    if start is not None:
        look(start)
    heading = range(first_line(node), node.body[0].lineno)
    return tuple(sorted(lines - set(heading)))


def _target(place: Place, each: _Definition, lines: tuple[int, ...], *, is_new: bool) -> Target | Rejected:
    node, what = each.node, f"{place.module}.{each.qualname}"
    marks = [ast.unparse(mark).partition("(")[0].rpartition(".")[2] for mark in node.decorator_list]
    why = _unusable(each, marks, lines)
    if why:
        return Rejected(what=what, reason=why)
    generator = any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in _own(node))
    coroutine = isinstance(node, ast.AsyncFunctionDef)
    if generator and coroutine:
        return Rejected(what=what, reason="an asynchronous generator")
    parameters = _parameters(node)
    flavour = Flavour.FUNCTION
    if each.owner is not None:
        flavour = Flavour.STATIC if {"staticmethod", "classmethod"} & set(marks) else Flavour.METHOD
        if {"property", "cached_property"} & set(marks):
            flavour = Flavour.PROPERTY
        if "staticmethod" not in marks:
            parameters = parameters[1:]
    return Target(
        place=place,
        qualname=each.qualname,
        first=first_line(node),
        last=node.end_lineno or node.lineno,
        lines=lines,
        flavour=flavour,
        is_new=is_new,
        generator=generator,
        coroutine=coroutine,
        parameters=parameters,
        constructor=constructor_of(each.owner) if flavour in (Flavour.METHOD, Flavour.PROPERTY) and each.owner else (),
    )


def _unusable(each: _Definition, marks: Collection[str], lines: tuple[int, ...]) -> str:
    node = each.node
    if not lines:
        return "has no code of its own"
    if each.owner is not None and node.name.startswith("__") and not node.name.endswith("__"):
        return "is private to its class: it is tested through what uses it"
    if node.name.startswith("__") and (each.owner is None or node.name not in _SPECIAL):
        return "a special method: it is tested through what uses it"
    if {"contextmanager", "asynccontextmanager"} & set(marks):
        return "a context manager: there is no value to compare"
    if {"abstractmethod", "overload"} & set(marks):
        return "has no code of its own"
    if {"fixture", "route", "command"} & set(marks):
        return "is called by a framework"
    return ""


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.Lambda | ast.ClassDef | ast.GeneratorExp):
            yield child
            yield from _own(child)


def _is_setter(node: Function) -> bool:
    return any(
        isinstance(mark, ast.Attribute) and mark.attr in ("setter", "deleter", "register")
        for mark in node.decorator_list
    )


def _parameters(node: Function) -> tuple[Parameter, ...]:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    found = [
        _parameter(each, default, positional_only=number < len(arguments.posonlyargs))
        for number, (each, default) in enumerate(zip(plain, defaults, strict=True))
    ]
    if arguments.vararg is not None:
        found.append(_parameter(arguments.vararg, None, many=True))
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    found += [_parameter(each, default, keyword_only=True) for each, default in named]
    return tuple(found)


def _parameter(each: ast.arg, default: ast.expr | None, **kind: bool) -> Parameter:
    annotation = each.annotation
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        text = annotation.value
    else:
        text = ast.unparse(annotation) if annotation is not None else ""
    return Parameter(
        name=each.arg, annotation=text, default=ast.unparse(default) if default is not None else None, **kind
    )


def constructor_of(owner: ast.ClassDef) -> tuple[Parameter, ...]:
    """The parameters that making an instance takes, as far as the class itself says."""
    for node in owner.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return _parameters(node)[1:]
    fields = [node for node in owner.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    marks = " ".join(ast.unparse(mark) for mark in (*owner.decorator_list, *owner.bases))
    if not re.search(r"dataclass|NamedTuple|define|Struct|\bs\b|attrs", marks):
        return ()
    return tuple(
        Parameter(
            name=node.target.id if isinstance(node.target, ast.Name) else "",
            annotation=ast.unparse(node.annotation),
            default=ast.unparse(node.value) if node.value is not None else None,
        )
        for node in fields
        if "ClassVar" not in ast.unparse(node.annotation)
    )
