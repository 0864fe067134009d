"""Write the reference pages from the code.

    python docs/generate.py            write the pages, and remove those that no code stands behind
    python docs/generate.py --check    write nothing; exit 1 when a page is stale

A page whose module is not there yet is not written.
"""

import enum
import importlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
MARK = "<!-- Written by docs/generate.py from the code; change the code, then run `make docs`. -->"


def module(name: str) -> ModuleType | None:
    """The module, or `None` when the package has none of that name yet."""
    parents = name.split(".")
    for depth in range(2, len(parents) + 1):
        if importlib.util.find_spec(".".join(parents[:depth])) is None:
            return None
    return importlib.import_module(name)


def offered(name: str, attribute: str) -> Any:
    """A module's attribute, or `None` when it is not there yet. `Any`: tables of many shapes."""
    return getattr(module(name), attribute, None)


def prose(thing: object) -> str:
    """A docstring as Markdown: examples become fenced blocks."""
    text = inspect.getdoc(thing) or ""
    blocks = re.split(r"\n\n+", text)
    return "\n\n".join(f"```pycon\n{block}\n```" if block.lstrip().startswith(">>>") else block for block in blocks)


def cell(text: object) -> str:
    """Text for one cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)])


def type_name(kind: object) -> str:
    """A type as a person writes it, without module names."""
    text = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)


def field_notes(shape: type) -> dict[str, str]:
    """The comments that stand behind a struct's fields in its source."""
    lines = inspect.getsource(shape).splitlines()
    found = (re.match(r"    (\w+)\s*:[^#]*#\s*(.+)$", line) for line in lines)
    return {match.group(1): match.group(2) for match in found if match}


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """A field's default as text; "required" when there is none."""
    if field.required:
        return "required"
    if field.default is msgspec.NODEFAULT:
        return "`()`" if field.default_factory is tuple else "empty"
    value = field.default.value if isinstance(field.default, enum.Enum) else field.default
    return f"`{value!r}`"


def choices(kind: object) -> str:
    """The values an enumeration admits; "" for every other type."""
    named = isinstance(kind, type) and issubclass(kind, enum.Enum)
    return "one of " + ", ".join(f"`{each.value}`" for each in kind) if named else ""  # type: ignore[attr-defined]


def fields(shape: type) -> str:
    """The table of a struct's fields; "No fields." when it has none."""
    notes = field_notes(shape)
    rows = []
    for field in msgspec.structs.fields(shape):
        note = "; ".join(filter(None, [notes.get(field.name, ""), choices(field.type)]))
        rows.append((f"`{field.encode_name}`", f"`{type_name(field.type)}`", default_of(field), note))
    return table(("Field", "Type", "Default", ""), rows) if rows else "No fields."


def section(title: str, *paragraphs: str, level: int = 2) -> str:
    """A headed part of a page."""
    return "\n\n".join([f"{'#' * level} {title}", *(text for text in paragraphs if text)])


def errors_page() -> str | None:
    """Every error: code, exit code, HTTP status, whether to try again."""
    errors = module("elohim_kernel.errors")
    root = offered("elohim_kernel.errors", "KernelError")
    kinds = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, root)}
    rows = []
    for code, kind in sorted(kinds.items()):
        again = "yes" if kind.retryable else "no"
        rows.append((f"`{code}`", f"`{kind.__name__}`", kind.exit_code, kind.http_status, again, prose(kind)))
    head = "Every refusal and failure is one of these, through whichever door it came. Scripts match on the code."
    return f"{head}\n\n{table(('Code', 'Class', 'Exit', 'HTTP', 'Try again', 'Meaning'), rows)}"


def operations(kinds: Mapping[str, Any]) -> Iterator[str]:
    """A section for each command or query, by the name it has outside Python."""
    for name, kind in sorted(kinds.items()):
        example = json.dumps(msgspec.to_builtins(kind.example), ensure_ascii=False)
        gives = f" Gives `{type_name(kind.result)}`." if kind.result is not None else ""
        yield section(
            f"`{name}`",
            prose(kind),
            f"In Python `{kind.__name__}`. Needs {kind.need}.{gives}",
            fields(kind),
            f"```json\n{example}\n```" if kind.example else "",
            level=3,
        )


def commands_page() -> str | None:
    """Every command and query with its fields, permission and example."""
    registry = module("elohim_kernel.registry")
    if registry is None:
        return None
    known = registry.catalogue()
    commands = {name: entry.command for name, entry in known.commands.items() if not entry.command.internal}
    queries = {name: entry.query for name, entry in known.queries.items() if not entry.query.internal}
    parts = ["Everything that changes something is a command; everything that reads is a query. Each is one value."]
    parts += ["## Commands", *operations(commands), "## Queries", *operations(queries)]
    return "\n\n".join(parts)


def events_page() -> str | None:
    """Every kind of event with its data."""
    kinds = offered("elohim_kernel.model.events", "EVENTS")
    if not kinds:
        return None
    head = "The event log is the truth: every kind of event, in words and with the data it carries."
    sections = (section(f"`{name}`", prose(kind), fields(kind)) for name, kind in sorted(kinds.items()))
    return "\n\n".join([head, *sections])


def permissions_page() -> str | None:
    """Permissions, levels, and what each built-in role may do."""
    access = module("elohim_kernel.model.access")
    if access is None or not hasattr(access, "BUILT_IN_ROLES"):
        return None
    roles = access.BUILT_IN_ROLES
    rows = (
        (f"`{permission.value}`", *(_level(role.permissions.get(permission)) for role in roles.values()))
        for permission in access.Permission
    )
    levels = ", ".join(f"{level.name} ({level.value})" for level in access.Level)
    head = "A role is a named set of permissions, held at a level, in one place: everywhere, or in one team."
    grid = table(("Permission", *(f"`{name}`" for name in roles)), rows)
    return f"{head}\n\nLevels, each including the lower ones: {levels}.\n\n{grid}"


