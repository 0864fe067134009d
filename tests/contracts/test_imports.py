"""The rooms: who may import whom. The layers themselves are written in pyproject.toml for import-linter."""

import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

PACKAGE = "elohim_kernel"

# Who alone may import these libraries. A room's name covers everything inside it.
OWNERS = {
    "duckdb": {"store"},
    "psycopg": {"store"},
    "papermill": {"runtime.notebook", "runtime.notebook_child"},
    "ipywidgets": {"surfaces"},
    "anywidget": {"surfaces"},
    "IPython": {"surfaces"},
    "starlette": {"surfaces"},
    "uvicorn": {"surfaces"},
    "typer": {"surfaces"},
    "pygit2": {"runtime"},
    "subprocess": {"runtime", "store", "surfaces", "testing"},
}

PARTS = ("engines", "connectors", "workflows.stages", "workflows.triggers")
PARTS_MAY_IMPORT = ("ports", "model", "errors")

# `model` does no I/O and never asks for the time.
OUTSIDE_WORLD = {
    "asyncio", "duckdb", "http", "logging", "multiprocessing", "os", "papermill", "pathlib", "psycopg", "pyarrow",
    "pygit2", "random", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib",
}  # fmt: skip
MODEL_EXCEPTIONS = {"model.ids": {"os", "threading", "time"}}  # a fresh id is made of the time and of chance


def within(module: str, rooms: object) -> bool:
    name = module.removeprefix(f"{PACKAGE}.")
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def trespassers(graph: grimp.ImportGraph, owners: dict[str, set[str]]) -> list[str]:
    return sorted(
        f"{importer} imports {library}"
        for library, rooms in owners.items()
        if library in graph.modules
        for importer in graph.find_modules_that_directly_import(library)
        if not within(importer, rooms)
    )


def impure(graph: grimp.ImportGraph) -> list[str]:
    return sorted(
        f"{module} imports {imported}"
        for module in graph.modules
        if within(module, ["model"])
        for imported in graph.find_modules_directly_imported_by(module)
        if imported in OUTSIDE_WORLD - MODEL_EXCEPTIONS.get(module.removeprefix(f"{PACKAGE}."), set())
        and not pure_paths_only(graph, module, imported)
    )


def pure_paths_only(graph: grimp.ImportGraph, module: str, imported: str) -> bool:
    lines = [each["line_contents"] for each in graph.get_import_details(importer=module, imported=imported)]
    return bool(lines) and all(re.fullmatch(r"from pathlib import Pure\w+(, Pure\w+)*", line) for line in lines)


def parts_out_of_bounds(graph: grimp.ImportGraph) -> list[str]:
    """Imports across a part's border; what a part alone uses lies beside it, `_ruff_rules` beside `ruff`."""
    found = []
    for module in graph.modules:
        if not within(module, PARTS):
            continue
        for imported in graph.find_modules_directly_imported_by(module):
            own = part_of(module, graph) == part_of(imported, graph) and "._" in imported
            if imported.startswith(PACKAGE) and not own and not within(imported, PARTS_MAY_IMPORT):
                found.append(f"part {module} imports {imported}")
        for importer in graph.find_modules_that_directly_import(module):
            if not within(importer, ("registry", *PARTS)):
                found.append(f"{importer} imports part {module}")
    return sorted(found)


def part_of(module: str, graph: grimp.ImportGraph) -> str:
    """The part a module belongs to: itself, or the one it is named after, `_ruff_rules` after `ruff`."""
    room, _, name = module.rpartition(".")
    named = [
        each for each in graph.modules if name.startswith(f"_{each.rpartition('.')[2]}_") and each.startswith(room)
    ]
    return max(named, key=len, default=module) if name.startswith("_") else module


def cycle(graph: grimp.ImportGraph) -> list[str]:
    inner = [module for module in graph.modules if module == PACKAGE or module.startswith(f"{PACKAGE}.")]
    edges = {module: graph.find_modules_directly_imported_by(module) for module in inner}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command as run; run()"
    argv = [sys.executable, "-c", command, "--no-cache", "--no-logo"]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)


@pytest.fixture
def invented() -> grimp.ImportGraph:
    """A graph that breaks every rule of this file once."""
    graph = grimp.ImportGraph()
    for importer, imported in (
        ("gate", "duckdb"),
        ("model.item", "pathlib"),
        ("model.ids", "os"),
        ("engines.ruff", "elohim_kernel.store.owner"),
        ("engines.ruff", "elohim_kernel.engines.mypy"),
        ("engines.ruff", "elohim_kernel.engines._ruff_rules"),
        ("engines.ruff", "elohim_kernel.engines._mypy_rules"),
        ("workbench", "elohim_kernel.engines.ruff"),
        ("audit.trail", "elohim_kernel.audit.export"),
        ("audit.export", "elohim_kernel.audit.trail"),
    ):
        graph.add_import(importer=f"{PACKAGE}.{importer}", imported=imported)
    return graph


def test_the_layers_of_the_rooms_hold(root: Path):
    check = lint_imports(root)

    assert check.returncode == 0, check.stdout + check.stderr


def test_only_the_owner_of_a_library_imports_it(graph: grimp.ImportGraph):
    assert trespassers(graph, OWNERS) == []


def test_the_model_does_no_io(graph: grimp.ImportGraph):
    assert impure(graph) == []


def test_parts_import_only_ports_model_and_errors_and_only_the_registry_imports_parts(graph: grimp.ImportGraph):
    assert parts_out_of_bounds(graph) == []


def test_no_module_imports_itself_in_a_circle(graph: grimp.ImportGraph):
    assert cycle(graph) == []


def test_a_trespasser_is_found(invented: grimp.ImportGraph):
    assert trespassers(invented, OWNERS) == ["elohim_kernel.gate imports duckdb"]


def test_io_in_the_model_is_found_and_an_exception_is_honoured(invented: grimp.ImportGraph):
    assert impure(invented) == ["elohim_kernel.model.item imports pathlib"]


def test_pure_paths_do_no_io(invented: grimp.ImportGraph):
    for module, line in (
        ("model.pure", "from pathlib import PurePosixPath"),
        ("model.mixed", "from pathlib import Path"),
    ):
        invented.add_import(importer=f"{PACKAGE}.{module}", imported="pathlib", line_number=1, line_contents=line)

    assert [line for line in impure(invented) if "model.item" not in line] == [
        "elohim_kernel.model.mixed imports pathlib"
    ]


def test_a_part_out_of_bounds_is_found_in_both_directions(invented: grimp.ImportGraph):
    assert parts_out_of_bounds(invented) == [
        "elohim_kernel.workbench imports part elohim_kernel.engines.ruff",
        "part elohim_kernel.engines.ruff imports elohim_kernel.engines._mypy_rules",
        "part elohim_kernel.engines.ruff imports elohim_kernel.engines.mypy",
        "part elohim_kernel.engines.ruff imports elohim_kernel.store.owner",
    ]


def test_a_circle_is_found(invented: grimp.ImportGraph):
    assert set(cycle(invented)) == {"elohim_kernel.audit.trail", "elohim_kernel.audit.export"}


def test_a_room_that_nobody_named_breaks_the_layers(tmp_path: Path, root: Path):
    package = tmp_path / PACKAGE
    package.mkdir()
    for name in ("__init__", "ports", "model", "errors", "version", "cellar"):
        (package / f"{name}.py").write_text('"""A room."""\n')
    (tmp_path / "pyproject.toml").write_bytes((root / "pyproject.toml").read_bytes())

    check = lint_imports(tmp_path)

    assert check.returncode == 1
    assert "cellar" in check.stdout
