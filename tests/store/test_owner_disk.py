"""An owner on a disk that is full, read-only, or breaks the store: said clearly, and nothing acknowledged is lost."""

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from elohim_kernel.errors import Unavailable
from elohim_kernel.store.client import Client

Connect = Callable[..., Client]

pytestmark = pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount here")


def note(client: Client, text: str, **more: object) -> int:
    return msgspec.msgpack.decode(client.do("note", {"text": text, **more}, user="ann"))["seq"]


def count(client: Client) -> int:
    return msgspec.msgpack.decode(client.ask("count_notes", {}, user="ann"))["count"]


@pytest.fixture
def small_disk(home: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    """Mounts the home on a disk of 6 MB, or as the test asks; gives a function that mounts it again with options."""
    home.mkdir()
    size = getattr(request, "param", "6m")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(home)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a disk of its own here")

    def again(options: str) -> None:
        # An owner that has let go of the store may still hold its log for a moment.
        argv = ["mount", "-o", f"remount,{options}", str(home)]
        deadline = time.monotonic() + 10
        while subprocess.run(argv, capture_output=True).returncode:
            assert time.monotonic() < deadline, "the disk could not be mounted again"
            time.sleep(0.05)

    yield again
    subprocess.run(["umount", "-l", str(home)], check=True)


def test_a_read_only_home_is_refused_and_left_alone(small_disk: Callable[[str], None], connect: Connect, home: Path):
    client = connect()
    note(client, "x")
    client.stop()
    before = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
    small_disk("ro")

    with pytest.raises(Unavailable, match="cannot be used: Read-only file system; check its rights"):
        note(client, "y")

    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == before
    small_disk("rw")
    assert count(client) == 1


def test_a_full_disk_is_named_and_nothing_acknowledged_is_lost(
    small_disk: Callable[[str], None], connect: Connect, home: Path
):
    client = connect()
    done: list[int] = []

    with pytest.raises(Unavailable, match="No space left on device"):
        done.extend(note(client, "z" * 20_000) for _ in range(1_000))

    assert count(client) == len(done)
    small_disk("size=60m")
    note(client, "room again")
    client.stop()
    assert count(client) == len(done) + 1
    assert msgspec.msgpack.decode(client.ask("check_log", {}, user="ann"))


@pytest.mark.parametrize("small_disk", ["26m"], indirect=True)
def test_a_store_that_breaks_after_a_commit_is_left_without_a_guess(
    small_disk: Callable[[str], None], connect: Connect
):
    """DuckDB may keep a commit and break while it folds its log: "done" and "failed" would both be guesses."""
    client = connect()
    text = os.urandom(200_000).hex()
    done: list[int] = []

    def fill() -> None:
        for number in itertools.count():
            client.do("note", {"text": os.urandom(200_000).hex()}, user="ann", key=f"k{number}")
            done.append(number)

    with pytest.raises(Unavailable, match=r"it may have happened; repeating it with the key 'k.*' is safe"):
        fill()
    small_disk("size=200m")
    client.do("note", {"text": text}, user="ann", key=f"k{len(done)}")

    assert count(client) == len(done) + 1
    assert msgspec.msgpack.decode(client.ask("check_log", {}, user="ann"))
