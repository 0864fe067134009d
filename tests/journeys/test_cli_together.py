"""Several terminals and a notebook's workbench on one home, at the same time."""

from pathlib import Path
from typing import Any

import elohim_kernel as ek


def test_two_terminals_and_a_workbench_share_one_home(shell: Any, sample: Path):
    wb = ek.open(shell.home)
    wb.instantiate("Standard Code Review", name="Ours")

    reviews = [shell.start("review", str(sample), "--no-report", "--json") for _ in range(2)]
    mine = [wb.open_item("Ours", f"item {number}") for number in range(20)]
    lists = [shell.start("item", "list", "--json") for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in (*reviews, *lists)]

    assert [process.returncode for process in (*reviews, *lists)] == [0, 0, 0, 0], ended
    found = wb.items(limit=100)
    assert len(found) == len({item.reference for item in found}) == 22
    assert {item.reference for item in found} >= {one.reference for one in mine}
    assert sum(item.stage == "reviewer_review" for item in found) == 2
    assert shell.json("audit", "verify")["ok"]
    assert shell.json("status")["items"] == {"pending": 22}
    assert wb.sql("select count(*) as n from work_items").rows() == [{"n": 22}]
    wb.close()
