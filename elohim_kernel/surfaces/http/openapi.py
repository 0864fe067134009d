"""The description of the API, made of the commands and queries themselves. OpenAPI 3.1."""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from elohim_kernel.errors import (
    Conflict,
    Denied,
    Invalid,
    KernelError,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from elohim_kernel.model.command import Command, Query, name_of
from elohim_kernel.store.catalogue import Catalogue
from elohim_kernel.surfaces.http.body import fits_address, shapes
from elohim_kernel.surfaces.http.routes import API, RESOURCES, offered_commands, offered_queries
from elohim_kernel.version import __version__

_REFERENCES: Final = "#/components/schemas/{name}"
_ERRORS: Final = (Unauthenticated, Denied, NotFound, Conflict, TooLarge, Invalid, Unavailable)
_JSON: Final = "application/json"

Json = dict[str, Any]  # a document of many shapes, hence Any


def document(catalogue: Catalogue) -> bytes:
    """The description as JSON."""
    commands, queries = offered_commands(catalogue), offered_queries(catalogue)
    schemas = _Schemas([*commands.values(), *queries.values()])
    paths: Json = {f"{API}/commands/{name}": {"post": _command(kind, schemas)} for name, kind in commands.items()}
    for name, query in queries.items():
        paths[f"{API}/queries/{name}"] = {"get": _query(query, schemas, ""), "post": _query_with_body(query, schemas)}
    for path, name in RESOURCES.items():
        paths[f"{API}{path}"] = {"get": _query(queries[name], schemas, path)}
    described = {
        "openapi": "3.1.0",
        "info": {
            "title": "Elohim",
            "version": __version__,
            "summary": "Work items, evidence and decisions.",
            "description": "Commands change something, queries read. Both need the token of a principal, and do what"
            " that principal may. What one may not see looks as if it were not there.",
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "Error": _error_schema()},
            "responses": {_response_name(kind): _error_response(kind) for kind in _ERRORS},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    return msgspec.json.encode(described)


class _Schemas:
    def __init__(self, kinds: Iterable[type[Command] | type[Query]]) -> None:
        self._kinds = list(kinds)
        wanted = [*self._kinds, *(kind.result for kind in self._kinds)]
        found, components = msgspec.json.schema_components(wanted, ref_template=_REFERENCES)
        self.components: Json = components
        half = len(self._kinds)
        self._bodies = dict(zip(self._kinds, found[:half], strict=True))
        self._results = dict(zip(self._kinds, found[half:], strict=True))

    def body(self, kind: type[Command] | type[Query]) -> Json:
        return self._bodies[kind]

    def result(self, kind: type[Command] | type[Query]) -> Json:
        return self._results[kind]

    def fields(self, kind: type[Command] | type[Query]) -> Mapping[str, Json]:
        found: Mapping[str, Json] = self.components[self.body(kind)["$ref"].rpartition("/")[2]]["properties"]
        return found


def _command(kind: type[Command], schemas: _Schemas) -> Json:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key of the same principal gives the first answer again, and no second effect.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    }
    about = _about(kind, schemas, f"do_{name_of(kind)}")
    return {**about, "parameters": [key], "requestBody": _request_body(kind, schemas)}


def _query(kind: type[Query], schemas: _Schemas, path: str) -> Json:
    within = re.findall(r"\{(\w+)\}", path)
    purpose = "read" if path else "ask"
    parameters = [
        _parameter(kind, name, schema, within=name in within)
        for name, schema in schemas.fields(kind).items()
        if fits_address(shapes(kind)[name])
    ]
    return {**_about(kind, schemas, f"{purpose}_{name_of(kind)}"), "parameters": parameters}


def _query_with_body(kind: type[Query], schemas: _Schemas) -> Json:
    about = _about(kind, schemas, f"ask_{name_of(kind)}_with_body")
    return {**about, "requestBody": _request_body(kind, schemas)}


def _about(kind: type[Command] | type[Query], schemas: _Schemas, operation: str) -> Json:
    text = inspect.getdoc(kind) or ""
    needs = f"Needs `{kind.need.permission.value}` at level {kind.need.level.name}."
    return {
        "operationId": operation,
        "summary": " ".join(text.partition("\n\n")[0].split()),
        "description": f"{text}\n\n{needs}",
        "tags": [kind.__module__.rpartition(".")[2]],
        "responses": {
            "200": {"description": "Done.", "content": {_JSON: {"schema": schemas.result(kind)}}},
            **{
                str(error.http_status): {"$ref": f"#/components/responses/{_response_name(error)}"} for error in _ERRORS
            },
        },
    }


def _parameter(kind: type[Query], name: str, schema: Json, *, within: bool) -> Json:
    required = within or any(one.encode_name == name and one.required for one in msgspec.structs.fields(kind))
    example = {"example": msgspec.to_builtins(kind.example[name])} if name in kind.example else {}
    return {"name": name, "in": "path" if within else "query", "required": required, "schema": schema, **example}


def _request_body(kind: type[Command] | type[Query], schemas: _Schemas) -> Json:
    content = {"schema": schemas.body(kind), "example": msgspec.to_builtins(kind.example)}
    return {"required": True, "content": {_JSON: content}}


def _response_name(error: type[KernelError]) -> str:
    return error.__name__


def _error_response(error: type[KernelError]) -> Json:
    text = " ".join((inspect.getdoc(error) or "").split())
    return {"description": text, "content": {_JSON: {"schema": {"$ref": _REFERENCES.format(name="Error")}}}}


def _error_schema() -> Json:
    said = {
        "type": "object",
        "required": ["code", "message", "hint"],
        "properties": {
            "code": {"type": "string", "description": "Stable: match on it."},
            "message": {"type": "string", "description": "What was wrong, and with which value."},
            "hint": {"type": ["string", "null"], "description": "What to do next."},
        },
    }
    return {"type": "object", "required": ["error"], "properties": {"error": said}}
