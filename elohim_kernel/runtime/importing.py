"""Taking in what other tools found: a file, checked and bounded, becomes recorded findings of a workflow.

The file is mapped, not loaded; a compressed or UTF-16 one is first written out beside it as plain UTF-8, up to the cap.
Identities come from the repository's own content at the commit when it is at hand.
"""

import codecs
import gzip
import mmap
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from elohim_kernel.errors import Invalid, NotFound, TooLarge
from elohim_kernel.findings.exchange import from_csv, from_json_lines
from elohim_kernel.findings.recording import KnownFindings, RecordFindings, finding_rows
from elohim_kernel.findings.sarif_in import MAX_BYTES, Buffer, ImportedRun, identified, read_sarif
from elohim_kernel.model.finding import EngineStatus, Finding
from elohim_kernel.model.matching import match
from elohim_kernel.model.value import Value
from elohim_kernel.ports import Repository
from elohim_kernel.runtime.session import Session

Format = Literal["sarif", "jsonl", "csv"]
OnRun = Callable[[str, int], None]

SOURCES_CAP: Final = 256 * 1024 * 1024
_TEXT_CAP: Final = 64 * 1024 * 1024  # of the formats that are read at once
_BLOCK: Final = 1 << 20
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"


class ImportedTool(Value, frozen=True):
    """What was taken from one run of the file."""

    tool: str
    status: EngineStatus
    reason: str
    results: int  # in the file
    findings: int  # recorded, equal ones folded
    new: int  # of them, those not known before
    notes: tuple[str, ...] = ()
    event: int = 0  # number of the event that recorded them; 0 in a dry run


class Imported(Value, frozen=True):
    """What an import did, run by run."""

    file: str
    repository: str
    workflow: str
    runs: tuple[ImportedTool, ...]
    dry_run: bool = False

    def __repr__(self) -> str:
        found, new = sum(run.findings for run in self.runs), sum(run.new for run in self.runs)
        return f"<Imported {found:,} findings, {new:,} new, of {len(self.runs)} runs in {self.file}>"


def unheard(_tool: str, _findings: int) -> None:
    """Progress for nobody."""


def import_findings(
    session: Session,
    file: Path,
    *,
    workflow: str,
    repository: str,
    source: Repository | None = None,
    head: str = "",
    ref: str = "",
    kind: Format | None = None,
    dry_run: bool = False,
    on_run: OnRun = unheard,
) -> Imported:
    """Record the findings of a file. Nothing is recorded before the whole file is understood.

    `repository` is the name they are kept under; `source` and `head` (a full commit id) give the content that
    identities are made of. `kind` None takes what the file's first bytes say. Raises `NotFound`, `Invalid`, `TooLarge`.
    """
    root = source.path if source is not None else ""
    with _plain_text(file) as content:
        chosen = kind or _kind_of(content)
        runs = list(read_sarif(content, root=root) if chosen == "sarif" else _rows(content, chosen))
        prepared: list[tuple[ImportedRun, tuple[Finding, ...]]] = []
        for run in runs:
            sources = _sources(source, head, {each.path for each in run.findings}) if source else {}
            prepared.append((run, identified(run, sources)))
            on_run(run.tool, len(run.findings))
    done = [
        _record(session, run, found, workflow=workflow, repository=repository, head=head, ref=ref, dry_run=dry_run)
        for run, found in prepared
    ]
    return Imported(file=str(file), repository=repository, workflow=workflow, runs=tuple(done), dry_run=dry_run)


def _record(
    session: Session,
    run: ImportedRun,
    findings: Sequence[Finding],
    *,
    workflow: str,
    repository: str,
    head: str,
    ref: str,
    dry_run: bool,
) -> ImportedTool:
    known = session.ask(KnownFindings(workflow=workflow, repository=repository, tool=run.tool))
    paired = {id(pair.current): pair.previous.fingerprint for pair in match(known, findings, {}).pairs} if known else {}
    # A file must not speak for a finding of an engine, so its identities are a family of their own.
    identities = [f"import:{paired.get(id(each), each.fingerprint)}" for each in findings]
    event = 0
    if not dry_run:
        command = RecordFindings(
            workflow=workflow,
            repository=repository,
            tool=run.tool,
            status=run.status,
            reason="; ".join((run.reason, *run.notes))[:2_000],
            head=head,
            ref=ref,
            version=run.version,
            files=len(run.covered),
            covered=run.covered,
            rows=finding_rows(findings, identities) if findings else b"",
        )
        event = session.do(command).event
    return ImportedTool(
        tool=run.tool,
        status=run.status,
        reason=run.reason,
        results=run.results,
        findings=len(findings),
        new=len(findings) - len(paired),
        notes=run.notes,
        event=event,
    )