def _level(level: object) -> str:
    return getattr(level, "name", "–")


def configuration_page() -> str | None:
    """Every setting with its type and default."""
    settings = offered("elohim_kernel.config", "Settings")
    return None if settings is None else "\n\n".join([prose(settings), fields(settings)])


def views_page() -> str | None:
    """Every view open to analyst SQL."""
    views = offered("elohim_kernel.store.views", "VIEWS")
    if not views:
        return None
    parts = ["What `wb.sql`, `elohim sql` and `%%findings` can read: only rows the caller may see are in them."]
    for name, view in views.items():
        columns = getattr(view, "columns", None)
        described = table(("Column", "Type"), columns.items()) if isinstance(columns, Mapping) else ""
        text = view if isinstance(view, str) else getattr(view, "sql", "")
        words = prose(view) if not isinstance(view, str | Mapping) and type(view).__doc__ != view.__doc__ else ""
        words = getattr(view, "doc", words)
        parts.append(section(f"`{name}`", words, described, "" if described else f"```sql\n{text.strip()}\n```"))
    return "\n\n".join(parts)


def python_page() -> str | None:
    """Every public name of the package."""
    package = module("elohim_kernel")
    names = getattr(package, "__all__", ())
    if not names:
        return None
    parts = ["What `import elohim_kernel as ek` offers."]
    for name in sorted(names):
        thing = getattr(package, name)
        documented = inspect.isclass(thing) or inspect.isroutine(thing)
        parts.append(section(f"`{name}`", _signature(name, thing), prose(thing) if documented else f"`{thing!r}`"))
        if inspect.isclass(thing):
            parts += [section(f"`{name}.{verb}`", text, level=3) for verb, text in _members(thing)]
    return "\n\n".join(parts)


def _signature(name: str, thing: object) -> str:
    if not inspect.isroutine(thing):
        return ""
    # A function as a default would be shown with its address, which is another one each time.
    shown = re.sub(r"<function ([\w.]+) at 0x[0-9a-f]+>", r"\1", str(inspect.signature(thing)))
    return f"```text\n{name}{shown}\n```"


def _members(kind: type) -> Iterator[tuple[str, str]]:
    for name, member in vars(kind).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield name, "\n\n".join(filter(None, [_signature(name, member), prose(member)]))


def cli_page() -> str | None:
    """Every command of `elohim`, by walking the program itself."""
    main = module("elohim_kernel.surfaces.cli.main")
    if main is None:
        return None
    program = importlib.import_module("typer.main").get_command(main.app)
    return "\n\n".join(["What `elohim --help` says, for every command.", *_program(program, "elohim")])


def _program(command: Any, path: str) -> Iterator[str]:
    rows = [row for row in map(_parameter, command.params) if row]
    options = table(("Parameter", "Default", ""), rows) if rows else ""
    yield section(f"`{path}`", (command.help or "").replace("\b", ""), options)
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from _program(inner, f"{path} {name}")


def _parameter(parameter: Any) -> tuple[str, str, str] | None:
    if getattr(parameter, "hidden", False) or "--help" in parameter.opts:
        return None
    spelled = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    if not parameter.opts[0].startswith("-"):
        spelled = f"`{parameter.name.upper()}`"
    default = "" if parameter.default in (None, (), []) or callable(parameter.default) else f"`{parameter.default}`"
    return spelled, "required" if parameter.required else default, parameter.help or ""


PAGES: dict[str, tuple[str, Callable[[], str | None]]] = {
    "cli": ("Command line", cli_page),
    "commands": ("Commands and queries", commands_page),
    "configuration": ("Configuration", configuration_page),
    "errors": ("Errors", errors_page),
    "events": ("Events", events_page),
    "permissions": ("Permissions", permissions_page),
    "python": ("Python", python_page),
    "views": ("Views for SQL", views_page),
}


def pages() -> dict[Path, str]:
    """Every generated page that the code can fill, with its text."""
    written = {}
    for name, (title, write) in PAGES.items():
        body = write()
        if body:
            written[REFERENCE / f"{name}.md"] = f"{MARK}\n\n# {title}\n\n{body}\n"
    written[REFERENCE / "index.md"] = contents(written)
    return written


def contents(written: Mapping[Path, str]) -> str:
    """The page that lists the generated pages and those people wrote beside them."""
    ours = {path: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md")}
    by_hand = {path: text for path, text in ours.items() if not text.startswith(MARK)}
    titles = {path.name: re.search(r"^# (.+)$", text, re.M) for path, text in sorted((by_hand | dict(written)).items())}
    lines = [f"- [{title.group(1)}]({name})" for name, title in titles.items() if title]
    return f"{MARK}\n\n# Reference\n\n" + "\n".join(lines) + "\n"


def stale(wanted: Mapping[Path, str]) -> list[Path]:
    """Pages that differ from what the code says, are missing, or have no code behind them any more."""
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    others = (path for path in REFERENCE.glob("*.md") if path not in wanted)
    return sorted([*wrong, *(path for path in others if path.read_text(encoding="utf-8").startswith(MARK))])


def main(arguments: list[str]) -> int:
    """Write or check; returns the exit code."""
    wanted = pages()
    wrong = stale(wanted)
    if "--check" not in arguments:
        REFERENCE.mkdir(exist_ok=True)
        for path in wrong:
            if path in wanted:
                path.write_text(wanted[path], encoding="utf-8")
            else:
                path.unlink()
    for path in wrong:
        print(f"{'stale' if '--check' in arguments else 'written'}: {path.relative_to(DOCS.parent)}")
    return 1 if wrong and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
