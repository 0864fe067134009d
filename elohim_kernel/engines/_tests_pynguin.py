"""Pynguin, a search-based generator of tests, where it is installed: what it calls is tried like what others call.

It is not part of what we install, because it takes minutes. Of its tests only the inputs are taken: what they must give
is recorded and proven here, as for every other input.
"""

import importlib.util
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from elohim_kernel.engines._tests_running import Deadline, Side
from elohim_kernel.engines._tests_shapes import Place
from elohim_kernel.ports import Tools

OPTION: Final = "pynguin"
"""Option of a request: for how many seconds to search in each module; absent or "0" is not at all."""

_MEMORY_MB: Final = 4_096
_SLACK_S: Final = 60.0  # it imports, writes and ends outside its search
_MOST_BYTES: Final = 512 * 1024


def why_not(options_seconds: str) -> str:
    """Why it takes no part, as a sentence for the notes; "" when it does."""
    if importlib.util.find_spec("pynguin") is None:
        return "pynguin is not installed, so its search took no part"
    if not options_seconds.isdecimal() or int(options_seconds) == 0:
        return "pynguin is installed and was not asked: the option `pynguin` says for how many seconds it searches"
    return ""


def searched(
    side: Side, tools: Tools, deadline: Deadline, places: Iterable[Place], seconds: int
) -> tuple[dict[str, str], list[str]]:
    """The tests it wrote, as texts in which calls are shown, and a note for each module where there are none."""
    texts: dict[str, str] = {}
    notes: list[str] = []
    for place in places:
        out = Path(tempfile.mkdtemp(dir=tools.scratch, prefix="pynguin-")).resolve()
        argv = [sys.executable, "-s", "-P", "-m", "pynguin", "--project-path", side.roots([place])[0]]
        argv += ["--module-name", place.module, "--output-path", str(out), "--seed", "1"]
        argv += ["--maximum-search-time", str(seconds), "--assertion-generation", "NONE"]
        done = tools.run(
            argv,
            cwd=out,
            timeout_s=deadline.share(seconds + _SLACK_S),
            memory_mb=_MEMORY_MB,
            writable=(out,),
            variables={"PYNGUIN_DANGER_AWARE": "1", "PYTHONHASHSEED": "1"},
        )
        side.cpu_seconds += done.cpu_seconds
        written = [path for path in sorted(out.glob("test_*.py")) if _is_readable(path)]
        for number, path in enumerate(written):
            # Not by a name of tests: they are no tests of the repository.
            texts[f"pynguin/{place.module}/{number}.py"] = path.read_text(encoding="utf-8", errors="replace")
        if not written:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:160]
            why = done.reason or f"exit code {done.exit_code} {said}".strip()
            notes.append(f"pynguin wrote no tests for {place.module}: {why}")
    return texts, notes


def _is_readable(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size <= _MOST_BYTES
