"""Copies of files of a commit, for tools: each file is written once per run, each set of files is a folder of its own.

A folder holds exactly what was asked for and never changes, so a tool that is pointed at it sees nothing that another
engine wanted. The folders of one commit share their files by hard links.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from elohim_kernel.errors import Unavailable
from elohim_kernel.ports import Repository, Tree

_READ_ONLY: Final = 0o444


class _Written(NamedTuple):
    folder: Path
    files: dict[str, bool]  # path to whether it could be written


class Trees:
    """The trees of one run, for all its engines. Thread-safe; gone with the run's scratch folder."""

    def __init__(self, scratch: Path) -> None:
        """`scratch` must be private; a folder of our own is made in it when the first tree is."""
        self._scratch = scratch
        self._place: Path | None = None
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str], _Written] = {}
        self._made: dict[tuple[str, str, tuple[str, ...]], Tree] = {}

    @property
    def place(self) -> Path | None:
        """The folder that holds every tree, and nothing else; `None` while there is none."""
        return self._place

    def tree(self, repository: Repository, revision: str, paths: Sequence[str]) -> Tree:
        """Those files of a commit as a read-only folder; equal questions get the same one.

        `repository` is used in the caller's thread only. Raises `Unavailable` when the disk is full.
        """
        wanted = tuple(dict.fromkeys(paths))
        key = (repository.path, revision, wanted)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(repository, revision, wanted)
            return self._made[key]

    def _make(self, repository: Repository, revision: str, wanted: tuple[str, ...]) -> Tree:
        if self._place is None:
            self._place = Path(tempfile.mkdtemp(dir=self._scratch, prefix="trees-")).resolve()
        written = self._files_of(repository, revision, wanted, self._place)
        root = Path(tempfile.mkdtemp(dir=self._place, prefix="tree-"))
        there: list[str] = []
        folders: set[str] = set()
        for path in wanted:
            if not written.files[path]:
                continue
            folder = os.path.dirname(path)  # noqa: PTH120 - runs for every file; a Path costs ten times as much
            if folder not in folders:
                (root / folder).mkdir(parents=True, exist_ok=True)
                folders.add(folder)
            _share(f"{written.folder}/{path}", f"{root}/{path}")
            there.append(path)
        kept = set(there)
        return Tree(root=str(root), paths=tuple(there), left_out=tuple(path for path in wanted if path not in kept))

    def _files_of(self, repository: Repository, revision: str, wanted: Sequence[str], place: Path) -> _Written:
        key = (repository.path, revision)
        if key not in self._written:
            self._written[key] = _Written(Path(tempfile.mkdtemp(dir=place, prefix="files-")), {})
        written = self._written[key]
        missing = [path for path in wanted if path not in written.files]
        done = set(repository.export(revision, missing, written.folder)) if missing else set()
        for path in missing:
            written.files[path] = path in done
            if path in done:
                os.chmod(f"{written.folder}/{path}", _READ_ONLY)  # noqa: PTH101 - as above
        return written


def _share(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # A file system without hard links, or with too many of one file: a copy does as well.
        try:
            shutil.copyfile(source, target)
            os.chmod(target, _READ_ONLY)  # noqa: PTH101 - as above
        except OSError as wrong:
            raise Unavailable(f"cannot write {target}: {wrong.strerror}") from None
