"""The user's own semgrep rules: a file or a folder of YAML or JSON, made into one JSON text.

A folder of YAML takes semgrep many times as long to read as one JSON file with the same rules. Only the shape is
checked here; whether a pattern parses, semgrep says when it runs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from elohim_kernel.errors import Invalid
from elohim_kernel.model.value import Value

_SUFFIXES: Final = (".yml", ".yaml", ".json")
_FILES: Final = 2_000
_FILE_BYTES: Final = 2 * 1024 * 1024
_PARTS: Final = 2_000_000
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Node = Any  # YAML: whatever semgrep's format holds there


class Own(Value, frozen=True):
    """Rules of the user: the JSON text semgrep reads, and their ids. Both empty when there are none."""

    text: str = ""
    rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def own_rules(place: str) -> Own:
    """The rules at `place`, a file or a folder; "" means none. Raises `Invalid` naming the file and what is wrong."""
    if not place:
        return Own()
    root = Path(place).expanduser()
    if not root.exists():
        raise Invalid(f"there is no file or folder {place!r}", hint="name one that holds semgrep rules")
    rules: dict[str, Node] = {}
    files = 0
    for file in _files(root):
        found = _rules(file)
        files += bool(found)
        for rule in found:
            name = rule["id"]
            if name in rules:
                raise Invalid(
                    f"two rules are called {name!r}, one of them in {file}", hint="give each an id of its own"
                )
            rules[name] = rule
    if not rules:
        raise Invalid(f"there are no rules below {place!r}", hint="rules are a list under `rules:` in .yaml or .json")
    text = json.dumps({"rules": list(rules.values())}, default=str)
    note = f"{len(rules):,} rules of yours from {files:,} {'file' if files == 1 else 'files'}"
    return Own(text=text, rules=tuple(rules), notes=(note,))


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    found = sorted(path for path in root.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    if len(found) > _FILES:
        raise Invalid(f"{root} holds {len(found):,} files, more than {_FILES:,}", hint="name a smaller folder")
    yield from found


def _rules(file: Path) -> Sequence[Mapping[str, Node]]:
    if file.stat().st_size > _FILE_BYTES:
        raise Invalid(f"{file} is larger than {_FILE_BYTES:,} bytes", hint="split it")
    try:
        loaded = _LOADER(file.read_bytes()).get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as wrong:
        raise Invalid(f"{file} is not YAML: {' '.join(str(wrong).split())[:200]}") from None
    if not isinstance(loaded, dict) or "rules" not in loaded:
        return ()  # tests and notes beside rules
    if not isinstance(loaded["rules"], list):
        raise Invalid(f"{file}: `rules` is not a list")
    _count(loaded, file)
    for number, rule in enumerate(loaded["rules"], start=1):
        missing = [key for key in ("id", "message", "languages") if not isinstance(rule, dict) or key not in rule]
        if missing or not isinstance(rule["id"], str):
            raise Invalid(f"{file}: rule {number} has no {missing[0] if missing else 'id that is a text'}")
    return tuple(loaded["rules"])


def _count(node: Node, file: Path) -> None:
    # Aliases of YAML make few bytes into billions of parts once they are written out.
    left = _PARTS
    waiting = [node]
    while waiting:
        one = waiting.pop()
        left -= 1
        if left < 0:
            raise Invalid(f"{file} grows to more than {_PARTS:,} parts", hint="take out nested aliases")
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
