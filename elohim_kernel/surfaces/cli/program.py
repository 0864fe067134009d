"""The program: its nouns, what the first line of help says of each, and how a wrong call is answered.

A noun's file is loaded when the noun is used, so that help, status and lists stay quick.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import typer

from elohim_kernel.surfaces.cli.call import Given
from elohim_kernel.surfaces.cli.door import OK, REFUSED, As, Home, Json, LightGroup, UsageError
from elohim_kernel.surfaces.cli.output import complain
from elohim_kernel.version import __version__

NOUNS: Final[Mapping[str, Mapping[str, str]]] = {
    "Begin": {
        "demo": "Review a sample change, and see what waits for a decision.",
        "review": "Review a change of a git repository.",
    },
    "Work": {
        "item": "Work items: look, claim, complete, approve, send back.",
        "inbox": "What you were told.",
        "workflow": "Workflows: define, check, compare, share.",
        "template": "Templates to start a workflow from.",
        "playbook": "Playbooks: notebooks that run with parameters.",
        "run": "Runs of stages and playbooks.",
    },
    "Look": {
        "sql": "Ask for what you may see, in SQL.",
        "event": "What happened.",
        "audit": "Check and copy the log of what happened.",
        "status": "Where the store is, and how much is in it.",
        "doctor": "What is installed here, and what could not run.",
    },
    "Run": {
        "access": "People, teams, roles and tokens.",
        "config": "Settings, and where each comes from.",
        "work": "Run the automated stages that are due.",
        "serve": "Run a worker and the HTTP API until stopped.",
        "owner": "The process that holds the store.",
        "rebuild": "Make every table again from the log.",
    },
}


class _Loaded(Mapping[str, Any]):
    """Commands by name, each loaded when it is asked for."""

    def __init__(self) -> None:
        self._names = {name: words for group in NOUNS.values() for name, words in group.items()}
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            module = importlib.import_module(f"elohim_kernel.surfaces.cli.{name}")
            self._known[name] = typer.main.get_command(module.app)
            self._known[name].name = name
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Program(LightGroup):
    """The root of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loaded()  # type: ignore[assignment]  # it is only read

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The nouns in groups, without loading one."""
        for title, names in NOUNS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(8), words) for name, words in names.items()])

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **named: Any) -> Any:  # type: ignore[override]
        """Run; a wrong call is answered like every other error. Without `standalone_mode` the exit code is returned."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(words, standalone_mode=False, **named) or OK
        except UsageError as wrong:
            code = _refused(wrong, json="--json" in words)
        except typer.Abort:
            code = REFUSED
        if standalone_mode:
            sys.exit(code)
        return code


def _refused(wrong: Any, *, json: bool) -> int:
    place = wrong.ctx.command_path if wrong.ctx else "elohim"
    if type(wrong).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(wrong.ctx.get_help() + "\n")
        return REFUSED
    message = wrong.format_message().rstrip(".")
    return complain("usage", message, f"see {place} --help", exit_code=REFUSED, json=json)


app = typer.Typer(
    cls=Program,
    help="A workbench for advisory-first automation: evidence from local engines, decisions by people.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"elohim {__version__}\n")
        raise typer.Exit


@app.callback()
def _begin(
    ctx: typer.Context,
    home: Home = None,
    as_: As = None,
    json: Json = False,
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    ctx.obj = Given(home, as_, json)


def main(words: Sequence[str]) -> int:
    """Run the command these words name; returns its exit code."""
    code: int = typer.main.get_command(app).main(list(words), prog_name="elohim", standalone_mode=False)
    return code
