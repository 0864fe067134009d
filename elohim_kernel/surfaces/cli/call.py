"""One call of one command: what was said about home, person and output, and the way to the store.

Help needs neither settings nor a store, so both are loaded when a command asks for them.
"""

import gc
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from elohim_kernel.surfaces.cli.output import Output

if TYPE_CHECKING:
    from elohim_kernel.config import Configuration, Settings
    from elohim_kernel.surfaces.cli.connection import Connection
    from elohim_kernel.workbench import Workbench

Plain = Any  # what JSON can hold, and times: operations have answers of many shapes


class Given(NamedTuple):
    """What every command understands. `None` means not said."""

    home: str | None = None
    user: str | None = None
    json: bool = False

    def over(self, outer: "Given") -> "Given":
        """This, where it was said, else what was said before the noun."""
        return Given(self.home or outer.home, self.user or outer.user, self.json or outer.json)


class Call:
    """What a command's function gets first."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.out = Output(json=given.json)
        self._configuration: Configuration | None = None
        self._connection: Connection | None = None
        self._workbench: Workbench | None = None

    @property
    def configuration(self) -> "Configuration":
        """The settings with their origins; raises `Invalid` for one that is not acceptable."""
        if self._configuration is None:
            from elohim_kernel.config import load

            self._configuration = load({"home": self.given.home, "user": self.given.user})
        return self._configuration

    @property
    def settings(self) -> "Settings":
        """The settings."""
        return self.configuration.settings

    @property
    def home(self) -> Path:
        """The home folder, which need not exist."""
        return Path(self.settings.home)

    @property
    def connection(self) -> "Connection":
        """The way to the store, made when it is first needed."""
        if self._connection is None:
            from elohim_kernel.surfaces.cli.connection import connect

            token = os.environ.get("ELOHIM_TOKEN", "")
            user = self.given.user or ("" if token else self.settings.user)
            self._connection = connect(self.settings, user, token)
        return self._connection

    @property
    def workbench(self) -> "Workbench":
        """The workbench, for commands that run engines or notebooks. Loads the database."""
        if self._workbench is None:
            gc.enable()  # see `main.run`
            from elohim_kernel.workbench import open as open_workbench

            self._workbench = open_workbench(self.settings.home, user=self.given.user)
            if self._connection is None:
                from elohim_kernel.surfaces.cli.connection import SessionConnection

                self._connection = SessionConnection(self._workbench.session)
        return self._workbench

    def do(self, operation: str, /, **fields: object) -> Plain:
        """Do a command by its name; see `Connection.do`."""
        return self.connection.do(operation, fields)

    def ask(self, operation: str, /, **fields: object) -> Plain:
        """Answer a query by its name."""
        return self.connection.ask(operation, fields)

    def show(self, value: Plain, people: Callable[[], Iterable[str]]) -> None:
        """Print a result: as JSON when that was asked for, else the lines that `people` makes."""
        if self.given.json:
            self.out.data(value)
        else:
            self.out.lines(people())

    def close(self) -> None:
        """Let the store go."""
        for each in (self._connection, self._workbench):
            if each is not None:
                each.close()
        self._connection = self._workbench = None
