"""The description is valid OpenAPI 3.1, lists what there is and nothing else, and its examples are right."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from elohim_kernel import registry
from elohim_kernel.surfaces.http.openapi import document
from elohim_kernel.surfaces.http.routes import RESOURCES

CATALOGUE = registry.catalogue()
DESCRIBED: dict[str, Any] = json.loads(document(CATALOGUE))
SCHEMAS = DESCRIBED["components"]["schemas"]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def check(schema: dict[str, Any], value: object) -> None:
    Draft202012Validator({**schema, "components": {"schemas": SCHEMAS}}).validate(value)


def test_every_command_and_query_has_its_route_and_the_worker_s_have_none():
    offered = {f"/api/v1/commands/{n}" for n, entry in CATALOGUE.commands.items() if not entry.command.internal}
    offered |= {f"/api/v1/queries/{n}" for n, entry in CATALOGUE.queries.items() if not entry.query.internal}

    assert set(DESCRIBED["paths"]) == offered | {f"/api/v1{path}" for path in RESOURCES}


def test_it_has_the_shape_that_openapi_asks_for():
    assert DESCRIBED["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(DESCRIBED["info"])
    assert set(DESCRIBED["components"]) == {"schemas", "responses", "securitySchemes"}
    assert [set(entry) for entry in DESCRIBED["security"]] == [set(DESCRIBED["components"]["securitySchemes"])]
    for kind in DESCRIBED["components"].values():
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in kind)
    for path, method, operation in operations():
        assert operation["summary"], (path, method)
        assert "Needs `" in operation["description"]
        assert {"200", "401", "403", "404", "422"} <= set(operation["responses"])
        assert ("requestBody" in operation) == (method == "post")
        within = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert within == set(re.findall(r"\{(\w+)\}", path))


def test_no_two_operations_share_a_name():
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere():
    for reference in set(references(DESCRIBED)):
        node: Any = DESCRIBED
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]

        assert node


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_schema(name: str):
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_example_is_what_its_schema_says():
    for path, _, operation in operations():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            check(content["schema"], content["example"])
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                check(parameter["schema"], parameter["example"])
        assert operation["responses"]["200"]["content"]["application/json"]["schema"] is not None, path


@pytest.mark.parametrize("path", ["/items", "/items/EL-1", "/me", "/workflows", "/templates", "/events", "/approvals"])
def test_what_the_server_answers_is_what_it_describes(site, path: str):
    described = DESCRIBED["paths"]["/api/v1" + path.replace("EL-1", "{item}")]["get"]["responses"]

    with site.client("root") as client:
        found, refused = client.get(f"/api/v1{path}"), client.get(f"/api/v1{path}", headers={"Authorization": "x"})

    assert found.status_code == 200
    check(described["200"]["content"]["application/json"]["schema"], found.json())
    check({"$ref": "#/components/schemas/Error"}, refused.json())


def test_anybody_may_read_the_description(site):
    with site.client() as client:
        got = client.get("/api/v1/openapi.json")

    assert got.json() == DESCRIBED
