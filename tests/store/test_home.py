import os
import stat
from pathlib import Path

import pytest

from elohim_kernel.errors import Invalid, Unavailable
from elohim_kernel.store.home import Home, Mode


def test_a_fresh_home_is_private(home: Path):
    Home(home).prepare()

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (home / "runs").is_dir()


def test_a_home_open_to_others_is_closed_to_them(home: Path):
    home.mkdir(mode=0o755)
    home.chmod(0o755)

    Home(home).prepare()

    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_home_inside_a_file_is_refused(home: Path):
    home.write_text("x")

    with pytest.raises(Invalid, match="is not a folder"):
        Home(home / "deeper").prepare()


def test_the_lock_is_held_once_and_free_after_its_descriptor_is_closed(home: Path):
    place = Home(home)
    place.prepare()

    first = place.try_lock()
    second = place.try_lock()
    assert first is not None
    os.close(first)
    third = place.try_lock()

    assert second is None
    assert third is not None
    os.close(third)


def test_a_record_tells_who_wrote_it_and_can_be_taken_back(home: Path):
    place = Home(home)
    place.prepare()
    place.write_record(Mode.OWNER, home / "owner.sock")

    record = place.record()
    place.erase_record()

    assert record is not None
    assert (record.pid, record.mode, record.socket) == (os.getpid(), Mode.OWNER, str(home / "owner.sock"))
    assert record.is_alive
    assert place.record() is None
    assert list(home.glob("owner.*")) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": "x"}', b"\xff"])
def test_a_record_that_cannot_be_read_is_no_record(home: Path, content: bytes):
    place = Home(home)
    place.prepare()
    (home / "owner.json").write_bytes(content)

    assert place.record() is None


def test_a_short_path_keeps_its_socket_in_the_home(home: Path):
    assert Home(home).socket() == home / "owner.sock"


def test_two_long_paths_get_two_sockets_that_fit(home: Path):
    paths = [Home(home / (letter * 120)).socket() for letter in "ab"]

    assert len(set(paths)) == 2
    assert all(len(os.fsencode(path)) <= 100 for path in paths)


def test_a_socket_folder_that_is_not_ours_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch):
    home.mkdir()
    (home / f"elohim-{os.getuid()}").symlink_to("/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))

    with pytest.raises(Unavailable, match="is not a private folder of ours"):
        Home(home / ("d" * 120)).socket()


def test_a_large_log_is_moved_aside(home: Path):
    place = Home(home)
    place.prepare()
    place.log.write_bytes(b"x" * 5_000_001)

    os.close(place.open_log())

    assert place.log.stat().st_size == 0
    assert (home / "owner.log.1").stat().st_size == 5_000_001
