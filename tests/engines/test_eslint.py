"""ESLint under our configuration: what is found, what is proven, and what the repository cannot change.

The tests that need the real program are skipped where it is not on the PATH; those of reading its output are not.
"""

import json
import shutil
import sys

import pytest

from elohim_kernel.engines import eslint
from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.ports import EngineRequest
from elohim_kernel.runtime import programs

CLEAN = "export const area = (r) => 3 * r * r;\n"
EVAL = "export function load(text) {\n  return eval(text);\n}\n"

real = pytest.mark.skipif(shutil.which("eslint") is None, reason="eslint is not on the PATH")


def places(report):
    return [(each.rule, each.path, each.line) for each in report.findings]


@real
def test_findings_carry_our_category_and_place(report):
    found = report(eslint, {"app.js": CLEAN}, {"app.js": EVAL})

    (finding,) = found.findings
    assert (found.status, found.files, found.covered) == (EngineStatus.FINDINGS, 1, ("app.js",))
    assert (finding.rule, finding.line, finding.column, finding.category) == ("no-eval", 2, 10, "code-injection")
    assert (finding.cwe, finding.severity) == (94, Severity.MEDIUM)
    assert finding.remediation
    assert finding.fingerprint.startswith("v1:")
    assert found.version == eslint.version() != ""


@real
def test_every_danger_and_some_defects_are_seen(report):
    source = (
        'setTimeout("go()", 1);\nconst f = new Function("a", body);\nconst link = "javascript:void(0)";\n'
        'if (typeof f === "nonsense") f();\nconst twice = { a: 1, a: 2 };\nif (link === NaN) twice();\n'
    )

    found = report(eslint, {"x.md": "x\n"}, {"a.mjs": source})

    assert [each.rule for each in found.findings] == [
        "no-implied-eval",
        "no-new-func",
        "no-script-url",
        "valid-typeof",
        "no-dupe-keys",
        "use-isnan",
    ]


@real
def test_clean_comes_with_the_number_of_files_proven(report):
    found = report(eslint, {"x.md": "x\n"}, {"a.js": CLEAN, "b.jsx": "export const B = () => <b>hi</b>;\n"})

    assert (found.status, found.files, found.findings) == (EngineStatus.CLEAN, 2, ())
    assert found.reason == "2 JavaScript files analysed, all parsed and in its report, no finding"


@real
def test_scripts_and_modules_are_both_read(report):
    found = report(
        eslint,
        {"x.md": "x\n"},
        {"script.js": "with (a) { eval(b) }\n", "c.cjs": "return eval(a)\n", "m.js": "export default eval(a);\n"},
    )

    assert (found.status, found.skipped) == (EngineStatus.FINDINGS, ())
    assert {each.path for each in found.findings} == {"script.js", "c.cjs", "m.js"}


@real
def test_what_is_not_parsed_or_not_configured_makes_the_answer_partial(report):
    found = report(eslint, {"x.md": "x\n"}, {"ok.js": EVAL, "bad.js": "let a = ;\n", "t.ts": "let x: number = 1\n"})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 1, ("bad.js", "t.ts"))
    assert "Parsing error" in found.reason
    assert "no matching configuration" in found.reason


@real
def test_only_typescript_is_never_clean(report):
    found = report(eslint, {"x.md": "x\n"}, {"t.ts": "eval(a)\n"})

    assert (found.status, found.files, found.covered) == (EngineStatus.PARTIAL, 0, ())


