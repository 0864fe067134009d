"""Forged results: each of these repositories tries to make a failing test look passed, and none is believed."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from elohim_kernel.engines._tests_proving import Account, Prover, Suite, _disagreement, _Told
from elohim_kernel.engines._tests_running import Deadline, Side

HONEST = "def double(n):\n    return 2 * n\n"
TEST = "from app import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
WRONG = "from app import double\n\n\ndef test_double():\n    assert double(2) == 5\n"
NAME = "test_app.py::test_double"

JUNIT = '<testsuites><testsuite tests="1"><testcase classname="test_app" name="test_double"/></testsuite></testsuites>'
LEAVES = f"""
import os, sys, pathlib
for word in sys.orig_argv + sys.argv:
    pass
for folder in pathlib.Path("/tmp").rglob("pytest-*"):
    try:
        (folder / "junit.xml").write_text('{JUNIT}')
        (folder / "result.json").write_text('{{"told": "{{}}", "sign": "00"}}')
    except OSError:
        pass
print("1 passed in 0.01s")
os._exit(0)
"""
CONFTEST = """
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.outcome = "passed"
    report.longrepr = None
"""
EMPTIES = "def pytest_collection_modifyitems(items):\n    items.clear()\n"
REWRITES = """
import _pytest.reports
_made = _pytest.reports.TestReport.from_item_and_call.__func__

def from_item_and_call(cls, item, call):
    report = _made(cls, item, call)
    report.outcome, report.longrepr = "passed", None
    return report

_pytest.reports.TestReport.from_item_and_call = classmethod(from_item_and_call)
"""


@pytest.fixture
def run(project, tools, tmp_path: Path) -> Callable[..., Account]:
    """Runs `test_app.py` against a repository's files, as they are proposed: without its conftest files."""

    def prove(files: Mapping[str, str], test: str, *, conftest: bool = False, seed: int = 1) -> Account:
        made = project({"README": ""}, files)
        head = tools.repository(made.path).resolve("feature")
        tree = tools.tree(made.path, head, sorted(files))
        deadline = Deadline(60)
        if conftest:
            folder = Path(tree.root)
        else:
            folder = tools.scratch / "proposed"
            folder.mkdir()
            (folder / "test_app.py").write_text(test)
        suite = Suite(folder=str(folder), files=("test_app.py",), roots=(tree.root,), conftest=conftest)
        return Prover(Side(tree, tools, deadline), tools, deadline).run(suite, [NAME], seed=seed)

    return prove


def test_a_passing_test_is_believed(run):
    account = run({"app.py": HONEST}, TEST)

    assert account.problem == ""
    assert account.outcomes == {NAME: "passed"}


def test_a_failing_test_is_told_by_name(run):
    assert run({"app.py": HONEST}, WRONG).problem == f"failed: {NAME}"


def test_a_module_that_ends_the_process_and_leaves_files_behind_is_caught(run):
    account = run({"app.py": HONEST + LEAVES}, WRONG)

    assert "left no account that is signed" in account.problem


def test_a_conftest_that_rewrites_outcomes_is_not_loaded_for_proposed_tests(run):
    account = run({"app.py": HONEST, "conftest.py": CONFTEST}, WRONG)

    assert account.problem == f"failed: {NAME}"


def test_a_conftest_that_empties_the_collection_is_an_error(run):
    account = run({"app.py": HONEST, "conftest.py": EMPTIES, "test_app.py": TEST}, TEST, conftest=True)

    assert account.problem == "there are no tests"


def test_a_test_that_was_renamed_in_the_run_is_noticed(run):
    account = run({"app.py": HONEST}, TEST.replace("test_double", "test_other"))

    assert account.problem.startswith("collected other tests than there are")


def test_a_skipped_test_is_not_a_passed_one(run):
    account = run({"app.py": HONEST}, "import pytest\n\n\n@pytest.mark.skip\n" + TEST.partition("\n\n\n")[2])

    assert account.outcomes == {NAME: "skipped"}


@pytest.mark.parametrize(
    ("junit", "problem"),
    [
        (None, "there is no JUnit file"),
        ("<testsuites", "the JUnit file cannot be read"),
        (JUNIT.replace("test_double", "test_other"), "the JUnit file names other tests"),
        (JUNIT.replace("/></testsuite>", "><failure/></testcase></testsuite>"), "the JUnit file tells other failures"),
        (JUNIT, ""),
    ],
)
def test_a_junit_file_that_tells_something_else_than_the_run_is_noticed(
    tmp_path: Path, junit: str | None, problem: str
):
    told = _Told(exit=0, collected=(NAME,), outcomes={NAME: "passed"}, problems=(), lines={}, killed={})
    file = tmp_path / "junit.xml"
    if junit is not None:
        file.write_text(junit)

    assert _disagreement(told, file, ()).startswith(problem)
    assert bool(_disagreement(told, file, ())) == bool(problem)


def test_a_process_that_exits_with_success_after_a_failure_is_noticed(run):
    """The exit status is one of three accounts; it alone says nothing."""
    late = "import os\n\n\nclass Late:\n    def __del__(self):\n        os._exit(0)\n\n\nlate = Late()\n"

    account = run({"app.py": HONEST + late}, WRONG)

    assert account.problem == f"failed: {NAME}"


def test_reports_rewritten_by_the_module_under_test_do_not_hide_a_canary(project, tools):
    """Code in the same process can patch pytest; then the test that must fail passes, and nothing is believed."""
    from elohim_kernel.engines._tests_pages import Draft, Pages
    from elohim_kernel.engines._tests_shapes import Case, Inputs, Kind, Outcome, Place, Target
    from elohim_kernel.engines._tests_writing import Pinned

    made = project({"README": ""}, {"app.py": HONEST + REWRITES})
    head = tools.repository(made.path).resolve("feature")
    deadline = Deadline(60)
    side = Side(tools.tree(made.path, head, ["app.py"]), tools, deadline)
    place = Place(path="app.py", root="", module="app")
    target = Target(place=place, qualname="double", first=1, last=2, lines=(2,), is_new=True)
    case = Case(id="1", key=target.key, call="double(2)", imports=("from app import double",), inputs=Inputs())
    wrong = Outcome(case="1", kind=Kind.VALUE, text="5")
    pages = Pages(side, None, Prover(side, tools, deadline), tools, deadline, {})

    proven = pages.prove([Draft("test_app_proposed.py", place, (Pinned(target, case, wrong),), (), {})])

    assert proven.files == ()
    assert "outcomes are rewritten here" in pages.rejected[0].reason
