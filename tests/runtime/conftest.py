"""Real git repositories, made with pygit2 in a private folder."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode, ObjectType

from elohim_kernel.runtime.tools import LocalTools, MemoryJournal
from elohim_kernel.testing import FakeClock

Content = bytes | str | None | tuple[bytes | str, FileMode]


class Workshop:
    """Makes commits straight in the object store; time moves one minute a commit."""

    def __init__(self, path: Path, *, bare: bool = False) -> None:
        self.git = pygit2.init_repository(path, bare=bare, initial_head="main")
        self.path = str(path)
        self._minute = 0

    def commit(
        self,
        files: Mapping[str, Content],
        *,
        branch: str = "main",
        parents: Sequence[str] | None = None,
        author: str = "Ada",
        message: str = "Change something",
    ) -> str:
        """Commit on `branch` with these files changed; None deletes. Without `parents`: on the branch's tip, if any."""
        name = f"refs/heads/{branch}"
        tip = [str(self.git.references[name].target)] if name in self.git.references else []
        chosen = list(tip if parents is None else parents)
        index = pygit2.Index()
        if chosen:
            index.read_tree(self.git[chosen[0]].tree)
        for path, content in files.items():
            if content is None:
                index.remove(path)
            else:
                index.add(self._entry(path, content))
        return self.commit_tree(index.write_tree(self.git), branch, chosen, author=author, message=message)

    def commit_tree(
        self, tree: pygit2.Oid, branch: str, parents: Sequence[str], *, author: str = "Ada", message: str = "Change"
    ) -> str:
        self._minute += 1
        who = pygit2.Signature(author, "author@example.org", 1_700_000_000 + 60 * self._minute, 0)
        commit = self.git.create_commit(None, who, who, message, tree, list(parents))
        self.git.references.create(f"refs/heads/{branch}", commit, force=True)
        return str(commit)

    def raw_tree(self, entries: Sequence[tuple[bytes, bytes, pygit2.Oid]]) -> pygit2.Oid:
        """A tree of (mode, name, id), with whatever names: what a hostile client could push."""
        return self.git.odb.write(ObjectType.TREE, b"".join(m + b" " + n + b"\0" + o.raw for m, n, o in entries))

    def _entry(self, path: str, content: Content) -> pygit2.IndexEntry:
        body, mode = content if isinstance(content, tuple) else (content, FileMode.BLOB)
        if mode == FileMode.COMMIT:
            return pygit2.IndexEntry(path, pygit2.Oid(hex=str(body)), mode)
        data = body.encode() if isinstance(body, str) else body
        return pygit2.IndexEntry(path, self.git.create_blob(data), mode)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path / "work")


@pytest.fixture
def new_workshop(tmp_path: Path) -> Callable[..., Workshop]:
    """Makes further workshops: `new_workshop("name", bare=True)`."""
    return lambda name, **options: Workshop(tmp_path / name, **options)


@pytest.fixture
def make_tools(tmp_path: Path) -> Callable[..., LocalTools]:
    """Makes the tools of one run; options replace what they are made with."""

    def make(**options: object) -> LocalTools:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        return LocalTools(
            **{
                "engines": {},
                "clock": FakeClock(),
                "scratch": scratch,
                "on_progress": lambda text, done, total: None,
                "cancelled": threading.Event(),
                "journal": MemoryJournal(),
                "known": lambda repository: (),
                **options,
            }
        )

    return make
