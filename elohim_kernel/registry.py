"""Joins the written tables of built-in parts and operations. Nothing registers itself by being imported."""

from types import ModuleType
from typing import Final

from elohim_kernel.findings import recording
from elohim_kernel.store.catalogue import Catalogue
from elohim_kernel.workflows import approvals, definitions, details, inspection, runs, work_items

_ROOMS: Final[tuple[ModuleType, ...]] = (work_items, details, approvals, definitions, inspection, runs, recording)


def catalogue() -> Catalogue:
    """Every command and query there is."""
    return Catalogue.of(
        [entry for room in _ROOMS for entry in getattr(room, "COMMANDS", ())],
        [entry for room in _ROOMS for entry in getattr(room, "QUERIES", ())],
    )
