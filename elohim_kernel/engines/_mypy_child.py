"""The child process of the mypy engine: copies the sources, checks them in rounds, and says which it could not check.

One file that does not parse stops all of mypy, and so do two modules of one name: the first is taken out and the rest
checked again, the second waits for the next round. In the copies comments that silence mypy are defused. A file with an
error of our own is checked in each round: a round that does not report it proves nothing.
"""

import ast
import json
import os
import re
import sys
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mypy import api

MAX_BYTES: Final = 1024 * 1024
MAX_ROUNDS: Final = 4
MAX_ATTEMPTS: Final = 200

_SILENCING: Final = re.compile(rb"(#[ \t]*(?:type[ \t]*(?=:[ \t]*ignore)|mypy[ \t]*(?=:)))(:)")
_SAID: Final = re.compile(r"^(?P<path>[^:\n]+):(?:\d+:)* error: ", re.MULTILINE)
_TOO_NEW: Final = re.compile(r"requires Python 3\.\d+ or newer")


def main() -> None:
    """Read what is asked as JSON, write `{"rounds", "skipped", "excluded"}`; see `check`."""
    asked = json.loads(sys.stdin.buffer.read())
    os.dup2(2, 1)  # whatever writes to standard output from here on does not spoil the answer
    sys.stdout = sys.stderr
    answer = check(**asked)
    with os.fdopen(_ANSWER, "w") as out:
        out.write(json.dumps(answer))


_ANSWER: Final = os.dup(1) if __name__ == "__main__" else -1


def check(
    *,
    root: str,
    into: str,
    sources: Sequence[str],
    context: Sequence[str],
    exclude: Sequence[str],
    options: Sequence[str],
    newest: str,
    canary: str,
) -> dict[str, Any]:  # JSON, hence Any
    """Check `sources`, with `context` there to be imported; both are paths below `root`.

    `newest` is the target to check for when a source needs a newer Python than the running one; "" keeps the target.
    """
    work = Path(into)
    skipped: dict[str, str] = {}
    excluded = sorted(set(_excluded(sources, exclude)))
    gone = set(excluded)
    copied = {path for path in dict.fromkeys((*context, *sources)) if _copy(Path(root), work, path, skipped)}
    for path in sorted(filter(_cannot_be_named, copied)):
        copied.remove(path)
        (work / path).unlink()
        skipped[path] = "its folder is a package whose name cannot be imported"
    (work / canary).write_text('canary: int = ""\n')
    os.chdir(work)
    runs = _Runs(tuple(options), newest, canary, skipped)
    waiting = [path for path in sources if path in copied and path not in gone]
    for _ in range(MAX_ROUNDS):
        waiting = runs.round(waiting, copied)
    skipped.update(dict.fromkeys(waiting, "its module name is taken by other files"))
    wanted = set(sources)
    told = {path: why for path, why in skipped.items() if path in wanted and path not in gone}
    return {"rounds": runs.rounds, "skipped": told, "excluded": excluded, "problem": runs.problem}


