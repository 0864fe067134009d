"""What a tool's child process may see, write and use: the one description every way of holding a child works from."""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.model.value import Value

HOME: Final = "/tmp/home"  # noqa: S108 - inside the child's own file system, where nobody else is

_VARIABLES: Final = {"LANG": "C.UTF-8", "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"}


class Caps(Value, frozen=True):
    """Limits of one child. 0 means no limit."""

    address_mb: int  # address space of each process
    memory_mb: int  # resident memory of all its processes together
    cpu_s: int  # processor time of each process
    processes: int = 256
    file_mb: int = 1024  # size of each file it writes
    written_mb: int = 1024  # what it leaves in folders it may write, together
    entries: int = 200_000  # files and folders in there
    private_mb: int = 256  # its private temporary folder, where that is its own file system


class Child(Value, frozen=True):
    """A program with its arguments, and all of this machine that it gets. Paths are absolute."""

    argv: tuple[str, ...]
    cwd: str
    caps: Caps
    search_path: str
    readable: tuple[str, ...] = ()  # files and folders, besides what the system needs
    writable: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    network: bool = False

    def environment(self, home: str) -> dict[str, str]:
        """All the variables it sees: no token, proxy, editor or Python setting of ours among them."""
        own = {"PATH": self.search_path, "HOME": home, "TMPDIR": home}
        return {**own, **_VARIABLES, **self.variables}
