"""How an owner lives and ends: idle, told to, killed, outdated, with strangers and lazy readers at its door."""

import os
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from elohim_kernel.errors import Incompatible, Invalid, Unavailable
from elohim_kernel.store.client import Client
from elohim_kernel.store.home import Home
from elohim_kernel.store.wire import PROTOCOL, Frames, Hello, Kind, Reply, Request, Welcome, decoder, frame

Connect = Callable[..., Client]
Start = Callable[..., "subprocess.Popen[str]"]


def note(client: Client, text: str, **more: object) -> int:
    return msgspec.msgpack.decode(client.do("note", {"text": text, **more}, user="ann"))["seq"]


def count(client: Client) -> int:
    return msgspec.msgpack.decode(client.ask("count_notes", {}, user="ann"))["count"]


def raw(home: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(10)
    sock.connect(str(home / "owner.sock"))
    return sock


def greet(sock: socket.socket, *, protocol: int = PROTOCOL, version: str = "0.1.0", replace: bool = False) -> Welcome:
    sock.sendall(frame(Hello(protocol=protocol, version=version, pid=1, replace=replace)))
    return decoder(Welcome)(next(received(sock)))


def received(sock: socket.socket) -> Iterator[bytes]:
    frames = Frames()
    while data := sock.recv(65_536):
        yield from frames.feed(data)


def test_what_the_owner_leaves_in_the_home_is_private(connect: Connect, home: Path):
    note(connect(), "x")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [home, *home.iterdir()]}

    assert set(modes.values()) == {0}
    assert {"elohim.duckdb", "owner.sock", "owner.json", "owner.lock", "owner.log", "runs"} <= set(modes)


def test_an_owner_ends_by_itself_when_nobody_is_there(connect: Connect, home: Path):
    client = connect(idle_s=0.3)
    note(client, "x")
    pid = client.status()["owner"]
    time.sleep(1.5)
    assert client.status()["owner"] == pid

    client.close()

    wait_for(lambda: not (home / "owner.json").exists())
    assert not (home / "owner.sock").exists()
    assert count(connect()) == 1


def wait_for(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "that did not happen in time"
        time.sleep(0.01)


def test_a_quiet_owner_folds_its_write_ahead_log(connect: Connect, home: Path):
    client = connect()
    note(client, "x", padding="y" * 100_000)
    assert (home / "elohim.duckdb.wal").stat().st_size > 0

    wait_for(lambda: not (home / "elohim.duckdb.wal").exists() or not (home / "elohim.duckdb.wal").stat().st_size)


def test_a_socket_left_behind_by_a_killed_owner_is_no_obstacle(connect: Connect, home: Path):
    first = connect()
    note(first, "x")
    os.kill(first.status()["owner"], 9)
    first.close()
    assert (home / "owner.sock").exists()

    assert count(connect()) == 1


def test_an_owner_that_is_told_to_end_under_load_loses_nothing(connect: Connect):
    client, told = connect(), connect()
    pid = told.status()["owner"]
    done: list[int] = []
    ends = threading.Event()

    def work(name: str) -> None:
        number = 0
        while not ends.is_set():
            done.append(note(client, f"{name}-{number}"))
            number += 1

    threads = [threading.Thread(target=work, args=(str(each),)) for each in range(8)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(done) > 50)
    os.kill(pid, signal.SIGTERM)
    before = len(done)
    wait_for(lambda: len(done) > before + 100)
    ends.set()
    for thread in threads:
        thread.join()

    assert told.status()["owner"] != pid
    assert len(set(done)) == len(done)
    assert count(told) == len(done)


def test_a_second_owner_is_refused(connect: Connect, owner_process: Start):
    client = connect()
    note(client, "x")

    second = owner_process()

    assert second.wait(10) == Unavailable.exit_code
    assert "has an owner already" in second.communicate()[1]
    assert count(client) == 1


def test_an_owner_started_by_hand_serves_clients(owner_process: Start, connect: Connect):
    owner = owner_process("--idle", "60")

    assert connect(start=False).status()["owner"] == owner.pid

    owner.send_signal(signal.SIGTERM)
    assert owner.wait(10) == 0


def test_a_client_with_another_protocol_is_told_and_served_nothing(connect: Connect, home: Path):
    note(connect(), "x")
    with raw(home) as sock:
        welcome = greet(sock, protocol=PROTOCOL + 1, version="0.2.0")

        assert (welcome.protocol, welcome.busy, welcome.ending) == (PROTOCOL, True, False)
        assert sock.recv(1) == b""


def test_an_idle_outdated_owner_makes_room_and_a_busy_one_does_not(connect: Connect, home: Path):
    first = connect()
    pid = first.status()["owner"]
    with raw(home) as sock:
        assert not greet(sock, protocol=PROTOCOL + 1, version="0.2.0", replace=True).ending
    first.close()
    time.sleep(0.2)

    with raw(home) as sock:
        assert greet(sock, protocol=PROTOCOL + 1, version="0.2.0", replace=True).ending

    second = connect()
    assert second.status()["owner"] != pid


def test_nobody_is_replaced_by_a_client_of_the_same_version(connect: Connect, home: Path):
    connect().status()
    with raw(home) as sock:
        assert not greet(sock, replace=True).ending


def test_an_owner_of_another_protocol_is_incompatible(home: Path, connect: Connect):
    place = Home(home)
    place.prepare()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home / "owner.sock"))
        listener.listen()
        (home / "owner.json").write_text(
            f'{{"pid": 1, "mode": "owner", "version": "9", "protocol": 9, "socket": "{home}/owner.sock"}}'
        )

        def answer() -> None:
            sock, _ = listener.accept()
            with sock:
                next(received(sock))
                sock.sendall(frame({"protocol": 9, "version": "9.1", "pid": 4, "mood": "new"}))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Incompatible, match=r"9\.1 .protocol 9.*upgrade"):
            connect().status()
        thread.join()


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\1\xc1"])
def test_a_stranger_is_hung_up_on_and_others_go_on(connect: Connect, home: Path, sent: bytes):
    client = connect()
    note(client, "x")

    with raw(home) as sock:
        sock.sendall(sent)

        assert sock.recv(1) == b""

    assert count(client) == 1