def _excluded(paths: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
    """As mypy does when it walks a folder: a pattern may hit a file or a folder above it."""
    for pattern in patterns:
        try:
            search = re.compile(pattern).search
        except re.error:
            continue
        for path in paths:
            folders = (f"{folder}/" for folder in PurePosixPath(path).parents if folder.name)
            if search(path) or any(map(search, folders)):
                yield path


def _copy(root: Path, work: Path, path: str, skipped: dict[str, str]) -> bool:
    content = (root / path).read_bytes()
    if len(content) > MAX_BYTES:
        skipped[path] = f"it is larger than {MAX_BYTES:,} bytes"
        return False
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        skipped[path] = "it is not text in the encoding it claims"
        return False
    (work / path).parent.mkdir(parents=True, exist_ok=True)
    (work / path).write_bytes(_SILENCING.sub(rb"\1-", content))
    return True


def _cannot_be_named(path: str) -> bool:
    place = PurePosixPath(path)
    return place.stem == "__init__" and not (place.parent.name or "root").removesuffix("-stubs").isidentifier()


class _Runs:
    """Runs of mypy over the copies."""

    def __init__(self, options: Sequence[str], newest: str, canary: str, skipped: dict[str, str]) -> None:
        self._options, self._newest, self._canary, self._skipped = options, newest, canary, skipped
        self._left = MAX_ATTEMPTS
        self._looked_for_syntax = False
        self.rounds: list[dict[str, Any]] = []  # JSON, hence Any
        self.problem = ""

    def round(self, waiting: Sequence[str], there: set[str]) -> list[str]:
        """Check as many as mypy takes at once; the rest waits for the next round."""
        now, later = _of_different_names(waiting, there)
        while now and not self.problem:
            code, output, complaint = self._run(now)
            blocked = dict(_blocking(output, complaint)) if code == 2 else {}
            if code != 2:
                self.rounds.append({"paths": now, "output": output})
                break
            if not blocked:
                self.problem = (complaint.strip() or output.strip() or "no reason given").splitlines()[-1][:200]
            for path, why in blocked.items():
                if not self._taken_out(path, why, now, later):
                    self.problem = f"{path}: {why}"[:200]
            if not self._looked_for_syntax:
                self._looked_for_syntax = True
                self._take_out_unparsed(now)
        return later

    def _run(self, paths: Sequence[str], *more: str) -> tuple[int, str, str]:
        self._left -= 1
        if self._left < 0:
            return 2, "", "mypy was stopped by one file after another"
        # Behind an `@` mypy would read a file of options, even after `--`: no name may begin with it.
        names = [f"./{path}" for path in (*paths, self._canary)]
        output, complaint, code = api.run([*self._options, *more, "--", *names])
        if self._newest and _TOO_NEW.search(output):
            self._options = (*self._options, "--python-version", self._newest)
            self._newest = ""
            return self._run(paths, *more)
        return code, output, complaint

    def _taken_out(self, path: str, why: str, now: list[str], later: list[str]) -> bool:
        """Whether that file will not stop the next run: it waits, or it is gone for good."""
        if "found twice" in why and path in now:
            now.remove(path)
            later.append(path)
            return True
        if path in now:
            now.remove(path)
            self._skipped[path] = why
        if not Path(path).is_file():
            return False
        Path(path).unlink()
        return True

    def _take_out_unparsed(self, now: list[str]) -> None:
        """One run each instead of one of everything for each: only files that this Python does not parse either."""
        doubtful = [path for path in now if not _parses(path)]
        while doubtful and self._left > 0:
            code, output, complaint = self._run(doubtful, "--follow-imports=skip")
            if code != 2:
                return
            blocked = [(path, why) for path, why in _blocking(output, complaint) if path in doubtful]
            if not blocked:
                return
            for path, why in dict(blocked).items():
                doubtful.remove(path)
                self._taken_out(path, why, now, [])


def _blocking(output: str, complaint: str) -> Iterator[tuple[str, str]]:
    """Files that stopped mypy, and why. An error that has no code, or is about syntax, is what stops it."""
    for line in output.splitlines():
        try:
            told: Mapping[str, Any] = json.loads(line)  # JSON, hence Any
        except ValueError:
            continue
        if told["severity"] == "error" and told["code"] in (None, "syntax") and not _TOO_NEW.search(told["message"]):
            yield told["file"], told["message"]
    for found in _SAID.finditer(complaint):
        yield found["path"], complaint[found.end() :].partition("\n")[0]


def _parses(path: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(Path(path).read_bytes())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _of_different_names(paths: Iterable[str], there: set[str]) -> tuple[list[str], list[str]]:
    """The first file of each module name, and the others."""
    packages = {str(PurePosixPath(path).parent) for path in there if PurePosixPath(path).stem == "__init__"}
    now: dict[str, str] = {}
    later: list[str] = []
    for path in paths:
        name = _module(PurePosixPath(path), packages)
        if name in now:
            later.append(path)
        else:
            now[name] = path
    return list(now.values()), later


def _module(path: PurePosixPath, packages: set[str]) -> str:
    """The module's name as mypy finds it: from the outermost folder that is, or is below, a package."""
    names = [] if path.stem == "__init__" else [path.stem]
    inside = list(path.parents)[:-1]
    outermost = max((place for place, folder in enumerate(inside) if str(folder) in packages), default=-1)
    for folder in inside[: outermost + 1]:
        if not folder.name.isidentifier():
            break
        names.append(folder.name)
    return ".".join(reversed(names))


if __name__ == "__main__":
    main()
    os._exit(0)  # mypy's graph takes longer to tidy up than it took to build
