"""What an analyst can query about findings: as they stand, when they were seen, and what was decided about them."""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.store.priority import PRIORITY, windows
from elohim_kernel.store.view import BOOL, INT, REAL, TEXT, TIME, Columns, View, as_is, copied, item, or_null, person
from elohim_kernel.store.view import workflow as workflow_of

_TEXTS: Final = "VARCHAR[]"
_LIVE: Final = "state in ('new', 'open', 'regressed')"

_FINDING: Final[Columns] = {
    **as_is("f", "state tool rule severity"),
    "severity_rank": (INT, "list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity) - 1"),
    **as_is("f", "confidence category"),
    **as_is("f", "cwe", INT),
    **as_is("f", "path"),
    **as_is("f", "line end_line", INT),
    "column_number": (INT, 'f."column"'),
    **or_null("f", "symbol"),
    **as_is("f", "message"),
    **or_null("f", "snippet remediation"),
    **as_is("f", "on_changed_line", BOOL),
    **as_is("f", "fingerprint repository ref head"),
    **or_null("f", "tool_severity evidence suppressed secret problem"),
    **as_is("f", "related path_kind"),
    **as_is("f", "advisories owners aliases", _TEXTS),
    **as_is("f", "is_new suppression_is_new", BOOL),
}

_STANDING: Final[Columns] = {
    **as_is("f", "seen"),
    **or_null("f", "decision reason"),
    **as_is("f", "decided_until fixed_at sla_due", TIME),
    "sla_met": (BOOL, "case when f.seen = 'fixed' then f.fixed_at <= f.sla_due end"),
    # Worked out when they are asked for: the time goes on, and other findings change them.
    "overdue": (BOOL, "false"),
    "priority": (REAL, "0.0"),
}

_FINDINGS: Final = copied(
    "Every finding, as it stands: one row, however often it was seen. `severity_rank` 0 is critical. `seen`"
    " is what sightings say, `state` what decisions make of it; `related` is JSON. Rows of one `problem` are"
    " one problem seen by several tools. `sla_met` is null until it is fixed.",
    {
        **as_is("f", "id"),
        **item("f.item"),
        **workflow_of("f.scope"),
        **_FINDING,
        **_STANDING,
        **as_is("f", "first_seen last_seen", TIME),
        **as_is("f", "first_seq sightings regressions seq", INT),
    },
    "findings f",
)._replace(
    born="first_seq",
    sql=(
        f"select * exclude (seers, wrong, right_) replace ({PRIORITY} as priority,"
        f" coalesce({_LIVE} and sla_due < now(), false) as overdue)"
        f" from (select *, {windows('workflow_id')} from raw.findings)"
    ),
)

_SIGHTINGS: Final = copied(
    "Every time a finding was seen, with the run, the commit and the place it was seen at. `matched` says by what it"
    " was recognised, or why it was new.",
    {
        **as_is("f", "seq", INT),
        **as_is("f", "finding"),
        **item("f.item"),
        **or_null("f", "run"),
        **workflow_of("f.scope"),
        **{name: column for name, column in _FINDING.items() if name != "state"},
        **or_null("f", "identity matched"),
        **as_is("f", "seen_at", TIME),
    },
    "sightings f",
    key="",
)

_DECISIONS: Final = copied(
    "What was decided about findings, by whom and until when; `expires_at` null is never. `findings` counts those that"
    " were chosen one by one.",
    {
        **as_is("d", "id"),
        **workflow_of("d.scope"),
        **as_is("d", "status reach outcome reason"),
        **or_null("d", "text repository tool rule path"),
        **as_is("d", "severities", _TEXTS),
        "findings": (INT, "len(d.findings)"),
        "asked_by": person("d.asked_by"),
        **as_is("d", "asked_at", TIME),
        "decided_by": person("d.decided_by"),
        **as_is("d", "decided_at expires_at", TIME),
        "closed_by": person("d.closed_by"),
        **as_is("d", "closed_at", TIME),
        **or_null("d", "note undo"),
        **as_is("d", "seq", INT),
    },
    "decisions d",
)

_RULE_PRECISION: Final = View(
    "What decisions say about each rule: findings judged false, judged true, and in all. `precision` is null where"
    " nobody judged.",
    {
        "workflow": TEXT,
        "tool": TEXT,
        "rule": TEXT,
        "findings": INT,
        "false_positives": INT,
        "true_positives": INT,
        "precision": REAL,
    },
    sql=(
        "select any_value(workflow) as workflow, tool, rule, count(*) as findings,"
        " count(*) filter (where reason = 'false_positive') as false_positives,"
        " count(*) filter (where state = 'accepted' or reason = 'wont_fix') as true_positives,"
        " true_positives / nullif(true_positives + false_positives, 0) as precision"
        " from findings group by workflow_id, tool, rule"
    ),
    needs=("findings",),
)

_PROBLEMS: Final = View(
    "One row per problem, whichever tools see it: its most urgent finding, and how many there are of it.",
    {
        "problem": TEXT,
        "workflow": TEXT,
        "repository": TEXT,
        "finding": TEXT,
        "state": TEXT,
        "severity": TEXT,
        "category": TEXT,
        "path": TEXT,
        "line": INT,
        "message": TEXT,
        "tools": _TEXTS,
        "findings": INT,
        "priority": REAL,
    },
    sql=(
        "select problem, workflow, repository, id as finding, state, severity, category, path, line, message,"
        " list_sort(list_distinct(seen_by)) as tools, findings, priority"
        " from (select *, list(tool) over same as seen_by,"
        f" count(*) over same as findings, row_number() over (same order by {_LIVE} desc, priority desc, id) as place"
        " from findings window same as (partition by workflow_id, repository, coalesce(problem, id))) where place = 1"
    ),
    needs=("findings",),
)

FINDING_VIEWS: Final[Mapping[str, View]] = {
    "findings": _FINDINGS,
    "sightings": _SIGHTINGS,
    "decisions": _DECISIONS,
    "rule_precision": _RULE_PRECISION,
    "problems": _PROBLEMS,
}
