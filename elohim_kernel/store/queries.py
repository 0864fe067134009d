"""Named queries. Each one binds `$scopes`, the scopes the caller may see: a contract test holds us to it."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from elohim_kernel.store.finding_queries import FINDING_QUERIES

Read = Callable[[str, Mapping[str, object]], pa.Table]

_VISIBLE: Final = "scope in (select unnest($scopes))"

_QUEUE_ORDER: Final = {
    "priority": "priority_rank, sla_due nulls last, number",
    "age": "opened_at, number",
    "sla": "sla_due nulls last, priority_rank, number",
    "number": "number desc",
}

_ITEMS: Final = (
    f"from work_items where {_VISIBLE}"
    " and ($status = '' or status = $status) and ($stage = '' or stage = $stage)"
    " and ($workflow = '' or workflow = $workflow) and ($assignee = '' or assignee = $assignee)"
    " and ($tag = '' or list_contains(tags, $tag)) and ($text = '' or contains(lower(title), lower($text)))"
    " and (not $open or status not in ('completed', 'cancelled'))"
)

QUERIES: Final[Mapping[str, str]] = {
    **FINDING_QUERIES,
    **{f"items_by_{order}": f"select id {_ITEMS} order by {by} limit $limit" for order, by in _QUEUE_ORDER.items()},
    "count_items": f"select status, count(*) as n from work_items where {_VISIBLE} group by status order by status",
    "count_events": f"select kind, count(*) as n from events where {_VISIBLE} group by kind order by kind",
    "test_proposals": (
        f"select * from events where {_VISIBLE} and kind = 'tests.proposed'"
        " and ($workflow = '' or scope = $workflow) and ($item = '' or body ->> '$.data.item' = $item)"
        " order by seq desc limit $limit"
    ),
    "events_of": f"select * from events where {_VISIBLE} and subject = $subject order by seq",
    "events": (
        f"select * from events where {_VISIBLE} and seq > $after"
        " and ($kind = '' or kind = $kind or starts_with(kind, $kind || '.'))"
        " and ($subject = '' or subject = $subject) and ($item = '' or subject = $item"
        f" or subject in (select id from approvals where {_VISIBLE} and item = $item)"
        f" or subject in (select id from runs where {_VISIBLE} and item = $item)) order by seq desc limit $limit"
    ),
    "event": f"select * from events where {_VISIBLE} and seq = $seq",
    "approvals_of": f"select body from approvals where {_VISIBLE} and item = $item order by requested_at, id",
    "open_approvals": f"select body from approvals where {_VISIBLE} and status = 'open' order by requested_at, id",
    "runs": (
        f"select body from runs where {_VISIBLE} and ($item = '' or item = $item)"
        " and ($status = '' or status = $status)"
        " order by started_at desc, id limit $limit"
    ),
    "step_of": (
        f"select * from events where {_VISIBLE} and kind = 'run.step_finished' and subject = $run"
        " and body ->> '$.data.step' = $step order by seq desc limit 1"
    ),
    "inbox": (
        f"select * from notifications where {_VISIBLE} and recipient in (select unnest($addresses)) and actor <> $me"
        " and seq > $after order by seq desc limit $limit"
    ),
    "due_slas": (
        f"select id from work_items where {_VISIBLE} and sla_due <= $until and not overdue"
        " and status not in ('completed', 'cancelled') order by sla_due"
    ),
    "due_approvals": (
        f"select id from approvals where {_VISIBLE} and status = 'open' and expires_at <= $until order by expires_at"
    ),
}

_READ: Final = re.compile(r"\b(?:from|join) (\w+)")
_ALWAYS_CURRENT: Final = frozenset({"events", "sightings"})  # written with the log itself

# The projected tables each query reads: only those have to catch up with the log before it runs.
PROJECTED: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(_READ.findall(sql)) - _ALWAYS_CURRENT for name, sql in QUERIES.items()
}
