"""A change that edits its own judge is told, whatever it edits; nothing of it is obeyed."""

import pytest

from elohim_kernel.engines import policy, ruff
from elohim_kernel.model.change import Change
from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.ports import EngineRequest

CODE = "x = 1\n"
TOOL = '[project]\nname = "x"\nversion = "1"\n\n[tool.ruff]\nline-length = 100\n'

# The fifteen ways in which a change may weaken what judges it.
WEAKENED = {
    "owners": (".github/CODEOWNERS", "* @ann\n", "* @mallory\n", "changed-owners"),
    "owners deleted": ("CODEOWNERS", "* @ann\n", None, "changed-owners"),
    "workflow": (".github/workflows/ci.yml", "on: push\n", "on: []\n", "changed-pipeline"),
    "other pipeline": (".gitlab-ci.yml", "test: {}\n", "{}\n", "changed-pipeline"),
    "hooks": (".pre-commit-config.yaml", "repos: [1]\n", "repos: []\n", "changed-pipeline"),
    "ignore file": (".semgrepignore", None, "app/\n", "changed-ignores"),
    "secrets ignored": (".gitleaksignore", None, "abc:app.py:1\n", "changed-ignores"),
    "baseline": (".secrets.baseline", "{}\n", '{"results": {}}\n', "changed-baseline"),
    "another baseline": ("ci/bandit-baseline.json", None, "{}\n", "changed-baseline"),
    "tool settings": ("pyproject.toml", TOOL, TOOL + 'ignore = ["S"]\n', "changed-tool-settings"),
    "tool settings of old": ("setup.cfg", "[mypy]\nstrict = 1\n", "[mypy]\n", "changed-tool-settings"),
    "code that tests load": ("tests/conftest.py", CODE, CODE + "y = 2\n", "changed-tool-settings"),
    "what is shown": (".gitattributes", None, "*.py -diff\n", "changed-attributes"),
    "what must pass": ("codecov.yml", "a: 1\n", "a: 0\n", "changed-review-rules"),
    "a silencing comment": ("app.py", CODE, CODE + "y = eval(input())  # nosec\n", "silenced-by-the-change"),
}


@pytest.mark.parametrize("way", WEAKENED, ids=str)
def test_each_way_to_weaken_the_judge_is_told(report, way):
    path, before, after, rule = WEAKENED[way]
    kept = {"keep.py": CODE}

    found = report(policy, {**kept, **({path: before} if before else {})}, {**kept, "keep.py": "x = 2\n", path: after})

    assert [(each.path, each.rule) for each in found.findings] == [(path, rule)]
    (finding,) = found.findings
    assert (finding.category, finding.is_new, finding.on_changed_line) == ("policy", True, True)
    assert finding.fingerprint
    assert finding.severity in (Severity.MEDIUM, Severity.LOW)


def test_an_ordinary_change_is_clean_with_proof(report):
    found = report(policy, {"app.py": CODE, "pyproject.toml": TOOL}, {"app.py": "x = 2\n"})

    assert (found.status, found.reason) == (
        EngineStatus.CLEAN,
        "1 changed file looked at for judges and for comments that silence",
    )


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("pyproject.toml", TOOL, TOOL.replace('version = "1"', 'version = "2"')),
        ("package.json", '{"version": "1", "jest": {}}', '{"version": "2", "jest": {}}'),
        ("setup.cfg", "[metadata]\nname = x\n[mypy]\nstrict = 1\n", "[metadata]\nname = y\n[mypy]\nstrict = 1\n"),
    ],
)
def test_a_file_that_judges_only_in_part_counts_only_for_that_part(report, path, before, after):
    assert report(policy, {path: before}, {path: after}).findings == ()


@pytest.mark.parametrize("after", ["[tool.ruff\n", "\x00", "[tool]\nruff = 1\n"])
def test_settings_that_cannot_be_read_any_more_count_as_changed(report, after):
    assert len(report(policy, {"pyproject.toml": TOOL}, {"pyproject.toml": after}).findings) == 1


def test_a_judge_that_is_moved_away_is_told(report):
    body = "* @ann\n" * 20

    found = report(policy, {"CODEOWNERS": body}, {"CODEOWNERS": None, "old/owners.txt": body})

    assert [(each.path, each.rule) for each in found.findings] == [("old/owners.txt", "changed-owners")]
    assert "moves" in found.findings[0].message


def test_a_comment_that_was_there_before_is_not_told(report):
    silent = "y = eval(input())  # nosec\n"

    assert report(policy, {"app.py": silent}, {"app.py": silent + CODE}).findings == ()


def test_a_comment_for_a_whole_file_is_worse_than_one_for_a_line(report):
    after = "# ruff: noqa\n" + CODE + "import os  # noqa: F401\n"

    found = report(policy, {"app.py": CODE}, {"app.py": after})

    assert [(each.line, each.severity) for each in found.findings] == [(1, Severity.MEDIUM), (3, Severity.INFO)]


def test_a_comment_is_as_bad_as_what_it_silences(project, tools_with):
    tools = tools_with(policy=policy, ruff=ruff)
    made = project({"app.py": CODE}, {"app.py": CODE + "import pickle\npickle.loads(x)  # noqa: S301\n"})
    change: Change = tools.repository(made.path).change("main", "feature")
    request = EngineRequest(repository=made.path, head=change.head, change=change, base=change.merge_base)

    by_engine = {each.engine: each for each in tools.engines(("policy", "ruff"), request)}

    silenced = next(each for each in by_engine["ruff"].findings if each.rule == "S301")
    (told,) = by_engine["policy"].findings
    assert (silenced.suppressed, silenced.suppression_is_new) == ("noqa: S301", True)
    assert (told.severity, "ruff S301 at line 3" in told.evidence) == (silenced.severity, True)


def test_without_a_change_there_is_nothing_to_compare(report):
    found = report(policy, {"app.py": CODE}, {"CODEOWNERS": "* @ann\n"}, whole=True)

    assert (found.status, found.reason) == (EngineStatus.NOT_RUN, "there is no change, only a whole tree")


def test_it_reads_and_runs_nothing(report, tmp_path):
    """A repository whose settings run code and silence everything: nothing runs, and all of it is told."""
    marker = tmp_path / "ran"
    poison = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    after = {
        "conftest.py": poison,
        "setup.cfg": f"[mypy]\nplugins = {poison!r}\n",
        ".semgrepignore": "*\n",
        ".gitattributes": "*.py diff=evil filter=evil\n",
    }

    found = report(policy, {"app.py": CODE}, after)

    assert not marker.exists()
    assert {each.path for each in found.findings} == set(after)
