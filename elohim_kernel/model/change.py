"""A change: what differs between two commits, with the lines that are new."""

from bisect import bisect_right
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
    """One file of a change. `old_path` differs from `path` only for renames and copies; `new_lines` is in order."""

    path: str
    old_path: str
    status: FileStatus
    added: int = 0
    deleted: int = 0
    new_lines: tuple[LineRange, ...] = ()
    binary: bool = False
    submodule: bool = False

    def touches(self, line: int, end_line: int = 0) -> bool:
        """True when a line from `line` to `end_line` of the new file was added or changed; 0 means `line` alone.

        >>> third = LineRange(first=3, last=4)
        >>> file = FileChange(path="a", old_path="a", status=FileStatus.MODIFIED, new_lines=(third,))
        >>> file.touches(4), file.touches(5), file.touches(1, 9)
        (True, False, True)
        """
        before_end = bisect_right(self.new_lines, max(line, end_line), key=lambda span: span.first)
        return before_end > 0 and self.new_lines[before_end - 1].last >= line


class Change(Value, frozen=True):
    """All that differs between `merge_base` and `head`. Commits are full hexadecimal ids.

    `merge_base` is "" when the histories share no commit or there is no base at all (a first commit): then every
    file counts as added. `base` is "" when there is nothing to compare with.
    """

    repository: str  # canonical path of the git directory's owner, as the user knows it
    base: str
    head: str
    merge_base: str
    base_name: str
    head_name: str
    title: str  # first line of the newest commit message
    authors: tuple[str, ...]
    commits: int  # counted up to 1,000; `truncated` says when there are more
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

    @property
    def renames(self) -> dict[str, str]:
        """New path to old path of every renamed file, as `model.matching.match` wants it."""
        return {file.path: file.old_path for file in self.files if file.status is FileStatus.RENAMED}
