"""Ruff under our rules: what is found, what is proven, and what the repository cannot change."""

import sys
from pathlib import Path

import pytest

from elohim_kernel.engines import ruff
from elohim_kernel.engines._ruff_rules import LEFT_OUT, SELECTED, judge
from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.ports import EngineRequest

OLD = "import os\n\n\ndef area(r):\n    return 3 * r * r\n"
NEW = OLD + "\n\ndef load(text, seen=[]):\n    return eval(text)\n"


def rules(report):
    return [(each.rule, each.path, each.line) for each in report.findings]


def test_findings_carry_place_category_and_identity(report):
    found = report(ruff, {"app.py": OLD}, {"app.py": NEW})

    by_rule = {each.rule: each for each in found.findings}
    assert found.status is EngineStatus.FINDINGS
    assert (found.files, found.skipped) == (1, ())
    assert set(by_rule) == {"F401", "B006", "S307"}
    assert (by_rule["S307"].line, by_rule["S307"].symbol, by_rule["S307"].cwe) == (9, "load", 94)
    assert by_rule["S307"].snippet == "return eval(text)"
    assert by_rule["F401"].remediation == "Remove unused import: `os`"
    assert all(each.fingerprint.startswith("v1:") for each in found.findings)
    assert found.version.startswith("0.")


def test_clean_comes_with_the_number_of_files_proven(report):
    found = report(ruff, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n", "b.py": "y = 1\n"})

    assert (found.status, found.files, found.findings) == (EngineStatus.CLEAN, 2, ())
    assert found.reason == "2 Python files analysed, all listed and parsed, no finding"


@pytest.mark.parametrize("after", [{"README.md": "# hi\n"}, {"app.py": None}])
def test_a_change_without_python_is_not_run_and_not_clean(report, after):
    found = report(ruff, {"app.py": OLD}, after)

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, "no Python files in the change")


def test_the_whole_tree_is_analysed_when_there_is_no_change(report):
    found = report(ruff, {"app.py": OLD, "build/gen.py": "import sys\n"}, {"x.md": "x\n"}, whole=True)

    assert rules(found) == [("F401", "app.py", 1), ("F401", "build/gen.py", 1)]


def test_a_file_that_does_not_parse_makes_the_answer_partial_and_is_one_finding(report):
    found = report(ruff, {"ok.py": "x = 1\n"}, {"ok.py": "x = 2\n", "bad.py": "def f(:\n  pass\n\nclass\n"})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 1, ("bad.py",))
    assert rules(found) == [("invalid-syntax", "bad.py", 1)]
    assert "bad.py" in found.reason


def test_a_file_that_is_not_utf8_is_skipped_and_said(report):
    found = report(ruff, {"ok.py": "x = 1\n"}, {"latin.py": b"# caf\xe9\nimport os\n"})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 0, ("latin.py",))


def test_the_configuration_of_the_repository_takes_no_part(report):
    poison = {
        "pyproject.toml": "[tool.ruff]\nexclude = ['*']\n[tool.ruff.lint]\nselect = []\n",
        "ruff.toml": "lint.ignore = ['F', 'S', 'B']\n",
        ".gitignore": "*.py\n",
        "venv/app.py": "import os\n",
        "node_modules/x.py": "import os\n",
    }

    found = report(ruff, {"README.md": "x\n"}, {**poison, "app.py": NEW})

    assert {each.rule for each in found.findings if each.path == "app.py"} == {"F401", "B006", "S307"}
    assert {each.path for each in found.findings} == {"app.py", "venv/app.py", "node_modules/x.py"}


