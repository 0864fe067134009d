"""The trail at the gate: who sees which events, and that a copy of it holds exactly what was written, a line each."""

import json
import threading
import unicodedata
from typing import Any

import pytest

from elohim_kernel.access.tokens import CreateToken
from elohim_kernel.audit.trail import (
    ExportTrail,
    ListEvents,
    RecordExport,
    ShowEvent,
    TrailHead,
    VerifyTrail,
    json_line,
)
from elohim_kernel.errors import Conflict, Denied, Invalid, NotFound
from elohim_kernel.model.access import WORKER
from elohim_kernel.model.token import digest_of
from elohim_kernel.store.log import GENESIS, Record, record_hash
from elohim_kernel.workflows.details import CommentItem
from elohim_kernel.workflows.work_items import ClaimItem, OpenWorkItem

INJECTIONS = [
    *(
        "line\nbreak",
        "line\r\nbreak",
        "line\rbreak",
        "\n\n\n",
        "\u2028",
        "\u2029",
        "\x85",
        "\x0b",
        "\x0c",
        "\x1c\x1d\x1e",
    ),
    *(
        "\x1b[2J",
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x.invalid\x1b\\",
        "\x9b31m",
        "\x07",
        "\x08\x08",
    ),
    *("\u202eevil", "\u202d", "\u2066a\u2069", "\u200e", "\u200f", "\u061c", "\u200b", "\ufeff", "a\u0301\u0301"),
    *('"}', '"}\n{"seq": 999}', "'; drop table events; --", "\\", "\\n", "\\u000a", "\x00", "\x00\n", "\x7f", "\x80"),
    *("<script>alert(1)</script>", "{{7*7}}", "${jndi:x}", "%n%s", "=1+1", "@sum(1)", "\t\t", " ", "\ud7ff", "\ue000"),
    *("\U0001f468\u200d\U0001f469", "\U000e0041", "\ufff9\ufffb", "]]>", "\x1a", "\x1b(0lqk\x1b(B", "x" * 10_000),
]


def item_of(bench: Any, who: Any, visibility: str = "global", team: str = "") -> Any:
    return who.do(OpenWorkItem(workflow=bench.workflow(who, visibility, team), title="look at it"))


def test_events_are_told_newest_first_with_names_for_ids(bench: Any):
    item = item_of(bench, bench.root)
    bench.root.do(ClaimItem(item=item.id))

    events = bench.root.ask(ListEvents(item=item.reference))

    assert [event.kind for event in events] == ["work_item.claimed", "work_item.opened"]
    assert {(event.actor, event.on_behalf_of, event.scope, event.subject) for event in events} == {
        ("root", "", "Look", item.id)
    }
    assert events[1].data["title"] == "look at it"
    assert "type" not in events[1].data


def test_what_the_worker_does_for_somebody_names_both(bench: Any):
    item = item_of(bench, bench.root)

    bench.root.do(ClaimItem(item=item.id), actor=WORKER)

    newest = bench.root.ask(ListEvents(limit=1))[0]
    assert (newest.actor, newest.on_behalf_of) == ("worker", "root")


def test_events_are_chosen_by_kind_noun_subject_and_number(bench: Any):
    item = item_of(bench, bench.root)
    other = item_of(bench, bench.add("ann"), "personal")
    bench.root.do(ClaimItem(item=item.id))

    def kinds(**fields: Any) -> list[str]:
        return [event.kind for event in bench.root.ask(ListEvents(**fields))]

    assert kinds(kind="work_item") == ["work_item.claimed", "work_item.opened"]
    assert kinds(kind="work_item.opened") == ["work_item.opened"]
    assert kinds(subject=item.id, limit=1) == ["work_item.claimed"]
    assert kinds(after=bench.store.last_seq - 1) == ["work_item.claimed"]
    assert kinds(subject=other.id) == []


