"""Reading SARIF: the runs of a file one after another, each as findings, and whatever was cut or odd said aloud.

Files come from anybody, so size, depth and counts are bounded before they cost anything. First only the heads of the
runs are decoded, the results staying where they are in the buffer (which may be a mapped file); then they are decoded
one by one, so that one odd result does not cost the others and memory holds what is kept, not what was read.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from mmap import mmap
from typing import Any, Final, TypeAlias

import msgspec

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.findings._sarif_results import Reading
from elohim_kernel.model.finding import EngineStatus, Finding
from elohim_kernel.model.fingerprint import Fingerprinter
from elohim_kernel.model.sarif import Component, Invocation, LogHead, Message, Result, RunHead
from elohim_kernel.model.value import Value

Buffer: TypeAlias = bytes | bytearray | memoryview | mmap

RESULTS_CAP: Final = 100_000
"""Results that are taken from one run; the rest is counted."""

MAX_BYTES: Final = 512 * 1024 * 1024
RUNS_CAP: Final = 1_000
_RAW_BYTES: Final = 64  # what one result costs before it is looked at
_SPARE_BYTES: Final = 256 * 1024 * 1024
_WINDOW: Final = 1 << 20

_HEAD: Final = msgspec.json.Decoder(LogHead, strict=False)
_RESULT: Final = msgspec.json.Decoder(Result, strict=False)


class Account(Value, frozen=True):
    """How a run of a file ended, and what a reader must know; complete when its findings were read to the end."""

    status: EngineStatus
    reason: str
    covered: tuple[str, ...]  # files the run says it analysed; empty: nothing follows from absence
    findings: int
    notes: tuple[str, ...]  # what was cut, skipped or odd


class SarifRun:
    """One run of a file. Its findings are decoded while they are read, once, and not kept."""

    def __init__(self, run: RunHead, root: str) -> None:
        """See `read_sarif`."""
        driver = (run.tool.driver if run.tool else None) or Component()
        self.reading = Reading(run, root)
        self.version = driver.semantic_version or driver.version
        self.results = len(run.results or ())
        self._run = run
        self._findings = 0
        self._given: set[str] = set()

    @property
    def tool(self) -> str:
        """`import:<name>`: a file cannot speak for an engine of ours."""
        return self.reading.tool

    def findings(self) -> Iterator[Finding]:
        """The findings, without identities. Of equal ones only the first is given."""
        said: set[int] = set()
        for raw in (self._run.results or [])[:RESULTS_CAP]:
            found = self.reading.finding(_result(raw))
            if found is None:
                continue
            key = hash((found.rule, found.path, found.line, found.column, found.message))
            if key in said:
                self.reading.odd("say the same as an earlier one")
                continue
            said.add(key)
            self._findings += 1
            if found.fingerprint in self._given:
                found = msgspec.structs.replace(found, fingerprint="")
            self._given.add(found.fingerprint)
            yield found

    def identified(self, sources: Mapping[str, bytes], *, part: int = 5_000) -> Iterator[tuple[Finding, ...]]:
        """The findings in parts, with identities: our own from an earlier export where they are unique in the run, else
        worked out from `sources` (path to content at the commit), the quoted line, or the message.

        They are those the tool's own findings would have, so that both are recognised as one; only the name of the tool
        says that they came from a file.
        """
        printer = Fingerprinter(sources)
        findings = self.findings()
        while batch := list(itertools.islice(findings, part)):
            yield printer.filled(batch)

    def account(self) -> Account:
        """What became of it."""
        status, reason = _verdict(self._run.invocations or (), self._findings, self.results)
        conclusive = status in (EngineStatus.FINDINGS, EngineStatus.CLEAN)
        return Account(
            status=status,
            reason=reason,
            covered=self.reading.covered() if conclusive else (),
            findings=self._findings,
            notes=(*_cut(self.results), *self.reading.notes(), *_said(self._run.invocations or ())),
        )


def read_sarif(content: Buffer, *, root: str = "") -> Iterator[SarifRun]:
    """The runs of a SARIF file, in order. `root` is the folder that absolute paths in it are made relative to.

    `content` must stay as it is until the last run was read. Raises `Invalid` for what is no SARIF, and `TooLarge`.

    >>> run, = read_sarif(b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "X"}}, "results": []}]}')
    >>> list(run.findings()), run.account().status.value
    ([], 'clean')
    """
    view = memoryview(content)
    if view.nbytes > MAX_BYTES:
        raise TooLarge(f"the file has {view.nbytes:,} bytes; at most {MAX_BYTES:,} are read", hint="split it by run")
    if _most_results(view) * _RAW_BYTES > max(_SPARE_BYTES, view.nbytes * 3 // 2):
        raise TooLarge(f"{view.nbytes:,} bytes hold too many objects to be a report of findings")
    runs = _decoded(view).runs or []
    if len(runs) > RUNS_CAP:
        raise TooLarge(f"the file has {len(runs):,} runs; at most {RUNS_CAP:,} are read", hint="split it")
    return (SarifRun(run, root) for run in runs)


def _most_results(view: memoryview) -> int:
    """No file holds more results than opening braces."""
    return sum(bytes(view[start : start + _WINDOW]).count(b"{") for start in range(0, view.nbytes, _WINDOW)) // 2


def _decoded(view: memoryview) -> LogHead:
    try:
        head = _HEAD.decode(view)
    except RecursionError:
        raise Invalid("the file is nested too deeply to be SARIF") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Invalid(f"the file is not SARIF: {wrong}", hint="it must be JSON of SARIF 2.1.0, in UTF-8") from None
    if head.runs is None:
        raise Invalid("the file is not SARIF: it has no `runs`")
    return head


def _result(raw: Buffer) -> Result | None:
    """None for what cannot be understood at all."""
    try:
        return _RESULT.decode(raw)
    except RecursionError:
        return None
    except msgspec.DecodeError:
        return _repaired(raw)


def _repaired(raw: Buffer) -> Result | None:
    """Once more without what is null: some tools write null where the standard wants absence."""
    try:
        return msgspec.convert(_without_null(msgspec.json.decode(raw)), Result, strict=False)
    except (msgspec.DecodeError, RecursionError):
        return None


def _without_null(value: Any) -> Any:  # anybody's JSON
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value if each is not None]
    return value


def _cut(total: int) -> list[str]:
    if total <= RESULTS_CAP:
        return []
    return [f"{total:,} results, of which the first {RESULTS_CAP:,} were taken: split the file to have them all"]


def _said(invocations: Sequence[Invocation]) -> Iterator[str]:
    for each in invocations:
        for told in (each.tool_execution_notifications or ())[:3]:
            words = told.message.text if isinstance(told.message, Message) else ""
            if words and told.level in ("error", "warning"):
                yield f"the tool said: {words[:200]}"


def _verdict(invocations: Sequence[Invocation], findings: int, total: int) -> tuple[EngineStatus, str]:
    failed = [each for each in invocations if each.execution_successful is False]
    if failed:
        codes = sorted({str(each.exit_code) for each in failed if each.exit_code is not None})
        said = f"the file says that its run did not end well{f' (exit code {chr(44).join(codes)})' if codes else ''}"
        return (EngineStatus.PARTIAL if findings else EngineStatus.FAILED), said
    if findings:
        return EngineStatus.FINDINGS, f"{findings:,} findings of {total:,} results imported"
    return EngineStatus.CLEAN, "the file holds a run without a finding"
