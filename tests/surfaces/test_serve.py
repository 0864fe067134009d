"""`serve` on a real home: work is done while people call, and it ends in good order."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from elohim_kernel.access.tokens import CreateToken
from elohim_kernel.config import Settings, load
from elohim_kernel.errors import Unavailable
from elohim_kernel.model.token import digest_of, new_secret
from elohim_kernel.runtime.sample import build_sample_repository
from elohim_kernel.runtime.session import open_session
from elohim_kernel.store.client import Client
from elohim_kernel.surfaces.serve import serve

FLOW = "Standard Code Review"
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # empty: reading the certificates of the world takes long


def settled() -> Settings:
    return load({"owner_idle_s": 30.0}).settings


def token_for(settings: Settings) -> str:
    """A token for the person of this home, made as the command line makes it: through whoever owns the store."""
    secret = new_secret()
    session = open_session(settings, token="")
    try:
        session.do(CreateToken(label=secret[-8:], digest=digest_of(secret)))
    finally:
        session.close()
    return secret


class Running:
    """A server in a thread."""

    def __init__(self, **options: Any) -> None:
        self.settings = settled()
        self.lines: list[str] = []
        self.problem: BaseException | None = None
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=({"port": 0, "grace_s": 5.0, **options},))
        self._thread.start()
        while not self.lines and self._thread.is_alive():
            time.sleep(0.01)

    def _run(self, options: dict[str, Any]) -> None:
        try:
            serve(self.settings, stop=self.stop, say=self.lines.append, **options)
        except Unavailable as wrong:
            self.problem = wrong

    @property
    def url(self) -> str:
        return self.lines[0].split()[2].rstrip(",")

    def client(self, secret: str) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {secret}"}, timeout=60, verify=_NO_TLS
        )

    def end(self) -> None:
        self.stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def running(home: Path) -> Iterator[Callable[..., Running]]:
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> Running:
            made = Running(**options)
            stack.callback(made.end)
            return made

        yield start


def done(client: httpx.Client, name: str, **fields: object) -> Any:
    answer = client.post(f"/api/v1/commands/{name}", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def settled_item(client: httpx.Client, reference: str, *, timeout_s: float = 90) -> Any:
    """The item, once it waits for a person."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        item = client.get(f"/api/v1/items/{reference}").json()
        if item["stage"] == "reviewer_review" or item["status"] in ("failed", "waiting"):
            return item
        time.sleep(0.1)
    raise AssertionError(f"{reference} is still {item['status']} in {item['stage']}")


def test_a_change_is_reviewed_and_decided_over_http_alone(running, tmp_path: Path):
    sample = build_sample_repository(tmp_path / "sample")
    server = running(workers=1)

    with server.client(token_for(server.settings)) as client:
        done(client, "instantiate_template", template=FLOW)
        opened = done(client, "open_work_item", workflow=FLOW, title=sample.title)
        intake = {"repository": sample.path, "base": sample.base, "head": sample.head}
        done(client, "complete_stage", item=opened["reference"], form=intake)
        reviewed = settled_item(client, opened["reference"])
        done(client, "complete_stage", item=opened["reference"], form={"decision": "accept"})
        closed = client.get(f"/api/v1/items/{opened['reference']}").json()
        trail = client.get("/api/v1/queries/verify_trail").json()

    assert reviewed["stage"] == "reviewer_review"
    assert reviewed["findings"]
    assert reviewed["recommendation"]["summary"]
    assert closed["status"] == "completed"
    assert [move["from"] for move in closed["history"]] == ["", "intake", "agent_review", "reviewer_review"]
    assert trail["ok"]


@pytest.mark.parametrize("owned_elsewhere", [False, True])
def test_sixty_four_callers_at_once_are_all_answered(running, owned_elsewhere: bool):
    if owned_elsewhere:
        token_for(settled())
    server = running(workers=1)
    secret = token_for(server.settings)
    with server.client(secret) as client:
        done(client, "instantiate_template", template=FLOW)

    def call(number: int) -> tuple[int, int, str]:
        with server.client(secret) as client:
            made = done(client, "open_work_item", workflow=FLOW, title=f"Item {number}")
            read = client.get(f"/api/v1/items/{made['reference']}")
            return 200, read.status_code, made["reference"]

    with ThreadPoolExecutor(64) as callers:
        answers = list(callers.map(call, range(64)))
    with server.client(secret) as client:
        items = client.get("/api/v1/items", params={"limit": 1000}).json()
        measured = client.get("/metrics").text

    assert {answer[:2] for answer in answers} == {(200, 200)}
    assert {answer[2] for answer in answers} == {item["reference"] for item in items}
    assert 'elohim_operation_seconds_count{operation="open_work_item",outcome="done"} 64' in measured


def test_other_programs_share_the_home_with_a_server_and_outlive_it(running):
    server = running(workers=0)
    client = Client(server.settings.home, idle_s=30)
    during = client.status()["owner"]

    server.end()
    after = client.status()["owner"]
    client.stop()

    assert during == os.getpid()
    assert after != os.getpid()
    assert server.problem is None


def test_a_server_whose_store_is_taken_over_says_so_and_ends(running):
    server = running(workers=1)
    Client(server.settings.home, start=False).stop()

    server._thread.join(20)

    assert isinstance(server.problem, Unavailable)


def test_a_port_that_is_taken_is_named(home: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="cannot be listened on"):
        serve(settled(), port=taken.getsockname()[1])

    assert not home.exists()


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104
def test_whoever_opens_it_to_the_network_is_warned(running, host: str, warned: bool):
    server = running(host=host, workers=0)

    with server.client("elohim_wrong") as client:
        metrics = httpx.get(f"http://127.0.0.1:{client.base_url.port}/metrics")
        named = httpx.get(
            f"http://127.0.0.1:{client.base_url.port}/healthz", headers={"Host": f"{socket.gethostname()}:1"}
        )

    assert any("nothing is encrypted" in line for line in server.lines) is warned
    assert metrics.status_code == (401 if warned else 200)
    assert named.status_code == (200 if warned else 403)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_good_order(home: Path, number: signal.Signals):
    program = (
        "import sys; from elohim_kernel.config import load; from elohim_kernel.surfaces.serve import serve;"
        "serve(load().settings, port=0, say=lambda line: print(line, flush=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().split()[2].rstrip(",")
    well = httpx.get(f"{url}/healthz").json()

    process.send_signal(number)
    code = process.wait(30)
    process.stdout.close()

    assert well == {"status": "ok", "store": "ok", "worker": "ok"}
    assert code == 0
    assert not (home / "owner.json").exists()
    assert not (home / "owner.sock").exists()
