"""kill -9 of the owner under live clients: nothing acknowledged is lost, nothing happens twice or by halves."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from elohim_kernel.store.client import Client
from elohim_kernel.store.home import Home
from elohim_kernel.store.log import read_events
from elohim_kernel.store.store import Store

WORKERS = 4
WORKER = """
import sys
from elohim_kernel.store.client import Client
home, name, acknowledged, stop = sys.argv[1:5]
client = Client(home, owner=sys.argv[5:], idle_s=60.0)
number = 0
with open(acknowledged, "w", buffering=1) as said:
    import os
    while not os.path.exists(stop):
        parts = number % 3 + 1
        client.do("note", {"text": f"{name}-{number}", "parts": parts, "padding": "x" * (number % 7 * 500)}, user="ann")
        said.write(f"{name}-{number} {parts}\\n")
        number += 1
"""


class Outcome(NamedTuple):
    kills: int
    acknowledged: int
    lost: int
    doubled: int
    torn: int
    unsound: int
    recoveries_s: list[float]

    def table(self) -> str:
        recoveries = sorted(self.recoveries_s)
        middle, longest = recoveries[len(recoveries) // 2], recoveries[-1]
        head = "kills  acknowledged  lost  doubled  torn  unsound  recovery p50 s  max s"
        values = f"{self.kills:5}  {self.acknowledged:12}  {self.lost:4}  {self.doubled:7}  {self.torn:4}"
        return f"{head}\n{values}  {self.unsound:7}  {middle:14.2f}  {longest:5.2f}"


@contextlib.contextmanager
def workers(home: Path, folder: Path, program: tuple[str, ...]) -> Iterator[list[Path]]:
    """Clients that work until the end of the block, and must end well."""
    said = [folder / f"said-{name}" for name in range(WORKERS)]
    stop = folder / "stop"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(home), f"w{name}", str(path), str(stop), *program],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, path in enumerate(said)
    ]
    try:
        yield said
    finally:
        stop.touch()
        ended = [child.communicate(timeout=90)[1] for child in children]
    assert [child.returncode for child in children] == [0] * WORKERS, "".join(ended)


def kill_owners(home: Path, folder: Path, program: tuple[str, ...], kills: int) -> Outcome:
    client = Client(home, owner=program, idle_s=60.0)
    chance = random.Random(kills)
    recoveries_s = []
    unsound = 0
    with workers(home, folder, program) as said:
        while not all(path.exists() and path.stat().st_size for path in said):
            time.sleep(0.01)
        for number in range(kills):
            time.sleep(chance.choice([0.0, 0.003, 0.05, 0.2]) * chance.random())
            record = Home(home).record()
            assert record is not None
            os.kill(record.pid, 9)
            started = time.monotonic()
            client.do("note", {"text": f"killer-{number}"}, user="bob")
            recoveries_s.append(time.monotonic() - started)
            unsound += not msgspec.msgpack.decode(client.ask("check_log", {}, user="bob"))
    client.stop()
    acknowledged = dict(line.split() for path in said for line in path.read_text().splitlines())
    acknowledged.update({f"killer-{number}": "1" for number in range(kills)})
    return outcome(home, acknowledged, recoveries_s, unsound)


def outcome(home: Path, acknowledged: dict[str, str], recoveries_s: list[float], unsound: int) -> Outcome:
    """Compare what clients were told with what the log holds."""
    store = Store(home / "elohim.duckdb", now=lambda: datetime.now(UTC))
    parts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    wanted: dict[str, int] = {}
    for event in read_events(store.database, after=0):
        values = event.data.values
        parts[values["note"]][values["part"]] += 1
        wanted[values["note"]] = values["of"]
    unsound += not store.verify().ok
    store.close()
    return Outcome(
        kills=len(recoveries_s),
        acknowledged=len(acknowledged),
        lost=sum(text not in parts for text in acknowledged),
        doubled=sum(max(seen.values()) > 1 for seen in parts.values()),
        torn=sum(len(seen) != wanted[text] for text, seen in parts.items()),
        unsound=unsound,
        recoveries_s=recoveries_s,
    )


def assert_nothing_went_wrong(found: Outcome) -> None:
    print(f"\n{found.table()}")
    assert (found.lost, found.doubled, found.torn, found.unsound) == (0, 0, 0, 0), found.table()
    assert found.acknowledged > found.kills, "the workers did nothing: this proves nothing"


def test_twenty_killed_owners_lose_double_and_tear_nothing(home: Path, tmp_path: Path, program: tuple[str, ...]):
    found = kill_owners(home, tmp_path, program, 20)

    assert_nothing_went_wrong(found)


@pytest.mark.torture
def test_as_many_killed_owners_as_asked_for_lose_double_and_tear_nothing(
    home: Path, tmp_path: Path, program: tuple[str, ...]
):
    found = kill_owners(home, tmp_path, program, int(os.environ.get("ELOHIM_TORTURE", "100")))

    assert_nothing_went_wrong(found)


def test_the_count_of_losses_can_fail(home: Path, tmp_path: Path, program: tuple[str, ...]):
    client = Client(home, owner=program)
    client.do("note", {"text": "kept", "parts": 2}, user="ann")
    client.do("note", {"text": "twice"}, user="ann")
    client.do("note", {"text": "twice"}, user="ann")
    client.stop()

    found = outcome(home, {"kept": "2", "gone": "1"}, [0.1], 0)

    assert (found.lost, found.doubled, found.torn, found.unsound) == (1, 1, 0, 0)
