"""Taking in what other tools found: a file, checked and bounded, becomes recorded findings of a workflow.

The file is mapped, not loaded; a compressed or UTF-16 one is first written out beside it as plain UTF-8, up to the cap.
Identities come from the repository's own content at the commit when it is at hand.
"""

import codecs
import gzip
import mmap
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import msgspec
import pyarrow as pa

from elohim_kernel.errors import Invalid, NotFound, TooLarge
from elohim_kernel.findings.exchange import from_csv, from_json_lines
from elohim_kernel.findings.recording import Recorded, RecordFindings, RememberFindings, identified_rows
from elohim_kernel.findings.sarif_in import MAX_BYTES, Account, Buffer, read_sarif
from elohim_kernel.model.finding import EngineStatus, Finding
from elohim_kernel.model.fingerprint import IMPORTED, fingerprinted
from elohim_kernel.model.identity import Identified, Known, identified
from elohim_kernel.model.linking import linked
from elohim_kernel.model.value import Value
from elohim_kernel.ports import Repository
from elohim_kernel.runtime.session import Session
from elohim_kernel.store.arrow import from_ipc

Format = Literal["sarif", "jsonl", "csv"]
OnRun = Callable[[str, int], None]

SOURCES_CAP: Final = 256 * 1024 * 1024
LINKED_CAP: Final = 20_000
"""Results of a first import that are looked at together, to find those of one problem; more are read in parts."""

_TEXT_CAP: Final = 64 * 1024 * 1024  # of the formats that are read at once
_BLOCK: Final = 1 << 20
_PART: Final = 5_000
_UNLINKED: Final = f"more than {LINKED_CAP:,} results: those of other tools on the same problem are not linked"
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
    """Record the findings of a file. Nothing is recorded of a file that is damaged.

    `repository` is the name they are kept under; `source` and `head` (a full commit id) give the content that
    identities are made of. `kind` None takes what the file's first bytes say. Raises `NotFound`, `Invalid`, `TooLarge`.
    """
    root = source.path if source is not None else ""
    with _plain_text(file) as mapped:
        chosen = kind or _kind_of(mapped.content)
        runs = read_sarif(mapped.content, root=root) if chosen == "sarif" else _rows(mapped.content, chosen)
        place = _Place(session, workflow=workflow, repository=repository, source=source, head=head, ref=ref)
        done: list[ImportedTool] = []
        for run in runs:
            done.append(place.take(run, mapped.forget, dry_run=dry_run))
            on_run(done[-1].tool, done[-1].findings)
    return Imported(file=str(file), repository=repository, workflow=workflow, runs=tuple(done), dry_run=dry_run)


