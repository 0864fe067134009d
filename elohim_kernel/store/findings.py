"""The findings projection: sightings folded into one row per finding, by SQL, because there may be a million.

A finding is new when it is first seen, open when it is seen again, regressed when it comes back after being fixed. It
is fixed only when the same tool finished, covered its file on the same ref, and did not see it.
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

_NEW: Final = ", ".join(f"s.{name.strip()}" for name in _COPIED.split(","))

_LATEST: Final = (
    "select * from sightings where seq = $seq qualify row_number() over (partition by finding"
    ' order by line, "column", end_line, path, rule, message, severity, tool_id, snippet, symbol) = 1'
)

_SEEN: Final = (
    f"merge into findings as f using ({_LATEST}) as s on f.id = s.finding"
    f" when matched then update set {_SET}, seq = $seq, last_seen = s.seen_at, sightings = f.sightings + 1,"
    " regressions = f.regressions + (f.state = 'fixed')::BIGINT,"
    " state = case f.state when 'new' then 'open' when 'fixed' then 'regressed' else f.state end"
    f" when not matched then insert (id, scope, seq, repository, state, {_COPIED}, fingerprint, first_seen, last_seen,"
    f" first_seq, sightings, regressions) values (s.finding, s.scope, s.seq, s.repository, 'new', {_NEW},"
    " s.fingerprint, s.seen_at, s.seen_at, s.seq, 1, 0)"
)

_FIX: Final = (
    "update findings set state = 'fixed', seq = $seq where scope = $scope and repository = $repository and tool = $tool"
    " and ref = $ref and path in (select unnest($covered)) and state in ('new', 'open', 'regressed')"
    " and id not in (select finding from sightings where seq = $seq)"
)


def project_findings(database: Database, event: Event, data: FindingsRecorded) -> None:
    """Fold the sightings beside one `findings.recorded` event: at most two statements, whatever their number."""
    if data.count:
        database.execute(_SEEN, {"seq": event.seq})
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
