"""What a repository says about type checking, read as data: never a plugin, a path to search, or a command.

Only these keys are taken, from the base revision: the Python to check for, error codes that are switched off, files
that are left out, and three switches that decide whether whole classes of messages are meant.
"""

import configparser
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from elohim_kernel.model.value import Value

FILES: Final = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
"""Where mypy looks, in its order; the first that speaks of mypy counts."""

MAX_BYTES: Final = 256 * 1024

_SWITCHES: Final = ("check_untyped_defs", "implicit_optional", "strict_optional")
_VERSION: Final = re.compile(r"3\.\d{1,2}")
_CODE: Final = re.compile(r"[a-z][a-z-]{1,60}")
_MOST: Final = 100
_LONGEST: Final = 1000


class TypingSettings(Value, frozen=True):
    """The settings that were taken; `file` is "" when the repository says nothing about mypy."""

    file: str = ""
    python_version: str = ""  # "3.12"; "" not said
    disabled: tuple[str, ...] = ()  # error codes
    exclude: tuple[str, ...] = ()  # regular expressions, searched in paths
    switches: tuple[str, ...] = ()  # options of mypy


def typing_settings(read: Callable[[str], bytes | None]) -> TypingSettings:
    r"""The settings of the first file that speaks of mypy; `read` gives a file's content, None where there is none.

    >>> typing_settings({"mypy.ini": b"[mypy]\npython_version = 3.12\nplugins = evil\n"}.get)
    TypingSettings(file='mypy.ini', python_version='3.12', disabled=(), exclude=(), switches=())
    """
    for name in FILES:
        content = read(name)
        if content is None or len(content) > MAX_BYTES:
            continue
        section = _section(name, content.decode(errors="replace"))
        if section is not None:
            return _taken(name, section)
    return TypingSettings()


def _section(name: str, text: str) -> Mapping[str, object] | None:
    if name.endswith(".toml"):
        try:
            tool = tomllib.loads(text).get("tool", {})
        except (tomllib.TOMLDecodeError, RecursionError):
            return None
        found = tool.get("mypy") if isinstance(tool, dict) else None
        return found if isinstance(found, dict) else None
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return dict(parser.items("mypy")) if parser.has_section("mypy") else None


def _taken(name: str, section: Mapping[str, object]) -> TypingSettings:
    version = str(section.get("python_version", "")).strip().strip("'\"")
    exclude = _texts(section.get("exclude"), separator=None)
    disabled = _texts(section.get("disable_error_code"), separator=",")
    return TypingSettings(
        file=name,
        python_version=version if _VERSION.fullmatch(version) else "",
        disabled=tuple(code for code in disabled if _CODE.fullmatch(code)),
        exclude=tuple(text for text in exclude if len(text) <= _LONGEST),
        switches=tuple(_switches(section)),
    )


def _texts(value: object, *, separator: str | None) -> Sequence[str]:
    if isinstance(value, str):
        parts = value.replace("\n", separator).split(separator) if separator else [value]
        return [part.strip() for part in parts if part.strip()][:_MOST]
    return [part for part in value if isinstance(part, str)][:_MOST] if isinstance(value, list) else []


def _switches(section: Mapping[str, object]) -> Sequence[str]:
    options = []
    for key in _SWITCHES:
        said = str(section.get(key, "")).strip().lower()
        option = key.replace("_", "-")
        if said in ("true", "yes", "1", "on"):
            options.append(f"--{option}")
        elif said in ("false", "no", "0", "off"):
            options.append(f"--no-{option}")
    return options
