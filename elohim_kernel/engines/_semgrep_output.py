"""What we read of semgrep's JSON. Unknown fields are ignored, and what authors of rules write may be anything."""

from typing import Any, Final

import msgspec

_WORDS: Final = {
    "PartialParsing": "only parsed in part",
    "Timeout": "took too long",
    "OutOfMemory": "took too much memory",
}


def below(name: str) -> str:
    """A path as semgrep writes it, relative to the folder it looked at."""
    return name.removeprefix("./")


class Position(msgspec.Struct, frozen=True):
    """A place in a file; both 1-based."""

    line: int
    col: int = 0


class Step(msgspec.Struct, frozen=True):
    """One place a value passes on its way."""

    path: str
    line: int
    column: int
    text: str


class _Location(msgspec.Struct, frozen=True):
    path: str
    start: Position


class _Variable(msgspec.Struct, frozen=True):
    location: _Location
    content: str = ""


class Flow(msgspec.Struct, frozen=True):
    """Where a value comes from and goes to. Only builds of semgrep with a login, and opengrep, tell it."""

    taint_source: Any = None  # ["CliLoc", [location, code]], or a call that holds another one
    intermediate_vars: tuple[_Variable, ...] | None = None
    taint_sink: Any = None  # the same

    @property
    def source(self) -> Step | None:
        """Where the value comes from; None when it is not said in a form we read."""
        return _step(self.taint_source)

    @property
    def steps(self) -> tuple[Step, ...]:
        """From the source by way of variables to the sink, in order."""
        between = (
            Step(
                path=below(each.location.path),
                line=each.location.start.line,
                column=each.location.start.col,
                text=each.content,
            )
            for each in self.intermediate_vars or ()
        )
        return tuple(step for step in (self.source, *between, _step(self.taint_sink)) if step is not None)


def _step(said: Any) -> Step | None:  # any JSON
    match said:
        case ["CliLoc", [{"path": str(path), "start": {"line": int(line), "col": int(column)}}, str(text)]]:
            return Step(path=below(path), line=line, column=column, text=" ".join(text.split()))
    return None


class Metadata(msgspec.Struct, frozen=True):
    """What we read of the metadata of a rule; authors write what they like, hence `Any`."""

    cwe: Any = None
    confidence: Any = None
    instead: str = ""


class Extra(msgspec.Struct, frozen=True):
    """What semgrep adds to a place."""

    message: str = ""
    severity: str = ""
    metadata: Metadata = Metadata()
    dataflow_trace: Flow | None = None


class Result(msgspec.Struct, frozen=True):
    """One match of a rule."""

    check_id: str
    path: str
    start: Position
    end: Position
    extra: Extra


class Error(msgspec.Struct, frozen=True):
    """Something semgrep could not do, with a file or with a rule."""

    message: str = ""
    level: str = ""
    type: Any = None  # a word, or a list of a word and places
    path: str | None = None
    rule_id: str | None = None

    @property
    def kind(self) -> str:
        """What went wrong, in semgrep's word for it."""
        kind = self.type[0] if isinstance(self.type, list) and self.type else self.type
        return kind if isinstance(kind, str) else "error"

    @property
    def reason(self) -> str:
        """Why a file was not analysed, in our words."""
        return _WORDS.get(self.kind, self.kind.lower())


class _Paths(msgspec.Struct, frozen=True):
    scanned: tuple[str, ...] = ()


class Output(msgspec.Struct, frozen=True):
    """All of one run. `lines` and `fingerprint` of results are left out: without a login they are one text for all."""

    results: tuple[Result, ...]
    errors: tuple[Error, ...]
    paths: _Paths
    version: str = ""
