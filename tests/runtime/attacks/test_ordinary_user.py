"""The same holds for a user without any rights: the levels need none."""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

import elohim_kernel

NOBODY = 65534
SYSTEM_PYTHON = Path(f"/usr/bin/python3.{sys.version_info.minor}")
PROGRAM = """
import json, sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from elohim_kernel.runtime import isolation, sandbox
from elohim_kernel.runtime.child import Caps
tree, code = Path(sys.argv[3]), sys.argv[4]
said = {"best": isolation.best_level().name}
for level in (isolation.BUBBLEWRAP, isolation.LANDLOCK):
    caps = Caps(address_mb=1024, memory_mb=1024, cpu_s=20, processes=40)
    ended = sandbox.run_child(
        [sys.executable, "-c", code, str(tree)], cwd=tree, timeout_s=20, level=level, caps=caps, writable=[tree / "out"]
    )
    said[level.name] = [ended.exit_code, ended.reason, ended.stdout.decode(), ended.stderr.decode()]
print(json.dumps(said))
"""
ATTACK = """
import os, pathlib, socket, sys, time
tree = pathlib.Path(sys.argv[1])
(tree / 'out' / 'result').write_text('mine')
for act in (
    lambda: (tree / 'app.py').write_text('changed'), lambda: (tree.parent / 'secret').read_text(),
    lambda: (tree / 'app.py').unlink(), lambda: socket.create_connection(('127.0.0.1', 9), 1),
):
    try:
        act()
        print('did', flush=True)
    except OSError as wrong:
        print('refused', flush=True)
for _ in range(1500):
    if os.fork() == 0:
        time.sleep(60)
time.sleep(60)
"""


@pytest.fixture
def place():
    """A folder that everybody may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="ek-nobody-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(
    os.geteuid() != 0 or not SYSTEM_PYTHON.exists(), reason="needs root and an interpreter that everybody may read"
)
def test_a_user_without_rights_is_held_and_limited_too(place):
    package, site = Path(elohim_kernel.__file__).parents[1], sysconfig.get_path("purelib")
    if not all(folder.stat().st_mode & 0o001 for each in (package, Path(site)) for folder in (each, *each.parents)):
        pytest.skip("this copy lies where only its owner may look")
    tree, out = place / "tree", place / "tree" / "out"
    out.mkdir(parents=True)
    (tree / "app.py").write_text("x = 1\n")
    (place / "secret").write_text("secret")
    for each in (tree, out, tree / "app.py"):
        os.chown(each, NOBODY, NOBODY)

    ended = subprocess.run(
        [SYSTEM_PYTHON, "-c", PROGRAM, package, site, tree, ATTACK],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        timeout=60,
        check=True,
    )

    said = json.loads(ended.stdout)
    assert (tree / "app.py").read_text() == "x = 1\n"
    for name in ("bubblewrap", "landlock"):
        code, reason, stdout, stderr = said[name]
        assert (stdout, (out / "result").read_text()) == ("refused\n" * 4, "mine")
        assert reason == "ended: more than 40 processes" or (code == 1 and "BlockingIOError" in stderr)