def test_a_reader_that_takes_nothing_does_not_hold_up_others(connect: Connect, home: Path):
    client = connect()
    note(client, "x")
    body = msgspec.msgpack.encode({"padding": 30_000_000})

    with raw(home) as lazy:
        greet(lazy)
        for number in range(3):
            lazy.sendall(frame(Request(id=number, kind=Kind.ASK, name="count_notes", body=body, user="ann")))
        wait_for(lambda: bool(lazy.recv(1, socket.MSG_PEEK)))
        seconds = []
        for number in range(20):
            started = time.monotonic()
            note(client, f"{number}")
            seconds.append(time.monotonic() - started)

        assert max(seconds) < 1.0
        assert client.status()["clients"] == 2
        wait_for(lambda: client.status()["clients"] == 1)  # more than a full buffer waits and nobody reads: hung up on


def test_256_clients_are_served_and_one_more_is_refused(connect: Connect, home: Path):
    connect().status()
    socks = [raw(home) for _ in range(255)]
    try:
        assert [greet(sock).refused for sock in socks] == [""] * 255
        for sock in socks:
            sock.sendall(frame(Request(id=1, kind=Kind.DO, name="note", body=b"\x81\xa4text\xa1x", user="ann")))
        replies = [decoder(Reply)(next(received(sock))) for sock in socks]

        assert all(reply.ok for reply in replies)
        with pytest.raises(Unavailable, match="256 clients are connected already"):
            connect().status()
    finally:
        for sock in socks:
            sock.close()


def test_a_home_with_a_long_path_gets_its_socket_elsewhere(home: Path, connect: Connect):
    deep = home / ("d" * 120)
    client = connect()
    client.home = Home(deep)

    note(client, "x")

    record = client.home.record()
    assert record is not None
    assert not record.socket.startswith(str(home))
    assert stat.S_IMODE(Path(record.socket).parent.stat().st_mode) == 0o700
    client.stop()


def test_a_home_that_is_a_file_is_refused(home: Path, connect: Connect):
    home.write_text("not a folder")

    with pytest.raises(Invalid, match=r"is not a folder; name another with --home"):
        connect().status()
