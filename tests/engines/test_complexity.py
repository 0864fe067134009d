"""Complexity before and after: functions are compared by name, and what could not be read is said."""

import pytest

from elohim_kernel.engines import complexity
from elohim_kernel.model.finding import EngineStatus

FLAT = "def flat(a):\n    return a\n"
BRANCHED = "def flat(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(11)) + "    return a\n"


def told(report):
    return {(each.path, each.symbol): (each.before, each.value) for each in report.metrics}


def test_a_function_that_grew_is_told_with_its_number_before(report):
    found = report(
        complexity, {"a.py": FLAT + "\n\ndef same():\n    pass\n"}, {"a.py": BRANCHED + "\n\ndef same():\n    pass\n"}
    )

    assert found.status is EngineStatus.CLEAN
    assert told(found) == {("a.py", "flat"): (1.0, 12.0)}


def test_a_new_function_has_no_number_before(report):
    found = report(complexity, {"a.py": FLAT}, {"a.py": FLAT + "\n\ndef more(b):\n    return b or 1\n"})

    assert told(found)["a.py", "more"] == (None, 2.0)


def test_a_renamed_file_is_compared_with_its_origin(report):
    rest = "".join(f"VALUE_{number} = {number}\n" for number in range(40))

    found = report(complexity, {"old.py": FLAT + rest}, {"old.py": None, "new.py": BRANCHED.replace("10", "11") + rest})

    assert told(found) == {("new.py", "flat"): (1.0, 12.0)}


def test_methods_of_one_name_in_two_classes_are_not_mixed_up(report):
    old = "class B:\n    def m(self):\n        return 1 if self else 2\n"
    new = "class A:\n    def m(self):\n        return 1\n\n\n" + old

    found = report(complexity, {"a.py": old}, {"a.py": new})

    assert told(found) == {("a.py", "A.m"): (None, 1.0)}


def test_nameless_functions_are_compared_only_when_as_many_as_before(report):
    old = "const a = [() => { if (1) { return 2 } }]\n"
    new = "const b = [() => 1]\n" + old

    found = report(complexity, {"a.js": old}, {"a.js": new})

    assert all(before is None for before, _ in told(found).values())


def test_other_languages_are_measured_too(report):
    go = "package main\n\nfunc f(a int) int {\n\tif a > 1 && a < 5 {\n\t\treturn 1\n\t}\n\treturn 2\n}\n"

    found = report(complexity, {"x.md": "x\n"}, {"main.go": go})

    assert told(found) == {("main.go", "f"): (None, 3.0)}


@pytest.mark.parametrize("after", [{"README.md": "x\n"}, {"app.min.js": "function f(){}"}, {"a.py": None}])
def test_nothing_to_measure_is_not_run(report, after):
    found = report(complexity, {"a.py": FLAT}, after)

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, "no source files lizard reads in the change")


def test_a_file_over_the_cap_is_skipped_and_said(report, monkeypatch):
    monkeypatch.setattr(complexity, "MAX_BYTES", 100)

    found = report(complexity, {"x.md": "x\n"}, {"big.py": FLAT * 10, "a.py": FLAT})

    assert (found.status, found.skipped, found.files) == (EngineStatus.PARTIAL, ("big.py",), 1)
    assert "big.py" in found.reason


def test_a_file_whose_origin_could_not_be_measured_is_not_called_new(report, monkeypatch):
    monkeypatch.setattr(complexity, "MAX_BYTES", 100)

    found = report(complexity, {"a.py": FLAT * 10}, {"a.py": FLAT})

    assert (found.skipped, found.metrics) == (("a.py",), ())


def test_a_child_that_does_not_finish_is_a_failure(report):
    found = report(complexity, {"x.md": "x\n"}, {"a.py": FLAT}, timeout_s=0.0)

    assert found.status is EngineStatus.FAILED
    assert "deadline" in found.reason


def test_the_whole_tree_tells_only_the_complicated_ones(report):
    found = report(complexity, {"a.py": FLAT, "b.py": BRANCHED}, {"x.md": "x\n"}, whole=True)

    assert told(found) == {("b.py", "flat"): (None, 12.0)}


def test_a_measured_file_is_read_and_never_imported(report, tmp_path):
    marker = tmp_path / "ran"

    report(complexity, {"x.md": "x\n"}, {"lizard.py": f"open({str(marker)!r}, 'w')\n", "json.py": "raise SystemExit\n"})

    assert not marker.exists()
