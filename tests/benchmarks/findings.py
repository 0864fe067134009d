"""Recording 100,000 findings in one command, against the insert of the same sightings alone."""

import statistics
import time

from transitions import bench_store

from elohim_kernel.findings.recording import RecordFindings, finding_rows
from elohim_kernel.model.finding import EngineStatus, Finding, Severity
from elohim_kernel.store.database import Database

COUNT = 100_000
ROUNDS = 5


def run() -> list[dict[str, object]]:
    """One row: seconds for the command, seconds for the bare insert, and their ratio."""
    with bench_store() as (gate, caller, folder):
        sent = finding_rows(_findings())
        bare = Database(folder / "bare.duckdb")
        pairs: list[tuple[float, float]] = []
        for number in range(ROUNDS):
            command = RecordFindings(
                workflow="Bench",
                repository=f"/src/{number}",
                tool="ruff",
                status=EngineStatus.FINDINGS,
                reason="made for this measurement",
                rows=sent,
            )
            began = time.perf_counter()
            gate.do(command, caller)
            ours = time.perf_counter() - began
            stored = gate.store.database.read("select * from sightings where seq = $seq", {"seq": gate.store.last_seq})
            began = time.perf_counter()
            bare.insert("sightings", stored)
            pairs.append((ours, time.perf_counter() - began))
        bare.close()
    ours, floor = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(mine / least for mine, least in pairs)
    return [
        {
            "measure": f"{COUNT:,} findings in one command",
            "value": round(ours, 3),
            "unit": "s",
            "floor": round(floor, 3),
            "ratio": round(ratio, 2),
            "bound": "≤ 2",
        }
    ]


def _findings() -> list[Finding]:
    levels = list(Severity)
    return [
        Finding(
            rule=f"R{number % 40:03d}",
            severity=levels[number % len(levels)],
            message=f"something is wrong with value {number}",
            path=f"package/module_{number % 900}.py",
            line=number % 700 + 1,
            tool="ruff",
            snippet="value = compute(other)",
            fingerprint=f"v1:{number:064x}",
        )
        for number in range(COUNT)
    ]
