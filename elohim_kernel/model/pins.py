"""Which versions of which packages a repository asks for: its lock files and requirements, read as data.

Every parser is our own, bounded, and runs nothing. What names no single version is listed, not guessed. `packaging` is
an extra, so it is imported where it is used.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final, NamedTuple

import msgspec

from elohim_kernel.model.advisory import NPM, PYPI

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_PINS: Final = 100_000
_LINE_CAP: Final = 4_000


class Pin(NamedTuple):
    """A package at a line; `version` "" when the line does not say which one."""

    ecosystem: str
    package: str
    version: str
    line: int  # 1-based


class Unreadable(Exception):
    """The file is not what its name says; the text says why."""


def reader_of(path: str) -> Callable[[str], Iterator[Pin]] | None:
    """What reads the pins of a file of that name; None for other files.

    >>> [bool(reader_of(path)) for path in ("requirements/dev.txt", "web/yarn.lock", "notes.txt")]
    [True, True, False]
    """
    place = PurePosixPath(path)
    name = place.name.lower()
    if name in _READERS:
        return _READERS[name]
    if name.endswith(".txt") and (_REQUIREMENTS.search(name) or place.parent.name.lower() == "requirements"):
        return _requirements
    return None


def pins_of(path: str, content: bytes) -> list[Pin]:
    """The pins of a file, in its order. Raises `Unreadable`."""
    reader = reader_of(path)
    if reader is None or len(content) > MAX_BYTES:
        raise Unreadable("too large")
    text = content.decode("utf-8-sig", errors="replace")
    pins: list[Pin] = []
    try:
        for pin in reader(text):
            if len(pins) == MAX_PINS:
                raise Unreadable(f"more than {MAX_PINS:,} packages")
            pins.append(pin)
    except (ValueError, RecursionError) as wrong:
        raise Unreadable(f"not in the form its name says ({type(wrong).__name__})") from None
    return pins


_REQUIREMENTS: Final = re.compile(r"(?:^|[-_.])(?:requirements?|constraints?)(?:[-_.]|$)")


def _requirements(text: str) -> Iterator[Pin]:
    from packaging.requirements import InvalidRequirement, Requirement

    for number, line in _joined(text):
        stated = re.split(r"\s#|\s--", line, maxsplit=1)[0].strip()
        if not stated or stated[0] in "#-" or "://" in stated.partition("@")[0] or stated[0] in "./":
            continue  # an option, a file of others, a folder: pip-compile writes them out elsewhere
        try:
            wanted = Requirement(stated)
        except InvalidRequirement:
            continue
        yield Pin(PYPI, wanted.name, "" if wanted.url else _exact(str(wanted.specifier)), number)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, each with the number of its first."""
    held, first = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first or number
        held += line[:_LINE_CAP]
        if line.endswith("\\") and len(held) < _LINE_CAP:
            held = held[:-1] + " "
            continue
        yield first, held
        held, first = "", 0
    if held:
        yield first, held


def _exact(specifier: str) -> str:
    """The version of `==1.2` or `===1.2`; "" for a range.

    >>> _exact("==1.2"), _exact("==1.*"), _exact(">=1,<2")
    ('1.2', '', '')
    """
    found = re.fullmatch(r"={2,3}\s*([^\s,*]+)", specifier)
    return found[1] if found else ""


_BLOCK_NAME: Final = re.compile(r"name\s*=\s*\"([^\"]{1,214})\"")
_BLOCK_VERSION: Final = re.compile(r"version\s*=\s*\"([^\"]{1,100})\"")


def _toml_lock(text: str) -> Iterator[Pin]:
    """poetry.lock, uv.lock, pdm.lock: blocks of `[[package]]` with a name and a version."""
    tomllib.loads(text)  # refuses what is not TOML; the lines below say where things are
    name, at = "", 0
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("["):
            inside, name = line.strip() == "[[package]]", ""
        elif inside and (found := _BLOCK_NAME.match(line)):
            name, at = found[1], number
        elif inside and name and (found := _BLOCK_VERSION.match(line)):
            yield Pin(PYPI, name, found[1], at)
            inside = False


def _pyproject(text: str) -> Iterator[Pin]:
    from packaging.requirements import InvalidRequirement, Requirement

    document = tomllib.loads(text)
    project = document.get("project")
    stated = project if isinstance(project, dict) else {}
    groups = [stated.get("dependencies"), *_lists(stated.get("optional-dependencies"))]
    lines = text.splitlines()
    for each in (one for group in [*groups, *_lists(document.get("dependency-groups"))] for one in group or ()):
        if not isinstance(each, str):
            continue
        try:
            wanted = Requirement(each)
        except InvalidRequirement:
            continue
        version = "" if wanted.url else _exact(str(wanted.specifier))
        yield Pin(PYPI, wanted.name, version, _line_of(lines, each[:60]))