def test_files_that_pose_as_modules_or_options_run_nothing(report, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\n"

    names = ("sitecustomize.py", "json.py", "--config.py", "-v.py", "@args.py", "a b\nc.py", "conftest.py", "setup.py")
    found = report(ruff, {"x.md": "x\n"}, dict.fromkeys(names, code))

    assert (found.files, found.skipped) == (len(names), ())
    assert not marker.exists()


def test_a_comment_does_not_silence_what_matters_and_is_told(report):
    old = "def run(text):\n    return eval(text)  # noqa: S307, it is ours\n"
    new = old + "\n\ndef go(text):\n    return eval(text)  # noqa\n\n\nimport os  # noqa: F401\n"

    found = report(ruff, {"a.py": old}, {"a.py": new})

    assert [(each.rule, each.line, each.suppressed) for each in found.findings] == [
        ("S307", 2, "noqa: S307"),
        ("S307", 6, "noqa"),
    ]
    assert found.status is EngineStatus.FINDINGS


@pytest.mark.parametrize(
    ("source", "suppressed"),
    [
        ("# ruff: noqa: S307\nx = eval(y)\n", "ruff: noqa: S307"),
        ("# ruff: noqa\nx = eval(y)\n", "ruff: noqa"),
        ("# flake8: noqa: S307\nx = eval(y)\n", "flake8: noqa: S307"),
        ("# ruff: disable[S307]\nx = eval(y)\n# ruff: enable[S307]\n", "ruff: disable[S307]"),
        ('x = eval(f"""\n{y}\n""")  # NOQA:S307\n', "noqa: S307"),
        ("x = eval(y)  # noqa: F401\n", ""),
        ("x = eval(y)  # no comment on quality\n", ""),
    ],
)
def test_every_way_to_silence_a_line_is_named(report, source, suppressed):
    found = report(ruff, {"x.md": "x\n"}, {"a.py": f"y = 1\n{source}"})

    assert [each.suppressed for each in found.findings if each.rule == "S307"] == [suppressed]


def test_what_only_sounds_like_a_password_is_left_to_engines_that_look_at_values(report):
    found = report(ruff, {"a.py": "x = 1\n"}, {"a.py": 'password = "hunter2hunter2"\n'})

    assert found.status is EngineStatus.CLEAN


def test_security_rules_are_information_in_tests(report):
    source = "import pickle\n\n\ndef load(text):\n    return pickle.loads(text)\n"

    found = report(ruff, {"x.md": "x\n"}, {"tests/test_a.py": source, "a.py": source})

    assert {each.path: each.severity for each in found.findings} == {
        "a.py": Severity.MEDIUM,
        "tests/test_a.py": Severity.INFO,
    }


def test_a_statement_over_several_lines_says_where_it_ends(report):
    query = 'f"""\n        select *\n        from {name}\n        """'
    source = f"def find(db, name):\n    return db.execute(\n        {query}\n    )\n"

    found = report(ruff, {"x.md": "x\n"}, {"a.py": source})

    assert [(each.rule, each.line, each.end_line) for each in found.findings] == [("S608", 3, 6)]


def test_a_run_over_its_deadline_failed_and_is_not_clean(report):
    found = report(ruff, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, timeout_s=0.0)

    assert found.status is EngineStatus.FAILED
    assert "deadline" in found.reason


def test_without_ruff_it_says_what_to_install(monkeypatch, tmp_path, report):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(ruff.sysconfig, "get_path", lambda name: str(tmp_path))

    found = report(ruff, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})

    assert ruff.available() == "ruff is not installed; pip install 'elohim_kernel[engines]'"
    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, ruff.available())


def _pretend_ruff(monkeypatch, tmp_path, script):
    fake = tmp_path / "ruff"
    fake.write_text(f"#!{sys.executable}\n{script}\n")
    fake.chmod(0o700)
    monkeypatch.setattr(ruff.sysconfig, "get_path", lambda name: str(tmp_path))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('[{')", "not what we read"),
        ("print('{}')", "not what we read"),
        ("import sys; print('boom', file=sys.stderr); sys.exit(2)", "exit code 2 boom"),
    ],
)
def test_output_we_cannot_read_is_a_failure_and_not_silence(monkeypatch, tmp_path, report, script, reason):
    _pretend_ruff(monkeypatch, tmp_path, script)

    found = report(ruff, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})

    assert found.status is EngineStatus.FAILED
    assert reason in found.reason


def test_scratch_is_left_empty(report, tools):
    report(ruff, {"a.py": OLD}, {"a.py": NEW})

    assert [each.name for each in Path(tools.scratch).iterdir() if each.name.startswith("ruff-")] == []


def test_files_of_other_engines_in_the_same_tree_are_not_analysed(project, tools):
    made = project({"x.md": "x\n"}, {"a.py": OLD, "b.py": NEW})
    request = EngineRequest(repository=made.path, head=tools.repository(made.path).resolve("feature"), paths=("b.py",))

    found = ruff.run(request, tools)

    assert ({each.path for each in found.findings}, found.covered) == ({"b.py"}, ("b.py",))


def test_messages_do_not_repeat_the_values_of_literals(report):
    source = 'KEYS = {"hunter2hunter2", "hunter2hunter2"}\nFLAG = KEYS or "hunter2hunter2" or KEYS\n'

    found = report(ruff, {"x.md": "x\n"}, {"a.py": source})

    assert {each.rule for each in found.findings} >= {"B033"}
    assert not [each for each in found.findings if "hunter2" in each.message + each.remediation]


def test_a_ruff_that_is_killed_failed_and_is_not_clean(monkeypatch, tmp_path, report):
    _pretend_ruff(monkeypatch, tmp_path, "import os; os.kill(os.getpid(), 9)")

    found = report(ruff, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})

    assert found.status is EngineStatus.FAILED
    assert "signal SIGKILL" in found.reason


def test_every_prefix_is_a_rule_ruff_knows(tools, tmp_path):
    argv = ["ruff", "check", "--isolated", "--select", ",".join(SELECTED), "--ignore", ",".join(LEFT_OUT), "-"]

    ended = tools.run(argv, cwd=tmp_path, timeout_s=30, stdin=b"")

    assert (ended.exit_code, ended.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("F821", "high"),
        ("F401", "info"),
        ("F541", "info"),
        ("F632", "medium"),
        ("PLE0101", "high"),
        ("S608", "high"),
        ("S324", "medium"),
        ("B006", "medium"),
        ("B008", "info"),
        ("E902", "high"),
        ("T100", "medium"),
    ],
)
def test_severity_follows_the_longest_prefix(rule, severity):
    assert judge(rule, "message", "app.py").severity == severity
