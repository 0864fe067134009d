"""What an analyst can query: each view with its columns, and the select that yields its rows from the store.

Every select keeps to the caller's scopes and to a span of the log, so that a copy can be refreshed by what changed.
Names of people, items and workflows stand in place of ids wherever the caller may know them. Left out are whole
states, digests of tokens, request keys, hashes and settings.
"""

from collections.abc import Mapping
from typing import Final

from elohim_kernel.store.finding_views import FINDING_VIEWS
from elohim_kernel.store.view import (
    BOOL,
    INT,
    REAL,
    TEXT,
    TIME,
    VISIBLE,
    View,
    as_is,
    copied,
    data,
    item,
    json,
    new,
    or_null,
    person,
    told,
    workflow,
)

_EVENT_DATA: Final = (
    "case when e.kind in ('token.created', 'settings.changed') then null else (e.body -> '$.data')::VARCHAR end"
)
_ACTION: Final = "case when e.kind like 'sla.%' then 'sla_' else '' end || split_part(e.kind, '.', 2)"
_NOTE: Final = "coalesce(nullif(e.body ->> '$.data.note', ''), nullif(e.body ->> '$.data.reason', ''))"
_ATTEMPT_TEXTS: Final = ("function", "verdict", "reason", "call", "expected", "on_head", "test")
_ATTEMPT_SHAPE: Final = ", ".join(
    [*(f'"{name}":"VARCHAR"' for name in _ATTEMPT_TEXTS), '"kills":"BIGINT"', '"lines":"BIGINT"', '"count":"BIGINT"']
)
_ATTEMPTS: Final = (
    "cross join lateral (select unnest(from_json(e.body -> '$.data.enrichment.attempts',"
    f" '[{{{_ATTEMPT_SHAPE}}}]')) as attempt) t"
)
_VOTES: Final = (
    "approvals a cross join lateral (select unnest(from_json(a.votes,"
    ' \'[{"by":"VARCHAR","decision":"VARCHAR","cast_at":"TIMESTAMPTZ","comment":"VARCHAR"}]\')) as vote) v'
)

