"""A git repository, read through libgit2's object store.

Hooks, filters and attributes are never looked at, nor is what the working tree holds, and git itself is never run: a
scanned repository is somebody else's code. One `GitRepository` belongs to one thread.
"""

import errno
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pygit2
from pygit2.enums import FileMode

from elohim_kernel.errors import Invalid, TooLarge, Unavailable
from elohim_kernel.model.change import Change
from elohim_kernel.ports import Repository
from elohim_kernel.runtime.comparison import MAX_COMMITS, commit_of, commits_between, has_work_tree, sides, title_of
from elohim_kernel.runtime.difference import difference
from elohim_kernel.runtime.gitpaths import is_plain, raw_of, shown

MAX_FILE_BYTES: Final = 32 * 1024 * 1024
MAX_EXPORT_BYTES: Final = 512 * 1024 * 1024
MAX_PATHS: Final = 500_000

_MAX_LISTINGS: Final = 4

# What a tree holds never changes, and engines side by side all ask for it.
_listings: Final[dict[tuple[str, str], Mapping[str, str]]] = {}
_listings_lock: Final = threading.Lock()

_REGULAR: Final = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)
_UNWRITABLE_NAME: Final = (errno.EEXIST, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR)


def open_repository(path: str) -> "GitRepository":
    """Open the repository at or above `path`; the search stops at the border of the file system.

    Raises `Invalid` when there is none, when it belongs to another user, or when it cannot be read.
    """
    place = Path(path)
    if not place.exists():
        raise Invalid(f"there is no folder {path!r}")
    try:
        found = pygit2.discover_repository(str(place), False)
        if found is None:
            raise Invalid(f"{path!r} is not in a git repository", hint="name a folder that holds one, or run git init")
        git = pygit2.Repository(found)
    except pygit2.GitError as wrong:
        raise _cannot_open(path, str(wrong)) from None
    return GitRepository(git)


def _cannot_open(path: str, said: str) -> Invalid:
    if "not owned" in said:
        return Invalid(
            f"the repository at {path!r} belongs to another user, so it is not opened",
            hint=f"if you trust it, run: git config --global --add safe.directory {Path(path).resolve()}",
        )
    return Invalid(f"the repository at {path!r} cannot be opened: {said}")


def revision_of(source: Repository, name: str, commit: str) -> str:
    """`name` where it is a revision that means `commit`, else `commit`: "the commit before main" is none."""
    try:
        return name if source.resolve(name) == commit else commit
    except Invalid:
        return commit


