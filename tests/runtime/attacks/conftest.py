"""A machine with something to lose, and a hostile tool on it, at every level that claims to hold one."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from elohim_kernel.runtime import bubblewrap, landlock
from elohim_kernel.runtime.child import Caps
from elohim_kernel.runtime.isolation import BUBBLEWRAP, LANDLOCK
from elohim_kernel.runtime.sandbox import run_child

SECRET = "s3cret-of-the-host"
LEVELS = {"bubblewrap": (BUBBLEWRAP, bubblewrap.why_not()), "landlock": (LANDLOCK, landlock.why_not())}
TRY = """
import contextlib, ctypes, os, pathlib, signal, socket, stat, sys
host, tree, scratch = map(pathlib.Path, sys.argv[1:4])
libc = ctypes.CDLL(None, use_errno=True)
def attempt(act):
    try:
        print('did:', act())
    except BaseException as wrong:
        print('refused:', type(wrong).__name__)
"""


@pytest.fixture(params=LEVELS)
def level(request):
    found, why_not = LEVELS[request.param]
    if why_not:
        pytest.skip(why_not)
    return found


class Machine:
    """A host with something to lose, and a child on it."""

    secret = SECRET

    def __init__(self, folder, level):
        self.host, self.tree, self.scratch = (folder / name for name in ("host", "tree", "scratch"))
        self.level = level
        for each in (self.host, self.host / ".ssh", self.tree, self.scratch):
            each.mkdir(exist_ok=True)
        for name in ("file", ".ssh/id_rsa", "store.duckdb"):
            (self.host / name).write_text(SECRET)
        (self.tree / "app.py").write_text("x = 1\n")
        for name, target in (("link", self.host), ("file-link", self.host / "file"), ("passwd", "/etc/shadow")):
            (self.tree / name).symlink_to(target)

    def attack(self, code, *words, timeout_s=20.0, **caps):
        asked = {"address_mb": 2048, "memory_mb": 1024, "cpu_s": 20, **caps}
        return run_child(
            [sys.executable, "-I", "-c", TRY + code, str(self.host), str(self.tree), str(self.scratch), *words],
            cwd=self.tree,
            timeout_s=timeout_s,
            readable=(self.tree,),
            writable=(self.scratch,),
            level=self.level,
            caps=Caps(**asked),
            output_cap=1_000_000,
        )

    def state(self):
        """Everything of the host's and the tree's files that an attack could change."""
        found = {}
        for top in (self.host, self.tree):
            for place in sorted((top, *top.rglob("*"))):
                what = place.lstat()
                content = place.readlink() if place.is_symlink() else place.read_bytes() if place.is_file() else ""
                found[str(place)] = (what.st_mode, what.st_uid, what.st_mtime_ns, what.st_nlink, content)
        return found


@pytest.fixture
def machine(tmp_path, level):
    return Machine(tmp_path, level)


@pytest.fixture
def with_word() -> Callable[[str], list[int]]:
    """Finds the processes of this machine that were started with a word."""
    return _with_word


def _with_word(word):
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and word.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found
