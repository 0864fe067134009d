"""`elohim config`: settings, and where each comes from."""

from typing import Annotated

import typer

from elohim_kernel.surfaces.cli.call import Call
from elohim_kernel.surfaces.cli.door import command, noun
from elohim_kernel.surfaces.cli.layout import table, width

app = noun("Settings, and where each comes from.")


@command(app, "show")
def show(
    call: Call, origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False
) -> None:
    """Show every setting as it holds here and now. Secrets are no settings, and never shown."""
    found = call.configuration
    values = {key: getattr(found.settings, key) for key in found.settings.__struct_fields__}
    if origin:
        told = {key: {"value": value, "origin": found.origin(key)} for key, value in values.items()}
        rows = [(key, value, found.origin(key)) for key, value in values.items()]
        call.show(told, lambda: table(("setting", "value", "from"), rows, room=width()))
    else:
        call.show(values, lambda: table(("setting", "value"), values.items(), room=width()))
