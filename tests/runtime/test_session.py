"""The same behaviour whether the store is in this process or behind its owner."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from elohim_kernel.access.people import AddPrincipal, ListPrincipals, WhoAmI
from elohim_kernel.access.tokens import CreateToken
from elohim_kernel.config import Settings, load
from elohim_kernel.errors import Denied, Invalid, KernelError, NotFound, Unauthenticated, Unavailable
from elohim_kernel.runtime.inline import InlineSession
from elohim_kernel.runtime.session import RemoteSession, Session, open_session
from elohim_kernel.store.changes import unpack
from elohim_kernel.store.client import Client
from elohim_kernel.store.wire import Wanted
from elohim_kernel.workflows.inspection import GetItem
from elohim_kernel.workflows.templates import InstantiateTemplate, ListTemplates
from elohim_kernel.workflows.work_items import OpenWorkItem

SECRET = "elohim_" + "s" * 43


@pytest.fixture
def settings(home: Path) -> Settings:
    return load({"user": "ann", "owner_idle_s": 60}, {"ELOHIM_HOME": str(home)}).settings


@pytest.fixture
def ends_owner(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ELOHIM_USER", "ann")
    yield
    Client(home, start=False).stop()


@pytest.fixture(params=["memory", "inline", "owner"])
def session(request: pytest.FixtureRequest, settings: Settings, ends_owner: None) -> Iterator[Session]:
    options = {"memory": {"path": ":memory:"}, "inline": {"inline": True}, "owner": {}}
    opened = open_session(settings, **options[request.param])
    yield opened
    opened.close()


def names(session: Session) -> list[str]:
    return sorted(person.name for person in session.ask(ListPrincipals()))


def test_whoever_opens_the_first_store_may_use_it(session: Session):
    me = session.ask(WhoAmI())

    assert me.name == "ann"
    assert session.ask(ListTemplates())


def test_a_command_gives_its_typed_result_and_is_seen_at_once(session: Session):
    made = session.do(AddPrincipal(name="bob"))

    assert type(made) is AddPrincipal.result
    assert "bob" in names(session)


def test_the_same_key_gives_the_first_result_again(session: Session):
    first = session.do(AddPrincipal(name="bob"), key="add-bob")

    again = session.do(AddPrincipal(name="bob"), key="add-bob")

    assert first == again
    with pytest.raises(KernelError, match="bob"):
        session.do(AddPrincipal(name="bob"))


def test_refusals_are_the_same_everywhere(session: Session):
    session.do(AddPrincipal(name="bob"))

    with pytest.raises(Invalid, match=r"(?i)add_?principal: Expected `str`, got `int`"):
        session.do(AddPrincipal(name=3))  # type: ignore[arg-type]
    with pytest.raises(Unauthenticated, match="nobody here is called 'eve'"):
        session.acting_as("eve").ask(WhoAmI())
    with pytest.raises(Denied, match="bob lacks"):
        session.acting_as("bob").do(AddPrincipal(name="carl"))


def test_acting_as_another_leaves_the_first_session_alone(session: Session):
    session.do(AddPrincipal(name="bob"))
    bob = session.acting_as("bob")

    assert bob.ask(WhoAmI()).name == "bob"
    bob.close()
    assert session.ask(WhoAmI()).name == "ann"


def test_the_status_names_the_same_things_everywhere(session: Session):
    status = session.status()

    assert {"home", "store", "owner", "version", "protocol", "clients", "events"} <= set(status)
    assert (status["owner"] == "inline") is isinstance(session, InlineSession)


@pytest.mark.parametrize("inline", [True, False])
def test_a_token_opens_a_session_for_its_principal_only(
    settings: Settings, ends_owner: None, inline: bool, monkeypatch: pytest.MonkeyPatch
):
    session = open_session(settings, inline=inline)
    session.do(CreateToken(digest=hashlib.sha256(SECRET.encode()).hexdigest(), label="run", days=1))
    session.close()
    monkeypatch.setenv("ELOHIM_TOKEN", SECRET)

    bound = open_session(settings, inline=inline)

    assert bound.ask(WhoAmI()).name == "ann"
    with pytest.raises(Denied, match="does not allow acting as 'bob'"):
        bound.acting_as("bob")
    with pytest.raises(Denied, match="does not allow acting as"):
        bound.working_for("").ask(WhoAmI())
    bound.close()
    strange = open_session(settings, inline=inline, token="elohim_wrong")
    with pytest.raises(Unauthenticated, match="does not open this door"):
        strange.ask(WhoAmI())
    strange.close()


def test_an_inline_session_leaves_the_store_to_others_when_it_ends(settings: Settings, ends_owner: None):
    inline = open_session(settings, inline=True)
    inline.do(AddPrincipal(name="bob"))
    other = open_session(settings)
    with pytest.raises(Unavailable, match=f"open in process {os.getpid()} .this one."):
        other.ask(WhoAmI())
    with pytest.raises(Unavailable, match="for itself alone"):
        open_session(settings, inline=True)

    inline.close()

    assert "bob" in names(other)
    other.close()


def test_opening_inline_while_an_owner_serves_makes_a_client(settings: Settings, ends_owner: None):
    first = open_session(settings)
    first.do(AddPrincipal(name="bob"))

    second = open_session(settings, inline=True)

    assert isinstance(second, RemoteSession)
    assert "bob" in names(second)
    first.close()
    second.close()


def test_a_killed_inline_process_leaves_no_trace_that_matters(settings: Settings, ends_owner: None, home: Path):
    text = (
        "import os\nfrom elohim_kernel.config import load\nfrom elohim_kernel.runtime.session import open_session\n"
        "from elohim_kernel.access.people import AddPrincipal\n"
        "session = open_session(load().settings, inline=True)\nsession.do(AddPrincipal(name='bob'))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    child = subprocess.run([sys.executable, "-c", text], capture_output=True, timeout=60)
    assert (child.returncode, (home / "owner.json").exists()) == (-9, True)

    session = open_session(settings)

    assert "bob" in names(session)
    session.close()


def test_commands_of_several_threads_do_not_mix(session: Session, in_threads: Callable[..., list[object]]):
    made = in_threads(lambda number: session.do(AddPrincipal(name=f"p{number}")), 12)

    assert len({person.id for person in made}) == 12  # type: ignore[attr-defined]
    assert len(names(session)) >= 13


@pytest.fixture
def in_threads() -> Callable[..., list[object]]:
    def run(act: Callable[[int], object], count: int) -> list[object]:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(act, range(count)))

    return run


def test_absent_things_look_the_same_everywhere(session: Session):
    with pytest.raises(NotFound, match="there is no work item 'EL-99'; see `elohim item list`"):
        session.ask(GetItem(item="EL-99"))


def test_what_a_copy_of_the_store_lacks_arrives_the_same_everywhere(session: Session):
    session.do(InstantiateTemplate(template="Standard Code Review", name="Reviews"))
    views = ("events", "templates", "work_items")
    whole = unpack(session.changes(Wanted(new=views)))
    session.do(OpenWorkItem(workflow="Reviews", title="Cache routes"))

    later = unpack(session.changes(Wanted(since=whole.upto, visibility=whole.visibility, held=views)))

    assert (whole.whole, later.whole) == (views, ())
    assert later.upto > whole.upto
    assert 0 < later.rows < whole.rows
