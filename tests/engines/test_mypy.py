"""Mypy under our settings: what is found, what is proven, what the repository may say, and what it cannot change."""

import sys

import pytest

from elohim_kernel.engines import mypy
from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.ports import EngineRequest

CLEAN = "def area(r: int) -> int:\n    return 3 * r * r\n"
WRONG = "def area(r: int) -> int:\n    return str(r)\n\n\narea(1, 2)\n"
ASKS = {"mypy.ini": "[mypy]\n"}


@pytest.fixture
def check(project, tools):
    """Checks all of what is there after a change, with the settings of what was there before."""

    def run(after, before=None, *, timeout_s=60.0):
        made = project(before or {"README.md": "x\n"}, after)
        change = tools.repository(made.path).change("main", "feature")
        base = change.merge_base if before else ""
        return mypy.run(EngineRequest(repository=made.path, head=change.head, base=base, timeout_s=timeout_s), tools)

    return run


def places(report):
    return [(each.rule, each.path, each.line) for each in report.findings]


def test_a_repository_that_asks_hears_all_errors(check):
    found = check({**ASKS, "app.py": WRONG})

    assert (found.status, found.files, found.covered) == (EngineStatus.FINDINGS, 1, ("app.py",))
    assert places(found) == [("return-value", "app.py", 2), ("call-arg", "app.py", 5)]
    first = found.findings[0]
    assert (first.category, first.column, first.symbol, first.tool_severity) == ("types", 12, "area", "error")
    assert first.severity is Severity.MEDIUM
    assert first.fingerprint.startswith("v1:")
    assert found.version == mypy.version()


def test_a_repository_that_does_not_ask_hears_only_of_defects(check):
    late = "def first(a: str):\n    return second\n    return '%d' % a\n\n\nprint('%d %d' % (1,))\n"
    found = check({"app.py": WRONG + late})

    assert places(found) == [("str-format", "app.py", 11)]
    assert "does not ask for type checking" in found.reason


def test_a_mark_that_types_are_meant_asks_too(check):
    found = check({"pkg/py.typed": "", "app.py": WRONG})

    assert len(found.findings) == 2


def test_clean_comes_with_a_proof(check):
    found = check({**ASKS, "a.py": CLEAN, "b.pyi": "x: int\n"})

    assert (found.status, found.files, found.findings) == (EngineStatus.CLEAN, 2, ())
    assert found.reason == "2 Python files checked, the error put there as a proof was the only one"


def test_a_change_is_checked_against_the_files_it_left_alone(report):
    before = {"py.typed": "", "lib.py": "def f(a: int) -> None: ...\n", "old.py": "from lib import f\nf('x')\n"}

    found = report(mypy, {**before, "gone.py": CLEAN}, {"app.py": "from lib import f\n\nf('x')\n", "gone.py": None})

    assert places(found) == [("arg-type", "app.py", 3)]
    assert (found.files, found.covered) == (1, ("app.py", "gone.py"))


@pytest.mark.parametrize("after", [{"README.md": "# hi\n"}, {"app.py": None}])
def test_a_change_without_python_is_not_run_and_not_clean(report, after):
    found = report(mypy, {"app.py": CLEAN}, after)

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, "no Python files in the change")


def test_files_that_do_not_parse_stop_nobody_else(check):
    bad = {"bad.py": "def f(:\n", "pkg/worse.py": "class :\n", "latin.py": b"# caf\xe9\n", "pkg/__init__.py": ""}
    found = check({**ASKS, **bad, "app.py": f"import bad\nimport pkg.worse\n{WRONG}"})

    assert (found.status, found.files) == (EngineStatus.PARTIAL, 2)
    assert found.skipped == ("bad.py", "latin.py", "pkg/worse.py")
    assert {each.path for each in found.findings} == {"app.py"}
    assert "bad.py (" in found.reason


def test_only_files_that_do_not_parse_is_never_clean(check):
    found = check({"bad.py": "def f(:\n"})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 0, ("bad.py",))


