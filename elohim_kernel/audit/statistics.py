"""Counts of what there is, for whoever asks: only rows they may see are counted."""

from collections.abc import Mapping

from elohim_kernel.audit.trail import READ
from elohim_kernel.model.access import GLOBAL, Role, Verdict, decide
from elohim_kernel.model.command import Query
from elohim_kernel.model.value import Value
from elohim_kernel.store.catalogue import QueryEntry, anywhere
from elohim_kernel.store.unit import Reader


class Counts(Value, frozen=True):
    """How much there is, for one caller."""

    items: Mapping[str, int]  # by status
    findings: Mapping[str, int]  # by state
    events: Mapping[str, int]  # by kind
    last_seq: int  # of the log as a whole; 0 for callers without audit.read, whom it would tell of others' doings
    head: str  # hash of that record; "" likewise


class CountEverything(Query, frozen=True):
    """Work items by status, findings by state and events by kind, as far as the caller may see them."""

    result = Counts
    example = {}


def count_everything(query: CountEverything, reader: Reader) -> Counts:
    """Answer `CountEverything`."""
    roles = {role.name: role for role in reader.every(Role)}
    reads_trail = decide(reader.principal, READ, GLOBAL, roles) is Verdict.ALLOWED
    newest = reader.trail.checkpoint() if reads_trail else None
    return Counts(
        items=_counted(reader, "count_items", "status"),
        findings=_counted(reader, "count_findings", "state"),
        events=_counted(reader, "count_events", "kind"),
        last_seq=newest.seq if newest else 0,
        head=newest.head if newest else "",
    )


def _counted(reader: Reader, query: str, by: str) -> dict[str, int]:
    return {row[by]: row["n"] for row in reader.rows(query)}


QUERIES = (QueryEntry(CountEverything, count_everything, anywhere),)