def _lists(value: object) -> list[list[object]]:
    return [each for each in value.values() if isinstance(each, list)] if isinstance(value, dict) else []


def _line_of(lines: list[str], text: str) -> int:
    return next((number for number, line in enumerate(lines, start=1) if text in line), 0)


class _Locked(msgspec.Struct, frozen=True):
    version: str = ""
    link: bool = False
    name: str = ""
    dependencies: object = None


class _NpmLock(msgspec.Struct, frozen=True):
    packages: dict[str, _Locked] | None = None
    dependencies: dict[str, _Locked] | None = None


def _npm_lock(text: str) -> Iterator[Pin]:
    """package-lock.json and npm-shrinkwrap.json, both forms."""
    lock = msgspec.json.decode(text, type=_NpmLock)
    keys = _Keys(text)
    if lock.packages is not None:
        for place, one in lock.packages.items():
            _, between, last = place.rpartition("node_modules/")
            if between and one.version and not one.link:
                yield Pin(NPM, one.name or last, one.version, keys.line(place))
        return
    yield from _nested(lock.dependencies or {}, keys)


def _nested(dependencies: Mapping[str, _Locked], keys: "_Keys") -> Iterator[Pin]:
    for name, one in dependencies.items():
        if one.version:
            yield Pin(NPM, name, "" if ":" in one.version else one.version, keys.line(name))
        if isinstance(one.dependencies, dict):
            yield from _nested(msgspec.convert(one.dependencies, dict[str, _Locked]), keys)


class _Keys:
    """Where the keys of a JSON text stand; a key that comes again stands at its next place."""

    def __init__(self, text: str) -> None:
        self._places: dict[str, list[int]] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if found := _KEY.match(line):
                self._places.setdefault(found[1], []).append(number)

    def line(self, key: str) -> int:
        places = self._places.get(key, [])
        return places.pop(0) if len(places) > 1 else places[0] if places else 1


_KEY: Final = re.compile(r"\s{0,200}\"([^\"\\]{1,400})\"\s{0,4}:\s{0,4}\{")


def _pipfile_lock(text: str) -> Iterator[Pin]:
    document = msgspec.json.decode(text, type=dict[str, dict[str, object]])
    keys = _Keys(text)
    for group in ("default", "develop"):
        for name, one in document.get(group, {}).items():
            stated = one.get("version", "") if isinstance(one, dict) else ""
            yield Pin(PYPI, name, _exact(stated) if isinstance(stated, str) else "", keys.line(name))


_YARN_HEAD: Final = re.compile(r"\"?(?P<name>@?[^@\s\",]{1,214})@(?P<rest>[^\n]{1,2000}?):$")
_YARN_VERSION: Final = re.compile(r"\s{2}\"?version\"?:?\s{1,4}\"?(?P<version>[^\s\"]{1,100})\"?$")


def _yarn_lock(text: str) -> Iterator[Pin]:
    """Both forms: a line that names what is asked for, and below it the version it became."""
    name, at = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line[:1].isspace():
            found = _YARN_HEAD.match(line[:_LINE_CAP])
            outside = found is not None and re.search(r"@(?:workspace|file|link|portal|git\+|https?):", line)
            name, at = ("", 0) if found is None or outside else (_aliased(found["name"], found["rest"]), number)
        elif name and (found := _YARN_VERSION.match(line)):
            yield Pin(NPM, name, found["version"], at)
            name = ""


def _aliased(name: str, rest: str) -> str:
    """`short@npm:real@^1` stands for `real`."""
    found = re.match(r"npm:(@?[^@\s\"]{1,214})@", rest)
    return found[1] if found else name


_PNPM_KEY: Final = re.compile(
    r"\s{2}['\"]?/?(?P<name>(?:@[^@/\s]{1,100}/)?[^@/\s'\"(]{1,214})[@/](?P<version>\d[^\s'\"(:_/]{0,100})[^:]{0,800}:"
)


def _pnpm_lock(text: str) -> Iterator[Pin]:
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1] not in ("", " ", "#"):
            inside = line.startswith("packages:")
        elif inside and line[2:3] not in ("", " ") and (found := _PNPM_KEY.match(f"{line[:_LINE_CAP]}")):
            yield Pin(NPM, found["name"], found["version"], number)


_READERS: Final[Mapping[str, Callable[[str], Iterator[Pin]]]] = {
    "npm-shrinkwrap.json": _npm_lock,
    "package-lock.json": _npm_lock,
    "pdm.lock": _toml_lock,
    "pipfile.lock": _pipfile_lock,
    "pnpm-lock.yaml": _pnpm_lock,
    "poetry.lock": _toml_lock,
    "pyproject.toml": _pyproject,
    "uv.lock": _toml_lock,
    "yarn.lock": _yarn_lock,
}
