"""The program: its nouns, what the first line of help says of each, and how a wrong call is answered.

A noun's file is loaded when the noun is used, so that help, status and lists stay quick.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
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
        "scan": "Look at a git repository with every engine that is there.",
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
        "findings": "Findings: list, explain, decide, import, export.",
        "tests": "Tests: propose them for a change, each proven; nothing is written to the repository.",
        "engine": "Engines: what is installed, and what could not run.",
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
    """Commands by name, each made when it is asked for. The values are of a class that Typer does not export."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = makers
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _noun(name: str) -> Any:
    noun: typer.Typer = importlib.import_module(f"elohim_kernel.surfaces.cli.{name}").app
    infos = {info.name or "": info for info in noun.registered_commands}
    if not noun.registered_callback:
        made = typer.main.get_command(noun)
        made.name = name
        return made
    # Making a command out of a function costs about as much as running it: only the one that is used is made.
    noun.registered_commands = []
    group: Any = typer.main.get_command(noun)
    noun.registered_commands = list(infos.values())
    group.name = name
    group.commands = _Loaded(
        {
            **{verb: partial(_verb, info) for verb, info in infos.items()},
            **{k: partial(_same, v) for k, v in group.commands.items()},
        }
    )
    return group


def _verb(info: Any) -> Any:
    return typer.main.get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


def _same(made: Any) -> Any:
    return made


class Program(LightGroup):
    """The root of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loaded({name: partial(_noun, name) for names in NOUNS.values() for name in names})  # type: ignore[assignment]  # it is only read

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
