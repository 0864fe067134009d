"""Where the killing begins: the small owner program of the store's tests."""

from pathlib import Path

import pytest


@pytest.fixture
def program() -> tuple[str, ...]:
    """What the interpreter runs to become an owner."""
    return ("-P", str(Path(__file__).parent.parent / "store" / "owner_program.py"))
