"""What differs between two trees: files by object id, renames by content, lines by comparing bytes.

Nothing the repository can configure takes part: no attributes, no filters, no textconv, no external diff. libgit2 only
proposes renames; the lines are compared from plain bytes, so a `.gitattributes` file cannot hide a change from review.
"""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Final, NamedTuple

import pygit2
from msgspec.structs import replace
from pygit2.enums import DeltaStatus, DiffFind, DiffOption, FileMode

from elohim_kernel.errors import TooLarge
from elohim_kernel.model.change import FileChange, FileStatus, LineRange
from elohim_kernel.runtime.gitpaths import shown

MAX_FILES: Final = 3_000
MAX_LINES: Final = 200_000
MAX_COMPARED_BYTES: Final = 8 * 1024 * 1024
_MAX_LISTED: Final = 20_000
_MAX_FOLDERS: Final = 100_000
_MAX_DEPTH: Final = 200
_RENAME_SOURCES: Final = 400
_BINARY_PROBE: Final = 8_000

_REGULAR: Final = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)


class Node(NamedTuple):
    """One side of a difference: what a tree says about a path."""

    id: pygit2.Oid
    mode: int


class Delta(NamedTuple):
    """One path that differs; a missing side means added or deleted."""

    old_path: bytes
    path: bytes
    old: Node | None
    new: Node | None
    status: FileStatus


class Difference(NamedTuple):
    """The files of a change, and in words what was left out of them."""

    files: tuple[FileChange, ...]
    left_out: tuple[str, ...]


def difference(git: pygit2.Repository, old: pygit2.Tree | None, new: pygit2.Tree) -> Difference:
    """Compare two trees; `old` None means everything is new. Files come in path order."""
    deltas = list(islice(_walk(git, old, new, b"", count(1)), _MAX_LISTED + 1))
    left_out: list[str] = []
    if len(deltas) > _MAX_LISTED:
        left_out.append(f"renames were not looked for: more than {_MAX_LISTED:,} files differ")
    elif old is not None:
        deltas = _with_renames(git, deltas, old, new)
    if len(deltas) > MAX_FILES:
        many = f"{_MAX_LISTED:,} or more" if len(deltas) > _MAX_LISTED else f"{len(deltas):,}"
        left_out.append(f"only the first {MAX_FILES:,} of {many} files are listed")
    files, unmeasured = _measured(git, deltas[:MAX_FILES])
    return Difference(files=files, left_out=(*left_out, *unmeasured))


def _walk(
    git: pygit2.Repository, old: pygit2.Tree | None, new: pygit2.Tree | None, folder: bytes, opened: Iterator[int]
) -> Iterator[Delta]:
    # Trees can be nested so that a few hundred bytes name billions of files.
    if next(opened) > _MAX_FOLDERS or folder.count(b"/") > _MAX_DEPTH:
        raise TooLarge(f"more than {_MAX_FOLDERS:,} folders differ, or they are more than {_MAX_DEPTH} deep")
    before, after = _nodes(old), _nodes(new)
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name), after.get(name)
        if left == right:
            continue
        path = folder + name
        left_tree, right_tree = _tree(git, left), _tree(git, right)
        if left_tree is not None or right_tree is not None:
            yield from _walk(git, left_tree, right_tree, path + b"/", opened)
        left = None if left_tree is not None else left
        right = None if right_tree is not None else right
        if left or right:
            yield Delta(path, path, left, right, _status(left, right))


def _nodes(tree: pygit2.Tree | None) -> dict[bytes, Node]:
    return {entry.raw_name or b"": Node(entry.id, int(entry.filemode)) for entry in tree or ()}


def _tree(git: pygit2.Repository, node: Node | None) -> pygit2.Tree | None:
    found = git[node.id] if node is not None and node.mode == FileMode.TREE else None
    return found if isinstance(found, pygit2.Tree) else None


def _status(old: Node | None, new: Node | None) -> FileStatus:
    if old is None:
        return FileStatus.ADDED
    if new is None:
        return FileStatus.DELETED
    return FileStatus.MODIFIED if _kind(old) == _kind(new) else FileStatus.TYPE_CHANGED


def _kind(node: Node) -> int:
    return int(FileMode.BLOB) if node.mode in _REGULAR else node.mode


