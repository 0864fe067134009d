"""Semgrep under our rules: what is proven, what a repository cannot silence, what goes wrong and is said."""

import sys

import msgspec
import pytest

from elohim_kernel.engines import _semgrep_run, semgrep
from elohim_kernel.engines._semgrep_own import own_rules
from elohim_kernel.errors import Invalid
from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.ports import EngineRequest

SQL = """from flask import request


def find(db):
    name = request.args["name"]
    return db.execute("select * from users where name = '" + name + "'")
"""
TWICE = "{id: a, message: m, languages: []}"
CLEAN = "def area(r):\n    return 3 * r * r\n"


BROKEN = f"{SQL}\n\nx = = 3 ]]\n"
GONE = "def old(text):\n    return exec(text)\n"
BUNDLE = "var a = 1;" * 1_000 + "eval(location.hash)\n"
KEY = 'app.secret_key = "hunter2-hunter2"\n'
SILENT = SQL.replace('"\'")', '"\'")  # nosemgrep: sql-injection')
MARK = "open({!r}, 'w').write('x')\n"
_once: dict[str, object] = {}


@pytest.fixture
def everything(report, tmp_path_factory):
    """One run on a repository with something of everything, and the file that its code would write when run."""
    if not _once:
        marker = tmp_path_factory.mktemp("outside") / "marker"
        code = MARK.format(str(marker))
        poison = {
            ".semgrepignore": "*\n",
            ".gitignore": "*\n",
            ".semgrep.yml": "rules: []\n",
            ".semgrep/settings.yml": "metrics: on\n",
            **dict.fromkeys(("semgrep.py", "sitecustomize.py", "usercustomize.py", "json.py", "conftest.py"), code),
            "semgrep/console_scripts/entrypoint.py": code,
            "lib/.semgrepignore/a.py": SQL,
        }
        after = {
            **poison,
            "gone.py": None,
            "shop/find.py": SQL,
            "tests/test_a.py": SQL,
            "node_modules/a.py": SQL,
            "-a b.py": SQL,
            "silent.py": SILENT,
            "key.py": KEY,
            "broken.py": BROKEN,
            "site.js": BUNDLE,
            "lib/a.min.js": BUNDLE,
        }
        _once.update(report=report(semgrep, {"gone.py": GONE}, after), marker=marker)
    return _once["report"], _once["marker"]


def test_a_finding_says_where_what_and_what_to_do_instead(everything):
    found, _ = everything

    (finding,) = (each for each in found.findings if each.path == "shop/find.py")
    assert (finding.rule, finding.line) == ("elohim.python.sql-injection", 6)
    assert (finding.category, finding.cwe, finding.severity) == ("sql-injection", 89, Severity.HIGH)
    assert (finding.tool_severity, finding.symbol) == ("ERROR", "find")
    assert finding.remediation.startswith("Pass the value as a bound parameter")
    assert finding.snippet.startswith("return db.execute(")
    assert finding.fingerprint.startswith("v1:")
    assert "requires login" not in msgspec.json.encode(found).decode()
    assert (len(found.rules) > 80, found.version[0].isdigit(), found.cpu_seconds > 0) == (True, True, True)


def test_a_repository_can_neither_silence_the_scan_nor_run_code_in_it(everything):
    found, marker = everything

    assert not marker.exists()
    told = {each.path for each in found.findings if each.rule == "elohim.python.sql-injection"}
    assert told >= {"shop/find.py", "tests/test_a.py", "node_modules/a.py", "-a b.py"}


def test_what_could_not_be_analysed_is_named_with_the_reason(everything):
    found, _ = everything

    assert (found.status, found.skipped) == (
        EngineStatus.PARTIAL,
        ("broken.py", "lib/.semgrepignore/a.py", "site.js"),
    )
    assert "broken.py (only parsed in part)" in found.reason
    assert "site.js (a bundle" in found.reason
    assert not {"broken.py", "site.js", "lib/a.min.js"} & set(found.covered)


def test_a_deleted_file_is_covered(everything):
    found, _ = everything

    assert "gone.py" in found.covered
    assert found.files == len(found.covered) - 1


