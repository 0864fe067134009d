"""The projected tables: for each kind of state its columns, and how an entity becomes a row.

Every table has `id`, `key` (the name people use, unique in its table), `scope` (who may see it), `seq` (the event that
last changed it) and `body` (the whole state as JSON, from which it is loaded again). The rest is for SQL.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from elohim_kernel.model.access import ACCESS, Principal, Role, Team
from elohim_kernel.model.approval import Approval, Decision
from elohim_kernel.model.decision import FindingDecision
from elohim_kernel.model.events import Entity
from elohim_kernel.model.record import Inbox
from elohim_kernel.model.run import Delivery, Run
from elohim_kernel.model.token import Token
from elohim_kernel.model.value import to_json
from elohim_kernel.model.work_item import WorkItem
from elohim_kernel.model.workflow import Template, Workflow

_TEXT, _INT, _BOOL, _REAL = pa.string(), pa.int64(), pa.bool_(), pa.float64()
_TIME = pa.timestamp("us", "UTC")
_TEXTS = pa.list_(pa.string())
_SQL_TYPES: Final = {
    _TEXT: "VARCHAR",
    _INT: "BIGINT",
    _BOOL: "BOOLEAN",
    _REAL: "DOUBLE",
    _TIME: "TIMESTAMPTZ",
    _TEXTS: "VARCHAR[]",
}


class Column(NamedTuple):
    """A column for SQL; `get` reads it from the entity, `None` means it is named as the attribute."""

    name: str
    type: pa.DataType
    get: Callable[[Any], object] | None = None  # entities of many types, hence Any


class Table(NamedTuple):
    """How one kind of state is kept."""

    name: str
    entity: type[Entity]
    key: Callable[[Any], str]
    scope: Callable[[Any], str]
    columns: tuple[Column, ...]
    pinned: bool  # small and always needed: held in memory as a whole

    @property
    def sql_columns(self) -> str:
        """The columns as in `create table`."""
        own = ", ".join(f'"{column.name}" {_SQL_TYPES[column.type]}' for column in self.columns)
        return f"id VARCHAR, key VARCHAR, scope VARCHAR, seq BIGINT, body VARCHAR, {own}"

    def arrow(self, states: Sequence[tuple[Any, int]]) -> pa.Table:
        """Rows for entities with the number of the event that last changed each."""
        arrays: dict[str, pa.Array] = {
            "id": pa.array([state.id for state, _ in states], _TEXT),
            "key": pa.array([self.key(state) for state, _ in states], _TEXT),
            "scope": pa.array([self.scope(state) for state, _ in states], _TEXT),
            "seq": pa.array([seq for _, seq in states], _INT),
            "body": pa.array([_encode(state).decode() for state, _ in states], _TEXT),
        }
        for column in self.columns:
            read = column.get
            values = [read(s) for s, _ in states] if read else [getattr(s, column.name) for s, _ in states]
            arrays[column.name] = pa.array(values, column.type)
        return pa.table(arrays)

    def load(self, body: str) -> Entity:
        """The entity from its body."""
        return _DECODERS[self.entity].decode(body)


def _c(name: str, kind: pa.DataType = _TEXT, get: Callable[[Any], object] | None = None) -> Column:
    return Column(name, kind, get)


_WORK_ITEM_COLUMNS: Final = (
    _c("reference"),
    _c("number", _INT),
    _c("workflow"),
    _c("revision", _INT),
    _c("title"),
    _c("stage"),
    _c("stage_type"),
    _c("status", get=lambda item: item.status.value),
    _c("priority", get=lambda item: item.priority.value),
    _c("priority_rank", _INT, lambda item: item.priority.rank),
    _c("assignee"),
    _c("queue"),
    _c("opened_by"),
    _c("opened_at", _TIME),
    _c("entered_at", _TIME),
    _c("changed_at", _TIME),
    _c("closed_at", _TIME),
    _c("sla_due", _TIME),
    _c("overdue", _BOOL),
    _c("approval"),
    _c("tags", _TEXTS, lambda item: list(item.tags)),
    _c("data", get=lambda item: to_json(item.data) if item.data else "{}"),
    _c("facts", get=lambda item: to_json(item.facts) if item.facts else "{}"),
    _c("resolution"),
)

_APPROVAL_COLUMNS: Final = (
    _c("item"),
    _c("workflow"),
    _c("stage"),
    _c("status", get=lambda one: one.status.value),
    _c("need", _INT, lambda one: one.rule.need),
    _c("approvals", _INT, lambda one: sum(v.decision is Decision.APPROVE for v in one.votes)),
    _c("rejections", _INT, lambda one: sum(v.decision is Decision.REJECT for v in one.votes)),
    _c("requested_by"),
    _c("requested_at", _TIME),
    _c("expires_at", _TIME),
    _c("closed_at", _TIME),
    _c("digest"),
    _c("outcome"),
    _c("votes", get=lambda one: to_json(one.votes)),
)

_RUN_COLUMNS: Final = (
    _c("kind", get=lambda run: run.kind.value),
    _c("name"),
    _c("workflow"),
    _c("item"),
    _c("started_by", get=lambda run: run.by),
    _c("status", get=lambda run: run.status.value),
    _c("attempt", _INT),
    _c("steps", _INT),
    _c("started_at", _TIME),
    _c("finished_at", _TIME),
    _c("error"),
    _c("output"),
    _c("digest"),
)

_WORKFLOW_COLUMNS: Final = (
    _c("name"),
    _c("visibility", get=lambda flow: flow.visibility.value),
    _c("tenant"),
    _c("owner"),
    _c("revision", _INT, lambda flow: flow.current.number),
    _c("template"),
    _c("category", get=lambda flow: flow.current.definition.category),
    _c("archived", _BOOL),
)

_DELIVERY_COLUMNS: Final = (
    _c("event"),
    _c("subscriber"),
    _c("subject"),
    _c("status", get=lambda one: one.status.value),
    _c("due_at", _TIME),
    _c("attempts", _INT),
    _c("worker"),
    _c("lease_until", _TIME),
    _c("error"),
)

_DECISION_COLUMNS: Final = (
    _c("workflow"),
    _c("reach", get=lambda one: one.reach.value),
    _c("outcome", get=lambda one: one.outcome.value),
    _c("reason", get=lambda one: one.reason.value),
    _c("severities", _TEXTS, lambda one: [severity.value for severity in one.severities]),
    _c("repository"),
    _c("findings", _TEXTS, lambda one: list(one.findings)),
    _c("problems", _TEXTS, lambda one: list(one.problems)),
    _c("rule"),
    _c("path"),
    _c("pattern"),
    _c("tool"),
    _c("text"),
    _c("undo"),
    _c("status", get=lambda one: one.status.value),
    _c("asked_by"),
    _c("asked_at", _TIME),
    _c("decided_by"),
    _c("decided_at", _TIME),
    _c("expires_at", _TIME),
    _c("closed_by"),
    _c("closed_at", _TIME),
    _c("note"),
)

_TEMPLATE_COLUMNS: Final = (
    _c("name"),
    _c("tenant"),
    _c("system", _BOOL),
    _c("recommended", _BOOL),
    _c("revision", _INT),
)

TABLES: Final[tuple[Table, ...]] = (
    Table("principals", Principal, lambda p: p.name, lambda _: ACCESS, (_c("name"), _c("active", _BOOL)), pinned=True),
    Table("teams", Team, lambda t: t.name, lambda t: t.id, (_c("name"), _c("title")), pinned=True),
    Table("roles", Role, lambda r: r.name, lambda _: ACCESS, (_c("name"),), pinned=True),
    Table("tokens", Token, lambda t: t.digest, lambda t: t.principal, (_c("label"), _c("revoked", _BOOL)), pinned=True),
    Table("templates", Template, lambda t: f"{t.tenant}/{t.name}", lambda t: t.tenant, _TEMPLATE_COLUMNS, pinned=True),
    Table("workflows", Workflow, lambda w: f"{w.tenant}/{w.name}", lambda w: w.id, _WORKFLOW_COLUMNS, pinned=True),
    Table("inboxes", Inbox, lambda i: i.id, lambda i: i.id, (_c("read_to", _INT),), pinned=True),
    Table("work_items", WorkItem, lambda w: w.reference, lambda w: w.workflow, _WORK_ITEM_COLUMNS, pinned=False),
    Table("approvals", Approval, lambda a: a.id, lambda a: a.workflow, _APPROVAL_COLUMNS, pinned=False),
    Table("runs", Run, lambda r: r.id, lambda r: r.workflow, _RUN_COLUMNS, pinned=False),
    Table("decisions", FindingDecision, lambda d: d.id, lambda d: d.workflow, _DECISION_COLUMNS, pinned=False),
    Table("deliveries", Delivery, lambda d: d.id, lambda d: d.scope, _DELIVERY_COLUMNS, pinned=False),
)

TABLE_OF: Final = {table.entity: table for table in TABLES}
_encode: Final = msgspec.json.Encoder().encode
_DECODERS: Final = {table.entity: msgspec.json.Decoder(table.entity) for table in TABLES}

NOTIFICATIONS: Final = pa.schema(
    [
        ("seq", _INT),
        ("recipient", _TEXT),
        ("actor", _TEXT),
        ("kind", _TEXT),
        ("item", _TEXT),
        ("reference", _TEXT),
        ("scope", _TEXT),
        ("text", _TEXT),
        ("told_at", _TIME),
    ]
)

SIGHTINGS: Final = pa.schema(
    [
        ("seq", _INT),
        ("scope", _TEXT),
        ("finding", _TEXT),
        ("item", _TEXT),
        ("run", _TEXT),
        ("repository", _TEXT),
        ("ref", _TEXT),
        ("head", _TEXT),
        ("tool", _TEXT),
        ("rule", _TEXT),
        ("severity", _TEXT),
        ("confidence", _TEXT),
        ("category", _TEXT),
        ("cwe", _INT),
        ("path", _TEXT),
        ("line", _INT),
        ("end_line", _INT),
        ("column", _INT),
        ("symbol", _TEXT),
        ("message", _TEXT),
        ("snippet", _TEXT),
        ("remediation", _TEXT),
        ("on_changed_line", _BOOL),
        ("tool_id", _TEXT),
        ("context", _TEXT),
        ("fingerprint", _TEXT),
        ("seen_at", _TIME),
        ("tool_severity", _TEXT),
        ("advisories", _TEXTS),
        ("evidence", _TEXT),
        ("related", _TEXT),
        ("suppressed", _TEXT),
        ("suppression_is_new", _BOOL),
        ("secret", _TEXT),
        ("owners", _TEXTS),
        ("problem", _TEXT),
        ("is_new", _BOOL),
        ("aliases", _TEXTS),
        ("identity", _TEXT),
        ("matched", _TEXT),
        ("path_kind", _TEXT),
    ]
)
"""One row per finding and run. `related` is JSON; `matched` says by what it was recognised, or why it is new."""


def sql_of(schema: pa.Schema) -> str:
    """The columns of an Arrow schema as in `create table`."""
    return ", ".join(f'"{field.name}" {_SQL_TYPES[field.type]}' for field in schema)
