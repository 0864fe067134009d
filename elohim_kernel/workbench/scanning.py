"""Scanning from Python: `wb.scan(...)` and `wb.engines()`. The functions here are verbs of `Workbench`."""

import threading
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from elohim_kernel import registry
from elohim_kernel.model.value import Value
from elohim_kernel.ports import Scope
from elohim_kernel.runtime.scan import Scan
from elohim_kernel.runtime.scanning import OnProgress, Wanted, unwatched
from elohim_kernel.runtime.scanning import scan as scan_repository
from elohim_kernel.runtime.tools import OnReport, unheard
from elohim_kernel.runtime.worker import SystemClock
from elohim_kernel.workbench.bench import Bench


class EngineInfo(Value, frozen=True):
    """An engine as people choose it. `why_not` is "" for one that can run here."""

    name: str
    label: str
    version: str
    scope: Scope
    default: bool
    security: bool
    network: bool
    executes: bool
    why_not: str

    def __repr__(self) -> str:
        state = f"not run, because {self.why_not}" if self.why_not else self.version or "ready"
        return f"<Engine {self.name}: {self.label}, {state}>"


def engines(workbench: Bench | None = None) -> tuple[EngineInfo, ...]:
    """The engines there are, what each looks at, and why it could not run here."""
    return tuple(
        EngineInfo(
            name=name,
            label=engine.LABEL,
            version=engine.version(),
            scope=engine.TRAITS.scope,
            default=engine.TRAITS.default,
            security=engine.TRAITS.security,
            network=engine.TRAITS.network,
            executes=engine.TRAITS.executes,
            why_not=engine.available() or "",
        )
        for name, engine in sorted(registry.engines().items(), key=lambda each: each[1].TRAITS.cost)
    )


def scan(
    workbench: Bench,
    repository: str | Path,
    *,
    base: str | None = None,
    head: str | None = None,
    engines: tuple[str, ...] = (),
    trust: bool = False,
    online: bool = False,
    base_run: bool = False,
    workflow: str = "",
    record: bool = True,
    timeout_s: float = 600.0,
    options: Mapping[str, str] | None = None,
    on_progress: OnProgress = unwatched,
    on_report: OnReport = unheard,
    cancelled: threading.Event | None = None,
) -> Scan:
    """Look at a commit with every engine that is there; with `base`, at what the change from there brings.

    `head` None is the commit that is checked out. Where `options` name no advisories, those in the folder `advisories`
    of the home are used. See `runtime.scanning.Wanted` for the rest. Raises `Invalid` before anything runs for an
    unknown repository, revision or engine.
    """
    wanted = Wanted(
        repository=str(repository),
        base=base,
        head=head,
        engines=tuple(engines),
        trust=trust,
        online=online,
        base_run=base_run,
        workflow=workflow,
        record=record,
        timeout_s=timeout_s,
        options=options or {},
    )
    return scan_as(workbench, wanted, on_progress=on_progress, on_report=on_report, cancelled=cancelled)


def scan_as(
    workbench: Bench,
    wanted: Wanted,
    *,
    on_progress: OnProgress = unwatched,
    on_report: OnReport = unheard,
    cancelled: threading.Event | None = None,
) -> Scan:
    """The same, of a value; the advisories in the home are used here too."""
    return scan_repository(
        workbench.session,
        replace(wanted, options={**_kept_advisories(workbench.home), **wanted.options}),
        engines=registry.engines(),
        home=workbench.home,
        clock=SystemClock(),
        on_progress=on_progress,
        on_report=on_report,
        cancelled=cancelled,
    )


def _kept_advisories(home: Path | None) -> Mapping[str, str]:
    """The option that names the folder where a user keeps advisories, when there is one."""
    folder = home / "advisories" if home is not None else None
    return {"advisories": str(folder)} if folder is not None and folder.is_dir() else {}
