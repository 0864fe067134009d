"""The routes: one for each command and query of the catalogue, and readable names for the queries people type."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from elohim_kernel.errors import NotFound
from elohim_kernel.model.command import Command, Query, name_of
from elohim_kernel.store.catalogue import Catalogue
from elohim_kernel.surfaces.http.auth import bearer, idempotency_key
from elohim_kernel.surfaces.http.body import Limits, decoded, from_parameters, read_body
from elohim_kernel.surfaces.http.door import Door

API: Final = "/api/v1"

# A part of the address in braces is a field of the query.
RESOURCES: Final[Mapping[str, str]] = {
    "/approvals": "list_approvals",
    "/approvals/{approval}": "get_approval",
    "/events": "list_events",
    "/findings": "list_findings",
    "/findings/{finding}": "get_finding",
    "/inbox": "get_inbox",
    "/items": "list_items",
    "/items/{item}": "get_item",
    "/me": "who_am_i",
    "/runs": "list_runs",
    "/runs/{run}": "get_run",
    "/templates": "list_templates",
    "/workflows": "list_workflows",
    "/workflows/{workflow}": "get_workflow",
}

T = TypeVar("T")


def offered_commands(catalogue: Catalogue) -> dict[str, type[Command]]:
    """The commands that have a route: all but those between the worker and the store."""
    return {name: entry.command for name, entry in catalogue.commands.items() if not entry.command.internal}


def offered_queries(catalogue: Catalogue) -> dict[str, type[Query]]:
    """The queries that have a route."""
    return {name: entry.query for name, entry in catalogue.queries.items() if not entry.query.internal}


class Operations:
    """Does commands and answers queries, in threads of `pool`: the store is synchronous, the server is not."""

    def __init__(self, door: Door, *, limits: Limits, pool: Executor) -> None:
        self._door = door
        self._limits = limits
        self._pool = pool
        self._commands = offered_commands(door.catalogue)
        self._queries = offered_queries(door.catalogue)

    def routes(self) -> list[Route]:
        """All routes below `/api/v1`."""
        return [
            Route(f"{API}/commands/{{name}}", self._command, methods=["POST"]),
            Route(f"{API}/queries/{{name}}", self._query, methods=["GET", "POST"]),
            *(
                Route(f"{API}{path}", self._resource(self._queries[name]), methods=["GET"])
                for path, name in RESOURCES.items()
            ),
        ]

    async def _command(self, request: Request) -> Response:
        token = bearer(request.headers)
        kind = _named(self._commands, request, "command")
        key = idempotency_key(request.headers)
        body = await read_body(request, self._limits)

        def do() -> bytes:
            command = decoded(kind, body, self._limits)
            return msgspec.json.encode(self._door.session(token).do(command, key=key))

        return await self._answered(do)

    async def _query(self, request: Request) -> Response:
        token = bearer(request.headers)
        kind = _named(self._queries, request, "query")
        if request.method != "POST":
            return await self._asked(request, token, kind)
        body = await read_body(request, self._limits)

        def ask() -> bytes:
            return msgspec.json.encode(self._door.session(token).ask(decoded(kind, body, self._limits)))

        return await self._answered(ask)

    def _resource(self, kind: type[Query]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            request.scope["named"] = name_of(kind)
            return await self._asked(request, bearer(request.headers), kind)

        return answer

    async def _asked(self, request: Request, token: str, kind: type[Query]) -> Response:
        within = {name: value for name, value in request.path_params.items() if name in kind.__struct_fields__}
        given = [*within.items(), *request.query_params.multi_items()]

        def ask() -> bytes:
            return msgspec.json.encode(self._door.session(token).ask(from_parameters(kind, given)))

        return await self._answered(ask)

    async def _answered(self, act: Callable[[], bytes]) -> Response:
        content = await asyncio.get_running_loop().run_in_executor(self._pool, act)
        return Response(content, media_type="application/json")


def _named(known: Mapping[str, type[T]], request: Request, what: str) -> type[T]:
    name = request.path_params["name"]
    kind = known.get(name)
    if kind is None:
        raise NotFound(f"there is no {what} of that name", hint=f"{API}/openapi.json lists those there are")
    request.scope["named"] = name
    return kind
