"""The findings projection: sightings folded into one row per finding, by SQL, because there may be a million.

A finding is new when it is first seen, open when it is seen again, regressed when it comes back after being fixed. It is
fixed only when the same tool finished, covered its file on the same ref, and did not see it.
"""

from typing import Final

from elohim_kernel.model.events import Event
from elohim_kernel.model.finding import EngineStatus
from elohim_kernel.model.record import FindingsRecorded
from elohim_kernel.store.database import Database

_CONCLUSIVE: Final = (EngineStatus.FINDINGS.value, EngineStatus.CLEAN.value)

_COPIED: Final = (
    'item, tool, rule, severity, confidence, category, cwe, path, line, end_line, "column", symbol, message, snippet,'
    " remediation, on_changed_line, tool_id, context, ref, head"
)
_SET: Final = ", ".join(f"{name.strip()} = s.{name.strip()}" for name in _COPIED.split(","))

_LATEST: Final = (
    "select * from sightings where seq = $seq qualify row_number() over (partition by finding"
    ' order by line, "column", end_line, path, rule, message, severity, tool_id, snippet, symbol) = 1'
)

_REFRESH: Final = (
    f"update findings set {_SET}, seq = $seq, last_seen = s.seen_at, sightings = findings.sightings + 1,"  # noqa: S608
    " regressions = regressions + (state = 'fixed')::BIGINT,"
    " state = case state when 'new' then 'open' when 'fixed' then 'regressed' else state end"
    f" from ({_LATEST}) s where findings.id = s.finding"
)

_ADD: Final = (
    f"insert into findings (id, scope, seq, repository, state, {_COPIED}, fingerprint, first_seen, last_seen, first_seq,"  # noqa: S608
    f" sightings, regressions) select finding, scope, seq, repository, 'new', {_COPIED}, fingerprint, seen_at, seen_at, seq,"
    f" 1, 0 from ({_LATEST}) s where not exists (select 1 from findings f where f.id = s.finding)"
)

_FIX: Final = (
    "update findings set state = 'fixed', seq = $seq where scope = $scope and repository = $repository and tool = $tool"
    " and ref = $ref and path in (select unnest($covered)) and state in ('new', 'open', 'regressed')"
    " and id not in (select finding from sightings where seq = $seq)"
)


def project_findings(database: Database, event: Event, data: FindingsRecorded) -> None:
    """Fold the sightings beside one `findings.recorded` event: at most three statements, whatever their number."""
    if data.count:
        database.execute(_REFRESH, {"seq": event.seq})
        database.execute(_ADD, {"seq": event.seq})
    if data.covered and data.status in _CONCLUSIVE:
        database.execute(
            _FIX,
            {
                "seq": event.seq,
                "scope": event.scope,
                "repository": data.repository,
                "tool": data.tool,
                "ref": data.ref,
                "covered": list(data.covered),
            },
        )
