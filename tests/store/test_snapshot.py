"""An analyst's copy: it holds the caller's rows and no others, and a refreshed copy is a fresh one."""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elohim_kernel.errors import Invalid, KernelError
from elohim_kernel.model import access, approval, decision, recommendation, record, run, token, work_item, workflow
from elohim_kernel.model.access import ACCESS, GLOBAL, Grant, Principal, PrincipalKind, Visibility
from elohim_kernel.store.changes import Changes, changes, pack, unpack
from elohim_kernel.store.snapshot import Snapshot
from elohim_kernel.store.store import Caller, Store
from elohim_kernel.store.tables import SIGHTINGS
from elohim_kernel.store.unit import Unit
from elohim_kernel.store.views import VIEWS
from elohim_kernel.store.wire import Wanted

_KINDS = {pa.int64(): 0, pa.bool_(): False}
_BLANK = {field.name: _KINDS.get(field.type, "") for field in SIGHTINGS}


class Deed:
    """Events to be recorded, decided by a function."""

    def __init__(self, who: str, act: Callable[[Unit], object]) -> None:
        self.caller = Caller(principal=who)
        self._act = act

    def run(self, unit: Unit) -> None:
        self._act(unit)

    def refuse(self, unit: Unit, error: KernelError) -> None: ...

    def recall(self, result: str) -> None: ...


