"""Bandit under our settings: what is found, what is proven, and what the repository cannot change."""

import sys

import pytest

from elohim_kernel.engines import bandit
from elohim_kernel.model.finding import Confidence, EngineStatus, Severity
from elohim_kernel.ports import EngineRequest

CLEAN = "def area(r):\n    return 3 * r * r\n"
EVAL = "def load(text):\n    return eval(text)\n"
NEWER = 'def find(db, row):\n    db.execute(f"select * from t where id = {row["id"]}")\n    return eval(row["code"])\n'


def places(report):
    return [(each.rule, each.path, each.line) for each in report.findings]


def test_findings_carry_our_category_and_the_tool_s_own_word(report):
    found = report(bandit, {"app.py": CLEAN}, {"app.py": EVAL})

    (finding,) = found.findings
    assert (found.status, found.files, found.covered) == (EngineStatus.FINDINGS, 1, ("app.py",))
    assert (finding.rule, finding.line, finding.column, finding.symbol) == ("B307", 2, 12, "load")
    assert (finding.category, finding.cwe, finding.tool_severity) == ("code-injection", 94, "MEDIUM")
    assert finding.remediation
    assert finding.fingerprint.startswith("v1:")
    assert found.version == bandit.version()


def test_clean_comes_with_the_number_of_files_proven(report):
    found = report(bandit, {"a.py": "x = 1\n"}, {"a.py": CLEAN, "b.py": ""})

    assert (found.status, found.files, found.findings) == (EngineStatus.CLEAN, 2, ())
    assert found.reason == "2 Python files analysed, all parsed and in its metrics, no finding"


@pytest.mark.parametrize("after", [{"README.md": "# hi\n"}, {"app.py": None}])
def test_a_change_without_python_is_not_run_and_not_clean(report, after):
    found = report(bandit, {"app.py": CLEAN}, after)

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, "no Python files in the change")


def test_a_deleted_file_counts_as_covered(report):
    found = report(bandit, {"gone.py": EVAL, "a.py": "x = 1\n"}, {"gone.py": None, "a.py": CLEAN})

    assert (found.covered, found.files) == (("a.py", "gone.py"), 1)


def test_a_file_that_does_not_parse_makes_the_answer_partial(report):
    found = report(bandit, {"x.md": "x\n"}, {"ok.py": CLEAN, "bad.py": "def f(:\n", "latin.py": b"# caf\xe9\nx = 1\n"})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 1, ("bad.py", "latin.py"))
    assert "bad.py" in found.reason


def test_only_files_that_do_not_parse_is_never_clean(report):
    found = report(bandit, {"x.md": "x\n"}, {"bad.py": "def f(:\n"})

    assert (found.status, found.files, found.covered) == (EngineStatus.PARTIAL, 0, ())


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python parses such f-strings itself")
def test_a_file_for_a_newer_python_is_analysed_in_the_older_spelling(report):
    found = report(bandit, {"x.md": "x\n"}, {"app.py": NEWER, "old.py": CLEAN})

    assert (found.status, found.files, found.skipped) == (EngineStatus.FINDINGS, 2, ())
    assert places(found) == [("B608", "app.py", 2), ("B307", "app.py", 3)]
    assert [each.column for each in found.findings] == [0, 12]
    assert found.findings[0].snippet == 'db.execute(f"select * from t where id = {row["id"]}")'
    assert "1 in the spelling of an older Python" in found.reason


def test_a_path_that_holds_dot_git_or_an_odd_name_is_analysed_too(report):
    names = (".github/tool.py", "CVS/a.py", "a b\nc.py", "-v.py", "--ini.py", "@x.py", "x.egg/a.py", "w.pyw", "[a].py")

    found = report(bandit, {"x.md": "x\n"}, dict.fromkeys(names, EVAL))

    assert {each.path for each in found.findings} == set(names)
    assert (found.status, found.skipped) == (EngineStatus.FINDINGS, ())


