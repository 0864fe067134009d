"""Running the child processes of test enrichment: one module at a time, so that a crash costs only its own group.

An answer that did not come is an answer: the call ends the process. What a child writes is believed only as far as it
can be read as what was asked for.
"""

import math
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

import msgspec

from elohim_kernel.engines._tests_shapes import Case, Kind, Mutant, Outcome, Place, Target
from elohim_kernel.ports import Tools, Tree

CALL_S: Final = 1.0
"""How long one call may take."""

_RESTARTS: Final = 6
_SCREENED: Final = 2  # killers of one mutant that are looked for among many cases
_ZONES: Final = ("UTC0", "AAA-9:30", "BBB+8")  # a value that depends on the time zone of the machine is not stable
_MEMORY_MB: Final = 2_048

Lines = list[dict[str, Any]]  # a child's answers: JSON


class Deadline:
    """When the whole enrichment must be over."""

    def __init__(self, timeout_s: float) -> None:
        self._end = monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """Seconds that are left, never negative."""
        return max(0.0, self._end - monotonic())

    def share(self, most_s: float) -> float:
        """`most_s`, or what is left."""
        return max(0.1, min(most_s, self.left_s))


class Side:
    """One commit of the repository as a folder, and how its modules are run."""

    def __init__(self, tree: Tree, tools: Tools, deadline: Deadline) -> None:
        self.tree, self._tools, self._deadline = tree, tools, deadline
        self.cpu_seconds = 0.0

    def at(self, folder: Path) -> "Side":
        """The same files in another folder."""
        return Side(Tree(root=str(folder), paths=self.tree.paths), self._tools, self._deadline)

    def file(self, place: Place) -> str:
        """Absolute path of a module's file."""
        return str(Path(self.tree.root, place.path))

    def roots(self, places: Iterable[Place]) -> list[str]:
        """Folders that must be on Python's path."""
        return list(dict.fromkeys(str(Path(self.tree.root, place.root)) for place in places))

    def record(self, place: Place, cases: Sequence[Case], *, seed: int, trace: bool) -> tuple[dict[str, Outcome], str]:
        """What each call gives, and why nothing could be called; "" when it could.

        With `trace` the lines of the file that ran are told, and what depends on the time or on chance is refused.
        """
        left = {case.id: case for case in cases}
        outcomes: dict[str, Outcome] = {}
        for _ in range(_RESTARTS):
            if not left or self._deadline.left_s <= 0:
                break
            job = {**_job(left.values(), seed=seed), "trace": trace}
            lines, why = self._answers(place, job, seed=seed, most_s=10 + CALL_S * len(left) / 4)
            if problem := _problem(lines, why):
                return outcomes, problem
            for line in lines:
                if "kind" in line and line.get("case") in left:
                    outcomes[line["case"]] = _outcome(line)
                    del left[line["case"]]
            begun = [line["begin"] for line in lines if "begin" in line]
            if begun and begun[-1] in left:
                del left[begun[-1]]
                outcomes[begun[-1]] = Outcome(case=begun[-1], kind=Kind.UNUSABLE, reason="ends the process")
        for name in left:
            outcomes[name] = Outcome(case=name, kind=Kind.UNUSABLE, reason="was not run: no time left")
        return outcomes, ""

    def kills(
        self,
        place: Place,
        targets: Mapping[str, Target],
        mutants: Sequence[Mutant],
        asked: Mapping[str, Sequence[Case]],
    ) -> dict[str, frozenset[str] | None]:
        """For each mutant's id the cases that kill it, of those in `asked`; None where the mutant cannot be made.

        A mutant that takes the whole process with it counts as one that cannot be made.
        """
        left = {mutant.id: mutant for mutant in mutants if asked.get(mutant.id)}
        found: dict[str, frozenset[str] | None] = {}
        for _ in range(_RESTARTS):
            if not left or self._deadline.left_s <= 0:
                break
            cases = {case.id: case for name in left for case in asked[name]}
            wanted = _wanted(targets, left, asked)
            job = {**_job(cases.values(), seed=0), "mutants": wanted, "screen": "", "most": len(cases)}
            lines, why = self._answers(place, job, seed=0, most_s=20 + len(left) + len(cases) / 50)
            if _problem(lines, why):
                break
            for line in lines:
                if line.get("mutant") in left:
                    name = line["mutant"]
                    found[name] = frozenset(line["killed"]) if line["fits"] else None
                    del left[name]
            begun = [line["begin"] for line in lines if "begin" in line]
            if not begun or begun[-1] not in left:
                break
            del left[begun[-1]]
            found[begun[-1]] = None
        return found

    def screen(
        self, place: Place, target: Target, mutants: Sequence[Mutant], cases: Sequence[Case], wanted: Iterable[int]
    ) -> set[str]:
        """The cases that kill a mutant, a few for each, or reach a `wanted` line; one crash ends the screening."""
        listed = [(each.number, each.line, ()) for each in mutants]
        asked = {**_about(target), "numbers": listed, "cases": [each.id for each in cases], "wanted": list(wanted)}
        job = {**_job(cases, seed=0), "mutants": [asked], "screen": "lines", "most": _SCREENED}
        lines, _ = self._answers(place, job, seed=0, most_s=20 + len(cases) / 20)
        useful = {str(line["novel"]) for line in lines if "novel" in line}
        return useful.union(*(line["killed"] for line in lines if "mutant" in line))

    def _answers(self, place: Place, job: Mapping[str, object], *, seed: int, most_s: float) -> tuple[Lines, str]:
        folder = Path(tempfile.mkdtemp(dir=self._tools.scratch, prefix="calls-")).resolve()
        result = folder / "answers"
        about = {
            "module": place.module,
            "file": self.file(place),
            "roots": self.roots([place]),
            "result": str(result),
            "limit_s": CALL_S,
        }
        completed = self._tools.run(
            (sys.executable, "-s", "-P", "-m", "elohim_kernel.engines._tests_child"),
            cwd=Path(self.tree.root),
            timeout_s=self._deadline.share(most_s),
            stdin=msgspec.json.encode({**job, **about}),
            memory_mb=_MEMORY_MB,
            writable=(folder,),
            variables=variables(seed),
        )
        self.cpu_seconds += completed.cpu_seconds
        said = completed.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        why = completed.reason or (
            "" if completed.exit_code == 0 else f"exit code {completed.exit_code} {said}".strip()
        )
        return lines_of(result), why


