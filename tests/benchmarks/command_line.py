"""What the quick commands cost in processor time, against `python -c pass`, with an owner already there."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 9
_ELOHIM = (str(Path(sys.executable).with_name("elohim")),)
_COMMANDS = {
    "elohim --help": (*_ELOHIM, "--help"),
    "elohim status": (*_ELOHIM, "status"),
    "elohim item list": (*_ELOHIM, "item", "list"),
    "import typer": (sys.executable, "-c", "import typer"),
}


def run() -> list[dict[str, object]]:
    """One row a command: processor seconds of the process, of bare Python, and the ratio."""
    with tempfile.TemporaryDirectory(prefix="elohim-bench-") as home:
        environment = {**os.environ, "ELOHIM_HOME": str(Path(home) / "home"), "NO_COLOR": "1"}
        subprocess.run((*_ELOHIM, "status"), env=environment, check=True, capture_output=True)
        rows: list[dict[str, object]] = []
        for name, command in _COMMANDS.items():
            pairs = [
                (_seconds(command, environment), _seconds((sys.executable, "-c", "pass"), environment))
                for _ in range(ROUNDS)
            ]
            ours, floor = (statistics.median(values) for values in zip(*pairs, strict=True))
            rows.append(
                {
                    "measure": name,
                    "value": round(ours * 1_000),
                    "unit": "ms CPU",
                    "floor": round(floor * 1_000),
                    "ratio": round(statistics.median(mine / least for mine, least in pairs), 1),
                    "bound": "≤ 8" if name.startswith("elohim") else "",
                }
            )
        subprocess.run((*_ELOHIM, "owner", "stop"), env=environment, check=True, capture_output=True)
    return rows


def _seconds(command: tuple[str, ...], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
