"""Pynguin, a search-based generator of tests, where it is installed: its tests are proven like all others.

It is not part of what we install: it pins what the code does, module constants included, and takes minutes.
"""

import importlib.util


def whether_here() -> str:
    """A sentence for the notes: whether pynguin could take part."""
    if importlib.util.find_spec("pynguin") is None:
        return "pynguin is not installed, so its search took no part"
    return "pynguin is installed; it takes part when the option `pynguin` says for how many seconds"
