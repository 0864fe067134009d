"""Importing a SARIF file of 100,000 results with identities, against decoding it to Arrow and inserting that."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from transitions import bench_store

from elohim_kernel.model.access import Principal
from elohim_kernel.model.sarif import LogHead, Result
from elohim_kernel.runtime.importing import import_findings
from elohim_kernel.runtime.inline import InlineSession
from elohim_kernel.store.database import Database
from elohim_kernel.store.tables import SIGHTINGS
from elohim_kernel.workbench import open as open_workbench

COUNT = 100_000
ROUNDS = 3


def run() -> list[dict[str, object]]:
    """Two rows: seconds of the import to the bare limit, and its memory to the size of the file."""
    with tempfile.TemporaryDirectory() as folder, bench_store() as (gate, caller, place):
        file = Path(folder, "results.sarif")
        write(file, COUNT)
        me = gate.store.memory.get(Principal, caller.principal)
        session = InlineSession(gate, me.name if me else "")
        bare = Database(place / "bare-sarif.duckdb")
        pairs = [(_ours(session, file, number), _floor(bare, file)) for number in range(ROUNDS)]
        bare.close()
        used = _memory(file)
        size = file.stat().st_size / 1e6
    ours, floor = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(mine / least for mine, least in pairs)
    return [
        {
            "measure": f"import of {COUNT:,} SARIF results",
            "value": round(ours, 2),
            "unit": "s",
            "floor": round(floor, 2),
            "ratio": round(ratio, 2),
            "bound": "≤ 2",
        },
        {
            "measure": "memory of the import, to the file's size",
            "value": round(used, 1),
            "unit": "MB",
            "floor": round(size, 1),
            "ratio": round(used / size, 2),
            "bound": "≤ 2",
        },
    ]


def write(file: Path, count: int) -> None:
    """A file as scanners write it: sixty rules, nine hundred files, one quoted line each."""
    rules = [
        {
            "id": f"py/rule-{number}",
            "shortDescription": {"text": f"Rule {number}"},
            "properties": {"security-severity": str(3 + number % 7), "tags": ["security", "external/cwe/cwe-089"]},
        }
        for number in range(60)
    ]
    head = {"tool": {"driver": {"name": "Generated", "version": "1.0", "rules": rules}}}
    start = json.dumps({"version": "2.1.0", "runs": [head]})[:-3]
    with file.open("w") as out:
        out.write(f'{start}, "results": [')
        for number in range(count):
            out.write(("," if number else "") + json.dumps(_result(number)))
        out.write("]}]}")


def _result(number: int) -> dict[str, Any]:
    line = number * 7 % 1_999 + 1
    snippet = {"text": f"    cursor.execute(query_{number} + name)"}
    region = {"startLine": line, "startColumn": 9, "endLine": line, "endColumn": 48, "snippet": snippet}
    artifact = {"uri": f"src/package_{number % 40}/module_{number % 900}.py", "uriBaseId": "%SRCROOT%", "index": 0}
    return {
        "ruleId": f"py/rule-{number % 60}",
        "ruleIndex": number % 60,
        "message": {"text": f"A value of the request reaches the query that this line builds ({number})"},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "partialFingerprints": {"primaryLocationLineHash": f"{number:x}:1"},
        "properties": {"note": "generated"},
    }


def _ours(session: InlineSession, file: Path, number: int) -> float:
    began = time.perf_counter()
    import_findings(session, file, workflow="Bench", repository=f"/src/{number}")
    return time.perf_counter() - began


def _floor(bare: Database, file: Path) -> float:
    """The same columns, filled as directly as can be, with no identity and no record."""
    began = time.perf_counter()
    (run,) = msgspec.json.decode(file.read_bytes(), type=LogHead).runs or ()
    decode = msgspec.json.Decoder(Result).decode
    results = [decode(raw) for raw in run.results or ()]
    places = [each.locations[0].physical_location for each in results]  # type: ignore[index]
    filled: dict[str, list[Any]] = {
        "rule": [each.rule_id for each in results],
        "message": [each.message.text for each in results],  # type: ignore[union-attr]
        "path": [each.artifact_location.uri for each in places],  # type: ignore[union-attr]
        "line": [each.region.start_line for each in places],  # type: ignore[union-attr]
        "column": [each.region.start_column for each in places],  # type: ignore[union-attr]
        "end_line": [each.region.end_line for each in places],  # type: ignore[union-attr]
        "snippet": [each.region.snippet.text for each in places],  # type: ignore[union-attr]
        "tool_id": [each.partial_fingerprints["primaryLocationLineHash"] for each in results],  # type: ignore[index]
        "finding": [each.partial_fingerprints["primaryLocationLineHash"] for each in results],  # type: ignore[index]
    }
    nothing: dict[str, Any] = {"string": "", "int64": 0, "bool": False}
    columns = [
        filled.get(field.name) or [nothing.get(str(field.type), [] if pa.types.is_list(field.type) else None)] * COUNT
        for field in SIGHTINGS
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SIGHTINGS, strict=True)]
    bare.insert("sightings", pa.Table.from_arrays(arrays, schema=SIGHTINGS))
    return time.perf_counter() - began


def _memory(file: Path) -> float:
    """Megabytes that a process needs more while it imports the file into a store that another process holds."""
    done = subprocess.run([sys.executable, __file__, str(file)], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _measure(file: Path) -> float:
    small = file.with_name("small.sarif")
    write(small, 30_000)
    home = file.with_name("home")
    with open_workbench(home) as wb:
        wb.define("name: Bench\nstages: [{key: look}]")
        import_findings(wb.session, small, workflow="Bench", repository="/src/a")
        before = _resident("VmRSS")
        # The peak so far is that of what started us, too.
        Path("/proc/self/clear_refs").write_text("5")
        import_findings(wb.session, file, workflow="Bench", repository="/src/b")
        used = _resident("VmHWM") - before
    elohim = Path(sys.executable).with_name("elohim")
    subprocess.run([elohim, "--home", home, "owner", "stop"], check=False, stdout=subprocess.DEVNULL)
    return used


def _resident(name: str) -> float:
    """Megabytes: `VmRSS` is what is in memory now, `VmHWM` the most there was."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1_000 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    print(_measure(Path(sys.argv[1])))
