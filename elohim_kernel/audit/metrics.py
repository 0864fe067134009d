"""Counts and latencies of what passes the gate. Labels come from closed lists: operation names and outcomes."""

import threading
from bisect import bisect_left
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from elohim_kernel.model.value import Value

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Outcome(StrEnum):
    """How an operation ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Meter:
    """Counts operations in this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, Outcome], list[int]] = {}
        self._seconds: dict[tuple[str, Outcome], float] = {}

    def count(self, operation: str, outcome: Outcome, seconds: float) -> None:
        """Add one operation that took `seconds`."""
        place = bisect_left(BUCKETS_S, seconds)
        label = (operation, outcome)
        with self._lock:
            row = self._buckets.setdefault(label, [0] * (len(BUCKETS_S) + 1))
            row[place] += 1
            self._seconds[label] = self._seconds.get(label, 0.0) + seconds

    def readings(self) -> tuple["Reading", ...]:
        """Everything counted so far."""
        with self._lock:
            return tuple(
                Reading(operation=name, outcome=outcome, counts=tuple(row), seconds=self._seconds[name, outcome])
                for (name, outcome), row in sorted(self._buckets.items())
            )


class Reading(Value, frozen=True):
    """One operation with one outcome: how often in each bucket, and seconds in all."""

    operation: str
    outcome: Outcome
    counts: tuple[int, ...]
    seconds: float

    @property
    def total(self) -> int:
        """How often."""
        return sum(self.counts)


def prometheus(readings: tuple[Reading, ...], gauges: Mapping[str, Mapping[str, float]]) -> str:
    """The text that Prometheus scrapes. `gauges` maps a name to values by the one label `state`."""
    lines = [
        "# HELP elohim_operation_seconds Time an operation took at the gate.",
        "# TYPE elohim_operation_seconds histogram",
    ]
    for reading in readings:
        labels = f'operation="{reading.operation}",outcome="{reading.outcome.value}"'
        running = 0
        for limit, count in zip((*map(str, BUCKETS_S), "+Inf"), reading.counts, strict=True):
            running += count
            lines.append(f'elohim_operation_seconds_bucket{{{labels},le="{limit}"}} {running}')
        lines.append(f"elohim_operation_seconds_sum{{{labels}}} {reading.seconds:.6f}")
        lines.append(f"elohim_operation_seconds_count{{{labels}}} {reading.total}")
    for name, values in gauges.items():
        lines.append(f"# TYPE elohim_{name} gauge")
        lines += [f'elohim_{name}{{state="{state}"}} {value:g}' for state, value in values.items()]
    return "\n".join(lines) + "\n"
