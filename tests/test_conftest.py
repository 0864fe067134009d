import asyncio
import os
import pwd
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest


def test_a_connection_to_another_machine_is_refused():
    with socket.socket() as sock, pytest.raises(Exception, match="tests do not use the network"):
        sock.connect(("192.0.2.1", 80))


def test_a_connection_that_reports_by_number_is_refused_too():
    with socket.socket() as sock, pytest.raises(Exception, match="tests do not use the network"):
        sock.connect_ex(("192.0.2.1", 80))


def test_a_datagram_to_another_machine_is_refused():
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(Exception, match="tests do not use the network"):
        sock.sendto(b"x", ("192.0.2.1", 53))


def test_a_name_is_not_even_looked_up():
    with pytest.raises(Exception, match=r"'service\.example'"):
        socket.create_connection(("service.example", 443), timeout=1)


def test_an_asynchronous_connection_is_refused():
    async def leave() -> None:
        await asyncio.open_connection("192.0.2.1", 80)

    with pytest.raises(Exception, match="tests do not use the network"):
        asyncio.run(leave())


def test_a_client_that_honours_proxies_gets_nowhere():
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen("http://service.example/", timeout=2)


def test_loopback_and_unix_sockets_work(home: Path):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()

    home.mkdir()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(home / "owner.sock"))
        server.listen()
        client.connect(str(home / "owner.sock"))


def test_a_test_has_a_home_of_its_own(home: Path):
    assert os.environ["ELOHIM_HOME"] == str(home)
    assert Path.home() == home.parent
    assert not home.exists()
    assert not list(home.parent.iterdir())


def test_the_real_home_folder_is_out_of_sight(home: Path):
    real = Path(pwd.getpwuid(os.getuid()).pw_dir)

    assert Path.home() != real
    assert not str(home).startswith(f"{real}/")


def test_settings_of_the_person_who_runs_the_tests_do_not_leak_in():
    allowed = {"ELOHIM_HOME", "ELOHIM_TORTURE"}

    assert {name for name in os.environ if name.startswith(("ELOHIM_", "XDG_", "JUPYTER_"))} <= allowed
