"""In a child process: put a mutant's code into the functions that are already loaded, and take it out again.

Whoever imported the function under whatever name runs the mutant, because the function object stays the same one.
Only the standard library is used.
"""

import ast
import functools
import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType

from elohim_kernel.engines._tests_mutants import Made, function_named, mutants_of


class Swappable:
    """One function of a loaded module, with its mutants on some lines."""

    def __init__(self, file: str, qualname: str, first: int, lines: Collection[int]) -> None:
        """The module must have been imported. `missing` says why nothing can be swapped; "" when it can."""
        self._file, self._qualname = file, qualname
        tree = ast.parse(Path(file).read_bytes())
        found = function_named(tree, qualname, first)
        self._functions: list[FunctionType] = []
        self._mutants: list[Made] = []
        if found is not None:
            self._top, self._function = found
            code = self._code_of(self._top)
            self._functions = _loaded(file, qualname, code.co_firstlineno) if code else []
            self._mutants = mutants_of(self._function, lines)
        self.missing = "" if self._functions else f"{qualname} is not loaded from {file}"
        self._caches = [each for each in gc.get_objects() if _is_cache(each)]

    def forget(self) -> None:
        """Empty the caches of functions: an answer that was kept would hide the mutant."""
        for each in self._caches:
            each.cache_clear()

    @contextmanager
    def mutated(self, number: int) -> Iterator[bool]:
        """The function as its mutant of that number; yields False when it cannot be."""
        code = self._mutated_code(self._mutants[number])
        before = [each.__code__ for each in self._functions]
        fits = code is not None and all(len(each.co_freevars) == len(code.co_freevars) for each in before)
        try:
            if fits and code is not None:
                for function in self._functions:
                    function.__code__ = code
            self.forget()
            yield fits
        finally:
            for function, original in zip(self._functions, before, strict=True):
                function.__code__ = original
            self.forget()

    def _mutated_code(self, made: Made) -> CodeType | None:
        replaced = _Replace(self._function, made.function).visit(_shallow(self._top))
        assert isinstance(replaced, ast.stmt)
        try:
            return self._code_of(replaced)
        except (SyntaxError, ValueError):
            return None

    def _code_of(self, top: ast.stmt) -> CodeType | None:
        flags = self._functions[0].__code__.co_flags & _FUTURES if self._functions else 0
        module = ast.fix_missing_locations(ast.Module(body=[top], type_ignores=[]))
        return _found(compile(module, self._file, "exec", flags=flags, dont_inherit=True), self._qualname)


_FUTURES = 0x1000000  # annotations are text; compiling with it changes nothing else


class _Replace(ast.NodeTransformer):
    """Puts one function in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """Replace the node itself, or look below."""
        if node is self._old:
            return self._new
        if isinstance(node, ast.ClassDef):
            node.body = [self.visit(each) for each in node.body]  # type: ignore[misc]  # statements stay statements
        return node


def _shallow(node: ast.stmt) -> ast.stmt:
    """A copy as deep as classes go; the functions in it are the same objects."""
    if not isinstance(node, ast.ClassDef):
        return node
    fields = {name: value for name, value in ast.iter_fields(node) if name != "body"}
    return ast.copy_location(ast.ClassDef(**fields, body=[_shallow(each) for each in node.body]), node)


def _found(code: CodeType, qualname: str) -> CodeType | None:
    """The last code object of that name: a later definition replaces an earlier one."""
    named = [each for each in _inside(code) if each.co_qualname == qualname]
    return named[-1] if named else None


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


def _loaded(file: str, qualname: str, first: int) -> list[FunctionType]:
    return [
        each
        for each in gc.get_objects()
        if isinstance(each, FunctionType)
        and each.__code__.co_filename == file
        and each.__code__.co_qualname == qualname
        and each.__code__.co_firstlineno == first
    ]


def _is_cache(thing: object) -> bool:
    return type(thing) is functools._lru_cache_wrapper
