"""The application: routes, errors and the guard around them."""

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from elohim_kernel.errors import Fault, Invalid, KernelError, NotFound
from elohim_kernel.surfaces.http.auth import Names
from elohim_kernel.surfaces.http.body import Limits
from elohim_kernel.surfaces.http.door import Door
from elohim_kernel.surfaces.http.guard import Guard, Tally
from elohim_kernel.surfaces.http.openapi import document
from elohim_kernel.surfaces.http.refusals import WrongMethod, defect, refusal
from elohim_kernel.surfaces.http.routes import API, Operations
from elohim_kernel.surfaces.http.watch import Watch

_LISTED: Final = f"{API}/openapi.json lists what there is"
_DEFAULT: Final = Limits()


def application(
    door: Door, *, pool: Executor, names: tuple[str, ...] = (), private: bool = False, limits: Limits = _DEFAULT
) -> ASGIApp:
    """The ASGI application on one store; blocking work is done in `pool`, which the caller shuts down.

    `names` are host names it answers to besides addresses and `localhost`. `private` says that only this machine
    reaches it.
    """
    tally = Tally()
    described = Response(document(door.catalogue), media_type="application/json")

    async def openapi(request: Request) -> Response:
        request.scope["named"] = "openapi"
        return described

    routes = [
        *Operations(door, limits=limits, pool=pool).routes(),
        *Watch(door, tally=tally, pool=pool, private=private).routes(),
        Route(f"{API}/openapi.json", openapi, methods=["GET"]),
    ]
    handlers = {HTTPException: _refused, KernelError: _refused, Exception: _refused}
    inner = Starlette(routes=routes, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return Guard(inner, names=Names(names), tally=tally)


def _refused(_request: Request, error: Exception) -> Response:
    if isinstance(error, KernelError):
        return refusal(error)
    if not isinstance(error, HTTPException):
        return refusal(defect())
    response = refusal(_known(error.status_code))
    response.headers.update(error.headers or _NONE)
    return response


_NONE: Final[Mapping[str, str]] = {}


def _known(status: int) -> KernelError:
    if status == NotFound.http_status:
        return NotFound("there is nothing at that address", hint=_LISTED)
    if status == WrongMethod.http_status:
        return WrongMethod("that address does not take this method", hint=_LISTED)
    if status < Fault.http_status:
        return Invalid("the request cannot be read")
    return Fault("the server could not answer")