class World:
    """A store in memory with two teams, a person in each, and a workflow for each tenant. Texts hold its name."""

    def __init__(self) -> None:
        clock = itertools.count()
        start = datetime(2026, 11, 22, tzinfo=UTC)
        self.store = Store(":memory:", now=lambda: start + timedelta(minutes=next(clock)))
        self.store.memory.put(Principal(id="us_root", name="root"), 0, dirty=False)
        self._numbers = itertools.count(1)
        for team in ("red", "blue"):
            self.emit(access.TeamAdded(name=team), f"tm_{team}", ACCESS)
        for name, team in (("ann", "red"), ("bob", "blue"), ("amy", "red")):
            self.emit(access.PrincipalAdded(name=f"person-{name}", kind=PrincipalKind.PERSON), f"us_{name}", ACCESS)
            self.grant(name, team)
        for name, tenant in (("redflow", "tm_red"), ("blueflow", "tm_blue"), ("openflow", GLOBAL)):
            self.flow(name, tenant)

    def emit(self, data: object, subject: str, scope: str, who: str = "us_root") -> None:
        self.store.do(Deed(who, lambda unit: unit.emit(data, subject=subject, scope=scope)))  # type: ignore[arg-type]

    def grant(self, name: str, team: str, kind: type = access.PrincipalGranted) -> None:
        self.emit(kind(grant=Grant(role="analyst", scope=f"tm_{team}")), f"us_{name}", ACCESS)

    def revoke(self, name: str, team: str) -> None:
        self.grant(name, team, access.PrincipalGrantRemoved)

    def flow(self, name: str, tenant: str) -> None:
        stages = (workflow.Stage(key="triage", name=name), workflow.Stage(key="fix", name=name))
        plan = workflow.Definition(name=name, stages=stages, category=name)
        made = workflow.WorkflowCreated(
            name=name, visibility=Visibility.TEAM, tenant=tenant, definition=plan, note=name
        )
        self.emit(made, f"wf_{name}", f"wf_{name}", "us_bob" if "blue" in name else "us_ann")

    def share(self, name: str, tenant: str) -> None:
        self.emit(workflow.WorkflowShared(visibility=Visibility.TEAM, tenant=tenant), f"wf_{name}", f"wf_{name}")

    def item(self, name: str) -> str:
        number = next(self._numbers)
        entry = work_item.Entry(stage="triage", stage_type="HUMAN", status=work_item.Status.PENDING)
        opened = work_item.WorkItemOpened(
            number=number, workflow=f"wf_{name}", revision=1, title=name, entry=entry, data={"x": name}, tags=(name,)
        )
        self.emit(opened, f"wi_{number}", f"wf_{name}", "us_bob" if "blue" in name else "us_ann")
        return f"wi_{number}"

    def find(self, name: str, item: str = "", *, count: int = 2, first: int = 0) -> None:
        def act(unit: Unit) -> None:
            texts = dict.fromkeys(("path", "rule", "message", "snippet", "symbol", "remediation", "repository"), name)
            row = {**_BLANK, **texts, "seq": unit.next_seq, "scope": f"wf_{name}", "item": item, "seen_at": unit.now}
            same = {"severity": "high", "tool": "ruff", "ref": "main", "head": str(row["seq"])}
            rows = [{**row, **same, "finding": f"fd_{name}{number}"} for number in range(first, first + count)]
            unit.insert("sightings", pa.Table.from_pylist(rows, schema=SIGHTINGS))
            found = record.FindingsRecorded(
                workflow=f"wf_{name}", repository=name, tool="ruff", status="findings", reason=name, head="h",
                ref="main", item=item, count=count, covered=(name,) if item else (),
            )  # fmt: skip
            unit.emit(found, subject=item or f"wf_{name}", scope=f"wf_{name}")

        self.store.do(Deed("us_ann", act))

    def everything(self, name: str) -> None:
        """One of each thing that leaves rows."""
        item, scope, number = self.item(name), f"wf_{name}", next(self._numbers)
        running, yes = f"run_{number}", approval.Decision.APPROVE
        advice = recommendation.Recommendation(summary=name, engine=name, not_run=(name,))
        fix = work_item.Entry(stage="fix", stage_type="HUMAN", status=work_item.Status.CLAIMED, assignee="us_amy")
        for data, subject, who in (
            (work_item.WorkItemCommented(text=name, mentions=("us_ann", "us_bob")), item, "us_amy"),
            (work_item.WorkItemAdvanced(from_stage="triage", entry=fix, note=name), item, "us_amy"),
            (approval.ApprovalRequested(
                item=item, workflow=scope, stage="fix", rule=workflow.ApprovalRule(), subject={"x": name}, digest="d",
                requested_by="us_ann", last_editor="us_ann", note=name,
            ), f"ap_{number}", "us_ann"),
            (decision.FindingsDecided(
                workflow=scope, reach=decision.Reach.RULE, outcome=decision.Outcome.ACCEPTED, severities=(),
                reason=decision.Reason.WONT_FIX, **dict.fromkeys(("text", "repository", "path", "undo"), name),
            ), f"fdd_{number}", "us_ann"),
            (approval.ApprovalVoted(decision=yes, digest="d", comment=name), f"ap_{number}", "us_amy"),
            (run.RunStarted(run_kind=run.RunKind.STAGE, name=name, workflow=scope, item=item), running, "us_ann"),
            (run.RunStepFinished(step=name, inputs="i", output=f'"{name}"', seconds=1.5), running, "us_ann"),
            (run.RunFailed(error=name), running, "us_ann"),
            (record.RecommendationMade(item=item, workflow=scope, stage="fix", recommendation=advice), item, "us_ann"),
        ):  # fmt: skip
            self.emit(data, subject, scope, who)
        self.find(name, item)

    def copy(self, name: str) -> Snapshot:
        return Snapshot(lambda wanted: unpack(pack(changes(self.store, f"us_{name}", wanted))))


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.store.close()


def contents(copy: Snapshot) -> dict[str, list[str]]:
    return {name: sorted(map(json.dumps, copy.query(f"from {name}").rows())) for name in VIEWS}


_CATALOGUE = """
    from duckdb_tables(); from duckdb_columns(); from duckdb_views(); from duckdb_databases(); show all tables
    from duckdb_settings(); from duckdb_memory(); from information_schema.columns; from sqlite_master
    from pragma_storage_info('raw.findings'); summarize raw.findings; summarize events; from duckdb_constraints()
    from pragma_database_size(); explain analyze from findings; from duckdb_logs(); select stats(path) from findings
    from query_table('findings'); from query('from raw.events'); select error(string_agg(message)) from findings
    select max(message)::int from findings; from duckdb_temporary_files(); select current_query()
""".strip()