@real
def test_the_configuration_of_the_repository_takes_no_part_and_runs_nothing(report, tmp_path):
    marker = tmp_path / "ran"
    code = f'require("fs").writeFileSync({json.dumps(str(marker))}, "x");\n'
    module = f'import fs from "fs"; fs.writeFileSync({json.dumps(str(marker))}, "x"); export default [];\n'
    places_of_code = (
        "eslint.config.js",
        "eslint.config.cjs",
        ".eslintrc.js",
        ".eslintrc.cjs",
        "node_modules/eslint-formatter-json/index.js",
        "node_modules/eslint/index.js",
        "node_modules/eslint/bin/eslint.js",
        "node_modules/eslint-plugin-evil/index.js",
    )
    poison = {
        **dict.fromkeys(places_of_code, code),
        "eslint.config.mjs": module,
        ".eslintignore": "*\n",
        "eslint-suppressions.json": '{"app.js": {"no-eval": {"count": 9}}}',
        "package.json": '{"type": "module", "eslintConfig": {"root": true}, "eslintIgnore": ["*"]}',
        ".npmrc": "node-options=--require ./eslint.config.cjs\n",
    }

    found = report(eslint, {"x.md": "x\n"}, {**poison, "app.js": f'/* eslint no-eval: "off" */\n{EVAL}'})

    assert places(found) == [("no-eval", "app.js", 3)]
    assert (found.status, found.skipped) == (EngineStatus.FINDINGS, ())
    assert not marker.exists()


@real
def test_what_a_comment_silences_is_reported_and_told(report):
    source = (
        "eval(a); // eslint-disable-line no-eval\n// eslint-disable-next-line\neval(b);\n"
        "eval(c); // eslint-disable-line no-alert\n"
    )

    found = report(eslint, {"x.md": "x\n"}, {"a.js": source, "b.js": f"/* eslint-disable */\n{EVAL}"})

    assert [(each.path, each.line, each.suppressed) for each in found.findings] == [
        ("a.js", 1, "eslint-disable-line no-eval"),
        ("a.js", 3, "eslint-disable-next-line"),
        ("a.js", 4, ""),
        ("b.js", 3, "eslint-disable"),
    ]


@real
def test_odd_names_are_analysed(report):
    names = (".github/i.js", "bower_components/y.js", "-v.js", "a b.js", "[a].js", "!b.js", "{c,d}.js", "--rule.js")

    found = report(eslint, {"x.md": "x\n"}, dict.fromkeys(names, EVAL))

    assert {each.path for each in found.findings} == set(names)
    assert found.skipped == ()


@real
def test_a_run_over_its_deadline_failed_and_is_not_clean(report):
    found = report(eslint, {"a.js": CLEAN}, {"a.js": EVAL}, timeout_s=0.0)

    assert found.status is EngineStatus.FAILED
    assert "deadline" in found.reason


@real
def test_every_rule_is_one_of_eslint_s_core(report, monkeypatch):
    monkeypatch.setattr(eslint, "CONFIGURATION", (*eslint.CONFIGURATION, {"rules": {"no-such-rule": "error"}}))

    found = report(eslint, {"x.md": "x\n"}, {"a.js": CLEAN})

    assert found.status is EngineStatus.FAILED
    assert "no-such-rule" in found.reason


