"""Which two commits a change is between, when people name one, both or neither.

The head is what is proposed, the base is where it would go, and the change starts at their merge base. Where there is
nothing to compare, the last commit is the change, and the names say so.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import pygit2
from pygit2.enums import BranchType, ReferenceType, SortMode

from elohim_kernel.errors import Invalid
from elohim_kernel.runtime.gitpaths import shown

MAX_COMMITS: Final = 1_000
_MAX_AUTHORS: Final = 50
_MAX_BRANCHES: Final = 50
_USUAL_NAMES: Final = ("main", "master", "trunk", "develop", "default")
_REMOTES: Final = ("origin", "upstream")
_LOCAL, _REMOTE = "refs/heads/", "refs/remotes/"


class Sides(NamedTuple):
    """Both ends of a change. `base` None: nothing comes before `head`. `start` None: no common commit is known."""

    base: pygit2.Commit | None
    base_name: str
    head: pygit2.Commit
    head_name: str
    start: pygit2.Commit | None
    remark: str  # what could not be compared, and why; "" when everything could


class Tip(NamedTuple):
    """A commit and the name it was found by."""

    name: str
    commit: pygit2.Commit


class Commits(NamedTuple):
    """The commits of a change: how many (up to `MAX_COMMITS`), whether there are more, and who wrote them."""

    number: int
    more: bool
    authors: tuple[str, ...]


def has_work_tree(git: pygit2.Repository) -> bool:
    """False for a bare repository, and for one whose configuration claims a working tree that is not its own."""
    return not git.is_bare and git.workdir is not None and (Path(git.workdir) / ".git").exists()


def commit_of(git: pygit2.Repository, revision: str) -> pygit2.Commit:
    """The commit a branch, tag, remote branch or abbreviated id names. Raises `Invalid` naming what exists instead."""
    for name in (revision, *(f"{remote}/{revision}" for remote in _REMOTES)):
        try:
            return git.revparse_single(name).peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError):
            continue
    if git.is_empty or not _some_reference(git):
        raise Invalid(f"the repository has no commits, so there is no {revision!r}", hint="make a first commit")
    names = sorted({name.removeprefix(_LOCAL).removeprefix(_REMOTE).removeprefix("refs/tags/") for name in _names(git)})
    close = difflib.get_close_matches(revision, names, n=5, cutoff=0.5) or names[:10]
    raise Invalid(f"{revision!r} is not a branch, tag or commit here", hint=f"there is: {', '.join(close)}")


def sides(git: pygit2.Repository, base: str | None, head: str | None) -> Sides:
    """Choose and resolve both ends; see the module's first lines for what None means."""
    tip = Tip(head, commit_of(git, head)) if head is not None else _usual_head(git)
    goal = Tip(base, commit_of(git, base)) if base is not None else _usual_base(git, tip)
    if goal is not None:
        start = _merge_base(git, goal.commit, tip.commit)
        if start is None:
            return Sides(goal.commit, goal.name, tip.commit, tip.name, None, _no_common_commit(git, goal, tip))
        if start.id != tip.commit.id:
            return Sides(goal.commit, goal.name, tip.commit, tip.name, start, "")
    contained = "" if goal is None or goal.name == tip.name else f", which {goal.name} already contains"
    parents = tip.commit.parents
    if parents:
        return Sides(parents[0], f"the commit before {tip.name}{contained}", tip.commit, tip.name, parents[0], "")
    if git.is_shallow:
        remark = "shallow clone: the commit before is not in it, so every file counts as added"
        return Sides(None, f"nothing: this clone begins at {tip.name}", tip.commit, tip.name, None, remark)
    return Sides(None, f"nothing: {tip.name} is the first commit{contained}", tip.commit, tip.name, None, "")


def commits_between(git: pygit2.Repository, sides: Sides) -> Commits:
    """Count what `head` adds to `base`, newest first; the walk stops at `MAX_COMMITS`."""
    walker = git.walk(sides.head.id, SortMode.TIME)
    for hidden in (sides.base, sides.start):
        if hidden is not None:
            walker.hide(hidden.id)
    found = list(islice(walker, MAX_COMMITS + 1))
    authors = dict.fromkeys(_text(commit.author.raw_name) for commit in found[:MAX_COMMITS])
    return Commits(min(len(found), MAX_COMMITS), len(found) > MAX_COMMITS, tuple(islice(authors, _MAX_AUTHORS)))


