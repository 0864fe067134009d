"""Start semgrep on batches of files, and read what it says of each: results, files scanned, errors.

A batch that fails or meets the deadline loses only itself. Semgrep is kept from the network (it would wait more than a
minute for a look at its newest version), from the user's settings, and from the folder it analyses.
"""

import importlib.metadata
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

import msgspec

from elohim_kernel.engines._semgrep_output import Error, Output, Result, below
from elohim_kernel.engines._semgrep_own import Own
from elohim_kernel.ports import Tools, Tree

RULES: Final = Path(__file__).with_name("semgrep_rules.json")
"""Our rules, made of `rules/` by `_semgrep_compile`."""

_FLAGS: Final = (
    "scan",
    "--json",
    "--metrics=off",
    "--disable-version-check",
    "--no-git-ignore",
    "--disable-nosem",
    "--no-rewrite-rule-ids",
    "--dataflow-traces",
    "--quiet",
    "--jobs=1",  # its domains wait for each other by spinning: two take twice the time where others run too
    "--timeout=20",
    "--timeout-threshold=2",
    "--max-target-bytes=1000000",
)
IGNORES: Final = ".semgrepignore"
_BATCH_FILES: Final = 800
_LEAST_S: Final = 4.0
_BUNDLE_BYTES: Final = 300_000
_BUNDLE_LINE: Final = 5_000
_BUNDLE_USUAL: Final = 250  # characters a line
_SCRIPT: Final = re.compile(r"\.[cm]?[jt]sx?$")


class Stopped(Exception):
    """Semgrep did not do its work on a batch; the text says why."""


def program() -> tuple[str, ...]:
    """How to start it: the semgrep of our environment, else one on the PATH, else opengrep; () when there is none."""
    ours = Path(sysconfig.get_path("scripts")) / "semgrep"
    if ours.is_file():
        return (sys.executable, "-I", str(ours))
    found = shutil.which("semgrep") or shutil.which("opengrep")
    return (found,) if found else ()


def program_version() -> str:
    """The version of the semgrep of our environment; "" of another."""
    if len(program()) < 2:
        return ""
    try:
        return importlib.metadata.version("semgrep")
    except importlib.metadata.PackageNotFoundError:
        return ""


