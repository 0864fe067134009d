"""Our own detector on real repositories: what it finds, what it covers, and that no value leaves it."""

import base64
import runpy
import string
from pathlib import Path
from random import Random

import pytest

from elohim_kernel.engines import secrets
from elohim_kernel.model.finding import Confidence, EngineStatus, Severity
from elohim_kernel.model.value import to_json

PLANTED = runpy.run_path(str(Path(__file__).with_name("planted_secrets.py")))
VALUE = "".join(Random(3).choices(string.ascii_letters + string.digits, k=24))
TOKEN = "ghp_" + "".join(Random(5).choices(string.ascii_letters + string.digits, k=36))
BEFORE = {"README.md": "# Shop\n"}


def found(report):
    return [(each.rule, each.path, each.line) for each in report.findings]


def test_a_token_is_found_where_it_stands_and_its_value_is_not_in_the_report(report):
    result = report(secrets, BEFORE, {"app.py": f"import os\n\nTOKEN = '{TOKEN}'\n"})

    (one,) = result.findings
    assert found(result) == [("github-token", "app.py", 3)]
    assert (one.severity, one.confidence, one.category, one.cwe) == (Severity.HIGH, Confidence.HIGH, "secret", 798)
    assert (one.snippet, one.column, one.on_changed_line) == ("TOKEN = '…'", 10, True)
    assert one.secret.startswith("k1:")
    assert one.secret.endswith(f":{TOKEN[-2:]}")
    assert TOKEN not in to_json(result)


def test_clean_says_how_many_files_answered(report):
    result = report(secrets, BEFORE, {"a.py": "x = 1\n", "b.yaml": "port: 80\n"})

    assert (result.status, result.files, result.covered) == (EngineStatus.CLEAN, 2, ("a.py", "b.yaml"))
    assert result.reason == "2 files searched, every one answered for, no secret"


def test_a_change_without_text_is_not_run(report):
    result = report(secrets, BEFORE, {"logo.png": b"\x89PNG\0"})

    assert (result.status, result.reason) == (EngineStatus.NOT_RUN, "no text files in the change")


def test_a_deleted_file_is_covered_so_that_its_secret_counts_as_gone(report):
    result = report(secrets, {"a.env": f"PASSWORD={VALUE}\n", "b.env": "X=1\n"}, {"a.env": None, "b.env": "X=2\n"})

    assert (result.status, result.covered) == (EngineStatus.CLEAN, ("a.env", "b.env"))


def test_a_file_that_is_too_large_makes_the_answer_partial(report):
    result = report(secrets, BEFORE, {"big.sql": b"x\n" * (9 * 1024 * 1024), "a.py": "x = 1\n"})

    assert (result.status, result.skipped) == (EngineStatus.PARTIAL, ("big.sql",))


def test_what_is_no_text_is_said_and_not_searched(report):
    result = report(secrets, BEFORE, {"data": b"\0\1" + TOKEN.encode(), "a.py": "x = 1\n"})

    assert (result.status, result.notes) == (EngineStatus.CLEAN, ("1 of the files hold no text",))


def test_a_deadline_is_a_failure_and_not_silence(report):
    result = report(secrets, BEFORE, {"a.py": f"t = '{TOKEN}'\n"}, timeout_s=0.0)

    assert result.status is EngineStatus.FAILED
    assert "deadline" in result.reason


