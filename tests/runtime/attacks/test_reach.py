"""A hostile tool reaches no network, no other process, no right and no setting of the kernel: each attack is tried."""

import ctypes
import os
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

from elohim_kernel.runtime.isolation import BUBBLEWRAP
from elohim_kernel.runtime.sandbox import run_child


def test_environments_and_memory_of_other_processes_are_out_of_reach(machine, monkeypatch):
    monkeypatch.setenv("API_TOKEN", machine.secret)
    code = """
print(sorted(os.environ))
others = (os.getppid(), 1) if os.getppid() > 1 else ()  # otherwise both are the sandbox's own
for pid in (*others, int(sys.argv[4])):
    for name in ('environ', 'mem', 'maps', 'cwd/file', 'root/etc/shadow'):
        attempt(lambda: open(f'/proc/{pid}/{name}', 'rb').read(100_000))
    attempt(lambda: 'attached' if libc.ptrace(0x4206, pid, 0, 0) == 0 else 1 / 0)
"""

    ended = machine.attack(code, str(os.getpid()))

    assert machine.secret.encode() not in ended.stdout
    assert b"API_TOKEN" not in ended.stdout
    assert b"attached" not in ended.stdout


NETWORK = """
port, datagrams = map(int, sys.argv[4:6])
socket.setdefaulttimeout(2)
for address in (('127.0.0.1', port), ('169.254.169.254', 80), ('203.0.113.7', 443)):
    attempt(lambda: socket.create_connection(address).sendall(b'out') or 'connected')
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'out', ('127.0.0.1', datagrams)))
attempt(lambda: socket.getaddrinfo('example.org', 80))
for name in ('\\0' + sys.argv[6], sys.argv[7]):
    attempt(lambda: socket.socket(socket.AF_UNIX).connect(name) or 'connected')
attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW) or 'opened')
"""


def test_nothing_is_reached_over_any_network_or_socket(machine, monkeypatch):
    with ExitStack() as opened:
        tcp, udp = (opened.enter_context(socket.socket(socket.AF_INET, kind)) for kind in (1, 2))
        abstract, named = (opened.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        for each in (tcp, udp):
            each.bind(("127.0.0.1", 0))
        name, place = f"elohim-test-{os.getpid()}", f"/tmp/ek-{os.getpid()}.socket"
        abstract.bind("\0" + name)
        named.bind(place)
        opened.callback(os.unlink, place)
        for each in (tcp, abstract, named):
            each.listen()
        for each in (tcp, udp, abstract, named):
            each.setblocking(False)

        ended = machine.attack(NETWORK, str(tcp.getsockname()[1]), str(udp.getsockname()[1]), name, place)

        assert b"connected" not in ended.stdout
        for each in (tcp, abstract, named):
            with pytest.raises(BlockingIOError):
                each.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(100)


def test_with_the_network_asked_for_there_is_one(machine):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]})).sendall(b'hello')"

        run_child([sys.executable, "-c", code], cwd=machine.tree, timeout_s=20, network=True, level=machine.level)

        server.settimeout(2)
        with server.accept()[0] as reached:
            assert reached.recv(10) == b"hello"


def test_other_processes_are_not_signalled(machine):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as victim:
        code = """
for pid in (os.getppid(), int(sys.argv[4]), int(sys.argv[5])):
    for number in (signal.SIGTERM, signal.SIGKILL):
        attempt(lambda: os.kill(pid, number))
"""
        ended = machine.attack(code, str(victim.pid), str(os.getpid()))

        assert ended.stdout.count(b"refused") >= 4
        assert victim.poll() is None
        victim.kill()


def test_no_new_right_name_space_mount_or_kernel_interface_is_had(machine):
    code = """
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), 'refused')
    return 'done'
number = {'x86_64': (272, 165, 250, 425, 321, 169), 'aarch64': (97, 40, 219, 425, 280, 142)}[os.uname().machine]
attempt(lambda: call(number[0], 0x10000000))
attempt(lambda: call(number[0], 0x20000))
attempt(lambda: call(number[1], b'tmpfs', str(tree).encode(), b'tmpfs', 0, None))
attempt(lambda: call(number[2], 0, -3, 1))
attempt(lambda: call(number[3], 4, bytes(120)))
attempt(lambda: call(number[4], 0, bytes(120), 120))
attempt(lambda: os.setuid(1))
# Opened and never written to: were there a hole, this machine's kernel must not pay for it.
for top, folders, names in os.walk('/proc'):
    folders[:] = [name for name in folders if not name.isdigit() and name not in ('self', 'thread-self')]
    for place in (os.path.join(top, name) for name in names):
        attempt(lambda: os.close(os.open(place, os.O_WRONLY | os.O_NONBLOCK)))
for place in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/1/oom_score_adj',
              '/dev/mem', '/dev/kmsg', '/dev/vda'):
    attempt(lambda: os.close(os.open(place, os.O_WRONLY | os.O_NONBLOCK)))
    attempt(lambda: os.close(os.open(place, os.O_RDWR | os.O_NONBLOCK)))
rights = open('/proc/self/status').read()
print(*(line for line in rights.splitlines() if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs'))))
"""

    ended = machine.attack(code)

    lines = ended.stdout.decode().splitlines()
    assert [line for line in lines[:-1] if not line.startswith("refused")] == []
    assert lines[-1].split() == ["CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1"]


def test_memory_shared_between_processes_is_private_where_that_is_claimed(machine):
    if machine.level is not BUBBLEWRAP:
        pytest.skip("not claimed at this level")
    libc = ctypes.CDLL(None)
    segment = libc.shmget(0, ctypes.c_size_t(4096), 0o1600)
    try:
        ended = machine.attack(
            "print(libc.shmget(int(sys.argv[4]), 0, 0), libc.shmctl(int(sys.argv[4]), 0, None))", str(segment)
        )

        assert ended.stdout == b"-1 -1\n"
    finally:
        libc.shmctl(segment, 0, None)
