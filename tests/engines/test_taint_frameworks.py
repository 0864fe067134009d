"""Whole files: what each framework hands over, what it does with answers, and what functions of the file do with it."""

from pathlib import Path

import pytest
import yaml

from elohim_kernel.engines._taint_analysis import analyse
from elohim_kernel.engines._taint_report import refuted, told

CASES = yaml.safe_load((Path(__file__).parents[1] / "data" / "taint" / "whole" / "frameworks.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_a_file_is_judged_as_its_case_says(case: dict[str, object]):
    analysis = analyse(str(case["code"]).encode())

    assert analysis.problem == ""
    assert [f"{each['category']} {each['line']}" for each in sorted(told(analysis.outcomes), key=_place)] == sorted(
        case["finds"]
    )


def _place(found: dict[str, object]) -> tuple[str, str]:
    return str(found["category"]), str(found["line"])


def test_only_what_nobody_changes_is_refuted():
    (case,) = (case for case in CASES if case["name"].startswith("values of the program"))

    said = refuted(analyse(case["code"].encode()).outcomes)

    assert [(each["category"], each["line"]) for each in said] == [("command-injection", 8)]


def test_the_way_of_the_data_is_told_step_by_step():
    code = (
        "import os\nfrom flask import request\ndef show():\n"
        "    a = request.args['a']\n    b = 'ls ' + a\n    os.system(b)\n"
    )

    (found,) = told(analyse(code.encode()).outcomes)

    assert found["flow"] == [[4, "request.args comes from outside"], [5, "flows into b"]]
    assert found["message"] == "What comes from request.args becomes part of the command that os.system() starts"


def test_data_through_a_call_that_is_not_known_is_less_certain():
    sure = b"import os\nfrom flask import request\ndef show():\n    os.system(request.args['a'])\n"
    unsure = sure.replace(b"request.args['a']", b"change(request.args['a'])")

    confidences = [told(analyse(code).outcomes)[0]["confidence"] for code in (sure, unsure)]

    assert confidences == ["high", "medium"]


def test_a_file_that_asks_for_too_much_work_is_named_and_keeps_what_was_found():
    code = b"import os\nfrom flask import request\ndef show():\n    os.system(request.args['a'])\n" + b"".join(
        b"def f%d(x):\n    return [x + y for y in x if x]\n" % number for number in range(200)
    )

    analysis = analyse(code, budget=300)

    assert analysis.problem == "too much work for one file"
    assert [each["category"] for each in told(analysis.outcomes)] == ["command-injection"]


def test_a_file_that_is_too_large_is_not_read():
    assert analyse(b"#" * 1024 * 1024 + b"\n").problem.startswith("too large")