def title_of(commit: pygit2.Commit) -> str:
    """First line of the message, at most 200 characters."""
    return _text(commit.raw_message).strip().partition("\n")[0].strip()[:200]


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _names(git: pygit2.Repository) -> Iterator[str]:
    return (shown(raw) for raw in git.raw_listall_references())


def _some_reference(git: pygit2.Repository) -> bool:
    return bool(git.raw_listall_references()) or not git.head_is_unborn


def _no_common_commit(git: pygit2.Repository, goal: Tip, tip: Tip) -> str:
    if git.is_shallow:
        return (
            f"shallow clone: the commit {tip.name} and {goal.name} share is not in it, so every file counts as added;"
            " git fetch --unshallow gets the rest"
        )
    return f"{tip.name} and {goal.name} share no commit, so every file counts as added"


def _merge_base(git: pygit2.Repository, one: pygit2.Commit, other: pygit2.Commit) -> pygit2.Commit | None:
    # Typed as always there, but None when the histories are unrelated.
    found: pygit2.Oid | None = git.merge_base(one.id, other.id)
    return git[found].peel(pygit2.Commit) if found is not None else None


def _usual_head(git: pygit2.Repository) -> Tip:
    current = _head(git)
    default = default_branch(git)
    if current is not None and has_work_tree(git) and (git.head_is_detached or current.name != default):
        return current
    tips = _newest(_local_tips(git))
    others = [tip for tip in tips if tip.name != default]
    goal = _nearest(git, default, current.commit) if default and current else None
    for tip in others:
        shared = _merge_base(git, goal.commit, tip.commit) if goal else None
        if goal is None or (shared is not None and shared.id != tip.commit.id):
            return tip
    if current is not None:
        return current
    if tips:
        return tips[0]
    raise Invalid("the repository has no commits: there is nothing to review", hint="make a first commit")


def _head(git: pygit2.Repository) -> Tip | None:
    if git.head_is_unborn:
        return None
    try:
        commit = git.head.peel(pygit2.Commit)
    except (pygit2.GitError, KeyError):
        return None
    return Tip(str(commit.id)[:12] if git.head_is_detached else shown(git.head.raw_shorthand), commit)


def _usual_base(git: pygit2.Repository, head: Tip) -> Tip | None:
    default = default_branch(git)
    return _nearest(git, default, head.commit) if default else None


def default_branch(git: pygit2.Repository) -> str | None:
    """The name of the branch that changes go to: what a remote's HEAD says, else a usual name, else a bare HEAD."""
    for remote in _REMOTES:
        target = _symbolic_target(git, f"{_REMOTE}{remote}/HEAD")
        if target and target.startswith(f"{_REMOTE}{remote}/"):
            return target.removeprefix(f"{_REMOTE}{remote}/")
    names = set(_names(git))
    target = _symbolic_target(git, "HEAD")
    if not has_work_tree(git) and target in names:
        return target.removeprefix(_LOCAL)
    for name in _USUAL_NAMES:
        if any(f"{place}{name}" in names for place in (_LOCAL, *(f"{_REMOTE}{remote}/" for remote in _REMOTES))):
            return name
    local = [name for name in names if name.startswith(_LOCAL)]
    return local[0].removeprefix(_LOCAL) if len(local) == 1 else None


def _symbolic_target(git: pygit2.Repository, name: str) -> str | None:
    try:
        reference = git.lookup_reference(name)
    except (pygit2.GitError, KeyError, ValueError):
        return None
    return str(reference.target) if reference.type == ReferenceType.SYMBOLIC else None


def _nearest(git: pygit2.Repository, branch: str, head: pygit2.Commit) -> Tip | None:
    """The local branch or a remote's, whichever leaves the smaller change: a local copy is often stale."""
    found: list[tuple[int, int, Tip]] = []
    for order, name in enumerate((_LOCAL + branch, *(f"{_REMOTE}{remote}/{branch}" for remote in _REMOTES))):
        try:
            commit = git.lookup_reference(name).peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError):
            continue
        ahead, _ = git.ahead_behind(head.id, commit.id)
        found.append((ahead, order, Tip(name.removeprefix(_LOCAL).removeprefix(_REMOTE), commit)))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _local_tips(git: pygit2.Repository) -> Iterator[Tip]:
    for raw in git.raw_listall_branches(BranchType.LOCAL):
        try:
            commit = git.lookup_branch(raw, BranchType.LOCAL).peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError):
            continue
        yield Tip(shown(raw), commit)


def _newest(tips: Iterable[Tip]) -> Sequence[Tip]:
    return sorted(tips, key=lambda tip: (-tip.commit.commit_time, tip.name))[:_MAX_BRANCHES]
