"""`elohim audit`: check the log of what happened, and keep a copy of it elsewhere."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import OUR_FAULT, command, noun
from elohim_kernel.surfaces.cli.layout import counted
from elohim_kernel.surfaces.text import text

app = noun("Check and copy the log of what happened.")

_AT_A_TIME: Final = 10_000  # records


@command(app, "verify")
def verify(
    call: Call,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", "--against", metavar="FILE", help="A checkpoint, or an export, kept elsewhere."),
    ] = None,
) -> int:
    """Check every record against its hash, and against what was kept elsewhere.

    Exit code 3 when the log is not whole.
    """
    kept = _kept(checkpoint) if checkpoint else {"seq": 0, "head": ""}
    found = call.ask("verify_trail", seq=kept["seq"], head=kept["head"])
    call.show(found, lambda: _verdict(found, bool(checkpoint)))
    return 0 if found["ok"] else OUR_FAULT


def _verdict(found: dict[str, Any], anchored: bool) -> Iterator[str]:
    if not found["ok"]:
        yield text(f"NOT whole: {found['problem']}")
        yield f"the first bad record is {found['first_bad']}"
        return
    yield f"whole: {counted(found['events'], 'event')}, head {found['head']}"
    if not anchored:
        yield "a cut end shows only against a checkpoint kept elsewhere: elohim audit checkpoint"


@command(app, "checkpoint")
def checkpoint(
    call: Call, out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there.")] = None
) -> None:
    """Print the newest record's number and hash: keep them where nobody who holds the store can write."""
    from elohim_kernel.surfaces.cli.files import write_bytes
    from elohim_kernel.surfaces.cli.output import as_json

    found = call.ask("trail_head")
    if out is None:
        call.out.data(found)
        return
    write_bytes(out, as_json(found).encode() + b"\n")
    call.show({**found, "out": str(out)}, lambda: [text(f"record {found['seq']} is kept in {out}")])


@command(app, "export")
def export(
    call: Call,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write there.")] = None,
    after: Annotated[int, typer.Option(help="Only records after this number.")] = 0,
) -> None:
    """Write the records exactly as they are, one JSON document a line, with their hashes.

    That a copy was taken is an event as well. Every tenant's records are in it, hence it takes an administrator.
    """
    from elohim_kernel.surfaces.cli.files import write_bytes

    # An upper bound, because the log grows while it is copied, and by the copying.
    upto = call.ask("trail_head")["seq"]
    lines: list[str] = []
    last = {"seq": after, "hash": ""}
    while last["seq"] < upto:
        records = call.ask("export_trail", after=last["seq"], limit=min(_AT_A_TIME, upto - last["seq"]))
        if not records:
            break
        last = records[-1]
        part = [json.dumps(record).replace("\x7f", "\\u007f") + "\n" for record in records]
        if out is None:
            sys.stdout.writelines(part)
        else:
            lines += part
    if last["hash"]:
        call.do("record_export", upto=last["seq"], head=last["hash"])
    if out is not None:
        write_bytes(out, "".join(lines).encode())
        told = {"out": str(out), "records": len(lines), "upto": last["seq"], "head": last["hash"]}
        call.show(told, lambda: [text(f"{counted(len(lines), 'record')} up to {last['seq']} written to {out}")])


def _kept(path: Path) -> dict[str, Any]:
    """What a checkpoint, or the last line of an export, says about the newest record it saw."""
    from elohim_kernel.errors import Invalid
    from elohim_kernel.surfaces.cli.files import read_text

    words = read_text(path).strip()
    try:
        found = json.loads(words if words.startswith("{\n") else words.rpartition("\n")[2])
        return {"seq": int(found["seq"]), "head": str(found.get("head") or found["hash"])}
    except (ValueError, KeyError, TypeError):
        now = datetime.now(UTC).date().isoformat()
        raise Invalid(
            f"{str(path)!r} is neither a checkpoint nor an export",
            hint=f"make one: elohim audit checkpoint --out checkpoint-{now}.json",
        ) from None