def test_no_query_shows_a_row_of_another_tenant(world: World):
    for name in ("redflow", "blueflow", "openflow"):
        world.everything(name)
    copy = world.copy("ann")

    shown = str(contents(copy))
    for sql in re.split("[;\n]", _CATALOGUE):
        try:
            shown += str(copy.query(sql).rows())
        except Invalid as refused:
            shown += str(refused)

    assert "redflow" in shown
    assert "openflow" in shown
    assert "blue" not in shown
    assert "bob" not in shown.replace("us_bob", "")  # ann's own comments mention him, by an id that says nothing
    assert copy.query("select count(*) as n from work_items").rows() == [{"n": 2}]


def test_absent_and_forbidden_look_the_same(world: World):
    world.everything("blueflow")
    copy = world.copy("ann")

    for item in ("wi_1", "wi_999"):
        assert copy.query("from work_items where id = $item", {"item": item}).rows() == []


def test_names_of_people_are_known_to_those_who_share_a_team_and_to_whoever_reads_access(world: World):
    world.everything("openflow")

    assert [row["name"] for row in world.copy("ann").query("from people order by name").rows()] == [
        "person-amy",
        "person-ann",
    ]
    assert [row["name"] for row in world.copy("bob").query("from people").rows()] == ["person-bob"]
    assert world.copy("ann").query("select assignee from work_items").rows() == [{"assignee": "person-amy"}]
    assert world.copy("bob").query("select assignee from work_items").rows() == [{"assignee": "us_amy"}]


def test_digests_of_tokens_and_settings_stay_in_the_store(world: World):
    world.emit(token.TokenCreated(digest="secret-digest", principal="us_ann", label="ci"), "tk_1", "us_ann")
    world.emit(record.SettingsChanged(values={"key": "secret-digest"}), "settings", "us_ann")
    copy = world.copy("ann")

    assert "secret-digest" not in str(contents(copy))
    assert copy.query("select count(*) as n from events where data is null").rows() == [{"n": 2}]


def test_notifications_are_the_callers_own(world: World):
    world.everything("openflow")

    ann, bob = (world.copy(name).query("select kind, text from notifications").rows() for name in ("ann", "bob"))

    assert {row["kind"] for row in ann} == {"commented"}  # she opened the item and asked for approval herself
    assert {row["kind"] for row in bob} == {"arrived", "commented", "approval_asked"}


def test_each_view_has_the_columns_that_are_written_and_none_needs_quotes(world: World):
    world.everything("redflow")
    copy = world.copy("ann")

    for name, view in VIEWS.items():
        described = {row["column_name"]: row["column_type"] for row in copy.query(f"describe {name}").rows()}
        assert described == dict(view.columns), name
        unquoted = ", ".join(view.columns)
        rows = copy.query(f"from {name} select {unquoted} order by {unquoted}")
        assert len(rows) or name in ("templates", "test_attempts"), f"nothing here shows that {name} works"


def test_an_items_history_says_from_where_to_where_by_whom_and_for_how_long(world: World):
    world.everything("redflow")
    copy = world.copy("ann")

    moves = copy.query(
        "select from_stage, to_stage, person, note from history where to_stage is not null order by seq"
    ).rows()
    times = copy.query("select stage, seconds > 0 as known from stage_times order by entered_at").rows()

    assert [tuple(move.values()) for move in moves] == [
        (None, "triage", "person-ann", None),
        ("triage", "fix", "person-amy", "redflow"),
    ]
    assert [tuple(time.values()) for time in times] == [("triage", True), ("fix", None)]


