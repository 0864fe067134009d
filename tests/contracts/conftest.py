"""The package as data: each module with its text and tree, for the contracts to look at."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    """One source file: `name` is dotted, `path` is relative to the project."""

    name: str
    path: str
    text: str
    tree: ast.Module

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every imported dotted name with its line, wherever it stands; `from a import b` gives `a` and `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module, node.lineno
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _module(path: Path, root: Path) -> Module:
    relative = path.relative_to(root)
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    text = path.read_text(encoding="utf-8")
    return Module(name, relative.as_posix(), text, ast.parse(text, relative.as_posix()))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project folder."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every module of the package."""
    return [_module(path, ROOT) for path in sorted((ROOT / "elohim_kernel").rglob("*.py"))]


@pytest.fixture(scope="session")
def own_tests() -> list[Module]:
    """Every Python file below tests/."""
    return [_module(path, ROOT) for path in sorted((ROOT / "tests").rglob("*.py"))]


@pytest.fixture
def module(tmp_path: Path) -> Callable[..., Module]:
    """Make a module from text, to show that a contract can fail."""

    def make(text: str, name: str = "elohim_kernel.model.example") -> Module:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return _module(path, tmp_path)

    return make
