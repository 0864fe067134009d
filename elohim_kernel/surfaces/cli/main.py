"""The entrance to `elohim`. What it opens is `program.app`, loaded when it is first used."""

import gc
import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from elohim_kernel.surfaces.cli.program import app

__all__ = ["app", "run"]


def run() -> NoReturn:
    """Run the command that this process's arguments name, and end with its exit code.

    Python's collector of garbage stays off while a light command runs, and a light command ends without taking the
    interpreter down piece by piece: both cost more than all that `elohim item list` does.
    """
    gc.disable()
    from elohim_kernel.surfaces.cli.program import main

    code = main(sys.argv[1:])
    if "duckdb" in sys.modules:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def __getattr__(name: str) -> object:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from elohim_kernel.surfaces.cli.program import app

    return app


if __name__ == "__main__":
    run()
