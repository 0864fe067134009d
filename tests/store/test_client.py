import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from elohim_kernel.errors import Conflict, Denied, Fault, Invalid, NotFound, Unauthenticated, Unavailable
from elohim_kernel.store.client import Client
from elohim_kernel.store.home import Home, Mode

Connect = Callable[..., Client]
SECRET = "elohim_test-secret-of-bob"


def note(client: Client, text: str, **more: object) -> dict:
    options = {name: more.pop(name) for name in ("key", "token", "user", "timeout_s") if name in more}
    body = client.do("note", {"text": text, **more}, **{"user": "ann", **options})
    return msgspec.msgpack.decode(body)


def count(client: Client, user: str = "ann", **query: object) -> int:
    return msgspec.msgpack.decode(client.ask("count_notes", query, user=user))["count"]


def test_the_first_call_starts_an_owner_and_the_effect_is_there(connect: Connect):
    client = connect()

    noted = note(client, "hello")

    assert noted == {"seq": 1, "text": "hello"}
    assert count(client) == 1


def test_a_second_client_finds_the_same_owner(connect: Connect):
    first, second = connect(), connect()

    note(first, "from one")

    assert count(second) == 1
    assert first.status()["owner"] == second.status()["owner"]
    assert second.status()["clients"] == 2


def test_an_owner_shows_what_it_is(connect: Connect, home: Path):
    status = connect().status()

    assert status["home"] == str(home)
    assert status["store"] == str(home / "elohim.duckdb")
    assert {"owner", "version", "protocol", "clients", "events"} <= set(status)


def test_errors_arrive_with_class_message_and_hint(connect: Connect):
    client = connect()

    with pytest.raises(Conflict, match="that text is not wanted; take another"):
        note(client, "no")
    with pytest.raises(Fault, match="nothing was changed"):
        note(client, "bug")
    with pytest.raises(NotFound, match="no command 'nothing'"):
        client.do("nothing", {}, user="ann")
    with pytest.raises(Invalid, match="unknown field"):
        client.do("note", {"text": "a", "colour": "red"}, user="ann")
    with pytest.raises(Unauthenticated, match="nobody here is called 'eve'"):
        note(client, "a", user="eve")
    with pytest.raises(NotFound, match="no query 'nothing'"):
        client.ask("nothing", {}, user="ann")
    assert count(client) == 0


def test_a_token_stands_for_its_principal_and_for_nobody_else(connect: Connect):
    client = connect()

    note(client, "bobs", token=SECRET, user="")
    note(client, "bobs too", token=SECRET, user="bob")

    assert (count(client, "bob"), count(client, "ann")) == (2, 0)
    with pytest.raises(Denied, match="does not allow acting as 'ann'"):
        note(client, "anns", token=SECRET, user="ann")
    with pytest.raises(Unauthenticated, match="does not open this door"):
        note(client, "x", token="elohim_wrong", user="")


def test_a_key_makes_a_command_happen_once_also_across_owners(connect: Connect):
    client = connect()
    first = note(client, "once", key="nightly")
    again = note(client, "once", key="nightly")
    client.stop()

    later = note(client, "once", key="nightly")

    assert first == again == later
    assert count(client) == 1


def test_a_key_means_nothing_for_somebody_else(connect: Connect):
    client = connect()
    note(client, "anns secret", key="k")

    bobs = note(client, "bobs own", key="k", user="bob")

    assert bobs["text"] == "bobs own"
    client.stop()
    assert note(client, "bobs own", key="k", user="bob") == bobs
    assert note(client, "other", key="k", user="ann")["text"] == "anns secret"


def test_threads_of_one_client_are_in_flight_together(connect: Connect):
    client = connect()
    client.status()
    started = time.monotonic()
    threads = [threading.Thread(target=count, args=(client,), kwargs={"wait_s": 1.5}) for _ in range(4)]

    for thread in threads:
        thread.start()
    note(client, "meanwhile")
    still_asking = [thread.is_alive() for thread in threads]
    for thread in threads:
        thread.join()

    assert still_asking == [True] * 4
    assert time.monotonic() - started < 4.5  # one after the other it would be 6


def test_an_answer_that_does_not_come_in_time_says_so_and_the_client_goes_on(connect: Connect):
    client = connect()
    client.status()

    with pytest.raises(Unavailable, match=r"gave no answer within 0.2 s"):
        client.ask("count_notes", {"wait_s": 1.0}, user="ann", timeout_s=0.2)

    assert note(client, "fine")["text"] == "fine"


def test_an_answer_larger_than_a_frames_piece_arrives_whole(connect: Connect):
    client = connect()

    answer = msgspec.msgpack.decode(client.ask("count_notes", {"padding": 20_000_000}, user="ann"))

    assert len(answer["padding"]) == 20_000_000


def test_a_large_command_arrives_whole(connect: Connect):
    client = connect()

    noted = note(client, "big", padding="x" * 5_000_000)

    assert noted["text"] == "big"


def test_a_killed_owner_is_replaced_and_the_client_does_not_notice(connect: Connect):
    client = connect()
    note(client, "before")
    os.kill(client.status()["owner"], 9)

    note(client, "after")

    assert count(client) == 2


def test_a_client_that_may_not_start_an_owner_says_that_there_is_none(connect: Connect, home: Path):
    client = connect(start=False)

    with pytest.raises(Unavailable, match="nobody owns the store"):
        client.status()

    assert not home.exists()


def test_ending_the_owner_waits_until_its_store_is_free(connect: Connect, home: Path):
    client = connect()
    note(client, "one")

    client.stop()

    lock = Home(home).try_lock()
    assert lock is not None
    os.close(lock)
    assert not (home / "owner.sock").exists()
    assert not (home / "elohim.duckdb.wal").exists()


def test_a_store_held_inline_is_named_and_usable_afterwards(connect: Connect, home: Path):
    place = Home(home)
    place.prepare()
    lock = place.try_lock()
    assert lock is not None
    place.write_record(Mode.INLINE)
    client = connect()

    with pytest.raises(Unavailable, match=f"open in process {os.getpid()} .this one., for itself alone: .*wait until"):
        client.status()

    place.erase_record()
    os.close(lock)
    assert note(client, "now")["text"] == "now"


def test_a_client_loads_no_database(connect: Connect, home: Path):
    note(connect(), "so that there is an owner")
    heavy = "{'duckdb', 'pyarrow', 'pandas', 'numpy'}"
    text = (
        "import sys\nfrom elohim_kernel.config import load\nfrom elohim_kernel.runtime.session import open_session\n"
        f"session = open_session(load({{'home': {str(home)!r}}}).settings)\nprint(session.status()['events'])\n"
        f"print(sorted({heavy} & set(sys.modules)))\n"
    )

    child = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=30)

    assert child.stdout.split("\n")[:2] == ["1", "[]"], child.stderr


def test_a_client_used_after_a_fork_has_its_own_connection(connect: Connect, run_each: Callable[..., list[str]]):
    note(connect(), "parent")
    text = (
        "import os\nclient.status()\nchild = os.fork()\n"
        "if not child: os._exit(client.status()['clients'])\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), client.status()['events'])\n"
    )

    [output] = run_each(text, 1)

    assert output == "3 1"  # connections while the child had its own; events, as the parent's still works
