"""The real pip-audit, asking a service on this machine, or nobody."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from elohim_kernel.engines import pip_audit
from elohim_kernel.model.finding import EngineStatus
from elohim_kernel.ports import EngineRequest

BEFORE = {"README.md": "# Shop\n"}
VULNERABILITY = {
    "id": "GHSA-1",
    "aliases": ["CVE-2023-1"],
    "summary": "Something bad",
    "affected": [
        {
            "package": {"name": "django", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.2.19"}]}],
        }
    ],
}


class Service:
    """Answers like an OSV service, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.broken = False
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name, version = asked["package"]["name"], asked["version"]
                service.asked.append((name, version))
                told = {"vulns": [VULNERABILITY]} if (name, version) == ("django", "3.2.0") else {}
                content = json.dumps(told).encode()
                self.send_response(500 if service.broken else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *parts: object) -> None:
                """Tests are quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/query"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def ask(project, tools):
    def run(files, url):
        made = project(BEFORE, files)
        change = tools.repository(made.path).change("main", "feature")
        options = {"osv_url": url, "network": "yes"}
        request = EngineRequest(repository=made.path, head=change.head, change=change, options=options, timeout_s=60)
        return pip_audit.run(request, tools)

    return run


def test_what_the_service_lists_is_a_finding_at_the_pin(ask, service):
    report = ask({"requirements.txt": "flask==3.0\nDjango==3.2.0\n"}, service.url)

    (one,) = report.findings
    assert (one.rule, one.path, one.line, one.category) == ("CVE-2023-1", "requirements.txt", 2, "dependency")
    assert (one.message, one.remediation) == ("Django 3.2.0: Something bad", "upgrade Django to 3.2.19")
    assert one.advisories == ("CVE-2023-1", "GHSA-1")
    assert (report.status, report.reason) == (EngineStatus.FINDINGS, "2 versions asked about and answered")
    assert sorted(service.asked) == [("django", "3.2.0"), ("flask", "3.0")]


def test_several_versions_of_a_package_are_each_asked_about(ask, service):
    report = ask({"requirements.txt": "django==4.2\n", "old/requirements.txt": "django==3.2.0\n"}, service.url)

    assert [(one.path, one.rule) for one in report.findings] == [("old/requirements.txt", "CVE-2023-1")]
    assert sorted(service.asked) == [("django", "3.2.0"), ("django", "4.2")]


def test_clean_needs_an_answer_for_every_version(ask, service):
    report = ask({"requirements.txt": "django==4.2\n"}, service.url)

    assert (report.status, report.reason) == (EngineStatus.CLEAN, "1 version asked about and answered, none affected")


def test_what_names_no_version_was_not_checked(ask, service):
    report = ask({"requirements.txt": "django>=3\nflask==3.0\n"}, service.url)

    assert report.status is EngineStatus.PARTIAL
    assert report.notes == ("version unknown, not checked: django (requirements.txt)",)


def test_without_a_network_it_failed_and_is_never_clean(ask):
    report = ask({"requirements.txt": "django==4.2\n"}, "http://127.0.0.1:9/v1/query")

    assert report.status is EngineStatus.FAILED
    assert report.findings == ()


def test_a_service_in_trouble_is_a_failure(ask, service):
    service.broken = True

    report = ask({"requirements.txt": "django==4.2\n"}, service.url)

    assert report.status is EngineStatus.FAILED


@pytest.mark.parametrize(
    ("printed", "status"),
    [
        ('{"dependencies": [{"name": "django", "skip_reason": "not found"}], "fixes": []}', EngineStatus.FAILED),
        (
            '{"dependencies": [{"name": "django", "skip_reason": "x"},'
            ' {"name": "flask", "version": "3.0", "vulns": []}]}',
            EngineStatus.PARTIAL,
        ),
        ('{"dependencies": [], "fixes": []}', EngineStatus.FAILED),
        ("", EngineStatus.FAILED),
        ("No known vulnerabilities found", EngineStatus.FAILED),
    ],
)
def test_a_skipped_version_was_not_checked(ask, monkeypatch, tmp_path, printed, status):
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\nprint({printed!r})\n")
    program.chmod(0o755)
    monkeypatch.setattr(pip_audit.sys, "executable", str(program))

    report = ask({"requirements.txt": "django==4.2\nflask==3.0\n"}, "")

    assert report.status is status


def test_nothing_of_the_repository_is_run_and_its_index_is_not_asked(ask, service, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\n"
    poison = dict.fromkeys(("pip_audit/__init__.py", "pip_audit/__main__.py", "setup.py", "sitecustomize.py"), code)
    options = "--index-url http://127.0.0.1:9/evil\n--extra-index-url http://127.0.0.1:9/more\n-r /etc/passwd\n-e .\n"

    report = ask(
        {**poison, "pip.conf": "[global]\nno-index=1\n", "requirements.txt": f"{options}django==3.2.0\n"}, service.url
    )

    assert [one.rule for one in report.findings] == ["CVE-2023-1"]
    assert service.asked == [("django", "3.2.0")]
    assert not marker.exists()


def test_without_python_lock_files_it_did_not_run(ask):
    report = ask({"package-lock.json": "{}"}, "")

    assert (report.status, report.reason) == (
        EngineStatus.NOT_RUN,
        "no lock files or requirements of Python in the change",
    )


def test_it_asks_a_service_so_it_runs_only_when_allowed():
    assert pip_audit.TRAITS.network
