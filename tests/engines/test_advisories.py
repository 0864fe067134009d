"""Known vulnerabilities in lock files and requirements, told from files of advisories; nothing is fetched."""

import json
import os
from pathlib import Path

import pytest

from elohim_kernel.engines import advisories
from elohim_kernel.model.finding import EngineStatus, Severity
from elohim_kernel.model.pins import Unreadable, pins_of
from elohim_kernel.ports import EngineRequest

BEFORE = {"README.md": "# Shop\n"}
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"


def record(
    name: str, package: str, *, fixed: str, ecosystem: str = "PyPI", modified: str = "2026-11-10", **more
) -> dict:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    return {
        "id": name,
        "modified": f"{modified}T00:00:00Z",
        "summary": f"Something bad in {package}",
        "severity": [{"type": "CVSS_V3", "score": VECTOR}],
        "affected": [{"package": {"ecosystem": ecosystem, "name": package}, "ranges": ranges}],
        **more,
    }


DJANGO = record("GHSA-1", "django", fixed="3.2.19", aliases=["CVE-2023-1"], database_specific={"cwe_ids": ["CWE-89"]})
LODASH = record("GHSA-2", "lodash", fixed="4.17.21", ecosystem="npm")


@pytest.fixture
def look(project, tools, tmp_path):
    """Runs the engine on a change that brings `files`, against these records."""

    def run(files, records=(DJANGO, LODASH), *, option: str | None = None):
        place = tmp_path / "osv.jsonl"
        place.write_text("\n".join(map(json.dumps, records)))
        made = project(BEFORE, files)
        change = tools.repository(made.path).change("main", "feature")
        options = {"advisories": str(place) if option is None else option}
        request = EngineRequest(repository=made.path, head=change.head, change=change, options=options)
        return advisories.run(request, tools)

    return run


def test_a_pin_in_the_affected_range_is_a_finding_with_everything_known_of_it(look):
    report = look(
        {"requirements.txt": "# web\nDjango==3.2.0 \\\n    --hash=sha256:00 ; python_version > '3'\nflask==3.0\n"}
    )

    (one,) = report.findings
    assert (one.rule, one.path, one.line, one.category, one.cwe) == ("GHSA-1", "requirements.txt", 2, "dependency", 89)
    assert (one.severity, one.advisories) == (Severity.HIGH, ("CVE-2023-1", "GHSA-1"))
    assert (one.message, one.remediation) == ("Django 3.2.0: Something bad in django", "upgrade Django to 3.2.19")
    assert one.on_changed_line
    assert (report.status, report.reason) == (
        EngineStatus.FINDINGS,
        "2 versions compared with advisories of 2026-11-10",
    )
    assert report.notes == ("2 advisories of 2026-11-10",)


def test_clean_names_the_day_of_the_advisories(look):
    report = look({"requirements.txt": "django==4.2\n"})

    assert (report.status, report.covered) == (EngineStatus.CLEAN, ("requirements.txt",))
    assert report.reason == "1 version compared with advisories of 2026-11-10, none affected"


def test_advisories_older_than_thirty_days_are_stale_and_say_so(look):
    old = [{**DJANGO, "modified": "2026-10-01T00:00:00Z"}]

    report = look({"requirements.txt": "django==4.2\n"}, old)

    assert "2026-10-01, stale: 52 days old" in report.reason
    assert "stale" in report.notes[0]


def test_a_range_is_not_checked_and_that_is_not_clean(look):
    report = look({"requirements.txt": "django>=3\nflask\nrich==13.0\n"})

    assert report.status is EngineStatus.PARTIAL
    assert "2 without a single version not checked" in report.reason
    assert "version unknown, not checked: django (requirements.txt:1), flask (requirements.txt:2)" in report.notes


