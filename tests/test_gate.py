"""The one door: every operation is authorised, recorded and counted there, whoever comes."""

import pytest

from elohim_kernel.access.tokens import CreateToken, RevokeToken
from elohim_kernel.audit.metrics import Outcome
from elohim_kernel.errors import Denied, Fault, Invalid, NotFound, Unauthenticated
from elohim_kernel.gate import checked
from elohim_kernel.model.access import WORKER
from elohim_kernel.model.command import Command, Query
from elohim_kernel.model.token import digest_of
from elohim_kernel.store.catalogue import CommandEntry, QueryEntry, anywhere
from elohim_kernel.store.store import Caller
from elohim_kernel.testing import FakeClock, memory_workbench
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.details import ChangeItem
from elohim_kernel.workflows.inspection import GetItem
from elohim_kernel.workflows.work_items import ClaimItem, OpenWorkItem


@pytest.fixture
def ann() -> Workbench:
    wb = memory_workbench(clock := FakeClock(), people={"ann": "maintainer", "vi": "viewer"})
    wb.define("name: Triage\nstages: [{key: look}]", visibility="global")
    wb.open_item("Triage", "x")
    wb.clock = clock  # type: ignore[attr-defined]
    return wb


def counted(wb: Workbench) -> dict[tuple[str, Outcome], int]:
    return {(one.operation, one.outcome): one.total for one in wb.session.gate.meter.readings()}


def test_a_refusal_is_an_event_of_whoever_was_refused_and_nobody_elses(ann: Workbench):
    vi = ann.acting_as("vi")
    with pytest.raises(Denied, match=r"vi lacks workflows\.run \(WRITE\)"):
        vi.claim("EL-1")

    told = vi.sql("select kind, actor, data->>'$.command' as command, data->>'$.code' as code from events").rows()

    assert {"kind": "command.refused", "actor": "vi", "command": "claim_item", "code": "denied"} in told
    assert ann.sql("select count(*) as n from events where kind = 'command.refused'").rows() == [{"n": 0}]


def test_a_defect_of_ours_is_an_event_too_and_says_nothing_of_its_inside(ann: Workbench):
    class Break(Command, frozen=True):
        """Breaks."""

    def handle(command: Break, unit: object) -> None:
        raise RuntimeError("the password is swordfish")

    gate = ann.session.gate
    gate.catalogue.commands["break"] = CommandEntry(Break, handle, anywhere)  # type: ignore[index]

    with pytest.raises(Fault, match="a defect of ours; nothing was changed"):
        ann.do(Break())

    (told,) = ann.sql("select data from events where kind = 'command.failed'").rows()
    assert '"command":"break"' in told["data"].replace(" ", "")
    assert "swordfish" not in told["data"]


def test_everything_is_counted_by_how_it_ended(ann: Workbench):
    class Broken(Query, frozen=True):
        """Breaks."""

    def answer(query: Broken, reader: object) -> None:
        raise Fault("no")

    gate = ann.session.gate
    gate.catalogue.queries["broken"] = QueryEntry(Broken, answer, anywhere)  # type: ignore[index]
    ann.claim("EL-1")
    ann.item("EL-1")
    for act, error in (
        (lambda: ann.claim("EL-1"), Exception),
        (lambda: ann.item("EL-9"), NotFound),
        (lambda: ann.ask(Broken()), Fault),
    ):
        with pytest.raises(error):
            act()

    assert (
        counted(ann).items()
        >= {
            ("claim_item", Outcome.DONE): 1,
            ("claim_item", Outcome.REFUSED): 1,
            ("get_item", Outcome.DONE): 1,
            ("get_item", Outcome.REFUSED): 1,
            ("broken", Outcome.FAILED): 1,
        }.items()
    )


def test_hidden_and_absent_items_are_refused_in_the_same_words(ann: Workbench):
    ann.define("name: Mine\nstages: [{key: a}]")
    hidden = ann.open_item("Mine", "secret").reference
    vi, told = ann.acting_as("vi"), []

    for name in (hidden, "EL-77"):
        for operation in (GetItem(item=name), ClaimItem(item=name)):
            with pytest.raises(NotFound) as refused:
                vi.ask(operation) if isinstance(operation, Query) else vi.do(operation)
            told.append(str(refused.value).replace(name, "…"))

    assert len(set(told)) == 1


def test_nobody_comes_in_by_the_workers_name(ann: Workbench):
    for name in ("worker", WORKER, "nobody", ""):
        with pytest.raises(Unauthenticated):
            ann.session.gate.principal_named(name)


def test_a_token_opens_the_door_until_it_expires_or_is_revoked(ann: Workbench):
    gate = ann.session.gate
    ann.do(CreateToken(digest=digest_of("one"), label="laptop", days=1))
    ann.do(CreateToken(digest=digest_of("two"), label="desk", days=2))
    assert gate.principal_with("one")[0].name == "ann"

    ann.do(RevokeToken(token="desk"))
    ann.clock.advance(days=1)  # type: ignore[attr-defined]

    told = []
    for secret in ("one", "two", "never made", ""):
        with pytest.raises(Unauthenticated) as refused:
            gate.principal_with(secret)
        told.append(str(refused.value))
    assert len(set(told)) == 1, "why it does not open is nobody's business"


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (OpenWorkItem(workflow="Triage", title=3), "Expected `str`"),  # type: ignore[arg-type]
        (OpenWorkItem(workflow="Triage", title="x", priority="soon"), "Invalid enum value 'soon'"),  # type: ignore[arg-type]
        (ChangeItem(item="EL-1", data=["x"]), "Expected `object"),  # type: ignore[arg-type]
    ],
)
def test_what_was_built_wrong_in_python_is_refused_before_anything_happens(ann: Workbench, operation, why: str):
    before = ann.status()["events"]

    with pytest.raises(Invalid, match=why):
        ann.do(operation)

    assert ann.status()["events"] == before


def test_an_operation_that_is_not_listed_is_not_there(ann: Workbench):
    class Strange(Command, frozen=True):
        """Not of ours."""

    gate = ann.session.gate

    with pytest.raises(NotFound, match="no command 'strange'"):
        gate.do(Strange(), Caller(principal=gate.principal_named("ann").id))
    with pytest.raises(NotFound, match="no command 'strange'"):
        gate.decode("strange", {}, kind=Command)
    with pytest.raises(NotFound, match="no query 'claim_item'"):
        gate.decode("claim_item", {}, kind=Query)


def test_fields_from_outside_are_checked_and_unknown_ones_refused(ann: Workbench):
    gate = ann.session.gate

    assert gate.decode("claim_item", {"item": "EL-1"}, kind=Command) == ClaimItem(item="EL-1")
    for body in ({"item": 1}, {"item": "EL-1", "as": "root"}, {}, b"\xc1"):
        with pytest.raises(Invalid, match="claim_item"):
            gate.decode("claim_item", body, kind=Command)


def test_checking_leaves_a_right_operation_as_it_is():
    operation = OpenWorkItem(workflow="Triage", title="é\x00😀", data={"n": [1, 2.5, None, True, {"deep": "x"}]})

    assert checked(operation) == operation
