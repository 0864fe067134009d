"""Sizes and habits that keep the code readable. Allow-lists only shrink: an entry that is no longer needed fails."""

import ast
import statistics
from collections.abc import Callable, Iterable
from typing import Any

import elohim_kernel

MODULE_LINES = 450
MODULE_MEDIAN = 120  # aimed at, printed, not enforced
FUNCTION_LINES = 60
TEST_FILE_LINES = 350
PUBLIC_NAMES = 15

# Heavy optional libraries may be imported where they are used, when the module's docstring names them.
HEAVY = {
    "IPython", "altair", "anywidget", "duckdb", "ipykernel", "ipywidgets", "jupyter_client", "lizard", "nbclient",
    "nbformat", "packaging", "pandas", "papermill", "polars", "psycopg", "pyarrow", "pydantic_ai", "pygit2", "rich",
    "starlette", "traitlets", "uvicorn", "vl_convert", "watchfiles",
}  # fmt: skip

# Rooms whose commands load the rest of the package only when they run, so that `elohim --help` stays light.
LAZY_DOORS = ("elohim_kernel.surfaces.cli",)

# Any other import inside a function, as "module: imported", each with its reason.
INLINE_ALLOWED: dict[str, str] = {
    "elohim_kernel.runtime.session: elohim_kernel": "the registry loads every part; a client needs none",
    "elohim_kernel.runtime.session: elohim_kernel.runtime.inline": "loads the database, likewise",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_modules(modules: Iterable[Any], limit: int) -> list[str]:
    sizes = ((module.path, len(module.text.splitlines())) for module in modules)
    return [f"{path}: {lines} lines" for path, lines in sizes if lines > limit]


def long_functions(modules: Iterable[Any]) -> list[str]:
    return [
        f"{module.path}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, Function) and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]


def shims(modules: Iterable[Any]) -> list[str]:
    def names(kind: ast.expr | None) -> set[str]:
        return {node.id for node in ast.walk(kind) if isinstance(node, ast.Name)} if kind else set()

    return [
        f"{module.path}:{node.lineno}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and names(node.type) & {"ImportError", "ModuleNotFoundError"}
    ]


def inline_imports(modules: Iterable[Any]) -> set[str]:
    """Imports inside functions that nothing excuses, as "module: imported"."""
    found = set()
    for module in modules:
        notice = ast.get_docstring(module.tree) or ""
        lazy_door = module.name.startswith(LAZY_DOORS)
        for function in (node for node in ast.walk(module.tree) if isinstance(node, Function)):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or "."]
                else:
                    continue
                for name in names:
                    library = name.partition(".")[0]
                    announced = library in HEAVY and library in notice
                    if not announced and not (lazy_door and library == "elohim_kernel"):
                        found.add(f"{module.name}: {name}")
    return found


def undocumented(modules: Iterable[Any]) -> list[str]:
    """Public modules, classes, functions and methods without a docstring."""
    missing = []

    def look(node: ast.AST, name: str) -> None:
        if not ast.get_docstring(node):  # type: ignore[arg-type]
            missing.append(name)
        for child in ast.iter_child_nodes(node):
            overload = any("overload" in ast.unparse(mark) for mark in getattr(child, "decorator_list", ()))
            if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_") and not overload:
                if isinstance(child, ast.ClassDef):
                    look(child, f"{name}.{child.name}")
                elif not ast.get_docstring(child):
                    missing.append(f"{name}.{child.name}")

    for module in modules:
        if not any(part.startswith("_") and part != "__main__" for part in module.name.split(".")):
            look(module.tree, module.name)
    return missing


def test_no_module_is_over_its_limit(modules):
    sizes = [len(module.text.splitlines()) for module in modules]
    median = statistics.median(sizes)
    print(f"{len(sizes)} modules, median {median:.0f} lines (aim {MODULE_MEDIAN}), longest {max(sizes)}")

    assert long_modules(modules, MODULE_LINES) == []


def test_no_function_is_over_its_limit(modules):
    assert long_functions(modules) == []


def test_no_test_file_is_over_its_limit(own_tests):
    assert long_modules(own_tests, TEST_FILE_LINES) == []


def test_no_import_error_is_caught(modules):
    assert shims(modules) == []


def test_imports_inside_functions_are_announced_or_allowed(modules):
    found = inline_imports(modules)

    assert found - set(INLINE_ALLOWED) == set(), "import at the top, or name the library in the docstring"
    assert set(INLINE_ALLOWED) - found == set(), "no longer needed: take it off INLINE_ALLOWED"


def test_every_public_thing_has_a_docstring(modules):
    assert undocumented(modules) == []


def test_the_package_offers_few_names():
    assert len(getattr(elohim_kernel, "__all__", ())) <= PUBLIC_NAMES


def test_a_long_module_is_found(module: Callable[..., Any]):
    text = '"""Long."""\n' + "x = 1\n" * MODULE_LINES

    assert long_modules([module(text)], MODULE_LINES) == ["elohim_kernel/model/example.py: 451 lines"]


def test_a_long_function_is_found_inside_a_class(module: Callable[..., Any]):
    text = "class A:\n    async def run(self):\n" + "        x = 1\n" * FUNCTION_LINES

    assert long_functions([module(text)]) == ["elohim_kernel/model/example.py:2 run: 61 lines"]


def test_a_caught_import_error_is_found_in_a_tuple_too(module: Callable[..., Any]):
    text = "try:\n    import x\nexcept (ValueError, ModuleNotFoundError):\n    x = None\n"

    assert shims([module(text)]) == ["elohim_kernel/model/example.py:3"]


def test_an_unannounced_inline_import_is_found(module: Callable[..., Any]):
    text = '"""Imports pandas late."""\ndef f():\n    import pandas\n    import duckdb\n    from os import path\n'

    assert inline_imports([module(text)]) == {
        "elohim_kernel.model.example: duckdb",
        "elohim_kernel.model.example: os",
    }


def test_a_lazy_door_may_load_the_package_late_but_nothing_else(module: Callable[..., Any]):
    door = "elohim_kernel.surfaces.cli.item"
    text = '"""A command."""\ndef f():\n    from elohim_kernel.workbench import open\n    import json\n'

    assert inline_imports([module(text, door)]) == {f"{door}: json"}


def test_a_missing_docstring_is_found_on_every_level(module: Callable[..., Any]):
    text = "class A:\n    def run(self): ...\n    def _own(self): ...\ndef f(): ...\ndef _g(): ...\n"

    assert undocumented([module(text)]) == [f"elohim_kernel.model.example{at}" for at in ("", ".A", ".A.run", ".f")]
