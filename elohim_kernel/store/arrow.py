"""Arrow tables as bytes: how bulk rows travel in commands and over the socket."""

import pyarrow as pa

from elohim_kernel.errors import Invalid


def to_ipc(table: pa.Table) -> bytes:
    """The table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def from_ipc(data: bytes) -> pa.Table:
    """The table in an Arrow IPC stream; raises `Invalid` when it is none."""
    try:
        with pa.ipc.open_stream(data) as reader:
            return reader.read_all()
    except pa.ArrowInvalid as wrong:
        raise Invalid(f"the rows are not an Arrow stream: {wrong}") from None
