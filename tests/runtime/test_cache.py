"""What engines said before may be lost at any time, and is never wrong."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from elohim_kernel.runtime.cache import ENTRY_CAP, EngineCache, engine_cache


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "engines.sqlite"


def test_what_was_put_is_found_by_the_next_process(place: Path):
    first = EngineCache(place)
    first.put({"a": b"1", "b": b"2"})
    first.close()

    again = EngineCache(place)

    assert (again.get(["a", "b", "c"]), again.problem) == ({"a": b"1", "b": b"2"}, "")
    assert place.stat().st_mode & 0o077 == 0
    again.close()


def test_thousands_of_keys_are_asked_at_once(place: Path):
    cache = EngineCache(place)
    entries = {f"k{number}": str(number).encode() for number in range(9_000)}

    cache.put(entries)

    assert cache.get(list(entries)) == entries
    cache.close()


@pytest.mark.parametrize("damage", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_damaged_file_is_thrown_away_and_said(place: Path, damage: bytes):
    place.parent.mkdir()
    place.write_bytes(damage)

    cache = EngineCache(place)
    cache.put({"a": b"1"})

    assert cache.get(["a"]) == {"a": b"1"}
    assert "was damaged and was thrown away" in cache.problem
    cache.close()


def test_damage_that_is_met_later_is_no_error_either(place: Path):
    cache = EngineCache(place)
    cache.put({f"k{number}": b"x" * 3_000 for number in range(200)})
    cache.close()
    content = bytearray(place.read_bytes())
    content[4096:-4096] = b"\xff" * (len(content) - 8192)
    place.write_bytes(bytes(content))

    cache = EngineCache(place)
    found = cache.get([f"k{number}" for number in range(200)])
    cache.put({"new": b"1"})

    assert found == {}
    assert cache.get(["new"]) == {"new": b"1"}
    assert "thrown away" in cache.problem
    cache.close()


def test_a_file_of_another_version_is_made_again(place: Path):
    place.parent.mkdir()
    with sqlite3.connect(place) as other:
        other.execute("pragma user_version = 99")
    other.close()

    cache = EngineCache(place)

    assert "version 99" in cache.problem
    cache.close()


def test_it_stays_below_its_bound_and_forgets_what_was_not_used(place: Path):
    cache = EngineCache(place, cap_bytes=400_000)

    for number in range(100):
        cache.put({f"k{number}": b"x" * 20_000})

    kept = cache.get([f"k{number}" for number in range(100)])
    assert 0 < len(kept) < 30
    cache.close()
    assert place.stat().st_size < 1_000_000


def test_a_value_that_is_too_large_is_not_kept(place: Path):
    cache = EngineCache(place)

    cache.put({"large": b"x" * (ENTRY_CAP + 1), "small": b"x"})

    assert cache.get(["large", "small"]) == {"small": b"x"}
    cache.close()


def test_a_place_that_cannot_be_written_is_an_empty_cache(tmp_path: Path):
    (tmp_path / "cache").write_text("a file, not a folder")

    cache = EngineCache(tmp_path / "cache" / "engines.sqlite")
    cache.put({"a": b"1"})

    assert (cache.get(["a"]), "cannot be used" in cache.problem) == ({}, True)
    cache.close()


WRITER = """
import sys
from pathlib import Path
from elohim_kernel.runtime.cache import EngineCache
cache = EngineCache(Path(sys.argv[1]))
for number in range(60):
    cache.put({f"{sys.argv[2]}-{number}-{part}": b"x" * 100 for part in range(20)})
assert cache.problem == "", cache.problem
cache.close()
"""


def test_processes_and_threads_share_one_file(place: Path):
    EngineCache(place).close()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(place), name]) for name in ("one", "two")]
    cache = EngineCache(place)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: cache.put({f"t-{number}": b"y"}), range(100)))

    assert [writer.wait(60) for writer in writers] == [0, 0]

    assert len(cache.get([f"t-{number}" for number in range(100)])) == 100
    assert len(cache.get([f"one-{number}-7" for number in range(60)])) == 60
    assert cache.problem == ""
    cache.close()


def test_a_store_in_memory_remembers_nothing(tmp_path: Path):
    with engine_cache(None) as none, engine_cache(tmp_path) as some:
        assert (none, some is not None) == (None, True)
