"""What engines said of content they have seen before: a file of keys and values that may be thrown away at any time.

Keys say everything a result depends on (see `runtime.answering`), so an entry is never wrong, only unused. Several
processes and threads may use one file. A damaged file is thrown away, and `problem` says so; a busy one is a miss.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import Final

CAP_BYTES: Final = 256 * 1024 * 1024
ENTRY_CAP: Final = 4 * 1024 * 1024
"""A larger value is not kept."""

_DAY_S: Final = 86_400
_CHUNK: Final = 2_000
_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = (
    "pragma auto_vacuum = incremental",
    "pragma journal_mode = wal",
    "pragma synchronous = normal",
    f"pragma user_version = {_SCHEMA_VERSION}",
    "create table if not exists entries (key text primary key, used integer not null, value blob not null)"
    " without rowid",
)

_SELECT: Final = "select key, used, value from entries where key in (select value from json_each(?))"
_FORGET: Final = (
    "delete from entries where key in"
    " (select key from entries order by used limit (select count(*) / 3 + 1 from entries))"
)


class EngineCache:
    """A bounded cache of bytes by key in one file."""

    def __init__(self, path: Path, *, cap_bytes: int = CAP_BYTES) -> None:
        """The folder of `path` is made when it is not there; a file that cannot be used leaves an empty cache."""
        self.problem = ""
        """What was wrong with the file; "" when nothing was."""
        self._path = path
        self._cap_bytes = cap_bytes
        self._lock = threading.Lock()
        self._file: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self._opened()
        except sqlite3.DatabaseError as wrong:
            self._start_again(wrong)
        except OSError as wrong:
            self.problem = f"the cache {path} cannot be used: {wrong.strerror}"

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The values that are there, by key."""
        found: dict[str, bytes] = {}
        old: list[str] = []
        today = int(time()) // _DAY_S
        with self._lock:
            for start in range(0, len(keys), _CHUNK):
                part = json.dumps(keys[start : start + _CHUNK])
                for key, used, value in self._rows(part):
                    found[key] = value
                    if used < today:
                        old.append(key)
            self._many("update entries set used = ? where key = ?", [(today, key) for key in old])
        return found

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep those values; the least recently used ones make room for them."""
        today = int(time()) // _DAY_S
        rows = [(key, today, value) for key, value in entries.items() if len(value) <= ENTRY_CAP]
        with self._lock:
            self._many("insert or replace into entries (key, used, value) values (?, ?, ?)", rows)
            self._make_room()

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    def _opened(self) -> sqlite3.Connection:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(handle)
        file = sqlite3.connect(self._path, timeout=5.0, isolation_level=None, check_same_thread=False)
        try:
            version = file.execute("pragma user_version").fetchone()[0]
            if version not in (0, _SCHEMA_VERSION):
                raise sqlite3.DatabaseError(f"it has version {version}, we read {_SCHEMA_VERSION}")
            for statement in _SCHEMA:
                file.execute(statement)
        except sqlite3.DatabaseError:
            file.close()
            raise
        return file

    def _rows(self, keys: str) -> list[tuple[str, int, bytes]]:
        if self._file is None:
            return []
        try:
            return self._file.execute(_SELECT, (keys,)).fetchall()
        except sqlite3.OperationalError:
            return []  # busy, or the disk is full: a miss
        except sqlite3.DatabaseError as wrong:
            self._start_again(wrong)
            return []

    def _many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._file is None or not rows:
            return
        try:
            self._file.execute("begin immediate")
            try:
                self._file.executemany(statement, rows)
                self._file.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._file.execute("rollback")
                raise
        except sqlite3.OperationalError:
            return  # busy, or the disk is full: nothing is lost that cannot be made again
        except sqlite3.DatabaseError as wrong:
            self._start_again(wrong)

    def _make_room(self) -> None:
        if self._file is None:
            return
        try:
            sizes = [
                self._file.execute(f"pragma {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            ]
            if (sizes[0] - sizes[1]) * sizes[2] <= self._cap_bytes:
                return
            self._file.execute(_FORGET)
            self._file.execute("pragma incremental_vacuum").fetchall()
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError as wrong:
            self._start_again(wrong)

    def _start_again(self, wrong: Exception) -> None:
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
        self._file = None
        self.problem = f"the cache {self._path} was damaged and was thrown away: {wrong}"
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                Path(f"{self._path}{ending}").unlink()
        try:
            self._file = self._opened()
        except (sqlite3.Error, OSError) as again:
            self.problem = f"the cache {self._path} cannot be used: {again}"


@contextmanager
def engine_cache(home: Path | None) -> Iterator[EngineCache | None]:
    """What a home remembers of engines, as long as the block lasts; `None` for a store in memory."""
    if home is None:
        yield None
        return
    cache = EngineCache(home / "cache" / "engines.sqlite")
    try:
        yield cache
    finally:
        cache.close()
