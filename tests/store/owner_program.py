"""An owner process with two tiny operations: what the tests start instead of the whole workbench's owner.

`python owner_program.py --home DIR …` takes the options of `elohim_kernel.runtime.serving`.
"""

import sys
import time
from pathlib import Path
from typing import Any

from elohim_kernel.errors import Conflict
from elohim_kernel.gate import Gate
from elohim_kernel.model.access import BUILT_IN_ROLES, GLOBAL, Grant, Principal
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.record import SettingsChanged
from elohim_kernel.model.token import Token, digest_of
from elohim_kernel.model.value import Value
from elohim_kernel.runtime.inline import Parts
from elohim_kernel.runtime.serving import main
from elohim_kernel.store.catalogue import Catalogue, CommandEntry, QueryEntry, anywhere, on_self

SECRET = "elohim_test-secret-of-bob"
PEOPLE = ("ann", "bob")


class Noted(Value, frozen=True):
    """The number of the first event of a note."""

    seq: int
    text: str


class Note(Command, frozen=True):
    """Record a text as `parts` events, which belong together; refused for the text "no", and failing for "bug"."""

    result = Noted

    text: str
    parts: int = 1
    padding: str = ""


class CheckLog(Query, frozen=True):
    """Whether the chain of the whole log holds."""

    result = bool


class CountNotes(Query, frozen=True):
    """How many notes of the caller there are, after `wait_s` seconds; `padding` bytes come along."""

    result = dict[str, int | str]

    wait_s: float = 0.0
    padding: int = 0


def note(command: Note, unit: Any) -> Noted:
    if command.text == "no":
        raise Conflict("that text is not wanted", hint="take another")
    if command.text == "bug":
        raise ZeroDivisionError("a defect")
    me = unit.principal.id
    made = [
        unit.emit(
            SettingsChanged(values={"note": command.text, "part": part, "of": command.parts}), subject=me, scope=me
        )
        for part in range(command.parts)
    ]
    return Noted(seq=made[0].seq, text=command.text)


def count_notes(query: CountNotes, reader: Any) -> dict[str, int | str]:
    time.sleep(query.wait_s)
    rows = reader.rows("count_events")
    found = sum(row["n"] for row in rows if row["kind"] == "settings.changed")
    return {"count": found, "padding": "x" * query.padding}


def check_log(_query: CheckLog, _reader: Any) -> bool:
    return _served[-1].store.verify().ok


_served: list[Gate] = []


def catalogue() -> Catalogue:
    questions = [QueryEntry(CountNotes, count_notes, anywhere), QueryEntry(CheckLog, check_log, anywhere)]
    return Catalogue.of([CommandEntry(Note, note, on_self)], questions)


def prepare(gate: Gate) -> None:
    _served.append(gate)
    memory = gate.store.memory
    for role in BUILT_IN_ROLES.values():
        memory.put(role, 0, dirty=False)
    for name in PEOPLE:
        person = Principal(id=f"us_{name}", name=name, grants=(Grant(role="analyst", scope=GLOBAL),))
        memory.put(person, 0, dirty=False)
    bobs = Token(id="tk_bob", digest=digest_of(SECRET), principal="us_bob", label="run", expires_at=None)
    memory.put(bobs, 0, dirty=False)


PARTS = Parts(catalogue, prepare)
PROGRAM = ("-P", str(Path(__file__).absolute()))

if __name__ == "__main__":
    sys.exit(main(PARTS))