def test_an_ecosystem_the_advisories_do_not_cover_is_not_checked(look):
    lock = json.dumps({"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "4.0.0"}}})

    report = look({"package-lock.json": lock, "requirements.txt": "django==4.2\n"}, [DJANGO])

    assert (report.status, report.skipped) == (EngineStatus.PARTIAL, ("package-lock.json",))
    assert "package-lock.json: not checked, no npm advisories in the snapshot" in report.notes


def test_without_advisories_it_did_not_run(look):
    report = look({"requirements.txt": "django==3.2.0\n"}, option="")

    assert (report.status, report.reason) == (EngineStatus.NOT_RUN, "no advisories here; give --advisories FILE")


@pytest.mark.parametrize("content", ["", "{", "[]", "PK\x03\x04"])
def test_advisories_that_cannot_be_read_are_a_failure(look, tmp_path, content):
    place = tmp_path / "broken.json"
    place.write_text(content)

    report = look({"requirements.txt": "django==3.2.0\n"}, option=str(place))

    assert report.status is EngineStatus.FAILED
    assert "broken.json cannot be used" in report.reason


def test_a_file_that_is_not_there_is_a_failure(look, tmp_path):
    report = look({"requirements.txt": "django==3.2.0\n"}, option=str(tmp_path / "none.zip"))

    assert report.status is EngineStatus.FAILED


def test_of_a_folder_the_newest_file_is_taken(look, tmp_path):
    folder = tmp_path / "advisories"
    folder.mkdir()
    for name, modified, age in (("old.json", "2026-09-01", 100), ("new.json", "2026-11-20", 10)):
        place = Path(folder, name)
        place.write_text(json.dumps({**DJANGO, "modified": modified}))
        os.utime(place, (1_000_000 - age, 1_000_000 - age))

    report = look({"requirements.txt": "django==3.2.0\n"}, option=str(folder))

    assert "advisories of 2026-11-20" in report.reason


def test_one_vulnerability_told_by_two_databases_is_one_finding(look):
    pysec = record("PYSEC-2023-9", "django", fixed="3.2.19", aliases=["CVE-2023-1"], severity=[])

    report = look({"requirements.txt": "django==3.2.0\n"}, [pysec, DJANGO])

    (one,) = report.findings
    assert (one.rule, one.advisories) == ("GHSA-1", ("CVE-2023-1", "GHSA-1", "PYSEC-2023-9"))


def test_no_lock_files_is_not_run(look):
    report = look({"app.py": "x = 1\n"})

    assert (report.status, report.reason) == (EngineStatus.NOT_RUN, "no lock files or requirements in the change")


LOCKS = {
    "poetry.lock": '[[package]]\nname = "django"\nversion = "3.2.0"\n\n[package.dependencies]\nname = "x"\n',
    "uv.lock": 'version = 1\n\n[[package]]\nname = "django"\nversion = "3.2.0"\nsource = { registry = "x" }\n',
    "pdm.lock": '[metadata]\ngroups = []\n\n[[package]]\nname = "django"\nversion = "3.2.0"\n',
    "Pipfile.lock": '{\n  "_meta": {},\n  "default": {\n    "django": {\n      "version": "==3.2.0"\n    }\n  }\n}\n',
    "pyproject.toml": '[project]\nname = "a"\ndependencies = [\n  "django==3.2.0",\n]\n',
    "requirements/base.in.txt": "-r other.txt\n--index-url https://x\n\ndjango===3.2.0\n",
    "package-lock.json": '{\n "packages": {\n  "": {"version": "1.0.0"},\n'
    '  "node_modules/lodash": {\n   "version": "4.0.0"\n  }\n }\n}',
    "npm-shrinkwrap.json": '{\n "dependencies": {\n  "lodash": {\n   "version": "4.0.0"\n  }\n }\n}',
    "yarn.lock": '# yarn lockfile v1\n\nlodash@^4.0.0, lodash@~4.0.0:\n  version "4.0.0"\n  resolved "x"\n',
    "web/yarn.lock": '__metadata:\n  version: 8\n\n"lodash@npm:^4.0.0":\n  version: 4.0.0\n',
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\npackages:\n\n  lodash@4.0.0:\n    resolution: {integrity: x}\n\n"
    "snapshots:\n",
    "old/pnpm-lock.yaml": "lockfileVersion: 5.4\n\npackages:\n\n  /lodash/4.0.0:\n    dev: false\n",
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(LOCKS))
def test_every_kind_of_file_gives_its_pins_with_their_lines(look, path):
    report = look({path: LOCKS[path]})

    (one,) = report.findings
    line = LOCKS[path].splitlines()[one.line - 1]
    assert "django" in line or "lodash" in line


@pytest.mark.parametrize(
    ("path", "content", "pins"),
    [
        ("yarn.lock", '"@a/b@^1", "@a/b@^2":\n  version "1.2.3"\n', [("@a/b", "1.2.3")]),
        ("yarn.lock", '"short@npm:@real/one@^1":\n  version: 1.0.0\n', [("@real/one", "1.0.0")]),
        ("yarn.lock", '"mine@workspace:.":\n  version: 0.0.0-use.local\n', []),
        ("pnpm-lock.yaml", "packages:\n  '@a/b@1.2.3(react@18.0.0)':\n    x: y\n", [("@a/b", "1.2.3")]),
        ("pnpm-lock.yaml", "packages:\n  /@a/b/1.2.3_react@18:\n    x: y\n", [("@a/b", "1.2.3")]),
        ("package-lock.json", '{"packages": {"node_modules/a/node_modules/@b/c": {"version": "1"}}}', [("@b/c", "1")]),
        ("package-lock.json", '{"packages": {"node_modules/a": {"link": true, "version": "1"}}}', []),
        ("package-lock.json", '{"dependencies": {"a": {"version": "1", "dependencies": {"b": {"version": "2"}}}}}',
         [("a", "1"), ("b", "2")]),
        ("requirements.txt", "a @ https://x/a.whl\nb==1.*\n./c\n-e .\nd[x]==1 ; python_version<'3'\n",
         [("a", ""), ("b", ""), ("d", "1")]),
        ("requirements.txt", "\ufeffa==1\nnot a requirement at all\n", [("a", "1")]),
    ],
)  # fmt: skip
def test_odd_entries_are_read_as_what_they_mean(path, content, pins):
    assert [(pin.package, pin.version) for pin in pins_of(path, content.encode())] == pins


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("package-lock.json", "{" * 100_000),
        ("package-lock.json", '{"packages": []}'),
        ("poetry.lock", "[[package]\nname = 1"),
        ("uv.lock", "a = " + "[" * 5_000),
        ("Pipfile.lock", "[]"),
        ("pyproject.toml", "\0"),
    ],
)
def test_a_broken_file_is_skipped_and_said(look, path, content):
    report = look({path: content, "requirements.txt": "django==4.2\n"})

    assert (report.status, report.skipped) == (EngineStatus.PARTIAL, (path,))


def test_a_file_with_too_many_packages_is_refused():
    with pytest.raises(Unreadable, match="more than 100,000"):
        pins_of("requirements.txt", b"a==1\n" * 100_001)


def test_files_that_pose_as_modules_run_nothing_and_settings_of_the_repository_silence_nothing(look, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\n"
    poison = dict.fromkeys(("packaging/__init__.py", "tomllib.py", "setup.py", "sitecustomize.py", "conftest.py"), code)
    ignoring = {".npmrc": "audit=false\n", "osv-scanner.toml": '[[IgnoredVulns]]\nid = "GHSA-1"\n'}

    report = look({**poison, **ignoring, "requirements.txt": "django==3.2.0  # noqa nosec\n"})

    assert [each.rule for each in report.findings] == ["GHSA-1"]
    assert not marker.exists()
