"""Transitions through the gate, durable, with history and audit, against one bare insert of the same events.

The floor commits rows that are ready made, with one statement a batch: nothing that keeps these events can do less.
Both are timed in turns in one process, set up as the owner's is, so that a busy machine slows both.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from elohim_kernel import registry
from elohim_kernel.gate import Gate
from elohim_kernel.model.access import Principal, PrincipalKind
from elohim_kernel.model.events import Event
from elohim_kernel.model.workflow import Definition, Stage
from elohim_kernel.runtime.serving import tuned
from elohim_kernel.store.database import Database
from elohim_kernel.store.log import GENESIS, event_of, to_rows
from elohim_kernel.store.store import Caller, Store
from elohim_kernel.workflows.definitions import CreateWorkflow
from elohim_kernel.workflows.work_items import CompleteStage, OpenWorkItem

ROUNDS = 7
_BATCHES = {1: 150, 8: 80, 64: 40}


def run() -> list[dict[str, object]]:
    """One row for each number of clients in flight."""
    rows: list[dict[str, object]] = []
    with tuned(), bench_store() as (gate, caller, folder):
        events = _events(gate, caller)
        bare = Database(folder / "bare.duckdb")
        for clients, batches in _BATCHES.items():
            pairs = [
                (_through_gate(gate, caller, clients, batches), _floor(bare, events, clients, batches))
                for _ in range(ROUNDS)
            ]
            ours, floor = (statistics.median(values) for values in zip(*pairs, strict=True))
            ratio = statistics.median(mine / least for mine, least in pairs)
            rows.append(
                {
                    "measure": f"transitions, {clients} in flight",
                    "value": round(ours),
                    "unit": "a second",
                    "floor": round(floor),
                    "ratio": round(ratio, 2),
                    "bound": "≥ 0.3, aim 0.6",
                }
            )
        bare.close()
    return rows


@contextmanager
def bench_store() -> Iterator[tuple[Gate, Caller, Path]]:
    """A gate on a fresh file with one workflow, its caller, and the folder of the file."""
    with tempfile.TemporaryDirectory(prefix="elohim-bench-") as name:
        folder = Path(name)
        store = Store(folder / "store.duckdb", now=lambda: datetime.now(UTC))
        gate = Gate(store, registry.catalogue(), now=lambda: datetime.now(UTC))
        registry.prepare(gate)
        me = next(one for one in store.memory.every(Principal) if one.kind is PrincipalKind.PERSON)
        caller = Caller(principal=me.id)
        stages = tuple(Stage(key=key, name=key) for key in ("intake", "work", "check"))
        gate.do(CreateWorkflow(definition=Definition(name="Bench", stages=stages)), caller)
        yield gate, caller, folder
        store.close()


def _events(gate: Gate, caller: Caller) -> list[Event]:
    item = gate.do(OpenWorkItem(workflow="Bench", title="one"), caller)
    gate.do(CompleteStage(item=item.id, note="done"), caller)
    row = gate.store.database.rows("select * exclude (hash) from events order by seq desc limit 1")[0]
    return [event_of(row)] * max(_BATCHES)


def _through_gate(gate: Gate, caller: Caller, clients: int, batches: int) -> float:
    items: list[str] = []
    for _ in range(batches):
        for _ in range(clients):
            gate.submit(OpenWorkItem(workflow="Bench", title="one"), caller, lambda result, _: items.append(result.id))
        gate.store.drain()
    gate.store.idle()
    commands = [CompleteStage(item=item, note="done") for item in items]

    def transit() -> None:
        for start in range(0, len(commands), clients):
            if clients == 1:
                gate.do(commands[start], caller)
                continue
            for command in commands[start : start + clients]:
                gate.submit(command, caller, _nobody)
            gate.store.drain()
        gate.store.flush()

    return len(commands) / _seconds(transit)


def _nobody(_result: object, error: Exception | None) -> None:
    if error is not None:
        raise error


def _floor(bare: Database, events: list[Event], clients: int, batches: int) -> float:
    bare.checkpoint()
    rows, _ = to_rows(events[:clients], GENESIS)

    def insert() -> None:
        for _ in range(batches):
            bare.insert("events", rows)

    return clients * batches / _seconds(insert)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
