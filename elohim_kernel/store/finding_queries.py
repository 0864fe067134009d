"""Named queries about findings and decisions; see `store.queries`. Each one binds `$scopes`.

Filters that are "" do not narrow. `$state` may be `live` for whatever nobody has settled, `$owner` may be `nobody`.
"""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.store.priority import PRIORITY, weighed

_VISIBLE: Final = "scope in (select unnest($scopes))"
_LEVELS: Final = "['critical', 'high', 'medium', 'low', 'info']"
_LIVE: Final = "state in ('new', 'open', 'regressed')"

# What others say of a problem or a rule counts for its priority, so only the workflow is narrowed before that.
_WEIGHED: Final = weighed(f"{_VISIBLE} and ($workflow = '' or scope = $workflow)")
_FILTERED: Final = (
    f"select *, {PRIORITY} as priority, {_LIVE} as live, {_LIVE} and coalesce(sla_due < $until, false) as overdue,"
    f" list_position({_LEVELS}, severity) as level from ({_WEIGHED})"
    f" where ($state = '' or state = $state or ($state = 'live' and {_LIVE}) or ($state = 'settled' and not {_LIVE}))"
    f" and ($severity = '' or list_position({_LEVELS}, severity) <= list_position({_LEVELS}, $severity))"
    " and ($repository = '' or repository = $repository)"
    " and ($category = '' or category = $category) and ($rule = '' or rule = $rule) and ($tool = '' or tool = $tool)"
    " and ($pattern = '' or regexp_full_match(path, $pattern)) and ($reason = '' or reason = $reason)"
    " and ($owner = '' or list_contains(owners, $owner) or ($owner = 'nobody' and len(owners) = 0))"
    " and ($item = '' or item = $item) and ($problem = '' or problem = $problem)"
    " and ($fresh = '' or is_new = ($fresh = 'yes'))"
    f" and ($late = '' or ({_LIVE} and coalesce(sla_due < $until, false)) = ($late = 'yes'))"
    " and ($text = '' or contains(lower(message), lower($text)) or contains(lower(rule), lower($text))"
    " or contains(lower(path), lower($text)) or contains(lower(symbol), lower($text)))"
    " and (len($ids::VARCHAR[]) = 0 or id in (select unnest($ids::VARCHAR[])))"
)
_FOLDED: Final = (
    "select id, priority, live, overdue, level from (select *, row_number()"
    " over (partition by scope, repository, coalesce(nullif(problem, ''), id)"
    " order by live desc, priority desc, level, length(related) < 3, evidence = '', cwe = 0, line, tool, rule, id)"
    f" as place from ({_FILTERED})) where place = 1 or $fold = ''"
)
_ORDERS: Final[Mapping[str, str]] = {
    "priority": "live desc, priority desc, level, path, line, id",
    "severity": "level, priority desc, path, line, id",
    "path": "path, line, level, id",
    "age": "first_seen, level, path, line, id",
    "due": "sla_due nulls last, level, path, line, id",
}


def _listed(order: str) -> str:
    """The rows themselves are fetched last, when it is known which: they are wide."""
    chosen = f"{_FOLDED} order by {order} limit $limit"
    return (
        "select f.*, n.priority, n.live, n.overdue, n.level from findings f"
        f" join ({chosen}) n on n.id = f.id where {_VISIBLE} order by {order.replace(' id', ' f.id')}"
    )


_GROUPS: Final[Mapping[str, str]] = {
    "severity": "severity",
    "category": "category",
    "path": "path",
    "rule": "rule",
    "tool": "tool",
    "state": "state",
    "owner": "unnest(case when len(owners) = 0 then ['nobody'] else owners end)",
}
_COUNTED: Final = (
    "select name, count(distinct problem) as problems, count(*) as findings, count(*) filter (where live) as live,"
    " count(*) filter (where overdue) as overdue, max(priority) as priority from (select {name} as name, live, overdue,"
    " priority, concat(scope, repository, coalesce(nullif(problem, ''), id)) as problem"
    f" from ({_FILTERED})) group by name order by problems desc, name limit $limit"
)

