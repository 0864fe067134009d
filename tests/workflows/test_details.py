"""What hangs on an item: words, tags, links, files."""

import hashlib
from pathlib import Path

import pytest

from elohim_kernel.errors import Conflict, Invalid, NotFound
from elohim_kernel.testing import memory_workbench
from elohim_kernel.workbench import Workbench
from elohim_kernel.workflows.details import UnlinkItem


@pytest.fixture
def ann() -> Workbench:
    wb = memory_workbench(people={"ann": "maintainer", "bo": "analyst", "cy": ""}, teams={"red": {"ann": "maintainer"}})
    wb.define("name: Open\nstages: [{key: a}]", visibility="global")
    wb.open_item("Open", "x")
    return wb


def test_a_comment_tells_whom_it_names_and_who_has_the_item(ann: Workbench):
    ann.acting_as("bo").claim("EL-1")

    ann.comment("EL-1", "@cy, and mail@bo: please look")

    assert [comment.text for comment in ann.item("EL-1").comments] == ["@cy, and mail@bo: please look"]
    told = {name: [one.kind for one in ann.acting_as(name).inbox() if one.kind == "commented"] for name in ("bo", "cy")}
    assert told == {"bo": ["commented"], "cy": ["commented"]}
    assert [one for one in ann.inbox() if one.kind == "commented"] == [], "nobody is told what they said themselves"


def test_who_cannot_see_an_item_is_not_told_of_it(ann: Workbench):
    ann.define("name: Mine\nstages: [{key: a}]")
    ann.open_item("Mine", "secret")

    ann.comment("EL-2", "@bo look")

    assert ann.acting_as("bo").inbox() == tuple(one for one in ann.acting_as("bo").inbox() if one.reference == "EL-1")


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 20_001])
def test_a_comment_has_words_but_not_too_many(ann: Workbench, text: str):
    with pytest.raises(Invalid):
        ann.comment("EL-1", text)


def test_changes_merge_data_and_leave_the_rest(ann: Workbench):
    ann.change("EL-1", data={"a": 1, "b": 1})

    ann.change("EL-1", title="y", priority="urgent", data={"b": 2})

    item = ann.item("EL-1")
    assert (item.title, item.priority, item.data) == ("y", "urgent", {"a": 1, "b": 2})
    with pytest.raises(Invalid, match="cannot be empty"):
        ann.change("EL-1", title="  ")


def test_tags_are_added_and_removed_once_each(ann: Workbench):
    ann.tag("EL-1", "a", "b", "a")
    ann.tag("EL-1", "c", remove=("b",))

    assert ann.item("EL-1").tags == ("a", "c")
    assert [item.reference for item in ann.items(tag="c")] == ["EL-1"]
    with pytest.raises(Invalid, match="cannot be a tag"):
        ann.tag("EL-1", "<script>")


def test_links_lead_to_items_one_sees_and_to_web_addresses(ann: Workbench):
    ann.open_item("Open", "y")

    ann.link("EL-1", "2", kind="blocks")
    ann.link("EL-1", "https://example.org/pr/7", title="the change")

    assert [(link.kind, link.target) for link in ann.item("EL-1").links] == [
        ("blocks", "EL-2"),
        ("relates", "https://example.org/pr/7"),
    ]
    with pytest.raises(Conflict, match="already linked"):
        ann.link("EL-1", "EL-2", kind="blocks")
    for target in ("javascript:alert(1)", "file:///etc/passwd"):
        with pytest.raises(Invalid, match="cannot be linked"):
            ann.link("EL-1", target)


def test_a_link_to_a_hidden_item_is_refused_as_to_an_absent_one(ann: Workbench):
    ann.define("name: Mine\nstages: [{key: a}]")
    hidden = ann.open_item("Mine", "secret").reference
    bo, told = ann.acting_as("bo"), []

    for target in (hidden, "EL-999"):
        with pytest.raises(NotFound) as refused:
            bo.link("EL-1", target)
        told.append(str(refused.value).replace(target, "…"))

    assert told[0] == told[1]


def test_unlinking_takes_all_relations_to_a_target_away(ann: Workbench):
    ann.open_item("Open", "y")
    ann.link("EL-1", "EL-2", kind="blocks")
    ann.link("EL-1", "EL-2")

    ann.do(UnlinkItem(item="EL-1", target="EL-2"))

    assert ann.item("EL-1").links == ()
    with pytest.raises(Conflict, match="not linked"):
        ann.do(UnlinkItem(item="EL-1", target="EL-2"))


def test_a_file_is_attached_by_reference_with_what_it_was(ann: Workbench, tmp_path: Path):
    file = tmp_path / "trace.log"
    file.write_bytes(b"boom\n")

    ann.attach("EL-1", file)

    (attached,) = ann.item("EL-1").attachments
    assert (attached.name, attached.location, attached.size) == ("trace.log", str(file), 5)
    assert attached.digest == "sha256:" + hashlib.sha256(b"boom\n").hexdigest()
    with pytest.raises(NotFound, match="no file"):
        ann.attach("EL-1", tmp_path / "nothing")