def test_a_change_that_imports_a_file_that_does_not_parse_is_checked(report):
    found = report(mypy, {"py.typed": "", "bad.py": "def f(:\n"}, {"app.py": f"import bad\n{WRONG}"})

    assert (found.status, found.files, len(found.findings)) == (EngineStatus.FINDINGS, 1, 2)


def test_modules_of_one_name_are_checked_in_rounds_and_more_than_those_are_told(check):
    names = ("conf.py", "docs/conf.py", "my-docs/conf.py", "tests/conf.py", "tests/docs/conf.py")
    found = check({**ASKS, **dict.fromkeys(names, WRONG), "a/b.py": WRONG, "a/b.pyi": "x: int\n"})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 6, ("tests/docs/conf.py",))
    assert {each.path for each in found.findings} == {*names[:-1], "a/b.py"}
    assert "its module name is taken by other files" in found.reason


def test_names_that_stop_mypy_do_not_stop_us(check):
    names = ("types.py", "typing.py", "my-pkg/__init__.py", "-v.py", "--strict.py", "@a.py", "elohim_canary.py")
    found = check({**ASKS, **dict.fromkeys(names, CLEAN), "src/pkg/__init__.py": "", "src/pkg/app.py": WRONG})

    assert {each.path for each in found.findings} == {"src/pkg/app.py"}
    assert found.skipped == ("my-pkg/__init__.py", "types.py", "typing.py")
    assert {"-v.py", "--strict.py", "@a.py", "elohim_canary.py"} <= set(found.covered)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there is no newer grammar to check for")
def test_a_source_for_a_newer_python_is_checked_as_such(check):
    found = check({**ASKS, "app.py": f'type X = int\nd = {{"a": 1}}\ny = f"{{d["a"]}}"\n{WRONG}'})

    assert {each.rule for each in found.findings} == {"return-value", "call-arg"}
    assert found.skipped == ()


def test_settings_of_the_base_are_data(check):
    settings = (
        "[mypy]\ndisable_error_code = return-value,\n    operator\nexclude = ^old/|_pb2\\.py$\npython_version = 3.12\n"
    )
    files = {"app.py": WRONG, "old/a.py": WRONG, "x_pb2.py": WRONG, "new.py": "type X = int\n"}

    found = check({"mypy.ini": "[mypy]\nexclude = .\n", **files}, before={"mypy.ini": settings})

    assert places(found) == [("call-arg", "app.py", 5)]
    assert (found.status, found.covered) == (EngineStatus.FINDINGS, ("app.py", "new.py"))
    assert found.notes == ("2 files left out by mypy.ini of the base revision",)


def test_files_that_are_not_meant_are_left_out_and_told(check):
    settings = "[mypy]\nfiles = src/, tool.py\n[mypy-pkg.old.*,pkg.cli]\nignore_errors = True\n"
    files = ("src/pkg/a.py", "src/pkg/old/b.py", "src/pkg/cli.py", "docs/conf.py", "tool.py")

    found = check(dict.fromkeys(files, WRONG), before={"mypy.ini": settings})

    assert {each.path for each in found.findings} == {"src/pkg/a.py", "tool.py"}
    assert (found.skipped, found.notes) == ((), ("3 files left out by mypy.ini of the base revision",))


def test_a_base_class_out_of_a_dependency_is_no_error(check):
    lib = "from unknown import SQL\n\n\nclass Store(SQL):\n    pass\n\n\ndb = Store()\n"

    found = check({**ASKS, "lib.py": lib, "app.py": "from lib import db\n\n\nclass User(db.Model):\n    pass\n"})

    assert found.status is EngineStatus.CLEAN


def test_settings_of_the_change_take_no_part(check):
    quiet = "[mypy]\nexclude = .\nfiles = no\ndisable_error_code = call-arg\n[mypy-app]\nignore_errors = True\n"
    found = check({"mypy.ini": quiet, "app.py": WRONG}, before=ASKS)

    assert len(found.findings) == 2


