"""A worker in a process of its own, for tests that kill it: `worker_program.py STORE EFFECTS LATER_S [hang]`.

Its stage has three steps, and writes a line to EFFECTS for each that it really does. With `hang` the second never ends.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from elohim_kernel import registry
from elohim_kernel.ports import StageResult, StageWork, Tools
from elohim_kernel.runtime.inline import Parts, open_gate
from elohim_kernel.testing import ScriptedStage, workbench_on, worker_with


def main(store: str, effects: str, later_s: str, hang: str = "") -> None:
    """Open the store as of `later_s` seconds from now, run what is due, and print where the item is."""
    now = lambda: datetime.now(UTC) + timedelta(seconds=float(later_s))  # noqa: E731 - a clock
    gate = open_gate(store, Parts(registry.catalogue, partial(registry.prepare, user="ann")), now=now)
    ann = workbench_on(gate, "ann")
    stage = ScriptedStage("CODE_REVIEW", lambda work, tools: scan(work, tools, Path(effects), hang=bool(hang)))
    worker_with(ann, stages=[stage], lease_s=30).drain()
    print(ann.item("EL-1").stage)
    gate.store.close()


def scan(_work: StageWork, tools: Tools, effects: Path, *, hang: bool) -> StageResult:
    """Three steps."""
    for name in ("one", "two", "three"):
        tools.step(name, name, str, lambda name=name: do(name, effects, hang=hang))  # type: ignore[misc]
    return StageResult(note="scanned", data={"steps": 3})


def do(name: str, effects: Path, *, hang: bool) -> str:
    """Leave a line, and perhaps never come back."""
    with effects.open("a") as file:
        file.write(f"{name}\n")
    while hang and name == "two":
        time.sleep(1)
    return name


if __name__ == "__main__":
    main(*sys.argv[1:])