_OF_FINDING: Final = (
    f"from decisions where {_VISIBLE} and scope = $workflow and repository in ('', $repository)"
    " and tool in ('', $tool) and rule in ('', $rule) and (pattern = '' or regexp_full_match($path, pattern))"
    " and list_contains(severities, $severity) and (reach <> 'finding' or list_contains(findings, $finding)"
    " or ($problem <> '' and list_contains(problems, $problem)))"
)

FINDING_QUERIES: Final[Mapping[str, str]] = {
    **{f"findings_by_{name}": _listed(order) for name, order in _ORDERS.items()},
    **{f"finding_counts_by_{name}": _COUNTED.replace("{name}", group) for name, group in _GROUPS.items()},
    "count_findings": f"select state, count(*) as n from findings where {_VISIBLE} group by state order by state",
    "findings_of_item": (
        f"select id, severity, rule, path, line, message, state, tool, symbol, confidence, category, on_changed_line,"
        f" fingerprint, remediation from findings where {_VISIBLE} and id in"
        f" (select finding from sightings where {_VISIBLE} and item = $item)"
        f" order by list_position({_LEVELS}, severity), path, line, id"
    ),
    "known_findings": (
        f"select * from findings where {_VISIBLE} and scope = $workflow and repository = $repository"
        " and ($tool = '' or tool = $tool)"
        " order by path, line, id"
    ),
    "findings_named": f"select id, scope from findings where {_VISIBLE} and starts_with(id, $finding) limit 3",
    "findings_linked": (
        f"select id, scope, repository, tool, rule, severity, state, path, line, problem, fingerprint from findings"
        f" where {_VISIBLE} and problem <> '' and problem in (select unnest($ids)) order by tool, rule, path, line, id"
    ),
    "findings_in_file": (
        f"select id, line, end_line, category, state from findings where {_VISIBLE} and scope = $workflow"
        " and repository = $repository and path = $path order by line, id"
    ),
    "findings_decided_alike": (
        f"select id, message, snippet, context, symbol, path, line, state, decision, reason from findings where"
        f" {_VISIBLE} and scope = $workflow and tool = $tool and rule = $rule and decision <> '' and id <> $finding"
        " order by seq desc, id limit $limit"
    ),
    "rule_standing": (
        "select count(*) filter (where reason = 'false_positive') as wrong,"
        " count(*) filter (where state = 'accepted' or reason = 'wont_fix') as judged_right from findings"
        f" where {_VISIBLE} and scope = $workflow and tool = $tool and rule = $rule"
    ),
    "sightings_of": (
        "select seq, seen_at, head, ref, run, item, path, line, fingerprint, context, matched, severity from sightings"
        f" where {_VISIBLE} and finding = $finding order by seq, line"
    ),
    "findings_per_place": (
        f"select tool, rule, path, count(*) as n from findings where {_VISIBLE} and scope = $workflow"
        f" and repository = $repository and {_LIVE} group by tool, rule, path order by tool, rule, path"
    ),
    "decisions_listed": (
        f"select body from decisions where {_VISIBLE} and ($workflow = '' or scope = $workflow)"
        " and ($repository = '' or repository in ('', $repository)) and ($status = '' or status = $status)"
        " and ($rule = '' or rule = $rule) and ($reason = '' or reason = $reason)"
        " and ($expiring = '' or (status = 'active' and expires_at <= $until)) order by asked_at desc, id desc"
        " limit $limit"
    ),
    "decisions_of_batch": f"select id from decisions where {_VISIBLE} and undo = $undo order by id",
    "decisions_of_finding": f"select body {_OF_FINDING} order by asked_at, id",
    "due_decisions": (
        f"select id from decisions where {_VISIBLE} and status in ('asked', 'active') and expires_at <= $until"
        " order by expires_at, id"
    ),
}
