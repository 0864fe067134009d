"""The findings projection: sightings and decisions folded into one row per finding, by SQL, as there may be a million.

`seen` is what sightings alone say: new when first seen, open when seen at another commit, regressed when it comes back
after being fixed; fixed only when the same tool covered its file and its rule on the same ref, and did not see it.
`state` is what people see: that, unless a decision that is active or a comment in the source says otherwise.

What happened is folded event by event, and `state` last, from the decisions as they then are: so the outcome is the
same however many events one flush takes.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from elohim_kernel.model.decision import DecisionEvent, DecisionExpired, FindingDecision, Outcome, Reach
from elohim_kernel.model.events import Entity, Event
from elohim_kernel.model.finding import EngineStatus
from elohim_kernel.model.record import FindingsRecorded
from elohim_kernel.model.sla import SlaDays
from elohim_kernel.model.value import plain
from elohim_kernel.model.workflow import Workflow, WorkflowRevised
from elohim_kernel.store.database import Database

AFFECTING: Final = FindingsRecorded | DecisionEvent | WorkflowRevised
"""The data of events that change findings."""

_CONCLUSIVE: Final = (EngineStatus.FINDINGS.value, EngineStatus.CLEAN.value, EngineStatus.PARTIAL.value)
_ALIASES: Final = 50

_COPIED: Final = (
    'item, tool, rule, severity, confidence, category, cwe, path, line, end_line, "column", symbol, message, snippet,'
    " remediation, on_changed_line, tool_id, context, ref, head, tool_severity, advisories, evidence, related,"
    " suppressed, suppression_is_new, secret, owners, problem, is_new, path_kind"
)
_SET: Final = ", ".join(f"{name.strip()} = s.{name.strip()}" for name in _COPIED.split(","))

_NEW: Final = ", ".join(f"s.{name.strip()}" for name in _COPIED.split(","))

_LATEST: Final = (
    "select * from sightings where seq = $seq qualify row_number() over (partition by finding"
    ' order by line, "column", end_line, path, rule, message, severity, tool_id, snippet, symbol, evidence) = 1'
)

# The same report again, at the same commit, says nothing that is not known.
_NEXT: Final = (
    "case f.seen when 'new' then case when s.head = f.head then 'new' else 'open' end"
    " when 'fixed' then 'regressed' else f.seen end"
)
_SILENCED: Final = "({0}.suppressed <> '' and not {0}.suppression_is_new)"
_WHY: Final = f"case when {_SILENCED} then 'in_source' else '' end"
_CLOCK: Final = "case when f.seen = 'fixed' then s.seen_at else f.clock_from end"


def _days(row: str) -> str:
    levels = " ".join(f"when '{name}' then ${name}" for name in SlaDays.__struct_fields__)
    return f"to_days(nullif(case {row}.severity {levels} end, 0)::INTEGER)"


_SEEN: Final = (
    f"merge into findings as f using ({_LATEST}) as s on f.id = s.finding"
    f" when matched then update set {_SET}, seq = $seq, last_seen = s.seen_at, sightings = f.sightings + 1,"
    f" regressions = f.regressions + (f.seen = 'fixed')::BIGINT, seen = {_NEXT}, fixed_at = null,"
    f" state = case when {_SILENCED.format('s')} then 'dismissed' else {_NEXT} end,"
    f" decision = '', decided_until = null, reason = {_WHY.format('s')},"
    f" clock_from = {_CLOCK}, sla_due = {_CLOCK} + {_days('s')},"
    " aliases = case when len(s.aliases) = 0 and s.fingerprint = f.fingerprint then f.aliases else"
    " list_slice(list_sort(list_distinct(list_concat(f.aliases, s.aliases,"
    f" list_filter([s.fingerprint], lambda one: one <> f.fingerprint)))), 1, {_ALIASES}) end"
    f" when not matched then insert (id, scope, seq, repository, seen, state, reason, decision, {_COPIED}, fingerprint,"
    " identity, aliases, first_seen, last_seen, first_seq, sightings, regressions, clock_from, sla_due)"
    " values (s.finding, s.scope, s.seq, s.repository, 'new',"
    f" case when {_SILENCED.format('s')} then 'dismissed' else 'new' end, {_WHY.format('s')}, '',"
    f" {_NEW}, s.fingerprint, s.identity, s.aliases,"
    f" s.seen_at, s.seen_at, s.seq, 1, 0, s.seen_at, s.seen_at + {_days('s')})"
)

_FIX: Final = (
    "update findings set seen = 'fixed', state = 'fixed', fixed_at = $when, seq = $seq"
    " where scope = $scope and repository = $repository and tool = $tool and ref = $ref"
    " and path in (select unnest($covered)) and (len($rules::VARCHAR[]) = 0 or list_contains($rules::VARCHAR[], rule))"
    " and seen in ('new', 'open', 'regressed') and id not in (select finding from sightings where seq = $seq)"
)

_FITS: Final = (
    "d.scope = f.scope and d.repository in ('', f.repository) and d.tool in ('', f.tool) and d.rule in ('', f.rule)"
    " and list_contains(d.severities, f.severity) and (d.pattern = '' or regexp_full_match(f.path, d.pattern))"
)
_PAIR: Final = "select d.id as decision, d.seq, {rank} as rank, d.outcome, d.reason, d.expires_at, f.id as finding"
_EACH: Final = "(select *, unnest({names}) as name from decisions where reach = 'finding' and {which}) d"

# What was there when people decided is named by its id. Only what other tools saw later is found by its problem: a
# name of a problem can pass to its equal next to it, and the decision must not pass with it.
_PAIRS: Final[Mapping[Reach, str]] = {
    Reach.FINDING: (
        f"{_PAIR.format(rank=0)} from {_EACH.replace('{names}', 'findings')}"
        f" join findings f on f.id = d.name where {_FITS} and {{rows}}"
        f" union all {_PAIR.format(rank=0)} from {_EACH.replace('{names}', 'problems')}"
        f" join findings f on f.problem = d.name and f.first_seen >= d.asked_at where {_FITS} and {{rows}}"
    ),
    Reach.RULE: (
        f"{_PAIR.format(rank=1)} from decisions d join findings f on f.rule = d.rule"
        f" where d.reach = 'rule' and d.{{which}} and {_FITS} and {{rows}}"
    ),
    Reach.PATH: (
        f"{_PAIR.format(rank=2)} from decisions d join findings f on f.scope = d.scope"
        f" where d.reach = 'path' and d.{{which}} and {_FITS} and {{rows}}"
    ),
    Reach.REPOSITORY: (
        f"{_PAIR.format(rank=3)} from decisions d join findings f on f.scope = d.scope"
        f" where d.reach = 'repository' and d.{{which}} and {_FITS} and {{rows}}"
    ),
}


def _pairs(reach: Reach, *, which: str, rows: str = "true") -> str:
    return _PAIRS[reach].replace("{which}", which).replace("{rows}", rows)


def _about(reach: Reach) -> str:
    return f"id in (select finding from ({_pairs(reach, which='id = $decision')}))"


_TOUCH: Final = {reach: f"update findings set seq = $seq where {_about(reach)}" for reach in Reach}
_RESTART: Final = {
    reach: (
        f"update findings as f set clock_from = $when, sla_due = $when::TIMESTAMPTZ + {_days('f')}"
        f" where seen <> 'fixed' and {_about(reach)}"
    )
    for reach in Reach
}
_NEW_DAYS: Final = (
    f"update findings as f set seq = $seq, sla_due = clock_from + {_days('f')} where scope = $scope and seen <> 'fixed'"
)

_ACTIVE: Final = " union all ".join(_pairs(reach, which="status = 'active'", rows="f.seq >= $first") for reach in Reach)
_BEST: Final = (
    f"select * from ({_ACTIVE}) qualify row_number() over (partition by finding order by rank, seq desc, decision) = 1"
)
_SETTLE: Final = (
    "update findings as f set state = n.state, decision = n.decision, reason = n.reason, decided_until = n.expires_at"
    " from (select t.id, coalesce(b.decision, '') as decision, b.expires_at,"
    f" coalesce(b.reason, {_WHY.format('t')}) as reason,"
    " case when t.seen = 'fixed' then 'fixed' when b.outcome is not null then b.outcome"
    f" when {_SILENCED.format('t')} then 'dismissed' else t.seen end as state"
    f" from findings t left join ({_BEST}) b on b.finding = t.id where t.seq >= $first) n where f.id = n.id"
)
_IS_DECIDED: Final = "select 1 from decisions where status = 'active' limit 1"


def project_findings(database: Database, pending: Iterable[tuple[Event, Entity | None]]) -> None:
    """Fold events, with the state each left; the decisions' table must be up to the last of them already.

    One recorded run takes at most two statements, whatever its number of findings.
    """
    first, decided = 0, False
    for event, after in pending:
        data = event.data
        if isinstance(data, FindingsRecorded):
            _see(database, event, data)
        elif isinstance(after, FindingDecision):
            _decide(database, event, after)
            decided = True
        elif not (isinstance(data, WorkflowRevised) and isinstance(after, Workflow)):
            continue
        elif _has_new_days(after, data.number):
            days = after.revision(data.number).definition.findings.sla_days
            _run(database, _NEW_DAYS, {"seq": event.seq, "scope": event.scope}, days)
        first = first or event.seq
    if first and (decided or database.rows(_IS_DECIDED)):
        _run(database, _SETTLE, {"first": first})


def _see(database: Database, event: Event, data: FindingsRecorded) -> None:
    if data.count:
        _run(database, _SEEN, {"seq": event.seq}, data.sla)
    if data.covered and data.status in _CONCLUSIVE:
        values = {
            "seq": event.seq,
            "when": event.when,
            "scope": event.scope,
            "repository": data.repository,
            "tool": data.tool,
            "ref": data.ref,
            "covered": list(data.covered),
            "rules": list(data.rules),
        }
        _run(database, _FIX, values)


def _decide(database: Database, event: Event, after: FindingDecision) -> None:
    values = {"seq": event.seq, "decision": after.id, "when": event.when}
    _run(database, _TOUCH[after.reach], values)
    # What nobody confirmed in time never stopped the clock.
    lived_with = after.outcome is Outcome.ACCEPTED and after.decided_at is not None
    if isinstance(event.data, DecisionExpired) and lived_with:
        _run(database, _RESTART[after.reach], values, event.data.sla)


def _has_new_days(flow: Workflow, number: int) -> bool:
    before, now = (flow.revision(each).definition.findings.sla_days for each in (number - 1, number))
    return before != now


def _run(database: Database, sql: str, values: Mapping[str, object], days: SlaDays | None = None) -> None:
    every = {**values, **(plain(days) if days is not None else {})}
    database.execute(sql, {name: value for name, value in every.items() if f"${name}" in sql})