def test_a_view_is_fetched_when_a_query_first_names_it_and_not_twice():
    asked: list[tuple[int, tuple[str, ...], tuple[str, ...]]] = []

    def fetch(wanted: Wanted) -> Changes:
        asked.append((wanted.since, wanted.held, wanted.new))
        return Changes(7, "all", wanted.new, {})

    copy = Snapshot(fetch)
    for sql in ("select 1", "from findings", "select count(*) from Findings", "from stage_times", "show tables"):
        copy.query(sql)
    copy.refresh()

    assert asked == [(0, (), ("findings",)), (7, ("findings",), ("history",)), (7, ("findings", "history"), ())]


def test_a_refresh_reads_in_proportion_to_what_is_new(world: World):
    world.find("redflow", count=20_000)
    copy = world.copy("ann")
    both = "select (select count(*) from findings) as findings, (select count(*) from sightings) as sightings"
    copy.query(both)

    world.find("redflow", count=1_000, first=20_000)

    assert copy.refresh() == 1_000 + 1_000
    assert copy.query(both).rows() == [{"findings": 21_000, "sightings": 21_000}]
    assert copy.refresh() == 0


def test_a_row_that_changed_takes_the_place_of_the_old_one(world: World):
    world.everything("redflow")
    copy = world.copy("ann")
    copy.query("from findings")

    world.find("redflow", "wi_1", count=1)
    copy.refresh()

    assert sorted(row["state"] for row in copy.query("select state from findings").rows()) == ["fixed", "open"]


def test_a_workflow_that_becomes_visible_or_hidden_takes_its_rows_along(world: World):
    world.everything("blueflow")
    copy = world.copy("ann")
    count = "select count(*) as n from findings"
    assert copy.query(count).rows() == [{"n": 0}]

    world.share("blueflow", "tm_red")
    copy.refresh()
    assert copy.query(count).rows() == [{"n": 2}]

    world.share("blueflow", "tm_blue")
    copy.refresh()
    assert copy.query(count).rows() == [{"n": 0}]
    assert "blue" not in str(contents(copy))


def test_queries_meanwhile_see_the_copy_before_or_after_a_refresh(world: World):
    world.item("redflow")
    copy = world.copy("ann")
    halves, done = list[object](), threading.Event()

    def look() -> None:
        both = "select (select count(*) from work_items) - (select sum((action = 'opened')::int) from history) as torn"
        while not done.is_set():
            halves.extend(row["torn"] for row in copy.query(both).rows())

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for name in ("redflow", "openflow", "redflow", "openflow", "redflow"):
        world.item(name)
        copy.refresh()
    world.share("openflow", "tm_blue")
    copy.refresh()
    done.set()
    for reader in readers:
        reader.join()

    assert set(halves) == {0}


_FLOWS = st.sampled_from(["redflow", "blueflow", "openflow"])
_PEOPLE = st.sampled_from(["ann", "bob"])
_TEAMS = st.sampled_from(["red", "blue"])
_TENANTS = st.sampled_from(["tm_red", "tm_blue", GLOBAL, "us_ann"])
_STEPS = st.one_of(
    st.tuples(st.sampled_from(["everything", "find", "item"]), _FLOWS),
    st.tuples(st.just("share"), _FLOWS, _TENANTS),
    st.tuples(st.sampled_from(["grant", "revoke"]), _PEOPLE, _TEAMS),
    st.tuples(st.just("refresh"), _PEOPLE),
)


@settings(max_examples=8)
@given(st.lists(_STEPS, min_size=3, max_size=8))
def test_a_refreshed_copy_is_a_fresh_one_and_holds_nothing_hidden(steps: list[tuple[str, ...]]):
    world = World()
    copies = {name: world.copy(name) for name in ("ann", "bob")}

    for verb, *words in steps:
        copies[words[0]].refresh() if verb == "refresh" else getattr(world, verb)(*words)

    for name, copy in copies.items():
        copy.refresh()
        held = contents(copy)
        reader = world.store.reader(f"us_{name}")
        hidden = [flow.name for flow in reader.every(workflow.Workflow) if not reader.principal.sees(flow.tenant)]
        assert held == contents(world.copy(name))
        assert [flow for flow in hidden if flow in str(held)] == []
    world.store.close()
