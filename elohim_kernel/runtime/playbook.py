"""A playbook notebook as a file: what it is called, what it asks for, and the digest an approval is bound to.

Reads the JSON itself. Importing nbformat costs more than running a small notebook, and listing playbooks must be cheap.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from elohim_kernel.errors import Invalid, NotFound, TooLarge
from elohim_kernel.model.parameters import Parameter, declared
from elohim_kernel.model.value import Value

MAX_BYTES: Final = 200_000_000
_LANGUAGE_OF_KERNEL: Final = {"python": "python", "python3": "python", "elohim": "python"}


class Playbook(Value, frozen=True):
    """A notebook that can be run with parameters. `title` and `description` are text from the file, never markup."""

    name: str  # file name without its ending
    title: str
    description: str  # "" when the notebook has none
    parameters: tuple[Parameter, ...]
    digest: str  # "sha256:<hex>" of the file's bytes


class Cell(msgspec.Struct):
    """What we read of a cell; everything else is the notebook's own business."""

    cell_type: str
    source: str | list[str] = ""
    metadata: "CellMetadata" = msgspec.field(default_factory=lambda: CellMetadata())

    @property
    def text(self) -> str:
        """The source as one string; a file may hold it as a list of lines."""
        return self.source if isinstance(self.source, str) else "".join(self.source)

    @property
    def runs(self) -> bool:
        """True for a code cell that a run executes: these are counted, as `In [1]`, `In [2]` …"""
        return self.cell_type == "code" and bool(self.text.strip()) and "skip-execution" not in self.metadata.tags


class CellMetadata(msgspec.Struct):
    """Tags of a cell."""

    tags: list[str] = []


class _Kernel(msgspec.Struct):
    name: str = ""
    language: str = ""


class _Language(msgspec.Struct):
    name: str = ""


class _Metadata(msgspec.Struct):
    kernelspec: _Kernel = msgspec.field(default_factory=_Kernel)
    language_info: _Language = msgspec.field(default_factory=_Language)


class _Notebook(msgspec.Struct):
    nbformat: int
    cells: list[Cell]
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def describe(notebook: Path) -> Playbook:
    """Read a playbook. Raises `NotFound` when there is no such file, `Invalid` for one that cannot be a playbook.

    That is: not a notebook of format 4, another kernel language than Python, two parameters cells, a parameters
    cell that `model.parameters.declared` refuses, or more than 200 MB (`TooLarge`).
    """
    return described(read_notebook(notebook), name=notebook.stem)


def read_notebook(notebook: Path) -> bytes:
    """The file's bytes; raises `NotFound` or `TooLarge`. Whoever checks a notebook runs these same bytes."""
    try:
        with notebook.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as wrong:
        raise NotFound(f"cannot read the notebook {str(notebook)!r}: {wrong.strerror}") from None
    if len(content) > MAX_BYTES:
        raise TooLarge(f"{notebook.name} is over {MAX_BYTES // 1_000_000} MB", hint="clear its outputs and save it")
    return content


def described(content: bytes, *, name: str) -> Playbook:
    """What the bytes of a notebook say about it; raises `Invalid` as `describe` does."""
    cells = cells_of(content, name=name)
    tagged = [cell for cell in cells if "parameters" in cell.metadata.tags and cell.cell_type == "code"]
    if len(tagged) > 1:
        raise Invalid(f"{name}: {len(tagged)} cells are tagged 'parameters'", hint="leave the tag on one of them")
    try:
        parameters = declared(tagged[0].text) if tagged else ()
    except Invalid as wrong:
        raise Invalid(f"{name}: {wrong.message}", hint=wrong.hint) from None
    title, description = _introduction(cells)
    return Playbook(
        name=name,
        title=title or name,
        description=description,
        parameters=parameters,
        digest="sha256:" + hashlib.sha256(content).hexdigest(),
    )


def cells_of(content: bytes, *, name: str) -> list[Cell]:
    """The cells of a Python notebook of format 4; raises `Invalid` for anything else."""
    try:
        notebook = msgspec.json.decode(content, type=_Notebook)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
        raise Invalid(f"{name} is not a notebook: {wrong}") from None
    if notebook.nbformat != 4:
        raise Invalid(f"{name} has notebook format {notebook.nbformat}; this reads format 4", hint="save it in Jupyter")
    kernel = notebook.metadata.kernelspec
    language = notebook.metadata.language_info.name or kernel.language or _LANGUAGE_OF_KERNEL.get(kernel.name, "")
    if (language or kernel.name or "python").lower() != "python":
        raise Invalid(f"{name} is written for {language or kernel.name!r}; playbooks are Python notebooks")
    return notebook.cells


def _introduction(cells: list[Cell]) -> tuple[str, str]:
    """The first heading, and the paragraph below it, of a leading text cell."""
    first = next((cell.text for cell in cells[:1] if cell.cell_type == "markdown"), "")
    paragraphs = [" ".join(part.split()) for part in first.split("\n\n")]
    if not paragraphs[0].startswith("#"):
        return "", paragraphs[0]
    heading, _, rest = first.strip().partition("\n")
    body = [" ".join(part.split()) for part in rest.split("\n\n") if part.strip()]
    return heading.lstrip("#").strip(), body[0] if body else ""
