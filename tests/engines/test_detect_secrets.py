"""The real library on real repositories."""

import runpy
from pathlib import Path
from random import Random
from string import ascii_letters, digits

import pytest

from elohim_kernel.engines import detect_secrets
from elohim_kernel.model.finding import Confidence, EngineStatus
from elohim_kernel.model.value import to_json

PLANTED = runpy.run_path(str(Path(__file__).with_name("planted_secrets.py")))
TOKEN = "ghp_" + "".join(Random(5).choices(ascii_letters + digits, k=36))
BEFORE = {"README.md": "# Shop\n"}


def test_an_issued_token_is_found_and_its_value_is_not_in_the_report(report):
    result = report(detect_secrets, BEFORE, {"app.py": f"import os\nTOKEN = '{TOKEN}'\n"})

    told = [each for each in result.findings if each.rule == "GitHub Token"]
    assert [(each.line, each.category, each.confidence) for each in told] == [(2, "secret", Confidence.MEDIUM)]
    assert told[0].secret.endswith(TOKEN[-2:])
    assert TOKEN not in to_json(result)
    assert result.version.startswith("1.")


def test_what_only_a_name_says_is_information(report):
    value = "".join(Random(6).choices(ascii_letters + digits, k=20))

    result = report(detect_secrets, BEFORE, {"app.py": f"password = '{value}'\nother_password = 'opensesame'\n"})

    assert [(each.line, each.severity.value, each.confidence.value) for each in result.findings] == [(1, "info", "low")]


def test_comments_baselines_and_plugins_of_the_repository_take_no_part(report, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\n"
    plugin = '{"plugins_used": [{"name": "Evil", "path": "file://evil.py"}], "results": {}, "version": "1.5.0"}'
    poison = {".secrets.baseline": plugin, ".pre-commit-config.yaml": "repos: []\n"}
    modules = dict.fromkeys(("evil.py", "yaml.py", "detect_secrets/__init__.py", "sitecustomize.py", "json.py"), code)

    result = report(
        detect_secrets, BEFORE, {**poison, **modules, "app.py": f"t = '{TOKEN}'  # pragma: allowlist secret\n"}
    )

    assert ("GitHub Token", "app.py") in {(each.rule, each.path) for each in result.findings}
    assert not marker.exists()
    assert result.skipped == ()


def test_clean_counts_the_files_that_answered(report):
    result = report(detect_secrets, BEFORE, {"a.py": "x = 1\n", "b.yaml": "port: 80\n", "c.png": b"\0"})

    assert (result.status, result.files, result.covered) == (EngineStatus.CLEAN, 2, ("a.py", "b.yaml"))


def test_a_file_that_is_too_large_makes_the_answer_partial(report):
    result = report(detect_secrets, BEFORE, {"big.sql": b"x\n" * (3 * 1024 * 1024), "a.py": "x = 1\n"})

    assert (result.status, result.skipped) == (EngineStatus.PARTIAL, ("big.sql",))


@pytest.mark.parametrize(("timeout_s", "status"), [(0.0, EngineStatus.FAILED)])
def test_a_deadline_is_a_failure_and_not_silence(report, timeout_s, status):
    result = report(detect_secrets, BEFORE, {"a.py": "x = 1\n"}, timeout_s=timeout_s)

    assert result.status is status


def test_a_change_without_text_is_not_run(report):
    result = report(detect_secrets, BEFORE, {"logo.png": b"\x89PNG"})

    assert (result.status, result.reason) == (EngineStatus.NOT_RUN, "no text files in the change")


def test_no_value_leaves_the_adapter(report):
    planted = list(PLANTED["positives"](12, each=2))
    files = {f"c/{number}.conf": f"{line}\n" for number, (_, _, line) in enumerate(planted)}

    result = report(detect_secrets, BEFORE, files)

    text = to_json(result)
    assert len(result.findings) > 20
    for _, value, _ in planted:
        assert not any(part in text for part in value.splitlines() if not part.startswith("-----"))