def _sources(source: Repository, head: str, paths: Iterable[str]) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    left = SOURCES_CAP
    for path in sorted(paths):
        try:
            content = source.read(head, path) if path else None
        except TooLarge:
            continue
        if content is not None and len(content) <= left:
            found[path] = content
            left -= len(content)
    return found


def _rows(content: Buffer, kind: Format) -> Iterator[ImportedRun]:
    text = bytes(content)
    if len(text) > _TEXT_CAP:
        raise TooLarge(f"the file has {len(text):,} bytes; at most {_TEXT_CAP:,} of {kind} are read", hint="use SARIF")
    findings = from_csv(text) if kind == "csv" else from_json_lines(text)
    for tool in sorted({each.tool for each in findings}):
        own = tuple(each for each in findings if each.tool == tool)
        name = tool if tool.startswith("import:") else f"import:{tool}"
        yield ImportedRun(
            tool=name,
            version="",
            status=EngineStatus.FINDINGS,
            reason=f"{len(own):,} findings imported from {kind}",
            findings=own,
            covered=(),
            results=len(own),
        )


def _kind_of(content: Buffer) -> Format:
    start = bytes(content[:4096]).removeprefix(_BOM).lstrip()
    if start.startswith((b'{"id":', b'{"fingerprint":')):
        return "jsonl"
    return "sarif" if start[:1] in (b"{", b"[", b"") else "csv"


@contextmanager
def _plain_text(file: Path) -> Iterator[Buffer]:
    """The file's bytes as UTF-8 without a mark at the start, mapped rather than loaded."""
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
            if not start:
                raise Invalid(f"{str(file)!r} is empty")
            if start.startswith((_GZIP, *_UTF16)):
                with tempfile.TemporaryFile() as written:
                    _rewrite(file, start, written)
                    with _mapped(written) as content:
                        yield content
            else:
                with _mapped(opened) as content:
                    yield content
    except FileNotFoundError:
        raise NotFound(f"there is no file {str(file)!r}") from None
    except OSError as wrong:
        raise Invalid(f"{str(file)!r} cannot be read: {wrong.strerror or wrong}") from None


@contextmanager
def _mapped(opened: Any) -> Iterator[Buffer]:  # any open binary file
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        if mapped.size() > MAX_BYTES:
            raise TooLarge(
                f"the file has {mapped.size():,} bytes; at most {MAX_BYTES:,} are read", hint="split it by run"
            )
        view = memoryview(mapped)
        skipped = view[len(_BOM) :] if bytes(view[: len(_BOM)]) == _BOM else view
        try:
            yield skipped
        finally:
            skipped.release()
            view.release()


def _rewrite(file: Path, start: bytes, into: Any) -> None:  # an open binary file
    compressed = start.startswith(_GZIP)
    written = 0
    try:
        with gzip.open(file) if compressed else file.open("rb") as opened:
            begin = opened.peek(2)[:2] if compressed else start[:2]
            encoding = "utf-16" if begin in _UTF16 else ""
            decode = _decoder(encoding)
            while block := opened.read(_BLOCK):
                text = decode(block)
                written += len(text)
                if written > MAX_BYTES:
                    raise TooLarge(f"{str(file)!r} is larger than {MAX_BYTES:,} bytes when it is unpacked")
                into.write(text)
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as wrong:
        raise Invalid(f"{str(file)!r} is damaged: {wrong}") from None
    into.flush()


def _decoder(encoding: str) -> Callable[[bytes], bytes]:
    if not encoding:
        return bytes
    incremental = codecs.getincrementaldecoder(encoding)()
    return lambda block: incremental.decode(block).encode()