def test_the_configuration_of_the_repository_takes_no_part(report, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\n"
    poison = {
        ".bandit": "[bandit]\nskips=B307\nexclude=/\ntargets=nothing\n",
        "bandit.yaml": "skips: [B307]\nexclude_dirs: ['/']\n",
        "pyproject.toml": "[tool.bandit]\nskips = ['B307']\nexclude_dirs = ['.']\n",
        "setup.cfg": "[bandit]\nskips=B307\n[options.entry_points]\nbandit.plugins =\n    evil = evil\n",
        "baseline.json": '{"results": []}',
        "evil-1.0.dist-info/entry_points.txt": "[bandit.plugins]\nevil = evil:run\n",
        **dict.fromkeys(("yaml.py", "bandit.py", "ast.py", "sitecustomize.py", "evil.py", "conftest.py"), code),
    }

    found = report(bandit, {"README.md": "x\n"}, {**poison, "app.py": EVAL}, whole=True)

    assert ("B307", "app.py", 2) in places(found)
    assert not marker.exists()
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("comment", "suppressed"),
    [("# nosec", "nosec"), ("# nosec B307", "nosec B307"), ("# nosec: B102", ""), ("# no security here", "")],
)
def test_what_a_comment_silences_is_reported_and_told(report, comment, suppressed):
    found = report(bandit, {"x.md": "x\n"}, {"a.py": f"def f(x):\n    return eval(x)  {comment}\n"})

    assert [(each.rule, each.suppressed) for each in found.findings] == [("B307", suppressed)]


def test_what_only_sounds_like_a_password_is_left_to_engines_that_look_at_values(report):
    found = report(bandit, {"x.md": "x\n"}, {"a.py": 'password = "hunter2hunter2"\n'})

    assert found.status is EngineStatus.CLEAN


def test_imports_are_notes_and_doubt_stays_doubt(report):
    source = (
        'import pickle\n\n\ndef f(db, q):\n    db.execute("select " + q)\n    return "select * from a where b = " + q\n'
    )

    found = report(bandit, {"x.md": "x\n"}, {"a.py": source})

    by_line = {each.line: each for each in found.findings}
    assert (by_line[1].category, by_line[1].severity) == ("import", Severity.INFO)
    assert by_line[6].confidence is Confidence.LOW


def test_findings_in_tests_are_information(report):
    found = report(bandit, {"x.md": "x\n"}, {"tests/test_a.py": EVAL})

    assert [each.severity for each in found.findings] == [Severity.INFO]


def test_files_of_other_engines_in_the_same_tree_are_not_analysed(project, tools):
    made = project({"x.md": "x\n"}, {"a.py": EVAL, "b.py": EVAL})
    head = tools.repository(made.path).resolve("feature")

    found = bandit.run(EngineRequest(repository=made.path, head=head, paths=("b.py",)), tools)

    assert ({each.path for each in found.findings}, found.covered) == ({"b.py"}, ("b.py",))


def test_a_long_list_of_files_is_analysed_in_groups(monkeypatch, report):
    monkeypatch.setattr(bandit, "_ARGUMENT_BYTES", 60)

    found = report(bandit, {"x.md": "x\n"}, {f"module{number}.py": EVAL for number in range(5)})

    assert (found.files, len(found.findings)) == (5, 5)


def test_a_run_over_its_deadline_failed_and_is_not_clean(report):
    found = report(bandit, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, timeout_s=0.0)

    assert found.status is EngineStatus.FAILED
    assert "deadline" in found.reason


def test_without_bandit_it_says_what_to_install(monkeypatch, report):
    monkeypatch.setattr(bandit.importlib.util, "find_spec", lambda name: None)

    found = report(bandit, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, bandit.available())
    assert bandit.version() == ""


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('[{')", "not what we read"),
        ("print('{}')", "not what we read"),
        ("import sys; print('boom', file=sys.stderr); sys.exit(2)", "exit code 2 boom"),
        ("import os; os.kill(os.getpid(), 9)", "signal SIGKILL"),
        ("bytearray(4 << 30)", "MemoryError"),
    ],
)
def test_output_we_cannot_read_is_a_failure_and_not_silence(monkeypatch, report, script, reason):
    monkeypatch.setattr(bandit, "_COMMAND", (sys.executable, "-I", "-c", script))

    found = report(bandit, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})

    assert found.status is EngineStatus.FAILED
    assert reason in found.reason
