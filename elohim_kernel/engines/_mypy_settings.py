"""What a repository says about type checking, read as data: never a plugin, a path to search, or a command.

Only these keys are taken, from the base revision: the Python to check for, error codes that are switched off, files
that are meant and left out, modules whose errors are ignored, and three switches that decide whether whole classes of
messages are meant. What is left out is told, and leaving out everything is never "clean".
"""

import configparser
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from elohim_kernel.model.value import Value

FILES: Final = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
"""Where mypy looks, in its order; the first that speaks of mypy counts."""

MAX_BYTES: Final = 256 * 1024

_SWITCHES: Final = ("check_untyped_defs", "implicit_optional", "strict_optional")
_VERSION: Final = re.compile(r"3\.\d{1,2}")
_CODE: Final = re.compile(r"[a-z][a-z-]{1,60}")
_MODULES: Final = re.compile(r"(?=.*\w)(?:[\w.]*\*?){1,3}", re.ASCII)  # not all of them, and few stars
_ODD: Final = re.compile(r"[*?\[\]]|(?:^|/)\.\.(?:/|$)|^/")
_WORDS: Final = {**dict.fromkeys(("true", "yes", "1", "on"), True), **dict.fromkeys(("false", "no", "0", "off"), False)}
_MOST: Final = 100
_LONGEST: Final = 1000


class TypingSettings(Value, frozen=True):
    """The settings that were taken; `file` is "" when the repository says nothing about mypy."""

    file: str = ""
    python_version: str = ""  # "3.12"; "" not said
    disabled: tuple[str, ...] = ()  # error codes
    exclude: tuple[str, ...] = ()  # regular expressions, searched in paths
    files: tuple[str, ...] = ()  # files and folders that are meant; empty: all
    ignored: tuple[str, ...] = ()  # modules whose errors are ignored: "pkg.old.*"
    switches: tuple[str, ...] = ()  # options of mypy

    def means(self, path: str) -> bool:
        """Whether a file is to be checked, as far as `files` and `ignored` say.

        >>> settings = TypingSettings(files=("src",), ignored=("pkg.old.*",))
        >>> settings.means("src/pkg/new.py"), settings.means("src/pkg/old/a.py"), settings.means("docs/conf.py")
        (True, False, False)
        """
        if self.files and not any(path == each or path.startswith(f"{each}/") for each in self.files):
            return False
        parts = PurePosixPath(path).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        names = [".".join(parts[start:]) for start in range(len(parts))]
        return not any(_pattern(each).fullmatch(name) for each in self.ignored for name in names)


@cache
def _pattern(modules: str) -> re.Pattern[str]:
    """What a section's name stands for: `a.*` is `a` and all below it, any other star some characters."""
    head, tail = (modules[:-2], r"(\..*)?") if modules.endswith(".*") else (modules, "")
    return re.compile(".*".join(map(re.escape, head.split("*"))) + tail)


def typing_settings(read: Callable[[str], bytes | None]) -> TypingSettings:
    r"""The settings of the first file that speaks of mypy; `read` gives a file's content, None where there is none.

    >>> typing_settings({"mypy.ini": b"[mypy]\npython_version = 3.12\nplugins = evil\n"}.get).python_version
    '3.12'
    """
    for name in FILES:
        content = read(name)
        if content is None or len(content) > MAX_BYTES:
            continue
        text = content.decode(errors="replace")
        sections = _of_toml(text) if name.endswith(".toml") else _of_ini(text)
        if "" in sections:
            return _taken(name, sections)
    return TypingSettings()


_Section = Mapping[str, object]


def _of_toml(text: str) -> Mapping[str, _Section]:
    """Module pattern to its section; "" is the section for all."""
    try:
        tool = tomllib.loads(text).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    found = tool.get("mypy") if isinstance(tool, dict) else None
    if not isinstance(found, dict):
        return {}
    sections: dict[str, _Section] = {"": found}
    overrides = found.get("overrides")
    for each in overrides if isinstance(overrides, list) else ():
        if isinstance(each, dict):
            sections.update({module: each for module in _texts(each.get("module"), separator=",") if module})
    return sections


def _of_ini(text: str) -> Mapping[str, _Section]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    sections: dict[str, _Section] = {}
    for name in parser.sections():
        if name == "mypy" or name.startswith("mypy-"):
            sections.update({module: dict(parser.items(name)) for module in name[5:].split(",")})
    return sections


def _taken(name: str, sections: Mapping[str, _Section]) -> TypingSettings:
    section = sections[""]
    version = str(section.get("python_version", "")).strip().strip("'\"")
    files = [re.sub(r"^\./|/+$", "", each) for each in _texts(section.get("files"), separator=",")]
    ignored = [module.strip() for module, each in sections.items() if _said(each.get("ignore_errors")) is True]
    return TypingSettings(
        file=name,
        python_version=version if _VERSION.fullmatch(version) else "",
        disabled=tuple(filter(_CODE.fullmatch, _texts(section.get("disable_error_code"), separator=","))),
        exclude=tuple(text for text in _texts(section.get("exclude"), separator=None) if len(text) <= _LONGEST),
        # A pattern of files would have to be resolved as a shell does: then nothing is left out.
        files=() if any(_ODD.search(each) or each == "." for each in files) else tuple(files),
        ignored=tuple(module for module in ignored[:_MOST] if _MODULES.fullmatch(module)),
        switches=tuple(_switches(section)),
    )


def _texts(value: object, *, separator: str | None) -> Sequence[str]:
    if isinstance(value, str):
        parts = value.replace("\n", separator).split(separator) if separator else [value]
        return [part.strip() for part in parts if part.strip()][:_MOST]
    return [part for part in value if isinstance(part, str)][:_MOST] if isinstance(value, list) else []


def _switches(section: _Section) -> Iterator[str]:
    for key in _SWITCHES:
        option = key.replace("_", "-")
        said = _said(section.get(key))
        if said is not None:
            yield f"--{option}" if said else f"--no-{option}"


def _said(value: object) -> bool | None:
    return _WORDS.get(str(value).strip().lower())
