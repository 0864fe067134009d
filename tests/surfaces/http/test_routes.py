"""Every command and query over HTTP: same rights, same answers, same errors as at the gate itself."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from elohim_kernel import registry
from elohim_kernel.errors import KernelError
from elohim_kernel.model.command import Command
from elohim_kernel.surfaces.http.routes import RESOURCES

CATALOGUE = registry.catalogue()
OPERATIONS = {
    **{name: entry.command for name, entry in CATALOGUE.commands.items()},
    **{name: entry.query for name, entry in CATALOGUE.queries.items()},
}
INTERNAL = {
    "claim_delivery",
    "due_schedules",
    "end_run",
    "expire_approvals",
    "expire_decisions",
    "extend_lease",
    "fail_stage",
    "finish_stage",
    "fire_schedule",
    "get_step",
    "record_step",
    "skip_slot",
    "start_playbook",
}
OFFERED = sorted(OPERATIONS.keys() - INTERNAL)


def address(name: str) -> str:
    return f"/api/v1/{'commands' if issubclass(OPERATIONS[name], Command) else 'queries'}/{name}"


def refused(body: bytes) -> tuple[str, bool]:
    error = msgspec.json.decode(body)["error"]
    assert set(error) == {"code", "message", "hint"}
    return error["code"], bool(error["message"])


@pytest.fixture(scope="module")
def twin(bench: Any) -> Iterator[Any]:
    """The same world once more, without a server: what the gate itself says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELOHIM_USER", "root")
        made = type(bench).fresh()
    yield made
    made.root.close()


@pytest.mark.parametrize("name", OFFERED)
@pytest.mark.parametrize("who", ["vic", "root"])
def test_a_route_answers_as_the_gate_does(site, twin, who: str, name: str):
    kind = OPERATIONS[name]
    operation = msgspec.convert(msgspec.to_builtins(kind.example), kind)

    try:
        session = twin.session(twin.secrets[who])
        session.do(operation) if isinstance(operation, Command) else session.ask(operation)
        expected: tuple[int, str] = (200, "")
    except KernelError as error:
        expected = (error.http_status, error.code)
    with site.client(who) as client:
        got = client.post(address(name), json=msgspec.to_builtins(kind.example))

    assert (got.status_code, "" if got.is_success else refused(got.content)[0]) == expected
    assert got.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", OFFERED)
def test_no_route_opens_without_a_token_that_is_valid(site, name: str):
    body = msgspec.to_builtins(OPERATIONS[name].example)
    secrets = {"none": {}, "wrong": {"Authorization": "Bearer elohim_wrong"}, "basic": {"Authorization": "Basic eDp5"}}

    with site.client() as client:
        got = {kind: client.post(address(name), json=body, headers=headers) for kind, headers in secrets.items()}

    assert {answer.status_code for answer in got.values()} == {401}
    assert len({answer.content for answer in got.values()}) == 1
    assert {answer.headers["www-authenticate"] for answer in got.values()} == {'Bearer realm="elohim"'}


@pytest.mark.parametrize("name", sorted(INTERNAL))
def test_what_only_the_worker_does_has_no_route(site, name: str):
    with site.client("root") as client:
        hidden = client.post(address(name), json=msgspec.to_builtins(OPERATIONS[name].example))
        absent = client.post(address(name) + "_not", json={})

    assert OPERATIONS[name].internal
    assert hidden.status_code == 404
    assert hidden.content == absent.content


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_a_resource_gives_what_its_query_gives(site, path: str):
    name = RESOURCES[path]
    field = path.partition("{")[2].rstrip("}")
    value = {"workflow": "Standard Code Review"}.get(field) or OPERATIONS[name].example.get(field, "")

    with site.client("root") as client:
        resource = client.get(f"/api/v1{path.replace('{' + field + '}', value)}")
        query = client.get(address(name), params={field: value} if field else {})

    assert (resource.status_code, resource.content) == (query.status_code, query.content)


def test_an_item_looks_as_it_does_at_the_command_line(site):
    with site.client("vic") as client:
        item = client.get("/api/v1/items/EL-1").json()

    assert {"reference", "id", "workflow", "revision", "stage", "stage_type", "status", "priority", "assignee"} < set(
        item
    )
    assert item["history"][0]["from"] == ""
    assert set(item["history"][0]) == {"from", "to", "by", "when", "note", "why"}


def test_a_key_gives_the_first_answer_again_and_has_one_effect(site):
    body = {"workflow": "Standard Code Review", "title": "Only once"}

    with site.client("root") as client:
        first, again = (
            client.post("/api/v1/commands/open_work_item", json=body, headers={"Idempotency-Key": "k-1"}) for _ in "ab"
        )
        found = client.get("/api/v1/items", params={"text": "Only once"}).json()

    assert first.status_code == 200
    assert first.json() == again.json()
    assert [item["reference"] for item in found] == [first.json()["reference"]]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_key_that_cannot_be_one_is_refused(site, key: str):
    with site.client("root") as client:
        got = client.post("/api/v1/commands/read_inbox", json={}, headers={b"Idempotency-Key": key.encode()})

    assert (got.status_code, refused(got.content)[0]) == (422, "invalid")


@pytest.mark.parametrize(
    ("parameters", "status", "words"),
    [
        ({"limit": "1", "open": "true", "order": "age"}, 200, ""),
        ({"limit": "many"}, 422, "$.limit"),
        ({"order": "colour"}, 422, "$.order"),
        ({"colour": "red"}, 422, "colour"),
        ([("limit", "1"), ("limit", "1")], 422, "twice"),
    ],
)
def test_parameters_of_an_address_are_read_as_what_the_field_holds(site, parameters: Any, status: int, words: str):
    with site.client("vic") as client:
        got = client.get("/api/v1/queries/list_items", params=parameters)

    assert got.status_code == status
    assert words in got.text


def test_what_one_may_not_see_looks_as_if_it_were_not_there(new_site: Callable[..., Any]):
    site = new_site()
    site.bench.add("eve", "analyst")
    canary = "kanarienvogel"
    with site.client("root") as client:
        mine = {"template": "Standard Code Review", "name": f"{canary} flow", "visibility": "personal"}
        flow = client.post("/api/v1/commands/instantiate_template", json=mine).json()
        item = client.post("/api/v1/commands/open_work_item", json={"workflow": flow["id"], "title": canary}).json()
    absent = {"reference": "EL-77", "id": item["id"][:-4] + "0000", "flow": flow["id"][:-4] + "0000"}
    present = {"reference": item["reference"], "id": item["id"], "flow": flow["id"]}

    with site.client("eve") as client:
        about_present, about_absent = (_said_about(client, names, absent) for names in (present, absent))
        lists = [client.get(f"/api/v1{path}").text for path in RESOURCES if "{" not in path]

    assert about_present == about_absent
    assert len(about_present) > 30
    assert not any(canary in text for text in [*lists, *(text for _, _, text in about_present)])


def _said_about(client: Any, names: dict[str, str], absent: dict[str, str]) -> list[tuple[str, int, str]]:
    """What every operation that takes an item or a workflow says of one; its name is made alike, to be compared."""
    found = []
    for name in OFFERED:
        kind = OPERATIONS[name]
        fields = {field for field in ("item", "workflow", "approval") if field in kind.__struct_fields__}
        for thing in ("reference", "id") if fields & {"item", "approval"} else ("flow",) if fields else ():
            body = {**msgspec.to_builtins(kind.example), **dict.fromkeys(fields, names[thing])}
            answer = client.post(address(name), json=body)
            found.append((f"{name} {thing}", answer.status_code, answer.text.replace(names[thing], absent[thing])))
    return found