def test_an_items_events_include_those_of_its_approval(bench: Any):
    made = bench.root.do(bench.definition({"key": "ask", "name": "Ask", "type": "APPROVAL"}))
    item = bench.root.do(OpenWorkItem(workflow=made.id, title="x"))

    kinds = {event.kind for event in bench.root.ask(ListEvents(item=item.reference))}

    assert kinds == {"work_item.opened", "approval.requested", "work_item.waiting"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "work_item.exploded"}, "there is work_item.advanced, "),
        ({"kind": "boom"}, "there is approval, "),
        ({"limit": 0}, "limit must be 1 to 1000, got 0"),
        ({"limit": 1_001}, "limit must be 1 to 1000, got 1001"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(bench: Any, fields: Any, words: str):
    with pytest.raises(Invalid) as refused:
        bench.root.ask(ListEvents(**fields))

    assert words in str(refused.value)


def test_nobody_is_told_of_events_they_may_not_see(bench: Any):
    bench.team("payments")
    ann, bo = bench.add("ann", "viewer"), bench.add("bo", "maintainer", "payments")
    teams = item_of(bench, bench.root, "team", "payments")
    bos = item_of(bench, bo, "personal")
    hidden = bench.store.last_seq

    seen = ann.ask(ListEvents(limit=1_000))

    assert {event.scope for event in seen} <= {"global", "ann"}
    for item in (teams, bos):
        with pytest.raises(NotFound) as refused:
            ann.ask(ListEvents(item=item.reference))
        assert str(refused.value) == f"there is no work item {item.reference!r}; see `elohim item list`"
    said = []
    for event in (hidden, bench.store.last_seq + 1_000):
        with pytest.raises(NotFound) as refused:
            ann.ask(ShowEvent(event=str(event)))
        said.append(str(refused.value).replace(str(event), "…"))
    assert said[0] == said[1]
    assert teams.id in {event.subject for event in bo.ask(ListEvents())}


def test_one_event_is_found_by_id_or_number_with_its_hash(bench: Any):
    by_number = bench.root.ask(ShowEvent(event="1"))

    assert by_number == bench.root.ask(ShowEvent(event="ev_000000000001"))
    assert (by_number.event.kind, by_number.cause, by_number.depth) == ("store.created", "", 0)
    assert by_number.hash == bench.root.ask(ExportTrail(limit=1))[0].hash


@pytest.mark.parametrize("event", ["", "ev_", "ev_xyz", "wi_1", "-1", "1.5", "ev_-1"])
def test_what_is_no_event_is_refused(bench: Any, event: str):
    with pytest.raises((Invalid, NotFound)):
        bench.root.ask(ShowEvent(event=event))


@pytest.mark.parametrize("event", ["0", "9" * 30, "ev_" + "f" * 30])
def test_a_number_no_event_has_is_not_found(bench: Any, event: str):
    with pytest.raises(NotFound, match="there is no event"):
        bench.root.ask(ShowEvent(event=event))


def test_digests_of_tokens_are_not_shown(bench: Any):
    digest = digest_of("x")
    bench.root.do(CreateToken(digest=digest, label="laptop"))

    assert digest not in str(bench.root.ask(ListEvents(kind="token.created")))
    assert digest not in str(bench.root.ask(ShowEvent(event=str(bench.store.last_seq))))


def test_the_head_given_back_later_proves_that_nothing_was_cut(bench: Any):
    head = bench.root.ask(TrailHead())
    bench.fill(20)

    verification = bench.root.ask(VerifyTrail(seq=head.seq, head=head.head))

    assert (verification.ok, verification.events) == (True, bench.store.last_seq)
    assert verification.head == bench.root.ask(TrailHead()).head
    assert not bench.root.ask(VerifyTrail(seq=head.seq, head=GENESIS)).ok
    assert not bench.root.ask(VerifyTrail(seq=bench.store.last_seq + 1, head=head.head)).ok


@pytest.mark.parametrize("fields", [{"seq": 3}, {"head": "0" * 64}, {"seq": -1, "head": "0" * 64}])
def test_half_a_checkpoint_is_refused(bench: Any, fields: Any):
    with pytest.raises(Invalid, match="a record's number and its hash, both"):
        bench.root.ask(VerifyTrail(**fields))


def test_checking_while_others_write_finds_nothing_wrong(bench: Any):
    bench.fill(50)
    stop = threading.Event()
    results = []

    def check() -> None:
        while not stop.is_set():
            head = bench.root.ask(TrailHead())
            results.append(bench.root.ask(VerifyTrail(seq=head.seq, head=head.head)))

    checker = threading.Thread(target=check)
    checker.start()
    bench.fill(200)
    stop.set()
    checker.join()

    assert len(results) > 3
    assert [result.problem for result in results if not result.ok] == []


def test_the_trail_takes_a_right_of_its_own(bench: Any):
    bench.team("payments")
    reads = bench.add("mo", "maintainer")
    in_team = bench.add("mi", "maintainer", "payments")

    assert reads.ask(VerifyTrail()).ok
    for who, query in ((reads, ExportTrail()), (in_team, VerifyTrail()), (in_team, TrailHead())):
        with pytest.raises(Denied, match=r"lacks audit\.read"):
            who.ask(query)


def test_a_copy_can_be_checked_by_another_program_from_its_lines_alone(bench: Any):
    bench.fill(30)
    lines: list[str] = []
    while records := bench.root.ask(ExportTrail(after=len(lines), limit=7)):
        lines += map(json_line, records)

    head = GENESIS
    for number, line in enumerate(lines, 1):
        told = json.loads(line)
        fields = [str(told[name]) for name in ("seq", "kind", "subject", "scope", "actor", "request", "body")]
        head = record_hash(head, told["micros"], fields)
        assert (told["seq"], told["hash"]) == (number, head)
    assert head == bench.root.ask(TrailHead()).head


@pytest.mark.parametrize("limit", [0, -1, 100_001])
def test_a_copy_is_taken_in_parts(bench: Any, limit: int):
    with pytest.raises(Invalid, match="limit must be 1 to 100000"):
        bench.root.ask(ExportTrail(limit=limit))


def test_no_text_breaks_out_of_its_line(bench: Any):
    item = item_of(bench, bench.root)
    before = bench.store.last_seq
    for text in INJECTIONS:
        bench.root.do(CommentItem(item=item.id, text=f"a{text}b"))

    records = bench.root.ask(ExportTrail(after=before))
    lines = [json_line(record) for record in records]

    assert len(INJECTIONS) >= 50
    assert len(lines) == len(INJECTIONS)
    for text, line in zip(INJECTIONS, lines, strict=True):
        assert len(line.splitlines()) == 1
        assert not {unicodedata.category(sign) for sign in line} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert line.isascii()
        assert json.loads(json.loads(line)["body"])["data"]["text"] == f"a{text}b"


def test_an_export_is_noted_when_its_head_is_the_logs(bench: Any):
    last: Record = bench.root.ask(ExportTrail())[-1]

    noted = bench.root.do(RecordExport(upto=last.seq, head=last.hash))

    assert (noted.upto, noted.head) == (last.seq, last.hash)
    assert bench.root.ask(ListEvents(kind="audit.exported"))[0].data["upto"] == last.seq
    with pytest.raises(Conflict, match="has another hash than the copy"):
        bench.root.do(RecordExport(upto=last.seq, head=GENESIS))
    with pytest.raises(NotFound, match="there is no record 1000"):
        bench.root.do(RecordExport(upto=1_000, head=last.hash))
