"""The engine as a whole: what it covers, what it says of files it cannot read, and that nothing of theirs runs."""

import pytest

from elohim_kernel.engines import taint
from elohim_kernel.model.finding import Confidence, EngineStatus, Severity

BAD = "import os\nfrom flask import request\n\ndef go():\n    name = request.args['n']\n    os.system('ls ' + name)\n"
GOOD = "import os\n\ndef go():\n    os.system('ls')\n"


def test_a_finding_says_where_the_data_comes_from_and_what_to_do(report):
    seen = report(taint, {"README": "a"}, {"app.py": BAD})

    (finding,) = seen.findings
    assert seen.status is EngineStatus.FINDINGS
    assert (finding.category, finding.cwe, finding.line, finding.symbol) == ("command-injection", 78, 6, "go")
    assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.HIGH)
    assert [(place.line, place.flow) for place in finding.related] == [(5, True)]
    assert "request.args, line 5" in finding.evidence
    assert "subprocess.run" in finding.remediation
    assert finding.on_changed_line
    assert finding.fingerprint.startswith("v1:")


def test_a_constant_argument_is_refuted_with_its_place(report):
    seen = report(taint, {"README": "a"}, {"app.py": GOOD})

    assert (seen.status, seen.files, seen.covered) == (EngineStatus.CLEAN, 1, ("app.py",))
    assert seen.data["refuted"] == [
        {"path": "app.py", "line": 4, "category": "command-injection", "why": "the argument is constant"}
    ]


def test_a_file_that_cannot_be_read_is_listed_and_the_others_are_analysed(report):
    seen = report(taint, {"README": "a"}, {"app.py": BAD, "broken.py": "def (:\n"})

    assert (seen.status, seen.files, seen.skipped) == (EngineStatus.PARTIAL, 1, ("broken.py",))
    assert "broken.py (not readable: line 1" in seen.reason
    assert len(seen.findings) == 1


def test_a_change_without_python_is_not_run(report):
    seen = report(taint, {"README": "a"}, {"README": "b"})

    assert (seen.status, seen.reason) == (EngineStatus.NOT_RUN, "no Python files in the change")


def test_a_deleted_file_is_covered(report):
    seen = report(taint, {"app.py": BAD, "other.py": "x = 1\n"}, {"app.py": None, "other.py": "x = 2\n"})

    assert seen.covered == ("app.py", "other.py")


def test_many_files_are_shared_out_and_all_come_back(report):
    files = {f"f{number:02}.py": BAD if number % 2 else GOOD for number in range(60)}

    seen = report(taint, {"README": "a"}, files)

    assert (seen.files, len(seen.findings)) == (60, 30)
    assert seen.covered == tuple(sorted(files))


def test_nothing_of_the_repository_runs_and_nothing_in_it_silences_the_check(report, tmp_path):
    marker = tmp_path / "marker"
    trap = f"import pathlib\npathlib.Path({str(marker)!r}).write_text('ran')\n"
    poison = dict.fromkeys(
        ("sitecustomize.py", "usercustomize.py", "json.py", "ast.py", "selectors.py", "conftest.py"), trap
    )
    silencing = {
        "setup.cfg": "[taint]\nskip = 1\n",
        "pyproject.toml": "[tool.taint]\nexclude = ['app.py']\n",
        ".env": "PYTHONSTARTUP=sitecustomize.py\n",
        "elohim_kernel/engines/_taint_analysis.py": trap,
        "app.py": "# nosec\n# noqa\n# type: ignore\n" + BAD.replace("name)", "name)  # nosec noqa pragma: no cover"),
    }

    seen = report(taint, {"README": "a"}, poison | silencing)

    assert not marker.exists()
    assert [(each.path, each.category) for each in seen.findings if each.path == "app.py"] == [
        ("app.py", "command-injection")
    ]
    assert seen.skipped == ()


@pytest.mark.parametrize("name", ["app.py", "types.pyi", "window.pyw"])
def test_python_files_are_wanted(name):
    assert taint.wants(name)
    assert not taint.wants(f"{name}.txt")


def test_the_deadline_leaves_the_rest_unread_and_says_so(report):
    slow = "def f(x):\n" + "".join(f"    y{n} = x + {n} if x else (x, {n})\n" for n in range(6000))

    seen = report(taint, {"README": "a"}, {f"slow{n}.py": slow for n in range(12)}, timeout_s=1.0)

    assert seen.status in (EngineStatus.PARTIAL, EngineStatus.FAILED)
    assert seen.skipped != ()
