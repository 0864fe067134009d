"""What verbs that live in a file of their own need of a workbench."""

from pathlib import Path
from typing import Any, Protocol

from elohim_kernel.config import Settings
from elohim_kernel.model.command import Command, Query
from elohim_kernel.runtime.session import Session
from elohim_kernel.workflows.templates import InstantiateTemplate


class Bench(Protocol):
    """A `Workbench`, seen from the files its verbs come from."""

    session: Session
    settings: Settings

    @property
    def home(self) -> Path | None:
        """Its folder; `None` when the store is in memory."""

    def do(self, command: Command, *, key: str = "") -> Any:
        """Do a command; the result is of the command's `result` type, hence `Any`."""

    def ask(self, query: Query) -> Any:
        """Answer a query; the answer is of the query's `result` type, hence `Any`."""


def flow_of(bench: Bench, template: str) -> str:
    """The id of the caller's own workflow made from a template; it is made when it is first asked for."""
    made: str = bench.do(InstantiateTemplate(template=template)).id
    return made
