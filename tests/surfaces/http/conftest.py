"""A real server on a store in memory, with people, their tokens and an item in it."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn

from elohim_kernel import registry
from elohim_kernel.access.people import AddPrincipal, GrantRole
from elohim_kernel.access.tokens import CreateToken
from elohim_kernel.gate import Gate
from elohim_kernel.model.access import Visibility
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.token import digest_of, new_secret
from elohim_kernel.runtime.inline import InlineSession, Parts, open_memory
from elohim_kernel.surfaces.http.app import application
from elohim_kernel.surfaces.http.body import Limits
from elohim_kernel.surfaces.http.connection import Connection
from elohim_kernel.surfaces.http.door import Counts, Door
from elohim_kernel.workflows.templates import InstantiateTemplate
from elohim_kernel.workflows.work_items import OpenWorkItem

FLOW = "Standard Code Review"
ROOT = "root"
_NO_TLS = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # empty: reading the certificates of the world takes longer than a test


@dataclass
class Bench:
    """A store where `root` is an administrator and `vic` a viewer of everything; `EL-1` is everybody's."""

    gate: Gate
    root: InlineSession
    secrets: dict[str, str] = field(default_factory=dict)

    @classmethod
    def fresh(cls) -> "Bench":
        root = open_memory(Parts(registry.catalogue, registry.prepare), ROOT)
        bench = cls(root.gate, root)
        bench.token(ROOT)
        bench.add("vic", "viewer")
        root.do(InstantiateTemplate(template=FLOW, visibility=Visibility.GLOBAL))
        root.do(OpenWorkItem(workflow=FLOW, title="Cache routes"))
        return bench

    def add(self, name: str, role: str = "") -> None:
        self.root.do(AddPrincipal(name=name))
        if role:
            self.root.do(GrantRole(principal=name, role=role))
        self.token(name)

    def token(self, name: str) -> str:
        secret = new_secret()
        label = f"{name} {secret[-8:]}"
        self.root.do(CreateToken(label=label, principal="" if name == ROOT else name, digest=digest_of(secret)))
        self.secrets[name] = secret
        return secret

    def session(self, secret: str) -> InlineSession:
        return InlineSession(self.gate, token=secret)

    def do(self, name: str, command: Command) -> object:
        return self.session(self.secrets[name]).do(command)

    def ask(self, name: str, query: Query) -> object:
        return self.session(self.secrets[name]).ask(query)


@dataclass
class Site:
    """A bench behind a server."""

    bench: Bench
    url: str
    port: int

    @contextlib.contextmanager
    def client(self, name: str = "", secret: str = "") -> Iterator[httpx.Client]:
        secret = secret or self.bench.secrets.get(name, "")
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        with httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=_NO_TLS) as client:
            yield client

    def raw(self, data: bytes, *, timeout_s: float = 10.0) -> bytes:
        """Send bytes as they are, and read until the server hangs up or says no more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as line:
            got = bytearray()
            with contextlib.suppress(TimeoutError, ConnectionError):
                line.sendall(data)
            with contextlib.suppress(TimeoutError, ConnectionError):
                while piece := line.recv(65_536):
                    got += piece
            return bytes(got)


@contextlib.contextmanager
def serving(bench: Bench, **options: object) -> Iterator[Site]:
    """Serve a bench on a free port; `options` are those of `application`."""
    broken = options.pop("probe", lambda: None)
    head_s = options.pop("head_s", 10.0)
    crew = options.pop("crew", Counts(0, 0))
    protocol = type("Hasty", (Connection,), {"head_s": head_s})
    door = Door(registry.catalogue(), bench.session, broken, lambda: crew, bench.gate.meter.readings)
    with ThreadPoolExecutor(16) as pool, socket.create_server(("127.0.0.1", 0)) as listener:
        app = application(door, pool=pool, **options)
        config = uvicorn.Config(
            app, http=protocol, loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            port = listener.getsockname()[1]
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield Site(bench, f"http://127.0.0.1:{port}", port)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELOHIM_USER", ROOT)
        made = Bench.fresh()
    yield made
    made.root.close()


@pytest.fixture(scope="module")
def site(bench: Bench) -> Iterator[Site]:
    with serving(bench, private=True) as served:
        yield served


@pytest.fixture
def new_site() -> Iterator[Callable[..., Site]]:
    """Serves a bench of its own: `new_site(limits=Limits(body_s=0.2))`."""
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELOHIM_USER", ROOT)

        def make(**options: object) -> Site:
            fresh = Bench.fresh()
            stack.callback(fresh.root.close)
            return stack.enter_context(serving(fresh, **options))

        yield make


@pytest.fixture
def hasty(new_site: Callable[..., Site]) -> Site:
    """A server that waits a fifth of a second."""
    return new_site(limits=Limits(body_s=0.2), head_s=0.2)
