"""The kernel of a playbook's run: ipykernel, whose output may wait as long as it takes to be heard.

Loads ipykernel, which only a kernel's own process may do. A publishing socket drops what is over its limit without a
word, so a cell that prints faster than it is heard would lose lines, and the run's record with them.
"""

from typing import Any

from ipykernel.kernelapp import IPKernelApp


class PatientKernelApp(IPKernelApp):
    """An IPython kernel without a limit on what waits to be sent."""

    def init_iopub(self, context: Any) -> None:  # a zmq.Context
        """Make the socket for output, after lifting the limit that new sockets get."""
        context.sndhwm = 0
        super().init_iopub(context)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    PatientKernelApp.launch_instance()