def test_settings_that_leave_out_everything_are_not_clean(check):
    found = check({"app.py": WRONG}, before={"mypy.ini": "[mypy]\nexclude = .\n"})

    assert (found.status, found.files) == (EngineStatus.NOT_RUN, 0)


def test_the_configuration_of_the_repository_runs_nothing_and_silences_nothing(check, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\n"
    evil = "plugins = evil, ./evil.py\nmypy_path = /tmp\nignore_errors = True\n"
    python = "custom_typeshed_dir = .\npython_executable = ./evil\n"
    toml = "[tool.mypy]\nplugins = ['evil.py']\nignore_errors = true\ndisable_error_code = 'call-arg'\n"
    poison = {
        "mypy.ini": f"[mypy]\n{evil}{python}[mypy-*]\nignore_errors = True\nfollow_imports = skip\n",
        ".mypy.ini": f"[mypy]\n{evil}",
        "setup.cfg": f"[mypy]\n{evil}",
        "pyproject.toml": toml,
        "evil": f"#!/bin/sh\ntouch {marker}\n",
        **dict.fromkeys(("evil.py", "mypy/__init__.py", "json.py", "sitecustomize.py", "conftest.py"), code),
    }

    found = check({**poison, "app.py": f"# mypy: plugins=evil\n{WRONG}"}, before=poison)

    assert ("call-arg", "app.py", 6) in places(found)
    assert not marker.exists()


def test_what_a_comment_silences_is_reported_and_told(check):
    sources = {
        "a.py": ("x: int = ''  # type: ignore\n", "type: ignore"),
        "b.py": ("x: int = ''  # type: ignore[assignment]\n", "type: ignore[assignment]"),
        "c.py": ("x: int = ''  # type: ignore[call-arg]\n", ""),
        "d.py": ("# mypy: ignore-errors\nx: int = ''\n", "mypy: ignore-errors"),
        "e.py": ("x: int = ''\n", ""),
    }

    found = check({**ASKS, **{path: source for path, (source, _) in sources.items()}})

    assert {each.path: each.suppressed for each in found.findings} == {
        path: text for path, (_, text) in sources.items()
    }
    assert {each.rule for each in found.findings} == {"assignment"}


def test_long_literals_do_not_leave_the_adapter(check):
    found = check({**ASKS, "a.py": "from typing import Final\nKEY: Final = 'hunter2hunter2'\nx: int = KEY\n"})

    assert len(found.findings) == 1
    assert "hunter2" not in found.findings[0].message


def test_a_run_over_its_deadline_failed_and_is_not_clean(check):
    found = check({"a.py": CLEAN}, timeout_s=0.0)

    assert found.status is EngineStatus.FAILED
    assert "deadline" in found.reason


def test_without_mypy_it_says_what_to_install(monkeypatch, check):
    monkeypatch.setattr(mypy.importlib.util, "find_spec", lambda name: None)

    found = check({"a.py": CLEAN})

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, mypy.available())
    assert mypy.version() == ""


QUIET = '{"rounds": [{"paths": ["a.py"], "output": ""}], "skipped": {}, "excluded": [], "problem": ""}'

GARBLED = QUIET.replace('"output": ""', '"output": "x"')


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('[{')", "not what we read"),
        ("print('{}')", "not what we read"),
        (f"print({QUIET!r})", "error that was put there to see whether it looks"),
        (f"print({GARBLED!r})", "not what we read"),
        ("import sys; print('boom', file=sys.stderr); sys.exit(2)", "exit code 2 boom"),
        ("import os; os.kill(os.getpid(), 9)", "signal SIGKILL"),
        ("bytearray(8 << 30)", "MemoryError"),
    ],
)
def test_output_we_cannot_believe_is_a_failure_and_not_silence(monkeypatch, check, script, reason):
    monkeypatch.setattr(mypy, "_CHILD", (sys.executable, "-I", "-c", script))

    found = check({"a.py": CLEAN})

    assert found.status is EngineStatus.FAILED
    assert reason in found.reason
