"""For those who watch the server: whether it is well, and what it has counted. Labels come from closed sets."""

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from elohim_kernel.audit.metrics import prometheus
from elohim_kernel.audit.statistics import CountEverything, Counts
from elohim_kernel.audit.trail import TrailHead
from elohim_kernel.errors import KernelError
from elohim_kernel.surfaces.http.auth import bearer, called_name, is_loopback
from elohim_kernel.surfaces.http.door import Door
from elohim_kernel.surfaces.http.guard import Tally

_FRESH_S: Final = 1.0  # anybody may ask for health: the store is asked at most this often
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Watch:
    """Answers `/healthz` and `/metrics`."""

    def __init__(self, door: Door, *, tally: Tally, pool: Executor, private: bool) -> None:
        """`private`: only this machine reaches the server, so what it has counted itself needs no token."""
        self._door = door
        self._tally = tally
        self._pool = pool
        self._private = private
        self._asking = threading.Lock()
        self._asked_at = float("-inf")
        self._store = ""

    def routes(self) -> list[Route]:
        """The two routes."""
        return [
            Route("/healthz", self._healthz, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
        ]

    async def _healthz(self, request: Request) -> Response:
        request.scope["named"] = "healthz"
        crew = self._door.crew()
        worker = "none" if not crew.wanted else "ok" if crew.alive == crew.wanted else "failed"
        store = await asyncio.get_running_loop().run_in_executor(self._pool, self._probed)
        well = store == "ok" and worker != "failed"
        said = {"status": "ok" if well else "failed", "store": store, "worker": worker}
        return Response(msgspec.json.encode(said), 200 if well else 503, media_type="application/json")

    def _probed(self) -> str:
        with self._asking:
            if time.monotonic() - self._asked_at > _FRESH_S:
                try:
                    self._door.probe()
                except KernelError:
                    self._store = "failed"
                else:
                    self._store = "ok"
                self._asked_at = time.monotonic()
            return self._store

    async def _metrics(self, request: Request) -> Response:
        request.scope["named"] = "metrics"
        # A proxy on this machine reaches us as well, on behalf of others: it hands on the name that they called.
        private = self._private and is_loopback(called_name(request.headers))
        token = "" if private and "authorization" not in request.headers else bearer(request.headers)
        text = await asyncio.get_running_loop().run_in_executor(self._pool, self._text, token)
        return Response(text, media_type=_TEXT)

    def _text(self, token: str) -> str:
        gauges = self._gauges(token) if token else {}
        crew = self._door.crew()
        gauges = {**gauges, "workers": {"wanted": crew.wanted, "alive": crew.alive}}
        answers = [f'elohim_http_answers_total{{status="{code}"}} {n}' for code, n in self._tally.counts().items()]
        head = ["# HELP elohim_http_answers_total Answers by status.", "# TYPE elohim_http_answers_total counter"]
        return prometheus(self._door.readings(), gauges) + "\n".join([*head, *answers]) + "\n"

    def _gauges(self, token: str) -> Mapping[str, Mapping[str, float]]:
        # Asking for the head of the trail is what asks for `audit.read`; the counts are of what the caller may see.
        session = self._door.session(token)
        session.ask(TrailHead())
        counts: Counts = session.ask(CountEverything())
        return {"items": counts.items, "findings": counts.findings, "events": counts.events}