def test_what_a_comment_silences_is_reported_with_the_comment(everything):
    found, _ = everything

    silenced = {each.path: each.suppressed for each in found.findings}
    assert (silenced["silent.py"], silenced["shop/find.py"]) == ("nosemgrep: sql-injection", "")


def test_what_is_found_in_tests_is_information(everything):
    found, _ = everything

    assert [each.severity for each in found.findings if each.path == "tests/test_a.py"] == [Severity.INFO]


def test_a_key_in_the_source_is_reported_without_its_value(everything):
    found, _ = everything

    (finding,) = (each for each in found.findings if each.path == "key.py")
    assert (finding.category, finding.snippet) == ("secret", 'app.secret_key = "…"')
    assert "hunter2" not in msgspec.json.encode(found).decode()


def test_clean_is_proven_by_the_files_that_were_scanned(report):
    found = report(semgrep, {"x.md": "x\n"}, {"a.py": CLEAN, "b.js": "const a = 1\n", "empty.py": ""})

    assert (found.status, found.files, found.findings) == (EngineStatus.CLEAN, 3, ())
    assert found.reason.endswith("all listed as scanned without error, no finding")


def test_nothing_is_started_where_no_file_is_of_its_kind(report):
    found = report(semgrep, {"a.py": CLEAN}, {"README.md": "# hi\n", "notes.txt": "x\n"})

    assert found.status is EngineStatus.NOT_RUN
    assert "no files in the change" in found.reason
    assert found.cpu_seconds == 0


def test_a_run_over_its_deadline_failed_and_is_not_clean(report):
    found = report(semgrep, {"x.md": "x\n"}, {"a.py": SQL}, timeout_s=0.5)

    assert (found.status, found.reason, found.covered) == (EngineStatus.FAILED, "ended: the deadline had come", ())


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('[{')", "not what we read"),
        ("import sys; print('boom', file=sys.stderr); sys.exit(2)", "exit code 2 boom"),
        ('print(\'{"results": [], "errors": [{"message": "no rules"}], "paths": {}}\')', "semgrep says: no rules"),
    ],
)
def test_output_we_cannot_believe_is_a_failure_and_not_silence(monkeypatch, tmp_path, report, script, reason):
    stand_in(monkeypatch, tmp_path, script)

    found = report(semgrep, {"x.md": "x\n"}, {"a.py": SQL})

    assert found.status is EngineStatus.FAILED
    assert reason in found.reason


def test_a_file_that_is_not_listed_as_scanned_is_skipped(monkeypatch, tmp_path, report):
    stand_in(monkeypatch, tmp_path, 'print(\'{"results": [], "errors": [], "paths": {"scanned": ["else.py"]}}\')')

    found = report(semgrep, {"x.md": "x\n"}, {"a.py": SQL})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 0, ("a.py",))
    assert "a.py (not listed as scanned)" in found.reason


def test_without_semgrep_it_says_what_to_install(monkeypatch, tmp_path, report):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_semgrep_run.sysconfig, "get_path", lambda name: str(tmp_path))

    found = report(semgrep, {"x.md": "x\n"}, {"a.py": SQL})

    assert semgrep.available() == "semgrep is not installed; pip install 'elohim_kernel[engines]'"
    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, semgrep.available())


def test_opengrep_takes_the_place_of_semgrep(monkeypatch, tmp_path, report):
    stand_in(monkeypatch, tmp_path, OPENGREP, name="opengrep")

    found = report(semgrep, {"x.md": "x\n"}, {"a.py": SQL})

    assert (semgrep.available(), semgrep.version()) == (None, "")
    (finding,) = found.findings
    assert (found.status, found.version) == (EngineStatus.FINDINGS, "1.30.0")
    assert finding.evidence == "the value comes from `request.args`, line 5"
    assert [(step.line, step.message, step.flow) for step in finding.related] == [
        (5, "request.args", True),
        (5, "name", True),
        (6, "name", True),
    ]


