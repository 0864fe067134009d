"""A change: what differs between two commits, with the lines that are new."""

from enum import StrEnum

from elohim_kernel.model.value import Value


class FileStatus(StrEnum):
    """What happened to a file between base and head."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"
    TYPE_CHANGED = "type_changed"


class LineRange(Value, frozen=True):
    """Lines `first` to `last` of the new file, both included, 1-based."""

    first: int
    last: int

    def __contains__(self, line: int) -> bool:
        return self.first <= line <= self.last


class FileChange(Value, frozen=True):
    """One file of a change. `old_path` differs from `path` only for renames and copies."""

    path: str
    old_path: str
    status: FileStatus
    added: int = 0
    deleted: int = 0
    new_lines: tuple[LineRange, ...] = ()
    binary: bool = False
    submodule: bool = False

    def touches(self, line: int) -> bool:
        """True when `line` of the new file was added or changed."""
        return any(line in span for span in self.new_lines)


class Change(Value, frozen=True):
    """All that differs between `merge_base` and `head`. Commits are full hexadecimal ids.

    `merge_base` is "" when the histories share no commit or there is no base at all (a first commit): then every
    file counts as added.
    """

    repository: str  # canonical path of the git directory's owner, as the user knows it
    base: str
    head: str
    merge_base: str
    base_name: str
    head_name: str
    title: str  # first line of the newest commit message
    authors: tuple[str, ...]
    commits: int
    files: tuple[FileChange, ...]
    truncated: str = ""  # what was left out and why; "" when nothing was

    @property
    def lines_added(self) -> int:
        """Lines added over all files."""
        return sum(file.added for file in self.files)

    @property
    def lines_deleted(self) -> int:
        """Lines deleted over all files."""
        return sum(file.deleted for file in self.files)
