"""Whoever changes the log behind our back is found: every kind of change, on real files, each tried many times."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from elohim_kernel.store.database import Database
from elohim_kernel.store.log import GENESIS, Checkpoint, micros_of, record_hash, verify

EVENTS = 150
TRIES = 60
TEXTS = ("kind", "subject", "scope", "actor", "request", "body", "hash")
COLUMNS = ("seq", "ts", *TEXTS)

Rows = list[dict[str, Any]]


class Log:
    """The log in a file, as somebody with a database tool sees it."""

    def __init__(self, path: Path, checkpoint: Checkpoint) -> None:
        self.database = Database(path)
        self.checkpoint = checkpoint
        self.database.execute("create table honest as from events")
        self.count = self.database.rows("select count(*) as n from events")[0]["n"]

    def run(self, sql: str, **values: object) -> None:
        self.database.execute(sql, values)

    def rows(self) -> Rows:
        return self.database.rows("from honest order by seq")

    def write(self, rows: Rows) -> None:
        """Put these records in place of all."""
        columns = self.database.read("from honest").schema
        self.database.execute("delete from events")
        self.database.insert("events", pa.Table.from_pylist(rows, columns))

    def restore(self) -> None:
        self.database.execute("delete from events")
        self.database.execute("insert into events from honest")


def edit(log: Log, chance: random.Random) -> None:
    """Change one character, or one time by one microsecond."""
    seq = chance.randint(1, log.count)
    column = chance.choice(("ts", *TEXTS))
    if column == "ts":
        log.run("update events set ts = ts + interval 1 microsecond where seq = $seq", seq=seq)
        return
    text: str = log.database.rows(f'select "{column}" as text from events where seq = $seq', {"seq": seq})[0]["text"]  # noqa: S608
    place = chance.randrange(len(text) + 1)
    other = chance.choice([one for one in "aA0 \x1f\n:é" if one != text[place : place + 1]])
    changed = chance.choice([text[:place] + other + text[place:], text[:place] + other + text[place + 1 :]])
    log.run(f'update events set "{column}" = $changed where seq = $seq', changed=changed, seq=seq)  # noqa: S608


def shift_a_border(log: Log, chance: random.Random) -> None:
    """Move a character from the end of one field to the beginning of the next."""
    seq = chance.randint(1, log.count)
    one, other = chance.choice([("kind", "subject"), ("subject", "scope"), ("scope", "actor"), ("actor", "request")])
    log.run(f"update events set {one} = {one}[:-2], {other} = {one}[-1] || {other} where seq = $seq", seq=seq)  # noqa: S608


def empty(log: Log, chance: random.Random) -> None:
    """Put NULL where there was something."""
    column = chance.choice(COLUMNS)
    log.run(f'update events set "{column}" = null where seq = $seq', seq=chance.randint(1, log.count))  # noqa: S608


def delete(log: Log, chance: random.Random) -> None:
    """Take out some records, though not the last ones."""
    first = chance.randint(1, log.count - 1)
    last = min(first + chance.randrange(5), log.count - 1)
    log.run("delete from events where seq between $first and $last", first=first, last=last)


def delete_and_close_up(log: Log, chance: random.Random) -> None:
    """Take out a record and number those behind it anew."""
    seq = chance.randint(1, log.count - 1)
    log.run("delete from events where seq = $seq", seq=seq)
    log.run("update events set seq = seq - 1 where seq > $seq", seq=seq)


def swap(log: Log, chance: random.Random) -> None:
    """Let two records change their places in the order."""
    one, other = chance.sample(range(1, log.count + 1), 2)
    sql = "update events set seq = case seq when $one then $other else $one end where seq in ($one, $other)"
    log.run(sql, one=one, other=other)


def insert(log: Log, chance: random.Random) -> None:
    """Squeeze a copy of a record in, and make room for it."""
    seq, source = chance.randint(1, log.count), chance.randint(1, log.count)
    log.run("update events set seq = seq + 1 where seq >= $seq", seq=seq)
    log.run("insert into events select * replace ($seq as seq) from honest where seq = $source", seq=seq, source=source)


def append(log: Log, chance: random.Random) -> None:
    """Add a record at the end, without its number or far behind."""
    seq = chance.choice([log.count + 1, log.count + 2, log.count + 1_000_000, 0, -1, None])
    source = chance.randint(1, log.count)
    log.run("insert into events select * replace ($seq as seq) from honest where seq = $source", seq=seq, source=source)


def double(log: Log, chance: random.Random) -> None:
    """Write a record a second time under its own number."""
    log.run("insert into events from honest where seq = $seq", seq=chance.randint(1, log.count))


def truncate(log: Log, chance: random.Random) -> None:
    """Cut the end off."""
    log.run("delete from events where seq > $seq", seq=chance.randint(0, log.checkpoint.seq - 1))


def forge(log: Log, chance: random.Random) -> None:
    """Change a record and make every hash from there on anew, as the program would."""
    seq = chance.randint(1, log.checkpoint.seq)
    rows = log.rows()
    rows[seq - 1]["actor"] += "x"
    rechain(rows)
    log.write(rows)


def forge_by_leaving_out(log: Log, chance: random.Random) -> None:
    """Leave a record out and make numbers and hashes anew."""
    rows = log.rows()
    del rows[chance.randrange(log.checkpoint.seq)]
    rechain(rows)
    log.write(rows)


def rechain(rows: Rows) -> None:
    head = GENESIS
    for seq, row in enumerate(rows, 1):
        row["seq"] = seq
        fields = [str(seq), *(row[name] for name in TEXTS[:-1])]
        head = row["hash"] = record_hash(head, micros_of(row["ts"]), fields)


ALONE = [edit, shift_a_border, empty, delete, delete_and_close_up, swap, insert, append, double]
WITH_CHECKPOINT = [truncate, forge, forge_by_leaving_out]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, bench_factory: Callable[..., Any]) -> Iterator[Log]:
    path = tmp_path_factory.mktemp("log") / "elohim.duckdb"
    bench = bench_factory(path)
    bench.fill(EVENTS)
    checkpoint = bench.store.checkpoint()
    bench.fill(10)
    bench.store.close()
    opened = Log(path, checkpoint)
    yield opened
    opened.database.close()


def found_of(log: Log, change: Callable[[Log, random.Random], None], checkpoint: Checkpoint | None) -> int:
    found = 0
    for seed in range(TRIES):
        change(log, random.Random(f"{change.__name__} {seed}"))
        found += not verify(log.database, checkpoint).ok
        log.restore()
    return found


def test_an_honest_log_is_found_whole_with_and_without_a_checkpoint(log: Log):
    alone, with_checkpoint = verify(log.database), verify(log.database, log.checkpoint)

    assert alone == with_checkpoint
    assert (alone.ok, alone.events, alone.first_bad, alone.problem) == (True, log.count, 0, "")


@pytest.mark.parametrize("change", ALONE, ids=lambda change: change.__name__)
def test_a_change_is_found_without_a_checkpoint(log: Log, change: Callable[[Log, random.Random], None]):
    assert found_of(log, change, None) == TRIES


@pytest.mark.parametrize("change", [*ALONE, *WITH_CHECKPOINT], ids=lambda change: change.__name__)
def test_a_change_is_found_with_a_checkpoint(log: Log, change: Callable[[Log, random.Random], None]):
    assert found_of(log, change, log.checkpoint) == TRIES


@pytest.mark.parametrize("change", WITH_CHECKPOINT, ids=lambda change: change.__name__)
def test_a_cut_or_forged_log_cannot_be_told_without_a_checkpoint(
    log: Log, change: Callable[[Log, random.Random], None]
):
    """Why checkpoints are kept elsewhere: if this fails, the explanation of `audit verify` must change."""
    assert found_of(log, change, None) == 0


def test_what_is_found_names_the_first_bad_record(log: Log):
    said = {}
    for name, sql in {
        "edit": "update events set actor = 'eve' where seq = 40",
        "hole": "delete from events where seq between 41 and 60",
        "double": "insert into events from honest where seq = 42",
        "loose": "insert into events select * replace (null as seq) from honest where seq = 1",
        "cut": "delete from events where seq > 43",
    }.items():
        log.run(sql)
        verification = verify(log.database, log.checkpoint)
        said[name] = (verification.first_bad, verification.problem)
        log.restore()

    assert said["edit"] == (40, "record 40 does not fit its hash: it or one before was changed")
    assert said["hole"] == (41, "record 41 is missing or doubled: found 61 in its place")
    assert said["double"] == (43, "record 43 is missing or doubled: found 42 in its place")
    assert said["loose"] == (log.count + 1, f"1 records lie outside the chain after record {log.count}")
    assert said["cut"] == (44, f"the log ends at record 43, the checkpoint saw {log.checkpoint.seq}: it was cut")


@pytest.mark.parametrize("chunk", [1, 7, 149, 150, 10_000])
def test_how_much_is_read_at_once_makes_no_difference(log: Log, chunk: int):
    log.run("delete from events where seq between 20 and 60")
    broken = verify(log.database, chunk=chunk)
    log.restore()

    assert verify(log.database, chunk=chunk).ok
    assert (broken.ok, broken.first_bad) == (False, 20)
