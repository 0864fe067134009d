"""The owner process of the workbench: `python -m elohim_kernel.runtime.owner --home DIR --idle SECONDS`.

See `runtime.serving` for what it does; here it gets the operations it serves.
"""

import sys

from elohim_kernel import registry
from elohim_kernel.runtime.inline import Parts
from elohim_kernel.runtime.serving import main

if __name__ == "__main__":
    sys.exit(main(Parts(registry.catalogue, registry.prepare)))
