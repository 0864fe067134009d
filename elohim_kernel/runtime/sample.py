"""Builds the sample repository that comes with the program: a small service with a believable history.

Its newest branch carries a change with planted defects (`data/sample_service/planted.toml`). Authors and dates are
written down, so building twice gives the same commit ids, on every machine.
"""

import tempfile
import tomllib
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import pygit2
from pygit2.enums import CheckoutStrategy, FileMode

from elohim_kernel.errors import Fault, Invalid, Unavailable
from elohim_kernel.model.value import Value, convert
from elohim_kernel.runtime.shipped import shipped

T = TypeVar("T", bound=Value)
_Tree = dict[str, pygit2.Oid]


class SampleRepository(Value, frozen=True):
    """Where it was built, and the change to review in it: from branch `base` to branch `head`."""

    path: str
    base: str
    head: str
    title: str


class Planted(Value, frozen=True):
    """One defect that is really there. `line` 0 means the whole file; `rules` are ruff's, empty where it has none."""

    file: str
    line: int
    family: str
    why: str
    rules: tuple[str, ...] = ()


class PlantedDefects(Value, frozen=True):
    """What a review of the sample change can find: in its lines, in its shape, and what was there before."""

    planted: tuple[Planted, ...]
    shape: tuple[Planted, ...]
    existing: tuple[Planted, ...]


class _Author(Value, frozen=True):
    name: str
    email: str


class _Rename(Value, frozen=True):
    old: str = msgspec.field(name="from")
    new: str = msgspec.field(name="to")


class _Commit(Value, frozen=True):
    folder: str
    branch: str
    author: str
    date: datetime
    message: str
    start: str = ""  # for the first commit of a branch: the branch it leaves
    merge: str = ""  # the branch that is merged
    rename: tuple[_Rename, ...] = ()
    delete: tuple[str, ...] = ()


class _History(Value, frozen=True):
    title: str
    base: str
    head: str
    authors: dict[str, _Author]
    commits: tuple[_Commit, ...]


def build_sample_repository(into: Path) -> SampleRepository:
    """Build it at `into`, with its base branch checked out; nobody ever sees half of it.

    Raises `Invalid` when `into` exists and is not an empty folder, `Unavailable` when it cannot be written.
    """
    history = _read("history.toml", _History)
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Invalid(f"{str(into)!r} is not an empty folder", hint="name one that does not exist yet")
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".elohim-sample-", dir=into.parent) as beside:
            built = Path(beside, "repository")
            _replay(history, built)
            if into.exists():
                into.rmdir()
            built.rename(into)
    except OSError as wrong:
        raise Unavailable(f"cannot build the sample repository at {str(into)!r}: {wrong}") from None
    return SampleRepository(path=str(into), base=history.base, head=history.head, title=history.title)


def planted_defects() -> PlantedDefects:
    """What was planted in the sample's newest branch; lines are those of its newest commit."""
    return _read("planted.toml", PlantedDefects)


def _read(name: str, kind: type[T]) -> T:
    try:
        text = _folder().joinpath(name).read_text(encoding="utf-8")
        return convert(tomllib.loads(text), kind, what=name)
    except (OSError, tomllib.TOMLDecodeError, Invalid) as wrong:
        raise Fault(f"the sample data is damaged: {wrong}", hint="install elohim_kernel again") from None


def _folder() -> Path:
    return shipped("data") / "sample_service"


def _replay(history: _History, into: Path) -> None:
    repository = pygit2.init_repository(str(into), initial_head=history.base)
    # A machine that translates line ends on checkout would make the sample's files look changed.
    repository.config["core.autocrlf"] = "false"
    trees: dict[str, _Tree] = {}
    for commit in history.commits:
        tree = dict(trees.get(commit.branch) or trees.get(commit.start, {}))
        tree.update(trees.get(commit.merge, {}))
        _apply(commit, tree, repository)
        trees[commit.branch] = tree
        _record(commit, tree, repository, history.authors[commit.author])
    repository.checkout_head(strategy=CheckoutStrategy.FORCE)  # type: ignore[no-untyped-call]  # pygit2 has none here
    repository.free()


def _apply(commit: _Commit, tree: _Tree, repository: pygit2.Repository) -> None:
    for rename in commit.rename:
        tree[rename.new] = tree.pop(rename.old)
    for path in commit.delete:
        del tree[path]
    folder = _folder() / "commits" / commit.folder
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            tree[file.relative_to(folder).as_posix()] = repository.create_blob(file.read_bytes())


def _record(commit: _Commit, tree: _Tree, repository: pygit2.Repository, author: _Author) -> None:
    index = pygit2.Index()
    for path, blob in tree.items():
        index.add(pygit2.IndexEntry(path, blob, FileMode.BLOB))
    branches = [commit.branch, commit.merge] if commit.branch in repository.branches else [commit.start]
    parents = [repository.branches[name].target for name in branches if name]
    offset = commit.date.utcoffset()
    assert offset is not None
    who = pygit2.Signature(author.name, author.email, int(commit.date.timestamp()), int(offset.total_seconds()) // 60)
    made = repository.create_commit(
        None, who, who, commit.message.strip() + "\n", index.write_tree(repository), parents
    )
    repository.references.create(f"refs/heads/{commit.branch}", made, force=True)
