"""How a function becomes a command: the options every command has, light reading of values, errors and exit codes.

Typer reads option values through a library that costs more than the rest of a light command; the few kinds of values
we have are read here instead.
"""

import functools
import inspect
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from elohim_kernel.errors import Fault, KernelError
from elohim_kernel.surfaces.cli.call import Call, Given
from elohim_kernel.surfaces.cli.output import complain

OK: Final = 0
OVER_POLICY: Final = 1
REFUSED: Final = 2
OUR_FAULT: Final = 3
INTERRUPTED: Final = 130

UsageError: Final[type[Any]] = typer.BadParameter.__mro__[1]  # what was typed is wrong; Typer does not export its class

_HOME: Final[Any] = typer.Option("--home", metavar="DIR", help="Folder of the store; else ELOHIM_HOME.")
_AS: Final[Any] = typer.Option("--as", metavar="NAME", help="Who acts; else you.")
_JSON: Final[Any] = typer.Option("--json", help="Print one JSON document.")
Home = Annotated[str | None, _HOME]
As = Annotated[str | None, _AS]
Json = Annotated[bool, _JSON]
_COMMON: Final[dict[str, tuple[Any, object, Any]]] = {
    "home": (str | None, None, _HOME),
    "as_": (str | None, None, _AS),
    "json": (bool, False, _JSON),
}


class _Reading:
    """Turns the words of one option or argument into its values; stands in for Typer's own."""

    def __init__(self, descriptor: Any) -> None:  # Typer's, of a private type
        self._choices: tuple[str, ...] = descriptor.choices or ()
        kind = descriptor.annotation
        self._kind: type = str if self._choices else kind.__args__[0] if descriptor.is_list else kind

    def coerce(self, value: Any, param: Any, ctx: typer.Context) -> Any:
        """See `typer._coercion.RuntimeParam.coerce`."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        return tuple(self._one(each, param, ctx) for each in value) if several else self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: typer.Context) -> Any:
        if self._choices and value not in self._choices:
            wrong = f"{value!r} is none of {', '.join(self._choices)}."
            raise typer.BadParameter(wrong, ctx=ctx, param=param)
        if isinstance(value, self._kind):
            return value
        try:
            return self._kind(value)
        except ValueError:
            kind = {int: "whole number", float: "number"}.get(self._kind, self._kind.__name__)
            raise typer.BadParameter(f"{value!r} is not a {kind}.", ctx=ctx, param=param) from None


class LightCommand(TyperCommand):
    """A command whose values are read lightly."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, those for help and completion too."""
        return _lightened(super().get_params(ctx))


class LightGroup(TyperGroup):
    """A group whose values are read lightly."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, those for help and completion too."""
        return _lightened(super().get_params(ctx))


def _lightened(params: list[Any]) -> list[Any]:
    for param in params:
        param._runtime_param = _Reading(param.type_descriptor)
    return params


def noun(words: str) -> typer.Typer:
    """An empty group of commands."""
    app = typer.Typer(
        help=words, cls=LightGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip

    @app.callback()
    @_with_common(hidden=True)
    def remember(ctx: typer.Context, given: Given) -> None:
        ctx.obj = given.over(ctx.obj or Given())

    return app


def command(
    app: typer.Typer, name: str, *, hidden: bool = False
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Make a function a command of `app`.

    Its first parameter gets the `Call`; the others become arguments and options. It returns the exit code, `None` for
    0. Every command understands `--home`, `--as` and `--json`, before and after the noun.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        @_with_common(like=function)
        def enter(ctx: typer.Context, given: Given, **values: Any) -> None:
            code = answered(Call(given.over(ctx.obj or Given())), lambda call: function(call, **values))
            if code:
                raise typer.Exit(code)

        enter.__doc__ = function.__doc__
        settings = {"help_option_names": ["-h", "--help"]}
        app.command(name, cls=LightCommand, hidden=hidden, context_settings=settings)(enter)
        return function

    return register


def answered(call: Call, work: Callable[[Call], int | None]) -> int:
    """Do the work of a command and return its exit code: the outer door, where every error becomes a sentence."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return work(call) or OK
    except KernelError as wrong:
        return call.out.error(wrong)
    except KeyboardInterrupt:
        return complain("cancelled", "stopped", None, exit_code=INTERRUPTED, json=call.given.json)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as defect:
        if _wants_trace(call):
            raise
        hint = "ELOHIM_LOG_LEVEL=debug shows where; please report it"
        return call.out.error(Fault(f"a defect of ours: {type(defect).__name__}: {defect}", hint=hint))
    finally:
        call.close()
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wants_trace(call: Call) -> bool:
    try:
        return call.settings.log_level == "debug"
    except KernelError:
        return False


def _with_common(
    *, like: Callable[..., Any] | None = None, hidden: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a function the options of every command, taken as one `Given`; and the parameters of `like` before them."""

    def wrap(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def entrance(ctx: typer.Context, home: str | None, as_: str | None, json: bool, **values: Any) -> None:
            function(ctx, Given(home, as_, json), **values)

        own = list(inspect.signature(like).parameters.values())[1:] if like else []
        shared = [_common(name, hidden=hidden) for name in _COMMON]
        context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        every = [context, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *shared]
        entrance.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        entrance.__annotations__ = {each.name: each.annotation for each in every}
        return entrance

    return wrap


def _common(name: str, *, hidden: bool) -> inspect.Parameter:
    kind, default, option = _COMMON[name]
    shown = typer.Option(option.default, metavar=option.metavar, help=option.help, hidden=hidden)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, shown])
