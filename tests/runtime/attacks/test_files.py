"""No file of this machine is read or changed by a hostile tool: each attack is really tried."""

import os
import sys
from pathlib import Path

import pytest

from elohim_kernel.runtime.isolation import BUBBLEWRAP

CHANGES = """
for place in (host / 'file', tree / 'app.py', tree / 'file-link', tree / 'link' / 'file'):
    for act in (
        lambda: place.write_text('changed'), lambda: os.truncate(place, 0), lambda: place.unlink(),
        lambda: place.chmod(0o777), lambda: os.chown(place, 1, 1), lambda: os.utime(place, (1, 1)),
        lambda: place.rename(scratch / 'taken'), lambda: os.link(place, scratch / 'linked'),
        lambda: os.setxattr(place, 'user.x', b'1'), lambda: open(place, 'a').write('more'),
    ):
        attempt(act)
for folder in (host, tree, tree / 'link', pathlib.Path('/'), pathlib.Path('/usr'), pathlib.Path(sys.prefix)):
    for act in (
        lambda: (folder / 'made').write_text('x'), lambda: (folder / 'made.d').mkdir(),
        lambda: (folder / 'made.link').symlink_to('/'), lambda: os.mkfifo(folder / 'made.fifo'),
    ):
        attempt(act)
"""


def test_files_outside_and_of_the_tree_are_not_changed_in_any_way(machine):
    before = machine.state()
    places = [Path("/made"), Path("/usr/made"), Path(sys.prefix, "made")]

    ended = machine.attack(CHANGES)

    assert ended.exit_code == 0
    assert ended.stdout.count(b"refused") >= 50
    assert machine.state() == before
    assert [place for place in places if os.path.lexists(place)] == []


def test_nothing_is_mounted_for_writing_but_what_may_be_written_and_memory(machine):
    if machine.level is not BUBBLEWRAP:
        pytest.skip("no mounts of its own at this level")

    ended = machine.attack("print(open('/proc/self/mountinfo').read())")

    mounts = [line.split() for line in ended.stdout.decode().splitlines() if line]
    writable = {words[4] for words in mounts if "ro" not in words[5].split(",")}
    assert {place for place in writable if not place.startswith("/dev/")} == {"/tmp", str(machine.scratch)}
    assert {"/", "/proc", "/dev", "/usr"} <= {words[4] for words in mounts} - writable


def test_what_may_be_written_is_written(machine):
    ended = machine.attack(
        "(scratch / 'out.json').write_text('{}'); pathlib.Path(os.environ['HOME'], 'x').write_text('')"
    )

    assert (ended.exit_code, ended.stderr) == (0, b"")
    assert (machine.scratch / "out.json").read_text() == "{}"


READS = """
places = [host / 'file', host / '.ssh/id_rsa', host / 'store.duckdb', tree / 'file-link', tree / 'link/file',
          tree / 'passwd', pathlib.Path('/etc/shadow'), pathlib.Path(sys.argv[4])]
for place in places:
    attempt(lambda: place.read_text())
attempt(lambda: os.listdir(host))
attempt(lambda: os.listdir(tree / 'link'))
"""


def test_files_outside_are_not_read_directly_or_over_links(machine):
    ended = machine.attack(READS, str(Path.home() / ".ssh"))

    assert ended.stdout.count(b"refused") == 10
    assert machine.secret.encode() not in ended.stdout


def test_the_private_folder_is_not_the_hosts(machine):
    before = set(Path("/tmp").glob("elohim-home-*"))

    ended = machine.attack("pathlib.Path('/tmp/left-by-a-tool').write_text('x'); print(os.listdir(os.environ['HOME']))")

    assert not Path("/tmp/left-by-a-tool").exists()
    assert ended.stdout in (b"[]\n", b"")
    assert set(Path("/tmp").glob("elohim-home-*")) <= before


@pytest.mark.skipif(not Path("/etc/ssl/certs").is_dir(), reason="this system keeps certificates elsewhere")
def test_certificates_are_there_for_programs_that_do_not_start_without_and_private_keys_are_not(machine):
    code = "print(len(os.listdir('/etc/ssl/certs')) > 0)\nattempt(lambda: os.listdir('/etc/ssl/private'))"

    ended = machine.attack(code)

    lines = ended.stdout.decode().splitlines()
    assert lines[0] == str(any(Path("/etc/ssl/certs").iterdir()))
    assert lines[1].startswith("refused")
