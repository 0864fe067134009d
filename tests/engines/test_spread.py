"""Size, spread and touchy places, from the change alone."""

import pytest

from elohim_kernel.engines import spread
from elohim_kernel.engines.spread import reason_of
from elohim_kernel.model.finding import EngineStatus


def named(report, name):
    return [(each.path, each.symbol) for each in report.metrics if each.name == name]


def test_size_and_spread_are_counted(report):
    found = report(spread, {"src/a.py": "a\nb\n"}, {"src/a.py": "a\nc\n", "lib/b.py": "1\n", "tests/t.py": "2\n"})

    sizes = {each.name: each.value for each in found.metrics if not each.path}
    assert (found.status, found.files, found.findings) == (EngineStatus.CLEAN, 3, ())
    assert sizes == {"lines_added": 3.0, "lines_deleted": 1.0, "files": 3.0, "folders": 3.0, "entropy_bits": 1.5}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("app/migrations/0002_owner.py", "database migration"),
        ("src/auth.py", "sign-in and permissions"),
        ("src/auth/token.py", "sign-in and permissions"),
        ("src/author.py", ""),
        ("lib/encrypt_file.go", "cryptography"),
        (".github/workflows/ci.yml", "continuous integration"),
        ("docs/workflows/ci.yml", ""),
        ("services/a/Dockerfile.prod", "container image"),
        ("docker-compose.override.yaml", "container image"),
        ("composer.yml", ""),
        ("deploy/main.tf", "infrastructure"),
        (".github/CODEOWNERS", "rules of review"),
        ("pyproject.toml", "build and packaging"),
    ],
)
def test_risky_paths_give_a_reason(path, reason):
    assert reason_of(path) == reason


def test_tests_and_documents_of_a_risky_area_are_not_risky(report):
    found = report(spread, {"x": "x\n"}, {"tests/test_auth.py": "1\n", "docs/auth.md": "1\n", "auth.py": "1\n"})

    assert named(found, "risky_path") == [("auth.py", "sign-in and permissions")]


def test_moving_a_file_out_of_a_risky_place_is_risky(report):
    body = "".join(f"line {number}\n" for number in range(30))

    found = report(spread, {"auth/check.py": body}, {"auth/check.py": None, "misc/check.py": body})

    assert named(found, "risky_path") == [("misc/check.py", "sign-in and permissions")]


def test_a_lock_file_that_changes_alone_is_told_and_with_its_manifest_not(report):
    before = {"web/package.json": "{}\n", "web/package-lock.json": "{}\n", "go.mod": "a\n", "go.sum": "a\n"}

    found = report(spread, before, {"web/package-lock.json": "{ }\n", "go.mod": "b\n", "go.sum": "b\n"})

    assert named(found, "lock_without_manifest") == [("web/package-lock.json", "lock file without its manifest")]
    assert named(found, "manifest_without_lock") == []


def test_a_manifest_that_changes_alone_is_told_only_when_there_is_a_lock_file(report):
    before = {"web/package.json": "{}\n", "web/yarn.lock": "a\n", "go.mod": "a\n"}

    found = report(spread, before, {"web/package.json": "{ }\n", "go.mod": "b\n"})

    assert named(found, "manifest_without_lock") == [("web/package.json", "manifest without its lock file")]


@pytest.mark.parametrize(
    ("after", "noted"),
    [
        ({"src/a.py": "1\n2\n"}, 1),
        ({"src/a.py": "1\n2\n", "tests/test_a.py": "1\n"}, 0),
        ({"README.md": "x\n"}, 0),
        ({"src/a.py": ""}, 0),
    ],
)
def test_source_that_gains_lines_without_a_test_is_a_note(report, after, noted):
    found = report(spread, {"src/a.py": "1\n"}, after)

    assert len(named(found, "source_without_test")) == noted


def test_a_whole_tree_has_no_spread(report):
    found = report(spread, {"a.py": "1\n"}, {"a.py": "2\n"}, whole=True)

    assert found.status is EngineStatus.NOT_RUN
