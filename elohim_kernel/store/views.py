"""What an analyst can query: each view with its columns, and the select that yields its rows from the store.

Every select keeps to the caller's scopes and to a span of the log, so that a copy can be refreshed by what changed.
Names of people, items and workflows stand in place of ids wherever the caller may know them. Left out are whole
states, digests of tokens, request keys, hashes and settings.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

_TEXT: Final = "VARCHAR"
_INT: Final = "BIGINT"
_REAL: Final = "DOUBLE"
_BOOL: Final = "BOOLEAN"
_TIME: Final = "TIMESTAMP WITH TIME ZONE"

Columns = Mapping[str, tuple[str, str]]  # name → SQL type, expression


class View(NamedTuple):
    """One view: `doc` says what a row is, `columns` maps names to SQL types.

    A view with a `select` is copied from the store; `key` is the column whose rows are replaced when they change, ""
    when rows are only added; `born`, where there is one, is the column with the event that made the row. `source` is
    the table it is read from and `kinds`, for events, how the kinds it is about begin. A view with `sql` is worked out
    from the views it `needs`.
    """

    doc: str
    columns: Mapping[str, str]
    select: str = ""
    key: str = ""
    born: str = ""
    source: str = ""
    kinds: tuple[str, ...] = ()
    sql: str = ""
    needs: tuple[str, ...] = ()


_VISIBLE: Final = "scope in (select unnest($scopes))"
_NAMES: Final = (
    "with people as (select id, name from principals where id in (select unnest($people))),"
    f" flows as (select id, name from workflows where {_VISIBLE}),"
    f" items as (select id, reference from work_items where {_VISIBLE})"
)


def _new(alias: str) -> str:
    return f"{alias}.seq > $since and {alias}.seq <= (select m.seq from watermark m)"


def _as_is(alias: str, names: str, kind: str = _TEXT) -> dict[str, tuple[str, str]]:
    return {name: (kind, f"{alias}.{name}") for name in names.split()}


def _or_null(alias: str, names: str) -> dict[str, tuple[str, str]]:
    return {name: (_TEXT, f"nullif({alias}.{name}, '')") for name in names.split()}


def _person(identifier: str) -> tuple[str, str]:
    return _TEXT, f"coalesce((select p.name from people p where p.id = {identifier}), nullif({identifier}, ''))"


def _item(identifier: str) -> dict[str, tuple[str, str]]:
    reference = f"(select i.reference from items i where i.id = {identifier})"
    return {"item": (_TEXT, reference), "item_id": (_TEXT, f"nullif({identifier}, '')")}


def _workflow(scope: str) -> dict[str, tuple[str, str]]:
    return {"workflow": (_TEXT, f"(select w.name from flows w where w.id = {scope})"), "workflow_id": (_TEXT, scope)}


def _data(name: str, kind: str = _TEXT) -> tuple[str, str]:
    value = f"e.body ->> '$.data.{name}'"
    return kind, f"nullif({value}, '')" if kind == _TEXT else f"({value})::{kind}"


def _json(name: str) -> tuple[str, str]:
    return _TEXT, f"(e.body -> '$.data.{name}')::VARCHAR"


def _copied(doc: str, columns: Columns, source: str, *, key: str = "id", only: str = "") -> View:
    alias = source.split()[1]
    chosen = ", ".join(f'{expression} as "{name}"' for name, (_, expression) in columns.items())
    select = (f"{_NAMES} select {chosen} from {source} where {alias}.{_VISIBLE} and {_new(alias)}") + (
        f" and {only}" if only else ""
    )
    return View(doc, {name: kind for name, (kind, _) in columns.items()}, select, key, source=source.split()[0])


def _told(doc: str, columns: Columns, *kinds: str, join: str = "") -> View:
    """A view whose rows are events; with `kinds`, only those whose kind begins so."""
    only = " or ".join(f"starts_with(e.kind, '{kind}')" for kind in kinds)
    view = _copied(doc, {"seq": (_INT, "e.seq"), **columns}, f"events e {join}", key="", only=only and f"({only})")
    return view._replace(kinds=kinds or ("",))


_EVENT_DATA: Final = (
    "case when e.kind in ('token.created', 'settings.changed') then null else (e.body -> '$.data')::VARCHAR end"
)
_ACTION: Final = "case when e.kind like 'sla.%' then 'sla_' else '' end || split_part(e.kind, '.', 2)"
_NOTE: Final = "coalesce(nullif(e.body ->> '$.data.note', ''), nullif(e.body ->> '$.data.reason', ''))"
_VOTES: Final = (
    "approvals a cross join lateral (select unnest(from_json(a.votes,"
    ' \'[{"by":"VARCHAR","decision":"VARCHAR","cast_at":"TIMESTAMPTZ","comment":"VARCHAR"}]\')) as vote) v'
)

_FINDING: Final[Columns] = {
    **_as_is("f", "state tool rule severity"),
    "severity_rank": (_INT, "list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity) - 1"),
    **_as_is("f", "confidence category"),
    **_as_is("f", "cwe", _INT),
    **_as_is("f", "path"),
    **_as_is("f", "line end_line", _INT),
    "column_number": (_INT, 'f."column"'),
    **_or_null("f", "symbol"),
    **_as_is("f", "message"),
    **_or_null("f", "snippet remediation"),
    **_as_is("f", "on_changed_line", _BOOL),
    **_as_is("f", "fingerprint repository ref head"),
}

VIEWS: Final[Mapping[str, View]] = {
    "work_items": _copied(
        "Every work item you can see, as it stands. `data` and `facts` are JSON.",
        {
            **_as_is("w", "id reference"),
            **_as_is("w", "number", _INT),
            **_workflow("w.scope"),
            **_as_is("w", "revision", _INT),
            **_as_is("w", "title stage stage_type status priority"),
            **_as_is("w", "priority_rank", _INT),
            "assignee": _person("w.assignee"),
            **_or_null("w", "queue"),
            "opened_by": _person("w.opened_by"),
            **_as_is("w", "opened_at entered_at changed_at closed_at sla_due", _TIME),
            **_as_is("w", "overdue", _BOOL),
            **_or_null("w", "approval"),
            **_as_is("w", "tags", "VARCHAR[]"),
            **_as_is("w", "data facts"),
            **_or_null("w", "resolution"),
            **_as_is("w", "seq", _INT),
        },
        "work_items w",
    ),
    "findings": _copied(
        "Every finding, as it stands: one row per problem, however often it was seen. `severity_rank` 0 is critical.",
        {
            **_as_is("f", "id"),
            **_item("f.item"),
            **_workflow("f.scope"),
            **_FINDING,
            **_as_is("f", "first_seen last_seen", _TIME),
            **_as_is("f", "first_seq sightings regressions seq", _INT),
        },
        "findings f",
    )._replace(born="first_seq"),
    "sightings": _copied(
        "Every time a finding was seen, with the run, the commit and the place it was seen at.",
        {
            **_as_is("f", "seq", _INT),
            **_as_is("f", "finding"),
            **_item("f.item"),
            **_or_null("f", "run"),
            **_workflow("f.scope"),
            **{name: column for name, column in _FINDING.items() if name != "state"},
            **_as_is("f", "seen_at", _TIME),
        },
        "sightings f",
        key="",
    ),
    "events": _told(
        "The log: everything that happened where you can see it. `data` is JSON, described on the page of events; it is"
        " null for tokens and settings.",
        {
            "id": (_TEXT, "format('ev_{:012x}', e.seq)"),
            "happened_at": (_TIME, "e.ts"),
            **_as_is("e", "kind subject"),
            "actor": _person("e.actor"),
            "on_behalf_of": _person("(e.body ->> '$.behalf')"),
            **_workflow("e.scope"),
            "cause": (_TEXT, "nullif(e.body ->> '$.cause', '')"),
            "data": (_TEXT, _EVENT_DATA),
        },
    ),
    "history": _told(
        "What happened to each item, step by step. `from_stage` and `to_stage` are null for what does not move it.",
        {
            **_item("e.subject"),
            **_workflow("e.scope"),
            "action": (_TEXT, _ACTION),
            "from_stage": _data("from_stage"),
            "to_stage": _data("entry.stage"),
            "status": _data("entry.status"),
            "person": _person("e.actor"),
            "happened_at": (_TIME, "e.ts"),
            "note": (_TEXT, _NOTE),
        },
        "work_item.",
        "sla.",
    ),
    "comments": _told(
        "What people said about items.",
        {
            **_item("e.subject"),
            **_workflow("e.scope"),
            "person": _person("e.actor"),
            "happened_at": (_TIME, "e.ts"),
            "text": _data("text"),
        },
        "work_item.commented",
    ),
    "approvals": _copied(
        "Every request for approval: how many must say yes, and how many have answered.",
        {
            **_as_is("a", "id"),
            **_item("a.item"),
            **_workflow("a.scope"),
            **_as_is("a", "stage status"),
            **_as_is("a", "need approvals rejections", _INT),
            "requested_by": _person("a.requested_by"),
            **_as_is("a", "requested_at expires_at closed_at", _TIME),
            **_or_null("a", "outcome"),
            **_as_is("a", "seq", _INT),
        },
        "approvals a",
    ),
    "votes": _copied(
        "One row per person's answer to a request for approval.",
        {
            "approval": (_TEXT, "a.id"),
            **_item("a.item"),
            **_workflow("a.scope"),
            **_as_is("a", "stage"),
            "person": _person("v.vote.by"),
            "decision": (_TEXT, "v.vote.decision"),
            "cast_at": (_TIME, "v.vote.cast_at"),
            "comment": (_TEXT, "nullif(v.vote.comment, '')"),
            **_as_is("a", "seq", _INT),
        },
        _VOTES,
        key="approval",
    ),
    "runs": _copied(
        "Automated stages and playbooks being done. `seconds` is null while one runs; `output` is where the executed"
        " notebook lies.",
        {
            **_as_is("r", "id kind name"),
            **_item("r.item"),
            **_workflow("r.scope"),
            "started_by": _person("r.started_by"),
            **_as_is("r", "status"),
            **_as_is("r", "attempt steps", _INT),
            **_as_is("r", "started_at finished_at", _TIME),
            "seconds": (_REAL, "epoch(r.finished_at - r.started_at)"),
            **_or_null("r", "error output"),
            **_as_is("r", "seq", _INT),
        },
        "runs r",
    ),
    "steps": _told(
        "Finished steps of runs, with the time each took. `output` is JSON.",
        {
            "run": (_TEXT, "e.subject"),
            "name": (_TEXT, "r.name"),
            **_item("r.item"),
            **_workflow("e.scope"),
            "step": _data("step"),
            "seconds": _data("seconds", _REAL),
            "finished_at": (_TIME, "e.ts"),
            "output": _data("output"),
        },
        "run.step_finished",
        join="left join runs r on r.id = e.subject and r.scope = e.scope",
    ),
    "engine_runs": _told(
        "What each engine did: whether it ran, the reason when it did not, what it covered and how much it found.",
        {
            "engine": _data("tool"),
            "status": _data("status"),
            "reason": _data("reason"),
            "version": _data("version"),
            **_item("(e.body ->> '$.data.item')"),
            "run": _data("run"),
            **_workflow("e.scope"),
            "repository": _data("repository"),
            "ref": _data("ref"),
            "head": _data("head"),
            "files": _data("files", _INT),
            "skipped": (_INT, "json_array_length(e.body, '$.data.skipped')"),
            "findings": _data("count", _INT),
            "seconds": _data("seconds", _REAL),
            "happened_at": (_TIME, "e.ts"),
        },
        "findings.recorded",
    ),
    "recommendations": _told(
        "What engines and the agent advised. `steps`, `risks`, `evidence` and `not_run` are JSON.",
        {
            **_item("(e.body ->> '$.data.item')"),
            **_workflow("e.scope"),
            "stage": _data("stage"),
            "run": _data("run"),
            "engine": _data("recommendation.engine"),
            "verdict": _data("recommendation.verdict"),
            "summary": _data("recommendation.summary"),
            **{name: _json(f"recommendation.{name}") for name in ("steps", "risks", "evidence", "not_run")},
            "happened_at": (_TIME, "e.ts"),
        },
        "recommendation.made",
    ),
    "workflows": _copied(
        "Workflows you can see. `team` is null for your own and for everybody's.",
        {
            **_as_is("w", "id name visibility"),
            "team": (_TEXT, "t.name"),
            "owner": _person("w.owner"),
            **_as_is("w", "revision", _INT),
            **_or_null("w", "template category"),
            **_as_is("w", "archived", _BOOL),
            **_as_is("w", "seq", _INT),
        },
        f"workflows w left join teams t on t.id = w.tenant and t.{_VISIBLE}",
    ),
    "templates": _copied(
        "Definitions to start a workflow from.",
        {
            **_as_is("w", "id name"),
            "team": (_TEXT, "t.name"),
            **_as_is("w", "system recommended", _BOOL),
            **_as_is("w", "revision seq", _INT),
        },
        f"templates w left join teams t on t.id = w.tenant and t.{_VISIBLE}",
    ),
    "notifications": _copied(
        "What you were told, newest last.",
        {
            **_as_is("n", "seq", _INT),
            **_as_is("n", "kind"),
            **_item("n.item"),
            **_as_is("n", "text"),
            "person": _person("n.actor"),
            **_as_is("n", "told_at", _TIME),
        },
        "notifications n",
        key="",
        only="n.recipient in (select unnest($addresses)) and n.actor <> $me",
    ),
    "people": View(
        "Who shares a team with you, holds a role everywhere, or is you.",
        {"id": _TEXT, "name": _TEXT, "active": _BOOL, "seq": _INT},
        f"select id, name, active, seq from principals p where id in (select unnest($people)) and {_new('p')}",
        "id",
        source="principals",
    ),
    "stage_times": View(
        "How long each item was in each stage, in seconds; `left_at` is null while it is there.",
        {
            "item": _TEXT,
            "workflow": _TEXT,
            "stage": _TEXT,
            "entered_at": _TIME,
            "left_at": _TIME,
            "seconds": _REAL,
        },
        sql=(
            "select item, workflow, stage, entered_at, left_at, epoch(left_at - entered_at) as seconds from"
            " (select item, workflow, to_stage as stage, happened_at as entered_at,"
            " lead(happened_at) over (partition by item_id order by seq) as left_at from history"
            " where to_stage is not null or action = 'cancelled') where stage is not null and stage <> 'end'"
        ),
        needs=("history",),
    ),
}
COPIED: Final = tuple(name for name, view in VIEWS.items() if view.select)
