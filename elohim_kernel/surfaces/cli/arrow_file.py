"""Writes rows as an Arrow file. Loads pyarrow."""

from pathlib import Path

import pyarrow as pa

from elohim_kernel.surfaces.cli.files import write_bytes


def write_arrow(rows: pa.Table, path: Path) -> None:
    """Write the rows whole; raises `Unavailable` when the file cannot be written."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    write_bytes(path, sink.getvalue().to_pybytes())
