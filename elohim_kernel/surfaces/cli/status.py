"""`elohim status`: where the store is, and how much is in it."""

from collections.abc import Iterator
from typing import Any

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command
from elohim_kernel.surfaces.cli.layout import counted, pairs
from elohim_kernel.version import __version__

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@command(app, "status")
def status(call: Call) -> None:
    """Where the store is, who holds it, and how much is in it, as far as you may see it.

    A home without a store is left as it is.
    """
    found: dict[str, Any] = {"home": str(call.home), "store": None, "owner": None, "items": {}, "findings": {}}
    if (call.home / "elohim.duckdb").exists():
        counts = call.ask("count_everything")
        told = call.connection.status()
        found |= {key: told[key] for key in ("home", "store", "owner", "events", "clients", "protocol")}
        found |= {"items": counts["items"], "findings": counts["findings"]}
    found["version"] = __version__
    call.show(found, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if found["store"] is None:
        yield from pairs([("home", found["home"]), ("store", "none yet: elohim demo, or elohim review PATH")])
        return
    yield from pairs(
        [
            ("home", found["home"]),
            ("owner", f"process {found['owner']}" if found["owner"] != "inline" else "this process"),
            ("items", _counts(found["items"], "item")),
            ("findings", _counts(found["findings"], "finding")),
            ("events", f"{found.get('events', 0):,}"),
            ("version", found["version"]),
        ]
    )


def _counts(by: dict[str, int], noun: str) -> str:
    told = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in by.items() if number)
    return f"{counted(sum(by.values()), noun)}{f': {told}' if told else ''}"
