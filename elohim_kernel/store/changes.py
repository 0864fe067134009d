"""What somebody does not have yet of the rows they may see: how copies of the store are made and kept fresh.

A copy says how far it got in the log and what it could see; the answer holds the rows changed since, or everything anew
when what may be seen is no longer the same. All rows of one answer are read at one moment.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from elohim_kernel.errors import Invalid, NotFound
from elohim_kernel.model.access import ACCESS, GLOBAL, Principal, Team
from elohim_kernel.model.notification import addresses
from elohim_kernel.model.value import digest
from elohim_kernel.model.workflow import Workflow
from elohim_kernel.store.arrow import from_ipc, to_ipc
from elohim_kernel.store.store import Store
from elohim_kernel.store.views import COPIED, VIEWS


class Changes(NamedTuple):
    """New rows by view, as of one moment.

    `upto` is the number of the newest event included and `visibility` tells what could be seen: both are handed back to
    ask for what comes next. `whole` means that `tables` holds all there is, to be put in place of all there was. A view
    without new rows is not in `tables`.
    """

    upto: int
    visibility: str
    whole: bool
    tables: Mapping[str, pa.Table]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(table.num_rows for table in self.tables.values())


# A select costs milliseconds even when it finds nothing, so one question says first which are worth it.
_NEWS: Final = (
    "select (select seq from watermark) as upto, (select list(distinct kind) from events where seq > $since) as kinds, "
    + ", ".join(
        f"exists(from {source} where seq > $since) as {source}"
        for source in sorted({VIEWS[name].source for name in COPIED} - {"events"})
    )
)


class _Packed(msgspec.Struct):
    upto: int
    visibility: str
    whole: bool
    tables: dict[str, bytes]


class _Sight(NamedTuple):
    """What a principal may see, as parameters of the selects."""

    scopes: list[str]
    people: list[str]
    addresses: list[str]
    me: str


def raw_rows(store: Store, table: str, since: int, scopes: Sequence[str], principal: Principal) -> pa.Table:
    """The rows of one view within `scopes` that changed after event `since`; raises `NotFound` for an unknown name."""
    if table not in COPIED:
        raise NotFound(f"there is no table {table!r} to copy", hint=f"there is {', '.join(COPIED)}")
    store.flush()
    with store.database.reading() as read:
        return read(*_select(table, since, _sight(store, principal, scopes)))


def changes(store: Store, principal: str, *, since: int = 0, visibility: str = "") -> Changes:
    """The rows changed after event `since` that a principal, by id, may see; all of them when `visibility` is outdated.

    Nothing new costs no statement. Raises `Unauthenticated` for an unknown id.
    """
    reader = store.reader(principal)
    sight = _sight(store, reader.principal, reader.scopes())
    seen = _digest(store, sight)
    whole = visibility != seen or since > store.last_seq
    if not whole and since == store.last_seq:
        return Changes(since, seen, whole=False, tables={})
    store.flush()
    since = 0 if whole else since
    with store.database.reading() as read:
        news = read(_NEWS, {"since": since}).to_pylist()[0]
        tables = {name: read(*_select(name, since, sight)) for name in COPIED if _is_new(name, news)}
    return Changes(news["upto"], seen, whole, {name: rows for name, rows in tables.items() if rows.num_rows})


def pack(found: Changes) -> bytes:
    """Changes as bytes, for another process."""
    tables = {name: to_ipc(rows) for name, rows in found.tables.items()}
    return msgspec.msgpack.encode(_Packed(found.upto, found.visibility, found.whole, tables))


def unpack(body: bytes) -> Changes:
    """Changes from their bytes; raises `Invalid`."""
    try:
        packed = msgspec.msgpack.decode(body, type=_Packed)
    except msgspec.MsgspecError as wrong:
        raise Invalid(f"these are no rows for a copy: {wrong}") from None
    tables = {name: from_ipc(rows) for name, rows in packed.tables.items()}
    return Changes(packed.upto, packed.visibility, packed.whole, tables)


def _is_new(view: str, news: Mapping[str, Any]) -> bool:
    kinds = VIEWS[view].kinds
    return any(kind.startswith(kinds) for kind in news["kinds"] or ()) if kinds else bool(news[VIEWS[view].source])


def _select(view: str, since: int, sight: _Sight) -> tuple[str, dict[str, object]]:
    sql = VIEWS[view].select
    parameters = {"since": since, **sight._asdict()}
    return sql, {name: value for name, value in parameters.items() if f"${name}" in sql}


def _sight(store: Store, principal: Principal, scopes: Sequence[str]) -> _Sight:
    told = addresses(principal, store.memory.every(Workflow), store.memory.every(Team))
    return _Sight(sorted(scopes), _people(store, principal, scopes), sorted(told), principal.id)


def _people(store: Store, principal: Principal, scopes: Sequence[str]) -> list[str]:
    """Ids of those whose names `principal` may know; whoever reads access knows everybody."""
    mine = {GLOBAL, *principal.teams}
    return sorted(
        one.id
        for one in store.memory.every(Principal)
        if ACCESS in scopes or one.id == principal.id or not mine.isdisjoint(grant.scope for grant in one.grants)
    )


def _digest(store: Store, sight: _Sight) -> str:
    # Names are part of it: they stand in copied rows, and a workflow can be given a new one.
    visible = set(sight.scopes)
    names = sorted((flow.id, flow.name) for flow in store.memory.every(Workflow) if flow.id in visible)
    return digest([sight, names])
