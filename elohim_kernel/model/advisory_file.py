"""Reading advisories that a user gives: an OSV export (a zip of JSON files, JSON, JSON lines) or our own small form.

Everything has a cap, and what is over it or broken is counted and left out; a file that is none of these is refused.
Our form is one dated JSON document without texts, made of an export by `to_small`.
"""

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import IO, Final

import msgspec

from elohim_kernel.errors import Invalid, TooLarge
from elohim_kernel.model.advisory import (
    NPM,
    PYPI,
    Advisory,
    Bound,
    Range,
    Snapshot,
    base_score,
    normalised,
    severity_of_score,
)
from elohim_kernel.model.finding import Severity
from elohim_kernel.model.value import Value

FORMAT: Final = "elohim-advisories/1"
ECOSYSTEMS: Final = frozenset({PYPI, NPM})
"""Others are left out: nothing here reads their lock files."""

MAX_ENTRIES: Final = 500_000
MAX_ENTRY_BYTES: Final = 16 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 2 * 1024 * 1024 * 1024
MAX_RATIO: Final = 200
MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""Of a file that is not a zip, which is read as a whole."""

_SUMMARY_CHARACTERS: Final = 200
_WORDS: Final = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
}
_CWE: Final = re.compile(r"CWE-(\d{1,5})")


class _Package(msgspec.Struct, frozen=True):
    ecosystem: str = ""
    name: str = ""


class _Range(msgspec.Struct, frozen=True):
    type: str = ""
    events: tuple[dict[str, str], ...] = ()


class _Score(msgspec.Struct, frozen=True):
    type: str = ""
    score: str = ""


class _Specific(msgspec.Struct, frozen=True):
    # Databases put what they like here: these two are used, where they have the shape we know.
    severity: object = None
    cwe_ids: object = None


class _Affected(msgspec.Struct, frozen=True):
    package: _Package | None = None
    ranges: tuple[_Range, ...] | None = None
    versions: tuple[str, ...] | None = None
    severity: tuple[_Score, ...] | None = None
    database_specific: _Specific | None = None


class _Record(msgspec.Struct, frozen=True):
    """The fields we read of one OSV record."""

    id: str
    modified: str = ""
    withdrawn: str | None = None
    aliases: tuple[str, ...] | None = None
    summary: str | None = None
    details: str | None = None
    severity: tuple[_Score, ...] | None = None
    affected: tuple[_Affected, ...] | None = None
    database_specific: _Specific | None = None


class _Small(Value, frozen=True):
    """Our own form."""

    format: str
    date: str
    advisories: tuple[Advisory, ...]


_record = msgspec.json.Decoder(_Record)
_records = msgspec.json.Decoder(tuple[_Record, ...])


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.newest = ""
        self.left_out = 0
        self.records = 0

    def of(self, content: bytes) -> Iterator[Advisory]:
        """The advisories of one JSON record; a broken one is counted."""
        try:
            yield from self.from_record(_record.decode(content))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self.left_out += 1

    def from_record(self, record: _Record) -> Iterator[Advisory]:
        """What a record says of each package, unless it was withdrawn."""
        self.records += 1
        self.newest = max(self.newest, record.modified[:10])
        if not record.withdrawn:
            yield from _advisories(record)

    def snapshot(self, advisories: Iterable[Advisory]) -> Snapshot:
        """Everything that was read. Raises `Invalid` when there was no record at all."""
        made = list(advisories)
        if not self.records:
            raise Invalid("there is no advisory in it", hint="give an OSV export: a zip of JSON files, or JSON")
        return Snapshot(made, day=_day(self.newest), left_out=self.left_out)


def read_snapshot(file: IO[bytes]) -> Snapshot:
    """What an open file holds. Raises `Invalid` for one that holds no advisories, `TooLarge` for one over the caps."""
    head = file.read(4)
    file.seek(0)
    if head == b"PK\x03\x04":
        return _from_zip(file)
    content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise TooLarge(f"advisories of more than {MAX_FILE_BYTES // 1024**2} MiB are read from a zip only")
    return _from_json(content)


def to_small(snapshot: Snapshot) -> bytes:
    """The snapshot in our own form, without texts, and without lists of versions where ranges say the same."""
    slim = (
        msgspec.structs.replace(one, summary=one.summary[:80], versions=() if one.ranges else one.versions)
        for one in sorted(snapshot, key=lambda each: (each.ecosystem, each.package, each.id))
    )
    day = snapshot.day.isoformat() if snapshot.day else ""
    return msgspec.json.encode(_Small(format=FORMAT, date=day, advisories=tuple(slim)))


def _from_zip(file: IO[bytes]) -> Snapshot:
    reading = _Reading()
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.endswith(".json")]
            if len(entries) > MAX_ENTRIES:
                raise TooLarge(f"the zip holds {len(entries):,} files; at most {MAX_ENTRIES:,} are read")
            return reading.snapshot(_of_entries(archive, entries, reading))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as wrong:
        raise Invalid(f"the zip cannot be read: {type(wrong).__name__}", hint="fetch it again") from None


def _of_entries(archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo], reading: _Reading) -> Iterator[Advisory]:
    left = MAX_TOTAL_BYTES
    for entry in entries:
        # The sizes an archive states may lie: what is read is counted too.
        if entry.file_size > MAX_ENTRY_BYTES or entry.file_size > MAX_RATIO * max(entry.compress_size, 64):
            reading.left_out += 1
            continue
        with archive.open(entry) as stream:
            content = stream.read(MAX_ENTRY_BYTES + 1)
        left -= len(content)
        if left < 0:
            raise TooLarge(f"the zip holds more than {MAX_TOTAL_BYTES // 1024**3} GiB of advisories")
        yield from reading.of(content)


def _from_json(content: bytes) -> Snapshot:
    reading = _Reading()
    start = content.lstrip()[:1]
    if start == b"[":
        try:
            records = _records.decode(content)
        except (msgspec.DecodeError, RecursionError) as wrong:
            raise Invalid(f"the advisories cannot be read: {str(wrong)[:200]}") from None
        return reading.snapshot([one for record in records for one in reading.from_record(record)])
    if start != b"{":
        raise Invalid("advisories are a zip, JSON or JSON lines; this is none of them")
    if FORMAT.encode() in content[:4096]:
        return _from_small(content)
    try:
        return reading.snapshot(list(reading.from_record(_record.decode(content))))
    except (msgspec.DecodeError, RecursionError):
        lines = [line for line in content.splitlines() if line.strip()]
        return reading.snapshot([one for line in lines for one in reading.of(line)])


def _from_small(content: bytes) -> Snapshot:
    try:
        small = msgspec.json.decode(content, type=_Small)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Invalid(f"the advisories cannot be read: {str(wrong)[:200]}") from None
    if small.format != FORMAT:
        raise Invalid(f"advisories in the form {small.format!r} are not read", hint=f"this version reads {FORMAT}")
    return Snapshot(small.advisories, day=_day(small.date))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _advisories(record: _Record) -> Iterator[Advisory]:
    text = record.summary or (record.details or "").strip().partition("\n")[0]
    for each in record.affected or ():
        if each.package is None or each.package.ecosystem not in ECOSYSTEMS:
            continue
        yield Advisory(
            id=record.id[:100],
            ecosystem=each.package.ecosystem,
            package=normalised(each.package.ecosystem, each.package.name),
            aliases=(record.aliases or ())[:20],
            summary=text[:_SUMMARY_CHARACTERS],
            severity=_severity(record, each),
            cwes=_cwes(record.database_specific) or _cwes(each.database_specific),
            ranges=tuple(_range(one) for one in each.ranges or () if one.type in ("ECOSYSTEM", "SEMVER")),
            versions=each.versions or (),
        )


def _range(one: _Range) -> Range:
    known = {bound.value: bound for bound in Bound}
    return Range(
        bounds=tuple((known[key], text) for event in one.events for key, text in event.items() if key in known)
    )


def _severity(record: _Record, affected: _Affected) -> Severity | None:
    if record.id.startswith("MAL-"):
        return Severity.CRITICAL  # a package made to do harm
    scores = [base_score(each.score) for each in (*(affected.severity or ()), *(record.severity or ()))]
    known = [score for score in scores if score is not None]
    if known:
        return severity_of_score(max(known))
    for specific in (record.database_specific, affected.database_specific):
        word = specific.severity if specific else None
        if isinstance(word, str) and word.lower() in _WORDS:
            return _WORDS[word.lower()]
    return None


def _cwes(specific: _Specific | None) -> tuple[int, ...]:
    ids = specific.cwe_ids if specific else None
    if not isinstance(ids, list):
        return ()
    found = (_CWE.fullmatch(each) for each in ids[:10] if isinstance(each, str))
    return tuple(int(each[1]) for each in found if each)
