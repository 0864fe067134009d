"""What a file is for, judged by its path alone: source, test, documentation, lock file, generated, something else."""

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final


class PathKind(StrEnum):
    """What a file is for."""

    SOURCE = "source"
    TEST = "test"
    DOCS = "docs"
    LOCK = "lock"
    GENERATED = "generated"
    OTHER = "other"


# fmt: off
_SOURCE: Final = frozenset((
    ".bash", ".c", ".cc", ".cpp", ".cs", ".cxx", ".dart", ".erl", ".ex", ".exs", ".f90", ".go", ".h", ".hpp",
    ".hs", ".java", ".jl", ".js", ".jsx", ".kt", ".kts", ".lua", ".m", ".mjs", ".ml", ".mm", ".php", ".pl",
    ".pm", ".ps1", ".py", ".pyi", ".pyw", ".pyx", ".r", ".rb", ".rs", ".scala", ".sh", ".sol", ".sql", ".swift",
    ".ts", ".tsx", ".vue", ".zig",
))
# fmt: on
_DOCS: Final = frozenset((".adoc", ".md", ".mdx", ".rst", ".txt"))
_DOC_FOLDERS: Final = frozenset({"doc", "docs", "documentation"})
_TEST_FOLDERS: Final = frozenset({"test", "tests", "testing", "__tests__", "spec", "specs", "testdata", "fixtures"})
_GENERATED_FOLDERS: Final = frozenset({"node_modules", "vendor", "third_party", "dist", "__snapshots__"})
_GENERATED_ENDINGS: Final = (".min.js", ".min.css", ".map", ".snap", "_pb2.py", "_pb2_grpc.py", ".pb.go", ".g.dart")

MANIFESTS: Final = {
    "Cargo.lock": ("Cargo.toml",),
    "Gemfile.lock": ("Gemfile",),
    "Pipfile.lock": ("Pipfile",),
    "bun.lockb": ("package.json",),
    "composer.lock": ("composer.json",),
    "go.sum": ("go.mod",),
    "mix.lock": ("mix.exs",),
    "npm-shrinkwrap.json": ("package.json",),
    "package-lock.json": ("package.json",),
    "pdm.lock": ("pyproject.toml",),
    "pnpm-lock.yaml": ("package.json",),
    "poetry.lock": ("pyproject.toml",),
    "uv.lock": ("pyproject.toml",),
    "yarn.lock": ("package.json",),
}
"""Lock file name to the names of the manifests it is made from."""


def kind_of(path: str) -> PathKind:
    """What the file at `path` is for; tests win over source, generated wins over everything but lock files.

    >>> [kind_of(path).value for path in ("app/main.py", "tests/test_main.py", "docs/index.md", "uv.lock", "logo.png")]
    ['source', 'test', 'docs', 'lock', 'other']
    """
    place = PurePosixPath(path)
    name, folders = place.name, {part.lower() for part in place.parts[:-1]}
    if name in MANIFESTS:
        return PathKind.LOCK
    if folders & _GENERATED_FOLDERS or name.endswith(_GENERATED_ENDINGS):
        return PathKind.GENERATED
    suffix = place.suffix.lower()
    if suffix in _SOURCE:
        return PathKind.TEST if folders & _TEST_FOLDERS or _named_as_test(place.stem) else PathKind.SOURCE
    if suffix in _DOCS or folders & _DOC_FOLDERS:
        return PathKind.DOCS
    return PathKind.TEST if folders & _TEST_FOLDERS else PathKind.OTHER


def _named_as_test(stem: str) -> bool:
    lower = stem.lower()
    return (
        lower.startswith("test_")
        or lower.endswith(("_test", ".test", "_spec", ".spec"))
        or stem.endswith(("Test", "Tests"))
        or lower == "conftest"
    )
