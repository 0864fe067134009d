"""One tree of errors. Each says what was wrong, with which value, and what to do next.

`code` is stable: scripts and HTTP clients match on it, and `docs/reference/errors.md` lists it. `exit_code` and
`http_status` are how the same refusal looks at the command line and over HTTP. `retryable` is the only ground on
which the runtime tries something again.
"""

from typing import ClassVar


class KernelError(Exception):
    """Anything the workbench refuses or cannot do."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class Invalid(KernelError):
    """A value is not acceptable: a bad field, an unknown name, a broken file."""

    code = "invalid"
    exit_code = 2
    http_status = 422


class NotFound(KernelError):
    """There is no such thing, or the caller may not see it: both look the same on purpose."""

    code = "not_found"
    exit_code = 2
    http_status = 404


class Denied(KernelError):
    """The caller sees the target but lacks the right to do this to it."""

    code = "denied"
    exit_code = 2
    http_status = 403


class Conflict(KernelError):
    """The target is not in a state that allows this, or somebody else was first."""

    code = "conflict"
    exit_code = 2
    http_status = 409


class Stale(Conflict):
    """A decision was made on something that has changed since it was shown."""

    code = "stale"


class Unauthenticated(KernelError):
    """No token, or one that is unknown, expired or revoked."""

    code = "unauthenticated"
    exit_code = 2
    http_status = 401


class TooLarge(Invalid):
    """A body, file or result is over its cap."""

    code = "too_large"
    http_status = 413


class Cancelled(KernelError):
    """Somebody asked this work to stop, and it did."""

    code = "cancelled"
    http_status = 409


class Unavailable(KernelError):
    """Something we depend on is not there right now: a tool, the disk, the owner process."""

    code = "unavailable"
    http_status = 503
    retryable = True


class NotRun(KernelError):
    """A tool was not run, and the message says why. Never the same as "no findings"."""

    code = "not_run"
    http_status = 424


class Incompatible(KernelError):
    """The store, or the process that owns it, was written by another version."""

    code = "incompatible"
    http_status = 409


class Fault(KernelError):
    """Our own defect: the log has the details."""

    code = "fault"


def error_from(code: str, message: str, hint: str | None) -> KernelError:
    """Rebuild an error that crossed a process border, keeping its class.

    >>> error_from("not_found", "no item WI-9", None).http_status
    404
    """
    return _BY_CODE.get(code, Fault)(message, hint=hint)


def _tree(root: type[KernelError]) -> list[type[KernelError]]:
    return [root, *(leaf for branch in root.__subclasses__() for leaf in _tree(branch))]


_BY_CODE = {kind.code: kind for kind in _tree(KernelError)}
