"""Where the files are that come with the program: sample data and playbooks.

A wheel carries them inside the package, under `elohim_kernel/shipped`; a source checkout has them at its root.
"""

from pathlib import Path
from typing import Final

from elohim_kernel.errors import Fault, Invalid

FOLDERS: Final = ("data", "playbooks")
_PACKAGE: Final = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """The folder `data` or `playbooks`; raises `Invalid` for another name, `Fault` when the installation lacks it.

    >>> shipped("playbooks").joinpath("review_report.ipynb").is_file()
    True
    """
    if name not in FOLDERS:
        raise Invalid(f"nothing named {name!r} comes with the program; there are {' and '.join(FOLDERS)}")
    for place in (_PACKAGE / "shipped" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise Fault(f"the folder {name!r} is missing from this installation", hint="install elohim_kernel again")
