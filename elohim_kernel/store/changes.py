"""What somebody does not have yet of the rows they may see: how copies of the store are made and kept fresh.

A copy says which views it holds, how far it got in the log and what it could see. The answer holds the rows changed
since, whole views that it did not hold, and all of them anew when what may be seen is no longer the same. All rows of
one answer are read at one moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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
from elohim_kernel.store.wire import Wanted


class Changes(NamedTuple):
    """Rows by view, as of one moment: that of event `upto`, the newest one included.

    `visibility` tells what could be seen. The views in `whole` are sent with all their rows, to be put in place of
    earlier ones. A view without rows to send is not in `tables`.
    """

    upto: int
    visibility: str
    whole: tuple[str, ...]
    tables: Mapping[str, pa.Table]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(table.num_rows for table in self.tables.values())


class _Packed(msgspec.Struct):
    upto: int
    visibility: str
    whole: tuple[str, ...]
    tables: dict[str, bytes]


class _Sight(NamedTuple):
    """What a principal may see, as parameters of the selects."""

    scopes: list[str]
    people: list[str]
    addresses: list[str]
    me: str


def raw_rows(store: Store, table: str, since: int, scopes: Sequence[str], principal: Principal) -> pa.Table:
    """The rows of one view within `scopes` that changed after event `since`; raises `NotFound` for an unknown name."""
    _check_names([table])
    store.flush()
    with store.database.reading() as read:
        return read(*_select(table, since, _sight(store, principal, scopes)))


def changes(store: Store, principal: str, wanted: Wanted) -> Changes:
    """What a copy of what a principal, by id, may see does not have yet.

    Nothing new costs no statement. Raises `Unauthenticated` for an unknown id, `NotFound` for an unknown view.
    """
    _check_names([*wanted.held, *wanted.new])
    reader = store.reader(principal)
    sight = _sight(store, reader.principal, reader.scopes())
    seen = _digest(store, sight)
    anew = wanted.visibility != seen or wanted.since > store.last_seq
    whole = (*wanted.held, *wanted.new) if anew else wanted.new
    held = () if anew else wanted.held
    if not whole and (not held or wanted.since == store.last_seq):
        return Changes(store.last_seq, seen, (), {})
    store.flush()
    with store.database.reading() as read:
        news = read(_news(held), {"since": wanted.since} if held else {}).to_pylist()[0]
        tables = {name: read(*_select(name, 0, sight)) for name in whole}
        tables |= {name: read(*_select(name, wanted.since, sight)) for name in held if _is_new(name, news)}
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


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name not in COPIED:
            raise NotFound(f"there is no table {name!r} to copy", hint=f"there is {', '.join(COPIED)}")


def _news(held: Sequence[str]) -> str:
    """Which sources of these views have something new: a select costs milliseconds even when it finds nothing."""
    sources = {VIEWS[name].source for name in held}
    columns = ["(select seq from watermark) as upto"]
    if "events" in sources:
        columns.append("(select list(distinct kind) from events where seq > $since) as events")
    columns += [f"exists(from {name} where seq > $since) as {name}" for name in sorted(sources - {"events"})]
    return f"select {', '.join(columns)}"


def _is_new(view: str, news: Mapping[str, Any]) -> bool:
    found, kinds = news[VIEWS[view].source], VIEWS[view].kinds
    return any(kind.startswith(kinds) for kind in found or ()) if kinds else bool(found)


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