class Run:
    """What semgrep said of the files of a tree. Paths are relative to the tree."""

    def __init__(self, tools: Tools, tree: Tree, folder: Path, own: Own, timeout_s: float) -> None:
        """`folder` is an empty one below the scratch folder; everything the run needs goes there."""
        self._tools, self._tree, self._own = tools, tree, own
        self._folder, self._beside = folder / "written", folder / "read"
        self._folder.mkdir()
        self._beside.mkdir()
        self._deadline = monotonic() + timeout_s
        self._configurations: tuple[str, ...] = ()
        self.results: list[Result] = []
        self.scanned: set[str] = set()
        self.problems: dict[str, str] = {}
        self.broken_rules: dict[str, Error] = {}
        self.stopped = ""
        self.notes: list[str] = list(own.notes)
        self.cpu_seconds = 0.0
        self.version = program_version()
        self.rules: tuple[str, ...] = ()

    def look(self) -> None:
        """Run batch by batch until done or stopped."""
        self._write_rules()
        self.problems.update((path, why) for path in self._tree.paths if (why := _unfit(Path(self._tree.root), path)))
        batches = list(_batches([path for path in self._tree.paths if path not in self.problems]))
        for number, batch in enumerate(batches):
            self._tools.progress("semgrep", number, len(batches))
            try:
                self._one(batch)
            except Stopped as why:
                self.stopped = self.stopped or str(why)
                self.problems.update(dict.fromkeys(batch, str(why)))

    def content(self, path: str) -> bytes:
        """The content that was analysed."""
        return (Path(self._tree.root) / path).read_bytes()

    def why_not(self, path: str) -> str:
        """Why a file was not analysed."""
        if path in self._tree.left_out:
            return "could not be put on disk"
        return self.problems.get(path, "not listed as scanned")

    def _write_rules(self) -> None:
        ours = self._folder / "ours.json"
        shutil.copyfile(RULES, ours)
        names = [rule["id"] for rule in msgspec.json.decode(RULES.read_bytes())["rules"]]
        configurations = [f"--config={ours}"]
        if self._own.text:
            theirs = self._folder / "own.json"
            theirs.write_text(self._own.text)
            configurations.append(f"--config={theirs}")
        self._configurations = tuple(configurations)
        self.rules = (*names, *self._own.rules)

    def _one(self, batch: Sequence[str]) -> None:
        left_s = self._deadline - monotonic()
        if left_s < _LEAST_S:
            raise Stopped("ended: the deadline had come")
        ended = self._tools.run(
            (*program(), *_FLAGS, *self._configurations, "."),
            cwd=self._laid_out(batch),
            timeout_s=left_s,
            memory_mb=0,  # its core reserves tens of gigabytes of addresses and uses few hundred megabytes
            writable=(self._folder,),
            variables=self._variables(),
        )
        self.cpu_seconds += ended.cpu_seconds
        if ended.reason:
            raise Stopped(f"semgrep did not finish: {ended.reason}")
        try:
            output = msgspec.json.decode(ended.stdout, type=Output)
        except msgspec.DecodeError as wrong:
            said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
            raise Stopped(
                f"semgrep's output is not what we read: {wrong}; exit code {ended.exit_code} {said}"
            ) from None
        self._read(output, set(batch))

    def _laid_out(self, batch: Sequence[str]) -> Path:
        """A folder with just these files, linked and not copied; tools must not write into it.

        Semgrep takes a tenth of a second for each file that is named on its command line, and nothing for a folder.
        """
        root = Path(tempfile.mkdtemp(dir=self._beside))
        for path in batch:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(Path(self._tree.root) / path, place)
        # Without a file of this name semgrep leaves out tests and whatever else its own list says.
        (root / IGNORES).write_text("")
        return root

    def _variables(self) -> Mapping[str, str]:
        return {
            "SEMGREP_ENABLE_VERSION_CHECK": "0",
            "SEMGREP_SEND_METRICS": "off",
            "SEMGREP_SETTINGS_FILE": str(self._folder / "settings.yml"),
            "SEMGREP_LOG_FILE": str(self._folder / "semgrep.log"),
            "SEMGREP_VERSION_CACHE_PATH": str(self._folder / "version"),
        }

    def _read(self, output: Output, batch: set[str]) -> None:
        self.version = output.version or self.version
        self.scanned.update(batch.intersection(map(below, output.paths.scanned)))
        for error in output.errors:
            path = below(error.path or "")
            if path in batch:
                self.problems.setdefault(path, error.reason)
            elif error.rule_id:
                self.broken_rules.setdefault(error.rule_id, error)
            else:
                raise Stopped(f"semgrep says: {' '.join(error.message.split())[:200]}")
        for each in output.results:
            path = below(each.path)
            if path in batch:
                self.results.append(msgspec.structs.replace(each, path=path))


def _unfit(root: Path, path: str) -> str:
    """Why a file is not given to semgrep; "" when it is."""
    if IGNORES in PurePosixPath(path).parts:
        return f"stands in a folder called {IGNORES}"
    if not _SCRIPT.search(path):
        return ""
    content = (root / path).read_bytes()
    lengths = [len(line) for line in content.splitlines()] or [0]
    usual = sum(lengths) / len(lengths)
    put_together = len(content) > _BUNDLE_BYTES or max(lengths) > _BUNDLE_LINE or usual > _BUNDLE_USUAL
    return "a bundle: minutes of work, and nothing that people wrote" if put_together else ""


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError:  # another file system
        shutil.copyfile(source, place)


def _batches(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    return (paths[start : start + _BATCH_FILES] for start in range(0, len(paths), _BATCH_FILES))