def test_comments_and_files_that_silence_other_tools_silence_nothing_and_run_nothing(report, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\n"
    poison = {
        ".gitleaksignore": "app.py:github-token:1\n",
        ".gitleaks.toml": "[allowlist]\npaths = ['.*']\n",
        ".secrets.baseline": '{"results": {}, "plugins_used": [{"name": "X", "path": "file://evil.py"}]}',
        **dict.fromkeys(("json.py", "re.py", "sitecustomize.py", "elohim_kernel/__init__.py", "secrets.py"), code),
    }

    result = report(
        secrets, BEFORE, {**poison, "app.py": f"t = '{TOKEN}'  # gitleaks:allow pragma: allowlist secret\n"}
    )

    assert found(result) == [("github-token", "app.py", 1)]
    assert set(poison) <= set(result.covered)
    assert not marker.exists()


def test_names_with_line_breaks_and_dashes_are_files_like_others(report):
    names = ("-v.py", "a b\nc.env", "@x.yaml", "ü.ini")

    result = report(secrets, BEFORE, dict.fromkeys(names, f"t = '{TOKEN}'\n"))

    assert {each.path for each in result.findings} == set(names)


def test_a_private_key_is_one_finding_over_its_lines(report):
    _, value, _ = next(each for each in PLANTED["positives"]() if each[0] == "private key")

    result = report(secrets, BEFORE, {"deploy.key": f"# mine\n{value}\n"})

    (one,) = result.findings
    assert (one.rule, one.line, one.end_line, one.cwe) == ("private-key", 2, 9, 321)
    assert not any(line in to_json(result) for line in value.splitlines()[1:-1])


def test_the_same_value_has_the_same_mark_and_another_one_another(report):
    other = VALUE[::-1]

    result = report(secrets, BEFORE, {"a.env": f"A_PASSWORD={VALUE}\nB_PASSWORD={VALUE}\nC_PASSWORD={other}\n"})

    first, second, third = result.findings
    assert first.secret == second.secret != third.secret


def test_in_tests_a_password_weighs_less_and_words_are_only_information(report):
    files = {
        "tests/test_a.py": f"password = '{VALUE}'\n",
        "a.py": f"password = '{VALUE}'\nother_password = 'opensesame'\n",
    }

    result = report(secrets, BEFORE, files)

    assert [(each.path, each.severity) for each in result.findings] == [
        ("a.py", Severity.MEDIUM),
        ("a.py", Severity.INFO),
        ("tests/test_a.py", Severity.LOW),
    ]


def test_a_manual_shows_values_that_are_examples_and_a_lone_text_file_may_hold_a_real_one(report):
    files = dict.fromkeys(("docs/use.rst", "README.md", "rfcs/rfc1.txt", "prod.txt"), f'client_secret: "{VALUE}"\n')

    result = report(secrets, BEFORE, {**files, "docs/token.md": f"use {TOKEN}\n"})

    assert {each.path: each.confidence.value for each in result.findings} == {
        "README.md": "low",
        "docs/use.rst": "low",
        "docs/token.md": "high",
        "prod.txt": "medium",
        "rfcs/rfc1.txt": "low",
    }


def test_translations_lock_files_and_minified_code_are_searched_for_issued_forms_only(report):
    names = ("locale/de.yml", "package-lock.json", "dist/app.min.js")

    guessed = report(secrets, BEFORE, dict.fromkeys(names, f'password: "{VALUE}"\n'))

    assert guessed.status is EngineStatus.CLEAN


def test_an_issued_form_is_found_in_a_lock_file(report):
    result = report(secrets, BEFORE, {"yarn.lock": f'resolved "https://x/{TOKEN}"\n'})

    assert found(result) == [("github-token", "yarn.lock", 1)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings_are_read(report, encoding):
    result = report(secrets, BEFORE, {"a.ini": f"[x]\r\npassword = {VALUE}\r\n".encode(encoding)})

    assert found(result) == [("password", "a.ini", 2)]


def test_no_value_of_any_kind_leaves_the_engine_nor_does_its_encoding(report):
    planted = list(PLANTED["positives"](11, each=10))
    files = {f"conf/{number}.conf": f"# {number}\n{line}\n" for number, (_, _, line) in enumerate(planted)}

    result = report(secrets, BEFORE, files)

    text = to_json(result)
    assert len(result.findings) >= len(planted) * 0.97
    for _, value, _ in planted:
        parts = [part for part in value.splitlines() if not part.startswith("-----")]
        assert not any(part in text for part in parts)
        assert base64.b64encode(value.encode()).decode() not in text


def test_hostile_lines_take_no_time_to_speak_of(report):
    files = {
        "a.py": "password=" * 40_000,
        "b.py": "x" * 2_000_000 + "secret" + "'" * 100_000,
        "c.py": "://" + ":" * 500_000 + "@",
        "d.py": "-----BEGIN PRIVATE KEY-----" * 5_000,
        "e.yaml": "token: " + "a-" * 400_000,
        "f.json": '{"eyJ' + "eyJ." * 300_000 + '"}',
    }

    result = report(secrets, BEFORE, files)

    assert (result.status, result.skipped) == (EngineStatus.CLEAN, ())
