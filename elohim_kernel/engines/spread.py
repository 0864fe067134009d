"""Size, spread and touchy places of a change, from the change and the names beside it: no tool, no content.

Everything is a metric, not a finding: touching a migration is a reason to look, not a defect to fix or dismiss.
`risky_path` carries the reason in `symbol`; `source_without_test` is a note of its own and not part of any risk.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from time import monotonic
from typing import Final

from wcmatch import glob

from elohim_kernel.model.change import Change, FileChange, FileStatus
from elohim_kernel.model.finding import EngineReport, EngineStatus, Metric
from elohim_kernel.model.pathkind import MANIFESTS, PathKind, kind_of
from elohim_kernel.model.risk import shape_of
from elohim_kernel.ports import EngineRequest, EngineTraits, Repository, Scope, Tools

NAME = "spread"
LABEL = "Size and spread of the change"
TRAITS = EngineTraits(scope=Scope.CHANGE, cost=1, default=False)

RISKY_PATHS: Final = (
    ("database migration", ("**/migrations/**", "**/migrate/**", "**/alembic/**", "**/*.sql")),
    (
        "sign-in and permissions",
        ("**/{auth,authn,authz,oauth,login,session,sessions,permission,permissions,acl}{,.*,/**}",),
    ),
    ("sign-in and permissions", ("**/*{_auth,auth_,_permissions,_session,_login}*.*",)),
    (
        "cryptography",
        (
            "**/{crypto,cryptography,tls,ssl,certs,secrets,signing}{,.*,/**}",
            "**/*{crypto,encrypt,decrypt,signature}*.*",
        ),
    ),
    ("continuous integration", (".github/workflows/**", ".github/actions/**", ".gitlab-ci.yml", ".circleci/**")),
    ("continuous integration", ("**/Jenkinsfile*", "azure-pipelines*.yml", ".buildkite/**", ".travis.yml", ".ci/**")),
    (
        "container image",
        ("**/Dockerfile*", "**/*.dockerfile", "**/Containerfile*", "**/{docker-,}compose{,.*}.y{,a}ml"),
    ),
    ("infrastructure", ("**/*.tf", "**/*.tfvars", "**/{k8s,kubernetes,helm,terraform,infra,ansible}/**", "**/*.bicep")),
    ("rules of review", ("**/CODEOWNERS", "**/.semgrepignore", "**/.gitleaksignore", "**/*baseline*.json")),
    ("build and packaging", ("**/setup.py", "**/setup.cfg", "**/pyproject.toml", "**/Makefile", "**/package.json")),
)
"""Reason and globs; the first reason that matches a file is the one given."""

_BROAD: Final = frozenset({"pyproject.toml"})  # most edits there do not concern dependencies
_FLAGS: Final = glob.GLOBSTAR | glob.DOTGLOB | glob.BRACE | glob.IGNORECASE | glob.FORCEUNIX


def _compiled(globs: Sequence[str]) -> re.Pattern[str]:
    patterns, _ = glob.translate(list(globs), flags=_FLAGS)
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_PATTERNS: Final = tuple((reason, _compiled(globs)) for reason, globs in RISKY_PATHS)


def available() -> str | None:
    """Always None: it needs nothing installed."""
    return None


def version() -> str:
    """It has none of its own."""
    return ""


def wants(path: str) -> bool:
    """Every file has a place and a size."""
    return bool(path)


def run(request: EngineRequest, tools: Tools) -> EngineReport:
    """Measure the change; without one there is nothing to measure."""
    began = monotonic()
    change = request.change
    if change is None:
        reason = "there is no change, only a whole tree"
        return EngineReport(engine=NAME, status=EngineStatus.NOT_RUN, reason=reason)
    metrics = (
        *_size(change),
        *_risky(change),
        *_locks(change, tools.repository(request.repository)),
        *_untested(change),
    )
    return EngineReport(
        engine=NAME,
        status=EngineStatus.CLEAN if not change.truncated else EngineStatus.PARTIAL,
        reason=change.truncated or f"{len(change.files):,} changed files counted",
        files=len(change.files),
        seconds=round(monotonic() - began, 4),
        metrics=metrics,
    )


def reason_of(path: str) -> str:
    """Why a path deserves a second look; "" when it does not.

    >>> reason_of("app/migrations/0002_add_owner.py"), reason_of("docs/index.md")
    ('database migration', '')
    """
    return next((reason for reason, pattern in _PATTERNS if pattern.match(path)), "")


def _size(change: Change) -> Iterable[Metric]:
    shape = shape_of(change)
    yield Metric(name="lines_added", value=float(shape.lines_added))
    yield Metric(name="lines_deleted", value=float(shape.lines_deleted))
    yield Metric(name="files", value=float(shape.files))
    yield Metric(name="folders", value=float(shape.folders))
    yield Metric(name="entropy_bits", value=shape.entropy)


def _risky(change: Change) -> Iterable[Metric]:
    for file in change.files:
        reason = reason_of(file.path) or reason_of(file.old_path)
        if reason and kind_of(file.path) not in (PathKind.TEST, PathKind.DOCS, PathKind.GENERATED):
            yield Metric(name="risky_path", value=1.0, path=file.path, symbol=reason)


def _locks(change: Change, repository: Repository) -> Iterable[Metric]:
    """A lock file that moved alone may hide a dependency; a manifest that moved alone may not install."""
    touched = {file.path for file in change.files}
    for file in change.files:
        beside = PurePosixPath(file.path).with_name
        name = PurePosixPath(file.path).name
        manifests = [str(beside(manifest)) for manifest in MANIFESTS.get(name, ())]
        if manifests and touched.isdisjoint(manifests):
            yield Metric(
                name="lock_without_manifest", value=1.0, path=file.path, symbol="lock file without its manifest"
            )
        locks = [str(beside(lock)) for lock, sources in MANIFESTS.items() if name in sources and name not in _BROAD]
        kept = [lock for lock in locks if repository.read(change.head, lock) is not None]
        if kept and touched.isdisjoint(kept):
            yield Metric(
                name="manifest_without_lock", value=1.0, path=file.path, symbol="manifest without its lock file"
            )


def _untested(change: Change) -> Iterable[Metric]:
    source = [file for file in change.files if _changes_source(file)]
    if source and not any(kind_of(file.path) is PathKind.TEST for file in change.files):
        yield Metric(name="source_without_test", value=float(len(source)), path=source[0].path)


def _changes_source(file: FileChange) -> bool:
    return kind_of(file.path) is PathKind.SOURCE and file.added > 0 and file.status is not FileStatus.DELETED
