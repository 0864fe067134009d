"""`elohim serve`: workers and the HTTP API, until stopped."""

import logging
import threading
from typing import Annotated

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@command(app, "serve")
def serve(
    call: Call,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Listen there; else on this machine only.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="0 picks a free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Stages run at a time; 0: none.")] = None,
    name: Annotated[list[str], typer.Option("--name", metavar="HOST", help="A name it is called by; repeat.")] = [],  # noqa: B006
    no_http: Annotated[bool, typer.Option("--no-http", help="Workers only.")] = False,
) -> None:
    """Run workers and the HTTP API until Ctrl-C or SIGTERM; what is under way then is finished first.

    Whoever calls the API needs a token: elohim access token create.
    """
    if not no_http:
        _check_extra()
    logging.basicConfig(level=call.settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    if no_http:
        _work_only(call, call.settings.threads if workers is None else workers)
        return
    from elohim_kernel.surfaces.serve import serve as serve_http

    serve_http(call.settings, host=host, port=port, workers=workers, names=tuple(name), say=call.out.remark)


def _check_extra() -> None:
    from elohim_kernel.errors import Unavailable
    from elohim_kernel.surfaces.cli.installed import lacking

    absent = lacking(("starlette", "uvicorn"))
    if absent:
        missing = f"the HTTP API needs {' and '.join(absent)}, not installed here"
        raise Unavailable(missing, hint="pip install 'elohim_kernel[serve]', or elohim serve --no-http")


def _work_only(call: Call, workers: int) -> None:
    from elohim_kernel.surfaces.cli.stopping import until_told

    stop = until_told()
    call.out.remark(f"{workers} workers on {call.home}; Ctrl-C ends them when they are done")
    crew = [
        threading.Thread(target=call.workbench.worker().serve, args=(stop,), name=f"worker {number}")
        for number in range(max(1, workers))
    ]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
