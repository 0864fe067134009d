"""How a refusal looks over HTTP: one JSON shape, and a status that is the error's own."""

import msgspec
from starlette.responses import Response

from elohim_kernel.errors import Fault, Invalid, KernelError, Unauthenticated

_HINT = "send `Authorization: Bearer TOKEN`; `elohim access token create` makes one"


class WrongMethod(Invalid):
    """The address is there, for another method."""

    http_status = 405


class SlowBody(Invalid):
    """The body did not arrive in time."""

    http_status = 408


class WrongType(Invalid):
    """The body is not declared to be JSON: a form on another page could have sent it."""

    http_status = 415


def unauthenticated() -> Unauthenticated:
    """The one answer to every request whose token is missing, wrong, expired or revoked, or whose owner is disabled."""
    return Unauthenticated("this needs a valid token", hint=_HINT)


def defect() -> Fault:
    """The answer when we are at fault: what went wrong is for our log."""
    return Fault("the server hit a defect of ours", hint="its log has the details")


def refusal(error: KernelError) -> Response:
    """The response that carries an error."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        error = unauthenticated()
        headers["WWW-Authenticate"] = 'Bearer realm="elohim"'
    if error.retryable:
        headers["Retry-After"] = "1"
    if error.http_status in (SlowBody.http_status, 413):
        # What is still under way on this connection would be taken for the next request.
        headers["Connection"] = "close"
    said = {"code": error.code, "message": error.message, "hint": error.hint}
    return Response(msgspec.json.encode({"error": said}), error.http_status, headers, "application/json")