OPENGREP = """
import json
path = "a.py"
at = lambda line: {"path": path, "start": {"line": line, "col": 5}, "end": {"line": line, "col": 9}}
flow = {
    "taint_source": ["CliLoc", [at(5), "request.args"]],
    "intermediate_vars": [{"location": at(5), "content": "name"}],
    "taint_sink": ["CliLoc", [at(6), "name"]],
}
extra = {"message": "m", "severity": "ERROR", "metadata": {}, "dataflow_trace": flow}
result = {"check_id": "elohim.python.sql-injection", **at(6), "extra": extra}
print(json.dumps({"results": [result, result], "errors": [], "paths": {"scanned": [path]}, "version": "1.30.0"}))
"""


def stand_in(monkeypatch, tmp_path, script, name="semgrep"):
    """A program on the PATH in semgrep's place that prints what it is told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / name).write_text(f"#!{sys.executable}\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setattr(_semgrep_run.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("PATH", str(folder))


def own(project, tools, rules, files):
    made = project({"x.md": "x\n"}, files)
    head = tools.repository(made.path).resolve("feature")
    return semgrep.run(EngineRequest(repository=made.path, head=head, options={semgrep.OPTION: str(rules)}), tools)


def test_rules_of_the_user_run_beside_ours_and_their_numbers_count(project, tools, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "house.yaml").write_text(
        "rules:\n- id: house.xpath\n  languages: [python]\n  severity: WARNING\n  message: no $X here\n"
        "  metadata: {cwe: ['CWE-643: XPath'], confidence: HIGH}\n  pattern: find_by_path($X)\n"
        "- id: house.broken\n  languages: [python]\n  severity: WARNING\n  message: m\n  pattern: 'def ('\n"
    )

    found = own(project, tools, tmp_path / "rules", {"a.py": SQL, "b.py": "find_by_path(name)\n"})

    told = {each.rule: each for each in found.findings}
    assert set(told) == {"elohim.python.sql-injection", "house.xpath"}
    assert (told["house.xpath"].category, told["house.xpath"].cwe) == ("xpath-injection", 643)
    assert (told["house.xpath"].severity, told["house.xpath"].confidence.value) == (Severity.MEDIUM, "high")
    assert told["house.xpath"].message == "no name here"
    assert found.notes == ("2 rules of yours from 1 file",)
    assert (found.status, found.skipped) == (EngineStatus.PARTIAL, ())
    assert "house.broken could not be run" in found.reason


def test_rules_of_the_user_that_cannot_be_used_fail_the_run_and_say_why(project, tools, tmp_path):
    found = own(project, tools, tmp_path / "nowhere", {"a.py": SQL})

    assert found.status is EngineStatus.FAILED
    assert "there is no file or folder" in found.reason


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rules: {}\n", "`rules` is not a list"),
        ("rules: [{id: a}]\n", "rule 1 has no message"),
        ("rules: [{id: 3, message: m, languages: [python]}]\n", "id that is a text"),
        ("{[\n", "is not YAML"),
        ("hello: 1\n", "there are no rules"),
        (f"rules: [{TWICE}, {TWICE}]\n", "two rules are called 'a'"),
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
        ) + "rules: []\n", "grows to more than"),
        ("rules: &r [*r]\n", "grows to more than"),
    ],
)  # fmt: skip
def test_rules_that_are_not_rules_are_refused_by_name(tmp_path, text, complaint):
    (tmp_path / "own.yaml").write_text(text)

    with pytest.raises(Invalid, match=complaint):
        own_rules(str(tmp_path / "own.yaml"))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("app.py", True),
        ("web/app.tsx", True),
        ("web/app.min.js", False),
        ("node_modules/a/index.js", False),
        ("node_modules/a/setup.py", True),
        ("templates/page.html", True),
        (".github/workflows/ci.yml", True),
        ("deploy/ci.yml", False),
        ("deploy/docker-compose.prod.yml", True),
        ("compose.yaml", True),
        ("Dockerfile.web", True),
        ("go/main.go", False),
    ],
)
def test_it_wants_files_its_rules_are_about(path, wanted):
    assert semgrep.wants(path) is wanted