class _Run(Protocol):
    """A run of a file of any kind."""

    @property
    def tool(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def results(self) -> int: ...

    def identified(self, sources: Mapping[str, bytes], *, part: int = ...) -> Iterator[tuple[Finding, ...]]: ...

    def account(self) -> Account: ...


class _Place:
    """Where findings are recorded, and the content their identities are made of."""

    def __init__(
        self, session: Session, *, workflow: str, repository: str, source: Repository | None, head: str, ref: str
    ) -> None:
        self._session = session
        self._workflow, self._repository, self._head, self._ref = workflow, repository, head, ref
        self._sources: Mapping[str, bytes] = _Sources(source, head) if source is not None else {}

    def take(self, run: _Run, forget: Callable[[], None], *, dry_run: bool) -> ImportedTool:
        """Record one run in one command; findings are dropped as soon as they are rows, and read pages with them."""
        query = RememberFindings(workflow=self._workflow, repository=self._repository, tool=run.tool, ref=self._ref)
        known: Known = self._session.ask(query)
        rows = _Rows()
        fresh = 0
        whole = run.results <= LINKED_CAP or bool(known.here or known.elsewhere or known.fixed)
        # Only when all of the run is there can findings be followed, and those of one problem be found.
        for part in run.identified(self._sources, part=run.results + 1 if whole else _PART):
            # A file must not speak for a finding of an engine, so its identities are a family of their own.
            found = identified(known, linked(part, self._sources) if whole else part, {}, family=IMPORTED)
            fresh += sum(not each.how for each in found)
            if not dry_run:
                rows.add(found)
            forget()
        account = run.account()
        return ImportedTool(
            tool=run.tool,
            status=account.status,
            reason=account.reason,
            results=run.results,
            findings=account.findings,
            new=fresh,
            notes=account.notes if whole else (*account.notes, _UNLINKED),
            event=0 if dry_run else self._record(run, account, rows.content()),
        )

    def _record(self, run: _Run, account: Account, rows: bytes) -> int:
        command = RecordFindings(
            workflow=self._workflow,
            repository=self._repository,
            tool=run.tool,
            status=account.status,
            reason="; ".join((account.reason, *account.notes))[:2_000],
            head=self._head,
            ref=self._ref,
            version=run.version,
            files=len(account.covered),
            covered=account.covered,
            rows=rows,
        )
        recorded: Recorded = self._session.do(command)
        return recorded.event


class _Rows:
    """Rows of findings as one compressed Arrow stream, written part by part."""

    def __init__(self) -> None:
        self._sink = pa.BufferOutputStream()
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

    def add(self, found: Sequence[Identified]) -> None:
        table = from_ipc(identified_rows(found))
        if self._writer is None:
            self._writer = pa.ipc.new_stream(
                self._sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
            )
        self._writer.write_table(table)

    def content(self) -> bytes:
        """Everything added; b"" for nothing."""
        if self._writer is None:
            return b""
        self._writer.close()
        content: bytes = self._sink.getvalue().to_pybytes()
        return content


class _Sources(Mapping[str, bytes]):
    """Contents of files at a commit, read when they are asked for, up to a cap in all."""

    def __init__(self, repository: Repository, head: str) -> None:
        self._repository, self._head, self._left = repository, head, SOURCES_CAP

    def __getitem__(self, path: str) -> bytes:
        try:
            content = self._repository.read(self._head, path) if path else None
        except TooLarge:
            content = None
        if content is None or len(content) > self._left:
            raise KeyError(path)
        self._left -= len(content)
        return content

    def __iter__(self) -> Iterator[str]:
        return iter(self._repository.paths(self._head))

    def __len__(self) -> int:
        return len(self._repository.paths(self._head))


class _FlatRun:
    """The rows of one tool in a file of JSON lines or CSV."""

    def __init__(self, tool: str, findings: Sequence[Finding], kind: Format) -> None:
        self.tool = tool if tool.startswith(IMPORTED) else f"{IMPORTED}{tool}"
        self.version = ""
        self.results = len(findings)
        self._findings, self._kind = findings, kind

    def identified(self, sources: Mapping[str, bytes], *, part: int = 0) -> Iterator[tuple[Finding, ...]]:
        """All at once: the file was read at once too."""
        filled = fingerprinted(self._findings, sources)
        if filled:
            yield tuple(msgspec.structs.replace(each, tool=self.tool) for each in filled)

    def account(self) -> Account:
        """A file of rows says nothing about how its tool ended."""
        reason = f"{self.results:,} findings imported from {self._kind}"
        return Account(status=EngineStatus.FINDINGS, reason=reason, covered=(), findings=self.results, notes=())


def _rows(content: Buffer, kind: Format) -> Iterator[_FlatRun]:
    text = bytes(content)
    if len(text) > _TEXT_CAP:
        raise TooLarge(f"the file has {len(text):,} bytes; at most {_TEXT_CAP:,} of {kind} are read", hint="use SARIF")
    findings = from_csv(text) if kind == "csv" else from_json_lines(text)
    by_tool: dict[str, list[Finding]] = {}
    for each in findings:
        by_tool.setdefault(each.tool, []).append(each)
    return (_FlatRun(tool, own, kind) for tool, own in sorted(by_tool.items()))


def _kind_of(content: Buffer) -> Format:
    start = bytes(content[:4096]).removeprefix(_BOM).lstrip()
    if start.startswith((b'{"id":', b'{"fingerprint":')):
        return "jsonl"
    return "sarif" if start[:1] in (b"{", b"[", b"") else "csv"


@contextmanager
def _plain_text(file: Path) -> Iterator["_Mapped"]:
    """The file's bytes as UTF-8 without a mark at the start, mapped rather than loaded."""
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
            if not start:
                raise Invalid(f"{str(file)!r} is empty")
            if start.startswith((_GZIP, *_UTF16)):
                with tempfile.TemporaryFile() as written:
                    _rewrite(file, start, written)
                    yield _Mapped(written)
            else:
                yield _Mapped(opened)
    except FileNotFoundError:
        raise NotFound(f"there is no file {str(file)!r}") from None
    except OSError as wrong:
        raise Invalid(f"{str(file)!r} cannot be read: {wrong.strerror or wrong}") from None


class _Mapped:
    """A file as memory. It is never closed by hand: results that are still to be decoded point into it."""

    def __init__(self, opened: Any) -> None:  # any open binary file
        self._mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        size = self._mapped.size()
        if size > MAX_BYTES:
            raise TooLarge(f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read", hint="split it by run")
        view = memoryview(self._mapped)
        self.content: Buffer = view[len(_BOM) :] if bytes(view[: len(_BOM)]) == _BOM else view

    def forget(self) -> None:
        """Give back the memory of what was read; it is read again from the file when somebody asks for it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


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
