"""Configuration: one value, read once, whose every part knows where it came from.

Flags win over `ELOHIM_*` variables, those over the project's file, that over the person's file, that over the defaults.
A project's file comes with whatever was checked out, so it may set harmless keys only. Bearer tokens are no settings:
`ELOHIM_TOKEN` is read where a session is opened, and never shown.
"""

import difflib
import os
import pwd
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import platformdirs
from msgspec import Meta

from elohim_kernel.errors import Invalid
from elohim_kernel.model.value import Value

_APP: Final = "elohim"
_PREFIX: Final = "ELOHIM_"
_DEFAULT: Final = "default"
_SECRETS: Final = frozenset({"token"})
_PROJECT_KEYS: Final = frozenset({"log_level", "run_timeout_s"})
_FILE_CAP: Final = 1_000_000  # bytes

Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Settings(Value, frozen=True):
    """Everything that can be set, by flag, `ELOHIM_<KEY>` variable or `config.toml`. Times are in seconds."""

    home: str  # folder with the store, its logs and the executed notebooks
    user: str  # name of the principal to act as
    owner_idle_s: Seconds = 300.0  # how long the owner process stays without clients
    owner_start_s: Seconds = 30.0  # how long a client waits for the owner to answer for the first time
    command_timeout_s: Seconds = 120.0  # how long a client waits for one answer
    store_inline: bool = False  # open the store in this process instead of through the owner
    threads: Annotated[int, Meta(ge=1, le=64)] = 2  # runs that the worker does at a time
    log_level: Literal["debug", "info", "warning", "error"] = "info"  # what goes into owner.log
    http_host: str = "127.0.0.1"  # address that `elohim serve` listens on
    http_port: Annotated[int, Meta(ge=0, le=65_535)] = 8765  # its port; 0 picks a free one
    run_timeout_s: Seconds = 1_800.0  # how long one run may take


KEYS: Final = Settings.__struct_fields__


class Configuration(Value, frozen=True):
    """The settings, and where each came from."""

    settings: Settings
    origins: Mapping[str, str]

    def origin(self, key: str) -> str:
        """Where `key` came from: "flag", "environment variable NAME", a file's path, or "default"."""
        if key not in KEYS:
            raise _unknown(key, "the question")
        return self.origins.get(key, _DEFAULT)


def load(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Configuration:
    """Read the configuration; `None` means no flags, this process's environment, the current folder.

    A flag that is `None` was not given. Raises `Invalid` naming the origin and the key for an unknown key, a value that
    is not acceptable, or a file that cannot be read. A variable `ELOHIM_…` that resembles no key is left to others.

    >>> found = load({"threads": 4}, {"ELOHIM_LOG_LEVEL": "debug"}, Path("/"))
    >>> found.settings.threads, found.origin("threads"), found.origin("log_level")
    (4, 'flag', 'environment variable ELOHIM_LOG_LEVEL')
    """
    environ = os.environ if environ is None else environ
    cwd = Path.cwd() if cwd is None else cwd
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for source, found in _sources(flags or {}, environ, cwd):
        origin, base = source
        for key, raw in found.items():
            named = f"{origin} {_PREFIX}{key.upper()}" if origin == _VARIABLE else origin
            if key not in KEYS:
                raise _unknown(key, named)
            value = _checked(key, raw, named)
            values[key] = _absolute(value, base) if key == "home" else value
            origins[key] = named
    values.setdefault("home", platformdirs.user_data_dir(_APP))
    values.setdefault("user", os_user())
    return Configuration(settings=msgspec.convert(values, type=Settings), origins=origins)


def os_user() -> str:
    """The name of the account this process runs under; `uid-<number>` for an account without a name.

    The account, not the environment: cron and a terminal must agree on who acts.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def user_file() -> Path:
    """The person's own configuration file, which need not exist."""
    return Path(platformdirs.user_config_dir(_APP)) / "config.toml"


_VARIABLE: Final = "environment variable"
_Source = tuple[tuple[str, Path], Mapping[str, object]]  # (origin, folder that a relative home starts from), values


def _sources(flags: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> list[_Source]:
    """From the weakest to the strongest."""
    mine = user_file()
    return [
        ((str(mine), mine.parent), _table(mine)),
        *_project(cwd),
        ((_VARIABLE, cwd), _variables(environ)),
        (("flag", cwd), {key: value for key, value in flags.items() if value is not None}),
    ]


def _project(cwd: Path) -> list[_Source]:
    shared, own = cwd / "pyproject.toml", cwd / "elohim.toml"
    found: list[_Source] = []
    for path, values in ((shared, _section(shared)), (own, _table(own))):
        refused = sorted(set(values) & set(KEYS) - _PROJECT_KEYS)
        if refused:
            raise Invalid(
                f"{path} sets {', '.join(refused)}; a project's file may set {', '.join(sorted(_PROJECT_KEYS))} only",
                hint=f"put it into {user_file()}, or use a flag or an {_PREFIX}* variable",
            )
        found.append(((str(path), cwd), values))
    return found


def _section(path: Path) -> Mapping[str, object]:
    # Somebody else's pyproject.toml is none of our business unless it speaks to us.
    if b"elohim" not in _bytes(path):
        return {}
    tool = _table(path).get("tool")
    found = tool.get(_APP, {}) if isinstance(tool, dict) else {}
    if not isinstance(found, dict):
        raise Invalid(f"{path}: [tool.{_APP}] is not a table")
    return found


def _table(path: Path) -> Mapping[str, Any]:  # TOML has no one type, hence Any
    try:
        return tomllib.loads(_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise Invalid(f"{path} is not TOML: {wrong}") from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_CAP + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as wrong:
        raise Invalid(f"{path} cannot be read: {wrong.strerror}") from None
    if len(content) > _FILE_CAP:
        raise Invalid(f"{path} is larger than {_FILE_CAP} bytes")
    return content


def _variables(environ: Mapping[str, str]) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for name, value in environ.items():
        key = name.removeprefix(_PREFIX).lower()
        if not name.startswith(_PREFIX) or key in _SECRETS:
            continue
        if key in KEYS or _near(key):
            found[key] = value
    return found


def _checked(key: str, raw: object, origin: str) -> object:
    try:
        return msgspec.convert(raw, type=Settings.__annotations__[key], strict=not isinstance(raw, str))
    except msgspec.ValidationError as wrong:
        raise Invalid(f"{key} = {raw!r} ({origin}) is not acceptable: {wrong}") from None


def _absolute(value: object, base: Path) -> str:
    if not value:
        raise Invalid("home is empty", hint="name a folder, or leave it out")
    return str(base.absolute() / Path(str(value)).expanduser())


def _near(key: str) -> list[str]:
    return difflib.get_close_matches(key, KEYS, n=3, cutoff=0.75)


def _unknown(key: str, origin: str) -> Invalid:
    near = _near(key)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(KEYS)}"
    return Invalid(f"{origin} has the unknown key {key!r}", hint=hint)