VIEWS: Final[Mapping[str, View]] = {
    "work_items": copied(
        "Every work item you can see, as it stands. `data` and `facts` are JSON.",
        {
            **as_is("w", "id reference"),
            **as_is("w", "number", INT),
            **workflow("w.scope"),
            **as_is("w", "revision", INT),
            **as_is("w", "title stage stage_type status priority"),
            **as_is("w", "priority_rank", INT),
            "assignee": person("w.assignee"),
            **or_null("w", "queue"),
            "opened_by": person("w.opened_by"),
            **as_is("w", "opened_at entered_at changed_at closed_at sla_due", TIME),
            **as_is("w", "overdue", BOOL),
            **or_null("w", "approval"),
            **as_is("w", "tags", "VARCHAR[]"),
            **as_is("w", "data facts"),
            **or_null("w", "resolution"),
            **as_is("w", "seq", INT),
        },
        "work_items w",
    ),
    **FINDING_VIEWS,
    "events": told(
        "The log: everything that happened where you can see it. `data` is JSON, described on the page of events; it is"
        " null for tokens and settings.",
        {
            "id": (TEXT, "format('ev_{:012x}', e.seq)"),
            "happened_at": (TIME, "e.ts"),
            **as_is("e", "kind subject"),
            "actor": person("e.actor"),
            "on_behalf_of": person("(e.body ->> '$.behalf')"),
            **workflow("e.scope"),
            "cause": (TEXT, "nullif(e.body ->> '$.cause', '')"),
            "data": (TEXT, _EVENT_DATA),
        },
    ),
    "history": told(
        "What happened to each item, step by step. `from_stage` and `to_stage` are null for what does not move it.",
        {
            **item("e.subject"),
            **workflow("e.scope"),
            "action": (TEXT, _ACTION),
            "from_stage": data("from_stage"),
            "to_stage": data("entry.stage"),
            "status": data("entry.status"),
            "person": person("e.actor"),
            "happened_at": (TIME, "e.ts"),
            "note": (TEXT, _NOTE),
        },
        "work_item.",
        "sla.",
    ),
    "comments": told(
        "What people said about items.",
        {
            **item("e.subject"),
            **workflow("e.scope"),
            "person": person("e.actor"),
            "happened_at": (TIME, "e.ts"),
            "text": data("text"),
        },
        "work_item.commented",
    ),
    "approvals": copied(
        "Every request for approval: how many must say yes, and how many have answered.",
        {
            **as_is("a", "id"),
            **item("a.item"),
            **workflow("a.scope"),
            **as_is("a", "stage status"),
            **as_is("a", "need approvals rejections", INT),
            "requested_by": person("a.requested_by"),
            **as_is("a", "requested_at expires_at closed_at", TIME),
            **or_null("a", "outcome"),
            **as_is("a", "seq", INT),
        },
        "approvals a",
    ),
    "votes": copied(
        "One row per person's answer to a request for approval.",
        {
            "approval": (TEXT, "a.id"),
            **item("a.item"),
            **workflow("a.scope"),
            **as_is("a", "stage"),
            "person": person("v.vote.by"),
            "decision": (TEXT, "v.vote.decision"),
            "cast_at": (TIME, "v.vote.cast_at"),
            "comment": (TEXT, "nullif(v.vote.comment, '')"),
            **as_is("a", "seq", INT),
        },
        _VOTES,
        key="approval",
    ),
    "runs": copied(
        "Automated stages and playbooks being done. `seconds` is null while one runs; `output` is where the executed"
        " notebook lies.",
        {
            **as_is("r", "id kind name"),
            **item("r.item"),
            **workflow("r.scope"),
            "started_by": person("r.started_by"),
            **as_is("r", "status"),
            **as_is("r", "attempt steps", INT),
            **as_is("r", "started_at finished_at", TIME),
            "seconds": (REAL, "epoch(r.finished_at - r.started_at)"),
            **or_null("r", "error output"),
            **as_is("r", "seq", INT),
        },
        "runs r",
    ),
    "steps": told(
        "Finished steps of runs, with the time each took. `output` is JSON.",
        {
            "run": (TEXT, "e.subject"),
            "name": (TEXT, "r.name"),
            **item("r.item"),
            **workflow("e.scope"),
            "step": data("step"),
            "seconds": data("seconds", REAL),
            "finished_at": (TIME, "e.ts"),
            "output": data("output"),
        },
        "run.step_finished",
        join="left join runs r on r.id = e.subject and r.scope = e.scope",
    ),
    "engine_runs": told(
        "What each engine did: whether it ran, the reason when it did not, what it covered and how much it found.",
        {
            "engine": data("tool"),
            "status": data("status"),
            "reason": data("reason"),
            "version": data("version"),
            **item("(e.body ->> '$.data.item')"),
            "run": data("run"),
            **workflow("e.scope"),
            "repository": data("repository"),
            "ref": data("ref"),
            "head": data("head"),
            "files": data("files", INT),
            "skipped": (INT, "json_array_length(e.body, '$.data.skipped')"),
            "findings": data("count", INT),
            "seconds": data("seconds", REAL),
            "happened_at": (TIME, "e.ts"),
        },
        "findings.recorded",
    ),
    "test_attempts": told(
        "The ledger of proposed tests: one row per attempt, accepted or not, and why. `calls` counts calls that ended"
        " alike; `kills` and `lines` are what an accepted test adds to the tests that were there.",
        {
            "proposal": (TEXT, "e.subject"),
            **item("(e.body ->> '$.data.item')"),
            "run": data("run"),
            **workflow("e.scope"),
            "repository": data("enrichment.repository"),
            "base": data("enrichment.base"),
            "head": data("enrichment.head"),
            **{name: (TEXT, f"nullif(t.attempt.{name}, '')") for name in _ATTEMPT_TEXTS},
            "kills": (INT, "t.attempt.kills"),
            "lines": (INT, "t.attempt.lines"),
            "calls": (INT, "t.attempt.count"),
            "happened_at": (TIME, "e.ts"),
        },
        "tests.proposed",
        join=_ATTEMPTS,
    ),
    "recommendations": told(
        "What engines and the agent advised. `steps`, `risks`, `evidence` and `not_run` are JSON.",
        {
            **item("(e.body ->> '$.data.item')"),
            **workflow("e.scope"),
            "stage": data("stage"),
            "run": data("run"),
            "engine": data("recommendation.engine"),
            "verdict": data("recommendation.verdict"),
            "summary": data("recommendation.summary"),
            **{name: json(f"recommendation.{name}") for name in ("steps", "risks", "evidence", "not_run")},
            "happened_at": (TIME, "e.ts"),
        },
        "recommendation.made",
    ),
    "workflows": copied(
        "Workflows you can see. `team` is null for your own and for everybody's.",
        {
            **as_is("w", "id name visibility"),
            "team": (TEXT, "t.name"),
            "owner": person("w.owner"),
            **as_is("w", "revision", INT),
            **or_null("w", "template category"),
            **as_is("w", "archived", BOOL),
            **as_is("w", "seq", INT),
        },
        f"workflows w left join teams t on t.id = w.tenant and t.{VISIBLE}",
    ),
    "templates": copied(
        "Definitions to start a workflow from.",
        {
            **as_is("w", "id name"),
            "team": (TEXT, "t.name"),
            **as_is("w", "system recommended", BOOL),
            **as_is("w", "revision seq", INT),
        },
        f"templates w left join teams t on t.id = w.tenant and t.{VISIBLE}",
    ),
    "notifications": copied(
        "What you were told, newest last.",
        {
            **as_is("n", "seq", INT),
            **as_is("n", "kind"),
            **item("n.item"),
            **as_is("n", "text"),
            "person": person("n.actor"),
            **as_is("n", "told_at", TIME),
        },
        "notifications n",
        key="",
        only="n.recipient in (select unnest($addresses)) and n.actor <> $me",
    ),
    "people": View(
        "Who shares a team with you, holds a role everywhere, or is you.",
        {"id": TEXT, "name": TEXT, "active": BOOL, "seq": INT},
        f"select id, name, active, seq from principals p where id in (select unnest($people)) and {new('p')}",
        "id",
        source="principals",
    ),
    "stage_times": View(
        "How long each item was in each stage, in seconds; `left_at` is null while it is there.",
        {
            "item": TEXT,
            "workflow": TEXT,
            "stage": TEXT,
            "entered_at": TIME,
            "left_at": TIME,
            "seconds": REAL,
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