def _with_renames(git: pygit2.Repository, deltas: list[Delta], old: pygit2.Tree, new: pygit2.Tree) -> list[Delta]:
    added = {delta.path: delta for delta in deltas if delta.status is FileStatus.ADDED}
    sources = {delta.path: delta for delta in deltas if delta.status in (FileStatus.DELETED, FileStatus.MODIFIED)}
    if not added or not sources:
        return deltas
    proposed = old.diff_to_tree(new, flags=DiffOption.SKIP_BINARY_CHECK, context_lines=0, interhunk_lines=0)
    flags = DiffFind.FIND_RENAMES | DiffFind.FIND_COPIES
    if any(_size(git, node) > MAX_COMPARED_BYTES for delta in deltas for node in (delta.old, delta.new)):
        # Similarity reads every candidate whole; equal ids cost nothing.
        flags |= DiffFind.FIND_EXACT_MATCH_ONLY
    proposed.find_similar(flags=flags, rename_limit=_RENAME_SOURCES)
    moved: set[bytes] = set()
    for found in proposed.deltas:
        origin = sources.get(found.old_file.raw_path)
        target = added.get(found.new_file.raw_path)
        # All empty files are alike: that says nothing about where one came from.
        if origin is None or target is None or _size(git, target.new) == 0:
            continue
        if found.status not in (DeltaStatus.RENAMED, DeltaStatus.COPIED):
            continue
        renamed = found.status == DeltaStatus.RENAMED and origin.status is FileStatus.DELETED
        status = FileStatus.RENAMED if renamed else FileStatus.COPIED
        added[target.path] = target._replace(old_path=origin.path, old=origin.old, status=status)
        if renamed:
            moved.add(origin.path)
    return [added.get(delta.path, delta) for delta in deltas if delta.path not in moved or delta.path in added]


def _size(git: pygit2.Repository, node: Node | None) -> int:
    if node is None or node.mode in (FileMode.COMMIT, FileMode.TREE):
        return 0
    return git.odb.read_header(node.id)[1]


def _measured(git: pygit2.Repository, deltas: Sequence[Delta]) -> tuple[tuple[FileChange, ...], list[str]]:
    """Compare lines, small files first: one huge file must not use up the budget and hide the others."""
    sizes = [_size(git, delta.old) + _size(git, delta.new) for delta in deltas]
    files: dict[int, FileChange] = {}
    lines, too_large, over_budget = 0, 0, 0
    for index in sorted(range(len(deltas)), key=lambda each: sizes[each]):
        if sizes[index] > MAX_COMPARED_BYTES or lines >= MAX_LINES:
            too_large += sizes[index] > MAX_COMPARED_BYTES
            over_budget += sizes[index] <= MAX_COMPARED_BYTES
            files[index] = _unmeasured(deltas[index])
            continue
        files[index] = file = _compared(git, deltas[index])
        lines += file.added + file.deleted
    reasons = []
    if too_large:
        reasons.append(
            f"{too_large:,} of the files are over {MAX_COMPARED_BYTES >> 20} MiB: their lines were not compared"
        )
    if over_budget:
        reasons.append(f"the lines of {over_budget:,} files were not compared: over {MAX_LINES:,} changed lines")
    return tuple(files[index] for index in range(len(deltas))), reasons


def _unmeasured(delta: Delta) -> FileChange:
    return FileChange(
        path=shown(delta.path),
        old_path=shown(delta.old_path),
        status=delta.status,
        submodule=any(node is not None and node.mode == FileMode.COMMIT for node in (delta.old, delta.new)),
    )


def _compared(git: pygit2.Repository, delta: Delta) -> FileChange:
    file = _unmeasured(delta)
    if file.submodule:
        return file
    old, new = _content(git, delta.old), _content(git, delta.new)
    if old == new:
        return file
    if is_binary(old) or is_binary(new):
        return replace(file, binary=True)
    spans, added, deleted = _lines(old, new)
    if (b"\r\n" in old) != (b"\r\n" in new):
        # Counted as git counts them, but a line of which only the end changed is not a new line.
        spans = _lines(old.replace(b"\r\n", b"\n"), new.replace(b"\r\n", b"\n"))[0]
    return replace(file, added=added, deleted=deleted, new_lines=spans)


def _content(git: pygit2.Repository, node: Node | None) -> bytes:
    if node is None or node.mode == FileMode.COMMIT:
        return b""
    return git.odb.read(node.id)[1]


def is_binary(content: bytes) -> bool:
    """As git decides it: a NUL byte near the start."""
    return b"\0" in content[:_BINARY_PROBE]


def _lines(old: bytes, new: bytes) -> tuple[tuple[LineRange, ...], int, int]:
    if not old or not new:
        count = _line_count(new)
        spans = (LineRange(first=1, last=count),) if count else ()
        return spans, count, _line_count(old)
    patch = pygit2.Patch.create_from(old, new, flag=DiffOption.FORCE_TEXT, context_lines=0, interhunk_lines=0)
    _, added, deleted = patch.line_stats
    return (
        tuple(
            LineRange(first=hunk.new_start, last=hunk.new_start + hunk.new_lines - 1)
            for hunk in patch.hunks
            if hunk.new_lines
        ),
        added,
        deleted,
    )


def _line_count(content: bytes) -> int:
    return content.count(b"\n") + (not content.endswith(b"\n") if content else 0)