def variables(seed: int) -> dict[str, str]:
    """What a child's environment says of chance and place: another order of sets and another time zone per seed."""
    return {"PYTHONHASHSEED": str(seed + 1), "TZ": _ZONES[seed % len(_ZONES)], "PYTHONDONTWRITEBYTECODE": "1"}


def lines_of(path: Path) -> Lines:
    """JSON objects of a file, one a line, up to the first that is none."""
    lines: Lines = []
    try:
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    except OSError:
        return lines
    for line in content.splitlines():
        try:
            lines.append(msgspec.json.decode(line, type=dict[str, Any]))
        except msgspec.DecodeError:
            break
    return lines


def _problem(lines: Lines, why: str) -> str:
    """Why no call was made at all; "" when the module was imported."""
    said = [line["imported"] for line in lines if "imported" in line]
    if not said:
        return f"cannot be run here: {why or 'its process said nothing'}"
    return str(said[0])


def _outcome(line: Mapping[str, Any]) -> Outcome:
    try:
        return msgspec.convert(line, Outcome)
    except msgspec.ValidationError:
        return Outcome(case=str(line.get("case", "")), kind=Kind.UNUSABLE, reason="its process told nonsense")


def _wanted(
    targets: Mapping[str, Target], left: Mapping[str, Mutant], asked: Mapping[str, Sequence[Case]]
) -> list[dict[str, object]]:
    wanted: list[dict[str, object]] = []
    for key, target in targets.items():
        own = [each for each in left.values() if each.key == key]
        numbers = [(each.number, each.line, [case.id for case in asked[each.id]]) for each in own]
        if numbers:
            names = dict.fromkeys(name for _, _, cases in numbers for name in cases)
            wanted.append({**_about(target), "numbers": numbers, "cases": list(names)})
    return wanted


def _about(target: Target) -> dict[str, object]:
    return {"key": target.key, "qualname": target.qualname, "first": target.first, "lines": target.lines}


def _job(cases: Iterable[Case], *, seed: int) -> dict[str, object]:
    plain = [{"id": each.id, "call": each.call, "imports": each.imports} for each in cases]
    return {"cases": plain, "seed": seed, "trace": False, "mutants": []}


def evenly(number: int, most: int) -> list[int]:
    """At most `most` positions of `number`, spread evenly.

    >>> evenly(10, 3)
    [0, 3, 6]
    """
    if number <= most:
        return list(range(number))
    return [math.floor(place * number / most) for place in range(most)]
