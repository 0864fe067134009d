"""Many client processes at once: one owner, no error, nothing lost or doubled, nobody starved."""

from collections.abc import Callable

import msgspec

from elohim_kernel.store.client import Client

Connect = Callable[..., Client]
RunEach = Callable[..., list[str]]


def test_six_clients_that_start_at_once_get_one_owner(run_each: RunEach):
    owners = run_each("print(client.status()['owner'])", 6)

    assert len(set(owners)) == 1


def test_clients_that_start_while_an_owner_ends_are_served(run_each: RunEach, connect: Connect):
    connect().status()

    seen = run_each(
        "for n in range(8):\n"
        "    client.do('note', {'text': f'{number}-{n}'}, user='ann')\n"
        "    if n % 4 == number % 4: client.stop()\n"
        "print('done')",
        3,
    )

    assert seen == ["done"] * 3
    assert msgspec.msgpack.decode(connect().ask("count_notes", {}, user="ann"))["count"] == 24


def test_eight_processes_with_mixed_work_lose_and_double_nothing_and_share_fairly(run_each: RunEach, connect: Connect):
    connect().status()

    outputs = run_each(
        "from elohim_kernel.errors import Conflict\n"
        "client.status()\n"
        "end = time.time() + 2.5\n"
        "done = refused = asked = 0\n"
        "while time.time() < end:\n"
        "    key = f'{number}-{done}' if done % 5 == 0 else ''\n"
        "    client.do('note', {'text': f'{number}-{done}'}, user='ann', key=key)\n"
        "    done += 1\n"
        "    if done % 10 == 0:\n"
        "        try: client.do('note', {'text': 'no'}, user='bob')\n"
        "        except Conflict: refused += 1\n"
        "        client.ask('count_notes', {}, user='bob')\n"
        "        asked += 1\n"
        "assert refused == asked == done // 10\n"
        "print(done)",
        8,
    )

    done = [int(output) for output in outputs]
    assert msgspec.msgpack.decode(connect().ask("count_notes", {}, user="ann"))["count"] == sum(done)
    assert max(done) <= 3 * min(done), done
