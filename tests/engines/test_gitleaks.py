"""The real program where it is installed, and a program of ours that ends the ways the real one can."""

import json
import shutil
import sys
from random import Random
from string import ascii_letters, digits

import pytest

from elohim_kernel.engines import gitleaks
from elohim_kernel.model.finding import Confidence, EngineStatus, Severity
from elohim_kernel.model.value import to_json

TOKEN = "ghp_" + "".join(Random(5).choices(ascii_letters + digits, k=36))
BEFORE = {"README.md": "# Shop\n"}

installed = pytest.mark.skipif(shutil.which("gitleaks") is None, reason="gitleaks is not installed")

FAKE = """
import json, os, sys
arguments = sys.argv[1:]
if arguments == ["version"]:
    print("9.9.9")
    sys.exit(0)
root = arguments[-1]
place = arguments[arguments.index("--report-path") + 1]
for folder, _, names in os.walk(root):
    for name in names:
        print(f"12:00AM TRC scanning path path={os.path.join(folder, name)}", file=sys.stderr)
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program named gitleaks first on the path; it does what the text says."""

    def write(text: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        place = folder / "gitleaks"
        place.write_text(f"#!{sys.executable}\n{FAKE}\n{text}\n")
        place.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return write


def leak(**fields) -> str:
    one = {"RuleID": "github-pat", "Description": "A token", "StartLine": 1, "EndLine": 1, "StartColumn": 6,
           "EndColumn": 45, "Match": "REDACTED", "Secret": "REDACTED", "File": "{root}/app.py", **fields}  # fmt: skip
    listed = json.dumps([one]).replace('"{root}/', 'root + "/')
    return f"open(place, 'w').write(json.dumps({listed}))\nsys.exit(10)"


def test_a_leak_comes_with_its_place_and_without_its_value(report, program):
    program(leak())

    result = report(gitleaks, BEFORE, {"app.py": f"x = '{TOKEN}'\n"})

    (one,) = result.findings
    assert (one.rule, one.path, one.line, one.column) == ("github-pat", "app.py", 1, 6)
    assert (one.severity, one.confidence, one.category, one.cwe) == (Severity.HIGH, Confidence.HIGH, "secret", 798)
    assert (one.snippet, one.message) == ("x = '…'", "A token")
    assert one.secret.endswith(TOKEN[-2:])
    assert TOKEN not in to_json(result)
    assert (result.status, result.version) == (EngineStatus.FINDINGS, "9.9.9")


@pytest.mark.parametrize(
    ("line", "confidence"),
    [
        ("password = 'hunter2hunter'", "low"),
        ("api_key = 'your-api-key-here'", None),
        ("key = 'q8Zk3vB1xW6tR9mC'", "medium"),
    ],
)
def test_a_generic_leak_is_judged_by_the_look_of_its_value(report, program, line, confidence):
    program(leak(RuleID="generic-api-key", StartColumn=1, EndColumn=len(line)))

    result = report(gitleaks, BEFORE, {"app.py": f"{line}\n"})

    assert [each.confidence.value for each in result.findings] == ([confidence] if confidence else [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sys.exit(1)", "exit code 1"),
        ("sys.exit(0)", "not what we read"),
        ("open(place, 'w').write('[{')\nsys.exit(10)", "not what we read"),
        ("open(place, 'w').write('[]')\nsys.exit(10)", "that cannot be"),
        (leak().replace("sys.exit(10)", "sys.exit(0)"), "that cannot be"),
    ],
)
def test_an_end_that_proves_nothing_is_a_failure(report, program, text, reason):
    program(text)

    result = report(gitleaks, BEFORE, {"app.py": "x = 1\n"})

    assert result.status is EngineStatus.FAILED
    assert reason in result.reason


def test_clean_needs_every_file_named_in_the_trace(report, program):
    program("open(place, 'w').write('[]')")

    result = report(gitleaks, BEFORE, {"a.py": "x = 1\n", "b.yaml": "y: 1\n", "logo.png": b"\0"})

    assert (result.status, result.covered) == (EngineStatus.CLEAN, ("a.py", "b.yaml"))


def test_files_the_trace_does_not_name_are_skipped(report, program, monkeypatch):
    program("open(place, 'w').write('[]')")
    monkeypatch.setattr(gitleaks, "_SCANNING", gitleaks.re.compile(r"TRC scanning path path=(.*a\.py)"))

    result = report(gitleaks, BEFORE, {"a.py": "x = 1\n", "b.yaml": "y: 1\n"})

    assert (result.status, result.skipped) == (EngineStatus.PARTIAL, ("b.yaml",))


def test_without_the_program_it_says_so(report, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    result = report(gitleaks, BEFORE, {"app.py": f"x = '{TOKEN}'\n"})

    assert (result.status, result.reason) == (EngineStatus.NOT_RUN, gitleaks.available())


def test_a_change_without_text_is_not_run(report, program):
    program("sys.exit(1)")

    result = report(gitleaks, BEFORE, {"logo.png": b"\x89PNG", "package-lock.json": "{}"})

    assert (result.status, result.reason) == (EngineStatus.NOT_RUN, "no text files in the change")


@installed
def test_the_real_program_finds_a_token_and_covers_what_it_read(report):
    result = report(gitleaks, BEFORE, {"app.py": f"x = '{TOKEN}'\n", "b.py": "y = 1\n", "empty.py": ""})

    assert [(each.rule, each.path, each.column) for each in result.findings] == [("github-pat", "app.py", 6)]
    assert result.covered == ("app.py", "b.py", "empty.py")
    assert TOKEN not in to_json(result)


@installed
def test_lists_and_comments_of_the_repository_silence_nothing(report):
    poison = {
        ".gitleaksignore": "app.py:github-pat:1\n",
        ".gitleaks.toml": "[allowlist]\npaths = ['.*']\n",
        "sub/.gitleaksignore": "app.py:github-pat:1\n",
    }

    result = report(gitleaks, BEFORE, {**poison, "app.py": f"x = '{TOKEN}'  # gitleaks:allow\n"})

    assert [(each.rule, each.path) for each in result.findings] == [("github-pat", "app.py")]


@pytest.mark.parametrize("name", [".gitleaksignore", "deep/.gitleaks.toml", "node_modules/a/b.js", "uv.lock", "a.png"])
def test_what_would_silence_it_and_what_it_passes_over_never_reaches_it(name):
    assert not gitleaks.wants(name)