class GitRepository:
    """Satisfies `ports.Repository`."""

    def __init__(self, git: pygit2.Repository) -> None:
        self._git = git
        place = git.workdir if has_work_tree(git) else git.path
        self._path = str(Path(place or ".").resolve())

    @property
    def path(self) -> str:
        """The folder of the working tree, or of the repository itself when it is bare; links resolved."""
        return self._path

    def checked_out(self) -> str:
        """What people call the commit that is checked out: its branch, or "HEAD" when there is none."""
        with self._readable():
            return "HEAD" if self._git.head_is_detached or self._git.head_is_unborn else self._git.head.shorthand

    def uncommitted(self) -> int:
        """How many files of the working tree are not as they are in the commit that is checked out; 0 when unknown.

        They are counted, never read into anything: what is looked at is always a commit.
        """
        if not has_work_tree(self._git):
            return 0
        try:
            return len(self._git.status(untracked_files="normal", ignored=False))
        except (pygit2.GitError, KeyError, OSError):
            return 0

    def resolve(self, revision: str) -> str:
        """Full commit id of a branch, tag, remote branch or abbreviated id; raises `Invalid` naming what exists."""
        with self._readable():
            return str(commit_of(self._git, revision).id)

    def change(self, base: str | None, head: str | None) -> Change:
        """The change from the merge base to `head`.

        `head` None: the checked-out branch; when that is the default branch, or the repository is bare, the newest
        other local branch that is not merged yet. `base` None: the default branch. When `head` is already contained in
        `base`, its last commit is the change, and `base_name` says so. Raises `Invalid` for an unknown revision and
        for a repository without commits.
        """
        with self._readable():
            ends = sides(self._git, base, head)
            between = commits_between(self._git, ends)
            found = difference(self._git, ends.start.tree if ends.start else None, ends.head.tree)
            more = f"only the newest {MAX_COMMITS:,} commits were counted" if between.more else ""
            return Change(
                repository=self._path,
                base=str(ends.base.id) if ends.base else "",
                head=str(ends.head.id),
                merge_base=str(ends.start.id) if ends.start else "",
                base_name=ends.base_name,
                head_name=ends.head_name,
                title=title_of(ends.head),
                authors=between.authors,
                commits=between.number,
                files=found.files,
                truncated="; ".join(part for part in (ends.remark, more, *found.left_out) if part),
            )

    def read(self, revision: str, path: str) -> bytes | None:
        """Content of one file at a commit; None when it is not a regular file there. Raises `TooLarge` over 32 MiB."""
        with self._readable():
            blob = self._regular(commit_of(self._git, revision).tree, raw_of(path))
            if blob is not None and blob.size > MAX_FILE_BYTES:
                raise TooLarge(f"{path} has {blob.size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
            return blob.data if blob is not None else None

    def paths(self, revision: str) -> Sequence[str]:
        """All regular files at a commit, sorted; links, submodules and names that are not plain paths are left out."""
        with self._readable():
            return list(self._listing(commit_of(self._git, revision).tree))

    def blob_ids(self, revision: str, paths: Sequence[str] | None = None) -> Mapping[str, str]:
        """Path to the id of its content, of the regular files at a commit; `None` for all of them, in path order.

        Equal content has one id, in every commit. A path that is no regular file there is left out.
        """
        with self._readable():
            tree = commit_of(self._git, revision).tree
            if paths is None:
                return self._listing(tree)
            found = ((path, self._regular(tree, raw_of(path))) for path in paths)
            return {path: str(blob.id) for path, blob in found if blob is not None}

    def export(self, revision: str, paths: Sequence[str], into: Path) -> Sequence[str]:
        """Write those files below `into`, which must be ours alone and hold none of them yet; returns the ones written.

        Left out: what is not a regular file there, names that would leave the folder, files over 32 MiB, everything
        past 512 MiB in all, and names this file system cannot hold. Raises `Unavailable` when the disk is full.
        """
        written: list[str] = []
        budget = MAX_EXPORT_BYTES
        with self._readable():
            tree = commit_of(self._git, revision).tree
            for path in paths:
                blob = self._regular(tree, raw_of(path))
                if blob is None or not is_plain(raw_of(path)) or blob.size > min(MAX_FILE_BYTES, budget):
                    continue
                if _write(into / path, blob.data):
                    written.append(path)
                    budget -= blob.size
        return written

    def _listing(self, tree: pygit2.Tree) -> Mapping[str, str]:
        key = (self._path, str(tree.id))
        with _listings_lock:
            found = _listings.pop(key, None)
        if found is None:
            found = dict(sorted((shown(raw), str(entry.id)) for raw, entry in self._files(tree)))
        with _listings_lock:
            _listings[key] = found
            while len(_listings) > _MAX_LISTINGS:
                del _listings[next(iter(_listings))]
        return found

    def _regular(self, tree: pygit2.Tree, raw: bytes) -> pygit2.Blob | None:
        place: object = tree
        for part in raw.split(b"/"):
            found = _entry(place, part) if isinstance(place, pygit2.Tree) else None
            if found is None or found.filemode not in (*_REGULAR, FileMode.TREE):
                return None
            place = found
        return place if isinstance(place, pygit2.Blob) else None

    def _files(self, root: pygit2.Tree) -> Iterator[tuple[bytes, pygit2.Object]]:
        folders = [(b"", root)]
        listed = 0
        while folders:
            folder, tree = folders.pop()
            for entry in tree:
                listed += 1
                if listed > MAX_PATHS:
                    raise TooLarge(f"{self._path} has more than {MAX_PATHS:,} files and folders")
                raw = folder + (entry.raw_name or b"")
                if not is_plain(entry.raw_name or b"") or b"/" in (entry.raw_name or b""):
                    continue
                if isinstance(entry, pygit2.Tree):
                    folders.append((raw + b"/", entry))
                elif entry.filemode in _REGULAR:
                    yield raw, entry

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (pygit2.GitError, KeyError) as wrong:
            raise Invalid(
                f"the repository at {self._path!r} cannot be read: {wrong}",
                hint="git fsck tells what is damaged; a partial clone lacks objects that git fetch --refetch brings",
            ) from None


def _entry(tree: pygit2.Tree, name: bytes) -> pygit2.Object | None:
    try:
        return tree[name.decode()]
    except UnicodeDecodeError:
        return next((entry for entry in tree if entry.raw_name == name), None)
    except (KeyError, ValueError):
        return None


def _write(target: Path, content: bytes) -> bool:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as wrong:
        if wrong.errno in _UNWRITABLE_NAME:
            return False
        raise Unavailable(f"cannot write {target}: {wrong.strerror}") from None
    return True