@pytest.fixture
def pretend(monkeypatch, tmp_path):
    """Puts a program called eslint on the PATH that is the given Python; its working folder is `here`."""

    def put(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        fake = folder / "eslint"
        fake.write_text(f"#!{sys.executable} -I\nimport json, os, sys\nhere = os.getcwd()\n{script}\n")
        fake.chmod(0o700)
        monkeypatch.setenv("PATH", str(folder))
        programs.search_path.cache_clear()

    yield put
    programs.search_path.cache_clear()


SAID = [  # what ESLint 10.15 said, as our formatter leaves it
    ("app.js", "no-eval", False, "`eval` can be harmful.", 1, 9, 1),
    ("app.js", None, False, "'/* eslint-env node */' has no effect because you have 'noInlineConfig' setting", 2, 1, 2),
    ("bad.js", None, True, "Parsing error: Unexpected token ;", 1, 9, 0),
    ("t.ts", None, False, "File ignored because no matching configuration was supplied.", 0, 0, 0),
]
_KEYS = ("ruleId", "fatal", "message", "line", "column", "endLine")


def _printed(said):
    files = [{"filePath": path, "messages": [dict(zip(_KEYS, rest, strict=True))]} for path, *rest in said]
    merged = {each["filePath"]: {**each, "messages": []} for each in files}
    for each in files:
        merged[each["filePath"]]["messages"] += each["messages"]
    text = json.dumps(list(merged.values()))
    return f"files = json.loads({text!r})\nfor each in files: each['filePath'] = here + '/' + each['filePath']\n"


def test_the_output_of_eslint_is_read_and_judged(pretend, report):
    pretend(f"{_printed(SAID)}print(json.dumps(files)); sys.exit(1)")

    found = report(eslint, {"x.md": "x\n"}, {"app.js": "x = eval(1)\n", "bad.js": "let = ;\n", "t.ts": "x\n"})

    assert (found.status, found.files, found.skipped) == (EngineStatus.PARTIAL, 1, ("bad.js", "t.ts"))
    assert places(found) == [("no-eval", "app.js", 1)]


def test_a_file_that_is_not_in_the_report_was_not_analysed(pretend, report):
    pretend(f"{_printed(SAID[:1])}print(json.dumps(files))")

    found = report(eslint, {"x.md": "x\n"}, {"app.js": "x = eval(1)\n", "other.js": CLEAN})

    assert (found.status, found.skipped) == (EngineStatus.PARTIAL, ("other.js",))
    assert "other.js (not in its report)" in found.reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('[{')", "not what we read"),
        ("print('{}')", "not what we read"),
        ("print('boom', file=sys.stderr); sys.exit(2)", "exit code 2 boom"),
        ("os.kill(os.getpid(), 9)", "signal SIGKILL"),
    ],
)
def test_output_we_cannot_read_is_a_failure_and_not_silence(pretend, report, script, reason):
    pretend(script)

    found = report(eslint, {"x.md": "x\n"}, {"a.js": CLEAN})

    assert found.status is EngineStatus.FAILED
    assert reason in found.reason


def test_without_eslint_it_says_what_to_install(monkeypatch, tmp_path, report):
    monkeypatch.setenv("PATH", str(tmp_path))

    found = report(eslint, {"x.md": "x\n"}, {"a.js": CLEAN})

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, eslint.available())
    assert eslint.version() == ""


def test_an_eslint_inside_the_repository_is_not_taken(monkeypatch, tmp_path, project, tools):
    marker = tmp_path / "ran"
    made = project({"x.md": "x\n"}, {"a.js": CLEAN})
    fake = tmp_path / "project" / "node_modules" / ".bin" / "eslint"
    fake.parent.mkdir(parents=True)
    fake.write_text(f"#!/bin/sh\ntouch {marker}\necho '[]'\n")
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", str(fake.parent))
    monkeypatch.chdir(tmp_path / "project")
    programs.search_path.cache_clear()

    head = tools.repository(made.path).resolve("feature")
    found = eslint.run(EngineRequest(repository=made.path, head=head), tools)

    assert (found.status, found.reason) == (
        EngineStatus.NOT_RUN,
        "eslint is not on the PATH; npm install --global eslint",
    )
    assert not marker.exists()
    programs.search_path.cache_clear()


@real
def test_a_bundle_is_not_read_and_told(report):
    long = f"eval({'1 + ' * 6000}1);\n"

    found = report(eslint, {"x.md": "x\n"}, {"app.js": EVAL, "bundle.js": long, "huge.js": EVAL * 30_000})

    assert (found.status, found.skipped) == (EngineStatus.PARTIAL, ("bundle.js", "huge.js"))
    assert {each.path for each in found.findings} == {"app.js"}
    assert "bundle.js (not read: a bundle" in found.reason


def test_only_files_of_javascript_that_people_write_are_wanted():
    names = ("a.js", "a.tsx", "jquery.min.js", "node_modules/a/i.js", "vendor/a.js", "a.json", "a.py", "js")

    assert [name for name in names if eslint.wants(name)] == ["a.js", "a.tsx"]
